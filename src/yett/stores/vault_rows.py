"""Rows of the vault: their table, in a file of this machine or in a database that several share. Everything here waits for it.

Whatever is there stays what it is until its time is over: of two gateways that put the same row, the first one's counts, and the other
is told.

Every function may raise IntegrityError (damaged) or StoreUnavailable (away, locked, full, not permitted).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.stores.database import Database, parameters, places
from yett.stores.sqlite import Migration

FEW = 500  # rows for one statement
_DELETED = 5000  # rows for one statement, which has seconds
_SWEPT = 500_000  # rows at a time, of what has expired
_OWNERS = 1000  # who have the most
MIGRATIONS = (
    Migration(
        1,
        "substitutes",
        (
            (
                "CREATE TABLE substitutes (task BLOB NOT NULL, name BLOB NOT NULL, sealed BLOB NOT NULL,"
                " expires INTEGER NOT NULL, PRIMARY KEY (task, name)) STRICT, WITHOUT ROWID"
            ),
            "CREATE INDEX substitutes_expires ON substitutes (expires)",
        ),
    ),
)
_PUT = (
    "INSERT INTO substitutes VALUES {} ON CONFLICT (task, name) DO UPDATE SET"
    " sealed = CASE WHEN substitutes.expires > {} THEN substitutes.sealed ELSE excluded.sealed END,"
    " expires = CASE WHEN substitutes.expires > excluded.expires THEN substitutes.expires ELSE excluded.expires END"
    " RETURNING task, name, sealed, expires"
)
_GET = "SELECT name, sealed, expires FROM substitutes WHERE task IN ($1, $2) AND expires > $3 AND name IN ({})"
_COUNT = "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM substitutes"
_EXPIRED = (
    "DELETE FROM substitutes WHERE (task, name) IN"
    " (SELECT task, name FROM substitutes WHERE expires <= $1 ORDER BY expires LIMIT $2{})"
)
_OWNED = "SELECT substr(task, 1, 16), count(*) FROM substitutes GROUP BY 1 ORDER BY 2 DESC LIMIT $1"
_SURPLUS = (
    "DELETE FROM substitutes WHERE (task, name) IN"
    " (SELECT task, name FROM substitutes WHERE task >= $1 AND task < $2 ORDER BY expires LIMIT $3{})"
)
_LOCKED = " FOR UPDATE SKIP LOCKED"  # who deletes waits for nobody, so that nobody can wait for each other
_ALL = b"\xff" * 40  # beyond the names of all tasks
_FIRST = "SELECT task, name, sealed, expires FROM substitutes ORDER BY task, name LIMIT $1"
_REMOVE = "DELETE FROM substitutes WHERE task = $1 AND name = $2"
Row = tuple[bytes, bytes, bytes, int]  # task, name, sealed, expires


class Swept(Struct, frozen=True):
    """How many rows went, and what is left: rows, and bytes of what is sealed in them."""

    gone: int
    rows: int
    bytes: int


def put(database: Database, rows: Sequence[Row], now: int) -> list[Row]:
    """Write FEW rows at most; as they are there now."""
    sql = _PUT.format(places(len(rows), 4), f"${4 * len(rows) + 1}")
    return database.rows(sql, *(value for row in rows for value in row), now)


def get(
    database: Database, tasks: tuple[bytes, bytes], names: Sequence[bytes], now: int
) -> list[tuple[bytes, bytes, int]]:
    """What is there under FEW names at most, whichever of the two names its task had: name, sealed, expires."""
    return database.rows(_GET.format(parameters(4, len(names))), *tasks, now, *names)


def first(database: Database) -> list[Row]:
    """FEW of them, or all."""
    return database.rows(_FIRST, FEW)


def remove(database: Database, rows: Sequence[Row]) -> None:
    with database.writing():
        for task, name, *_ in rows:
            database.run(_REMOVE, task, name)


def check_writing(database: Database) -> None:
    """Raises what writing would."""
    database.run(_REMOVE, b"", b"")  # there is none


def sweep(database: Database, most: int, now: int) -> Swept:
    """Let go of what has expired, and of what is more than `most` rows. It may take minutes."""
    locked = _LOCKED if database.remote else ""
    gone = _delete(database, _EXPIRED.format(locked), _SWEPT, now)
    ((rows, size),) = database.rows(_COUNT)
    if rows > most:
        gone += _make_room(database, _SURPLUS.format(locked), rows - most)
        ((rows, size),) = database.rows(_COUNT)
    return Swept(gone, rows, int(size))


def _make_room(database: Database, sql: str, surplus: int) -> int:
    """Whoever has the most loses some, what would expire first: nobody's values make room for a flood of another's."""
    owned = database.rows(_OWNED, _OWNERS)
    shares = excess([count for _, count in owned], surplus, floor=owned[-1][1] if len(owned) == _OWNERS else 0)
    gone = 0
    for (owner, _), share in zip(owned, shares, strict=False):
        gone += _delete(database, sql, min(share, surplus - gone), owner, owner + _ALL)
    return gone + _delete(database, sql, surplus - gone, b"", _ALL)


def _delete(database: Database, sql: str, most: int, *values: object) -> int:
    """Run a statement whose last value is how many rows it may delete until it finds none, or so many are gone: how many."""
    gone = 0
    while gone < most:
        few = min(_DELETED, most - gone)
        found = database.run(sql, *values, few)
        gone += found
        if found < few:
            break
    return gone


def excess(counts: Sequence[int], surplus: int, floor: int = 0) -> list[int]:
    """How many each has to give, of those who have the most (`counts`, falling), so that `surplus` is given and those who gave have
    equally many; nobody has less than `floor` then."""
    total = 0
    for number, count in enumerate(counts, 1):
        total += count
        level = counts[number] if number < len(counts) else floor
        if total - number * level >= surplus:
            level = (total - surplus) // number
            return [each - level for each in counts[:number]]
    return [each - floor for each in counts]
