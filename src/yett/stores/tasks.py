"""What the workers of a machine know of tasks, told to each other a few times a second through a database of their own.

No call reads or waits for this. Each process writes a row for each task that it has changed and reads those of the others that
have; what it reads is up to half a second old. A process that died leaves what it had charged and seen, and no calls in progress.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from yett.errors import YettError
from yett.ports import Clock
from yett.stages.tasks import Part, Tasks, together
from yett.stores.process import Process, is_running, this_process
from yett.stores.sqlite import Migration, connect, migrate, numbered, translated, writing

log = logging.getLogger("yett")

SWEEP_SECONDS = 5.0  # between two looks at what has been idle and who has died
_BUSY = 0.1  # seconds to wait for another worker's write
MIGRATIONS = (
    Migration(
        1,
        "tasks",
        (
            """CREATE TABLE tasks (
                id TEXT NOT NULL,
                pid INTEGER NOT NULL,
                started INTEGER NOT NULL,
                namespace INTEGER NOT NULL,
                part TEXT NOT NULL,
                last REAL NOT NULL,
                change INTEGER NOT NULL,
                PRIMARY KEY (id, pid, started, namespace)
            ) STRICT""",
            "CREATE INDEX tasks_change ON tasks (change)",
            "CREATE INDEX tasks_last ON tasks (last)",
            "CREATE TABLE task_state (one INTEGER PRIMARY KEY CHECK (one = 1), change INTEGER NOT NULL) STRICT",
            "INSERT INTO task_state VALUES (1, 0)",
        ),
    ),
)
_CHANGE = "SELECT change FROM task_state WHERE one = 1"
_NEXT = "UPDATE task_state SET change = change + 1 WHERE one = 1 RETURNING change"
_PUT = numbered(
    "INSERT INTO tasks VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id, pid, started, namespace)"
    " DO UPDATE SET part = excluded.part, last = excluded.last, change = excluded.change"
)
_SINCE = numbered("SELECT id, pid, started, namespace, part FROM tasks WHERE change > $1")
_OVER = numbered("DELETE FROM tasks WHERE last <= $1")
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Part).decode
_Writer = tuple[int, int, int]


class TaskExchange:
    """`<state>/tasks.db`. `trouble` says why the last round failed, "" when it did not: this process then goes on with what it
    knows itself."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Raises IntegrityError, StoreUnavailable."""
        self.trouble = ""
        self._path = path
        self._clock = clock
        self._process = this_process()
        self._own: _Writer = (self._process.pid, self._process.started, self._process.namespace)
        self._seen = -1
        self._swept = 0.0
        self._parts: dict[str, dict[_Writer, Part]] = {}  # those of others
        self._thread = ThreadPoolExecutor(1, "yett-tasks")
        try:
            self._connection = self._thread.submit(self._open).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def close(self) -> None:
        self._thread.submit(self._connection.close)
        self._thread.shutdown()

    async def round(self, tasks: Tasks, ttl: float) -> None:
        """Tell the others what has changed here, and hear what has changed with them."""
        loop = asyncio.get_running_loop()
        parts = tasks.parts()
        try:
            heard = await loop.run_in_executor(self._thread, self._round, parts, ttl)
        except YettError as error:
            tasks.keep(id for id, _ in parts)  # to be told the next time
            if self.trouble != str(error):
                log.error("tasks are not shared", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            self.trouble = str(error)
            return
        self.trouble = ""
        tasks.merge(heard)

    # ---- in the thread ----

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._path, busy_timeout=_BUSY)
        try:
            migrate(connection, self._path, "tasks", MIGRATIONS)
            connection.execute("PRAGMA synchronous=OFF")  # what a power cut takes away, tasks begin without
        except BaseException:
            connection.close()
            raise
        return connection

    def _round(self, parts: list[tuple[str, Part]], ttl: float) -> dict[str, Part | None]:
        now = self._clock.now()
        self._tell(parts)
        heard = self._hear()
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            heard |= self._sweep(now - ttl)
        return {id: together(self._parts[id].values()) if id in self._parts else None for id in heard}

    def _tell(self, parts: list[tuple[str, Part]]) -> None:
        if not parts:
            return
        with writing(self._connection, self._path):
            change = self._connection.execute(_NEXT).fetchone()[0]
            rows = [(id, *self._own, _encode(part).decode(), part.last, change) for id, part in parts]
            self._connection.executemany(_PUT, rows)

    def _hear(self) -> set[str]:
        """Of which tasks others have said something."""
        with translated(self._path):
            change = int(self._connection.execute(_CHANGE).fetchone()[0])
            if change == self._seen:
                return set()
            rows = self._connection.execute(_SINCE, (self._seen,)).fetchall()
        self._seen = change
        heard = set()
        for id, pid, started, namespace, part in rows:
            writer = (pid, started, namespace)
            if writer != self._own:
                self._parts.setdefault(id, {})[writer] = _decode(part)
                heard.add(id)
        self._bury(heard)
        return heard

    def _bury(self, ids: Iterable[str]) -> set[str]:
        """The tasks among these in which calls of processes that have died were in progress: what they were to cost at worst counts
        as charged."""
        busy = [(id, writer, part) for id in ids for writer, part in self._parts[id].items() if part.fanout]
        writers = {writer for _, writer, _ in busy}
        dead = {writer for writer in writers if not is_running(Process(*writer), self._process)}
        for _, writer, part in busy:
            if writer in dead:
                part.spent, part.held, part.fanout = part.spent + part.held, 0, 0
        return {id for id, writer, _ in busy if writer in dead}

    def _sweep(self, over: float) -> set[str]:
        """Forget what has been idle since then; which tasks others know no longer, or in which they have no calls any more."""
        with writing(self._connection, self._path):
            self._connection.execute(_OVER, (over,))
        buried = self._bury(self._parts)
        idle = {
            id
            for id, parts in self._parts.items()
            if all(part.last <= over and not part.fanout for part in parts.values())
        }
        for id in idle:
            del self._parts[id]
        return buried | idle
