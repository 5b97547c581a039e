"""One upstream reply as it arrives: the parser's callbacks on one side, the pipeline's `ports.Exchange` on the other."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Protocol

from httptools import HttpResponseParser

from yett.edge.encoding import Decoder
from yett.model.route import Timeouts
from yett.ports import UpstreamFailure

MAX_HEAD = 65_536  # bytes of a reply's head; also of interim replies, chunk extensions or trailers in a row
MAX_FIELDS = 256  # header fields of a reply
HIGH_WATER = 65_536  # bytes of body held before anyone has asked for them; beyond it the socket is not read

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"content-encoding"))


class Wire(Protocol):
    """What an exchange needs of its connection until it is complete."""

    parser: HttpResponseParser | None

    def hold(self, held: bool) -> None:
        """Stop (True) or go on (False) reading from the socket."""
        ...

    def drop(self) -> None:
        """Close at once."""
        ...


class UpstreamExchange:
    """Implements ports.Exchange. `headers` describe the body as read() and stream() give it: where a content-encoding is
    undone, `content-encoding` and the `content-length` of the encoded body are left out.

    Held body waits as it came from the wire, still encoded: while the caller reads slowly, memory is bounded by one read
    from the socket, however well a hostile upstream has compressed. Futures are only ever given a result, never an
    exception, so that a cancelled task leaves no unretrieved one behind: what went wrong is in `failure`.
    """

    __slots__ = (
        "_asked", "_backlog", "_bodiless", "_decoder", "_fields", "_first_by", "_interim", "_limit", "_max_decoded",
        "_paused", "_quiet", "_quiet_since", "_sink", "_size", "_total_by", "_unread", "_until_close", "_waiter", "_wire",
        "complete", "extra", "failure", "head", "headers", "reusable", "sent", "started", "status", "touched",
        "unproductive",
    )  # fmt: skip

    def __init__(
        self, wire: Wire, timeouts: Timeouts, began: float, now: float, *, max_decoded: int, bodiless: bool
    ) -> None:
        """`began`, `now`: when the attempt and when this exchange began (loop time, seconds). `bodiless`: answers a HEAD."""
        self.status = 0
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.failure: BaseException | None = None
        self.sent = now
        self.started = False  # the final head has arrived
        self.complete = False  # the reply has ended regularly; nothing more is expected from the wire
        self.extra = False  # something more came all the same
        self.reusable = False  # as far as the head says
        self.touched = False  # bytes came since the last sweep
        self.unproductive = 0  # bytes since the request, the head, or the last piece of body
        self._wire: Wire | None = wire
        self._fields: list[tuple[bytes, bytes]] = []
        self._interim = False
        self._bodiless = bodiless
        self._until_close = False
        self._backlog: deque[bytes] = deque()
        self._size = 0  # bytes that went into the backlog
        self._unread = b""  # of a piece that the sink could not take whole
        self._limit = HIGH_WATER
        self._asked = False  # read() has said how much it takes
        self._max_decoded = max_decoded
        self._decoder: Decoder | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._first_by = now + timeouts.first_byte
        self._total_by = began + timeouts.total
        self._quiet = timeouts.between_chunks
        self._quiet_since = now

    # ---- the caller's side ----

    def header(self, name: bytes) -> bytes:
        """The first value of `name` (lower case); empty when there is none."""
        for field, value in self.headers:
            if field == name:
                return value
        return b""

    async def read(self, limit: int) -> bytes:
        regular = False
        try:
            if not self.complete and self.failure is None:
                self._ask(limit)
                while not self.complete and self.failure is None:
                    await self._change()
            if self.failure is not None:
                raise self.failure
            if self._size > limit:
                raise _too_large(limit)
            body = self._backlog[0] if len(self._backlog) == 1 else b"".join(self._backlog)
            self._backlog.clear()
            if self._decoder is not None:
                body = _decoded(self._decoder, body, limit)
            regular = True
            return body
        finally:
            if not regular:
                self.abort()

    async def stream(self, sink: Callable[[bytes], None]) -> None:
        regular = False
        self._sink = sink
        try:
            if self._wire is not None and not self._paused:
                self._wire.hold(False)
            while True:
                self._drain(sink)
                if not self._held():
                    if self.failure is not None:
                        raise self.failure
                    if self.complete:
                        break
                await self._change()
            if self._decoder is not None:
                self._decoder.finish()
            regular = True
        finally:
            self._sink = None  # a sink mostly refers to what refers to this exchange: no cycles for the collector
            if not regular:
                self.abort()

    def pause(self) -> None:
        self._paused = True
        if self._wire is not None:
            self._wire.hold(True)

    def resume(self) -> None:
        if not self._paused:
            return
        self._paused = False
        if self._wire is not None:
            self._wire.hold(False)
        if self._held():
            # Given out by the task in stream(), not here: what the sink raises belongs to that task.
            self._wake()

    def unread(self, rest: bytes) -> None:
        self._unread = rest

    def abort(self) -> None:
        self.expire(UpstreamFailure("cancelled", "the exchange was aborted"))

    # ---- the connection's side ----

    def expire(self, failure: UpstreamFailure) -> None:
        """End at once: what is held is dropped, whoever waits gets `failure`."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.drop()
        self._sink = None
        self._decoder = None
        self._backlog.clear()
        self._unread = b""
        self.fail(failure)

    def fail(self, failure: BaseException) -> None:
        """The wire gives no more. What came before is still given out."""
        self._wire = None
        if self.failure is None:
            self.failure = failure
        if not self.head.done():
            self.head.set_result(None)
        self._wake()

    def finish(self) -> None:
        """The connection has let go of this exchange, which is complete."""
        self._wire = None
        self._wake()

    def lost(self, error: Exception | None, stale: bool) -> None:
        """The connection closed. `stale`: it was a kept one and may have been closed for idleness before it saw the request."""
        if self.started and self._until_close and error is None:
            self.complete = True
            self.finish()
        elif not self.started and self.unproductive == 0:
            self.fail(UpstreamFailure("reset", "closed before any byte of a reply", replayable=stale))
        elif isinstance(error, ssl.SSLError):
            self.fail(UpstreamFailure("tls", "TLS failed in the middle of the reply"))
        elif error is not None:
            self.fail(UpstreamFailure("reset", "the connection was reset in the middle of the reply"))
        else:
            self.fail(UpstreamFailure("truncated", "the connection was closed in the middle of the reply"))

    def overdue(self, now: float, held: bool) -> str:
        """The time-out that has passed, if any. Time during which the socket is not read (`held`) is not the upstream's."""
        if now >= self._total_by:
            return "timeout.total"
        if not self.started:
            return "timeout.first_byte" if now >= self._first_by else ""
        if self.touched or held:
            self.touched = False
            self._quiet_since = now
        elif now - self._quiet_since >= self._quiet:
            return "timeout.between_chunks"
        return ""

    # ---- the parser's callbacks ----

    def on_message_begin(self) -> None:
        if self.complete:
            self.extra = True  # response splitting: nobody has asked for a second reply

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.started:  # trailers are dropped: nothing here may depend on them (RFC 9110 section 6.5.1)
            self._fields.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        if self.complete or self._wire is None or self._wire.parser is None:
            return
        parser = self._wire.parser
        status = parser.get_status_code()
        if status < 200:
            if status == 101:
                raise UpstreamFailure("garbage", "the upstream switched protocols without being asked to")
            self._fields.clear()
            self._interim = True
            return
        if status > 599 or len(self._fields) > MAX_FIELDS or self.unproductive > MAX_HEAD:
            self._check_size(status)
        self._frame(status)
        bodiless = self._bodiless
        self.reusable = not bodiless and parser.should_keep_alive()
        self.status = status
        self.started = True
        self.complete = bodiless
        self.unproductive = 0
        self.headers = tuple(self._fields)
        if not self.head.done():
            self.head.set_result(None)

    def on_body(self, piece: bytes) -> None:
        self.unproductive = 0
        if self.complete or self.failure is not None:
            self.extra = True
            return
        sink = self._sink
        if sink is not None and not self._paused and self._decoder is None and not self._backlog and not self._unread:
            sink(piece)
            return
        self._backlog.append(piece)
        self._size += len(piece)
        if sink is None:
            self._bound()
        elif self._waiter is not None and not self._waiter.done():  # else the task in stream() is about to do it
            self._drain(sink)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        elif self.failure is None:
            self.complete = True

    # ---- the parts ----

    def _check_size(self, status: int) -> None:
        if status > 599:
            raise UpstreamFailure("garbage", "the reply's status is out of range")
        if len(self._fields) > MAX_FIELDS or (
            self.unproductive > MAX_HEAD and sum(len(name) + len(value) + 4 for name, value in self._fields) > MAX_HEAD
        ):
            raise UpstreamFailure("garbage", "the reply's head is too large")

    def _frame(self, status: int) -> None:
        """Where the body ends and how it is encoded. The parser has refused contradictory framing already."""
        sized = False
        encodings: list[bytes] = []
        for name, value in self._fields:
            if name not in _FRAMING:
                continue
            if name == b"content-encoding":
                encodings += [part for part in value.lower().replace(b" ", b"").split(b",") if part != b"identity"]
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                raise UpstreamFailure("garbage", "the reply has a transfer-encoding that was not asked for")
            else:
                sized = True
        self._until_close = not sized
        if encodings and not self._bodiless and status not in {204, 304}:
            if len(encodings) > 1:
                raise UpstreamFailure("garbage", "the reply has several content-encodings")
            self._decoder = Decoder(encodings[0], self._max_decoded)
            dropped = {b"content-encoding", b"content-length"}
            self._fields = [field for field in self._fields if field[0] not in dropped]

    def _ask(self, limit: int) -> None:
        self._asked = True
        self._limit = limit
        announced = self.header(b"content-length")
        if self._size > limit or (announced and int(announced) > limit):
            raise _too_large(limit)
        if self._wire is not None and not self._paused:
            self._wire.hold(False)

    def _bound(self) -> None:
        if self._size > self._limit:
            if self._asked:
                raise _too_large(self._limit)
            if self._wire is not None:
                self._wire.hold(True)

    def _held(self) -> bool:
        return bool(self._backlog or self._unread) or (self._decoder is not None and self._decoder.pending)

    def _drain(self, sink: Callable[[bytes], None]) -> None:
        while not self._paused and self._sink is not None:
            if self._unread:
                rest, self._unread = self._unread, b""
                sink(rest)
            elif self._decoder is None:
                if not self._backlog:
                    return
                sink(self._backlog.popleft())
            elif piece := self._decoder.take():
                sink(piece)
            elif self._backlog:
                self._decoder.feed(self._backlog.popleft())
            else:
                return

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _too_large(limit: int) -> UpstreamFailure:
    return UpstreamFailure("too_large", f"the reply exceeds {limit} bytes")


def _decoded(decoder: Decoder, body: bytes, limit: int) -> bytes:
    decoder.limit(limit)
    decoder.feed(body)
    pieces = []
    while piece := decoder.take():
        pieces.append(piece)
    decoder.finish()
    return b"".join(pieces)
