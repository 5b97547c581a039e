"""The port that callers use: accepts connections, sweeps deadlines, and drains when the gateway shuts down."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from time import monotonic

from yett.config.tls import context
from yett.edge.http1 import Http1Connection, Http1Limits
from yett.edge.outbox import Outbox
from yett.edge.runners import Run, Runners
from yett.edge.tasks import spawn
from yett.model.encryption import Tls

SWEEP_SECONDS = 0.25
CUT_SECONDS = 2.0  # for the records of calls that were cut
BACKLOG = 2048


class Listener:
    """Serves `run` on a bound socket until `drain`."""

    def __init__(self, run: Run, limits: Http1Limits, outbox: Outbox) -> None:
        self._runners = Runners(run)
        self._limits = limits
        self._outbox = outbox
        self._connections: set[Http1Connection] = set()
        self._bound: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._tls: Tls | None = None
        self._draining = False
        self._sweeper: asyncio.Task[None] | None = None
        self._hurried = False

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self, bound: socket.socket, tls: Tls | None = None) -> None:
        self._bound = bound
        self._server = await self._serve(bound, tls)
        self._sweeper = spawn(self._sweep(), "deadlines")

    def bound_by(self, limits: Http1Limits) -> None:
        """Hold new connections to these; those that are open keep what they began with."""
        self._limits = limits

    async def take_up(self, tls: Tls | None) -> None:
        """Encrypt new connections like this; those that are open stay as they are, and none is refused meanwhile."""
        unchanged = (tls.name if tls else b"") == (self._tls.name if self._tls else b"")
        if self._bound is None or self._server is None or self._draining or unchanged:
            return
        before, self._server = self._server, await self._serve(self._bound, tls)
        before.close()

    async def _serve(self, bound: socket.socket, tls: Tls | None) -> asyncio.Server:
        self._tls = tls
        return await asyncio.get_running_loop().create_server(
            self._connection,
            sock=bound.dup(),  # the queue of those who wait for a connection outlives the server that it is handed to
            backlog=BACKLOG,
            ssl=context(tls) if tls else None,
            ssl_handshake_timeout=tls.handshake if tls else None,
        )

    def _connection(self) -> Http1Connection:
        connection = Http1Connection(self._limits, self._runners.serve, self._connections, self._outbox)
        connection.closing = self._draining  # its handshake took until now
        return connection

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = monotonic()
            for connection in [c for c in self._connections if c.deadline <= now]:
                connection.expire()

    async def drain(self, seconds: float, cut: Callable[[], None]) -> None:
        """Stop accepting, let calls in progress finish for `seconds` or until `hurry`, then `cut` what is left and wait for its
        records."""
        self._draining = True
        if self._server is not None:
            self._server.close()
        if self._bound is not None:
            self._bound.close()
        for connection in list(self._connections):
            connection.drain()
        await self._empty(seconds)
        cut()
        self._hurried = False
        await self._empty(CUT_SECONDS)
        if self._sweeper is not None:
            self._sweeper.cancel()
        self._runners.close()

    def hurry(self) -> None:
        """Give calls in progress no more time to finish."""
        self._hurried = True

    async def _empty(self, seconds: float) -> None:
        deadline = monotonic() + seconds
        while self._connections and monotonic() < deadline and not self._hurried:  # noqa: ASYNC110 - at shutdown only
            await asyncio.sleep(0.02)


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """A bound TCP socket. `shared` lets several worker processes accept on one port (SO_REUSEPORT). Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.setblocking(False)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
