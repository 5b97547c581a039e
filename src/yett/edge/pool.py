"""The connections to one origin: last used first, at most so many, and a fair queue for who comes when all are in use."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from typing import TypeAlias

from msgspec import Struct

from yett.edge.connection import Connection
from yett.edge.dial import Dialer
from yett.edge.origin import Origin
from yett.edge.outbox import Outbox
from yett.ports import UpstreamFailure

# Its result is a connection, None for the right to dial one, or a failure.
_Waiter: TypeAlias = "asyncio.Future[Connection | UpstreamFailure | None]"


class PoolLimits(Struct, frozen=True):
    """Of one origin's pool. Times in seconds."""

    connections: int = 256
    idle: float = 60.0  # a connection unused for longer is closed
    age: float = 900.0  # one older than this is not used again: load balancers move, names change


class PoolStatus(Struct, frozen=True):
    """One origin's pool for the metrics: `opened`, `reused` and `replayed` count since the start, the rest is now."""

    origin: str
    opened: int
    reused: int
    replayed: int
    open: int
    idle: int
    dialling: int
    waiting: int


class Pool:
    """Whoever waits is served in order of arrival, by a connection that has become free or by the right to dial a new one."""

    def __init__(self, origin: Origin, dialer: Dialer, limits: PoolLimits, outbox: Outbox) -> None:
        self._origin = origin
        self._dialer = dialer
        self._limits = limits
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._idle: list[Connection] = []  # longest idle first
        self._dialling = 0  # connections being made, or promised to a waiter
        self._waiting: OrderedDict[_Waiter, float] = OrderedDict()  # until which loop time each waits
        self.connections: set[Connection] = set()
        self.opened = 0
        self.reused = 0
        self.replayed = 0
        self.closed = False
        self._gone: asyncio.Future[None] = self._loop.create_future()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def status(self) -> PoolStatus:
        origin = self._origin
        return PoolStatus(
            origin=f"{'https' if origin.tls else 'http'}://{origin.host}:{origin.port}",
            opened=self.opened,
            reused=self.reused,
            replayed=self.replayed,
            open=len(self.connections),
            idle=len(self._idle),
            dialling=self._dialling,
            waiting=len(self._waiting),
        )

    def take(self, now: float) -> Connection | None:
        """The connection that became idle last, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if self._fresh(connection, now):
                connection.idle_since = math.inf
                self.reused += 1
                return connection
            connection.drop()
        return None

    async def acquire(self, now: float, seconds: float) -> Connection:
        """A connection just released or newly made, within `seconds`. Raises UpstreamFailure, replayable."""
        if self.closed:
            raise _shut()
        if len(self.connections) + self._dialling < self._limits.connections:
            self._dialling += 1
            return await self._dial(seconds)
        granted = await self._wait(now + seconds)
        if isinstance(granted, UpstreamFailure):
            raise granted
        if granted is not None:
            self.reused += 1
            return granted
        return await self._dial(now + seconds - self._loop.time())

    def released(self, connection: Connection) -> None:
        if self.closed or not self._fresh(connection, connection.idle_since):
            connection.drop()
        elif (waiter := self._first_waiting()) is not None:
            connection.idle_since = math.inf
            waiter.set_result(connection)
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        if connection not in self.connections:
            return  # it closed before it was handed out
        self.connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._offer_dial()

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long, let go who has waited for too long."""
        while self._idle and not self._fresh(self._idle[0], now):
            self._idle.pop(0).drop()
        for waiter in [waiter for waiter, until in self._waiting.items() if until <= now and not waiter.done()]:
            del self._waiting[waiter]
            waiter.set_result(UpstreamFailure("timeout.connect", "no connection became free in time", replayable=True))

    def close(self) -> asyncio.Future[None]:
        """Close what is idle, refuse who waits or comes. Exchanges in progress are not touched; the future returned is
        done once the last connection is closed."""
        self.closed = True
        while self._idle:
            self._idle.pop().drop()
        while (waiter := self._first_waiting()) is not None:
            waiter.set_result(_shut())
        self._note_empty()
        return self._gone

    async def _wait(self, until: float) -> Connection | UpstreamFailure | None:
        waiter: _Waiter = self._loop.create_future()
        self._waiting[waiter] = until
        try:
            return await waiter
        except asyncio.CancelledError:
            if self._waiting.pop(waiter, None) is None and not waiter.cancelled():
                self._give_back(waiter.result())  # granted and cancelled in the same instant
            raise

    def _give_back(self, granted: Connection | UpstreamFailure | None) -> None:
        if isinstance(granted, Connection):
            granted.idle_since = self._loop.time()
            self.released(granted)
        elif granted is None:
            self._dialling -= 1
            self._offer_dial()

    async def _dial(self, seconds: float) -> Connection:
        """The connection that `_dialling` has been raised for."""
        connection: Connection | None = None
        try:
            connection = await self._dialer.dial(self._origin, seconds, lambda: Connection(self, self._outbox))
            self.opened += 1
            if self.closed:
                connection.drop()
                raise _shut()
            return connection
        finally:
            self._dialling -= 1
            if connection is None or connection.closed:
                self._offer_dial()
            else:
                self.connections.add(connection)

    def _offer_dial(self) -> None:
        self._note_empty()
        if len(self.connections) + self._dialling < self._limits.connections:
            waiter = self._first_waiting()
            if waiter is not None:
                self._dialling += 1
                waiter.set_result(None)

    def _first_waiting(self) -> _Waiter | None:
        """Whoever came first and has not been cancelled; no longer in the queue."""
        while self._waiting:
            waiter, _ = self._waiting.popitem(last=False)
            if not waiter.done():
                return waiter
        return None

    def _note_empty(self) -> None:
        if self.closed and not self.connections and not self._dialling and not self._gone.done():
            self._gone.set_result(None)

    def _fresh(self, connection: Connection, now: float) -> bool:
        return (
            not connection.closed
            and now - connection.idle_since < self._limits.idle
            and now - connection.born < self._limits.age
        )


def _shut() -> UpstreamFailure:
    return UpstreamFailure("cancelled", "the gateway is shutting down", replayable=True)
