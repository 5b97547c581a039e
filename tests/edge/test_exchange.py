"""A reply on its way to a caller: back-pressure, limits, what a sink may do, all over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from yett.edge.exchange import HIGH_WATER, UpstreamExchange
from yett.edge.upstream import UpstreamClient
from yett.ports import Outgoing, UpstreamFailure

Serve = Callable[..., Awaitable[Any]]
Connect = Callable[..., UpstreamClient]
Ask = Callable[..., Outgoing]

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ONE_READ = 256 * 1024  # the most that an event loop takes from a socket at once


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def held(exchange: UpstreamExchange) -> int:
    return sum(len(piece) for piece in exchange._backlog)


async def flood(talk: Any, count: int = 400, size: int = 65_536) -> int:
    """Send as fast as the client takes it; how many bytes of body went out."""
    await talk.request()
    await talk.send(CHUNKED)
    for number in range(count):
        talk.writer.write(chunk(bytes([number % 256]) * size))
        await talk.writer.drain()
    await talk.send(b"0\r\n\r\n")
    await talk.request()
    return count * size


# ---- back-pressure ----


async def test_nothing_piles_up_before_anyone_asks(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer))
    await asyncio.sleep(0.1)
    assert held(exchange) <= HIGH_WATER + ONE_READ
    pieces: list[bytes] = []
    await exchange.stream(pieces.append)
    body = b"".join(pieces)
    assert len(body) == 400 * 65_536
    assert body[::65_536] == bytes(number % 256 for number in range(400))
    assert client.status()[0].idle == 1


async def test_the_same_for_read(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer))
    await asyncio.sleep(0.1)
    assert held(exchange) <= HIGH_WATER + ONE_READ
    assert len(await exchange.read(1 << 30)) == 400 * 65_536


async def test_a_paused_sink_is_left_alone_and_loses_nothing(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer, between_chunks=0.3))
    received = bytearray()
    most = 0

    def sink(piece: bytes) -> None:
        nonlocal most
        assert not exchange._paused
        received.extend(piece)
        most = max(most, held(exchange))
        if len(received) > (sink.steps + 1) * 2_000_000:  # type: ignore[attr-defined]
            sink.steps += 1  # type: ignore[attr-defined]
            exchange.pause()
            asyncio.get_running_loop().call_later(0.03, exchange.resume)

    sink.steps = 0  # type: ignore[attr-defined]
    await exchange.stream(sink)
    assert received[::65_536] == bytes(number % 256 for number in range(400))
    assert len(received) == 400 * 65_536
    assert most <= ONE_READ


async def test_paused_time_is_not_the_upstreams(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer, between_chunks=0.15))
    exchange.pause()
    pieces: list[bytes] = []
    asyncio.get_running_loop().call_later(0.6, exchange.resume)
    await exchange.stream(pieces.append)
    assert len(b"".join(pieces)) == 400 * 65_536


async def test_the_total_is_not_stopped_by_a_pause(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer, total=0.2))
    exchange.pause()
    with pytest.raises(UpstreamFailure) as caught:
        await exchange.stream(lambda _: None)
    assert caught.value.outcome == "timeout.total"
    assert held(exchange) == 0


async def test_a_reply_that_is_complete_while_paused(serve: Serve, connect: Connect, ask: Ask) -> None:
    reply = CHUNKED + chunk(b"a") + chunk(b"b") + chunk(b"c") + b"0\r\n\r\n"
    peer, client = await serve(reply), connect()
    exchange = await client.send(ask(peer))
    assert client.status()[0].idle == 1  # the connection is free although nobody has had the body yet
    pieces: list[bytes] = []

    def sink(piece: bytes) -> None:
        pieces.append(piece)
        exchange.pause()
        asyncio.get_running_loop().call_soon(exchange.resume)

    await exchange.stream(sink)
    assert pieces == [b"a", b"b", b"c"]
    again = await client.send(ask(peer))  # what was paused does not hold up who comes next
    assert await again.read(100) == b"abc"
    assert len(peer.talks) == 1


@pytest.mark.parametrize("encoded", [False, True])
async def test_what_a_sink_gives_back_comes_again_before_what_follows(
    encoded: bool, serve: Serve, connect: Connect, ask: Ask
) -> None:
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") if encoded else CHUNKED
    body = chunk(gzip.compress(b"abcd")) if encoded else chunk(b"abc") + chunk(b"d")
    exchange = await connect().send(ask(await serve(head + body + b"0\r\n\r\n")))
    pieces: list[bytes] = []

    def sink(piece: bytes) -> None:
        """Takes one byte at a time."""
        pieces.append(piece[:1])
        if piece[1:]:
            exchange.pause()
            exchange.unread(piece[1:])
            asyncio.get_running_loop().call_later(0.001, exchange.resume)

    await exchange.stream(sink)
    assert pieces == [b"a", b"b", b"c", b"d"]


async def test_resume_without_pause_and_twice(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(CHUNKED + chunk(b"a") + b"0\r\n\r\n"), connect()
    exchange = await client.send(ask(peer))
    exchange.resume()
    exchange.pause()
    exchange.pause()
    exchange.resume()
    exchange.resume()
    assert await exchange.read(100) == b"a"
    exchange.pause()
    exchange.resume()


async def test_what_came_before_the_break_is_given_out_after_the_pause(
    serve: Serve, connect: Connect, ask: Ask
) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(CHUNKED + b"".join(chunk(b"%d" % number) for number in range(5)))

    peer, client = await serve(play), connect()
    exchange = await client.send(ask(peer))
    pieces: list[bytes] = []

    def sink(piece: bytes) -> None:
        pieces.append(piece)
        exchange.pause()
        asyncio.get_running_loop().call_later(0.01, exchange.resume)

    with pytest.raises(UpstreamFailure) as caught:
        await exchange.stream(sink)
    assert caught.value.outcome == "truncated"
    assert pieces == [b"0", b"1", b"2", b"3", b"4"]


# ---- the sink ----


@pytest.mark.parametrize("where", [0, 1])
async def test_what_a_sink_raises_reaches_the_one_who_streams(
    where: int, serve: Serve, connect: Connect, ask: Ask
) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(CHUNKED + chunk(b"0"), chunk(b"1") + chunk(b"2"), chunk(b"3"))
        assert await talk.closed()

    calls: list[bytes] = []

    def sink(piece: bytes) -> None:
        calls.append(piece)
        if len(calls) > where:
            raise KeyError(piece)

    peer, client = await serve(play), connect()
    exchange = await client.send(ask(peer))
    with pytest.raises(KeyError, match=str(where)):
        await exchange.stream(sink)
    assert len(calls) == where + 1
    await asyncio.sleep(0.01)
    assert client.status()[0].open == 0


async def test_a_sink_that_raises_while_what_was_held_is_given_out(serve: Serve, connect: Connect, ask: Ask) -> None:
    def sink(piece: bytes) -> None:
        pieces.append(piece)
        if len(pieces) == 2:
            raise KeyError(piece)
        exchange.pause()
        asyncio.get_running_loop().call_later(0.01, exchange.resume)

    pieces: list[bytes] = []
    peer, client = await serve(flood), connect()
    exchange = await client.send(ask(peer))
    with pytest.raises(KeyError):
        await exchange.stream(sink)
    assert len(pieces) == 2


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("at", [1, 3])
async def test_a_sink_may_abort(encoded: bool, at: int, serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") if encoded else CHUNKED
        body = gzip.compress(b"x" * 500_000) if encoded else b"x"
        await talk.send(head, b"".join(chunk(body) for _ in range(5)))
        await talk.closed()

    calls: list[bytes] = []

    def sink(piece: bytes) -> None:
        calls.append(piece)
        if len(calls) == at:
            exchange.abort()

    peer, client = await serve(play), connect()
    exchange = await client.send(ask(peer))
    with pytest.raises(UpstreamFailure) as caught:
        await exchange.stream(sink)
    assert caught.value.outcome == "cancelled"
    assert len(calls) == at


# ---- limits and encodings ----


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",  # known at once, nothing is waited for
        CHUNKED + chunk(b"x" * 100_001),
        CHUNKED + chunk(b"x" * 100_001) + b"0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_001,
        CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
        + chunk(gzip.compress(b"x" * 100_001))
        + b"0\r\n\r\n",
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_a_reply_that_is_too_large(at_once: bool, reply: bytes, serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        end = reply.index(b"\r\n\r\n") + 4
        await (talk.send(reply) if at_once else talk.send(reply[:end], reply[end:]))
        await talk.closed()

    client = connect()
    exchange = await client.send(ask(await serve(play)))
    with pytest.raises(UpstreamFailure) as caught:
        await exchange.read(100_000)
    assert caught.value.outcome == "too_large"


async def test_a_reply_of_exactly_the_limit(serve: Serve, connect: Connect, ask: Ask) -> None:
    for reply in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b"x" * 1000))
        + gzip.compress(b"x" * 1000),
    ):
        exchange = await connect().send(ask(await serve(reply)))
        assert await exchange.read(1000) == b"x" * 1000


def bomb(size: int) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(size >> 20)) + squeeze.flush()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_decompression_bomb(streamed: bool, serve: Serve, connect: Connect, ask: Ask) -> None:
    squeezed = bomb(200 << 20)
    reply = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n") + chunk(squeezed) + b"0\r\n\r\n"
    client = connect(max_decoded=4 << 20)
    exchange = await client.send(ask(await serve(reply)))
    assert exchange.header(b"content-encoding") == b""
    seen = 0

    def sink(piece: bytes) -> None:
        nonlocal seen
        seen += len(piece)

    with pytest.raises(UpstreamFailure) as caught:
        await (exchange.stream(sink) if streamed else exchange.read(64 << 20))
    assert caught.value.outcome == "too_large"
    assert seen <= 4 << 20


async def test_a_compressed_stream_is_decoded_as_it_arrives_and_can_be_paused(
    serve: Serve, connect: Connect, ask: Ask
) -> None:
    events = [b"data: %d\n\n" % number * 3000 for number in range(20)]

    async def play(talk: Any) -> None:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
        await talk.request()
        await talk.send(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
        for event in events:
            talk.writer.write(chunk(squeeze.compress(event) + squeeze.flush(zlib.Z_SYNC_FLUSH)))
            await asyncio.sleep(0.001)
        await talk.send(chunk(squeeze.flush()) + b"0\r\n\r\n")
        await talk.request()

    def sink(piece: bytes) -> None:
        assert len(piece) <= 65_536
        pieces.append(piece)
        exchange.pause()
        asyncio.get_running_loop().call_later(0.002, exchange.resume)

    pieces: list[bytes] = []
    client = connect()
    exchange = await client.send(ask(await serve(play)))
    await exchange.stream(sink)
    assert b"".join(pieces) == b"".join(events)
    assert client.status()[0].idle == 1


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_encoding_that_ends_too_early(streamed: bool, serve: Serve, connect: Connect, ask: Ask) -> None:
    half = gzip.compress(b"hello world" * 100)[:-9]
    peer = await serve(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(half) + half)
    exchange = await connect().send(ask(peer))
    with pytest.raises(UpstreamFailure) as caught:
        await (exchange.stream(lambda _: None) if streamed else exchange.read(100_000))
    assert caught.value.outcome == "truncated"
