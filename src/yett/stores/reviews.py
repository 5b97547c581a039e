"""Reviews: what people said of findings, true or false: in a file of its own beside the keys, or in the database that machines share.

A review names a finding by its call, side, kind and, where the text was stored, a keyed hash of what was found. The text
itself is never kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct, structs

from yett.stores.database import Database, FileDatabase, Tables, places
from yett.stores.sqlite import Migration

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
_INSERT = f"INSERT INTO reviews ({_COLUMNS}) VALUES {{}} ON CONFLICT (call, part, kind, value) DO "  # noqa: S608
_PUT = (
    f"{_INSERT}UPDATE SET verdict = excluded.verdict, reviewer = excluded.reviewer, ts = excluded.ts,"
    " note = excluded.note"
)
_ADOPT = f"{_INSERT}NOTHING"
_FEW = 500  # for one statement
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


class ReviewStore(Tables):
    """Raises IntegrityError or StoreUnavailable, as all stores do."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        database.migrate("reviews", MIGRATIONS)

    @classmethod
    def open(cls, state: Path, database: Database | None = None) -> Self:
        """In `database`; without one in `<state>/reviews.db`. What that file has is not left behind when machines begin to share:
        it is taken over whenever it has something that the others do not know."""
        shared = database or FileDatabase(state, FILE)
        try:
            store = cls(shared)
            if database is not None and (state / FILE).exists():
                with cls(FileDatabase(state, FILE)) as own:
                    store.adopt(own.all())
        except BaseException:
            shared.close()
            raise
        return store

    def put(self, review: Review) -> None:
        self._run(_PUT, [review])

    def adopt(self, reviews: Iterable[Review]) -> None:
        """Take those of findings of which nothing was said here."""
        known = {each.key for each in self.all()}
        fresh = [each for each in reviews if each.key not in known]
        for start in range(0, len(fresh), _FEW):
            self._run(_ADOPT, fresh[start : start + _FEW])

    def all(self) -> list[Review]:
        """Oldest first."""
        names = Review.__struct_fields__
        rows = self._database.rows(_ALL)
        return [msgspec.convert(dict(zip(names, row, strict=True)), Review, strict=False) for row in rows]

    def _run(self, sql: str, reviews: Sequence[Review]) -> None:
        # SQLite and PostgreSQL have no truth value in common
        rows = [structs.astuple(structs.replace(review, verdict=int(review.verdict))) for review in reviews]
        self._database.run(sql.format(places(len(rows), len(rows[0]))), *(value for row in rows for value in row))
