"""Reviews: what people said of findings, true or false, in a database of its own beside the keys.

A review names a finding by its call, side, kind and, where the text was stored, a keyed hash of what was found. The text
itself is never kept here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct, structs

from yett.stores.sqlite import Migration, connect, migrate, numbered, translated, writing

FILE = "reviews.db"
MIGRATIONS = (
    Migration(
        1,
        "reviews of findings",
        (
            """CREATE TABLE reviews (
                call TEXT NOT NULL,
                part TEXT NOT NULL CHECK (part IN ('request', 'reply')),
                kind TEXT NOT NULL,
                value TEXT NOT NULL,
                verdict INTEGER NOT NULL CHECK (verdict IN (0, 1)),
                detector TEXT NOT NULL,
                role TEXT NOT NULL,
                score REAL NOT NULL,
                team TEXT NOT NULL,
                reviewer TEXT NOT NULL,
                ts INTEGER NOT NULL,
                note TEXT NOT NULL,
                PRIMARY KEY (call, part, kind, value)
            ) STRICT""",
        ),
    ),
)
_COLUMNS = "call, part, kind, value, verdict, detector, role, score, team, reviewer, ts, note"
_PUT = numbered(
    f"INSERT INTO reviews ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"  # noqa: S608
    " ON CONFLICT (call, part, kind, value) DO UPDATE SET verdict = excluded.verdict, reviewer = excluded.reviewer,"
    " ts = excluded.ts, note = excluded.note"
)
_ALL = f"SELECT {_COLUMNS} FROM reviews ORDER BY ts, call, part, kind, value"  # noqa: S608


class Review(Struct, frozen=True):
    """What one person said of one finding. `value` is a keyed hash, "" where the text was not stored; `ts` is seconds since
    the Unix epoch."""

    call: str
    part: str  # request | reply
    kind: str
    value: str
    verdict: bool
    detector: str = ""
    role: str = ""
    score: float = 1.0
    team: str = ""
    reviewer: str = ""
    ts: int = 0
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names the finding: a later review of the same takes the place of this one."""
        return self.call, self.part, self.kind, self.value


class ReviewStore:
    """`<state>/reviews.db`. Raises IntegrityError or StoreUnavailable, as all stores do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        migrate(self._connection, path, "reviews", MIGRATIONS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def put(self, review: Review) -> None:
        with writing(self._connection, self._path):
            self._connection.execute(_PUT, structs.astuple(review))

    def all(self) -> list[Review]:
        """Oldest first."""
        with translated(self._path):
            rows = self._connection.execute(_ALL).fetchall()
        names = Review.__struct_fields__
        return [msgspec.convert(dict(zip(names, row, strict=True)), Review, strict=False) for row in rows]
