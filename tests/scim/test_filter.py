"""Filters: what holds and what does not, what is refused, and that no text takes long."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.scim.errors import ERROR, ScimError
from yett.scim.filter import equals, holds, parse, parse_inner, pinned
from yett.scim.schema import ENTERPRISE, GROUPS, USERS

ADA: dict[str, Any] = {
    "id": "U1",
    "userName": "Ada@Example.com",
    "externalId": "X-1",
    "active": True,
    "title": "Countess",
    "name": {"familyName": "Lovelace"},
    "emails": [{"type": "work", "value": "ada@example.com"}, {"type": "home", "value": "ada@home.example"}],
    ENTERPRISE: {"department": "Engines", "manager": {"value": "U2"}},
    "meta": {"created": "2026-11-21T10:00:00Z"},
}


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ('userName eq "ada@EXAMPLE.com"', True),
        ('USERNAME Eq "ada@example.com"', True),
        ('externalId eq "x-1"', False),
        ('externalId eq "X-1"', True),
        ('id eq "U1"', True),
        ('userName ne "ada@example.com"', False),
        ('displayName ne "x"', True),
        ('userName co "EXAMPLE"', True),
        ('userName sw "ada"', True),
        ('userName ew ".org"', False),
        ('title gt "Baron"', True),
        ('title ge "countess"', True),
        ('title lt "countess"', False),
        ('title le "countess"', True),
        ("title pr", True),
        ("displayName pr", False),
        ("name pr", True),
        ("name.familyName pr", True),
        ("name.givenName pr", False),
        ("emails pr", True),
        ("active eq true", True),
        ('active eq "True"', True),
        ("active eq False", False),
        ("active ne false", True),
        ("displayName eq null", True),
        ("title ne null", True),
        ('emails eq "ada@home.example"', True),
        ('emails.type eq "home"', True),
        ('emails[type eq "work" and value ew "@example.com"]', True),
        ('emails[type eq "home" and value ew "@example.com"]', False),
        ("emails[not (type pr)]", False),
        (f'{ENTERPRISE}:department eq "engines"', True),
        (f'{ENTERPRISE.lower()}:manager eq "U2"', True),
        (f'{ENTERPRISE}:manager.value eq "u2"', False),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada"', True),
        ('meta.created gt "2026-11-21T09:00:00Z"', True),
        ('meta.created eq "2026-11-21T11:00:00+01:00"', True),
        ('meta.created lt "2026-11-21T09:00:00Z"', False),
        ('title eq "x" or title eq "countess" and active eq true', True),
        ('(title eq "x" or title eq "countess") and active eq false', False),
        ('not (title eq "x") and not(active eq false)', True),
        ('title eq "a\\"b" or title pr', True),
        ('groups.value eq "g"', False),
    ],
)
def test_what_holds(text: str, true: bool) -> None:
    assert holds(parse(text, USERS), ADA) is true


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        'userName eq "open',
        "userName eq open",
        'userName is "x"',
        'shoeSize eq "43"',
        'phoneNumbers[type eq "work"]',
        'emails[shoe eq "43"]',
        'emails[type eq "work"',
        'emails[emails[type eq "x"]]',
        'name[familyName eq "x"]',
        'emails.value[type eq "x"]',
        '(userName eq "x"',
        '(userName eq "x"]',
        'userName eq "x") ',
        'userName eq "x" userName',
        "userName eq 3",
        "userName eq true",
        'active gt "true"',
        "active eq 1",
        'name eq "x"',
        'meta.created co "2026"',
        'meta.created eq "yesterday"',
        'meta.created eq "2026-11-21T09:00:00"',
        "userName gt null",
        'name.middle eq "x"',
        'urn:ietf:params:scim:schemas:core:2.0:User: eq "x"',
        'userName eq "\\x"',
        "(" * 17 + "title pr" + ")" * 17,
        " or ".join(["title pr"] * 65),
        'title eq "' + "x" * 4096 + '"',
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ScimError) as caught:
        parse(text, USERS)
    assert caught.value.document()["scimType"] == "invalidFilter"


def test_an_error_says_its_status_as_a_text() -> None:
    assert ScimError(404, "", "gone").document() == {"schemas": [ERROR], "status": "404", "detail": "gone"}


def test_what_a_filter_can_be_looked_up_by() -> None:
    names = frozenset(("userName", "id"))
    assert pinned(parse('active eq true and (userName eq "Ada" and title pr)', USERS), names) == ("userName", "Ada")
    assert pinned(parse('userName eq "Ada" or title pr', USERS), names) is None
    assert pinned(parse('userName sw "Ada"', USERS), names) is None
    assert pinned(parse('title eq "Ada" and active eq true', USERS), names) is None
    assert pinned(parse('id eq "g" and members eq "u"', GROUPS), names) == ("id", "g")


def test_what_a_value_is_made_of() -> None:
    emails = USERS.place("emails").attribute
    assert equals(parse_inner('type eq "work" and primary eq "True"', USERS, emails)) == {
        "type": "work",
        "primary": True,
    }
    assert equals(parse_inner('type eq "work" and value pr', USERS, emails)) is None
    assert equals(parse_inner("primary eq null", USERS, emails)) is None
    assert equals(parse_inner('type eq "work" or type eq "home"', USERS, emails)) is None


WORDS = st.sampled_from(
    '( ) [ ] not and or pr eq ne co userName emails type active true null "x" " name.givenName gt 3'.split()
)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.lists(WORDS, max_size=60).map(" ".join), st.text(max_size=300)))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        filter = parse(text, USERS)
    except ScimError:
        return
    assert holds(filter, ADA) in {True, False}


def test_no_text_takes_long() -> None:
    for text in ("(" * 4096, '"' * 4095, "\\" * 4096, 'a"' * 2048, " " * 4096, "not(" * 1000, '"\\' * 2000, "[" * 4096):
        began = time.process_time()
        with pytest.raises(ScimError):
            parse(text, USERS)
        assert time.process_time() - began < 0.5


# ---- a naive model of two attributes, and the filters over them ---------------------------------------------------

ATTRIBUTES = ("title", "userType", "displayName")
VALUES = st.sampled_from(["", "a", "A", "ab", "b", "é"])
PLAIN = st.tuples(st.sampled_from(ATTRIBUTES), st.sampled_from("eq ne co sw ew gt ge lt le pr".split()), VALUES)
TREES: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)
NAIVE = {
    "eq": lambda a, b: a == b,
    "co": lambda a, b: b in a,
    "sw": lambda a, b: a.startswith(b),
    "ew": lambda a, b: a.endswith(b),
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
}


def written(tree: Any) -> str:
    if tree[0] == "not":
        return f"not ({written(tree[1])})"
    if tree[0] in {"and", "or"}:
        return f" {tree[0]} ".join(f"({written(part)})" for part in tree[1])
    return f"{tree[0]} pr" if tree[1] == "pr" else f"{tree[0]} {tree[1]} {json.dumps(tree[2])}"


def naive(tree: Any, resource: dict[str, str]) -> bool:
    if tree[0] == "not":
        return not naive(tree[1], resource)
    if tree[0] in {"and", "or"}:
        return (all if tree[0] == "and" else any)(naive(part, resource) for part in tree[1])
    value = resource.get(tree[0])
    if tree[1] == "pr":
        return value is not None
    if tree[1] == "ne":
        return value is None or value.lower() != tree[2].lower()
    return value is not None and bool(NAIVE[tree[1]](value.lower(), tree[2].lower()))


@settings(max_examples=200, deadline=None)
@given(TREES, st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES))
def test_filters_hold_as_a_naive_reader_says(tree: Any, resource: dict[str, str]) -> None:
    assert holds(parse(written(tree), USERS), resource) is naive(tree, resource)
