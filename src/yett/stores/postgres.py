"""PostgreSQL as a `Database`: a connection for reading and writing, and one that listens for changes, on a loop of their own.

Whoever writes notifies the others (`NOTIFY`), who then read the versions that they watch; they also read them every second, for
a notification can get lost, or be kept back by a pooler. While the database is away, what was read last stays in force, and
`trouble` says so. Needs the extra `cluster`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

from yett.errors import IntegrityError
from yett.stores.sqlite import Migration, StoreUnavailable

T = TypeVar("T")

CHANNEL = "yett_changes"
LOOK_SECONDS = 1.0  # between looks that nobody asked for
TIMEOUT = 5.0  # seconds for a statement, and to connect
_LOCK = 0x79657474  # of the one who writes, in this database
_CONTRACT = "contract: "  # how the name of a migration begins that takes something away
_TYPES = (
    (re.compile(r"\bINTEGER\b"), "BIGINT"),
    (re.compile(r"\bBLOB\b"), "BYTEA"),
    (re.compile(r"\bREAL\b"), "DOUBLE PRECISION"),
    (re.compile(r"\) STRICT(, WITHOUT ROWID)?\s*$"), ")"),
)
_FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def dialect(statement: str) -> str:
    """A statement of a migration as PostgreSQL takes it."""
    for pattern, written in _TYPES:
        statement = pattern.sub(written, statement)
    return statement


class PostgresDatabase:
    """Threads may share it: they take turns, for each statement or for a transaction."""

    remote = True

    def __init__(self, url: str) -> None:
        """Connect. Raises StoreUnavailable."""
        parts = urlsplit(url)
        self.name = f"postgresql://{parts.hostname or 'localhost'}{parts.path}"
        self.trouble = ""  # why versions are not what they are there, "" normally
        self.statements = 0  # that were sent; for tests
        self._url = url
        self._connection: Any = None
        self._watched: dict[str, int] = {}
        self._inside = False
        self._turn = threading.RLock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="postgres", daemon=True)
        self._thread.start()
        self._watcher: asyncio.Future[None] | None = None
        try:
            self._do(self._connected())
        except BaseException:
            self.close()
            raise

    # ---- the port ----

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._do(self._fetch(sql, arguments))]

    def run(self, sql: str, *arguments: object) -> int:
        tag = str(self._do(self._execute(sql, arguments))).split()
        return int(tag[-1]) if tag and tag[-1].isdigit() else 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._turn:
            self.run("BEGIN")
            self._inside = True
            try:
                self.rows("SELECT pg_advisory_xact_lock($1)", _LOCK)
                yield
                self.rows("SELECT pg_notify($1, '')", CHANNEL)
                self.run("COMMIT")
            except BaseException:
                with contextlib.suppress(StoreUnavailable):
                    self.run("ROLLBACK")
                raise
            finally:
                self._inside = False

    def version(self, sql: str) -> int:
        known = self._watched.get(sql)
        if known is None:
            known = self._watched[sql] = int(self.rows(sql)[0][0])
            if self._watcher is None:
                self._watcher = asyncio.run_coroutine_threadsafe(self._watch(), self._loop)  # type: ignore[assignment]
        return known

    def migrate(self, component: str, migrations: Sequence[Migration]) -> None:
        """Forward only. What a newer Yett has added is no obstacle for one that still runs beside it, as long as nothing was taken
        away: such a migration is named "contract: …", and comes when no older one runs any more."""
        with self.writing():
            self.run(
                "CREATE TABLE IF NOT EXISTS migrations (component TEXT NOT NULL, number BIGINT NOT NULL, name TEXT NOT NULL,"
                " checksum TEXT NOT NULL, PRIMARY KEY (component, number))"
            )
            found = self.rows("SELECT number, name, checksum FROM migrations WHERE component = $1", component)
            done = {number: (name, checksum) for number, name, checksum in found}
            for migration in migrations:
                if migration.number in done:
                    if done.pop(migration.number)[1] != migration.checksum:
                        what = f"migration {component}/{migration.number}"
                        raise IntegrityError(f"{self.name}: {what} is not the one this Yett knows")
                    continue
                for statement in migration.statements:
                    self.run(dialect(statement))
                self.run(
                    "INSERT INTO migrations VALUES ($1, $2, $3, $4)",
                    *(component, migration.number, migration.name, migration.checksum),
                )
            for number, (name, _) in done.items():
                if name.startswith(_CONTRACT):
                    what = f"migration {component}/{number}"
                    raise IntegrityError(f"{self.name} was changed by a newer Yett ({what}); upgrade this one")

    def close(self) -> None:
        if not self._loop.is_running():
            return
        with contextlib.suppress(StoreUnavailable):
            self._do(self._closed())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # ---- the parts, on the loop of the thread ----

    def _do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        self.statements += 1
        try:
            with self._turn:
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        except _FAILURES as error:
            raise StoreUnavailable(f"{self.name} cannot be used: {_why(error)}") from error

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            if self._inside:
                raise OSError("the connection was lost within a transaction")
            self._connection = await asyncpg.connect(self._url, timeout=TIMEOUT, command_timeout=TIMEOUT)
        return self._connection

    async def _fetch(self, sql: str, arguments: tuple[object, ...]) -> Any:
        return await (await self._connected()).fetch(sql, *arguments)

    async def _execute(self, sql: str, arguments: tuple[object, ...]) -> Any:
        return await (await self._connected()).execute(sql, *arguments)

    async def _closed(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=TIMEOUT)

    async def _watch(self) -> None:
        """See what others change, as soon as they say so, and every second."""
        changed = asyncio.Event()
        while True:
            try:
                connection = await asyncpg.connect(self._url, timeout=TIMEOUT, command_timeout=TIMEOUT)
            except _FAILURES as error:
                self.trouble = f"{self.name} is away ({_why(error)}); what was read last is in force"
                await asyncio.sleep(LOOK_SECONDS)
                continue
            try:
                await connection.add_listener(CHANNEL, lambda *_: changed.set())
                while True:
                    watched = tuple(self._watched)
                    found = await connection.fetchrow(_together(watched))
                    self._watched.update(zip(watched, map(int, found), strict=True))
                    self.trouble = ""
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_SECONDS):
                            await changed.wait()
                    changed.clear()
            except _FAILURES as error:
                self.trouble = f"{self.name} is away ({_why(error)}); what was read last is in force"
            finally:
                connection.terminate()
            await asyncio.sleep(LOOK_SECONDS)  # it may let us in and answer nothing


def _together(queries: tuple[str, ...]) -> str:
    """One statement that answers several, each of which answers with one number."""
    return f"SELECT {', '.join(f'({sql})' for sql in queries)}"


def _why(error: BaseException) -> str:
    return "it does not answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
