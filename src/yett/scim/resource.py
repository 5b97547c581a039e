"""From what a provider sends to the attributes that are kept, and from those to what it is answered.

    kept      {"userName": "ada", "active": true, "emails": [{"value": "ada@example.com"}], "urn:…:User": {"department": "R&D"}}
    answered  the same, with schemas, id, meta, and the groups of a user or the members of a group

What a provider sends is taken generously, where there is only one thing that it can mean: names in any case, "False" for false, one value
where there could be several, a text where a value has parts. What cannot be meant is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from yett.scim.errors import invalid
from yett.scim.filter import truth_of
from yett.scim.schema import COMMON, GROUPS, USERS, Attribute, Kind, part_of

LONGEST_TEXT = 1024  # characters
LONGEST_NAME = 255  # of what users and groups are found by
MOST_VALUES = 64  # of an attribute, members excepted
Kept = dict[str, Any]
_NAMES = frozenset(("userName", "externalId", "displayName"))


class Stamp(Struct, frozen=True):
    """What is known of a resource here. Times are ISO 8601; `version` counts its changes."""

    id: str
    created: str
    modified: str
    version: int

    @property
    def tag(self) -> str:
        return f'W/"{self.version}"'


def read(kind: Kind, body: Any) -> Kept:
    """A user as it is sent to be created or to replace another; or a group, without its members. Raises ScimError: invalidSyntax,
    invalidValue."""
    if not isinstance(body, dict):
        raise invalid("invalidSyntax", "the body is no JSON object")
    sent = {str(name).lower(): value for name, value in body.items()}
    schemas = sent.get("schemas")
    if not isinstance(schemas, list) or kind.schema.id.lower() not in [str(each).lower() for each in schemas]:
        raise invalid("invalidValue", f'"schemas" has to name {kind.schema.id}')
    kept: Kept = {}
    for urn, attribute in part_of(kind):
        if attribute.name == "members":
            continue
        holder = sent
        if urn:
            extension = sent.get(urn.lower())
            holder = {str(n).lower(): v for n, v in extension.items()} if isinstance(extension, dict) else {}
        put(kept, urn, attribute, taken(attribute, holder.get(attribute.name.lower())))
    return complete(kind, kept)


def members(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of those whom a group is said to have. Raises ScimError: invalidValue."""
    return member_ids(next((value for name, value in body.items() if name.lower() == "members"), None))


def member_ids(value: Any) -> tuple[str, ...]:
    """`[{"value": "id"}]`, or less of it; each once."""
    found: dict[str, None] = {}
    for each in [] if value is None else value if isinstance(value, list) else [value]:
        id = each.get("value") if isinstance(each, dict) else each
        if not isinstance(id, str) or not 0 < len(id) <= LONGEST_NAME or not id.isprintable():
            raise invalid("invalidValue", 'a member is written as { "value": "the id of a user" }')
        found[id] = None
    return tuple(found)


def taken(attribute: Attribute, value: Any) -> Any:
    """A value as it is kept; None for none. Raises ScimError: invalidValue."""
    if not attribute.multi:
        return _single(attribute, value[0] if isinstance(value, list) and len(value) == 1 else value)
    values = [] if value is None else value if isinstance(value, list) else [value]
    if len(values) > MOST_VALUES:
        raise invalid("invalidValue", f'"{attribute.name}" has at most {MOST_VALUES} values')
    found = [one for each in values if (one := _single(attribute, each)) is not None]
    if sum(one.get("primary", False) for one in found) > 1:
        raise invalid("invalidValue", f'only one of "{attribute.name}" is primary')
    return found or None


def _single(attribute: Attribute, value: Any) -> Any:
    if value is None or (value == "" and attribute.type != "complex"):
        return None
    if attribute.type == "complex":
        return _parts(attribute, value)
    if attribute.type == "boolean":
        truth = truth_of(value)
        if truth is None:
            raise invalid("invalidValue", f'"{attribute.name}" is true or false')
        return truth
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    longest = LONGEST_NAME if attribute.name in _NAMES else LONGEST_TEXT
    if not isinstance(value, str) or len(value) > longest or any(ord(letter) < 32 for letter in value):
        raise invalid("invalidValue", f'"{attribute.name}" is one line of text, of at most {longest} characters')
    return value


def _parts(attribute: Attribute, value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and attribute.part("value") is not None:
        value = {"value": value}
    if not isinstance(value, dict):
        raise invalid("invalidValue", f'"{attribute.name}" has parts')
    sent = {str(name).lower(): part for name, part in value.items()}
    found: dict[str, Any] = {}
    for sub in attribute.sub:
        if sub.mutability != "readOnly" and (part := _single(sub, sent.get(sub.name.lower()))) is not None:
            found[sub.name] = part
    return found or None


def put(kept: Kept, urn: str, attribute: Attribute, value: Any) -> None:
    """Keep a value, or none."""
    holder = kept.setdefault(urn, {}) if urn else kept
    if value is None:
        holder.pop(attribute.name, None)
    else:
        holder[attribute.name] = value
    if urn and not holder:
        del kept[urn]


def complete(kind: Kind, kept: Kept) -> Kept:
    """With nothing missing that has to be there. Raises ScimError: invalidValue."""
    for _, attribute in part_of(kind):
        if attribute.required and attribute.name not in kept:
            raise invalid("invalidValue", f'"{attribute.name}" is required')
    return kept


def whole(kind: Kind, kept: Kept, stamp: Stamp, root: str, links: Mapping[str, str]) -> Kept:
    """The resource as it is filtered and answered. `links` are a user's groups or a group's members, by id, and what they are
    called, "" to leave that out."""
    location = f"{root}{kind.endpoint}/{stamp.id}"
    found: Kept = {
        "schemas": [kind.schema.id, *(each.id for each in kind.extensions if each.id in kept)],
        "id": stamp.id,
        **kept,
        "meta": {
            "resourceType": kind.name,
            "created": stamp.created,
            "lastModified": stamp.modified,
            "location": location,
            "version": stamp.tag,
        },
    }
    other, name, type = (USERS, "members", "User") if kind is GROUPS else (GROUPS, "groups", "direct")
    if links:
        found[name] = [
            {
                "value": id,
                "$ref": f"{root}{other.endpoint}/{id}",
                **({"display": display} if display else {}),
                "type": type,
            }
            for id, display in links.items()
        ]
    return found


def chosen(kind: Kind, resource: Kept, wanted: str, unwanted: str) -> Kept:
    """What of a resource is answered: only the attributes that are `wanted`, or all but those `unwanted`; both are lists with commas.
    What was asked for and is not kept is not there. (RFC 7644, section 3.9)"""
    if wanted:
        found: Kept = {"schemas": resource["schemas"], "id": resource["id"]}
        for name in wanted.split(","):
            _copy(kind, name.strip(), resource, found)
        return found
    found = dict(resource)
    for name in unwanted.split(","):
        _leave_out(kind, name.strip(), found)
    return found


def _copy(kind: Kind, name: str, resource: Kept, found: Kept) -> None:
    if (extension := kind.extension(name)) is not None:
        if extension.id in resource:
            found[extension.id] = resource[extension.id]
        return
    try:
        place = kind.place(name)
    except KeyError:
        return
    holder = resource.get(place.urn, {}) if place.urn else resource
    value = holder.get(place.attribute.name)
    if value is None:
        return
    if place.sub is not None:
        value = _only(value, place.sub.name)
    into = found.setdefault(place.urn, {}) if place.urn else found
    before = into.get(place.attribute.name)
    into[place.attribute.name] = _merged(before, value) if before is not None else value


def _only(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_only(each, name) for each in value]
    return {name: value[name]} if name in value else {}


def _merged(one: Any, other: Any) -> Any:
    """Two parts of the same value."""
    if isinstance(one, list):
        return [{**each, **more} for each, more in zip(one, other, strict=True)]
    return {**one, **other} if isinstance(one, dict) else other


def _leave_out(kind: Kind, name: str, found: Kept) -> None:
    if (extension := kind.extension(name)) is not None:
        found.pop(extension.id, None)
        return
    try:
        place = kind.place(name)
    except KeyError:
        return
    if place.attribute is COMMON[0]:
        return
    holder = dict(found.get(place.urn, {})) if place.urn else found
    value = holder.get(place.attribute.name)
    if place.sub is None:
        holder.pop(place.attribute.name, None)
    elif isinstance(value, list):
        holder[place.attribute.name] = [{n: v for n, v in each.items() if n != place.sub.name} for each in value]
    elif value is not None:
        holder[place.attribute.name] = {n: v for n, v in value.items() if n != place.sub.name}
    if place.urn and place.urn in found:
        found[place.urn] = holder
