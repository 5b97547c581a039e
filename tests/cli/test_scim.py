"""`yett scim`: tokens are issued once and recorded, users and groups are listed with what follows from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_fences import TOML, run

from yett.cli import scim
from yett.scim.schema import ENTERPRISE, GROUPS, USERS
from yett.stores.directory import DirectoryStore
from yett.stores.journal_reader import entries
from yett.stores.scim_resources import StoredResources

DIRECTORY = '[scim.corp]\ntenant = "acme"\nteams = { "ML" = "research" }\nlabel_attributes = { unit = "department" }\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yett.toml").write_text(TOML + DIRECTORY)
    return tmp_path


def test_tokens_are_issued_listed_revoked_and_recorded(folder: Path) -> None:
    assert "no tokens" in run(scim.command, folder, "token", "list").stdout
    made = run(scim.command, folder, "token", "create", "corp", "--expires", "1h")
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    second = json.loads(run(scim.command, folder, "token", "create", "corp", "--json").stdout)
    assert text.startswith("ysc_live_")
    assert second["expires"] == ""
    listed = json.loads(run(scim.command, folder, "token", "list", "--json").stdout)["tokens"]
    assert {(each["last4"], each["state"]) for each in listed} == {(text[-4:], "active"), (second["last4"], "active")}
    gone = run(scim.command, folder, "token", "revoke", second["id"])
    assert gone.exit_code == 0, gone.output
    assert run(scim.command, folder, "token", "revoke", second["id"]).exit_code == 0, "again changes nothing"
    assert second["id"] not in run(scim.command, folder, "token", "list").stdout
    assert "revoked" in run(scim.command, folder, "token", "list", "--all").stdout
    events = [entry.record for entry in entries(folder / ".yett/audit")]
    assert [(event.event, event.tenant) for event in events] == [
        ("scim.token.create", "acme"),
        ("scim.token.create", "acme"),
        ("scim.token.revoke", "acme"),
    ]
    assert text not in "".join(path.read_text("latin-1") for path in (folder / ".yett").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("token", "create", "crop"), 'no [scim."crop"]'),
        (("token", "create", "corp", "--expires", "0s"), "at least a second"),
        (("token", "revoke", "sct_1"), 'there is no token "sct_1"'),
        (("users", "crop"), 'did you mean "corp"?'),
        (("groups", "crop"), 'did you mean "corp"?'),
    ],
)
def test_mistakes(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run(scim.command, folder, *arguments)
    assert (result.exit_code, said in result.stderr) == (2, True), result.output


def test_users_and_groups_are_listed_with_their_teams(folder: Path) -> None:
    assert "no users in corp" in run(scim.command, folder, "users", "corp").stdout
    with DirectoryStore.open(folder / ".yett") as store:
        corp = StoredResources(store, "corp", 1_800_000_000, 10)
        ada = corp.create(USERS, {"userName": "ada", ENTERPRISE: {"department": "Engines"}}, ()).stamp.id
        corp.create(USERS, {"userName": "bob", "active": False}, ())
        corp.create(GROUPS, {"displayName": "ml"}, (ada,))
        corp.create(GROUPS, {"displayName": "other"}, ())
    found = json.loads(run(scim.command, folder, "users", "corp", "--json").stdout)["users"]
    assert {(each["userName"], each["active"], each["team"]) for each in found} == {
        ("ada", True, "research"),
        ("bob", False, ""),
    }
    assert {"unit": "Engines"} in [each["labels"] for each in found]
    assert "deactivated" in run(scim.command, folder, "users", "corp").stdout
    groups = json.loads(run(scim.command, folder, "groups", "corp", "--json").stdout)["groups"]
    assert {(each["displayName"], each["team"], each["members"]) for each in groups} == {
        ("ml", "research", 1),
        ("other", "", 0),
    }
    assert "(no team)" in run(scim.command, folder, "groups", "corp").stdout
