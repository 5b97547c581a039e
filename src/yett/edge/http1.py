"""The caller's side of a connection: HTTP/1.1 (RFC 9112) on llhttp, one complete request at a time.

    IDLE ──first byte──> HEAD ──headers complete──> BODY ──message complete──> BUSY ──reply ended──> IDLE
      └──────────────── any limit, time-out or parse error ───> BUSY (a refusal) ──> LINGER ──> closed

A request is handed to the pipeline when its last byte is in, so inspection always sees it whole. Even a request that cannot be
parsed is handed over, as a refusal: refusing is the pipeline's business, and so is recording it. llhttp in its strict mode
rejects what request smuggling is made of (Content-Length with Transfer-Encoding, obs-fold, bare LF, duplicate lengths);
what it tolerates and we do not is checked here. Deadlines are plain numbers that the listener's sweep compares.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import cast

import httptools
from msgspec import Struct

from yett.edge.outbox import Outbox, Share
from yett.edge.peer import certificates
from yett.model.call import Inbound

IDLE, HEAD, BODY, BUSY, LINGER = range(5)
NEVER = float("inf")
MAX_URI = 8192  # bytes; RFC 9112 section 3 recommends 8000 at least
# RFC 9110 section 7.2: uri-host [ ":" port ]; empty where the target has no authority.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Za-z:.]+\])(?::[0-9]{0,5})?").fullmatch
LINGER_SECONDS = 2.0
LINGER_BYTES = 1 << 20
REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type",
    422: "Unprocessable Content", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip


class Http1Limits(Struct, frozen=True):
    """Sizes in bytes, times in seconds."""

    max_body: int = 8 << 20
    max_head: int = 32 << 10
    max_headers: int = 100
    head_timeout: float = 10.0
    body_timeout: float = 60.0
    idle_timeout: float = 75.0
    write_timeout: float = 60.0  # a caller that takes nothing of its reply for so long is gone


class _StopParsing(Exception):
    """Raised inside an llhttp callback to leave it; the reason is already in `_refuse`."""


Serve = Callable[[Inbound, "Http1Connection"], "asyncio.Task[None]"]


class Http1Connection(asyncio.Protocol):
    """One caller's connection; implements the `Outlet` port for the request in progress."""

    __slots__ = (
        "_bare",
        "_body",
        "_body_bytes",
        "_certificates",
        "_chunked",
        "_connections",
        "_deaf",
        "_fields",
        "_head_bytes",
        "_headers",
        "_http10",
        "_keep_alive",
        "_limits",
        "_lingered",
        "_on_gone",
        "_on_pause",
        "_outbox",
        "_parser",
        "_pending",
        "_progress",
        "_queue",
        "_reply_head",
        "_serve",
        "_share",
        "_state",
        "_task",
        "_trailers",
        "_transport",
        "_unsent",
        "_uri",
        "_version",
        "closing",
        "deadline",
        "gone",
        "paused",
        "peer",
    )  # fmt: skip

    def __init__(
        self,
        limits: Http1Limits,
        serve: Serve,
        connections: set[Http1Connection],
        outbox: Outbox,
    ) -> None:
        self._limits = limits
        self._serve = serve
        self._connections = connections
        self._outbox = outbox
        self._parser = httptools.HttpRequestParser(self)
        self._queue: deque[tuple[Inbound, bool, bool]] = deque()
        self._state = IDLE
        self._task: asyncio.Task[None] | None = None
        self._on_gone: Callable[[], None] | None = None
        self._on_pause: Callable[[bool], None] | None = None
        self._reply_head = b""
        self._chunked = False
        self._keep_alive = True
        self._http10 = False
        self._bare = False  # the reply is to HEAD: its head is all there is
        self._lingered = 0
        self._unsent = 0  # bytes that the caller had yet to take when the deadline was set
        self._deaf = False  # what comes next cannot be parsed, or must not be
        self.deadline = NEVER
        self.closing = False  # draining: finish what is in progress, then close
        self.gone = False
        self.paused = False
        self._begin()

    def _begin(self) -> None:
        self._uri = b""
        self._version = "1.1"
        self._headers: dict[bytes, bytes] = {}
        self._fields = 0
        self._head_bytes = 0
        self._pending = 0
        self._progress = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._trailers = False

    # ---- asyncio -------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._share = Share(self._transport, self._outbox)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if peer else ""
        self._certificates = certificates(transport)
        self._connections.add(self)
        self.deadline = monotonic() + self._limits.idle_timeout

    def data_received(self, data: bytes) -> None:
        if self._state == LINGER:
            self._lingered += len(data)
            if self._lingered > LINGER_BYTES:
                self._transport.abort()
            return
        if self._deaf:
            return
        if self._state == IDLE:
            self._state = HEAD
            self.deadline = monotonic() + self._limits.head_timeout
        try:
            self._parser.feed_data(data)
        except _StopParsing:
            return
        except httptools.HttpParserUpgrade as stopped:
            self._decline(data[stopped.args[0] :])
        except httptools.HttpParserCallbackError as error:
            if not isinstance(error.__context__, _StopParsing):
                raise
        except httptools.HttpParserError:
            self._refuse("bad_http")
        else:
            self._bound_pending(len(data))

    def _decline(self, rest: bytes) -> None:
        """We never switch protocols (RFC 9110 section 7.8 leaves it to us) and serve the request itself. llhttp takes what
        follows an `upgrade` for the other protocol: the same head is read again without it, so that the body is one."""
        served = self.closing or b"upgrade" not in self._headers  # CONNECT needs no such field
        self.closing = True
        if served:
            self._stop_reading()
            return
        fields = b"".join(b"%b: %b\r\n" % field for field in self._headers.items() if field[0] != b"upgrade")
        head = b"%b %b HTTP/%b\r\n%b\r\n" % (self._parser.get_method(), self._uri, self._version.encode(), fields)
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(head + rest)

    def _bound_pending(self, size: int) -> None:
        """llhttp keeps a header field, or a trailer, until its end has come: bytes that complete nothing are counted here."""
        self._pending = 0 if self._progress else self._pending + size
        self._progress = False
        if self._pending + self._head_bytes > self._limits.max_head:
            self._refuse("headers_too_large" if self._uri else "uri_too_long")

    def eof_received(self) -> bool:
        return False  # a caller that half-closes is gone: that is how a disconnect shows

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True
        self._connections.discard(self)
        self.deadline = NEVER
        del self._parser  # each knows the other: the request would stay until the collector comes
        if self._on_gone is not None:
            self._on_gone()

    def pause_writing(self) -> None:
        self.paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = monotonic() + self._limits.write_timeout
        if self._on_pause is not None:
            self._on_pause(True)

    def resume_writing(self) -> None:
        self.paused = False
        if self._state == LINGER:
            self.deadline = monotonic() + LINGER_SECONDS
        elif self._task is not None:
            self.deadline = NEVER
        elif self._state in (IDLE, BUSY):
            self._next()
        if self._on_pause is not None:
            self._on_pause(False)

    # ---- llhttp --------------------------------------------------------------------------------------------------

    on_message_begin = _begin

    def on_url(self, url: bytes) -> None:
        self._uri += url
        if len(self._uri) > MAX_URI:
            self._stop("uri_too_long")

    def on_header(self, name: bytes, value: bytes) -> None:
        limits, headers = self._limits, self._headers
        self._progress = True
        size = self._head_bytes = self._head_bytes + len(name) + len(value) + 4
        fields = self._fields = self._fields + 1
        if size > limits.max_head or (fields > limits.max_headers and not self._trailers):
            self._stop("headers_too_large")
        if self._trailers:
            return  # RFC 9110 section 6.5: trailers may be discarded, and a late `authorization` must be
        name = name.lower()
        if name in headers:
            if name == b"host":  # two would let a proxy in front and Yett disagree
                self._stop("bad_http")
            value = headers[name] + b", " + value
        headers[name] = value

    def on_headers_complete(self) -> None:
        self._progress = True
        self._trailers = True
        self._head_bytes = 0
        headers = self._headers
        length = headers.get(b"content-length", b"0")
        version = self._version = self._parser.get_http_version()
        # RFC 9112 section 3.2: a request must say which host it is for; section 6.1: HTTP/1.0 knows no transfer coding.
        if b"host" not in headers if version == "1.1" else version != "1.0" or b"transfer-encoding" in headers:
            self._stop("bad_http")
        if not _HOST(headers.get(b"host", b"")):  # section 3.2: else who reads it next may see another host in it
            self._stop("bad_http")
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            self._stop("bad_http")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            self._stop("unsupported_encoding")
        if len(length) > 15 or int(length) > self._limits.max_body:
            self._stop("body_too_large")
        if self._state == HEAD:
            self._state = BODY
            self.deadline = monotonic() + self._limits.body_timeout
            if headers.get(b"expect", b"").lower() == b"100-continue":
                self._share.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._progress = True
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.max_body:
            self._stop("body_too_large")
        self._body.append(body)

    def on_message_complete(self) -> None:
        if b"upgrade" in self._headers and self._parser.should_upgrade():
            return  # complete only in llhttp's eyes, see `_decline`
        body, self._body = self._body, []  # a connection that waits for another request keeps nothing of this one
        inbound = self._inbound(body[0] if len(body) == 1 else b"".join(body), "")
        self._submit(inbound, keep_alive=bool(self._parser.should_keep_alive()))

    # ---- requests ------------------------------------------------------------------------------------------------

    def _inbound(self, body: bytes, refused: str) -> Inbound:
        path, _, query = self._uri.decode("ascii", "replace").partition("?")
        method = self._parser.get_method().decode() if self._uri else ""
        return Inbound(method, path, query, self._headers, body, self.peer, monotonic(), refused, self._certificates)

    def _submit(self, inbound: Inbound, *, keep_alive: bool) -> None:
        http10 = self._version == "1.0"
        if self._state == BUSY or self.paused:
            self._state = BUSY
            self._queue.append((inbound, keep_alive, http10))
            self._transport.pause_reading()  # a pipelining caller waits in its own socket, not in our memory
        else:
            self._start(inbound, keep_alive, http10)

    def _start(self, inbound: Inbound, keep_alive: bool, http10: bool) -> None:
        self._state = BUSY
        self.deadline = NEVER
        self._keep_alive = keep_alive
        self._http10 = http10
        self._bare = inbound.method == "HEAD"
        self._task = self._serve(inbound, self)

    def _stop(self, code: str) -> None:
        self._refuse(code)
        raise _StopParsing

    def _refuse(self, code: str) -> None:
        """Hand over what is known of the request as a refusal; nothing more is read from this connection."""
        inbound = self._inbound(b"", code)
        self._stop_reading()
        self._submit(inbound, keep_alive=False)

    def _stop_reading(self) -> None:
        self._deaf = True
        self._transport.pause_reading()

    def expire(self) -> None:
        """Called by the sweep when the deadline has passed."""
        if self._state in (HEAD, BODY):
            self._refuse("request_timeout")
            return
        unsent = self._transport.get_write_buffer_size()
        if unsent and unsent != self._unsent:  # it reads, if slowly
            self._unsent = unsent
            self.deadline = monotonic() + self._limits.write_timeout
        elif unsent or self._state != IDLE:
            self._transport.abort()  # close() would wait for ever until everything has been taken
        else:
            self._transport.close()

    def drain(self) -> None:
        """The gateway is shutting down: close when idle, else after the reply in progress."""
        self.closing = True
        if self._state in (IDLE, HEAD, BODY):
            self._share.flush()
            self._transport.close()

    # ---- Outlet --------------------------------------------------------------------------------------------------

    def watch(self, on_gone: Callable[[], None], on_pause: Callable[[bool], None]) -> None:
        self._on_gone = on_gone
        self._on_pause = on_pause

    def head(self, status: int, headers: Sequence[tuple[str, str]], length: int | None) -> None:
        """Kept back until the first byte of the body, so that head and body leave in one segment."""
        keep_alive = self._keep_alive and not self.closing
        self._chunked = length is None and not self._http10
        framing = "transfer-encoding: chunked\r\n" if self._chunked else ""
        if length is not None:
            framing = f"content-length: {length}\r\n"
        elif self._http10:
            keep_alive = False  # the end of the body is the end of the connection
        if not keep_alive:
            self._keep_alive = False
            framing += "connection: close\r\n"
        fields = "\r\n".join([f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}", *map(": ".join, headers), framing])
        self._reply_head = f"{fields}\r\n".encode("latin-1")

    def write(self, data: bytes) -> None:
        if self.gone or self._bare or not data:
            return
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._reply_head:
            data = self._reply_head + data
            self._reply_head = b""
        self._share.write(data)

    def end(self) -> None:
        """The reply is complete: next request, or close."""
        tail = self._reply_head + (b"0\r\n\r\n" if self._chunked else b"")
        self._reply_head = b""
        self._finish(tail)

    def cancel(self) -> None:
        """End the call in progress: its task is cancelled."""
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """The reply cannot be completed: end the connection so that the caller cannot mistake it for a whole one."""
        self._reply_head = b""
        self._on_gone = self._on_pause = None
        if not self.gone:
            self._share.flush()  # an answer before this one may be whole
            self._transport.abort()

    def _finish(self, tail: bytes) -> None:
        self._on_gone = self._on_pause = None
        self._task = None
        self._chunked = False
        if self.gone:
            return
        if tail:
            self._share.write(tail)
        if not self._keep_alive or self.closing:
            self._linger()
        elif not self.paused:  # else BUSY until the caller has taken it: no replies pile up behind one that is not read
            self._next()

    def _next(self) -> None:
        """The reply has left: serve what was pipelined behind it, or wait for the next request."""
        self._unsent = 0
        if self._queue:
            following = self._queue.popleft()
            if not self._queue and not self._deaf:
                self._transport.resume_reading()
            self._start(*following)
        else:
            self._state = IDLE
            self.deadline = monotonic() + self._limits.idle_timeout

    def _linger(self) -> None:
        """RFC 9112 section 9.6: closing with unread bytes resets the connection, and the caller loses the reply."""
        self._queue.clear()
        self._share.flush()
        self._state = LINGER
        if not self.paused:
            self.deadline = monotonic() + LINGER_SECONDS
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._transport.resume_reading()
        else:  # TLS: close_notify is sent by close()
            self._transport.close()
