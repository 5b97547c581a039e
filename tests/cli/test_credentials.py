"""`yett credentials`: values come in by no argument and go out by no output; each change is in the journal first."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yett.cli import credentials
from yett.cli.sealed import Unsealer
from yett.config.reader import read
from yett.model.route import Secret
from yett.stores.credentials import CredentialStore
from yett.stores.kek import fresh

TOML = '[providers.openai]\nkind = "openai"\nkeys = ["sealed:openai", "env:NOT_SET_IN_THIS_SHELL"]\n'
VALUE = "sk-openai-of-the-tests-0001"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML)
    return tmp_path


def run(folder: Path, *arguments: str, value: str = "", **environment: str) -> Result:
    command = [*arguments, "--config", str(folder / "yett.toml")]
    result = CliRunner().invoke(credentials.command, command, input=value, env=environment)
    assert not value.strip() or value.strip() not in result.output
    return result


def opened(folder: Path, **environment: str) -> dict[str, Secret]:
    return dict(read(folder / "yett.toml", environment, Unsealer()).secrets)


def events(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in folder.glob(".yett/audit/*/*.jsonl") for line in path.read_text().splitlines()]
    records = [json.loads(line) for line in lines]
    found = [record for record in records if str(record.get("event", "")).startswith("credential.")]
    return sorted(found, key=lambda record: int(record["ts"]))


def test_the_life_of_a_credential(folder: Path) -> None:
    assert "no sealed credentials" in run(folder, "list").output
    added = run(folder, "add", "openai", "--owner", "platform", value=f"{VALUE}\n")
    assert added.exit_code == 0, added.output
    assert 'write "sealed:openai"' in added.output
    assert opened(folder)["sealed:openai"] == Secret(VALUE)
    listed = json.loads(run(folder, "list", "--json").output)["credentials"]
    assert [(one["name"], one["owner"], one["version"], one["last4"]) for one in listed] == [
        ("openai", "platform", 1, "0001")
    ]
    assert listed[0]["used_by"] == ["providers.openai.keys.0"]
    assert listed[0]["age_seconds"] < 60
    run(folder, "rotate", "openai", "--from", "env:NEW", NEW="sk-openai-of-the-tests-0002")
    assert opened(folder)["sealed:openai"] == Secret("sk-openai-of-the-tests-0002")
    assert "providers.openai.keys.0" in run(folder, "list").output
    refused = run(folder, "remove", "openai")
    assert (refused.exit_code, "is in use" in refused.output) == (2, True)
    (folder / "yett.toml").write_text("")
    assert run(folder, "remove", "openai").exit_code == 0
    assert json.loads(run(folder, "list", "--json").output) == {"credentials": []}
    found = events(folder)
    assert [(one["event"], one["detail"]["version"]) for one in found] == [
        ("credential.add", 1), ("credential.rotate", 2), ("credential.remove", 2)
    ]  # fmt: skip
    assert {one["detail"]["owner"] for one in found} == {"platform"}
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"sk-openai-of-the-tests" not in everything


@pytest.mark.parametrize(
    ("arguments", "value", "message"),
    [
        (("add", "openai"), "\n", "standard input is empty"),
        (("add", "openai"), "sk-two words", "contains a blank"),
        (("add", "openai"), "sk-é", "contains a blank or a character"),
        (("add", "-x-"), "sk-1", "No such option"),
        (("add", "x y"), "sk-1", "a credential's name begins with"),
        (("add", "openai", "--from", "sk-given-as-an-argument"), "", "--from is a reference"),
        (("add", "openai", "--from", "env:NOTHING_OF_THE_KIND"), "", "env:NOTHING_OF_THE_KIND is empty"),
        (("add", "openai", "--from", "file:nowhere"), "", "nowhere cannot be read: No such file"),
        (("rotate", "openai"), "sk-1", "cannot be opened without it"),
        (("rewrap", "--old", "nothing"), "", "--old is a reference"),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], value: str, message: str) -> None:
    if "--old" in arguments:
        run(folder, "add", "openai", value=VALUE)
    result = run(folder, *arguments, value=value)
    assert result.exit_code in (2, 3)
    assert message in result.output


def test_a_private_key_has_lines(folder: Path) -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"
    (folder / "key.pem").write_text(f"{pem}\n")
    assert run(folder, "add", "openai", "--from", "file:key.pem").exit_code == 0
    reading = read(folder / "yett.toml", {}, Unsealer())
    assert any("cannot go into a header" in mistake.message for mistake in reading.mistakes)  # as what it is used here


def test_a_new_kek_while_everything_opens_and_no_trace_of_the_old(folder: Path) -> None:
    run(folder, "add", "openai", value=VALUE)
    before = (folder / ".yett/kek").read_text()
    assert json.loads(run(folder, "rewrap", "--new", "--json").output) == {"rewrapped": 1, "already": 0, "failed": {}}
    after = (folder / ".yett/kek").read_text()
    assert before.strip() not in after
    assert "," not in after
    assert opened(folder)["sealed:openai"] == Secret(VALUE)
    assert events(folder)[-1]["event"] == "credential.rewrap"


def test_a_key_file_of_somebody_elses_keeps_the_old_key(folder: Path) -> None:
    (folder / "kek").write_text(fresh())
    (folder / "kek").chmod(0o600)
    (folder / "yett.toml").write_text(f'{TOML}[credentials]\nkek = "file:kek"\n')
    run(folder, "add", "openai", value=VALUE)
    assert run(folder, "rewrap", "--new").exit_code == 0
    assert (folder / "kek").read_text().count(",") == 1
    assert opened(folder)["sealed:openai"] == Secret(VALUE)
    assert not (folder / ".yett/kek").exists()


def test_from_the_file_to_a_variable_and_to_the_next_one(folder: Path) -> None:
    run(folder, "add", "openai", value=VALUE)
    (folder / "yett.toml").write_text(f'{TOML}[credentials]\nkek = "env:KEK"\n')
    first, second = fresh(), fresh()
    assert "sealed:openai" not in opened(folder, KEK=first)
    assert run(folder, "rewrap", "--new", KEK=first).exit_code == 2  # nobody can write a variable for another process
    assert run(folder, "rewrap", "--old", "file:.yett/kek", KEK=first).exit_code == 0
    (folder / ".yett/kek").unlink()
    assert opened(folder, KEK=first)["sealed:openai"] == Secret(VALUE)
    run(folder, "rewrap", KEK=f"{second},{first}")
    assert opened(folder, KEK=second)["sealed:openai"] == Secret(VALUE)
    assert run(folder, "rotate", "openai", value="sk-another").exit_code == 3  # KEK is not set
    assert "the environment variable KEK is not set" in run(folder, "rotate", "openai", value="sk-another").output


def test_what_cannot_be_wrapped_anew_is_told_and_its_kek_kept(folder: Path) -> None:
    run(folder, "add", "openai", value=VALUE)
    run(folder, "add", "lost", value=VALUE)
    with CredentialStore.open(folder / ".yett") as store:
        store._database.run("UPDATE credentials SET wrapped = zeroblob(60) WHERE id = 'lost'")
    result = run(folder, "rewrap", "--new")
    assert result.exit_code == 4
    assert "lost: its data key was changed since it was sealed" in result.output
    assert (folder / ".yett/kek").read_text().count(",") == 1
    assert opened(folder)["sealed:openai"] == Secret(VALUE)


def test_the_journal_comes_first(folder: Path) -> None:
    (folder / ".yett").mkdir(mode=0o700)
    (folder / ".yett/audit").write_text("no directory")
    result = run(folder, "add", "openai", value=VALUE)
    assert (result.exit_code, "audit journal" in result.output) == (3, True)
    assert json.loads(run(folder, "list", "--json").output) == {"credentials": []}


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user")
def test_another_users_state_is_left_alone(folder: Path) -> None:
    run(folder, "add", "openai", value=VALUE)
    os.chown(folder / ".yett/yett.db", 12345, -1)
    result = run(folder, "rotate", "openai", value="sk-another")
    assert (result.exit_code, "belongs to user 12345" in result.output) == (3, True)
