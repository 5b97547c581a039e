"""`yett operators`: a code for an emergency, who is signed in, and ending that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from yett.cli import operators
from yett.config.reader import load
from yett.model.operator import Identity
from yett.stores.journal_reader import Filter, entries
from yett.stores.keys import KeyStore
from yett.stores.operators import OperatorStore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text("[teams.research]\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(operators.command, [*arguments, "--config", str(folder / "yett.toml")])


def store(folder: Path) -> OperatorStore:
    reading = load(folder / "yett.toml", {})
    with KeyStore.open(reading.state) as keys:
        return OperatorStore.open(reading.state, keys.pepper)


def test_a_code_is_recorded_with_its_reason_and_works_once(folder: Path) -> None:
    made = run(folder, "break-glass", "--reason", "the provider is away", "--ttl", "5m", "--json")
    said = json.loads(made.stdout)
    assert (said["url"], said["seconds"]) == ("http://127.0.0.1:8485/console/break-glass", 300)
    (written,) = entries(folder / ".yett" / "audit", Filter(event="operator.break_glass"))
    assert written.record.detail["reason"] == "the provider is away"
    assert said["code"].encode() not in written.raw
    with store(folder) as opened:
        session, _ = opened.redeem(said["code"], written.record.ts // 1_000_000, "192.0.2.7")
    listed = run(folder, "sessions", "list")
    assert session.id in listed.stdout
    assert "the provider is away" in listed.stdout
    assert json.loads(run(folder, "sessions", "list", "--json").stdout)["sessions"][0]["means"] == "break-glass"
    assert f"ended {session.id}" in run(folder, "sessions", "end", session.id).stdout
    assert "nobody is signed in" in run(folder, "sessions", "list").stdout
    assert [one.record.call for one in entries(folder / ".yett" / "audit", Filter(event="operator.session_end"))] == [
        session.id
    ]
    plain = run(folder, "break-glass", "--reason", "x")
    assert len(plain.stdout.strip()) == 35
    assert "It works once" in plain.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("break-glass", "--reason", " "), "say why"),
        (("break-glass", "--reason", "a\nb"), "one line"),
        (("break-glass", "--reason", "x", "--ttl", "2h"), "between 1m and 1h"),
        (("break-glass", "--reason", "x", "--ttl", "1s"), "between 1m and 1h"),
        (("sessions", "end", "ses_none"), "there is no session"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run(folder, *arguments)
    assert (result.exit_code, said in result.stderr) == (2, True)


def test_who_has_been_away_for_too_long_is_not_listed(folder: Path) -> None:
    run(folder, "sessions", "list")
    with store(folder) as opened:
        opened.begin("oidc", Identity("https://idp.example", "ada"), "s", 1000, 2**40, "")
    assert "nobody" in run(folder, "sessions", "list").stdout
    assert json.loads(run(folder, "sessions", "end", "x", "--json").stdout)["ok"] is False
