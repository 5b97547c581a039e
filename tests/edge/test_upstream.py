"""Whole exchanges with a peer that may answer anything, over real sockets, on both event loops."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from yett.edge.pool import PoolLimits
from yett.edge.upstream import UpstreamClient
from yett.ports import Outgoing, UpstreamFailure

Serve = Callable[..., Awaitable[Any]]
Connect = Callable[..., UpstreamClient]
Ask = Callable[..., Outgoing]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
LIMIT = 1_000_000


async def fetch(client: UpstreamClient, outgoing: Outgoing) -> tuple[int, bytes]:
    exchange = await client.send(outgoing)
    return exchange.status, await exchange.read(LIMIT)


async def drain(client: UpstreamClient, outgoing: Outgoing) -> None:
    exchange = await client.send(outgoing)
    await exchange.stream(lambda _: None)


async def failure(client: UpstreamClient, outgoing: Outgoing, *, streamed: bool = False) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await (drain if streamed else fetch)(client, outgoing)
    return caught.value


# ---- the regular case ----


async def test_a_request_and_its_reply(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    exchange = await client.send(ask(peer, b'{"a":1}', secret="sk-1", headers=((b"X-Thing", b"1"),)))
    assert exchange.status == 200
    assert exchange.headers == ((b"content-type", b"application/json"), (b"content-length", b"2"))
    assert exchange.header(b"content-type") == b"application/json"
    assert exchange.header(b"absent") == b""
    assert await exchange.read(LIMIT) == b"{}"
    exchange.abort()  # safe after the end
    exchange.abort()
    assert peer.talks[0].requests == [
        b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nX-Thing: 1\r\n"
        b'authorization: Bearer sk-1\r\ncontent-length: 7\r\n\r\n{"a":1}' % peer.port
    ]
    (status,) = client.status()
    assert (status.opened, status.reused, status.open, status.idle) == (1, 0, 1, 1)


async def test_connections_are_kept_last_used_first(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    await asyncio.gather(*(fetch(client, ask(peer)) for _ in range(3)))
    for _ in range(5):
        await fetch(client, ask(peer))
    assert sorted(len(talk.requests) for talk in peer.talks) == [1, 1, 6]
    (status,) = client.status()
    assert (status.opened, status.reused, status.idle) == (3, 5, 3)


async def test_a_large_body_is_sent_and_received(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        while request := await talk.request():
            body = request.partition(b"\r\n\r\n")[2]
            await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    peer, client = await serve(play), connect()
    body = bytes(range(256)) * 20_000
    for _ in range(2):
        exchange = await client.send(ask(peer, body))
        assert await exchange.read(len(body)) == body
    assert len(peer.talks) == 1


REPLIES = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", b"hello world"),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX:\r\n\r\n", b""),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
        b"hello world",
    ),
    "interim": (
        INTERIM + b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok",
        b"ok",
    ),
    "gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(b"hello" * 9))
        + gzip.compress(b"hello" * 9),
        b"hello" * 9,
    ),
    "204": (b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n", b""),
    "304": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", b""),
    "error": (b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}", b"{}"),
}


@pytest.mark.parametrize("name", REPLIES)
async def test_replies_whole_and_byte_by_byte(name: str, serve: Serve, connect: Connect, ask: Ask) -> None:
    wire, body = REPLIES[name]

    async def play(talk: Any) -> None:
        while request := await talk.request():
            if b"whole" in request:
                await talk.send(wire)
            else:
                for place in range(len(wire)):
                    talk.writer.write(wire[place : place + 1])
                    await asyncio.sleep(0)

    peer, client = await serve(play), connect()
    for path in ("/whole", "/split", "/whole", "/split"):
        status, received = await fetch(client, ask(peer, path=path))
        assert status == int(wire.rpartition(b"HTTP/1.1 ")[2][:3])
        assert received == body
        pieces: list[bytes] = []
        exchange = await client.send(ask(peer, path=path))
        await exchange.stream(pieces.append)
        assert b"".join(pieces) == body
    assert len(peer.talks) == 1  # nothing of it spoils the connection


@pytest.mark.parametrize("name", ["length", "chunked", "interim", "gzip"])
async def test_replies_split_in_two_at_every_byte(name: str, serve: Serve, connect: Connect, ask: Ask) -> None:
    wire, body = REPLIES[name]

    async def play(talk: Any) -> None:
        for place in range(1, len(wire)):
            await talk.request()
            talk.writer.write(wire[:place])
            await asyncio.sleep(0.001)
            talk.writer.write(wire[place:])

    peer, client = await serve(play), connect()
    for place in range(1, len(wire)):
        exchange = await client.send(ask(peer))
        if place % 2:
            assert await exchange.read(LIMIT) == body
        else:
            pieces: list[bytes] = []
            await exchange.stream(pieces.append)
            assert b"".join(pieces) == body
    assert len(peer.talks) == 1


async def test_a_body_until_close(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\nhello ", b"world")

    peer, client = await serve(play), connect()
    assert await fetch(client, ask(peer)) == (200, b"hello world")
    pieces: list[bytes] = []
    await (await client.send(ask(peer))).stream(pieces.append)
    assert b"".join(pieces) == b"hello world"
    assert len(peer.talks) == 2


async def test_a_reply_to_head_has_no_body(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Encoding: gzip\r\n\r\n"), connect()
    exchange = await client.send(ask(peer, b"", method="HEAD"))
    assert exchange.header(b"content-length") == b"10"
    assert await exchange.read(LIMIT) == b""
    assert b"content-length" not in peer.talks[0].requests[0]


@pytest.mark.parametrize("reply", [OK.replace(b"1.1", b"1.0"), OK.replace(b"Content-Type", b"Connection: close\r\nX")])
async def test_connections_that_do_not_want_to_be_kept(reply: bytes, serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(reply), connect()
    for _ in range(2):
        assert await fetch(client, ask(peer)) == (200, b"{}")
    assert len(peer.talks) == 2
    assert client.status()[0].idle == 0


# ---- how it fails ----


async def test_refused(connect: Connect, ask: Ask) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = await failure(connect(), ask(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert (error.outcome, error.replayable) == ("refused", True)


BROKEN = {
    "nothing": (b"", "reset"),
    "head": (b"HTTP/1.1 200 OK\r\nContent-Le", "truncated"),
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "truncated"),
    "chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhell", "truncated"),
    "last chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "truncated"),
    "trailer": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n", "truncated"),
    "interim only": (b"HTTP/1.1 100 Continue\r\n\r\n", "truncated"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("streamed", [False, True])
async def test_closed_too_early(name: str, streamed: bool, serve: Serve, connect: Connect, ask: Ask) -> None:
    wire, outcome = BROKEN[name]

    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(wire)

    error = await failure(connect(), ask(await serve(play)), streamed=streamed)
    assert (error.outcome, error.replayable) == (outcome, False)


@pytest.mark.parametrize("name", BROKEN)
async def test_reset(name: str, serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(BROKEN[name][0])
        await asyncio.sleep(0.02)
        talk.reset()

    error = await failure(connect(), ask(await serve(play)))
    assert (error.outcome, error.replayable) == ("reset", False)


GARBAGE = {
    "words": b"SSH-2.0-OpenSSH_9.6\r\n",
    "request": b"GET / HTTP/1.1\r\n\r\n",
    "bytes": bytes(range(256)),
    "status": b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n",
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
    "huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "gzip in transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "unknown transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "unknown encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n",
    "two encodings": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 0\r\n\r\n",
    "not gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
    "switched": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "nul": b"HTTP/1.1 200 OK\r\nA: b\x00\r\nContent-Length: 0\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "endless line": b"HTTP/1.1 200 " + b"x" * 70_000,
    "endless name": b"HTTP/1.1 200 OK\r\n" + b"x" * 70_000,
    "endless value": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000,
    "large head": b"HTTP/1.1 200 OK\r\n" + b"x: %b\r\n" % (b"x" * 1000) * 70 + b"Content-Length: 0\r\n\r\n",
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
    "endless interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
    "endless trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: " + b"x" * 900_000,
    "endless extension": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 900_000,
}


@pytest.mark.parametrize("name", GARBAGE)
@pytest.mark.parametrize("streamed", [False, True])
async def test_garbage(name: str, streamed: bool, serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(GARBAGE[name])
        await talk.closed()

    error = await failure(connect(), ask(await serve(play)), streamed=streamed)
    assert (error.outcome, error.replayable) == ("garbage", False)


async def test_what_came_before_a_break_has_reached_the_sink(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"6\r\n wor")

    pieces: list[bytes] = []
    exchange = await connect().send(ask(await serve(play)))
    with pytest.raises(UpstreamFailure, match="closed in the middle"):
        await exchange.stream(pieces.append)
    assert b"".join(pieces) == b"hello wor"
    with pytest.raises(UpstreamFailure, match="closed in the middle"):
        await exchange.read(LIMIT)


# ---- time-outs ----


@pytest.mark.parametrize(
    ("sent", "timeouts", "outcome"),
    [
        (b"", {"first_byte": 0.1}, "timeout.first_byte"),
        (b"HTTP/1.1 200 OK\r\nContent-", {"first_byte": 0.1}, "timeout.first_byte"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", {"first_byte": 0.1}, "timeout.first_byte"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", {"between_chunks": 0.1}, "timeout.between_chunks"),
        (b"", {"total": 0.1}, "timeout.total"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", {"total": 0.1}, "timeout.total"),
    ],
)
async def test_a_hanging_upstream(
    sent: bytes, timeouts: dict[str, float], outcome: str, serve: Serve, connect: Connect, ask: Ask
) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(sent)
        await talk.closed()

    error = await failure(connect(), ask(await serve(play), **timeouts))
    assert (error.outcome, error.replayable) == (outcome, False)


async def test_a_slow_stream_is_not_a_hanging_one(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await talk.send(b"x")
            await asyncio.sleep(0.06)

    pieces: list[bytes] = []
    exchange = await connect().send(ask(await serve(play), between_chunks=0.5, first_byte=0.5))
    await exchange.stream(pieces.append)
    assert len(pieces) == 10


async def test_a_loop_that_stood_still_does_not_blame_the_upstream(connect: Connect, ask: Ask) -> None:
    def answer() -> None:
        talk, _ = listener.accept()
        with talk:
            talk.recv(65_536)
            talk.sendall(OK)
            talk.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        client = connect()
        outgoing = ask(f"http://127.0.0.1:{listener.getsockname()[1]}", first_byte=0.2)
        task = asyncio.ensure_future(fetch(client, outgoing))
        while not client.status() or not client.status()[0].open:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        time.sleep(0.6)  # noqa: ASYNC251 - the reply is in the socket long before its time is up
        assert await task == (200, b"{}")
        await client.close()
        thread.join()


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_the_sweep_stops_when_there_is_nothing_to_watch(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect(limits=PoolLimits(idle=0.05))
    await fetch(client, ask(peer))
    assert client.status()[0].idle == 1
    await asyncio.sleep(1.3)
    assert client.status()[0].open == 0
    await asyncio.sleep(1.1)
    assert client._timer is None
    assert await fetch(client, ask(peer)) == (200, b"{}")
    assert client._timer is not None


# ---- stale connections ----


async def test_a_stale_connection_is_replaced_unnoticed(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)
        if talk.number == 0:
            await talk.request()  # read and thrown away: closed before any byte of a reply
            return
        await talk.request()
        await talk.send(OK)

    peer, client = await serve(play), connect()
    await fetch(client, ask(peer))
    assert await fetch(client, ask(peer)) == (200, b"{}")
    (status,) = client.status()
    assert (status.opened, status.replayed) == (2, 1)


async def test_a_connection_closed_while_idle_is_forgotten(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)

    peer, client = await serve(play), connect()
    for _ in range(3):
        await fetch(client, ask(peer))
        await asyncio.sleep(0.02)
    assert client.status()[0].open == 0
    assert len(peer.talks) == 3


async def test_only_once_and_only_when_stale(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        if talk.number == 0:
            await talk.request()
            await talk.send(OK)
        await talk.request()

    peer, client = await serve(play), connect()
    await fetch(client, ask(peer))
    error = await failure(client, ask(peer))  # the kept one, then a fresh one
    assert (error.outcome, error.replayable) == ("reset", False)
    assert len(peer.talks) == 2
    error = await failure(client, ask(peer))  # a fresh one at once: not repeated
    assert (error.outcome, error.replayable) == ("reset", False)
    assert len(peer.talks) == 3


async def test_no_replay_after_a_byte_of_a_reply(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await talk.send(b"H")

    peer, client = await serve(play), connect()
    await fetch(client, ask(peer))
    error = await failure(client, ask(peer))
    assert (error.outcome, error.replayable) == ("truncated", False)
    assert len(peer.talks) == 1


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_no_replay_when_the_upstream_had_time_to_act(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()
        await asyncio.sleep(2.1)

    peer, client = await serve(play), connect()
    await fetch(client, ask(peer))
    error = await failure(client, ask(peer))
    assert (error.outcome, error.replayable) == ("reset", False)
    assert len(peer.talks) == 1


async def test_a_stale_connection_to_an_upstream_that_has_gone(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)
        await talk.request()

    peer, client = await serve(play), connect()
    await fetch(client, ask(peer))
    peer._server.close()
    error = await failure(client, ask(peer))
    assert (error.outcome, error.replayable) == ("refused", True)


# ---- response splitting, early replies ----


@pytest.mark.parametrize("extra", [OK, b"HTTP/1.1 100 Continue\r\n\r\n", b"garbage", b"H"])
async def test_bytes_after_a_reply_never_answer_the_next_request(
    extra: bytes, serve: Serve, connect: Connect, ask: Ask
) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK + extra)
        await talk.closed()

    peer, client = await serve(play), connect()
    for _ in range(3):
        assert await fetch(client, ask(peer)) == (200, b"{}")
    assert len(peer.talks) == 3


async def test_bytes_on_an_idle_connection_close_it(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(OK)
        await asyncio.sleep(0.02)
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        await talk.closed()

    peer, client = await serve(play), connect()
    for _ in range(3):
        assert await fetch(client, ask(peer)) == (200, b"{}")
        await asyncio.sleep(0.06)
        assert client.status()[0].open == 0
    assert len(peer.talks) == 3


async def test_a_reply_before_the_request_is_complete(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.reader.readuntil(b"\r\n\r\n")
        talk.writer.transport.pause_reading()
        await talk.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        await asyncio.sleep(0.2)

    peer, client = await serve(play), connect()
    assert await fetch(client, ask(peer, b"x" * 30_000_000)) == (413, b"big")
    assert client.status()[0].idle == 0  # the rest of the body would follow as the next request


# ---- cancellation ----


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsome"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_cancelled_anywhere(sent: bytes, streamed: bool, serve: Serve, connect: Connect, ask: Ask) -> None:
    seen = asyncio.Event()

    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(sent)
        seen.set()
        assert await talk.closed()

    async def run() -> None:
        exchange = await client.send(ask(peer))
        await (exchange.stream(lambda _: None) if streamed else exchange.read(LIMIT))

    peer, client = await serve(play), connect()
    task = asyncio.ensure_future(run())
    await seen.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0.01)
    assert client.status()[0].open == 0


async def test_a_storm_of_cancellations_leaks_nothing(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        while await talk.request():
            await asyncio.sleep(0.002 * (talk.number % 3))
            await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\nhi\r\n", b"0\r\n\r\n")

    async def run(number: int) -> int:
        exchange = await client.send(ask(peer))
        if number % 2:
            return len(await exchange.read(LIMIT))
        pieces: list[bytes] = []
        await exchange.stream(pieces.append)
        return len(b"".join(pieces))

    peer, client = await serve(play), connect(limits=PoolLimits(connections=8))
    for spacing in (0.0, 0.0005, 0.002):
        tasks = [asyncio.ensure_future(run(number)) for number in range(150)]
        for task in tasks[::2]:
            await asyncio.sleep(spacing)
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result == 2 for result in results[1::2])
        assert all(result == 2 or isinstance(result, asyncio.CancelledError) for result in results[::2])
    (status,) = client.status()
    assert (status.waiting, status.dialling) == (0, 0)
    assert status.open == status.idle <= 8


async def test_abort_from_elsewhere_ends_the_one_who_waits(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nsome")
        await talk.closed()

    peer, client = await serve(play), connect()
    for streamed in (False, True):
        exchange = await client.send(ask(peer))
        asyncio.get_running_loop().call_later(0.02, exchange.abort)
        with pytest.raises(UpstreamFailure) as caught:
            await (exchange.stream(lambda _: None) if streamed else exchange.read(LIMIT))
        assert caught.value.outcome == "cancelled"
        exchange.abort()


# ---- shutting down ----


async def test_close_ends_everything(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        if talk.number == 0:
            await talk.send(OK)
        await talk.closed()

    peer, client = await serve(play), connect(limits=PoolLimits(connections=2))
    await fetch(client, ask(peer))
    tasks = [asyncio.ensure_future(failure(client, ask(peer))) for _ in range(4)]
    await asyncio.sleep(0.05)
    await client.close()
    assert [error.outcome for error in await asyncio.gather(*tasks)] == ["cancelled"] * 4
    assert (await failure(client, ask(peer))).outcome == "cancelled"
    assert client.status()[0].open == 0


# ---- what must not be sent, what must not be shown ----


async def test_a_request_that_cannot_be_sent_safely_is_not_sent(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    for bad in (
        ask(peer, path="/a b"),
        ask(peer, headers=((b"x", b"1\r\ny: 2"),)),
        ask(peer, secret="sk-\r\nx: y"),
    ):
        with pytest.raises(ValueError, match=r"header|path"):
            await client.send(bad)
    assert peer.talks == []
    assert await fetch(client, ask(peer)) == (200, b"{}")


async def test_secrets_are_in_no_error(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(b"HTTP/1.1 200 sk-hidden\r\nsk-hidden\r\n\r\n")

    client = connect(proxy="")
    error = await failure(client, ask(await serve(play), secret="sk-hidden", headers=((b"x-api-key", b"sk-hidden"),)))
    assert "sk-hidden" not in f"{error!r} {error} {error.__cause__!r} {client.status()!r}"
