"""What the store of provisioned users and groups does, on SQLite and on PostgreSQL, and what gateways learn of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.conftest import Open

from yett.config.scim_settings import ScimSettings, rules
from yett.errors import Refusal
from yett.scim.directory import Directory
from yett.scim.errors import ScimError
from yett.scim.listing import query
from yett.scim.patch import PATCH, read
from yett.scim.schema import GROUPS, USERS, Kind
from yett.stores import directory as directories
from yett.stores import scim_resources
from yett.stores.directory import PAGE, DirectoryStore
from yett.stores.scim_resources import StoredResources

SETTINGS = ScimSettings(teams={"ML": "research", "Ops": "platform"}, label_attributes={"unit": "department"})


@pytest.fixture
def store(open_database: Open, tmp_path: Path) -> DirectoryStore:
    return DirectoryStore.open(tmp_path, database=open_database())


@pytest.fixture
def corp(store: DirectoryStore) -> StoredResources:
    return StoredResources(store, "corp", 1_800_000_000, 10)


@pytest.fixture
def known() -> Directory:
    return Directory(rules("corp", SETTINGS))


def user(resources: StoredResources, name: str, **more: Any) -> str:
    return resources.create(USERS, {"userName": name, "active": True, **more}, ()).stamp.id


def group(resources: StoredResources, name: str, *members: str) -> str:
    return resources.create(GROUPS, {"displayName": name}, members).stamp.id


def change(resources: StoredResources, kind: Kind, id: str, *operations: dict[str, Any], match: str = "") -> Any:
    return resources.patch(kind, id, read({"schemas": [PATCH], "Operations": list(operations)}), match)


def learn(store: DirectoryStore, directory: Directory) -> None:
    while directory.seen < (version := store.version()):
        directory.take(store.changes(directory, version))


def refused(directory: Directory, name: str) -> str:
    with pytest.raises(Refusal) as caught:
        directory.find(name)
    return caught.value.code


def test_a_user_lives(store: DirectoryStore, corp: StoredResources) -> None:
    events: list[tuple[object, ...]] = []
    store.witness = lambda *told: events.append(told)
    id = user(corp, "Ada", externalId="x1")
    entry = corp.get(USERS, id, links=True)
    assert (entry.kept["userName"], entry.stamp.tag, entry.stamp.created) == ("Ada", 'W/"1"', "2027-01-15T08:00:00Z")
    assert change(corp, USERS, id, {"op": "replace", "path": "active", "value": True}).stamp.version == 1, "no change"
    assert (
        change(corp, USERS, id, {"op": "replace", "path": "active", "value": False}, match='W/"1"').stamp.version == 2
    )
    with pytest.raises(ScimError) as caught:
        corp.replace(USERS, id, {"userName": "ada", "active": True}, (), 'W/"1"')
    assert caught.value.status == 412
    assert corp.replace(USERS, id, {"userName": "ada", "active": True}, (), '"2"').kept == {
        "userName": "ada",
        "active": True,
    }
    corp.remove(USERS, id, "*")
    with pytest.raises(ScimError) as caught:
        corp.get(USERS, id, links=False)
    assert caught.value.status == 404
    assert events == [
        ("scim.create", "corp", id, {"kind": "User", "changed": ["active", "externalId", "userName"], "active": True}),
        ("scim.patch", "corp", id, {"kind": "User", "changed": ["active"], "active": False}),
        ("scim.replace", "corp", id, {"kind": "User", "changed": ["active", "externalId", "userName"], "active": True}),
        ("scim.remove", "corp", id, {"kind": "User"}),
    ]


def test_names_are_unique_in_a_directory_and_nowhere_else(store: DirectoryStore, corp: StoredResources) -> None:
    id = user(corp, "ada")
    for kept in ({"userName": "ADA"}, {"userName": "Ada"}):
        with pytest.raises(ScimError) as caught:
            corp.create(USERS, kept, ())
        assert (caught.value.status, caught.value.kind) == (409, "uniqueness")
    other = user(corp, "bob")
    with pytest.raises(ScimError, match="userName already"):
        change(corp, USERS, other, {"op": "replace", "path": "userName", "value": "Ada"})
    acme = StoredResources(store, "acme", 0, 10)
    user(acme, "ada")
    assert acme.find(USERS, query(USERS, {}))[1] == 1
    for act in (
        lambda: acme.get(USERS, id, links=True),
        lambda: acme.remove(USERS, id, ""),
        lambda: acme.replace(USERS, id, {"userName": "x"}, (), ""),
        lambda: change(acme, USERS, id, {"op": "remove", "path": "title"}),
        lambda: corp.get(GROUPS, id, links=True),
    ):
        with pytest.raises(ScimError) as caught:
            act()
        assert caught.value.status == 404
    with pytest.raises(ScimError, match="no User with the id"):
        group(acme, "ML", id)


def test_members_come_and_go(corp: StoredResources) -> None:
    ada, bob = user(corp, "ada", displayName="Ada L."), user(corp, "bob")
    ml = group(corp, "ML", ada)
    assert corp.get(GROUPS, ml, links=True).links == {ada: ""}
    assert corp.get(USERS, ada, links=True).links == {ml: "ML"}
    assert corp.get(USERS, ada, links=False).stamp.version == 2, "it has another group now"
    entry = change(corp, GROUPS, ml, {"op": "Add", "path": "members", "value": [{"value": bob}]})
    assert (set(corp.get(GROUPS, ml, links=True).links), entry.stamp.version) == ({ada, bob}, 2)
    change(corp, GROUPS, ml, {"op": "remove", "path": f'members[value eq "{ada}"]'})
    assert set(corp.get(GROUPS, ml, links=True).links) == {bob}
    assert change(corp, GROUPS, ml, {"op": "add", "path": "members", "value": bob}).stamp.version == 3, "no change"
    change(corp, GROUPS, ml, {"op": "remove", "path": 'members[type eq "Group"]'})
    change(
        corp,
        GROUPS,
        ml,
        {"op": "replace", "path": "members", "value": []},
        {"op": "add", "path": "members", "value": bob},
    )
    assert set(corp.get(GROUPS, ml, links=True).links) == {bob}
    with pytest.raises(ScimError, match="no User with the id"):
        change(corp, GROUPS, ml, {"op": "add", "path": "members", "value": [{"value": ada}, {"value": "nobody"}]})
    assert set(corp.get(GROUPS, ml, links=True).links) == {bob}, "all of it or nothing"
    corp.remove(USERS, bob, "")
    assert (corp.get(GROUPS, ml, links=True).links, corp.get(GROUPS, ml, links=True).stamp.version) == ({}, 4)
    corp.replace(GROUPS, ml, {"displayName": "ML"}, (ada,), "")
    corp.remove(GROUPS, ml, "")
    assert corp.get(USERS, ada, links=True).links == {}


def test_lists_are_filtered_and_paged(corp: StoredResources) -> None:
    ids = {name: user(corp, name, title=f"t{len(name)}", externalId=f"X{name}") for name in ("a", "bb", "cc")}
    ml = group(corp, "ML", ids["a"], ids["bb"])

    def found(text: str, kind: Kind = USERS, **more: str) -> tuple[list[str], int]:
        entries, total = corp.find(kind, query(kind, {"filter": text, **more}))
        return sorted(str(each.kept.get("userName") or each.kept["displayName"]) for each in entries), total

    assert found('userName eq "BB"') == (["bb"], 1)
    assert found('externalId eq "xbb"') == ([], 0)
    assert found('externalId eq "Xbb" and title eq "t2"') == (["bb"], 1)
    assert found(f'id eq "{ids["a"]}"') == (["a"], 1)
    assert found('id eq "\\u0000"') == ([], 0)
    assert found('title eq "t2"') == (["bb", "cc"], 2)
    assert found('title eq "t2"', count="1")[1] == 2
    assert found('title eq "t2"', startIndex="3") == ([], 2)
    assert found('groups.display eq "ml"') == (["a", "bb"], 2)
    assert found(f'id eq "{ml}" and members eq "{ids["a"]}"', GROUPS, excludedAttributes="members") == (["ML"], 1)
    assert found(f'id eq "{ml}" and members eq "{ids["cc"]}"', GROUPS) == ([], 0)
    assert found("", count="2")[1] == 3
    assert found("", startIndex="3")[1] == 3
    assert found("", count="0") == ([], 3)
    (entry,), _ = corp.find(GROUPS, query(GROUPS, {"filter": 'displayName eq "ml"'}))
    assert set(entry.links) == {ids["a"], ids["bb"]}
    (entry,), _ = corp.find(GROUPS, query(GROUPS, {"excludedAttributes": "members"}))
    assert entry.links == {}


def test_what_there_can_be_is_bounded(corp: StoredResources, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [user(corp, f"u{number}") for number in range(10)]
    with pytest.raises(ScimError, match="10 of them already"):
        user(corp, "eleven")
    corp.remove(USERS, ids.pop(), "")
    ids.append(user(corp, "eleven"))
    for name in ("one", "two"):
        group(corp, name, *ids)
    monkeypatch.setattr(scim_resources, "MOST_LINKS", 15)
    with pytest.raises(ScimError, match="too many members"):
        corp.find(GROUPS, query(GROUPS, {}))
    monkeypatch.setattr(scim_resources, "MOST_SCANNED", 5)
    with pytest.raises(ScimError) as caught:
        corp.find(USERS, query(USERS, {"filter": "title pr"}))
    assert caught.value.kind == "tooMany"


def test_what_the_witness_refuses_has_not_happened(store: DirectoryStore, corp: StoredResources) -> None:
    def refuses(event: str, *_: object) -> None:
        raise RuntimeError(event)

    id, before = user(corp, "ada"), store.version()
    store.witness = refuses
    for act in (
        lambda: user(corp, "bob"),
        lambda: corp.remove(USERS, id, ""),
        lambda: change(corp, USERS, id, {"op": "replace", "path": "active", "value": False}),
    ):
        with pytest.raises(RuntimeError, match="scim"):
            act()
    assert store.version() == before
    assert corp.get(USERS, id, links=True).kept["active"]


def test_a_gateway_knows_of_every_change(
    open_database: Open, tmp_path: Path, corp: StoredResources, known: Directory
) -> None:
    store = DirectoryStore.open(tmp_path, database=open_database())
    store.version()
    time.sleep(0.1)  # it listens
    enterprise = USERS.extensions[0].id
    ada, bob = user(corp, "Ada", **{enterprise: {"department": "Engines"}}), user(corp, "bob")
    ml, ops = group(corp, "ml", ada), group(corp, "ops", bob, ada)

    def seen() -> None:
        end = time.monotonic() + 1.0
        wanted = corp._store.database.rows("SELECT serial FROM scim_state")[0][0]
        while store.version() != wanted:
            assert time.monotonic() < end, "a second has passed"
            time.sleep(0.005)
        learn(store, known)

    seen()
    first = known.find("ada")
    assert (first.team, first.labels) == ("research", (("unit", "Engines"),))
    assert known.find("BOB").team == "platform"
    change(corp, GROUPS, ml, {"op": "replace", "path": "displayName", "value": "other"})
    seen()
    assert known.find("ada").team == "platform"
    with pytest.raises(Refusal, match="not in this team"):
        known.check(ada, "research")
    change(corp, USERS, bob, {"op": "Replace", "path": "active", "value": "False"})
    seen()
    assert refused(known, "bob") == "deactivated_user"
    corp.remove(GROUPS, ops, "")
    seen()
    assert refused(known, "ada") == "not_provisioned"
    corp.remove(USERS, ada, "")
    seen()
    assert (refused(known, "ada"), len(known)) == ("not_provisioned", 1)
    corp.replace(USERS, bob, {"userName": "bob", "active": True}, (), "")
    group(corp, "ML", bob)
    seen()
    assert known.find("bob").team == "research"


def test_many_changes_are_read_a_page_at_a_time(store: DirectoryStore, known: Directory) -> None:
    many = StoredResources(store, "corp", 0, 10_000)
    with store.database.writing():
        for number in range(PAGE + 3):
            row = (
                "corp",
                "User",
                f"{number:05}",
                f"u{number}",
                "",
                "x",
                f'{{"userName":"u{number}","active":true}}',
                0,
            )
            store.database.run(scim_resources._INSERT, *row, 7)  # as if one change had touched them all
        store.database.run("UPDATE scim_state SET serial = 7")
    last = f"{PAGE + 2:05}"
    change(many, USERS, last, {"op": "replace", "path": "active", "value": False})
    known.take(store.changes(known, 8))
    assert (len(known), known.seen) == (PAGE + 3, 0)
    assert refused(known, f"u{PAGE + 2}") == "deactivated_user", "what is new is known before all that is old"
    known.take(store.changes(known, 8))
    assert (len(known), known.seen) == (PAGE + 3, 8)
    assert refused(known, f"u{PAGE + 2}") == "deactivated_user"
    many.remove(USERS, "00001", "")
    known.take(store.changes(known, 9))
    assert len(known) == PAGE + 2
    with pytest.raises(LookupError):
        store.changes(known, 9 + directories.REMEMBERED + 1)


def test_somebody_is_looked_up_as_they_are_now(store: DirectoryStore, corp: StoredResources) -> None:
    by_name, by_id = (rules("corp", ScimSettings(teams={}, match=match)) for match in ("userName", "externalId"))  # type: ignore[arg-type]
    ada = user(corp, "Ada", externalId="E1")
    crew = group(corp, "Gate Crew", ada)
    group(corp, "Others")
    user(StoredResources(store, "acme", 0, 10), "eve")
    ((found, groups),) = store.named(by_name, "ADA")
    assert (found.id, found.active, groups) == (ada, True, {"gate crew"})
    assert [one.id for one, _ in store.named(by_id, "E1")] == [ada]
    assert store.named(by_id, "e1") == store.named(by_name, "eve") == store.named(by_name, "a\0") == []
    assert store.named(rules("corp", ScimSettings(teams={}, match="email")), "ada") == []
    corp.remove(GROUPS, crew, "")
    change(corp, USERS, ada, {"op": "replace", "path": "active", "value": False})
    ((found, groups),) = store.named(by_name, "ada")
    assert (found.active, groups) == (False, set())
    user(corp, "Ada2", externalId="E1")
    assert len(store.named(by_id, "E1")) == 2
    user(corp, "\u212aate")  # a sign for Kelvin: unique as "kate" is, and nobody's token
    assert store.named(by_name, "kate") == []
    assert len(store.named(by_name, "\u212aate")) == 1
