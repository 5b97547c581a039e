"""Plays scripts on real sockets: an HTTP/1.1 server that is as exact, and as broken, as its scripts say."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections import deque
from types import TracebackType
from typing import Any, Self, cast

import httptools

from yett.simulator.behaviour import Behaviour
from yett.simulator.question import Complaint
from yett.simulator.recording import Received, Request
from yett.simulator.script import Act, Script, Step, Terms, buffered
from yett.simulator.service import Service
from yett.simulator.settings import Settings

_LINGER_ZERO = struct.pack("ii", 1, 0)
_BEFORE_RESET = 0.01  # seconds: what was written before a reset reaches the client before the RST does
_PATIENCE = 100  # such waits for a client that does not read


class Connection(asyncio.Protocol):
    """One client connection: requests are parsed as they come and answered one after another."""

    def __init__(self, service: Service, alive: set[Connection], number: int) -> None:
        self._service = service
        self._alive = alive
        self._number = number
        self._loop = asyncio.get_running_loop()
        self.closed = asyncio.Event()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._waiting: deque[tuple[Request, Terms]] = deque()
        self._script: Script | None = None
        self._pending: Step | None = None
        self._received: Received | None = None
        self._timer: asyncio.Handle | None = None
        self._paused = False
        self._stuck = False  # the script goes on when the client has read
        self._ended = False  # no more requests are answered
        self._keep_alive = True
        self._target = bytearray()
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._size = 0

    # ---- asyncio ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:

        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports are not subclasses
        self._alive.add(self)
        self._service.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._alive.discard(self)
        self.closed.set()
        self._service.connections -= 1
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._received is not None and self._received.outcome in {"open", "hung"}:
            self._received.outcome = "disconnected"

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError:
            raise  # our own mistake, not the client's: loud, and the connection is dropped
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._refuse(Complaint(400, f"Not an HTTP/1.1 request: {error}"))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._stuck:
            self._stuck = False
            self._advance()

    def abort(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    # ---- httptools --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._target = bytearray()
        self._headers = []
        self._body = []
        self._size = 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        if any(name.lower() == "expect" for name, _ in self._headers) and self._script is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > self._service.settings.max_body_bytes:
            self._body = []
            if not self._ended:
                self._refuse(Complaint(413, "The body is larger than the simulator takes."))
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._ended:
            return
        terms = Terms(
            chunked=self._parser.get_http_version() != "1.0",
            keep_alive=self._parser.should_keep_alive(),
            request_id=f"req_{self._service.recording.total:012x}",
        )
        request = Request(
            self._parser.get_method().decode("latin-1"),
            self._target.decode("latin-1"),
            tuple(self._headers),
            b"".join(self._body),
            self._number,
        )
        if self._script is None:
            self._begin(request, terms)
        else:
            self._waiting.append((request, terms))

    # ---- playing ----------------------------------------------------------------------------------------------------

    def _begin(self, request: Request, terms: Terms) -> None:
        self._keep_alive = terms.keep_alive
        self._script, self._received = self._service.reply(request, terms)
        self._advance()

    def _refuse(self, complaint: Complaint) -> None:
        """Answer what could not be parsed, and close."""
        self._waiting.clear()
        if self._script is None:
            terms = Terms(keep_alive=False)
            self._transport.write(
                b"".join(
                    s
                    for s in buffered(complaint.body(), Behaviour(), terms, status=complaint.status)
                    if isinstance(s, bytes)
                )
            )
        self._end("answered")

    def _advance(self) -> None:
        """Play until the script waits, ends, or the next write needs a turn of the loop of its own: writes are what the
        client sees as separate arrivals, so they are not merged."""
        script, self._timer = self._script, None
        if script is None or self._transport.is_closing():
            return
        step = self._pending if self._pending is not None else next(script, Act.FINISH)
        self._pending = None
        if isinstance(step, bytes):
            self._transport.write(step)
            if self._received is not None:
                self._received.writes += 1
            step = next(script, Act.FINISH)
        if isinstance(step, bytes):
            self._pending = step
            if self._paused:
                self._stuck = True
            else:
                self._timer = self._loop.call_soon(self._advance)
        elif isinstance(step, float):
            self._timer = self._loop.call_later(step, self._advance)
        else:
            self._act(step)

    def _act(self, act: Act) -> None:
        match act:
            case Act.FINISH:
                self._finish()
            case Act.HANG:
                self._mark("hung")
            case Act.CLOSE:
                self._end("answered" if self._complete() else "cut")
            case Act.RESET:
                self._ended = True
                self._reset(_PATIENCE)

    def _complete(self) -> bool:
        """Whether the script has run out: a close after the last step is how some replies end."""
        return self._script is not None and next(self._script, None) is None

    def _finish(self) -> None:
        self._mark("answered")
        self._script = self._received = None
        if not self._keep_alive:
            self._end("answered")
        elif self._waiting:
            self._timer = self._loop.call_soon(self._begin, *self._waiting.popleft())

    def _end(self, outcome: str) -> None:
        self._mark(outcome)
        self._ended = True
        self._transport.close()

    def _reset(self, patience: int) -> None:
        """Close with RST (SO_LINGER 0), once what was written has left."""
        if patience == _PATIENCE or (patience and self._transport.get_write_buffer_size()):
            self._timer = self._loop.call_later(_BEFORE_RESET, self._reset, patience - 1)
            return
        self._mark("reset")
        handle = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._transport.abort()

    def _mark(self, outcome: str) -> None:
        if self._received is not None:
            self._received.outcome = outcome


class Simulator:
    """A running simulator: `async with Simulator() as simulator: … simulator.url`. Port 0 picks a free one."""

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        settings: Settings | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port = port
        self.host = host
        self.service = Service(settings or Settings())
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._alive: set[Connection] = set()
        self._connected = 0

    @property
    def url(self) -> str:
        """Where it listens: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self.url}/v1"

    @property
    def requests(self) -> list[Received]:
        """The requests that were received, oldest first; control requests are not among them."""
        return self.service.recording.requests

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self.service.connections

    def behave(self, words: str, *, model: str = "", provider: str = "") -> None:
        """Change behaviour while running: see Service.behave."""
        self.service.behave(words, model=model, provider=provider)

    def reset(self) -> None:
        """Forget requests, counters and changed behaviours."""
        self.service.reset()

    def _connect(self) -> Connection:
        self._connected += 1
        return Connection(self.service, self._alive, self._connected)

    async def start(self) -> None:
        """Begin to listen. Raises OSError, as when the port is in use."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, self.host, self.port, ssl=self._tls, backlog=2048)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        dropped = list(self._alive)
        for connection in dropped:
            connection.abort()
        for connection in dropped:
            await connection.closed.wait()
        await self._server.wait_closed()
        self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
