"""SQLite as Yett uses it: opened durably, migrated forward only, its errors told apart.

SQL is written with `$n` placeholders, the dialect that PostgreSQL shares. Python's sqlite3 binds `$2` by order of
appearance, not by its number, which silently swaps arguments: `numbered` turns them into `?n` once, at import.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from yett.errors import IntegrityError, YettError

_PLACEHOLDER = re.compile(r"\$(\d+)")
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_DAMAGED_FIRST_BYTE = 0xFF  # extended result codes keep the primary one in the low byte


class StoreUnavailable(YettError):
    """A store is sound as far as one can tell, but cannot be used now: locked, read-only, no space, no permission."""


class Migration(Struct, frozen=True):
    """One numbered step forward. Its text never changes once released: its checksum is kept in the database."""

    number: int
    name: str
    statements: tuple[str, ...]

    @property
    def checksum(self) -> str:
        return hashlib.sha256("\0".join((self.name, *self.statements)).encode()).hexdigest()


def numbered(sql: str) -> str:
    """`sql` with `$n` placeholders as sqlite3 understands them."""
    return _PLACEHOLDER.sub(r"?\1", sql)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns sqlite3's errors into IntegrityError (damaged) or StoreUnavailable (everything else that is not our mistake)."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & _DAMAGED_FIRST_BYTE
        if code in _DAMAGED:
            raise IntegrityError(
                f"{path} is damaged or not a database ({error}); restore it from a backup, or move it away to begin anew"
            ) from error
        if isinstance(error, sqlite3.OperationalError):
            raise StoreUnavailable(f"{path} cannot be used: {error}") from error
        raise


def connect(path: Path, *, busy_timeout: float = 5.0) -> sqlite3.Connection:
    """Open (or create, readable by its owner only) the database at `path`: WAL, `synchronous=FULL`, foreign keys, autocommit.

    `busy_timeout` is seconds to wait for another process's write. Raises IntegrityError or StoreUnavailable.
    """
    with translated(path):
        try:
            # The mode is given at creation: a database that is world-readable even for a moment can be copied. One that is
            # there is not opened here: closing a file ends all locks that the process has on it, those of another
            # connection of ours as well (fcntl(2)), whose write-ahead log somebody else would then delete.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be opened: {error.strerror}") from error
        connection = sqlite3.connect(path, timeout=busy_timeout, isolation_level=None)
        try:
            _configure(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise StoreUnavailable(f"{path} cannot be used: its file system does not support write-ahead logging")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


@contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One write transaction: begun IMMEDIATE (so that it cannot fail half-way for a lock), rolled back on any error."""
    with translated(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def migrate(connection: sqlite3.Connection, path: Path, component: str, migrations: Sequence[Migration]) -> None:
    """Bring `component`'s tables up to date, each step in its own transaction.

    Raises IntegrityError when the database was migrated by a newer Yett, or by a step that is not the one known here.
    """
    with writing(connection, path):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (component TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,"
            " checksum TEXT NOT NULL, PRIMARY KEY (component, number)) STRICT"
        )
    for migration in migrations:
        with writing(connection, path):  # the check is inside: two processes may start at once
            done = _applied(connection, component)
            if (checksum := done.get(migration.number)) is not None:
                if checksum != migration.checksum:
                    raise IntegrityError(
                        f"{path}: migration {component}/{migration.number} is not the one this Yett knows"
                    )
                continue
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO migrations VALUES (?, ?, ?, ?)",
                (component, migration.number, migration.name, migration.checksum),
            )
    with translated(path):
        unknown = set(_applied(connection, component)) - {migration.number for migration in migrations}
    if unknown:
        raise IntegrityError(
            f"{path} was written by a newer Yett (migration {component}/{max(unknown)}); upgrade this one"
        )


def _applied(connection: sqlite3.Connection, component: str) -> dict[int, str]:
    rows = connection.execute("SELECT number, checksum FROM migrations WHERE component = ?", (component,))
    return {int(number): str(checksum) for number, checksum in rows}
