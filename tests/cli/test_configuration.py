"""`yett config`: what is pushed has been checked, holds no secret, and is what every machine then has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yett.cli import configuration
from yett.cli.configuration import revisions_of
from yett.config.compile import gather
from yett.config.reader import changed, read
from yett.stores.database import FileDatabase

OWN = '[stores]\nconfiguration = "shared"\n'
SHARED = """
[inspection]
injection = "never"
[providers.cloud]
kind = "openai"
keys = ["env:OF_NO_INTEREST_HERE"]
ca_file = "certs/ca.pem"
[models.fast]
targets = [{ provider = "cloud", model = "gpt-4o-mini" }]
[teams.research]
"""
POLICY = '@id("all") permit (principal, action, resource);\n'


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(OWN)
    for name, text in {"yett.toml": SHARED, "policies/all.cedar": POLICY, "certs/ca.pem": "", ".hidden": "x"}.items():
        path = tmp_path / "shared" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def run(machine: Path, *arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(configuration.command, [*arguments, "--config", str(machine / "yett.toml")])
    assert result.exit_code == status, result.output
    return result


def push(machine: Path, *options: str, status: int = 0) -> str:
    return run(machine, "push", str(machine / "shared"), *options, status=status).output


def answer(machine: Path, *arguments: str) -> Any:
    return json.loads(run(machine, *arguments, "--json").output)


def events(machine: Path) -> list[dict[str, Any]]:
    lines = [line for path in machine.glob(".yett/audit/*/*.jsonl") for line in path.read_text().splitlines()]
    found = [record for record in map(json.loads, lines) if str(record.get("event", "")).startswith("configuration.")]
    return sorted(found, key=lambda record: int(record["ts"]))


def test_the_life_of_a_configuration(machine: Path) -> None:
    config = machine / "yett.toml"
    assert "no revisions" in run(machine, "history").output
    assert "no revisions" in run(machine, "pull").output
    assert "`yett config push` makes one" in run(machine, "show", status=2).output
    (mistake,) = (*(sources := gather(config, None)).reading.mistakes, *sources.mistakes)
    assert "`yett config push` makes one" in str(mistake)
    assert "revision 1" in push(machine, "--why", "the first")
    run(machine, "pull")
    reading = read(config, None)
    assert (reading.mistakes, reading.revision, list(reading.settings.models)) == ((), 1, ["fast"])
    assert reading.policies == machine / ".yett/configuration" / reading.policies.parent.name / "policies"
    assert reading.resolve("certs/ca.pem").is_file()
    assert reading.state == machine / ".yett"
    assert "says already" in push(machine, status=2)

    (machine / "shared/yett.toml").write_text(
        SHARED + '[models.slow]\ntargets = [{ provider = "cloud", model = "gpt-4o" }]\n'
    )
    assert "the latest revision is 1" in push(machine, "--expect", "7", status=2)
    push(machine, "--expect", "1")
    assert not changed(reading)
    run(machine, "pull")
    assert changed(reading)
    assert set(read(config, None).settings.models) == {"fast", "slow"}
    run(machine, "rollback", "1", "--why", "slow was too slow")
    run(machine, "pull")
    assert list(read(config, None).settings.models) == ["fast"]
    found = answer(machine, "history")["revisions"]
    assert [(one["revision"], one["why"], one["restores"]) for one in found] == [
        (1, "the first", None), (2, "", None), (3, "slow was too slow", 1)
    ]  # fmt: skip
    assert found[0]["digest"] == found[2]["digest"]
    assert answer(machine, "show", "2")["files"].keys() == {"yett.toml", "policies/all.cedar", "certs/ca.pem"}
    assert "[models.fast]" in run(machine, "show").output
    run(machine, "show", "2", "--to", str(machine / "two"))
    assert "[models.slow]" in (machine / "two/yett.toml").read_text()
    run(machine, "show", "9", status=2)
    assert [one["event"] for one in events(machine)] == [
        "configuration.push",
        "configuration.push",
        "configuration.rollback",
    ]
    assert events(machine)[2]["detail"]["restores"] == 1


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("yett.toml", SHARED + '[gateway]\nport = 1\n', "shared/yett.toml:11: gateway: is each machine's own"),
        ("yett.toml", SHARED + '[models.x]\ntargets = [{ provider = "clod", model = "m" }]\n', 'yett.toml:12: models.x.targets[0].provider: no provider "clod"'),
        ("yett.toml", SHARED.replace("env:OF_NO_INTEREST_HERE", "sk-literally"), "shared/yett.toml:6: providers.cloud.keys[0]"),
        ("yett.toml", SHARED.replace("certs/ca", "../ca"), "providers.cloud.ca_file: there is no file"),
        ("yett.toml", "half a fi", "shared/yett.toml: cannot be read"),
        ("policies/all.cedar", "permit (principal", "policies/all.cedar:1"),
        ("notes.txt", "the key is\nghp_" + "R7dk2PqXw9LmZ4vNc8Jf3TbYs6HgAe1uKo5W" + "\n", "notes.txt:2: looks like a secret"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_not_pushed(machine: Path, file: str, text: str, message: str) -> None:
    (machine / "shared" / file).write_text(text)
    assert message in push(machine, status=3)
    assert answer(machine, "history")["revisions"] == []
    assert events(machine) == []


def test_what_does_not_belong_into_a_machines_own_file(machine: Path) -> None:
    push(machine)
    run(machine, "pull")
    (machine / "yett.toml").write_text(OWN + "[teams.mine]\n")
    (mistake,) = read(machine / "yett.toml", None).mistakes
    assert (mistake.line, "belongs into the shared configuration" in mistake.message) == (3, True)
    assert "mine" not in read(machine / "yett.toml", None).settings.teams
    (machine / "yett.toml").write_text("")
    assert 'write configuration = "shared"' in run(machine, "history", status=3).output


def test_a_revision_that_was_written_by_somebody_else_is_refused(machine: Path) -> None:
    push(machine)
    database = FileDatabase(machine / ".yett")
    database.run("UPDATE configuration_revisions SET author = 'the boss'")
    assert "was not pushed by who has the pepper" in run(machine, "pull", status=4).output
    database.run("UPDATE configuration_revisions SET author = 'root', files = x'00'")
    run(machine, "pull", status=4)
    database.close()
    with revisions_of(read(machine / "yett.toml", None)) as revisions:
        assert revisions.latest() == 1


def test_an_escaping_link_is_not_followed(machine: Path) -> None:
    (machine / "secret").write_text("x")
    (machine / "shared/link").symlink_to(machine / "secret")
    assert "leads out of the folder" in push(machine, status=2)
