"""The people of a directory, as calls need them: in memory, found at once, always as last heard of.

One object for each directory and worker. It is changed between calls, never during one: a person is replaced by another object, so that
whoever remembers a person can see that something has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from yett.errors import Refusal
from yett.scim.schema import ENTERPRISE, USERS, Place

LONGEST_LABEL = 64  # characters of a value
ORIGIN = "directory:"  # how what a credential depends on begins: directory:NAME/ID/TEAM


class Rules(Struct, frozen=True):
    """How a directory is read. `match` is what tokens name people by: userName, externalId or email; `teams` are the teams of its groups,
    which are written in small letters: the first that somebody is in counts."""

    name: str
    tenant: str
    match: str
    teams: tuple[tuple[str, str], ...]
    labels: tuple[tuple[str, Place], ...] = ()

    def said(self, claim: str) -> str:
        """What a token says, as it is looked up: names of people are the same in any case, ids of the provider are not. Beyond ASCII nothing
        is the same as anything else: there are letters enough that only look different (K and the sign for Kelvin), and each would let
        somebody in as somebody else."""
        return claim if self.match == "externalId" or not claim.isascii() else claim.lower()


class Person(Struct, frozen=True, gc=False):
    """One user. `team` is "" for who is in no group that has one."""

    id: str
    match: str
    active: bool
    team: str
    labels: tuple[tuple[str, str], ...]


def place_of(path: str) -> Place:
    """Where an attribute of users is kept, by its name alone or with its schema's. Raises KeyError."""
    try:
        return USERS.place(path)
    except KeyError:
        return USERS.place(f"{ENTERPRISE}:{path}")


def person(rules: Rules, id: str, kept: Mapping[str, Any], groups: frozenset[str]) -> Person:
    """From what is kept of a user, and the names of groups, in small letters."""
    if rules.match == "email":
        emails = [each for each in kept.get("emails", ()) if each.get("value")]
        first = next((each for each in emails if each.get("primary")), emails[0] if emails else {})
        match = str(first.get("value", ""))
    else:
        match = str(kept.get(rules.match, ""))
    labels = ((label, next(iter(place.values(kept)), "")) for label, place in rules.labels)
    return Person(
        id=id,
        match=rules.said(match),
        active=kept.get("active") is True,
        team=next((team for group, team in rules.teams if group in groups), ""),
        labels=tuple((label, str(value)) for label, value in labels if _usable(str(value))),
    )


def _usable(value: str) -> bool:
    return 0 < len(value) <= LONGEST_LABEL and value.isprintable()


class Changes(Struct, frozen=True):
    """What has become of people since a directory was read last. `through` is the last of them, as serial and id; `complete` when nothing more
    has changed up to this `version`."""

    people: tuple[Person, ...]
    removed: tuple[str, ...]
    through: tuple[int, str]
    version: int
    complete: bool


class Directory:
    """Who is in it. `seen` is the version that it is up to date with; `serial` and `cursor` say which change was read last: of those with
    one serial, that of the last user's id."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.seen = 0
        self.serial = 0
        self.cursor = ""
        self._people: dict[str, Person] = {}
        self._matching: dict[str, Person | tuple[str, ...]] = {}  # those who have it in common, when there are several
        self._labels: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}

    def __len__(self) -> int:
        return len(self._people)

    def take(self, changes: Changes) -> None:
        """Be up to date with them. Who has not changed stays the same object."""
        self._put(changes.people)
        self._remove(changes.removed)
        self.serial, self.cursor = changes.through
        if changes.complete:
            self.seen = changes.version

    def _put(self, people: Iterable[Person]) -> None:
        for new in people:
            before = self._people.get(new.id)
            if new == before:
                continue
            if before is not None:
                self._forget(before)
            labels = self._labels.setdefault(new.labels, new.labels)
            here = self._people[new.id] = Person(new.id, new.match, new.active, new.team, labels)
            if here.match:
                others = self._ids(here.match)
                self._matching[here.match] = (*others, here.id) if others else here

    def _remove(self, ids: Iterable[str]) -> None:
        for id in ids:
            gone = self._people.pop(id, None)
            if gone is not None:
                self._forget(gone)

    def find(self, claim: str) -> Person:
        """The active user whom a token names. Raises Refusal: not_provisioned, deactivated_user."""
        found = self._matching.get(self.rules.said(claim))
        if found is None:
            raise Refusal("not_provisioned")
        if isinstance(found, tuple):  # nobody can say whom it is about
            raise Refusal("not_provisioned", "The directory has more than one user by this name.")
        if not found.active:
            raise Refusal("deactivated_user")
        if not found.team:
            raise Refusal("not_provisioned", "The directory has this user in no group that has a team here.")
        return found

    def check(self, id: str, team: str) -> None:
        """Whether a user is active, and in this team, still. Raises Refusal: not_provisioned, deactivated_user."""
        found = self._people.get(id)
        if found is None:
            raise Refusal("not_provisioned")
        if not found.active:
            raise Refusal("deactivated_user")
        if found.team != team:
            raise Refusal("not_provisioned", "The user is not in this team any more.")

    def _ids(self, match: str) -> tuple[str, ...]:
        found = self._matching.get(match)
        return found if isinstance(found, tuple) else () if found is None else (found.id,)

    def _forget(self, person: Person) -> None:
        others = tuple(id for id in self._ids(person.match) if id != person.id)
        if len(others) > 1:
            self._matching[person.match] = others
        elif others:
            self._matching[person.match] = self._people[others[0]]
        else:
            self._matching.pop(person.match, None)


def origin(rules: Rules, person: Person) -> str:
    """What a credential of this person depends on."""
    return f"{ORIGIN}{rules.name}/{person.id}/{person.team}"
