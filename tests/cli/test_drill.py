"""`yett drill rotate`: nothing is replaced that was not named, what fails is told, and the inventory leaves nothing out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from yett.cli import credentials, drill, keys
from yett.cli.drill_inventory import inventory
from yett.config.reader import read
from yett.stores.keys import KeyStore

TOML = """\
[teams.research]
[admin]
token = "file:admin-token"
[providers.sealed]
kind = "openai"
key = "sealed:openai"
[providers.variable]
kind = "openai"
key = "env:A_VARIABLE"
[providers.keyless]
kind = "openai"
[providers.keyless.oauth]
token_url = "https://login.example/token"
auth = "token_file"
token_file = "workload"
[providers.bedrock]
kind = "openai"
[providers.bedrock.aws]
role = "arn:aws:iam::123456789012:role/models"
region = "eu-west-1"
token_file = "role-token"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML)
    for name, age in (("admin-token", 86_400 * 3), ("workload", 60), ("role-token", 60)):
        (tmp_path / name).write_text("sk-in-a-file")
        then = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (then, then))
    config = ["--config", str(tmp_path / "yett.toml")]
    runner = CliRunner()
    runner.invoke(keys.command, ["create", "--name", "ci", "--team", "research", *config])
    runner.invoke(credentials.command, ["add", "openai", "--owner", "platform", *config], input="sk-first-0001")
    return tmp_path


def run(folder: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(
        drill.command, ["rotate", *arguments, "--wait", "0s", "--config", str(folder / "yett.toml")], env=environment
    )


def held(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads(run(folder, "--json").output)["inventory"]
    return {(one["kind"], one["name"]): one for one in found}


def test_the_inventory_has_everything_and_no_value(folder: Path) -> None:
    found = held(folder)
    assert list(found) == [
        ("virtual key", "research/ci"),
        ("sealed credential", "openai"),
        ("file", "admin-token"),
        ("variable", "A_VARIABLE"),
        ("workload token", "workload"),
        ("workload token", "role-token"),
        ("KEK", "kek"),
        ("content key", "audit-content.key"),
        ("checkpoint key", "audit-signing.key"),
        ("pepper", "pepper"),
    ]
    assert found["file", "admin-token"]["age_seconds"] // 86_400 == 3
    assert found["workload token", "workload"]["where"] == "providers.keyless.oauth.token_file"
    assert found["workload token", "role-token"]["where"] == "providers.bedrock.aws.token_file"
    assert found["variable", "A_VARIABLE"]["age_seconds"] is None
    assert found["sealed credential", "openai"]["owner"] == "platform"
    assert found["virtual key", "research/ci"]["owner"] == "research"
    assert found["pepper", "pepper"]["replaced"].startswith("stays")
    assert "sk-" not in run(folder, "--json").output


def test_keys_that_turn_by_themselves_are_in_it(folder: Path) -> None:
    (folder / ".yett/task-signing").mkdir()
    (folder / ".yett/task-signing/20412.key").write_bytes(b"s" * 32)
    assert held(folder)["task signing key", "20412"]["replaced"].startswith("by itself")


def test_where_nothing_is_yet(tmp_path: Path) -> None:
    (tmp_path / "yett.toml").write_text('[credentials.transit]\naddress = "https://bao.example"\ntoken = "env:T"\n')
    found = inventory(read(tmp_path / "yett.toml", None), 0)
    assert [(one.kind, one.name) for one in found] == [("variable", "T"), ("KEK", "transit/yett")]
    (tmp_path / "yett.toml").write_text('[admin]\ntoken = "file:gone"\n')
    assert [(one.kind, one.since) for one in inventory(read(tmp_path / "yett.toml", None), 0)] == [("file", 0)]


def test_it_says_of_each_how_it_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "yett.toml").write_text(
        '[admin]\ntoken = "env:TOKEN"\n[stores]\npepper = "env:PEPPER"\nlimits = "file:limits"\n'
        '[routing]\nproxy = "file:proxy"\n[credentials]\nkek = "file:kek"\n'
    )
    assert {one.where: one.replaced.partition(":")[0] for one in inventory(read(tmp_path / "yett.toml", None), 0)} == {
        "admin.token": "by whoever sets it, and a restart; or seal it",
        "stores.pepper": "stays",
        "stores.limits": "by whoever writes it, and a restart",
        "routing.proxy": "by whoever writes it, and a restart",
        "credentials.kek": "by whoever writes it; taken up by itself",
    }


@pytest.mark.parametrize("where", ["nowhere/drill.md", ".yett", ".yett/pepper/drill.md"])
def test_a_report_that_cannot_be_written_keeps_everything_from_being_replaced(folder: Path, where: str) -> None:
    keys_to = folder / "new-keys.jsonl"
    result = run(folder, "--key", "ci", "--keys-to", str(keys_to), "--kek", "--report", str(folder / where))
    assert (result.exit_code, "cannot be written" in result.output) == (2, True)
    assert not keys_to.exists()
    assert secrets_of_keys(folder) == 1


def test_keys_that_could_not_be_kept_are_not_replaced(folder: Path) -> None:
    result = run(folder, "--key", "ci", "--keys-to", "/proc/self/new-keys.jsonl")
    assert (result.exit_code, "cannot be written" in result.output) == (2, True)
    assert secrets_of_keys(folder) == 1


def secrets_of_keys(folder: Path) -> int:
    with KeyStore.open(folder / ".yett") as store:
        return len(store.list())


def test_nothing_is_replaced_that_was_not_named(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.glob(".yett/*") if path.suffix != ".db" and path.is_file()}
    listed = CliRunner().invoke(credentials.command, ["list", "--json", "--config", str(folder / "yett.toml")]).output
    report = run(folder, "--report", str(folder / "drill.md"))
    assert report.exit_code == 0
    assert "Nothing: no secret was named." in report.output == (folder / "drill.md").read_text()
    assert {path: path.read_bytes() for path in before} == before
    again = CliRunner().invoke(credentials.command, ["list", "--json", "--config", str(folder / "yett.toml")]).output
    assert json.loads(again)["credentials"][0]["version"] == json.loads(listed)["credentials"][0]["version"]


def test_what_is_replaced_is_told_and_younger_then(folder: Path) -> None:
    new = str(folder / "new.jsonl")
    words = ("--credential", "openai=env:NEW", "--key", "ci", "--overlap", "0s", "--keys-to", new, "--kek")
    result = run(folder, *words, NEW="sk-second-0002")
    assert "| sealed credential openai | version 1 → version 2 |" in result.output
    assert "nobody has called with the new one | no use after it | it does not |" in result.output
    assert json.loads((folder / "new.jsonl").read_text())["name"] == "ci"
    assert result.exit_code == 0  # no gateway runs that would have to take it up
    assert run(folder, "--credential", "openai=env:NEW", NEW="sk-second-0002").exit_code == 1
    assert "has this value already" in run(folder, "--credential", "openai=env:NEW", NEW="sk-second-0002").output
    assert held(folder)["virtual key", "research/ci"]["age_seconds"] < 60


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--key", "ci"), "--key needs --keys-to"),
        (("--key", "nobody", "--keys-to", "new.jsonl"), 'there is no live key with the id or name "nobody"'),
        (("--key", "ci", "--keys-to", "/nowhere/new.jsonl"), "its folder is not"),
        (("--key", "ci", "--keys-to", "/etc/passwd"), "is there already"),
        (("--credential", "openai"), "is not of the form NAME=REFERENCE"),
        (("--credential", "openai=sk-3"), "the new value is a reference"),
        (("--credential", "nothing=env:NEW"), 'there is no sealed credential "nothing"'),
        (("--credential", "openai=env:NOT_SET_AT_ALL"), "env:NOT_SET_AT_ALL is empty"),
    ],
)
def test_mistakes_are_found_before_the_first_change(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run(folder, "--kek", *arguments, NEW="sk-second-0002")
    assert result.exit_code == 2
    assert message in result.output
    assert held(folder)["sealed credential", "openai"]["replaced"] == "--credential"
    assert (folder / ".yett/kek").read_text().count(",") == 0


def test_one_that_fails_does_not_keep_the_others_back(folder: Path) -> None:
    (folder / ".yett/kek").rename(folder / "away")
    new = str(folder / "new.jsonl")
    result = run(folder, "--credential", "openai=env:NEW", "--kek", "--key", "ci", "--keys-to", new, NEW="sk-2")
    assert result.exit_code == 1
    assert result.output.count("**failed**") == 2
    assert "virtual key research/ci | …" in result.output
