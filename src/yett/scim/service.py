"""One request of a SCIM client and its answer, over whatever keeps the resources (RFC 7644, section 3).

GET    /Users /Groups                 a page of them: filter, startIndex, count, attributes, excludedAttributes
POST   /Users /Groups                 create one: 201
GET    /Users/ID                      one; 304 when it is as If-None-Match says
PUT    /Users/ID                      replace it; 412 when it is not as If-Match says
PATCH  /Users/ID                      change parts of it; a group is answered (204) only where attributes of it are asked for
DELETE /Users/ID                      204
POST   /Users/.search                 a page, asked for in the body
POST   /.search                       a page of users and groups
GET    /ServiceProviderConfig /ResourceTypes /Schemas
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.scim import listing
from yett.scim.errors import ScimError, invalid
from yett.scim.listing import Query
from yett.scim.patch import Operation
from yett.scim.patch import read as read_patch
from yett.scim.resource import Kept, Stamp, chosen, members, read, whole
from yett.scim.schema import GROUPS, KINDS, Kind, resource_types, schemas, service_provider_config


class Request(Struct, frozen=True):
    """`path` is what follows the root, which is that of the answers' addresses. `match` and `unmatch` are If-Match and If-None-Match."""

    method: str
    path: str
    parameters: Mapping[str, str]
    body: bytes
    root: str
    match: str = ""
    unmatch: str = ""


class Answer(Struct, frozen=True):
    """`body` is None for none."""

    status: int
    body: object = None
    tag: str = ""
    location: str = ""


class Entry(Struct, frozen=True):
    """A resource as it is kept. `links` are a user's groups, with what they are called, or a group's members, by id."""

    stamp: Stamp
    kept: Kept
    links: Mapping[str, str]


class Resources(Protocol):
    """The users and groups of one directory. Everything may raise ScimError: 404, 409 uniqueness, 412, 400."""

    def find(self, kind: Kind, query: Query) -> tuple[list[Entry], int]:
        """A page, and how many there are altogether. The links of groups are left out where the query leaves out members."""
        ...

    def get(self, kind: Kind, id: str, *, links: bool) -> Entry: ...

    def create(self, kind: Kind, kept: Kept, members: tuple[str, ...]) -> Entry:
        """A user is active unless it is said that it is not."""
        ...

    def replace(self, kind: Kind, id: str, kept: Kept, members: tuple[str, ...], match: str) -> Entry:
        """Whether a user is active stays as it was unless it is said: who was deactivated does not come back by the way."""
        ...

    def patch(self, kind: Kind, id: str, operations: tuple[Operation, ...], match: str) -> Entry:
        """A group comes without its members: there may be many, of whom one was added."""
        ...

    def remove(self, kind: Kind, id: str, match: str) -> None: ...


def serve(request: Request, resources: Resources) -> Answer:
    """Raises whatever the resources raise; what the client did wrong is an answer."""
    try:
        return _served(request, resources)
    except ScimError as error:
        return Answer(error.status, error.document())


def _served(request: Request, resources: Resources) -> Answer:
    name, _, id = request.path.strip("/").partition("/")
    kind = next((kind for kind in KINDS if kind.endpoint == f"/{name}"), None)
    if name == ".search" and not id:
        _only(request, "POST")
        return _everything(_json(request), request, resources)
    if kind is None:
        return _published(request, name, id)
    if not id:
        return _all(kind, request, resources)
    if id == ".search":
        _only(request, "POST")
        return _page(kind, listing.search(kind, _json(request)), request, resources)
    return _one(kind, id, request, resources)


def _published(request: Request, name: str, id: str) -> Answer:
    if name in ("Bulk", "Me"):
        raise ScimError(501, "", f"/{name} is not supported; see /ServiceProviderConfig")
    lists = {"Schemas": schemas, "ResourceTypes": resource_types}
    if name == "ServiceProviderConfig" and not id:
        _only(request, "GET")
        return Answer(200, service_provider_config(request.root))
    if name not in lists:
        raise ScimError(404, "", "there is no such endpoint")
    _only(request, "GET")
    if "filter" in request.parameters:  # RFC 7644, section 4
        raise ScimError(403, "", "this list cannot be filtered")
    found = lists[name](request.root)
    if not id:
        return Answer(200, listing.answer(found, len(found), 1))
    one = next((each for each in found if str(each["id"]).lower() == id.lower()), None)
    if one is None:
        raise ScimError(404, "", "there is no such document")
    return Answer(200, one)


def _all(kind: Kind, request: Request, resources: Resources) -> Answer:
    _only(request, "GET", "POST")
    if request.method == "GET":
        return _page(kind, listing.query(kind, request.parameters), request, resources)
    wanted, unwanted = listing.shown(request.parameters)
    body = _json(request)
    kept = read(kind, body)
    entry = resources.create(kind, kept, members(body) if kind is GROUPS else ())
    return _entry(kind, entry, request, wanted, unwanted, status=201)


def _one(kind: Kind, id: str, request: Request, resources: Resources) -> Answer:
    _only(request, "GET", "PUT", "PATCH", "DELETE")
    wanted, unwanted = listing.shown(request.parameters)
    if request.method == "DELETE":
        resources.remove(kind, id, request.match)
        return Answer(204)
    if request.method == "PUT":
        body = _json(request)
        kept = read(kind, body)
        entry = resources.replace(kind, id, kept, members(body) if kind is GROUPS else (), request.match)
    elif request.method == "PATCH":
        entry = resources.patch(kind, id, read_patch(_json(request)), request.match)
        if kind is GROUPS and not wanted:
            return Answer(204, tag=entry.stamp.tag)
        if kind is GROUPS:
            entry = resources.get(kind, id, links=linked(kind, wanted, unwanted))
    else:
        entry = resources.get(kind, id, links=linked(kind, wanted, unwanted))
        if tag_in(request.unmatch, entry.stamp):
            return Answer(304, tag=entry.stamp.tag)
    return _entry(kind, entry, request, wanted, unwanted)


def _page(kind: Kind, query: Query, request: Request, resources: Resources) -> Answer:
    entries, total = resources.find(kind, query)
    found = [_shown(kind, each, request.root, query.wanted, query.unwanted) for each in entries]
    return Answer(200, listing.answer(found, total, query.start))


def _everything(body: Any, request: Request, resources: Resources) -> Answer:
    """Users, then groups. A filter that means nothing for one of them finds none of these."""
    found: list[Kept] = []
    total, meant, refused = 0, 0, ScimError(400, "", "")
    asked = Query()
    for kind in KINDS:
        try:
            asked = listing.search(kind, body)
        except ScimError as error:
            refused = error
            continue
        meant += 1
        part = replace(asked, start=max(1, asked.start - total), count=asked.count - len(found))
        entries, more = resources.find(kind, part)
        found += [_shown(kind, each, request.root, asked.wanted, asked.unwanted) for each in entries]
        total += more
    if not meant:
        raise refused
    return Answer(200, listing.answer(found, total, asked.start))


def _entry(kind: Kind, entry: Entry, request: Request, wanted: str, unwanted: str, status: int = 200) -> Answer:
    location = f"{request.root}{kind.endpoint}/{entry.stamp.id}"
    return Answer(status, _shown(kind, entry, request.root, wanted, unwanted), entry.stamp.tag, location)


def _shown(kind: Kind, entry: Entry, root: str, wanted: str, unwanted: str) -> Kept:
    return chosen(kind, whole(kind, entry.kept, entry.stamp, root, entry.links), wanted, unwanted)


def linked(kind: Kind, wanted: str, unwanted: str) -> bool:
    """Whether the members of a group, or the groups of a user, are to be answered."""
    name = "members" if kind is GROUPS else "groups"
    if wanted:
        return name in wanted.lower()
    return name not in [each.strip().lower() for each in unwanted.split(",")]


def tag_in(written: str, stamp: Stamp) -> bool:
    """Whether a list of entity tags, or "*", has that of the resource. Compared weakly (RFC 9110, section 8.8.3.2)."""
    tags = [each.strip().removeprefix("W/") for each in written.split(",")]
    return "*" in tags or stamp.tag.removeprefix("W/") in tags


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise ScimError(405, "", f"this endpoint takes {', '.join(methods)}")


def _json(request: Request) -> Any:
    try:
        return msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid("invalidSyntax", "the body is no JSON that can be read") from None
