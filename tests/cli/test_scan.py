"""`yett scan`: what is found where, what is never printed, and which exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.detectors.examples import AWS, RANDOM

from yett.cli.scan import command

TOKEN = "ghp_" + RANDOM[:36]


def run(*arguments: str | Path, text: bytes | None = None, color: bool = False) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], input=text, color=color)


def objects(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def jsonl(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


# ---- JSON Lines -----------------------------------------------------------------------------------------------------


def test_json_lines_are_answered_line_by_line(tmp_path: Path) -> None:
    mail = "Write to ada@mail.example.org, Classification: Restricted\n"
    asked = jsonl(tmp_path / "a.jsonl", {"text": mail, "role": "tool", "label": 1}, {"text": "é" + AWS}, {"text": ""})
    result = run("--input", asked, "--json")
    assert result.exit_code == 1
    first, second, third = objects(result)
    start = mail.index("ada@")
    assert first["findings"] == [
        {"kind": "pii.email", "detector": "email", "rule": "email", "start": start, "end": start + 20, "score": 1.0},
        first["findings"][1],  # type: ignore[index]
    ]
    assert first["labels"] == ["restricted"]
    assert [(f["kind"], f["start"], f["end"]) for f in second["findings"]] == [("secret.aws-access-key", 1, 21)]  # type: ignore[attr-defined]
    assert third["findings"] == []
    assert all(isinstance(each["scores"]["injection"], float) for each in (first, second, third))  # type: ignore[index]


def test_standard_input_is_json_lines_too() -> None:
    result = run("--input", "-", "--json", text=b'{"text": "hello"}')
    assert (result.exit_code, len(objects(result))) == (0, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not JSON"), (b"nonsense", "not JSON"), (b'"text"', "Expected `object`"), (b"{}", "field `text`"),
        (b'{"text": 5}', "Expected `str`"), (b'{"text": "a", "role": 1}', "$.role"), (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"), (b'{"text": ' + b"9" * 5000 + b"}", "digits"),
    ],
)  # fmt: skip
def test_a_malformed_line_is_answered_in_its_place(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n')
    result = run("--input", path, "--json")
    assert result.exit_code == 2
    answers = objects(result)
    assert ["error" in each for each in answers] == [False, True, False]
    assert reason in str(answers[1]["error"])
    assert f"{path}:2: " in result.stderr


def test_a_lone_surrogate_and_an_unknown_role_are_no_mistakes(tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", r'{"text": "\ud800 ' + AWS + r'", "role": "Narrator"}', {"text": "a", "role": None}
    )
    result = run("--input", path, "--json")
    assert result.exit_code == 1
    assert objects(result)[0]["findings"][0]["start"] == 2  # type: ignore[index]


def test_several_processes_keep_the_order(tmp_path: Path) -> None:
    rows = [{"text": f"{AWS} " * (number % 3)} for number in range(300)]
    path = jsonl(tmp_path / "a.jsonl", *rows, "x")
    yett = Path(sys.executable).parent / "yett"
    answers = [
        subprocess.run(
            [yett, "scan", "--input", path, "--json", "--jobs", jobs], capture_output=True, text=True, check=False
        )
        for jobs in ("1", "2")
    ]
    assert answers[0].stdout == answers[1].stdout
    assert [answer.returncode for answer in answers] == [2, 2]
    assert len(answers[0].stdout.splitlines()) == 301


# ---- files ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src/.git").mkdir(parents=True)
    (tmp_path / "src/.git/config").write_text(AWS)
    (tmp_path / "src/a.py").write_text(f'x = 1\nKEY = "{TOKEN}"\n')
    (tmp_path / "src/b.bin").write_bytes(b"\0" + AWS.encode())
    (tmp_path / "src/clean.txt").write_text("The office opens at nine on Monday.\n")
    (tmp_path / "src/allowed.txt").write_text(f"{AWS}  # yett:allow\n")
    (tmp_path / "src/link").symlink_to(tmp_path / "src")
    return tmp_path


def test_a_folder(folder: Path) -> None:
    result = run(folder / "src")
    assert result.exit_code == 1
    assert result.stdout == f'{folder}/src/a.py:2:8  secret.github-token  KEY = "gh••••••••{TOKEN[-2:]}"\n'
    assert "1 finding in 1 of 3 files, 1 skipped that are not text" in result.stderr
    assert "b.bin" not in result.stderr
    assert "b.bin: skipped: binary" in run(folder / "src/b.bin").stderr


def test_a_folder_as_json(folder: Path) -> None:
    found = {Path(str(each["file"])).name: each for each in objects(run(folder / "src", "--json"))}
    assert list(found) == ["a.py", "allowed.txt", "b.bin", "clean.txt"]
    assert found["b.bin"] == {"file": f"{folder}/src/b.bin", "skipped": "binary"}
    (one,) = found["a.py"]["findings"]  # type: ignore[misc]
    assert (one["line"], one["column"], one["start"], one["end"]) == (2, 8, 13, 53)
    assert found["clean.txt"]["findings"] == []


def test_what_was_found_is_never_printed(folder: Path) -> None:
    for arguments in ((), ("--json",)):
        for color in (False, True):
            output = run(folder / "src", *arguments, color=color).output
            assert TOKEN[4:12] not in output
            assert TOKEN[-12:-4] not in output
    assert "\x1b" in run(folder / "src", color=True).stdout


def test_what_to_look_for_and_where(folder: Path) -> None:
    (folder / "src/mail.txt").write_text("ada@mail.example.org")
    assert "pii.email" in run(folder / "src", "--kinds", "pii").stdout
    assert "secret" not in run(folder / "src", "--kinds", "pii").stdout
    assert run(folder / "src", "--kinds", "label", "--kinds", "unicode").exit_code == 0
    assert run(folder / "src", "--exclude", "*.py", "--exclude", "mail.*").exit_code == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("secrets", 'did you mean "secret"?'), ("pii.emial", 'did you mean "pii.email"?'), ("pii.e", "nothing finds")],
)
def test_a_kind_that_nothing_finds_is_a_mistake(folder: Path, wrong: str, said: str) -> None:
    result = run(folder / "src", "--kinds", "pii", "--kinds", wrong)
    assert result.exit_code == 2
    assert f'"{wrong}"' in result.stderr
    assert said in result.stderr


def test_kinds_of_a_configuration_are_known(folder: Path) -> None:
    (folder / "yett.toml").write_text(
        '[inspection]\ndisabled = ["label"]\n[inspection.topics.billing]\nkeywords = ["invoice"]\n'
        "[inspection.detectors.badge]\nkind = 'custom.badge'\npattern = 'BADGE-([0-9]{4})'\n"
    )
    known = [
        each
        for kind in ("custom.badge", "custom", "topic.billing", "label", "injection.persona", "*")
        for each in ("--kinds", kind)
    ]
    assert run(folder / "src/a.py", "--config", folder / "yett.toml", *known).exit_code < 2
    assert run(folder / "src/a.py", "--kinds", "custom.badge").exit_code == 2


def test_a_pipe_that_nobody_writes_to_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "src/pipe")
    assert run(folder / "src").exit_code == 1  # of the files beside it
    result = run(folder / "src/pipe", "/dev/null")
    assert result.exit_code == 2
    assert f"{folder}/src/pipe: a named pipe, not a file\n" in result.stderr
    assert "/dev/null: a device, not a file\n" in result.stderr


def test_what_a_shell_opens_is_read(folder: Path) -> None:
    read, write = os.pipe()
    os.write(write, TOKEN.encode())
    os.close(write)
    result = run(f"/dev/fd/{read}", "--jobs", "2")
    os.close(read)
    assert "secret.github-token" in result.stdout


def test_a_configuration_says_what_is_looked_for(folder: Path) -> None:
    (folder / "yett.toml").write_text('[inspection]\ndisabled = ["secret"]\n')
    assert run(folder / "src", "--config", folder / "yett.toml").exit_code == 0
    (folder / "wrong.toml").write_text('[inspection]\ndisabled = ["secrt"]\n')
    result = run(folder / "src", "--config", folder / "wrong.toml")
    assert result.exit_code == 3
    assert 'wrong.toml:2: inspection.disabled[0]: no detector "secrt"; did you mean "secret"?' in result.stderr


def test_standard_input() -> None:
    result = run(text=f"a\n{TOKEN}".encode())
    assert result.exit_code == 1
    assert result.stdout.startswith("-:2:1  secret.github-token")
    assert run("-", text=b"fine").exit_code == 0
    assert run("-", text=b"\0").exit_code == 2


def test_what_cannot_be_read_is_said(folder: Path) -> None:
    result = run(folder / "src/a.py", folder / "nowhere")
    assert result.exit_code == 2
    fifo = folder / "loop"
    fifo.symlink_to(fifo)
    assert run(fifo).exit_code == 2


@pytest.mark.parametrize("arguments", [["--staged", "."], ["--input", "-", "."], ["--jobs", "0"], ["--role", "x"]])
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def test_a_person_is_shown_how_far_it_is(folder: Path) -> None:
    """On a terminal: the bar is wiped before each line that is printed, and is on standard error alone."""
    yett = Path(sys.executable).parent / "yett"
    master, slave = pty.openpty()
    with subprocess.Popen([yett, "scan", folder / "src"], stdout=subprocess.PIPE, stderr=slave) as process:
        os.close(slave)
        told = b""
        try:
            while piece := os.read(master, 4096):
                told += piece
        except OSError:  # how Linux says that nobody has the other end open any more
            pass
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(master)
    assert b"scanning" in told
    assert b"\r\x1b[2K" in told
    assert printed.count(b"\n") == 1
    assert b"scanning" not in printed


# ---- commits --------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("--staged").exit_code == 2  # no repository
    git(tmp_path, "init", "-q")
    assert run("--staged").exit_code == 0
    (tmp_path / "old name é.txt").write_text(f"{AWS}\nline\n")
    (tmp_path / "binary").write_bytes(b"\0")
    git(tmp_path, "add", ".")
    result = run("--staged")
    assert result.exit_code == 1
    assert result.stdout.startswith("old name é.txt:1:1  secret.aws-access-key")
    git(tmp_path, "commit", "-qm", "x")
    (tmp_path / "old name é.txt").write_text(f"{AWS}\nline\n{TOKEN}\n")
    git(tmp_path, "add", ".")
    (tmp_path / "old name é.txt").write_text("clean again, but not staged")
    result = run("--staged", "--json")
    assert [(f["kind"], f["line"]) for f in objects(result)[0]["findings"]] == [("secret.github-token", 3)]  # type: ignore[attr-defined]
    assert run("--staged", "--exclude", "*.txt").exit_code == 0
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert run("--staged").exit_code == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "needs git" in run("--staged").stderr


def test_the_hook_that_is_offered_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    entry, given = re.findall(r"^  entry: yett scan (.*)$|^  args: \[(.*)\]$", hook, flags=re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "-q")
    (tmp_path / "a.txt").write_text(f"ada@mail.example.org\n{TOKEN}\n")
    git(tmp_path, "add", ".")
    result = run(*entry[0].split(), *given[1].split(", "))
    assert (result.exit_code, result.stdout.count("\n")) == (1, 1)
    assert result.stdout.startswith("a.txt:2:1  secret.github-token")
