"""The streaming upstream: answers every POST with 50 SSE chunks, 1 ms apart. One ticker serves all streams, so that it
stays far cheaper than what is measured. (nginx serves the buffered answers; it cannot pace a stream.)"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

from bench.workloads import stream_chunks

GAP = 0.001  # seconds
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def _frame(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


FRAMES = [_frame(chunk) for chunk in stream_chunks()]
FRAMES[-1] += b"0\r\n\r\n"


class Ticker:
    """Writes the next chunk of every running stream once per `GAP`, against absolute times so that gaps do not drift."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._streams: dict[Connection, int] = {}
        self._due = 0.0

    def begin(self, connection: Connection) -> None:
        if not self._streams:
            self._due = self._loop.time() + GAP
            self._loop.call_at(self._due, self._tick)
        self._streams[connection] = 0

    def forget(self, connection: Connection) -> None:
        self._streams.pop(connection, None)

    def _tick(self) -> None:
        for connection, position in list(self._streams.items()):
            connection.transport.write(FRAMES[position])
            if position + 1 == len(FRAMES):
                del self._streams[connection]
            else:
                self._streams[connection] = position + 1
        if self._streams:
            self._due = max(self._due + GAP, self._loop.time())
            self._loop.call_at(self._due, self._tick)


class Connection(asyncio.Protocol):
    """Just enough HTTP for well-behaved proxies: a head, a Content-Length body, the next request after the answer."""

    transport: asyncio.Transport

    def __init__(self, ticker: Ticker) -> None:
        self._ticker = ticker
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it

    def connection_lost(self, exc: Exception | None) -> None:
        self._ticker.forget(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _content_length(self._buffer[:end]):
            return
        self._buffer = b""
        self.transport.write(HEAD)
        self._ticker.begin(self)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    ticker = Ticker(loop)
    server = await loop.create_server(lambda: Connection(ticker), "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
