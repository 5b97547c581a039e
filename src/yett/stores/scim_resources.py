"""Users and groups as the identity provider that provisions them reads and changes them: one directory of the store."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from yett.scim.errors import ScimError, invalid
from yett.scim.filter import holds, mentions, pinned
from yett.scim.listing import Query
from yett.scim.patch import Operation, concerned, left, patch
from yett.scim.resource import Kept, Stamp, whole
from yett.scim.schema import GROUPS, USERS, Kind
from yett.scim.service import Entry, linked, tag_in
from yett.stores.database import parameters
from yett.stores.directory import CHUNK, DirectoryStore, chunks, decode, next_serial

MOST_GROUPS = 10_000
MOST_SCANNED = 20_000  # resources that a filter is held against, when nothing in it can be looked up
MOST_LINKS = 50_000  # members that one answer has altogether
MOST_TOLD = 100  # members that a record names
_FROM_3, _FROM_4 = parameters(3, CHUNK), parameters(4, CHUNK)
_COLUMNS = "id, document, created, modified, version"
_WHOSE = "FROM scim_resources WHERE directory = $1 AND kind = $2"
_ALL = f"SELECT {_COLUMNS} {_WHOSE} ORDER BY id"
_PAGE = f"SELECT {_COLUMNS} {_WHOSE} ORDER BY id LIMIT $3 OFFSET $4"
_BY = {
    "id": f"SELECT {_COLUMNS} {_WHOSE} AND id = $3 ORDER BY id",
    "name": f"SELECT {_COLUMNS} {_WHOSE} AND name = $3 ORDER BY id",
    "externalId": f"SELECT {_COLUMNS} {_WHOSE} AND external = $3 ORDER BY id",
}
_TAKEN = f"SELECT id {_WHOSE} AND name = $3"
_THERE = f"SELECT id {_WHOSE} AND id IN ({_FROM_3})"
_INSERT = "INSERT INTO scim_resources VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, $9)"
_UPDATE = (
    "UPDATE scim_resources SET name = $4, external = $5, display = $6, document = $7, modified = $8, version = version + 1, serial = $9"
    " WHERE directory = $1 AND kind = $2 AND id = $3"
)
_TOUCH = f"UPDATE scim_resources SET version = version + 1, serial = $3 WHERE directory = $1 AND kind = $2 AND id IN ({_FROM_4})"  # noqa: S608
_TOUCH_MEMBERS = (
    "UPDATE scim_resources SET version = version + 1, serial = $2 WHERE directory = $1 AND kind = 'User'"
    " AND id IN (SELECT user_id FROM scim_members WHERE directory = $1 AND group_id = $3)"
)
_TOUCH_GROUPS = (
    "UPDATE scim_resources SET version = version + 1, serial = $2 WHERE directory = $1 AND kind = 'Group'"
    " AND id IN (SELECT group_id FROM scim_members WHERE directory = $1 AND user_id = $3)"
)
_DELETE = "DELETE FROM scim_resources WHERE directory = $1 AND kind = $2 AND id = $3"
_COUNT = "SELECT resources FROM scim_counts WHERE directory = $1 AND kind = $2"
_COUNTED = (
    "INSERT INTO scim_counts VALUES ($1, $2, $3)"
    " ON CONFLICT (directory, kind) DO UPDATE SET resources = scim_counts.resources + excluded.resources"
)
_JOIN = "INSERT INTO scim_members VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_LEAVE = f"DELETE FROM scim_members WHERE directory = $1 AND group_id = $2 AND user_id IN ({_FROM_3})"  # noqa: S608
_LEAVE_ALL = "DELETE FROM scim_members WHERE directory = $1 AND group_id = $2"
_LEFT = "DELETE FROM scim_members WHERE directory = $1 AND user_id = $2"
_MEMBERS = "SELECT user_id FROM scim_members WHERE directory = $1 AND group_id = $2"
_AMONG = f"{_MEMBERS} AND user_id IN ({_FROM_3})"
_MEMBERS_SHOWN = (
    "SELECT group_id, user_id, '' FROM scim_members WHERE directory = $1 AND group_id = $2 ORDER BY user_id LIMIT $3"
)
_GROUPS_SHOWN = (
    "SELECT m.user_id, m.group_id, r.display FROM scim_members m JOIN scim_resources r"
    " ON r.directory = m.directory AND r.kind = 'Group' AND r.id = m.group_id"
    " WHERE m.directory = $1 AND m.user_id = $2 ORDER BY m.group_id LIMIT $3"
)
_LOOKED_UP = {
    "User": frozenset(("id", "userName", "externalId")),
    "Group": frozenset(("id", "displayName", "externalId")),
}


class StoredResources:
    """Implements `scim.service.Resources` for one directory, at one moment (whole seconds)."""

    def __init__(self, store: DirectoryStore, directory: str, now: int, most_users: int) -> None:
        self._store = store
        self._database = store.database
        self._directory = directory
        self._now = now
        self._most = {USERS: most_users, GROUPS: MOST_GROUPS}

    # ---- reading ----

    def get(self, kind: Kind, id: str, *, links: bool) -> Entry:
        found = self._rows("id", kind, id)
        if not found:
            raise ScimError(404, "", f"there is no {kind.name} with this id")
        return self._entries(kind, found, links=links)[0]

    def find(self, kind: Kind, query: Query) -> tuple[list[Entry], int]:
        links, filter = linked(kind, query.wanted, query.unwanted), query.filter
        if filter is None:
            total = self._count(kind)
            rows = self._database.rows(_PAGE, self._directory, kind.name, query.count, query.start - 1)
            return self._entries(kind, rows, links=links), total
        if (known := pinned(filter, _LOOKED_UP[kind.name])) is not None:
            rows = self._rows(known[0], kind, known[1])
        elif self._count(kind) > MOST_SCANNED:
            raise invalid(
                "tooMany", f"with more than {MOST_SCANNED} of them, a filter needs an id, a name or an externalId"
            )
        else:
            rows = self._database.rows(_ALL, self._directory, kind.name)
        needed = mentions(filter, "groups") or mentions(filter, "members")
        entries = self._entries(kind, rows, links=needed)
        right = [each for each in entries if holds(filter, whole(kind, each.kept, each.stamp, "", each.links))]
        page = right[query.start - 1 : query.start - 1 + query.count]
        if links and not needed:
            page = [
                Entry(each.stamp, each.kept, found) for each, found in zip(page, self._links(kind, page), strict=True)
            ]
        return page, len(right)

    # ---- writing ----

    def create(self, kind: Kind, kept: Kept, members: tuple[str, ...]) -> Entry:
        id = secrets.token_hex(12)
        kept = {"active": True, **kept} if kind is USERS else kept
        with self._database.writing():
            if self._count(kind) >= self._most[kind]:
                raise ScimError(409, "tooMany", f"there are {self._most[kind]} of them already, and no more are taken")
            name, display = self._names(kind, kept, "")
            row = (name, str(kept.get("externalId", "")), display, _json(kept), self._now)
            serial = self._next()
            self._database.run(_INSERT, self._directory, kind.name, id, *row, serial)
            self._database.run(_COUNTED, self._directory, kind.name, 1)
            self._set_members(id, frozenset(), frozenset(members), serial)
            self._tell("scim.create", kind, id, {}, kept, frozenset(), frozenset(members))
        return self.get(kind, id, links=True)

    def replace(self, kind: Kind, id: str, kept: Kept, members: tuple[str, ...], match: str) -> Entry:
        with self._database.writing():
            before = self._matching(kind, id, match)
            now = self._members(id) if kind is GROUPS else frozenset[str]()
            if "active" in before.kept:
                kept = {"active": before.kept["active"], **kept}
            self._change("scim.replace", kind, before, kept, now, frozenset(members))
        return self.get(kind, id, links=True)

    def patch(self, kind: Kind, id: str, operations: tuple[Operation, ...], match: str) -> Entry:
        with self._database.writing():
            before = self._matching(kind, id, match)
            kept, steps = patch(kind, before.kept, operations)
            now = self._members(id, concerned(steps))
            self._change("scim.patch", kind, before, kept, now, left(steps, now))
        return self.get(kind, id, links=kind is USERS)

    def remove(self, kind: Kind, id: str, match: str) -> None:
        with self._database.writing():
            self._matching(kind, id, match)
            serial = self._next()
            self._database.run(_TOUCH_GROUPS if kind is USERS else _TOUCH_MEMBERS, self._directory, serial, id)
            self._database.run(_LEFT if kind is USERS else _LEAVE_ALL, self._directory, id)
            self._database.run(_DELETE, self._directory, kind.name, id)
            self._database.run(_COUNTED, self._directory, kind.name, -1)
            self._store.removed(self._directory, kind.name, id, serial)
            self._store.witness("scim.remove", self._directory, id, {"kind": kind.name})

    def _change(
        self, event: str, kind: Kind, before: Entry, kept: Kept, now: frozenset[str], then: frozenset[str]
    ) -> None:
        """What changes nothing is no change, and is not recorded."""
        id = before.stamp.id
        if kept == before.kept and now == then:
            return
        name, display = self._names(kind, kept, id)
        serial = self._next()
        if kind is GROUPS and name != str(before.kept["displayName"]).casefold():
            self._database.run(_TOUCH_MEMBERS, self._directory, serial, id)
        row = (name, str(kept.get("externalId", "")), display, _json(kept), self._now)
        self._database.run(_UPDATE, self._directory, kind.name, id, *row, serial)
        self._set_members(id, now, then, serial)
        self._tell(event, kind, id, before.kept, kept, now, then)

    def _tell(
        self, event: str, kind: Kind, id: str, before: Kept, kept: Kept, now: frozenset[str], then: frozenset[str]
    ) -> None:
        changed = sorted(name for name in before.keys() | kept.keys() if before.get(name) != kept.get(name))
        detail: dict[str, object] = {"kind": kind.name, "changed": changed}
        if kind is GROUPS:
            detail["name"] = kept["displayName"]
        else:
            detail["active"] = kept.get("active", False)
        for name, ids in (("joined", then - now), ("left", now - then)):
            if ids:
                detail |= {name: sorted(ids)[:MOST_TOLD], f"{name}_count": len(ids)}
        self._store.witness(event, self._directory, id, detail)

    def _matching(self, kind: Kind, id: str, match: str) -> Entry:
        entry = self.get(kind, id, links=False)
        if match and not tag_in(match, entry.stamp):
            raise ScimError(412, "", "the resource has been changed meanwhile")
        return entry

    def _names(self, kind: Kind, kept: Kept, id: str) -> tuple[str, str]:
        """What is unique, and what people read."""
        attribute = "displayName" if kind is GROUPS else "userName"
        name = str(kept[attribute]).casefold()
        if any(other != id for (other,) in self._database.rows(_TAKEN, self._directory, kind.name, name)):
            raise ScimError(409, "uniqueness", f"there is a {kind.name} with this {attribute} already")
        return name, str(kept.get("displayName") or kept[attribute])

    def _set_members(self, group: str, now: frozenset[str], then: frozenset[str], serial: int) -> None:
        new, gone = then - now, now - then
        for ids in chunks(new):
            there = {id for (id,) in self._database.rows(_THERE, self._directory, "User", *ids)}
            if missing := next((id for id in ids if id not in there), ""):
                raise invalid(
                    "invalidValue", f'there is no User with the id "{missing[:100]}", and groups have no other members'
                )
        for id in new:
            self._database.run(_JOIN, self._directory, group, id)
        for ids in chunks(gone):
            self._database.run(_LEAVE, self._directory, group, *ids)
        for ids in chunks(new | gone):
            self._database.run(_TOUCH, self._directory, "User", serial, *ids)

    def _next(self) -> int:
        return next_serial(self._database)

    # ---- rows ----

    def _count(self, kind: Kind) -> int:
        rows = self._database.rows(_COUNT, self._directory, kind.name)
        return int(rows[0][0]) if rows else 0

    def _rows(self, attribute: str, kind: Kind, value: str) -> list[tuple[Any, ...]]:
        column = "name" if attribute in ("userName", "displayName") else attribute
        value = value.casefold() if column == "name" else value
        if not value.isprintable():  # nothing that is kept is like that, and not every database takes it
            return []
        return self._database.rows(_BY[column], self._directory, kind.name, value)

    def _members(self, group: str, among: frozenset[str] | None = None) -> frozenset[str]:
        """Of a group with many, who is asked about is looked up, not all of them."""
        if among is None:
            return frozenset(id for (id,) in self._database.rows(_MEMBERS, self._directory, group))
        found = (self._database.rows(_AMONG, self._directory, group, *ids) for ids in chunks(among))
        return frozenset(id for rows in found for (id,) in rows)

    def _entries(self, kind: Kind, rows: list[tuple[Any, ...]], *, links: bool) -> list[Entry]:
        found = [
            Entry(Stamp(str(id), _when(created), _when(modified), int(version)), decode(document), {})
            for id, document, created, modified, version in rows
        ]
        if not links:
            return found
        return [Entry(each.stamp, each.kept, more) for each, more in zip(found, self._links(kind, found), strict=True)]

    def _links(self, kind: Kind, entries: list[Entry]) -> Iterator[Mapping[str, str]]:
        room = MOST_LINKS if len(entries) > 1 else 2**31 - 1  # one group is answered however large it is
        for entry in entries:
            statement = _GROUPS_SHOWN if kind is USERS else _MEMBERS_SHOWN
            rows = self._database.rows(statement, self._directory, entry.stamp.id, room + 1)
            room -= len(rows)
            if room < 0:
                raise invalid(
                    "tooMany", "the groups have too many members for one answer; exclude them, or ask for fewer"
                )
            yield {str(id): str(display) for _, id, display in rows}


def _json(kept: Kept) -> str:
    return msgspec.json.encode(kept).decode()


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
