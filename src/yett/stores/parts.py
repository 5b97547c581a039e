"""What processes know of tasks, told to each other a few times a second: in a file of their machine, or in the database that several share.

No call reads or waits for this. Each process writes a row for each task that it has changed and reads those of the others that
have; what it reads is up to half a second old. Each has a number that goes up with what it tells, and counts that it is there: who is not heard of
for a while, by the reader's own clock, has died, and leaves what it had charged and seen, and no calls in progress.

A row ends with its task: who wrote it takes it away, and whoever comes by does so for those who have died.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
from msgspec import Struct

from yett.errors import IntegrityError, YettError
from yett.ports import Clock
from yett.stages.tasks import Key, Part, Tasks, together
from yett.stores.database import Database, places
from yett.stores.process import Process, boot_id, is_running, this_process
from yett.stores.sqlite import Migration

log = logging.getLogger("yett")

FILE = "tasks.db"
SWEEP_SECONDS = 5.0  # between two looks at what has been idle and who has died; each says as often that it is there
GONE_SECONDS = 30.0  # without a word
APART_SECONDS = 3.0  # without a round that succeeded: what others know is not known here any more
_BATCH = 256  # rows of one statement, at most
_WRITERS = 16  # that are asked about at once
MIGRATIONS = (
    Migration(
        1,
        "parts",
        (
            """CREATE TABLE task_parts (
                writer TEXT NOT NULL,
                tenant TEXT NOT NULL,
                id TEXT NOT NULL,
                part TEXT NOT NULL,
                change INTEGER NOT NULL,
                PRIMARY KEY (writer, tenant, id)
            ) STRICT""",
            "CREATE INDEX task_parts_change ON task_parts (writer, change)",
            """CREATE TABLE task_writers (
                writer TEXT PRIMARY KEY,
                change INTEGER NOT NULL,
                beat INTEGER NOT NULL
            ) STRICT""",
        ),
    ),
)
_PUT = (
    "INSERT INTO task_parts VALUES {} ON CONFLICT (writer, tenant, id) DO UPDATE SET part = excluded.part,"
    " change = excluded.change"
)
_DROP = "DELETE FROM task_parts WHERE (writer, tenant, id) IN (VALUES {})"
_SAY = (
    "INSERT INTO task_writers VALUES ($1, $2, $3) ON CONFLICT (writer) DO UPDATE SET change = excluded.change,"
    " beat = excluded.beat"
)
_WHO = "SELECT writer, change, beat FROM task_writers"
_SINCE = "SELECT writer, tenant, id, part FROM task_parts WHERE " + " OR ".join(  # noqa: S608 - numbers
    f"(writer = ${2 * place + 1} AND change > ${2 * place + 2})" for place in range(_WRITERS)
)
_BURY = ("DELETE FROM task_parts WHERE writer = $1", "DELETE FROM task_writers WHERE writer = $1")
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Part).decode
_Row = tuple[object, ...]


class _Writer(Struct):
    """Another process. `seen`: what of it was read; `heard`: when it last said anything, by the clock of this one."""

    process: Process | None  # of this machine
    change: int
    beat: int
    heard: float
    seen: int = -1


class Talk(Struct):
    """What one round tells: the parts that have changed, the tasks that are not known here any more; and, when it is time to sweep, those
    that go on here."""

    parts: list[tuple[Key, Part]]
    gone: list[Key]
    ttl: float
    most: int  # tasks of one tenant
    active: frozenset[Key] | None


class TaskExchange:
    """`trouble` says why the last round failed, "" when it did not: this process then goes on with what it knows itself, and tells
    `Tasks` so when that takes long. `alone`: there is nobody to hear from."""

    def __init__(self, open: Callable[[], Database], clock: Clock, *, alone: bool = False, writer: str = "") -> None:
        """`open` is called in the thread that uses the database, which is closed with this unless it is remote. Raises IntegrityError,
        StoreUnavailable."""
        self.trouble = ""
        self.alone = alone
        self._clock = clock
        self._process = this_process()
        self._boot = boot_id().decode()
        me = self._process
        self._own = writer or f"{self._boot}/{me.pid}/{me.started}/{me.namespace}"
        self._change = self._beat = 0
        self._well = self._swept = clock.monotonic()
        self._begun = False  # a round has succeeded
        self._writers: dict[str, _Writer] = {}
        self._parts: dict[str, dict[str, dict[str, Part]]] = {}  # those of others: tenant, task, writer
        self._thread = ThreadPoolExecutor(1, "yett-tasks")
        try:
            self._database = self._thread.submit(self._open, open).result()
        except BaseException:
            self._thread.shutdown()
            raise
        self.remote = self._database.remote

    def close(self) -> None:
        if not self.remote:
            self._thread.submit(self._database.close)
        self._thread.shutdown()

    async def round(self, tasks: Tasks, ttl: float, most: int, *, counts: bool = True) -> None:
        """Tell the others what has changed here, and hear what has changed with them. Without `counts`, what has only been counted is
        not worth telling."""
        loop, now = asyncio.get_running_loop(), self._clock.monotonic()
        sweeping = now - self._swept >= SWEEP_SECONDS or not self._begun
        active = tasks.active(ttl, self._clock.now()) if sweeping else None
        talk = Talk(tasks.parts(ttl, counts=counts), tasks.gone(), ttl, most, active)
        try:
            heard = await loop.run_in_executor(self._thread, self._round, talk)
        except YettError as error:
            tasks.keep([key for key, _ in talk.parts], talk.gone)  # to be told the next time
            if self.trouble != str(error):
                log.error("tasks are not shared", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            self.trouble = str(error)
            if not self.alone and self._clock.monotonic() - self._well >= APART_SECONDS:
                tasks.apart = True
            return
        if self.trouble:  # who could not be heard has not been silent
            for writer in self._writers.values():
                writer.heard = max(writer.heard, now)
        self.trouble, tasks.apart = "", False
        self._well = now
        tasks.merge(heard)

    # ---- in the thread ----

    def _open(self, open: Callable[[], Database]) -> Database:
        database = open()
        try:
            database.migrate("parts", MIGRATIONS)
            if not database.remote:
                database.rows("PRAGMA synchronous=OFF")  # what a power cut takes away, tasks begin without
                database.rows("PRAGMA busy_timeout=100")
        except BaseException:
            if not database.remote:
                database.close()
            raise
        return database

    def _round(self, talk: Talk) -> dict[Key, Part | None]:
        now = self._clock.monotonic()
        self._tell(talk)
        heard = self._hear(now)
        heard |= self._trim(talk.most)
        if talk.active is not None:
            heard |= self._sweep(talk, now)
            self._swept = now
        self._begun = True
        found: dict[Key, Part | None] = {}
        for tenant, id in heard:
            parts = self._parts.get(tenant, {}).get(id)
            found[tenant, id] = together(parts.values()) if parts else None
        return found

    def _tell(self, talk: Talk) -> None:
        if not self._begun:  # its rows are never there without it
            self._database.run(_SAY, self._own, self._change, self._beat)
        if talk.gone:
            self._drop([(self._own, *key) for key in talk.gone])
        if talk.parts:
            change = self._change + 1
            self._batches(_PUT, [(self._own, *key, _encode(part).decode(), change) for key, part in talk.parts])
            self._change = change
        if talk.parts or talk.active is not None:  # only now is anybody to look for the rows
            self._beat += talk.active is not None
            self._database.run(_SAY, self._own, self._change, self._beat)

    def _hear(self, now: float) -> set[Key]:
        """Of which tasks others have said something."""
        for name, change, beat in self._database.rows(_WHO):
            if name == self._own:
                continue
            writer = self._writers.get(name)
            if writer is None:
                self._writers[name] = _Writer(self._neighbour(name), change, beat, now)
            elif (writer.change, writer.beat) != (change, beat):
                writer.change, writer.beat, writer.heard = change, beat, now
        behind = [(name, writer) for name, writer in self._writers.items() if writer.seen < writer.change]
        wall, heard = self._clock.now(), set()
        for at in range(0, len(behind), _WRITERS):
            some = behind[at : at + _WRITERS]
            asked = [word for name, writer in some for word in (name, writer.seen)]
            asked += asked[-2:] * (_WRITERS - len(some))
            for name, tenant, id, raw in self._database.rows(_SINCE, *asked):
                tasks = self._parts.setdefault(tenant, {})
                parts = tasks.pop(id, {})  # the latest last
                parts[name] = self._read(raw, parts.get(name), wall)
                tasks[id] = parts
                heard.add((tenant, id))
            for _, writer in some:
                writer.seen = writer.change
        self._end(heard, now)
        return heard

    def _read(self, raw: str, before: Part | None, wall: float) -> Part:
        """A part as it counts here. Clocks differ: what was said just now is of now, whatever the time is where it was said."""
        try:
            part = _decode(raw)
        except msgspec.MsgspecError as error:
            raise IntegrityError(f"{self._database.name}: what is written of a task is damaged ({error})") from error
        part.last = wall if self._begun else min(part.last, wall)
        if before is not None:  # it may have forgotten; nobody else has
            part.labels |= before.labels
            part.findings |= before.findings
            part.tools |= before.tools
        return part

    def _neighbour(self, name: str) -> Process | None:
        """The process, when it is one that can be looked for from here."""
        boot, *numbers = name.split("/")
        if not boot or boot != self._boot or len(numbers) != 3:
            return None
        process = Process(*map(int, numbers))
        return process if process.namespace == self._process.namespace else None

    def _is_gone(self, writer: _Writer, now: float, silent: float = GONE_SECONDS) -> bool:
        if now - writer.heard > silent:
            return True
        return writer.process is not None and not is_running(writer.process, self._process)

    def _end(self, keys: Iterable[Key], now: float) -> set[Key]:
        """The tasks among these in which calls of processes that have died were in progress: what they were to cost at worst counts
        as charged."""
        busy = [(key, name, part) for key in keys for name, part in self._parts[key[0]][key[1]].items() if part.fanout]
        gone = {name for _, name, _ in busy if self._is_gone(self._writers[name], now)}
        for _, name, part in busy:
            if name in gone:
                part.spent, part.held, part.fanout = part.spent + part.held, 0, 0
        return {key for key, name, _ in busy if name in gone}

    def _sweep(self, talk: Talk, now: float) -> set[Key]:
        """Forget what has been idle everywhere; which tasks others know no longer, or in which they have no calls any more."""
        keys = [(tenant, id) for tenant, tasks in self._parts.items() for id in tasks]
        ended, over = self._end(keys, now), self._clock.now() - talk.ttl
        active = talk.active or frozenset()
        idle = [
            key
            for key in keys
            if key not in active
            and all(part.last <= over and not part.fanout for part in self._parts[key[0]][key[1]].values())
        ]
        self._forget(idle, now)
        known = {name for tasks in self._parts.values() for parts in tasks.values() for name in parts}
        for name, writer in list(self._writers.items()):
            if name not in known and self._is_gone(writer, now, max(talk.ttl, GONE_SECONDS)):
                for sql in _BURY:
                    self._database.run(sql, name)
                del self._writers[name]
        return ended | set(idle)

    def _trim(self, most: int) -> set[Key]:
        """A tenant with more tasks than are remembered forgets its own of which nothing was heard for longest."""
        over = [
            (tenant, id)
            for tenant, tasks in self._parts.items()
            if len(tasks) > most
            for id in list(tasks)[: len(tasks) - most]
        ]
        self._forget(over, self._clock.monotonic())
        return set(over)

    def _forget(self, keys: Sequence[Key], now: float) -> None:
        """Here, and what the dead have written of them for everybody."""
        rows: list[_Row] = []
        gone = {name for name, writer in self._writers.items() if self._is_gone(writer, now)} if keys else set()
        for tenant, id in keys:
            parts = self._parts[tenant].pop(id)
            rows += [(name, tenant, id) for name in parts if name in gone]
            if not self._parts[tenant]:
                del self._parts[tenant]
        self._drop(rows)

    def _drop(self, rows: list[_Row]) -> None:
        self._batches(_DROP, rows)

    def _batches(self, sql: str, rows: list[_Row]) -> None:
        """One statement for many rows; of few different lengths, since databases remember statements."""
        for batch in _halved(rows):
            self._database.run(
                sql.format(places(len(batch), len(batch[0]))), *[value for row in batch for value in row]
            )


def _halved(rows: list[_Row]) -> Iterator[list[_Row]]:
    """In pieces whose lengths are powers of two."""
    at, size = 0, _BATCH
    while at < len(rows):
        while size > len(rows) - at:
            size //= 2
        yield rows[at : at + size]
        at += size
