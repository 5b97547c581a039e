"""The people of a directory as calls look them up, and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from yett.errors import Refusal
from yett.scim.directory import Changes, Directory, Person, Rules, origin, person, place_of
from yett.scim.schema import ENTERPRISE

RULES = Rules(
    "corp", "acme", "userName", (("ml", "research"), ("ops", "platform")), (("unit", place_of("department")),)
)
NONE = frozenset[str]()


def taken(directory: Directory, *people: Person, removed: tuple[str, ...] = (), version: int = 1) -> None:
    directory.take(Changes(people, removed, (version, ""), version, complete=True))


def who(id: str, name: str, **more: Any) -> Person:
    return replace(Person(id, name, active=True, team="research", labels=()), **more)


def refused(directory: Directory, claim: str) -> str:
    with pytest.raises(Refusal) as caught:
        directory.find(claim)
    return caught.value.code


def test_a_person_is_what_the_rules_make_of_a_user() -> None:
    kept = {"userName": "Ada@X", "externalId": "E1", "active": True, ENTERPRISE: {"department": "Engines"}}
    assert person(RULES, "u", kept, frozenset(("ops", "ml", "x"))) == Person(
        "u", "ada@x", active=True, team="research", labels=(("unit", "Engines"),)
    )
    assert person(RULES, "u", {"userName": "a"}, frozenset(("x",))) == Person(
        "u", "a", active=False, team="", labels=()
    )
    long = {**kept, ENTERPRISE: {"department": "x" * 65}}
    assert person(replace(RULES, match="externalId"), "u", long, NONE).match == "E1"
    assert person(replace(RULES, match="externalId"), "u", long, NONE).labels == ()
    mail = replace(RULES, match="email")
    assert person(mail, "u", kept, NONE).match == ""
    emails = [{"type": "x"}, {"value": "One@X"}, {"value": "Two@X"}]
    assert person(mail, "u", {"emails": emails}, NONE).match == "one@x"
    assert person(mail, "u", {"emails": [*emails, {"value": "P@x", "primary": True}]}, NONE).match == "p@x"


def test_only_who_is_active_and_in_a_team_is_found() -> None:
    directory = Directory(RULES)
    taken(directory, who("1", "ada"), who("2", "bob", active=False), who("3", "eve", team=""), who("4", ""))
    assert directory.find("ADA").id == "1"
    assert [refused(directory, name) for name in ("bob", "eve", "nobody", "")] == [
        "deactivated_user",
        "not_provisioned",
        "not_provisioned",
        "not_provisioned",
    ]
    directory.check("1", "research")
    for id, team in (("1", "platform"), ("2", "research"), ("9", "research")):
        with pytest.raises(Refusal):
            directory.check(id, team)
    assert origin(RULES, directory.find("ada")) == "directory:corp/1/research"
    assert len(directory) == 4


def test_a_name_that_only_folds_to_another_is_another() -> None:
    directory = Directory(RULES)
    taken(
        directory,
        *(person(RULES, name, {"userName": name, "active": True}, frozenset(("ml",))) for name in ("Kim", "Straße")),
    )
    assert directory.find("KIM").id == "Kim"
    assert directory.find("Straße").id == "Straße"
    for name in ("\N{KELVIN SIGN}im", "STRASSE", "straße"):
        assert refused(directory, name) == "not_provisioned"


def test_who_has_not_changed_is_the_same_object() -> None:
    directory = Directory(RULES)
    taken(directory, who("1", "ada"))
    before = directory.find("ada")
    taken(directory, who("1", "ada"), version=2)
    assert directory.find("ada") is before
    taken(directory, who("1", "ada", labels=(("unit", "x"),)), version=3)
    assert directory.find("ada") is not before
    assert directory.seen == 3
    directory.take(Changes((), (), (7, "u"), 9, complete=False))
    assert (directory.seen, directory.serial, directory.cursor) == (3, 7, "u")


def test_a_name_that_several_have_names_nobody() -> None:
    directory = Directory(RULES)
    taken(directory, who("1", "a"), who("2", "a"), who("3", "a"))
    assert refused(directory, "a") == "not_provisioned"
    taken(directory, who("2", "b"), removed=("9",))
    assert refused(directory, "a") == "not_provisioned"
    taken(directory, removed=("1",))
    assert directory.find("a").id == "3"
    assert directory.find("b").id == "2"


EVENTS = st.lists(
    st.tuples(st.sampled_from("1234"), st.one_of(st.none(), st.tuples(st.sampled_from("abc"), st.booleans()))),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_people_are_found_as_a_naive_model_finds_them(events: list[tuple[str, tuple[str, bool] | None]]) -> None:
    directory, model = Directory(RULES), dict[str, tuple[str, bool]]()
    for id, change in events:
        if change is None:
            model.pop(id, None)
            taken(directory, removed=(id,))
        else:
            model[id] = change
            taken(directory, who(id, change[0], active=change[1]))
    for name in "abc":
        named = [id for id, (called, _) in model.items() if called == name]
        if len(named) == 1 and model[named[0]][1]:
            assert directory.find(name).id == named[0]
        else:
            assert refused(directory, name) == ("deactivated_user" if len(named) == 1 else "not_provisioned")
