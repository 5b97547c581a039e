"""A database as the stores use it: the same SQL for SQLite, in a file of this machine, and for PostgreSQL, which several share.

The dialect is what both understand: `$n` placeholders, INSERT … ON CONFLICT, UPDATE … RETURNING, whole numbers, texts, blobs.
Migrations are written for SQLite; `postgres` says what differs. A store in a file is used by the thread that opened it, and no call
reads one: what calls need is in memory, and `version` tells when to read it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, Self

from yett.errors import IntegrityError
from yett.stores.pepper import state_directory
from yett.stores.sqlite import Migration, connect, migrate, numbered, translated, writing

FILE = "yett.db"
_numbered = lru_cache(256)(numbered)


def places(rows: int, width: int) -> str:
    """Placeholders for so many rows of so many values: ($1, $2), ($3, $4)."""
    count = iter(range(1, rows * width + 1))
    return ", ".join(f"({', '.join(f'${next(count)}' for _ in range(width))})" for _ in range(rows))


def parameters(first: int, count: int) -> str:
    """Placeholders for so many values from the one with this number on: $4, $5."""
    return ", ".join(f"${number}" for number in range(first, first + count))


class Database(Protocol):
    """Everything here raises IntegrityError (damaged, or migrated by a newer Yett) or StoreUnavailable (away, locked, full)."""

    name: str  # for messages
    remote: bool  # reading takes a while: not on a loop
    trouble: str  # why changes that others make are not seen at present; "" while they are

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]: ...

    def run(self, sql: str, *arguments: object) -> int:
        """How many rows it changed."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """One transaction, beside which nobody else writes; all of it or nothing. Who watches is told of it."""
        ...

    def version(self, sql: str) -> int:
        """The number that `sql` reads, which changes with what it is about. At once: of a remote database, it is what was last
        seen there, at most a second ago while it answers."""
        ...

    def migrate(self, component: str, migrations: Sequence[Migration]) -> None:
        """Bring the component's tables up to date."""
        ...

    def close(self) -> None: ...


class FileDatabase:
    """SQLite, in a file of the state directory: `yett.db`, unless what is in it has a file of its own."""

    remote = False
    trouble = ""

    def __init__(self, state: Path, file: str = FILE, *, busy_timeout: float = 5.0) -> None:
        """Opened, or created on first use, the directory as well. `busy_timeout` is seconds to wait for another process's write."""
        self.path = state_directory(state) / file
        self.name = str(self.path)
        self.connection = connect(self.path, busy_timeout=busy_timeout)
        self._inode = self.path.stat().st_ino

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        with translated(self.path):
            return self.connection.execute(_numbered(sql), arguments).fetchall()

    def run(self, sql: str, *arguments: object) -> int:
        with translated(self.path):
            return self.connection.execute(_numbered(sql), arguments).rowcount

    def writing(self) -> AbstractContextManager[None]:
        return writing(self.connection, self.path)

    def version(self, sql: str) -> int:
        """A few microseconds."""
        try:
            if self.path.stat().st_ino != self._inode:
                raise IntegrityError(f"{self.path} was replaced while it was in use; restart")
        except OSError as error:
            raise IntegrityError(f"{self.path} was removed while it was in use; restore it and restart") from error
        return int(self.rows(sql)[0][0])

    def migrate(self, component: str, migrations: Sequence[Migration]) -> None:
        migrate(self.connection, self.path, component, migrations)

    def close(self) -> None:
        self.connection.close()


class Tables:
    """What all stores with tables of their own in a database have in common: it is closed with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def database(self) -> Database:
        return self._database

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def remote(self) -> bool:
        """Whether reading takes a while."""
        return self._database.remote

    @property
    def trouble(self) -> str:
        """Why changes that others make are not seen at present; "" while they are."""
        return self._database.trouble


@contextmanager
def opening(state: Path, database: Database | None) -> Iterator[Database]:
    """`database`, or the file in the state directory: for a store that is being opened, and closed when that fails."""
    found = database or FileDatabase(state)
    try:
        yield found
    except BaseException:
        found.close()
        raise
