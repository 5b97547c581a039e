"""Which interpreter `.venv` is made from. The interpreters here are scripts that say how fast they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "choose_python.py"


@pytest.fixture(scope="module")
def choose() -> Any:
    spec = importlib.util.spec_from_file_location("choose_python", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.choose


def interpreter(folder: Path, name: str, body: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("usual", "system", "chosen"),
    [
        ("echo 0.004", "echo 0.003", "system"),
        ("echo 0.003", "echo 0.003", "usual"),
        ("echo 0.0031", "echo 0.003", "usual"),
        ("echo 0.004", "exit 1", "usual"),  # too old, or without venv
        ("exit 1", "echo 0.003", "system"),
        ("exit 1", "exit 1", "usual"),
    ],
)
def test_the_system_s_python_is_taken_when_it_is_clearly_faster(
    tmp_path: Path, choose: Any, usual: str, system: str, chosen: str
) -> None:
    paths = {"usual": interpreter(tmp_path, "usual", usual), "system": interpreter(tmp_path, "system", system)}
    assert choose(paths["usual"], paths["system"]) == paths[chosen]


def test_without_a_system_python_the_usual_one_is_taken(tmp_path: Path, choose: Any) -> None:
    assert choose("python3", str(tmp_path / "none")) == "python3"


def test_a_usual_python_that_is_not_there_gives_way(tmp_path: Path, choose: Any) -> None:
    system = interpreter(tmp_path, "system", "echo 0.003")
    assert choose(str(tmp_path / "none"), system) == system
