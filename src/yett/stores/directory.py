"""Users and groups that identity providers provision: in the same database as the keys, and read by every running gateway.

Each change has a serial. A gateway holds in memory what calls need; it asks `version()` a few times a second and reads what has a later
serial than the last it has seen. No call reads this. What was removed is remembered by its id for some 100,000 changes; who has seen
none of those reads everything anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from yett.errors import IntegrityError
from yett.scim.directory import Changes, Directory, Person, Rules, person
from yett.scim.resource import Kept
from yett.stores.database import Database, FileDatabase, parameters
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "directories",
        (
            # name: what is unique, in small letters; display: what people read
            """CREATE TABLE scim_resources (
                directory TEXT NOT NULL,
                kind TEXT NOT NULL CHECK (kind IN ('User', 'Group')),
                id TEXT NOT NULL,
                name TEXT NOT NULL,
                external TEXT NOT NULL,
                display TEXT NOT NULL,
                document TEXT NOT NULL,
                created INTEGER NOT NULL,
                modified INTEGER NOT NULL,
                version INTEGER NOT NULL,
                serial INTEGER NOT NULL,
                PRIMARY KEY (directory, kind, id)
            ) STRICT""",
            "CREATE UNIQUE INDEX scim_resources_name ON scim_resources (directory, kind, name)",
            "CREATE INDEX scim_resources_external ON scim_resources (directory, kind, external)",
            "CREATE INDEX scim_resources_serial ON scim_resources (directory, kind, serial, id)",
            """CREATE TABLE scim_members (
                directory TEXT NOT NULL,
                group_id TEXT NOT NULL,
                user_id TEXT NOT NULL,
                PRIMARY KEY (directory, group_id, user_id)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX scim_members_user ON scim_members (directory, user_id)",
            """CREATE TABLE scim_removed (
                directory TEXT NOT NULL,
                kind TEXT NOT NULL,
                id TEXT NOT NULL,
                serial INTEGER NOT NULL,
                PRIMARY KEY (directory, kind, id)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE scim_counts (
                directory TEXT NOT NULL,
                kind TEXT NOT NULL,
                resources INTEGER NOT NULL,
                PRIMARY KEY (directory, kind)
            ) STRICT, WITHOUT ROWID""",
            """CREATE TABLE scim_state (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                serial INTEGER NOT NULL
            ) STRICT""",
            "INSERT INTO scim_state VALUES (1, 0)",
            """CREATE TABLE scim_tokens (
                id TEXT PRIMARY KEY,
                directory TEXT NOT NULL,
                digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
                last4 TEXT NOT NULL,
                created INTEGER NOT NULL,
                expires INTEGER NOT NULL,
                revoked INTEGER NOT NULL
            ) STRICT""",
        ),
    ),
)

REMEMBERED = 100_000  # changes for which it is remembered what was removed
PAGE = 500  # changes that are read at a time
LATEST = 100  # changes that are looked at first, while more than a page is left to read
CHUNK = 100  # ids in a statement
_FROM_2 = parameters(2, CHUNK)
_REMOVED = "INSERT INTO scim_removed VALUES ($1, $2, $3, $4)"
_FORGET = "DELETE FROM scim_removed WHERE serial < $1"
_MEANT = {
    "userName": "SELECT id, document FROM scim_resources WHERE directory = $1 AND kind = 'User' AND name = $2 ORDER BY id",
    "externalId": "SELECT id, document FROM scim_resources WHERE directory = $1 AND kind = 'User' AND external = $2 ORDER BY id",
}
_SERIAL = "SELECT serial FROM scim_state WHERE one = 1"
_NEXT = "UPDATE scim_state SET serial = serial + 1 WHERE one = 1 RETURNING serial"
_CHANGED = (
    "SELECT serial, id, document FROM scim_resources WHERE directory = $1 AND kind = 'User' AND (serial, id) > ($2, $3)"
    " ORDER BY serial, id LIMIT $4"
)
_LATEST = (
    "SELECT serial, id, document FROM scim_resources WHERE directory = $1 AND kind = 'User' AND (serial, id) > ($2, $3)"
    " ORDER BY serial DESC, id DESC LIMIT $4"
)
_THEIR_GROUPS = (
    "SELECT m.user_id, g.name FROM scim_members m"  # noqa: S608
    " JOIN scim_resources g ON g.directory = m.directory AND g.kind = 'Group' AND g.id = m.group_id"
    f" WHERE m.directory = $1 AND m.user_id IN ({_FROM_2})"
)
_GROUPS_OF = (
    "SELECT g.name FROM scim_members m JOIN scim_resources g"
    " ON g.directory = m.directory AND g.kind = 'Group' AND g.id = m.group_id"
    " WHERE m.directory = $1 AND m.user_id = $2"
)
_GONE = "SELECT id FROM scim_removed WHERE directory = $1 AND kind = 'User' AND serial > $2"

Witness = Callable[[str, str, str, dict[str, object]], None]
decode = msgspec.json.Decoder(dict[str, Any]).decode


def nobody(_event: str, _directory: str, _id: str, _detail: dict[str, object]) -> None:
    """The witness when changes are not recorded."""


class DirectoryStore:
    """The directories in `<state>/yett.db`, or in a database that several machines share. `witness(event, directory, id, detail)`
    is called inside each transaction, just before it commits: if it raises, nothing has changed. Events: scim.create, scim.replace, scim.patch,
    scim.remove. The detail says what has changed: of people the names of attributes, not what is in them.

    Every method may raise IntegrityError (damaged) or StoreUnavailable (locked, full, not permitted).
    """

    def __init__(self, database: Database, witness: Witness) -> None:
        self.database = database
        self.witness = witness

    @classmethod
    def open(cls, state: Path, *, witness: Witness = nobody, database: Database | None = None) -> Self:
        """Open the store in the state directory, or in `database`, which is closed with it."""
        shared = database or FileDatabase(state)
        try:
            shared.migrate("directories", MIGRATIONS)
        except BaseException:
            shared.close()
            raise
        return cls(shared, witness)

    def close(self) -> None:
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> int:
        """The serial of the last change, whoever made it."""
        return self.database.version(_SERIAL)

    def changes(self, directory: Directory, version: int) -> Changes:
        """What a directory has not seen yet, up to this version; a page of it, or all. Raises LookupError for a directory that has seen too
        little: what has been removed since is not known any more."""
        name, seen, cursor = directory.rules.name, directory.serial, directory.cursor
        if directory.seen and directory.seen < version - REMEMBERED:
            raise LookupError(name)
        rows = self.database.rows(_CHANGED, name, seen, cursor, PAGE)
        groups: dict[str, set[str]] = {}
        through, complete = (seen, cursor), len(rows) < PAGE
        if rows:
            through = (int(rows[-1][0]), str(rows[-1][1]))
            if not complete:  # who is switched off now does not wait for thousands who have got another name
                rows = [*self.database.rows(_LATEST, name, *through, LATEST), *rows]
            for ids in chunks(frozenset(str(id) for _, id, _ in rows)):
                for id, group in self.database.rows(_THEIR_GROUPS, name, *ids):
                    groups.setdefault(id, set()).add(group)
        people = tuple(self._people(directory, rows, groups))
        removed = tuple(str(id) for (id,) in self.database.rows(_GONE, name, directory.seen))
        return Changes(people, removed, through, version, complete=complete)

    def named(self, rules: Rules, claim: str) -> list[tuple[Person, frozenset[str]]]:
        """Whom a token may mean, as they are now, each with the names of their groups, in small letters. It asks the database, for
        those who are too few to be held in memory; by an address nobody is found."""
        meant = _MEANT.get(rules.match)
        if meant is None or not claim.isprintable():
            return []
        said = claim.casefold() if rules.match == "userName" else claim
        found = []
        for id, document in self.database.rows(meant, rules.name, said):
            groups = frozenset(str(name) for (name,) in self.database.rows(_GROUPS_OF, rules.name, id))
            one = person(rules, id, self._kept(document), groups)
            if one.match == rules.said(claim):  # what is unique is so by more than tokens are compared by
                found.append((one, groups))
        return found

    def removed(self, directory: str, kind: str, id: str, serial: int) -> None:
        """Within the transaction that removes it: remember that it was there."""
        self.database.run(_FORGET, serial - REMEMBERED)
        self.database.run(_REMOVED, directory, kind, id, serial)

    def _people(
        self, directory: Directory, rows: Iterable[tuple[Any, ...]], groups: Mapping[str, set[str]]
    ) -> Iterator[Person]:
        none = frozenset[str]()
        for _, id, document in rows:
            yield person(directory.rules, id, self._kept(document), frozenset(groups.get(id, none)))

    def _kept(self, document: str) -> Kept:
        try:
            return decode(document)
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"{self.database.name} holds a user that cannot be read ({error})") from error


def next_serial(database: Database) -> int:
    """That of the change that is being made."""
    return int(database.rows(_NEXT)[0][0])


def chunks(ids: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """A hundred at a time, the last of them repeated: one statement does for all."""
    whole = sorted(ids)
    for start in range(0, len(whole), CHUNK):
        part = whole[start : start + CHUNK]
        yield (*part, *([part[-1]] * (CHUNK - len(part))))
