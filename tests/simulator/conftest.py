"""A raw HTTP client: what the simulator put on the wire, and how the connection ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest_asyncio
from msgspec import Struct

from yett.simulator.server import Simulator


class Heard(Struct):
    """Everything that came back on one connection. `ended`: closed, reset, or silent (nothing for a while)."""

    raw: bytes
    ended: str

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1])

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        """Without chunked framing, when there was any."""
        rest = self.raw.partition(b"\r\n\r\n")[2]
        if b"transfer-encoding: chunked" not in self.head:
            return rest
        body = b""
        while True:
            size, _, rest = rest.partition(b"\r\n")
            if not size or not int(size, 16):
                return body
            body += rest[: int(size, 16)]
            rest = rest[int(size, 16) + 2 :]

    @property
    def events(self) -> list[str]:
        """The data of the server-sent events."""
        return [event.removeprefix("data: ") for event in self.body.decode().split("\n\n") if event]

    @property
    def content(self) -> list[str]:
        """The content deltas of a stream's first choice."""
        chunks = [json.loads(event) for event in self.events if event != "[DONE]"]
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
        return [delta["content"] for delta in deltas if delta.get("content")]


Ask = Callable[..., Coroutine[None, None, Heard]]


async def listen(reader: asyncio.StreamReader, silence: float) -> Heard:
    raw = b""
    try:
        while piece := await asyncio.wait_for(reader.read(65536), silence):
            raw += piece
    except ConnectionResetError:
        return Heard(raw, "reset")
    except TimeoutError:
        return Heard(raw, "silent")
    return Heard(raw, "closed")


@pytest_asyncio.fixture
async def ask(simulator: Simulator) -> AsyncIterator[Ask]:
    """`await ask("sim-gpt+…", text="hello", stream=True)`: one request on a connection of its own that asks to be closed."""

    async def send(
        model: str = "sim-gpt",
        text: str = "hello there",
        *,
        silence: float = 10.0,
        key: str = "sk-sim-1",
        version: str = "1.1",
        path: str = "/v1/chat/completions",
        connection: str = "close",
        **fields: object,
    ) -> Heard:
        fields.setdefault("messages", [{"role": "user", "content": text}])
        body = json.dumps({"model": model, **fields}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
        try:
            writer.write(
                f"POST {path} HTTP/{version}\r\nHost: sim\r\nAuthorization: Bearer {key}\r\nConnection: {connection}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            return await listen(reader, silence)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    yield send
