"""The filters of SCIM (RFC 7644, section 3.4.2.2), bounded in length, depth and number of terms.

    filter  = all *( "or" all )            userName eq "ada" and not (active eq false)
    all     = term *( "and" term )         emails[type eq "work" and value ew "@example.com"]
    term    = [ "not" ] "(" filter ")" / path "pr" / path operator value / path "[" filter "]"

Where the RFC leaves it open: `ne` is the opposite of `eq`, of several values as of none; a text is compared without regard to case unless
its schema says otherwise; `eq null` is the opposite of `pr`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from yett.scim.errors import invalid
from yett.scim.schema import Attribute, Kind, Place, unknown

LONGEST = 4096  # characters
DEEPEST = 16
MOST_TERMS = 64
OPERATORS = frozenset("eq ne co sw ew gt ge lt le".split())
_TEXTUAL = frozenset(("co", "sw", "ew"))
_TOKEN = re.compile(r'\s*(?:([()\[\]])|("(?:[^"\\]|\\.)*")|([^\s()\[\]"]+))', re.ASCII | re.DOTALL)


class Compare(Struct, frozen=True):
    """`value` is None for null."""

    place: Place
    operator: str
    value: str | bool | None


class Present(Struct, frozen=True):
    place: Place


class Where(Struct, frozen=True):
    """One of several values for which all of a filter holds."""

    place: Place
    inner: Filter


class Not(Struct, frozen=True):
    inner: Filter


class Every(Struct, frozen=True):
    parts: tuple[Filter, ...]


class Either(Struct, frozen=True):
    parts: tuple[Filter, ...]


Filter = Compare | Present | Where | Not | Every | Either


def parse(text: str, kind: Kind) -> Filter:
    """Raises ScimError: invalidFilter."""
    return _Parser(text, kind, None).whole()


def parse_inner(text: str, kind: Kind, attribute: Attribute) -> Filter:
    """What stands in brackets behind an attribute."""
    return _Parser(text, kind, attribute).whole()


class _Parser:
    def __init__(self, text: str, kind: Kind, within: Attribute | None) -> None:
        if len(text) > LONGEST:
            raise invalid("invalidFilter", f"a filter has at most {LONGEST} characters")
        self._tokens = _tokens(text)
        self._at = 0
        self._kind = kind
        self._within = within  # whose sub-attributes are meant
        self._depth = 0
        self._terms = 0

    def whole(self) -> Filter:
        found = self._either()
        if self._at < len(self._tokens):
            raise invalid("invalidFilter", f'"{self._peek()}" is not expected there')
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise invalid("invalidFilter", "the filter ends too early")
        self._at += 1
        return token

    def _close(self, bracket: str) -> None:
        if self._next() != bracket:
            raise invalid("invalidFilter", f'"{bracket}" is missing')

    def _either(self) -> Filter:
        parts = [self._every()]
        while self._peek().lower() == "or":
            self._at += 1
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _every(self) -> Filter:
        parts = [self._term()]
        while self._peek().lower() == "and":
            self._at += 1
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _term(self) -> Filter:
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise invalid("invalidFilter", f"a filter has at most {MOST_TERMS} terms")
        word = self._next()
        if word == "(":
            return self._grouped()
        if word.lower() == "not" and self._peek() == "(":
            self._at += 1
            return Not(self._grouped())
        place = self._place(word)
        operator = self._next()
        if operator == "[":
            return self._where(place)
        operator = operator.lower()
        if operator == "pr":
            return Present(place)
        if operator not in OPERATORS:
            raise invalid("invalidFilter", f'there is no operator "{operator[:100]}"')
        return Compare(place, operator, _value(place, operator, self._next()))

    def _grouped(self) -> Filter:
        self._deeper()
        found = self._either()
        self._close(")")
        self._depth -= 1
        return found

    def _where(self, place: Place) -> Filter:
        if self._within is not None or not place.attribute.multi or place.sub is not None:
            raise invalid("invalidFilter", "brackets follow an attribute that has many values")
        self._deeper()
        self._within = place.attribute
        found = self._either()
        self._within = None
        self._close("]")
        self._depth -= 1
        return Where(place, found)

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise invalid("invalidFilter", f"a filter is at most {DEEPEST} deep")

    def _place(self, token: str) -> Place:
        if self._within is not None:
            part = self._within.part(token)
            if part is None:
                raise unknown(self._kind, token, "invalidFilter")
            return Place("", part)
        try:
            return self._kind.place(token)
        except KeyError:
            raise unknown(self._kind, token, "invalidFilter") from None


def _tokens(text: str) -> list[str]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise invalid("invalidFilter", "a text is not closed")
        found.append(match[1] or match[2] or match[3])
        at = match.end()
    return found


def _value(place: Place, operator: str, token: str) -> str | bool | None:
    """A value as it is compared. Raises ScimError when it does not fit the attribute."""
    leaf = place.leaf
    if leaf.type == "complex":
        raise invalid("invalidFilter", f'"{leaf.name}" has parts, of which one has to be named')
    try:
        value = msgspec.json.decode(token if token.startswith('"') else token.lower())
    except msgspec.DecodeError:
        raise invalid("invalidFilter", f"{token[:100]} is no value") from None
    equal = operator in ("eq", "ne")
    if value is None and equal:
        return None
    if leaf.type == "boolean":
        truth = truth_of(value)
        if truth is not None and equal:
            return truth
    elif isinstance(value, str) and (
        leaf.type != "dateTime" or (operator not in _TEXTUAL and moment(value) is not None)
    ):
        return value
    raise invalid("invalidFilter", f'"{leaf.name}" cannot be compared like that')


def truth_of(value: object) -> bool | None:
    """True or false, also as a text: some providers write "False". None when it is neither."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return value if isinstance(value, bool) else None


def moment(written: str) -> datetime | None:
    """A time with its zone."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


# ---- whether it holds ---------------------------------------------------------------------------------------------


def holds(filter: Filter, resource: Mapping[str, Any]) -> bool:
    """Whether a resource is among those that the filter describes."""
    match filter:
        case Compare():
            return _compared(filter, filter.place.values(resource))
        case Present(place):
            return bool(place.values(resource) if place.sub is not None else place.elements(resource))
        case Where(place, inner):
            return any(holds(inner, each) for each in place.elements(resource))
        case Not(inner):
            return not holds(inner, resource)
        case Every(parts):
            return all(holds(part, resource) for part in parts)
    return any(holds(part, resource) for part in filter.parts)


def _compared(compare: Compare, values: list[Any]) -> bool:
    leaf = compare.place.leaf
    if compare.operator == "ne":
        return not _compared(Compare(compare.place, "eq", compare.value), values)
    if compare.value is None:
        return not values
    return any(_one(compare.operator, _comparable(each, leaf), _comparable(compare.value, leaf)) for each in values)


def _comparable(value: Any, leaf: Attribute) -> Any:
    if leaf.type == "dateTime":
        return moment(value)
    return value.casefold() if isinstance(value, str) and not leaf.exact else value


def _one(operator: str, value: Any, wanted: Any) -> bool:  # noqa: PLR0911 - one line for each operator
    match operator:
        case "eq":
            return bool(value == wanted)
        case "co":
            return wanted in value
        case "sw":
            return bool(value.startswith(wanted))
        case "ew":
            return bool(value.endswith(wanted))
        case "gt":
            return bool(value > wanted)
        case "ge":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
    return bool(value <= wanted)


def pinned(filter: Filter, names: frozenset[str]) -> tuple[str, str] | None:
    """One of these attributes, and the text that it has to equal for the filter to hold; None when the filter does not say so. What is
    found by it still has to be held against the whole filter."""
    match filter:
        case Compare(Place("", attribute, None), "eq", str(value)) if attribute.name in names:
            return attribute.name, value
        case Every(parts):
            return next((found for part in parts if (found := pinned(part, names)) is not None), None)
    return None


def equals(filter: Filter) -> dict[str, str | bool] | None:
    """What a value has to be made of for a filter such as `type eq "work"` to hold; None for any other filter."""
    match filter:
        case Compare(Place("", attribute, None), "eq", str() | bool() as value):
            return {attribute.name: value}
        case Every(parts):
            found = [equals(part) for part in parts]
            return None if None in found else {name: value for part in found if part for name, value in part.items()}
    return None


def mentions(filter: Filter, name: str) -> bool:
    """Whether the attribute matters to it."""
    match filter:
        case Compare(place) | Present(place) | Where(place):
            return place.attribute.name == name
        case Not(inner):
            return mentions(inner, name)
    return any(mentions(part, name) for part in filter.parts)
