"""`yett keys`: issued once, listed, rotated, revoked; each change in the audit journal first."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yett.cli import keys
from yett.config.virtual_key import digest, well_formed
from yett.stores.keys import KeyStore

TOML = """\
[providers.openai]
kind = "openai"
keys = ["env:NOT_SET_IN_THIS_SHELL"]
[models.fast]
targets = [{ provider = "openai", model = "x" }]
[models.smart]
targets = [{ provider = "openai", model = "y" }]
[teams.research]
[teams.support]
models = ["fast"]
"""
CREATE = ("create", "--name", "ci", "--team", "research")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML)
    return tmp_path


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(keys.command, [*arguments, "--config", str(folder / "yett.toml")])


def events(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in sorted(folder.glob(".yett/audit/*/*.jsonl")) for line in path.read_text().splitlines()]
    records = [json.loads(line)["r"] if "r" in json.loads(line) else json.loads(line) for line in lines]
    found = [record for record in records if str(record.get("event", "")).startswith("key.")]
    return sorted(found, key=lambda record: int(record["ts"]))


def test_a_key_is_printed_alone_and_once(folder: Path) -> None:
    created = run(folder, *CREATE)
    assert created.exit_code == 0, created.output
    key = created.stdout.strip()
    assert well_formed(key)
    with KeyStore.open(folder / ".yett") as store:
        assert store.all()[0].digest == digest(store.pepper, key.encode())
    assert key not in run(folder, "list", "--all").output
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert key.encode() not in everything


def test_everything_about_a_key(folder: Path) -> None:
    arguments = "--models fast,smart --budget 12.50usd/week --rpm 5 --tpm 6 --concurrency 7 --expires 30d --label env=prod --label a=b"
    created = json.loads(run(folder, *CREATE, *arguments.split(), "--json").stdout)
    assert well_formed(created.pop("key"))
    assert created["limits"] == {"rpm": 5, "tpm": 6, "concurrency": 7, "budget": "12.5usd/week"}
    assert (created["models"], created["labels"]) == (["fast", "smart"], {"a": "b", "env": "prod"})
    listed = json.loads(run(folder, "list", "--json").stdout)["keys"]
    assert listed == [created]
    text = run(folder, "list").stdout
    assert "rpm 5, tpm 6, concurrency 7, 12.5usd/week" in text
    assert f"…{created['last4']}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--name", "x", "--team", "reserch"), 'no team "reserch" in'),
        (("--name", "x", "--team", "research", "--models", "fats"), 'no model "fats" in'),
        (("--name", "x", "--team", "support", "--models", "smart"), 'team "support" may not use the model "smart"'),
        (("--name", "x", "--team", "research", "--models", ""), "--models names no model"),
        (("--name", "x", "--team", "research", "--models", " , "), "--models names no model"),
        (("--name", "x", "--team", "research", "--expires", "99999999d"), "a hundred years"),
        (("--name", "x", "--team", "research", "--budget", "5eur"), "a budget is an amount per period"),
        (("--name", "x", "--team", "research", "--expires", "3w"), 'no unit of time "w"'),
        (("--name", "x", "--team", "research", "--expires", "0s"), "at least a second"),
        (("--name", "x", "--team", "research", "--rpm", "0"), "0 is not in the range"),
        (("--name", "x", "--team", "research", "--label", "env"), "not of the form name=value"),
        (("--name", "x", "--team", "research", "--label", "a=b", "--label", "a=c"), "given twice"),
        (("--name", "a\nb", "--team", "research"), "one line"),
        (("--team", "research"), "Missing option '--name'"),
    ],
)
def test_what_does_not_fit(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    refused = run(folder, "create", *arguments)
    assert refused.exit_code == 2
    assert message in refused.output
    assert events(folder) == []


def test_a_name_that_is_taken(folder: Path) -> None:
    run(folder, *CREATE)
    again = run(folder, *CREATE)
    assert again.exit_code == 2
    assert 'already has a key named "ci"' in again.stderr


def test_revoking_by_name_or_id(folder: Path) -> None:
    created = json.loads(run(folder, *CREATE, "--json").stdout)
    revoked = run(folder, "revoke", "ci")
    assert revoked.exit_code == 0
    assert created["id"] in revoked.stdout
    assert run(folder, "list").stdout.startswith("no keys")
    assert json.loads(run(folder, "list", "--all", "--json").stdout)["keys"][0]["state"] == "revoked"
    assert json.loads(run(folder, "revoke", created["id"], "--json").stdout)["id"] == created["id"]
    missing = run(folder, "revoke", "ci", "--json")
    assert missing.exit_code == 2
    assert json.loads(missing.stdout)["ok"] is False


def test_rotating(folder: Path) -> None:
    first = run(folder, *CREATE, "--rpm", "3").stdout.strip()
    rotated = run(folder, "rotate", "ci", "--overlap", "1h")
    second = rotated.stdout.strip()
    assert well_formed(second)
    assert second != first
    assert "still works until" in rotated.stderr
    rows = json.loads(run(folder, "list", "--json").stdout)["keys"]
    assert len({row["id"] for row in rows}) == 1
    assert [row["last4"] for row in rows] == [first[-4:], second[-4:]]
    assert [bool(row["expires"]) for row in rows] == [True, False]
    assert "no longer works" in run(folder, "rotate", "ci").stderr
    assert len(json.loads(run(folder, "list", "--json").stdout)["keys"]) == 1


def test_each_change_is_in_the_journal(folder: Path) -> None:
    run(folder, *CREATE, "--budget", "1usd/day", "--label", "env=prod")
    run(folder, "rotate", "ci")
    run(folder, "revoke", "ci")
    found = events(folder)
    assert [event["event"] for event in found] == ["key.create", "key.rotate", "key.revoke"]
    assert {event["caller"] for event in found} == {found[0]["call"]}
    assert (found[0]["name"], found[0]["team"]) == ("ci", "research")
    assert found[0]["detail"]["labels"] == {"env": "prod"}


def test_without_a_journal_nothing_changes(folder: Path) -> None:
    (folder / ".yett").mkdir()
    (folder / ".yett/audit").write_text("in the way")
    refused = run(folder, *CREATE)
    assert refused.exit_code == 3
    assert "cannot be written" in refused.stderr
    assert json.loads(run(folder, "list", "--all", "--json").stdout) == {"keys": []}


def test_a_key_can_be_revoked_while_the_file_has_mistakes(folder: Path) -> None:
    run(folder, *CREATE)
    (folder / "yett.toml").write_text(TOML + "[gatewy]\n")
    assert run(folder, "create", "--name", "b", "--team", "research").exit_code == 3
    revoked = run(folder, "revoke", "ci")
    assert revoked.exit_code == 0
    assert "warning: " in revoked.stderr
    (folder / "yett.toml").write_text("nonsense")
    assert run(folder, "revoke", "ci").exit_code == 3


def test_a_team_that_was_removed_is_shown(folder: Path) -> None:
    run(folder, *CREATE)
    (folder / "yett.toml").write_text(TOML.replace("[teams.research]\n", ""))
    assert "refused: its team is not in yett.toml" in run(folder, "list").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_another_user_s_state_is_left_alone(folder: Path) -> None:
    run(folder, *CREATE)
    os.chown(folder / ".yett/yett.db", 12345, -1)
    refused = run(folder, "revoke", "ci")
    assert refused.exit_code == 3
    assert "belongs to user 12345" in refused.stderr
    assert run(folder, "list").exit_code == 0


@pytest.mark.parametrize("file", ["yett.db", "pepper"])
def test_damage_is_an_integrity_error(folder: Path, file: str) -> None:
    run(folder, *CREATE)
    (folder / ".yett" / file).write_bytes(b"garbage " * 600)
    damaged = run(folder, "list")
    assert damaged.exit_code == 4
    assert file in damaged.stderr
    assert run(folder, "revoke", "ci").exit_code == 4


def test_a_key_of_another_tenant(folder: Path) -> None:
    refused = run(folder, *CREATE, "--tenant", "acme")
    assert (refused.exit_code, 'no tenant "acme"' in refused.stderr) == (2, True)
    (folder / "yett.toml").write_text('tenants = ["acme"]\n' + TOML)
    for tenant in ("acme", "default"):
        created = json.loads(run(folder, *CREATE, "--tenant", tenant, "--json").stdout)
        assert created["tenant"] == tenant
    assert "acme/research" in run(folder, "list").stdout
