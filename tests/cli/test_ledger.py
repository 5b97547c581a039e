"""`yett ledger` on the file of one machine; on a shared store it is in the scenes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from yett.cli import ledger
from yett.cli.system import SystemClock
from yett.model.key import Limits
from yett.model.record import Record
from yett.model.usage import Usage
from yett.ports import Scope
from yett.stores.journal import open_journal
from yett.stores.shared_ledger import SharedLedger

TEAM = Scope("team:t", Limits())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A gateway that has spent 30 micro-USD, by its journal."""
    (tmp_path / "yett.toml").write_text("[teams.t]\n")
    writer = tmp_path / ".yett" / "audit" / "w-00000001-00"
    writer.mkdir(parents=True)
    now = int(SystemClock().now() * 1e6)
    records = (
        Record(kind="intent", call="call_1", ts=now - 2, scopes=("team:t",), reserved=(10, 100)),
        Record(kind="outcome", call="call_1", ts=now - 1, outcome="ok", usage=Usage(cost=30)),
    )
    lines = [
        b'{"w":"w-00000001-00","n":%d,"prev":"%b",' % (n, b"0" * 64) + msgspec.json.encode(record)[1:]
        for n, record in enumerate(records)
    ]
    (writer / "00000000000000000000.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(ledger.command, [*arguments, "--config", str(folder / "yett.toml")])


def test_a_ledger_is_made_anew_from_the_journal(folder: Path) -> None:
    assert "rebuilt 1 scopes" in run(folder, "rebuild").stdout
    opened = SharedLedger(folder / ".yett" / "ledger", SystemClock())
    assert opened.account(TEAM).spent_month == 30
    opened.close()
    assert "ledger and journal agree" in run(folder, "check").stdout
    again = run(folder, "rebuild")
    assert again.exit_code != 0
    assert "use --force" in again.stderr
    assert run(folder, "rebuild", "--force").exit_code == 0


def test_no_ledger_is_taken_from_a_gateway_that_counts_in_it(folder: Path) -> None:
    audit = folder / ".yett" / "audit"
    assert run(folder, "rebuild").exit_code == 0
    before = (folder / ".yett" / "ledger").stat().st_ino
    journal = open_journal(audit, folder / ".yett", SystemClock())
    refused = run(folder, "rebuild", "--force")
    journal.close()
    assert (refused.exit_code, "stop it first" in refused.stderr) == (3, True)
    assert (folder / ".yett" / "ledger").stat().st_ino == before
    assert run(folder, "rebuild", "--force").exit_code == 0


def test_what_differs_is_told(folder: Path) -> None:
    assert run(folder, "rebuild").exit_code == 0
    opened = SharedLedger(folder / ".yett" / "ledger", SystemClock())

    async def spend() -> None:
        await opened.settle(await opened.reserve("call_2", (TEAM,), 0, 0), 0, 12)

    asyncio.run(spend())
    opened.close()
    told = run(folder, "check")
    assert told.exit_code == 1
    assert "team:t: ledger 0.000042, journal 0.00003 USD this month" in told.stdout
    (difference,) = json.loads(run(folder, "check", "--json").stdout)["differences"]
    assert difference["unexplained"] == 12


def test_a_configuration_with_mistakes_elsewhere_will_do(folder: Path) -> None:
    (folder / "yett.toml").write_text('[teams.t]\n[providers.p]\nkind = "openai"\nkey = "env:NOTHING"\n')
    assert run(folder, "check").exit_code == 1, "there is no ledger yet, and the journal knows of a call"
    (folder / "yett.toml").write_text('[stores]\nlimits = "http://nowhere"\n')
    assert run(folder, "check").exit_code == 3
    (folder / "yett.toml").write_text("[stores\n")
    assert run(folder, "check").exit_code == 3
