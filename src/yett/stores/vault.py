"""The vault: what stands for values, by task, for the later calls of that task. One SQLite file that the workers share.

Everything in it is under keys that come from the key of the task, which comes from the pepper and is nowhere kept: rows of two
tasks cannot be told to be about the same value, and a copy of the file says neither whose they are nor what they stand for. Values
are sealed with AES-256-GCM, bound to the row that they are in. In memory there are only the names of rows that need not be written again.

SQLite belongs to a thread of its own, which writes what all calls that wait have to write in one transaction: a call goes on when
that is committed, and the others go on meanwhile. A commit survives the death of the process; a power cut may lose the last seconds.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from yett.errors import IntegrityError, YettError
from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.ports import Clock
from yett.stores.sqlite import Migration, StoreUnavailable, connect, migrate, numbered, translated, writing

log = logging.getLogger("yett")

MOST = 200_000  # rows; what would expire first makes room
_REMEMBERED = 50_000  # rows that are known to be there
_SWEEP = 60.0  # seconds between two looks at what has expired
_BUSY = 0.1  # seconds to wait for another worker's write
_NONCE = 12  # bytes, NIST SP 800-38D
_NAME = 16
_ASKED = 500  # rows for one statement
_FEW = 64  # values that are sealed in a row, which takes a millisecond
_MIGRATIONS = (
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
    "INSERT INTO substitutes VALUES {} ON CONFLICT (task, name)"
    " DO UPDATE SET sealed = excluded.sealed, expires = max(expires, excluded.expires)"
)
_EXPIRED = numbered("DELETE FROM substitutes WHERE expires <= $1")
_COUNT = "SELECT count(*) FROM substitutes"
_SURPLUS = numbered(
    "DELETE FROM substitutes WHERE (task, name) IN (SELECT task, name FROM substitutes ORDER BY expires LIMIT"
    " max(0, (SELECT count(*) FROM substitutes) - $1))"
)


class Figures(Struct, frozen=True):
    """For whoever operates it. `rows` are counted now and then, `bytes` is the size of the file; the others are since the start."""

    rows: int
    bytes: int
    expired: int
    failures: int


Row = tuple[bytes, bytes, bytes, int]  # task, name, sealed, expires


class _Kept(Struct, frozen=True):
    """What one call wants to be kept."""

    rows: list[Row]
    done: asyncio.Future[bool]


class Vault:
    """Implements `ports.Vault`, for one event loop at a time. `trouble` says why the last access failed, "" when it did not; it is
    logged when it begins."""

    def __init__(self, path: Path, clock: Clock, most: int = MOST) -> None:
        """Raises IntegrityError, StoreUnavailable."""
        self.trouble = ""
        self._path = path
        self._clock = clock
        self._most = most
        self._written: dict[tuple[bytes, bytes], int] = {}  # row -> when it expires
        self._swept = 0.0
        self._rows = self._expired = self._failures = 0
        self._waiting: list[_Kept] = []
        self._writing = False
        self._thread = ThreadPoolExecutor(1, "yett-vault")
        try:
            self._connection = self._thread.submit(self._open).result()
        except BaseException:
            self._thread.shutdown()
            raise

    def __repr__(self) -> str:
        return f"Vault({str(self._path)!r})"

    async def keep(self, task: bytes, substitutes: Iterable[Substitute], seconds: float) -> bool:
        rows = await self._fresh(_Keys(task), tuple(substitutes), seconds)
        if not rows:
            return True
        loop = asyncio.get_running_loop()
        kept = _Kept(rows, loop.create_future())
        self._waiting.append(kept)
        if not self._writing:
            self._begin(loop)
        return await kept.done

    async def recall(self, task: bytes, shown: Sequence[str]) -> list[Substitute] | None:
        keys, found = _Keys(task), list[Substitute]()
        loop = asyncio.get_running_loop()
        for start in range(0, len(shown), _ASKED):
            names = [keys.name(each) for each in shown[start : start + _ASKED]]
            rows = await loop.run_in_executor(self._thread, self._read, keys.task, names, int(self._clock.now()))
            try:
                if rows is None:
                    return None
                found += [keys.opened(name, sealed) for name, sealed in rows]
            except IntegrityError as error:
                self._failed(error)
                return None
        return found

    async def probe(self) -> None:
        """See whether the trouble is over, for when no call comes any more that would."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, (), self._clock.now())

    def figures(self) -> Figures:
        try:
            size = self._path.stat().st_size
        except OSError:
            size = 0
        return Figures(self._rows, size, self._expired, self._failures)

    def close(self) -> None:
        """Let what is being written be written, and go."""
        self._thread.submit(self._connection.close)
        self._thread.shutdown()

    # ---- on the loop ----

    async def _fresh(self, keys: _Keys, substitutes: Sequence[Substitute], seconds: float) -> list[Row]:
        """What is not known to be there for long enough, sealed; others go on after every few."""
        now, rows = self._clock.now(), list[Row]()
        for start in range(0, len(substitutes), _FEW):
            for substitute in substitutes[start : start + _FEW]:
                name = keys.name(substitute.shown)
                if self._written.get((keys.task, name), 0) - now <= seconds / 2:
                    rows.append((keys.task, name, keys.seal(substitute, name), int(now + seconds)))
            if start + _FEW < len(substitutes):
                await asyncio.sleep(0)
        return rows

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting, self._writing = self._waiting, [], True
        rows = [row for kept in batch for row in kept.rows]
        writing = loop.run_in_executor(self._thread, self._write, rows, self._clock.now())
        writing.add_done_callback(partial(self._end, loop, batch))

    def _end(self, loop: asyncio.AbstractEventLoop, batch: Sequence[_Kept], writing: asyncio.Future[bool]) -> None:
        self._writing = False
        committed = not writing.cancelled() and writing.exception() is None and writing.result()
        if len(self._written) > _REMEMBERED:
            self._written.clear()
        for kept in batch:
            if committed:
                self._written.update({(task, name): expires for task, name, _, expires in kept.rows})
            if not kept.done.done():  # else nobody waits any more
                kept.done.set_result(committed)
        if self._waiting:
            self._begin(loop)

    # ---- on the thread ----

    def _open(self) -> sqlite3.Connection:
        connection = connect(self._path, busy_timeout=_BUSY)
        with translated(self._path):
            connection.execute("PRAGMA synchronous=NORMAL")
        migrate(connection, self._path, "vault", _MIGRATIONS)
        return connection

    def _write(self, rows: Sequence[Row], now: float) -> bool:
        """Whether everything is committed."""
        try:
            with writing(self._connection, self._path):
                sweeps = now >= self._swept + _SWEEP
                if sweeps:
                    gone = self._connection.execute(_EXPIRED, (int(now),)).rowcount
                    gone += self._connection.execute(_SURPLUS, (self._most,)).rowcount
                # One statement for many rows: after each, this thread waits until the loop lets it go on.
                for start in range(0, len(rows), _ASKED):
                    put = rows[start : start + _ASKED]
                    marks = ", ".join(["(?, ?, ?, ?)"] * len(put))
                    self._connection.execute(_PUT.format(marks), [value for row in put for value in row])
                if sweeps:
                    ((self._rows,),) = self._connection.execute(_COUNT)
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return False
        if sweeps:
            self._swept = now
            self._expired += gone
        self.trouble = ""
        return True

    def _read(self, task: bytes, names: Sequence[bytes], now: int) -> list[tuple[bytes, bytes]] | None:
        marks = ", ".join("?" * len(names))
        try:
            with translated(self._path):
                rows: list[tuple[bytes, bytes]] = self._connection.execute(
                    f"SELECT name, sealed FROM substitutes WHERE task = ? AND expires > ? AND name IN ({marks})",  # noqa: S608
                    (task, now, *names),
                ).fetchall()
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return None
        self.trouble = ""
        return rows

    def _failed(self, error: YettError) -> None:
        if not self.trouble:
            log.error("values cannot be kept or put back later", extra={"fields": {"why": str(error)}})
        self.trouble = str(error)
        self._failures += 1


class _Keys:
    """What is derived from the key of one task. NIST SP 800-108 would call the labels purposes."""

    __slots__ = ("_names", "_seal", "task")

    def __init__(self, task: bytes) -> None:
        self.task = hmac.digest(task, b"vault task", "sha256")[:_NAME]
        self._names = hmac.digest(task, b"vault names", "sha256")
        self._seal = AESGCM(hmac.digest(task, b"vault seal", "sha256"))

    def name(self, shown: str) -> bytes:
        return hmac.digest(self._names, shown.lower().encode("utf-8", "surrogatepass"), "sha256")[:_NAME]

    def seal(self, substitute: Substitute, name: bytes) -> bytes:
        text = f"{substitute.kind}\0{substitute.shown}\0{substitute.value.reveal()}"
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, text.encode("utf-8", "surrogatepass"), name)

    def opened(self, name: bytes, sealed: bytes) -> Substitute:
        """Raises IntegrityError for a row that was changed or moved."""
        try:
            text = self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], name).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise IntegrityError("a row of the vault was not written by this gateway") from None
        kind, shown, value = text.split("\0", 2)
        return Substitute(kind, shown, Secret(value))
