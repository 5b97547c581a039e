"""The fences that were drawn: by `yett revoke`, by events of an identity provider; read by every running gateway.

They are beside the keys in `<state>/yett.db` and reach a gateway as keys do: it holds all of them in memory, asks `version()`
a few times a second, and reads `all()` when the answer has changed. No call reads this.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from yett.model.fence import Fence
from yett.stores.database import Database, Tables, opening
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "fences",
        (
            """CREATE TABLE fences (
                name TEXT NOT NULL,
                sessions INTEGER NOT NULL CHECK (sessions IN (0, 1)),
                serial INTEGER NOT NULL,
                since INTEGER NOT NULL,
                until INTEGER NOT NULL,
                reason TEXT NOT NULL,
                source TEXT NOT NULL,
                PRIMARY KEY (name, sessions)
            ) STRICT""",
            """CREATE TABLE fence_state (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                serial INTEGER NOT NULL
            ) STRICT""",
            "INSERT INTO fence_state VALUES (1, 0)",
            # events of identity providers that were acted on: each counts once
            """CREATE TABLE fence_events (
                source TEXT NOT NULL,
                jti TEXT NOT NULL,
                expires INTEGER NOT NULL,
                PRIMARY KEY (source, jti)
            ) STRICT, WITHOUT ROWID""",
        ),
    ),
)
_COLUMNS = "name, serial, since, until, sessions, reason, source"
_ALL = f"SELECT {_COLUMNS} FROM fences ORDER BY serial"  # noqa: S608
_NAMED = f"SELECT {_COLUMNS} FROM fences WHERE name = $1 ORDER BY serial"  # noqa: S608
# A fence is only ever made stricter here: a later event about sessions does not take back what an earlier one ended, and a
# fence without an end keeps none. Lifting is another thing.
_DRAW = (
    f"INSERT INTO fences ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)"  # noqa: S608
    " ON CONFLICT (name, sessions) DO UPDATE SET serial = excluded.serial, since = CASE WHEN fences.since > excluded.since THEN fences.since ELSE excluded.since END,"
    " until = CASE WHEN fences.until = 0 OR excluded.until = 0 THEN 0"
    " WHEN fences.until > excluded.until THEN fences.until ELSE excluded.until END,"
    " reason = excluded.reason, source = excluded.source"
)
_OVER = "DELETE FROM fences WHERE until <> 0 AND until <= $1"
_LIFT = "DELETE FROM fences WHERE name = $1"
_SERIAL = "SELECT serial FROM fence_state WHERE one = 1"
_NEXT = "UPDATE fence_state SET serial = serial + 1 WHERE one = 1 RETURNING serial"
_FORGET = "DELETE FROM fence_events WHERE expires <= $1"
_SEEN = "INSERT INTO fence_events VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

Witness = Callable[[str, Fence], None]


class Event(Struct, frozen=True):
    """What a fence follows from, so that it is not acted on twice: who sent it, its id, and until when that is remembered."""

    source: str
    jti: str
    expires: int


def nobody(_event: str, _fence: Fence) -> None:
    """The witness when changes of fences are not recorded."""


class FenceStore(Tables):
    """The fences in `<state>/yett.db`, or in a database that several machines share. `witness(event, fence)` is called inside each
    transaction, just before it commits: if it raises, nothing has changed. Events: fence.draw, fence.lift.

    Every method may raise IntegrityError (damaged) or StoreUnavailable (locked, full, not permitted).
    """

    def __init__(self, database: Database, witness: Witness) -> None:
        super().__init__(database)
        self._witness = witness

    @classmethod
    def open(cls, state: Path, *, witness: Witness = nobody, database: Database | None = None) -> FenceStore:
        """Open the store in the state directory, or in `database`, which is closed with it."""
        with opening(state, database) as shared:
            shared.migrate("fences", MIGRATIONS)
        return cls(shared, witness)

    def version(self) -> int:
        """The serial of the last change, whoever made it."""
        return self._database.version(_SERIAL)

    def all(self) -> tuple[Fence, ...]:
        """Oldest first; those that have ended stay until the next change."""
        return tuple(_fence(row) for row in self._database.rows(_ALL))

    def draw(
        self,
        names: tuple[str, ...],
        now: int,
        *,
        until: int = 0,
        sessions: bool = False,
        since: int = 0,
        reason: str = "",
        source: str = "operator",
        event: Event | None = None,
    ) -> tuple[Fence, ...]:
        """Keep these out from `since` (0: now) on, all or none. A fence that is there already is made stricter, never weaker.
        Nothing is changed when `event` has been acted on before."""
        drawn = []
        with self._database.writing():
            if event is not None:
                self._database.run(_FORGET, now)
                if not self._database.run(_SEEN, event.source, event.jti, event.expires):
                    return ()
            self._database.run(_OVER, now)
            for name in names:
                serial = self._database.rows(_NEXT)[0][0]
                self._database.run(_DRAW, name, serial, since or now, until, int(sessions), reason, source)
                fence = next(each for each in self._named(name) if each.sessions == sessions)
                self._witness("fence.draw", fence)
                drawn.append(fence)
        return tuple(drawn)

    def lift(self, name: str, now: int) -> tuple[Fence, ...]:
        """Let them in again; the fences that were there."""
        with self._database.writing():
            self._database.run(_OVER, now)
            lifted = self._named(name)
            if lifted:
                self._database.run(_LIFT, name)
                self._database.rows(_NEXT)
            for fence in lifted:
                self._witness("fence.lift", fence)
        return lifted

    def _named(self, name: str) -> tuple[Fence, ...]:
        return tuple(_fence(row) for row in self._database.rows(_NAMED, name))


def _fence(row: tuple[object, ...]) -> Fence:
    name, serial, since, until, sessions, reason, source = row
    return Fence(
        str(name), int(str(serial)), int(str(since)), int(str(until)), bool(sessions), str(reason), str(source)
    )
