"""The gateways that share a database, as they last said themselves: what they can open, and which configuration they run.

Each process writes its row every few seconds and takes it away when it ends. Nobody waits for a row, and no call reads one: they are
for who changes something that all of them have to follow.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from yett.stores.database import Database
from yett.stores.kek import opens
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "replicas",
        (
            """CREATE TABLE replicas (
                id TEXT PRIMARY KEY,
                seen INTEGER NOT NULL,
                said TEXT NOT NULL
            ) STRICT""",
        ),
    ),
)
SAY_SECONDS = 5.0
GONE_SECONDS = 30  # without a word; generous to clocks that differ
FORGOTTEN_SECONDS = 86_400
_SAY = (
    "INSERT INTO replicas VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, said = excluded.said"
)
_FORGET = "DELETE FROM replicas WHERE id = $1 OR seen < $2"
_ALL = "SELECT id, seen, said FROM replicas ORDER BY id"


class Replica(Struct, frozen=True):
    """What one process says of itself. `keks` are the key-encryption keys that it has (empty: it needs none), `sealed` the latest
    change of the sealed credentials that it has read, `revision` that of the shared configuration that it runs (0: files), and
    `refused` why it does not run a later one."""

    version: str  # of Yett
    keks: tuple[str, ...] = ()
    sealed: int = 0
    revision: int = 0
    refused: str = ""


class Replicas:
    """Raises IntegrityError, StoreUnavailable. Times are seconds since the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("replicas", MIGRATIONS)

    def say(self, id: str, replica: Replica, now: int) -> None:
        # not in `writing`, which tells everybody: nobody has to look because of it
        self._database.run(_SAY, id, now, msgspec.json.encode(replica).decode())

    def leave(self, id: str, now: int) -> None:
        """Take back what this one has said, and what those said who have not been heard of for long."""
        self._database.run(_FORGET, id, now - FORGOTTEN_SECONDS)

    def living(self, now: int) -> dict[str, Replica]:
        """By id."""
        rows = self._database.rows(_ALL)
        return {
            str(id): msgspec.json.decode(said, type=Replica) for id, seen, said in rows if seen > now - GONE_SECONDS
        }

    def without(self, keks: Iterable[str], now: int) -> list[str]:
        """Those that could not open what is under one of these key-encryption keys."""
        wanted = tuple(keks)
        return [
            id
            for id, replica in self.living(now).items()
            if replica.keks and not all(opens(replica.keks, kek) for kek in wanted)
        ]
