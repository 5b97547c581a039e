"""Lists (RFC 7644, section 3.4.2): what is asked for, and how it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from yett.scim.errors import invalid
from yett.scim.filter import Filter, parse
from yett.scim.schema import MOST_RESULTS, Kind

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
LONGEST_LIST = 2048  # characters of a list of attributes


class Query(Struct, frozen=True):
    """`start` counts from 1. `count` is how many to answer, 0 for only saying how many there are."""

    filter: Filter | None = None
    start: int = 1
    count: int = MOST_RESULTS
    wanted: str = ""
    unwanted: str = ""


def query(kind: Kind, parameters: Mapping[str, str]) -> Query:
    """From the parameters of an address. Raises ScimError: invalidFilter, invalidValue."""
    written = parameters.get("filter", "")
    wanted, unwanted = shown(parameters)
    return Query(
        filter=parse(written, kind) if written else None,
        start=max(1, _whole(parameters, "startIndex", 1)),
        count=min(MOST_RESULTS, max(0, _whole(parameters, "count", MOST_RESULTS))),
        wanted=wanted,
        unwanted=unwanted,
    )


def search(kind: Kind, body: Any) -> Query:
    """From the body that is posted to `.search`. Raises ScimError: invalidSyntax, invalidFilter, invalidValue."""
    if not isinstance(body, dict) or not isinstance(body.get("schemas"), list) or SEARCH not in body["schemas"]:
        raise invalid("invalidSyntax", f'"schemas" has to name {SEARCH}')
    lists = {name: ",".join(map(str, value)) for name, value in body.items() if isinstance(value, list)}
    plain = {name: str(value) for name, value in body.items() if isinstance(value, str | int)}
    return query(kind, {**lists, **plain})


def shown(parameters: Mapping[str, str]) -> tuple[str, str]:
    """Attributes that are wanted, and those that are not. Raises ScimError: invalidValue."""
    wanted, unwanted = parameters.get("attributes", ""), parameters.get("excludedAttributes", "")
    if wanted and unwanted:
        raise invalid("invalidValue", 'give either "attributes" or "excludedAttributes"')
    if len(wanted) + len(unwanted) > LONGEST_LIST:
        raise invalid("invalidValue", f"a list of attributes has at most {LONGEST_LIST} characters")
    return wanted, unwanted


def answer(resources: list[Any], total: int, start: int) -> dict[str, object]:
    """The body of a page."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    written = parameters.get(name, "")
    if not written:
        return default
    digits = written.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        raise invalid("invalidValue", f'"{name}" is a whole number')
    return int(written)
