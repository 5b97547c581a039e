"""`yett init`: what it writes is in order as it stands, and nothing is overwritten unasked."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from yett.cli import check, init


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(init.command, list(arguments))
    return result.exit_code, result.output


def test_what_it_writes_is_in_order(tmp_path: Path) -> None:
    code, output = run(str(tmp_path / "new"))
    assert code == 0
    assert "yett check --config" in output
    names = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert {
        "yett.toml",
        ".gitignore",
        "policies/models.cedar",
        "policies/data.cedar",
        "policies/content.cedar",
        "policies/tests.toml",
    } <= names
    checked = CliRunner().invoke(
        check.command, ["--config", str(tmp_path / "new/yett.toml")], env={"OPENAI_API_KEY": "sk-x"}
    )
    assert checked.exit_code == 0, checked.output
    assert "note:" not in checked.output


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/data.cedar").write_text("mine")
    code, output = run(str(tmp_path))
    assert code == 2
    assert "data.cedar exists already" in output
    assert [path.name for path in tmp_path.iterdir()] == ["policies"]
    code, _ = run(str(tmp_path), "--force")
    assert code == 0
    assert (tmp_path / "policies/data.cedar").read_text() != "mine"


def test_a_gitignore_is_added_to(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc")
    run(str(tmp_path))
    assert (tmp_path / ".gitignore").read_text().startswith("*.pyc\n#")
    text = (tmp_path / ".gitignore").read_text()
    run(str(tmp_path), "--force")
    assert (tmp_path / ".gitignore").read_text() == text


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, output = run(str(tmp_path / "file/inside"))
    assert code == 3
    assert "Not a directory" in output


def test_the_examples_that_are_commented_out_are_right_too(tmp_path: Path) -> None:
    run(str(tmp_path))
    path = tmp_path / "yett.toml"
    examples = (
        "workers",
        "token",
        "[providers.local]",
        "kind",
        "base_url",
        "labels",
        "{ provider",
        "[prices",
        "input_usd",
        "output_usd",
    )
    lines = [
        line.replace("# ", "", 1) if line.strip().removeprefix("# ").startswith(examples) else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    assert '[prices."local/llama"]\n' in path.read_text()
    checked = CliRunner().invoke(
        check.command, ["--config", str(path)], env={"OPENAI_API_KEY": "sk-x", "YETT_TOKEN": "t"}
    )
    assert checked.exit_code == 0, checked.output
    assert "fast → openai/gpt-5-mini, local/llama" in checked.output
