"""`yett audit` on a journal of real files: what is printed, in which colours, and which exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from msgspec import Raw

from yett.cli.audit import command
from yett.model.record import Attempt, Content, FindingCount, Record
from yett.model.usage import Usage
from yett.stores.journal import FileJournal, Tuning, open_journal

NOW = 1_763_700_000


class Hands:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.seconds = float(NOW)

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


def call_id(number: int) -> str:
    return f"call_{NOW * 1000:011x}0a0b0c0d{number:06x}"


def write(journal: FileJournal, number: int, **fields: object) -> None:
    """One call: `fields` are of its outcome."""
    call = call_id(number)
    ts = NOW * 1_000_000 + number * 1000
    asked = Content(5, journal.fingerprint(b"hello"), journal.keep(call, "request", b"secret prompt %d" % number))
    common = {"call": call, "caller": "key_1", "name": "robot", "team": "research", "model": "fast"}
    facts = Raw(b'{"team":"research","injection":15}')
    journal.write(Record(kind="intent", ts=ts, request=asked, facts=facts, **common))  # type: ignore[arg-type]
    answered = Content(5, journal.fingerprint(b"world"), journal.keep(call, "reply", b"secret reply\nin two lines"))
    outcome = {"outcome": "ok", "status": 200, "target": "sim/fast-1", "reply": answered, **common, **fields}
    journal.write(Record(kind="outcome", ts=ts + 500, **outcome))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a configuration without a file: the journal is in .yett/audit, the keys in .yett."""
    state = tmp_path / ".yett"
    journal = open_journal(state / "audit", state, Hands(), content="full", tuning=Tuning(records=5))
    mail = FindingCount("pii.email", 2, "request", "redacted")
    tried = (Attempt("sim/slow-1", "status", 500, 12.5), Attempt("sim/fast-1", "ok", 200, 99.0))
    usage = Usage(100, 0, 20, 1234, prices="2026-11")
    write(journal, 1, findings=(mail,), policies=("allow-fast",), attempts=tried, usage=usage, ms=123.4)
    write(journal, 2, outcome="refused", code="policy_denied", status=403, model="\x1b[31mevil")
    journal.write(
        Record(kind="event", call="key_1", ts=NOW * 1_000_000 + 5000, event="key.create", detail={"user": "me"})
    )
    journal.close()
    return tmp_path


def run(folder: Path, *arguments: str, color: bool = False) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(command, list(arguments), color=color, catch_exceptions=False)
    finally:
        os.chdir(before)


def objects(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_tail_prints_a_line_each(folder: Path) -> None:
    result = run(folder, "tail")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert "research/robot" in lines[1]
    assert "fast → sim/fast-1" in lines[1]
    assert "100+20 tok" in lines[1]
    assert "$0.001234" in lines[1]
    assert "pii.email=2 redacted · allow-fast" in lines[1]
    assert "policy_denied" in lines[3]
    assert 'key.create  user="me"' in lines[4]
    assert lines[0].startswith("2025-11-21T04:40:00.001Z  intent")
    assert len(run(folder, "tail", "-n", "2").stdout.splitlines()) == 2
    assert "secret" not in result.stdout


def test_a_terminal_is_not_told_what_a_caller_wrote(folder: Path) -> None:
    for arguments in (("tail",), ("show", call_id(2)), ("search",)):
        assert "\x1b" not in run(folder, *arguments).stdout
        coloured = run(folder, *arguments, color=True).stdout
        assert "\x1b[31mevil" not in coloured
        assert click.unstyle(coloured) != coloured


def test_tail_as_json_is_what_is_stored(folder: Path) -> None:
    stored = [line for path in folder.glob(".yett/audit/w-*/*.jsonl") for line in path.read_text().splitlines()]
    assert run(folder, "tail", "--json").stdout.splitlines() == stored


def test_show(folder: Path) -> None:
    result = run(folder, "show", call_id(1))
    assert result.exit_code == 0
    assert "sim/slow-1" in result.stdout
    assert "cost=1234" in result.stdout
    assert "team=research  injection=15" in result.stdout
    assert "record 0 of w-" in result.stdout
    assert "secret" not in result.stdout
    result = run(folder, "show", call_id(1), "--content")
    assert "    | secret prompt 1" in result.stdout
    assert "    | in two lines" in result.stdout
    found = json.loads(run(folder, "show", call_id(1), "--content", "--json").stdout)
    assert [one["kind"] for one in found] == ["intent", "outcome"]
    assert found[0]["request_text"] == "secret prompt 1"
    assert found[1]["reply_text"] == "secret reply\nin two lines"
    assert "key.create" in run(folder, "show", "key_1").stdout


def test_showing_what_is_not_there(folder: Path) -> None:
    result = run(folder, "show", call_id(9))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "nothing is recorded" in result.stderr
    assert json.loads(run(folder, "show", call_id(9), "--json").stdout) == []
    assert run(folder, "show", "").stderr.startswith("yett: nothing is recorded of ")


def test_content_that_cannot_be_opened_is_said(folder: Path) -> None:
    (folder / ".yett/audit-content.key").write_text("00" * 32)
    result = run(folder, "show", call_id(1), "--content")
    assert "cannot be opened" in result.stdout
    (folder / ".yett/audit-content.key").unlink()
    result = run(folder, "show", call_id(1), "--content")
    assert result.exit_code == 3
    assert "audit-content.key" in result.stderr
    assert not (folder / ".yett/audit-content.key").exists()


def test_search(folder: Path) -> None:
    def found(*arguments: str) -> list[object]:
        return [one["kind"] for one in objects(run(folder, "search", "--json", *arguments))]

    assert len(found()) == 5
    assert found("--finding", "pii") == ["outcome"]
    assert found("--policy", "allow-fast") == ["outcome"]
    assert found("--code", "policy_denied") == ["outcome"]
    assert found("--caller", "robot", "--kind", "intent") == ["intent", "intent"]
    assert found("--team", "research", "--outcome", "ok") == ["outcome"]
    assert found("--event", "key.create") == ["event"]
    assert found("--since", "2025-11-21T04:40:00.003") == ["event"]
    assert len(found("--until", "2025-11-21T05:40:00.002+01:00")) == 2
    assert found("--since", "1h") == []
    assert len(found("--since", "9000d")) == 5
    assert found("-n", "1") == ["event"]
    assert "there may be more" in run(folder, "search", "-n", "1").stderr
    assert "nothing matches" in run(folder, "search", "--model", "none").stderr
    assert "'refused'" in run(folder, "search", "--outcome", "denied").stderr, "what there is"


def test_export(folder: Path) -> None:
    stored = [line for path in folder.glob(".yett/audit/w-*/*.jsonl") for line in path.read_text().splitlines()]
    assert run(folder, "export", "--jsonl").stdout.splitlines() == stored
    opened = objects(run(folder, "export", "--jsonl", "--content", "--until", "2025-11-21T04:40:00.002"))
    assert [one.get("request_text") for one in opened] == ["secret prompt 1", None]
    assert run(folder, "export").exit_code == 2


def test_verify(folder: Path) -> None:
    result = run(folder, "verify")
    assert result.exit_code == 0
    assert result.stdout.endswith("OK\n")
    key = (folder / ".yett/audit/key.pub").read_text().strip()
    report = json.loads(run(folder, "verify", "--key", key, "--json").stdout)
    assert report["ok"]
    assert report["pinned"]
    assert run(folder, "verify", "--anchor", report["root"]).exit_code == 0
    (path,) = folder.glob(".yett/audit/w-*/*.jsonl")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    result = run(folder, "verify")
    assert result.exit_code == 4
    assert "deleted" in result.stdout
    assert json.loads(run(folder, "verify", "--json").stdout)["ok"] is False


@pytest.mark.parametrize(
    "arguments",
    [
        ["tail", "--dir", "nowhere"], ["verify", "--key", "nonsense"], ["verify", "--anchor", "x"],
        ["search", "--since", "yesterday"], ["search", "--since", "2025-99-01"], ["search", "--kind", "x"], ["show"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(folder: Path, arguments: list[str]) -> None:
    assert run(folder, *arguments).exit_code == 2


def test_no_journal_yet(tmp_path: Path) -> None:
    result = run(tmp_path, "tail")
    assert result.exit_code == 2
    assert "no audit journal here yet" in result.stderr


def test_another_directory(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / ".yett/audit").rename(elsewhere / "copy")
    result = run(folder, "verify", "--dir", str(elsewhere / "copy"))
    assert result.exit_code == 0
    assert len(objects(run(elsewhere, "tail", "--dir", "copy", "--json"))) == 5


def test_tail_follows_until_it_is_interrupted(folder: Path) -> None:
    command = [sys.executable, "-m", "yett.cli", "audit", "tail", "-f", "-n", "1", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "key.create"
        journal = open_journal(folder / ".yett/audit", folder / ".yett", Hands())
        journal.write(Record(kind="event", call="x", ts=1, event="one"))
        assert json.loads(process.stdout.readline())["event"] == "one"
        journal.write(Record(kind="event", call="x", ts=2, event="two"))
        assert json.loads(process.stdout.readline())["event"] == "two"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        journal.close()
