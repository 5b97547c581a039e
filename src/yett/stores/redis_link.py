"""One connection to Valkey or Redis, shared by all calls of a process: what they ask in one turn of the loop leaves in one write.

Commands are answered in order, so a connection needs no pool, and what was sent before is done before. When it breaks, all that
wait are told so (`LinkDown`) and it is made anew, at first at once and then every second; who asks meanwhile is told at once.
A store that takes longer than `timeout` for an answer counts as gone. A cluster that keeps the keys on another node, and a node
that has become a replica, are left for the right one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

import hiredis
from msgspec.structs import replace

from yett.config.store_address import Address
from yett.errors import YettError

PAUSE, LONGEST_PAUSE = 0.05, 1.0  # seconds between attempts to connect
MOST_WAITING = 20_000  # commands without an answer, beyond which the store counts as too slow
TURNED_AWAY = ("MOVED", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "LOADING")


class LinkDown(YettError):
    """The store cannot be reached, or does not answer."""


class StoreError(YettError):
    """The store answers, and refuses a command."""


def command(*words: bytes | str | int) -> bytes:
    """A command as it goes over the wire."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        raw = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


class RedisLink:
    """A connection that is kept up between `start` and `close`. `greet` is run on each new one
    before anybody else may use it."""

    def __init__(self, address: Address, *, timeout: float = 1.0) -> None:
        self.address = address
        self.greet: Callable[[], Awaitable[object]] | None = None
        self.trouble = "not connected yet"  # "" while the store answers
        self.outages = 0
        self._at = address
        self._timeout = timeout
        self._wire: _Wire | None = None
        self._ready = False
        self._keeper: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None

    async def start(self, *, patient: bool = False) -> None:
        """Connect, and stay connected from now on. Raises LinkDown, unless `patient`, or StoreError when it does not work the
        first time."""
        if self.address.tls:
            try:
                self._tls = ssl.create_default_context(cafile=self.address.ca_file or None)
            except (OSError, ssl.SSLError) as error:
                raise LinkDown(f"{self.address.ca_file}: {error.strerror or error}") from error
        try:
            await self._connect()
        except LinkDown:
            if not patient:
                raise
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="redis")

    async def close(self) -> None:
        """Everything that was asked is still sent."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._wire is not None:
            with contextlib.suppress(YettError, TimeoutError):
                async with asyncio.timeout(self._timeout):
                    await self._wire.ask(command("PING"))
            self._drop("closed")

    def ask(self, wire: bytes) -> asyncio.Future[Any]:
        """Send a command; the future has its answer, LinkDown or StoreError. Raises LinkDown when there is no connection."""
        if not self._ready or self._wire is None:
            raise LinkDown(f"{self.address}: {self.trouble}")
        return self._wire.ask(wire)

    def greeting(self, wire: bytes) -> asyncio.Future[Any]:
        """As `ask`, from within `greet`, when the connection is not anybody else's yet."""
        if self._wire is None:
            raise LinkDown(f"{self.address}: {self.trouble}")
        return self._wire.ask(wire)

    def leave(self, reason: str) -> None:
        """The store has said that it is not, or not any more, the one to ask: "MOVED 42 host:port", "READONLY …"."""
        words = reason.split()
        if words[:1] == ["MOVED"] and len(words) == 3 and ":" in words[2]:
            host, _, port = words[2].rpartition(":")
            if port.isdigit():
                self._at = replace(self.address, host=host or self._at.host, port=int(port), socket="")
        self._drop(reason)

    def _drop(self, reason: str) -> None:
        wire, self._wire, self._ready = self._wire, None, False
        self.trouble = reason
        if wire is not None:
            wire.abort(f"{self.address}: {reason}")

    async def _connect(self) -> None:
        loop, at = asyncio.get_running_loop(), self._at
        try:
            async with asyncio.timeout(max(self._timeout, 1.0)):
                if at.socket:
                    _, wire = await loop.create_unix_connection(lambda: _Wire(self._timeout), at.socket)
                else:
                    _, wire = await loop.create_connection(
                        lambda: _Wire(self._timeout), at.host, at.port, ssl=self._tls
                    )
                self._wire = wire
                if at.password:
                    await wire.ask(command("AUTH", *((at.user,) if at.user else ()), at.password))
                if at.database:
                    await wire.ask(command("SELECT", at.database))
                if self.greet is not None:
                    await self.greet()
        except (OSError, TimeoutError, LinkDown, StoreError) as error:
            why = (
                "it does not answer"
                if isinstance(error, TimeoutError)
                else (getattr(error, "strerror", "") or str(error))
            )
            if isinstance(error, StoreError) and why.startswith(TURNED_AWAY):
                self.leave(why)
            else:
                self._at = self.address  # a node that it moved to may be the one that is gone
                self._drop(why)
            if isinstance(error, StoreError):
                raise StoreError(f"{at}: {why}") from error
            raise LinkDown(f"{at}: {why}") from error
        self._ready, self.trouble = True, ""

    async def _keep(self) -> None:
        while True:
            if self._wire is not None:
                reason = await asyncio.shield(self._wire.lost)
                self.outages += 1
                if self._wire is not None:
                    self._drop(reason)
            pause = PAUSE
            while self._wire is None:
                with contextlib.suppress(LinkDown, StoreError):
                    await self._connect()
                    break
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)


class _Wire(asyncio.Protocol):
    """One connection: commands out, answers in, in the same order."""

    def __init__(self, timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout
        self._reader = hiredis.Reader()
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._watch = self._loop.call_later(self._timeout / 4, self._look)

    def ask(self, wire: bytes) -> asyncio.Future[Any]:
        if self.lost.done():
            raise LinkDown(self.lost.result())
        if len(self._waiting) >= MOST_WAITING:
            raise LinkDown("too many commands wait for an answer")
        future = self._loop.create_future()
        self._waiting.append((future, self._loop.time()))
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(wire)
        return future

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and not self.lost.done():
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not False:
                future, _ = self._waiting.popleft()
                if future.done():  # nobody waits any more
                    continue
                if isinstance(answer, hiredis.ReplyError):
                    future.set_exception(StoreError(str(answer)))
                    future.exception()  # who does not look does not care
                else:
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.abort("it does not speak the protocol of Redis")

    def connection_lost(self, error: Exception | None) -> None:
        self.abort("the connection was lost" if error is None else str(error) or "the connection was lost")

    def abort(self, reason: str) -> None:
        """End it, and tell everybody who waits."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        for future, _ in self._waiting:
            if not future.done():
                future.set_exception(LinkDown(reason))
                future.exception()
        self._waiting.clear()

    def _look(self) -> None:
        if self._waiting and self._loop.time() - self._waiting[0][1] > self._timeout:
            self.abort("it does not answer")
        else:
            self._watch = self._loop.call_later(self._timeout / 4, self._look)
