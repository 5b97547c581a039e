"""What the simulator received, byte for byte, and how each exchange ended: the evidence that tests and the demo show."""

from __future__ import annotations

import base64
from collections import deque

import msgspec
from msgspec import Struct


class Request(Struct, frozen=True):
    """A request as it arrived. `headers` keep their case and order; `body` has its chunked framing undone, nothing else."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int = 0  # which of the client's connections it came on

    def header(self, name: str) -> str:
        """The first value of a header, "" when it is absent."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    @property
    def bearer(self) -> str:
        scheme, _, key = self.header("authorization").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 shows as U+FFFD."""
        return self.body.decode("utf-8", "replace")


class Received:
    """A request and how our side of the exchange ended. `outcome`: open, answered, hung, reset, cut, or disconnected (the
    client left first). `writes` counts the pieces that were sent."""

    __slots__ = ("number", "outcome", "request", "writes")

    def __init__(self, number: int, request: Request) -> None:
        self.number = number
        self.request = request
        self.outcome = "open"
        self.writes = 0

    @property
    def body(self) -> bytes:
        return self.request.body

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 shows as U+FFFD."""
        return self.request.text

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return self.request.headers

    @property
    def bearer(self) -> str:
        return self.request.bearer

    def __repr__(self) -> str:
        return f"<{self.number}: {self.request.method} {self.request.target} {len(self.body)} bytes, {self.outcome}>"


class Recording:
    """The last requests, at most `most` of them and about `most_bytes` of bodies."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: deque[Received] = deque()
        self._bytes = 0
        self.total = 0

    def keep(self, request: Request) -> Received:
        received = Received(self.total, request)
        self.total += 1
        self._kept.append(received)
        self._bytes += len(request.body)
        while self._kept and (len(self._kept) > self._most or self._bytes > self._most_bytes):
            self._bytes -= len(self._kept.popleft().body)
        return received

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = self.total = 0

    @property
    def requests(self) -> list[Received]:
        """Oldest first."""
        return list(self._kept)

    def to_json(self, connections: int, last: int) -> bytes:
        """The answer of `GET /sim/requests`: the newest `last` requests, oldest of them first."""
        shown = self.requests[-last:] if last else []
        return msgspec.json.encode(
            {
                "total": self.total,
                "connections": connections,
                "requests": [
                    {
                        "number": received.number,
                        "connection": received.request.connection,
                        "method": received.request.method,
                        "target": received.request.target,
                        "headers": received.headers,
                        "body": received.text,
                        "body_base64": base64.b64encode(received.body).decode(),
                        "outcome": received.outcome,
                        "writes": received.writes,
                    }
                    for received in shown
                ],
            }
        )
