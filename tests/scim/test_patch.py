"""PATCH as the standard has it, as real providers send it, and as a naive model does it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.scim.errors import ScimError
from yett.scim.patch import PATCH, Step, concerned, left, patch, read
from yett.scim.schema import ENTERPRISE, GROUPS, USERS

ADA: dict[str, Any] = {
    "userName": "ada",
    "active": True,
    "name": {"givenName": "Ada", "familyName": "Byron"},
    "emails": [{"type": "work", "value": "w@x.example", "primary": True}, {"type": "home", "value": "h@x.example"}],
    ENTERPRISE: {"department": "Engines", "manager": {"value": "U2"}},
}


def patched(*operations: dict[str, Any], kept: dict[str, Any] = ADA) -> dict[str, Any]:
    before = copy.deepcopy(kept)
    after, steps = patch(USERS, kept, read({"schemas": [PATCH], "Operations": list(operations)}))
    assert kept == before
    assert steps == ()
    return after


def op(op: str, path: str = "", value: Any = None) -> dict[str, Any]:
    return {"op": op} | ({"path": path} if path else {}) | ({"value": value} if value is not None else {})


WORK, HOME = ADA["emails"]


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        # Microsoft Entra ID
        (op("Replace", "active", "False"), {"active": False}),
        (op("Add", 'emails[type eq "work"].value', "new@x.example"), {"emails": [WORK | {"value": "new@x.example"}, HOME]}),
        (
            op("Add", 'emails[type eq "other"].value', "o@x.example"),
            {"emails": [WORK, HOME, {"type": "other", "value": "o@x.example"}]},
        ),
        (op("Add", 'roles[primary eq "True"].value', "admin"), {"roles": [{"primary": True, "value": "admin"}]}),
        (op("Replace", f"{ENTERPRISE}:manager", "U3"), {ENTERPRISE: {"department": "Engines", "manager": {"value": "U3"}}}),
        (op("Add", f"{ENTERPRISE}:manager", [{"$ref": "r", "value": "U3"}]), {
            ENTERPRISE: {"department": "Engines", "manager": {"value": "U3", "$ref": "r"}},
        }),
        (
            op("replace", value={"name.givenName": "Augusta", f"{ENTERPRISE}:department": "Maths", "active": "false"}),
            {
                "active": False,
                "name": {"givenName": "Augusta", "familyName": "Byron"},
                ENTERPRISE: {"department": "Maths", "manager": {"value": "U2"}},
            },
        ),
        (op("Add", 'phoneNumbers[type eq "work"].value', "1"), {}),
        (op("Add", "name.middleName", "1"), {}),
        (op("Add", "addresses", [{"locality": "x"}]), {}),
        # Okta
        (op("replace", value={"active": False, "locale": "en"}), {"active": False}),
        (op("replace", value={"id": "U1", "schemas": [], "meta": {}, "title": "x"}), {"title": "x"}),
        (op("replace", value={ENTERPRISE: {"department": "Maths"}}), {
            ENTERPRISE: {"department": "Maths", "manager": {"value": "U2"}},
        }),
        # the standard
        (op("add", "title", "Countess"), {"title": "Countess"}),
        (op("replace", "name", {"familyName": "Lovelace"}), {"name": {"givenName": "Ada", "familyName": "Lovelace"}}),
        (op("replace", "name", {"familyName": None, "odd": 1}), {"name": {"givenName": "Ada"}}),
        (op("replace", ENTERPRISE, {"department": None}), {ENTERPRISE: {"manager": {"value": "U2"}}}),
        (op("add", "emails", [HOME, {"value": "n@x.example"}]), {"emails": [WORK, HOME, {"value": "n@x.example"}]}),
        (op("add", "emails", [{"value": "n", "primary": True}]), {
            "emails": [WORK | {"primary": False}, HOME, {"value": "n", "primary": True}],
        }),
        (op("replace", 'emails[type eq "home"].primary', True), {
            "emails": [WORK | {"primary": False}, HOME | {"primary": True}],
        }),
        (op("replace", "emails", [{"value": "n"}]), {"emails": [{"value": "n"}]}),
        (op("replace", "emails", []), {"emails": None}),
        (op("replace", 'emails[type eq "home"]', {"value": "n"}), {"emails": [WORK, {"value": "n"}]}),
        (op("add", 'emails[type eq "home"]', {"display": "n"}), {"emails": [WORK, HOME | {"display": "n"}]}),
        (op("replace", "emails.type", "x"), {"emails": [WORK | {"type": "x"}, HOME | {"type": "x"}]}),
        (op("replace", "roles.type", "x"), {"roles": [{"type": "x"}]}),
        (op("remove", "title"), {}),
        (op("remove", "active"), {"active": None}),  # neither true nor false: may do nothing
        (op("remove", "name.givenName"), {"name": {"familyName": "Byron"}}),
        (op("remove", "name"), {"name": None}),
        (op("remove", "emails"), {"emails": None}),
        (op("remove", "emails", [{"value": "w@x.example"}]), {"emails": [HOME]}),
        (op("remove", "emails", None), {"emails": None}),
        (op("remove", 'emails[type eq "work"]'), {"emails": [HOME]}),
        (op("remove", 'emails[type eq "no"]'), {}),
        (op("remove", 'emails[type eq "home"].type'), {"emails": [WORK, {"value": "h@x.example"}]}),
        (op("remove", "emails.type"), {"emails": [{"value": "w@x.example", "primary": True}, {"value": "h@x.example"}]}),
        (op("remove", f"{ENTERPRISE}:manager"), {ENTERPRISE: {"department": "Engines"}}),
        (op("remove", ENTERPRISE), {ENTERPRISE: None}),
    ],
)  # fmt: skip
def test_what_an_operation_does(operation: dict[str, Any], changed: dict[str, Any]) -> None:
    expected = {name: value for name, value in {**ADA, **changed}.items() if value is not None}
    assert patched(operation) == expected


def test_operations_follow_each_other_and_an_empty_extension_goes() -> None:
    gone = patched(
        op("remove", f"{ENTERPRISE}:manager"), op("remove", f"{ENTERPRISE}:department"), op("add", "title", "x")
    )
    assert ENTERPRISE not in gone
    assert gone["title"] == "x"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("invalidSyntax", []),
        ("invalidSyntax", {"Operations": [op("remove", "title")]}),
        ("invalidSyntax", {"schemas": [PATCH]}),
        ("invalidSyntax", {"schemas": [PATCH], "Operations": []}),
        ("invalidSyntax", {"schemas": [PATCH], "Operations": [op("remove", "title")] * 1001}),
        ("invalidSyntax", {"schemas": [PATCH], "Operations": ["x"]}),
        ("invalidSyntax", op("move", "title", "x")),
        ("invalidPath", {"op": "add", "path": 3, "value": "x"}),
        ("noTarget", op("remove")),
        ("invalidValue", {"op": "add", "path": "title"}),
        ("invalidValue", op("add", value="x")),
        ("invalidValue", op("add", ENTERPRISE, "x")),
        ("invalidValue", op("replace", "active", "perhaps")),
        ("invalidValue", op("replace", "userName", [])),
        ("invalidValue", op("replace", value={"userName": None})),
        ("invalidPath", op("add", "shoeSize", "43")),
        ("invalidPath", op("add", "emails.shoe", "43")),
        ("invalidPath", op("add", "urn:example:2.0:User:shoe", "43")),
        ("invalidPath", op("add", value={"urn:example:2.0:User": {"shoe": "43"}})),
        ("invalidPath", op("add", 'emails[type eq "work"', "x")),
        ("invalidPath", op("add", 'emails[type eq "work"]value', "x")),
        ("invalidPath", op("add", 'name[familyName eq "x"]', "x")),
        ("invalidFilter", op("add", 'emails[shoe eq "43"].value', "x")),
        ("mutability", op("replace", "id", "x")),
        ("mutability", op("add", "groups", [{"value": "g"}])),
        ("mutability", op("add", f"{ENTERPRISE}:manager.displayName", "x")),
        ("mutability", op("remove", "userName")),
        ("noTarget", op("replace", 'emails[type sw "o"].value', "x")),
    ],
)
def test_what_is_refused(kind: str, body: Any) -> None:
    whole = {"schemas": [PATCH], "Operations": [body]} if isinstance(body, dict) and "op" in body else body
    with pytest.raises(ScimError) as caught:
        patch(USERS, ADA, read(whole))
    assert (caught.value.status, caught.value.kind) == (400, kind)


def steps(*operations: dict[str, Any]) -> tuple[Step, ...]:
    _, found = patch(GROUPS, {"displayName": "ML"}, read({"schemas": [PATCH], "Operations": list(operations)}))
    return found


def test_what_happens_to_the_members_of_a_group() -> None:
    found = steps(
        op("Add", "members", [{"value": "a"}, {"value": "b"}]),
        op("Remove", "members", [{"value": "a"}]),
        op("remove", 'members[value eq "b"]'),
        op("add", value={"members": [{"value": "c"}, {"value": "d"}]}),
        op("remove", 'members[value eq "c" or value eq "x"]'),
    )
    assert found[:3] == (Step("add", ("a", "b")), Step("remove", ("a",)), Step("remove", ("b",)))
    assert left(found, frozenset("xyz")) == frozenset("yzd")
    assert concerned(found[:3]) == frozenset("ab")
    assert concerned(found) is None
    assert concerned(steps(op("remove", "members"))) is None
    assert left(steps(op("replace", "members", [{"value": "q"}])), frozenset("ab")) == frozenset("q")
    assert left(steps(op("remove", "members")), frozenset("ab")) == frozenset()
    assert left(steps(op("replace", "displayName", "x")), frozenset("ab")) == frozenset("ab")
    assert left(steps(op("remove", 'members[type eq "user"]')), frozenset("ab")) == frozenset()


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        ("mutability", op("replace", 'members[value eq "a"].value', "b")),
        ("mutability", op("replace", "members.value", "b")),
        ("invalidPath", op("add", 'members[value eq "a"]', "b")),
        ("invalidValue", op("add", "members", [{"type": "User"}])),
        ("mutability", op("remove", "displayName")),
    ],
)
def test_members_come_and_go_and_do_not_change(kind: str, operation: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as caught:
        steps(operation)
    assert caught.value.kind == kind


# ---- a naive model: a title, and e-mail addresses of which each type is there once ---------------------------------

TYPES = st.sampled_from(["work", "home", "other"])
TEXTS = st.sampled_from(["a", "b", "c"])
CHANGES = st.one_of(
    st.tuples(st.sampled_from(["add", "Replace"]), st.just("title"), TEXTS),
    st.tuples(st.just("remove"), st.just("title"), st.none()),
    st.tuples(st.sampled_from(["Add", "replace"]), TYPES, TEXTS),
    st.tuples(st.just("Remove"), TYPES, st.none()),
    st.tuples(st.just("remove"), st.just("emails"), st.none()),
)


def as_operation(change: tuple[str, str, str | None]) -> dict[str, Any]:
    what, where, value = change
    if where in {"title", "emails"}:
        return op(what, where, value)
    return op(what, f'emails[type eq "{where}"]' + (".value" if value else ""), value)


@settings(max_examples=150, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_patches_do_what_a_naive_model_does(changes: list[tuple[str, str, str | None]]) -> None:
    title, emails = "", dict[str, str]()
    for _, where, value in changes:
        if where == "title":
            title = value or ""
        elif where == "emails":
            emails = {}
        elif value:
            emails[where] = value
        else:
            emails.pop(where, None)
    after = patched(*map(as_operation, changes), kept={"userName": "ada"})
    assert after.get("title", "") == title
    assert {each["type"]: each["value"] for each in after.get("emails", [])} == emails
