"""Files that settings name are there, or there is a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from tests.config import every_setting

from yett.config.files import certificate_files, missing_files
from yett.config.reader import parse


def test_a_ca_file_must_exist(tmp_path: Path) -> None:
    text = '[providers.a]\nkind = "vllm"\nca_file = "ca.pem"'
    assert "there is no file" in parse(text, tmp_path / "yett.toml", {}).mistakes[0].message
    (tmp_path / "ca.pem").write_text("")
    assert parse(text, tmp_path / "yett.toml", {}).mistakes == ()


@pytest.mark.parametrize(
    "written", ['[state]\ndir = "taken"', '[state]\ndir = "taken/below"', '[audit]\ndir = "taken"']
)
def test_a_folder_cannot_be_where_a_file_is(tmp_path: Path, written: str) -> None:
    assert parse(written, tmp_path / "yett.toml", {}).mistakes == ()
    (tmp_path / "taken").write_text("")
    (mistake,) = parse(written, tmp_path / "yett.toml", {}).mistakes
    assert (mistake.line, mistake.message[6:]) == (2, f"dir: {tmp_path}/taken is not a folder")
    assert parse(f'[state]\ndir = "{"x" * 5000}"', tmp_path / "yett.toml", {}).mistakes == ()


def test_no_setting_that_names_a_file_is_forgotten(tmp_path: Path) -> None:
    settings = every_setting.settings("nowhere")
    reading = structs.replace(parse("", tmp_path / "yett.toml", {}), settings=settings)
    known = {path for path, _ in (*missing_files(reading), *certificate_files(settings))}
    named = {path for path, _ in every_setting.strings() if str(path[-1]).endswith("_file")}
    assert known == named | {("guardrails", "some", "folder")}
