"""What providers send, what is kept of it, and what they are answered."""

from __future__ import annotations

from typing import Any

import pytest

from yett.scim.errors import ScimError
from yett.scim.resource import Stamp, chosen, member_ids, members, read, whole
from yett.scim.schema import ENTERPRISE, GROUP, GROUPS, USER, USERS

SENT: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "id": "made up",
    "USERNAME": "ada",
    "externalId": 4711,
    "active": "True",
    "password": "not kept",
    "phoneNumbers": [{"value": "not kept"}],
    "name": {"givenName": "Ada", "middleName": "not kept", "familyName": ""},
    "emails": ["ada@example.com", {"type": "home", "primary": False, "value": "x@home.example"}, {"odd": 1}],
    "groups": [{"value": "made up"}],
    "displayName": None,
    "title": [],
    ENTERPRISE: {"Department": "Engines", "manager": "U2"},
    "urn:other": {"shoe": 43},
}
KEPT = {
    "userName": "ada",
    "externalId": "4711",
    "active": True,
    "name": {"givenName": "Ada"},
    "emails": [{"value": "ada@example.com"}, {"value": "x@home.example", "type": "home", "primary": False}],
    ENTERPRISE: {"department": "Engines", "manager": {"value": "U2"}},
}
STAMP = Stamp("U1", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z", 3)
ROOT = "https://yett.example/scim/v2"


def test_of_what_is_sent_only_that_is_kept_which_is_known() -> None:
    sent = {name: value for name, value in SENT.items() if name != "title"}
    assert read(USERS, sent) == KEPT
    assert read(USERS, {"schemas": [USER], "userName": "b", ENTERPRISE: "odd"}) == {"userName": "b"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"schemas": None},
        {"schemas": [GROUP]},
        {"USERNAME": ""},
        {"USERNAME": None},
        {"USERNAME": "x" * 256},
        {"USERNAME": "two\nlines"},
        {"USERNAME": {"a": 1}},
        {"USERNAME": True},
        {"active": "perhaps"},
        {"active": 1},
        {"name": "Ada"},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": "true"}]},
        {"emails": [str(number) for number in range(65)]},
        {"emails": [3]},
        {"title": ["a", "b"]},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as caught:
        read(USERS, SENT | {"title": "x"} | wrong)
    assert (caught.value.status, caught.value.kind) == (400, "invalidValue")


def test_a_body_is_an_object() -> None:
    with pytest.raises(ScimError, match="no JSON object"):
        read(USERS, [])


def test_members_are_users_by_their_ids() -> None:
    group = {"schemas": [GROUP], "displayName": "ML", "Members": [{"value": "a"}, "b", {"value": "a", "type": "User"}]}
    assert read(GROUPS, group) == {"displayName": "ML"}
    assert members(group) == ("a", "b")
    assert member_ids({"value": "a", "type": None}) == ("a",)
    assert members({}) == ()
    for wrong in (3, {"value": ""}, {"display": "x"}, {"value": "x" * 256}):
        with pytest.raises(ScimError):
            member_ids([wrong])


def test_a_user_is_answered_with_what_is_known_here() -> None:
    found = whole(USERS, KEPT, STAMP, ROOT, {"G1": "ML"})
    assert found["schemas"] == [USER, ENTERPRISE]
    assert found["meta"] == {
        "resourceType": "User",
        "created": "2026-11-21T10:00:00Z",
        "lastModified": "2026-11-21T11:00:00Z",
        "location": f"{ROOT}/Users/U1",
        "version": 'W/"3"',
    }
    assert found["groups"] == [{"value": "G1", "$ref": f"{ROOT}/Groups/G1", "display": "ML", "type": "direct"}]
    group = whole(GROUPS, {"displayName": "ML"}, STAMP, ROOT, {"U1": ""})
    assert group["members"] == [{"value": "U1", "$ref": f"{ROOT}/Users/U1", "type": "User"}]
    assert "members" not in whole(GROUPS, {"displayName": "ML"}, STAMP, ROOT, {})


ADA = whole(USERS, KEPT, STAMP, ROOT, {})


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("userName", {"userName": "ada"}),
        ("name.givenName, emails.value,emails.type", {
            "name": {"givenName": "Ada"},
            "emails": [{"value": "ada@example.com"}, {"value": "x@home.example", "type": "home"}],
        }),
        ("name.givenName,name.familyName", {"name": {"givenName": "Ada"}}),
        ("userName,username", {"userName": "ada"}),
        (f"{ENTERPRISE}:department", {ENTERPRISE: {"department": "Engines"}}),
        (ENTERPRISE, {ENTERPRISE: KEPT[ENTERPRISE]}),
        ("shoeSize,displayName,urn:other:x", {}),
    ],
)  # fmt: skip
def test_only_what_is_wanted(wanted: str, shown: dict[str, Any]) -> None:
    assert chosen(USERS, ADA, wanted, "") == {"schemas": ADA["schemas"], "id": "U1", **shown}


def test_an_extension_that_is_not_there_is_not_shown() -> None:
    plain = whole(USERS, {"userName": "b"}, STAMP, ROOT, {})
    assert chosen(USERS, plain, f"{ENTERPRISE},{ENTERPRISE}:department", "").keys() == {"schemas", "id"}
    assert chosen(USERS, plain, "", f"{ENTERPRISE},{ENTERPRISE}:department,name.givenName") == plain


def test_all_but_what_is_not_wanted() -> None:
    assert chosen(USERS, ADA, "", "") == ADA
    without = f"id,meta,emails.type,name.givenName,{ENTERPRISE}:manager,shoeSize,title"
    found = chosen(USERS, ADA, "", without)
    assert found["id"] == "U1"
    assert "meta" not in found
    assert found["emails"] == [{"value": "ada@example.com"}, {"value": "x@home.example", "primary": False}]
    assert found["name"] == {}
    assert found[ENTERPRISE] == {"department": "Engines"}
    assert ADA["name"] == {"givenName": "Ada"}, "what is answered is a copy"
    assert ENTERPRISE not in chosen(USERS, ADA, "", ENTERPRISE.upper())
