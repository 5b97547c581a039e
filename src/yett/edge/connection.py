"""One connection to an upstream: bytes between the socket and the exchange that runs on it, one exchange at a time."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import Protocol, cast

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from yett.edge.exchange import MAX_HEAD, UpstreamExchange
from yett.edge.outbox import Outbox, Share
from yett.ports import UpstreamFailure

_ONE_WRITE = 65_536  # bytes of body up to which head and body are copied into one write
_STALE_WINDOW = 2.0  # seconds; a kept connection that closes later than this was not closed for being idle


class Owner(Protocol):
    """The pool, as its connections see it."""

    def released(self, connection: Connection) -> None:
        """The connection is free for the next exchange."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is closed."""
        ...


class Connection(asyncio.Protocol):
    """Every exchange gets a parser of its own, so that no state of one reply can reach into the next."""

    __slots__ = (
        "_loop",
        "_outbox",
        "_owner",
        "_share",
        "_transport",
        "born",
        "closed",
        "exchange",
        "held",
        "idle_since",
        "parser",
        "uses"
    )  # fmt: skip

    def __init__(self, owner: Owner, outbox: Outbox) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._outbox = outbox
        self._share: Share | None = None
        self._transport: asyncio.Transport | None = None
        self.born = self._loop.time()
        self.idle_since = math.inf  # loop time; infinite while in use
        self.uses = 0
        self.closed = False
        self.held = False  # the socket is not being read
        self.exchange: UpstreamExchange | None = None
        self.parser: HttpResponseParser | None = None

    def send(self, exchange: UpstreamExchange, head: bytes, body: bytes) -> None:
        """Begin an exchange. It fails (replayable) when the connection has closed in the meantime."""
        transport, share = self._transport, self._share
        if self.closed or transport is None or share is None or transport.is_closing():
            exchange.fail(UpstreamFailure("reset", "closed before the request was sent", replayable=True))
            return
        self.uses += 1
        self.exchange = exchange
        self.parser = HttpResponseParser(exchange)
        if len(body) <= _ONE_WRITE:
            share.write(head + body)
        else:
            transport.writelines((head, body))

    def hold(self, held: bool) -> None:
        transport = self._transport
        if held is self.held or transport is None or transport.is_closing():
            return
        self.held = held
        if held:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def drop(self) -> None:
        self.closed = True
        self.exchange = None
        self.parser = None
        if self._transport is not None:
            self._transport.abort()

    # ---- asyncio's callbacks ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._share = Share(self._transport, self._outbox)
        if (raw := transport.get_extra_info("socket")) is not None and raw.family != socket.AF_UNIX:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.closed:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        parser = self.parser
        if exchange is None or parser is None:
            self.drop()  # nobody has asked for anything: whatever this is, the next exchange must not take it for its reply
            return
        exchange.touched = True
        exchange.unproductive += len(data)
        try:
            parser.feed_data(data)
        except HttpParserCallbackError as error:
            # Our own checks, or the caller's sink: the cause goes to whoever waits for the exchange.
            self._break(exchange, error.__context__ or error)
            return
        except (HttpParserError, HttpParserUpgrade) as error:
            if not exchange.complete:
                self._break(exchange, UpstreamFailure("garbage", f"not HTTP/1.1: {error}"))
                return
            exchange.extra = True
        if self.exchange is not exchange:
            return  # aborted from within
        if exchange.complete:
            self._end(exchange)
        elif exchange.unproductive > MAX_HEAD:
            self._break(exchange, UpstreamFailure("garbage", "the reply's head or trailer is too large"))

    def eof_received(self) -> None:
        return None  # let the transport close: no half-open connections

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        exchange, self.exchange = self.exchange, None
        self.parser = None
        if exchange is not None:
            stale = self.uses > 1 and self._loop.time() - exchange.sent < _STALE_WINDOW
            exchange.lost(exc, stale)
        self._owner.lost(self)

    # ---- the parts ----

    def _break(self, exchange: UpstreamExchange, error: BaseException) -> None:
        self.drop()
        exchange.fail(error)

    def _end(self, exchange: UpstreamExchange) -> None:
        self.exchange = None
        self.parser = None
        self.hold(False)
        exchange.finish()
        transport, share = self._transport, self._share
        if (
            not exchange.reusable
            or exchange.extra
            or transport is None
            or share is None
            or transport.is_closing()
            or share.waiting
            or transport.get_write_buffer_size()  # answered before the request was sent: the rest would follow the next one
        ):
            self.drop()
            return
        self.idle_since = self._loop.time()
        self._owner.released(self)
