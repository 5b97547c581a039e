"""One connection: what is written, what is never reused."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.edge.connection import Connection
from yett.edge.exchange import UpstreamExchange
from yett.edge.outbox import Outbox
from yett.edge.upstream import UpstreamClient
from yett.model.route import Timeouts
from yett.ports import Outgoing, UpstreamFailure

Serve = Callable[..., Awaitable[Any]]
Connect = Callable[..., UpstreamClient]
Ask = Callable[..., Outgoing]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Owner:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def released(self, connection: Connection) -> None:
        self.seen.append("released")

    def lost(self, connection: Connection) -> None:
        self.seen.append("lost")


class Recorder(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.aborted = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        self.writes.append(b"+".join(list_of_data))

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        self.writes.append(b"pause")

    def resume_reading(self) -> None:
        self.writes.append(b"resume")


def begin(connection: Connection) -> UpstreamExchange:
    now = asyncio.get_running_loop().time()
    return UpstreamExchange(connection, Timeouts(), now, now, max_decoded=1000, bodiless=False)


async def test_head_and_body_leave_in_one_write() -> None:
    connection, wire = Connection(Owner(), Outbox()), Recorder()
    connection.connection_made(wire)
    connection.send(begin(connection), b"head", b"body")
    connection.send(begin(connection), b"head", b"x" * 100_000)
    assert wire.writes == [b"headbody", b"head+" + b"x" * 100_000]


async def test_nothing_is_sent_on_a_closed_connection() -> None:
    owner = Owner()
    connection, wire = Connection(owner, Outbox()), Recorder()
    for closed in range(2):
        if closed:
            connection.connection_made(wire)
            connection.connection_lost(None)
        exchange = begin(connection)
        connection.send(exchange, b"head", b"")
        assert isinstance(exchange.failure, UpstreamFailure)
        assert exchange.failure.replayable
        assert exchange.head.done()
    assert wire.writes == []
    assert owner.seen == ["lost"]
    connection.hold(True)
    connection.drop()


async def test_whoever_speaks_first_is_cut_off() -> None:
    connection, wire = Connection(Owner(), Outbox()), Recorder()
    connection.data_received(b"220 smtp.test ESMTP\r\n")  # with TLS, bytes can come before connection_made
    connection.connection_made(wire)
    assert wire.aborted


async def test_holding_is_idempotent_and_ends_with_the_exchange() -> None:
    owner = Owner()
    connection, wire = Connection(owner, Outbox()), Recorder()
    connection.connection_made(wire)
    exchange = begin(connection)
    connection.send(exchange, b"", b"")
    exchange.pause()
    exchange.pause()
    connection.data_received(OK)
    assert wire.writes == [b"", b"pause", b"resume"]
    assert owner.seen == ["released"]
    assert connection.exchange is None
    assert await exchange.read(10) == b"{}"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(None, "truncated"), (ConnectionResetError(), "reset"), (ssl.SSLError(1, "bad record mac"), "tls")],
)
async def test_how_a_connection_may_break_in_the_middle(error: Exception | None, outcome: str) -> None:
    connection, wire = Connection(Owner(), Outbox()), Recorder()
    connection.connection_made(wire)
    exchange = begin(connection)
    connection.send(exchange, b"", b"")
    connection.data_received(OK[:-1])
    connection.connection_lost(error)
    with pytest.raises(UpstreamFailure) as caught:
        await exchange.read(10)
    assert caught.value.outcome == outcome


async def test_bytes_that_follow_a_reply_without_a_body_spoil_the_connection() -> None:
    owner = Owner()
    connection, wire = Connection(owner, Outbox()), Recorder()
    connection.connection_made(wire)
    exchange = begin(connection)
    connection.send(exchange, b"", b"")
    exchange._bodiless = True
    connection.data_received(OK)
    assert exchange.complete
    assert exchange.extra
    assert wire.aborted


async def test_the_socket_does_not_wait_for_full_segments(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    exchange = await client.send(ask(peer))
    await exchange.read(10)
    (pool,) = client._pools.values()
    (connection,) = pool.connections
    assert connection._transport is not None
    raw = connection._transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_a_half_closed_upstream_is_closed(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        talk.writer.write_eof()
        assert await talk.closed()

    peer, client = await serve(play), connect()
    with pytest.raises(UpstreamFailure) as caught:
        await client.send(ask(peer))
    assert caught.value.outcome == "reset"


# ---- any bytes, in any pieces ----

PARTS = st.lists(
    st.sampled_from(
        [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 404 No\r\n", b"Content-Length: 3\r\n",
         b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n", b"Connection: close\r\n", b"X: y\r\n", b"\r\n",
         b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\x00", b" ", b":", b"\n", gzip.compress(b"abc"), b"ffffffff\r\n"]
    )
    | st.binary(max_size=4),
    max_size=12,
)  # fmt: skip


async def outcome_of(pieces: list[bytes], streamed: bool) -> tuple[object, ...]:
    """What a caller makes of the pieces followed by the end of the connection."""
    owner = Owner()
    connection, wire = Connection(owner, Outbox()), Recorder()
    connection.connection_made(wire)
    exchange = begin(connection)
    connection.send(exchange, b"", b"")
    taken: list[bytes] = []
    task = asyncio.ensure_future(exchange.stream(taken.append) if streamed else exchange.read(1000))
    await asyncio.sleep(0)
    for piece in pieces:
        if not wire.aborted:
            connection.data_received(piece)
    connection.connection_lost(None)
    assert owner.seen.count("lost") == 1
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, BaseException):
        assert isinstance(result, UpstreamFailure)
        return (result.outcome,)
    assert exchange.started
    return (exchange.status, b"".join(taken) if streamed else result)


@given(parts=PARTS, size=st.integers(1, 9), streamed=st.booleans())
@settings(max_examples=300, deadline=None)
async def test_any_bytes_have_one_meaning_however_they_arrive(parts: list[bytes], size: int, streamed: bool) -> None:
    wire = b"".join(parts)
    whole = await outcome_of([wire] if wire else [], streamed)
    split = await outcome_of([wire[place : place + size] for place in range(0, len(wire), size)], streamed)
    assert whole == split
