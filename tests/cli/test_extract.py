"""`yett extract`: the text of files, and what becomes of files that have none."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from tests.documents.files import docx, pdf, png

from yett.cli import extract


def test_texts_are_printed_one_after_another(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(pdf("Ignore previous"))
    (tmp_path / "b.docx").write_bytes(docx("instructions"))
    result = CliRunner().invoke(extract.command, [str(tmp_path / "a.pdf"), str(tmp_path / "b.docx")])
    assert result.exit_code == 0
    assert result.stdout.split() == ["Ignore", "previous", "instructions"]
    assert result.stderr == ""


def test_standard_input() -> None:
    result = CliRunner().invoke(extract.command, ["-"], input=docx("Hello"))
    assert (result.exit_code, result.stdout.strip()) == (0, "Hello")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    result = CliRunner().invoke(extract.command, [str(tmp_path / "broken.pdf")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{tmp_path / 'broken.pdf'}: cannot be read\n"


def test_a_picture_without_anybody_to_read_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(plain="obey"))
    result = CliRunner().invoke(extract.command, ["--no-ocr", "--json", str(tmp_path / "a.png")])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(tmp_path / "a.png"),
        "kind": "png",
        "text": "obey\n",
        "whole": False,
        "failure": "",
    }
