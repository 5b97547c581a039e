"""The vault: what stands for values, by task, for the later calls of that task. In a file that the workers of a machine share, or in
the database that several machines share.

Everything in it is under keys that come from the key of the task, which comes from the pepper and is nowhere kept: rows of two
tasks cannot be told to be about the same value, and a copy of it says neither whose they are nor what they stand for, only how many
one owner has. Values are sealed with AES-256-GCM, bound to the row that they are in, in memory as well.

The database belongs to a thread of its own, which writes what all calls that wait have to write in one statement: a call goes on when
that is committed, and the others go on meanwhile. What this process has written or read it remembers, so that a call asks the database
only about what is new to it: values that stand in no earlier call here, and tokens that another gateway has issued.

Of two calls that let the same stand for different values, in whatever process, the first one's counts, and the other is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from yett.errors import IntegrityError, YettError
from yett.model.substitute import Substitute
from yett.ports import Clock
from yett.stores import vault_rows
from yett.stores.database import Database, FileDatabase
from yett.stores.sqlite import StoreUnavailable
from yett.stores.vault_rows import FEW, Row
from yett.stores.vault_seal import TaskSeal

T = TypeVar("T")
log = logging.getLogger("yett")

MOST = 200_000  # rows in a file
MOST_SHARED = 2_000_000  # rows in a database
PATIENCE = 0.5  # seconds that a call waits for a database elsewhere that answers nobody
_WAITS = 10  # so often at most, while it does answer others, or has to be asked many things
_REMEMBERED = 20_000  # rows
_OWED = 10_000  # rows that could not be written, and are written later
_UNKNOWN = 30.0  # seconds for which what is not there is not asked for again
_SWEEP = 60.0  # seconds between two looks at what has expired
_BUSY = 0.1  # seconds to wait for another worker's write
_FEW = 64  # values that are worked on in a row, which takes a millisecond


class Figures(Struct, frozen=True):
    """For whoever operates it. `rows` are counted now and then, `bytes` is the size of the file, or of what is sealed in the shared
    database; the others are since the start."""

    rows: int
    bytes: int
    expired: int
    failures: int


class _Remembered(Struct, frozen=True, gc=False):
    """A row as it is in the database; without anything sealed, that there is none. `value` is Python's hash of what is sealed, which
    has a key of this process."""

    sealed: bytes
    expires: float
    value: int = 0


class _Kept(Struct, frozen=True):
    """What one call wants to be kept."""

    rows: list[Row]
    done: asyncio.Future[Mapping[bytes, Row] | None]  # as they are in the database, by task and name


class Vault:
    """Implements `ports.Vault`, for one event loop at a time. `trouble` says why the last access failed, "" when it did not; it is
    logged when it begins. While a database elsewhere is in trouble, nobody waits for it but `probe`."""

    def __init__(
        self, path: Path, clock: Clock, shared: Callable[[], Database] | None = None, most: int | None = None
    ) -> None:
        """In the file, or in the database that `shared` opens. Raises IntegrityError, StoreUnavailable, and what `shared` does."""
        self.trouble = ""
        self._path = path
        self._clock = clock
        self._remote = shared is not None
        self._most = most or (MOST_SHARED if self._remote else MOST)
        self._remembered: dict[bytes, _Remembered] = {}  # by task and name
        self._owed: dict[bytes, Row] = {}
        self._away = False
        self._answers = 0  # of the database
        self._swept = 0.0
        self._since = 0  # rows that were written since then
        self._rows = self._size = self._expired = self._failures = 0
        self._waiting: list[_Kept] = []
        self._writing = False
        self._thread = ThreadPoolExecutor(1, "yett-vault")
        self._shared = shared
        # counting two million rows takes longer than a call should wait
        self._sweeper = ThreadPoolExecutor(1, "yett-vault-sweep") if shared else self._thread
        try:
            self._database = self._thread.submit(self._open, shared).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def __repr__(self) -> str:
        return f"Vault({self._database.name!r})"

    async def keep(
        self, owner: bytes, task: bytes, substitutes: Iterable[Substitute], seconds: float
    ) -> list[Substitute] | None:
        seal = TaskSeal(owner, task)
        wanted, taken = await self._fresh(seal, tuple(substitutes), seconds)
        if taken or not wanted:
            return taken
        rows = [row for row, _ in wanted]
        if self._away:
            self._owe(rows)
            return None
        loop = asyncio.get_running_loop()
        kept = _Kept(rows, loop.create_future())
        self._waiting.append(kept)
        if not self._writing:
            self._begin(loop)
        there = await self._patiently(kept.done)
        if there is None:
            return None
        try:
            return self._taken(seal, wanted, there)
        except IntegrityError as error:
            self._failed(error)
            return None

    async def recall(self, owner: bytes, task: bytes, shown: Sequence[str]) -> tuple[list[Substitute], bool]:
        seal, now = TaskSeal(owner, task), self._clock.now()
        found, names = list[Substitute](), list[bytes]()
        for start in range(0, len(shown), _FEW):
            for each in shown[start : start + _FEW]:
                name = seal.name(each)
                known = self._remembered.get(seal.task + name)
                if known is None or known.expires <= now:
                    names.append(name)
                elif known.sealed:
                    found.append(seal.opened(name, known.sealed))
            if start + _FEW < len(shown):
                await asyncio.sleep(0)
        if not names:
            return found, True
        rows = None if self._away else await self._asked(seal, names, int(now))
        if rows is None:
            return found, False
        there = {name: (sealed, expires) for name, sealed, expires in rows}
        whole = True
        for name in names:
            sealed, expires = there.get(name, (b"", now + _UNKNOWN))
            try:
                opened = seal.opened(name, sealed) if sealed else None
            except IntegrityError as error:
                self._failed(error)
                whole = False
            else:
                found += [opened] if opened else []
                self._remember(seal.task + name, sealed, expires, opened)
        return found, whole

    async def probe(self) -> None:
        """See whether the trouble is over, for when no call comes any more that would, and write what could not be written."""
        now = self._clock.now()
        owed, self._owed = [row for row in self._owed.values() if row[3] > now], {}
        if not await asyncio.get_running_loop().run_in_executor(self._thread, self._mend, owed):
            self._owe(owed)

    async def move(self) -> None:
        """Have in the shared database what this machine has in its file, from before there was one."""
        loop = asyncio.get_running_loop()
        while self._path.exists() and await loop.run_in_executor(self._thread, self._move):
            pass

    def figures(self) -> Figures:
        size = self._size
        if not self._remote:
            try:
                size = self._path.stat().st_size
            except OSError:
                size = 0
        return Figures(self._rows, size, self._expired, self._failures)

    def close(self) -> None:
        """Let what is being written be written, and go."""
        self._thread.submit(self._database.close)
        self._thread.shutdown()
        self._sweeper.shutdown(cancel_futures=True)

    # ---- on the loop ----

    async def _fresh(
        self, seal: TaskSeal, substitutes: Sequence[Substitute], seconds: float
    ) -> tuple[list[tuple[Row, Substitute]], list[Substitute]]:
        """What is not known to be there for long enough, sealed; and what is known to stand for something else. Others go on after
        every few."""
        now, wanted, taken = self._clock.now(), dict[bytes, tuple[Row, Substitute]](), list[Substitute]()
        for start in range(0, len(substitutes), _FEW):
            for each in substitutes[start : start + _FEW]:
                name = seal.name(each.shown)
                first = wanted.get(name)
                known = self._remembered.get(seal.task + name)
                if first is not None:  # two targets of one call
                    if first[1].value.reveal() != each.value.reveal():
                        taken.append(first[1])
                elif known is not None and known.sealed and known.expires > now and known.value != _hash(each):
                    taken.append(seal.opened(name, known.sealed))
                elif known is None or not known.sealed or known.expires - now <= seconds / 2:
                    wanted[name] = ((seal.task, name, seal.seal(each, name), int(now + seconds)), each)
            if start + _FEW < len(substitutes):
                await asyncio.sleep(0)
        return list(wanted.values()), taken

    def _taken(
        self, seal: TaskSeal, wanted: Sequence[tuple[Row, Substitute]], there: Mapping[bytes, Row]
    ) -> list[Substitute]:
        """What was there before and stands for something else. Raises IntegrityError."""
        taken = []
        for (task, name, own, _), each in wanted:
            _, _, sealed, expires = there[task + name]
            found = each if sealed == own else seal.opened(name, sealed)
            self._remember(task + name, sealed, expires, found)
            if found.value.reveal() != each.value.reveal():
                taken.append(found)
        return taken

    def _remember(self, key: bytes, sealed: bytes, expires: float, found: Substitute | None) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= _REMEMBERED:
            for old in tuple(islice(self._remembered, _REMEMBERED // 4)):
                del self._remembered[old]
        self._remembered[key] = _Remembered(sealed, expires, 0 if found is None else _hash(found))

    def _owe(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if len(self._owed) < _OWED:
                self._owed.setdefault(row[0] + row[1], row)

    async def _patiently(self, answer: asyncio.Future[T]) -> T | None:
        if not self._remote:
            return await answer
        for _ in range(_WAITS):
            answers = self._answers
            await asyncio.wait((answer,), timeout=PATIENCE)
            if answer.done():
                return answer.result()
            if self._answers == answers:
                break
        answer.cancel()
        self._failed(StoreUnavailable(f"{self._database.name} does not answer"))
        return None

    async def _asked(self, seal: TaskSeal, names: Sequence[bytes], now: int) -> list[tuple[bytes, bytes, int]] | None:
        loop = asyncio.get_running_loop()
        return await self._patiently(loop.run_in_executor(self._thread, self._read, seal, names, now))

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting, self._writing = self._waiting, [], True
        rows = {row[0] + row[1]: row for kept in reversed(batch) for row in kept.rows}
        writing = loop.run_in_executor(self._thread, self._write, [rows[key] for key in sorted(rows)])
        writing.add_done_callback(partial(self._end, loop, batch))

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[_Kept],
        writing: asyncio.Future[Mapping[bytes, Row] | None],
    ) -> None:
        self._writing = False
        bug = None if writing.cancelled() else writing.exception()
        if bug is not None:
            log.error("the vault failed", exc_info=bug)
        there = None if writing.cancelled() or bug is not None else writing.result()
        for kept in batch:
            if there is None:
                self._owe(kept.rows)
            if not kept.done.done():  # else nobody waits any more
                kept.done.set_result(there)
        now = self._clock.now()
        if there is not None and (now >= self._swept + _SWEEP or self._since > max(self._most // 10, FEW)):
            self._swept, self._since = now, 0
            loop.run_in_executor(self._sweeper, self._sweep)
        if self._waiting:
            self._begin(loop)

    # ---- on the thread ----

    def _open(self, shared: Callable[[], Database] | None) -> Database:
        if shared is not None:
            database = shared()
        else:
            database = FileDatabase(self._path.parent, self._path.name, busy_timeout=_BUSY)
        try:
            if shared is None:
                database.run("PRAGMA synchronous=NORMAL")
            database.migrate("vault", vault_rows.MIGRATIONS)
        except BaseException:
            database.close()
            raise
        return database

    def _write(self, rows: Sequence[Row]) -> dict[bytes, Row] | None:
        """What is there now, by task and name; None unless everything is committed."""
        there: dict[bytes, Row] = {}
        now = int(self._clock.now())
        try:
            # One statement for many rows: after each, this thread waits until the loop lets it go on. In this order: two gateways that
            # wrote the same rows in two orders could wait for each other.
            for start in range(0, len(rows), FEW):
                for row in vault_rows.put(self._database, rows[start : start + FEW], now):
                    there[row[0] + row[1]] = row
                self._answers += 1
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return None
        self._since += len(rows)
        self._works()
        return there

    def _read(self, seal: TaskSeal, names: Sequence[bytes], now: int) -> list[tuple[bytes, bytes, int]] | None:
        found: list[tuple[bytes, bytes, int]] = []
        try:
            for start in range(0, len(names), FEW):
                found += vault_rows.get(self._database, (seal.task, seal.alone), names[start : start + FEW], now)
                self._answers += 1
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return None
        self._works()
        return found

    def _sweep(self) -> None:
        """Let go of what has expired, and of what is too much. Where that fails, calls go on, and it is tried again."""
        try:
            with self._at_hand() as database:
                swept = vault_rows.sweep(database, self._most, int(self._clock.now()))
        except (YettError, OSError) as error:
            self._failures += 1
            log.error("the vault is not swept", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            return
        self._rows, self._size = swept.rows, swept.bytes
        self._expired += swept.gone

    @contextmanager
    def _at_hand(self) -> Iterator[Database]:
        """The database for what takes long: elsewhere by a connection of its own, so that calls do not wait for it."""
        if self._shared is None:
            yield self._database
            return
        with closing(self._shared()) as another:
            yield another

    def _mend(self, owed: Sequence[Row]) -> bool:
        try:
            vault_rows.check_writing(self._database)
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return False
        return self._write(sorted(owed)) is not None

    def _move(self) -> bool:
        """Move some rows; whether there may be more."""
        try:
            with closing(FileDatabase(self._path.parent, self._path.name)) as file:
                file.migrate("vault", vault_rows.MIGRATIONS)
                rows = vault_rows.first(file)
                now = self._clock.now()
                if not rows or self._write([row for row in rows if row[3] > now]) is None:
                    return False
                vault_rows.remove(file, rows)
        except (StoreUnavailable, IntegrityError) as error:
            log.error("what was kept in the file is not moved", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            return False
        return True

    # ---- on either ----

    def _works(self) -> None:
        self.trouble, self._away = "", False

    def _failed(self, error: YettError) -> None:
        if not self.trouble:
            log.error("values cannot be kept or put back later", extra={"fields": {"why": str(error)}})
        self.trouble = str(error)
        self._away = self._remote and isinstance(error, StoreUnavailable)
        self._failures += 1


def _hash(substitute: Substitute) -> int:
    return hash(substitute.value.reveal())
