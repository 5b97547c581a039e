"""The upstream HTTP/1.1 client: `ports.Upstream` over pooled connections, with every time-out checked by one common sweep."""

from __future__ import annotations

import asyncio

from yett.edge.connection import Connection
from yett.edge.dial import Dialer, Proxy
from yett.edge.exchange import UpstreamExchange
from yett.edge.origin import Address, Origin
from yett.edge.outbox import Outbox
from yett.edge.pool import Pool, PoolLimits, PoolStatus
from yett.model.route import Provider
from yett.ports import Outgoing, UpstreamFailure

_BUSY_SWEEP = 0.04  # seconds between sweeps while anything is in flight; a time-out is late by at most this
_IDLE_SWEEP = 1.0
_STALL = 0.25  # seconds; a sweep this late means that the loop stood still, and that sockets have unread data
_CLOSE = 1.0  # seconds that close() waits for sockets to be gone


class UpstreamClient:
    """Implements ports.Upstream. Construct and use it on one running event loop.

    `send` raises ValueError for a request that cannot be put on the wire safely (see Address.head): that is the sender's
    mistake, not the upstream's, and no other target would help. `proxy` is `http://[user:password@]host[:port]` or empty,
    and is tunnelled through for every origin; the environment is never asked. `max_decoded` bounds, in bytes, what comes
    out of one reply's content-encoding.
    """

    def __init__(
        self,
        *,
        limits: PoolLimits | None = None,
        proxy: str = "",
        dns_seconds: float = 30.0,
        max_decoded: int = 33_554_432,
        outbox: Outbox | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits or PoolLimits()
        self._dialer = Dialer(Proxy(proxy) if proxy else None, dns_seconds)
        self.max_decoded = max_decoded
        self._outbox = outbox or Outbox()
        self._pools: dict[Origin, Pool] = {}
        self._places: dict[tuple[str, str], tuple[Address, Pool]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._hurried = False  # the next sweep is a near one
        self._due = 0.0
        self._excused = False

    async def send(self, outgoing: Outgoing) -> UpstreamExchange:
        provider = outgoing.provider
        address, pool = self._places.get((provider.base_url, provider.ca_file)) or self._place(provider)
        body = outgoing.body
        head = address.head(outgoing.method, outgoing.path, outgoing.headers, outgoing.secret, len(body))
        began = self._loop.time()
        if not self._hurried:
            self._schedule(_BUSY_SWEEP)
        connection = pool.take(began)
        if connection is not None:
            exchange = self._begin(connection, outgoing, began, began, head)
            try:
                await exchange.head
            except asyncio.CancelledError:
                exchange.abort()
                raise
            if exchange.failure is None or exchange.started:
                return exchange
            if not isinstance(exchange.failure, UpstreamFailure) or not exchange.failure.replayable:
                raise exchange.failure
            pool.replayed += 1  # the upstream had closed the kept connection: once more, on one that was not kept
        now = self._loop.time()
        connection = await pool.acquire(now, provider.timeouts.connect)
        if not self._hurried:
            self._schedule(_BUSY_SWEEP)
        exchange = self._begin(connection, outgoing, began, self._loop.time(), head)
        try:
            await exchange.head
        except asyncio.CancelledError:
            exchange.abort()
            raise
        if exchange.failure is not None and not exchange.started:
            raise exchange.failure
        return exchange

    def status(self) -> tuple[PoolStatus, ...]:
        """Every origin's counters and gauges."""
        return tuple(pool.status() for pool in self._pools.values())

    async def close(self) -> None:
        """End everything at once, exchanges in progress included, and wait briefly until the sockets are closed."""
        gone = [pool.close() for pool in self._pools.values()]
        for pool in self._pools.values():
            for connection in tuple(pool.connections):
                if connection.exchange is not None:
                    connection.exchange.expire(UpstreamFailure("cancelled", "the gateway is shutting down"))
                else:
                    connection.drop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._hurried = True  # so that nothing starts the sweep again
        if gone:
            await asyncio.wait(gone, timeout=_CLOSE)

    # ---- the parts ----

    def _place(self, provider: Provider) -> tuple[Address, Pool]:
        address = Address(provider.base_url, provider.ca_file)
        pool = self._pools.get(address.origin)
        if pool is None:
            pool = self._pools[address.origin] = Pool(address.origin, self._dialer, self._limits, self._outbox)
        place = self._places[provider.base_url, provider.ca_file] = (address, pool)
        return place

    def _begin(
        self, connection: Connection, outgoing: Outgoing, began: float, now: float, head: bytes
    ) -> UpstreamExchange:
        bodiless = outgoing.method == "HEAD"
        timeouts = outgoing.provider.timeouts
        exchange = UpstreamExchange(connection, timeouts, began, now, max_decoded=self.max_decoded, bodiless=bodiless)
        connection.send(exchange, head, outgoing.body)
        return exchange

    def _schedule(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._hurried = seconds < _IDLE_SWEEP
        self._due = self._loop.time() + seconds
        self._timer = self._loop.call_later(seconds, self._sweep)

    def _sweep(self) -> None:
        now = self._loop.time()
        if now - self._due > _STALL and not self._excused:
            self._excused = True  # let the sockets be read first: not the upstream was slow, we were
            self._schedule(_BUSY_SWEEP)
            return
        self._excused = False
        busy = False
        kept = False
        for pool in self._pools.values():
            pool.sweep(now)
            busy = busy or pool.waiting > 0
            kept = kept or bool(pool.connections)
            for connection in tuple(pool.connections):
                exchange = connection.exchange
                if exchange is not None:
                    busy = True
                    if outcome := exchange.overdue(now, connection.held):
                        exchange.expire(UpstreamFailure(outcome, f"{outcome} after {now - exchange.sent:.1f} s"))
        if busy or kept:
            self._schedule(_BUSY_SWEEP if busy else _IDLE_SWEEP)
        else:
            self._timer = None
            self._hurried = False
