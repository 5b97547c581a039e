"""The connections to one origin: how many, who gets them, and when they are let go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from yett.edge.pool import PoolLimits
from yett.edge.upstream import UpstreamClient
from yett.ports import Outgoing, UpstreamFailure

Serve = Callable[..., Awaitable[Any]]
Connect = Callable[..., UpstreamClient]
Ask = Callable[..., Outgoing]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def fetch(client: UpstreamClient, outgoing: Outgoing) -> bytes:
    return await (await client.send(outgoing)).read(1000)


async def test_who_waits_is_served_in_order_of_arrival(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        while await talk.request():
            await asyncio.sleep(0.005)
            await talk.send(OK)

    async def run(number: int) -> None:
        await fetch(client, ask(peer, path=f"/{number}"))
        done.append(number)

    done: list[int] = []
    peer, client = await serve(play), connect(limits=PoolLimits(connections=1))
    tasks = [asyncio.ensure_future(run(number)) for number in range(8)]
    await asyncio.sleep(0.002)
    assert client.status()[0].waiting == 7
    await asyncio.gather(*tasks)
    assert done == list(range(8))
    (status,) = client.status()
    assert (status.opened, status.reused, status.waiting) == (1, 7, 0)
    assert [request.split()[1] for request in peer.talks[0].requests] == [b"/v1/%d" % number for number in range(8)]


async def test_a_closed_connection_lets_the_first_who_waits_dial(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer = await serve(OK.replace(b"Content", b"Connection: close\r\nContent"))
    client = connect(limits=PoolLimits(connections=2))
    assert await asyncio.gather(*(fetch(client, ask(peer)) for _ in range(9))) == [b"{}"] * 9
    (status,) = client.status()
    assert (status.opened, status.reused) == (9, 0)


async def test_a_failed_dial_lets_the_next_one_try(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer = await serve(OK)
    await peer.stop()
    client = connect(limits=PoolLimits(connections=1))
    results = await asyncio.gather(*(fetch(client, ask(peer)) for _ in range(5)), return_exceptions=True)
    assert [getattr(each, "outcome", each) for each in results] == ["refused"] * 5


async def test_waiting_ends_with_the_connect_time_out(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.closed()

    peer, client = await serve(play), connect(limits=PoolLimits(connections=1))
    first = asyncio.ensure_future(fetch(client, ask(peer)))
    await asyncio.sleep(0.02)
    with pytest.raises(UpstreamFailure) as caught:
        await fetch(client, ask(peer, connect=0.1))
    assert (caught.value.outcome, caught.value.replayable) == ("timeout.connect", True)
    assert client.status()[0].waiting == 0
    first.cancel()
    await asyncio.wait([first])


async def test_who_is_cancelled_while_waiting_is_passed_over(serve: Serve, connect: Connect, ask: Ask) -> None:
    release = asyncio.Event()

    async def play(talk: Any) -> None:
        while await talk.request():
            await release.wait()
            await talk.send(OK)

    peer, client = await serve(play), connect(limits=PoolLimits(connections=1))
    tasks = [asyncio.ensure_future(fetch(client, ask(peer))) for _ in range(4)]
    await asyncio.sleep(0.02)
    tasks[1].cancel()
    await asyncio.sleep(0)
    assert client.status()[0].waiting == 2
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert [results[0], *results[2:]] == [b"{}"] * 3
    assert client.status()[0].opened == 1


async def test_who_is_cancelled_with_a_connection_in_hand_gives_it_back(
    serve: Serve, connect: Connect, ask: Ask
) -> None:
    peer, client = await serve(OK), connect(limits=PoolLimits(connections=1))
    exchange = await client.send(ask(peer))
    await exchange.read(100)
    (pool,) = client._pools.values()
    connection = pool.take(asyncio.get_running_loop().time())
    assert connection is not None
    waiting = [asyncio.ensure_future(fetch(client, ask(peer))) for _ in range(2)]
    await asyncio.sleep(0.01)
    connection.idle_since = asyncio.get_running_loop().time()
    pool.released(connection)  # granted to the first …
    waiting[0].cancel()  # … which is cancelled before it runs again
    assert await waiting[1] == b"{}"
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert client.status()[0].opened == 1


async def test_who_is_cancelled_with_the_right_to_dial_gives_it_back(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect(limits=PoolLimits(connections=1))
    exchange = await client.send(ask(peer))
    await exchange.read(100)
    (pool,) = client._pools.values()
    connection = pool.take(asyncio.get_running_loop().time())
    assert connection is not None
    waiting = [asyncio.ensure_future(fetch(client, ask(peer))) for _ in range(2)]
    await asyncio.sleep(0.01)
    connection.drop()
    pool.lost(connection)
    waiting[0].cancel()
    assert await waiting[1] == b"{}"
    (status,) = client.status()
    assert (status.opened, status.dialling, status.open) == (2, 0, 1)


async def test_connections_grow_too_old(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect(limits=PoolLimits(age=0.1))
    await fetch(client, ask(peer))
    await fetch(client, ask(peer))
    await asyncio.sleep(0.12)
    await fetch(client, ask(peer))
    assert len(peer.talks) == 2
    await asyncio.sleep(0.12)
    (pool,) = client._pools.values()
    connection = next(iter(pool.connections))
    pool._idle.remove(connection)
    connection.idle_since = asyncio.get_running_loop().time()
    pool.released(connection)
    assert client.status()[0].idle == 0


async def test_idle_connections_are_closed_longest_idle_first(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect(limits=PoolLimits(idle=10.0))
    await asyncio.gather(*(fetch(client, ask(peer)) for _ in range(3)))
    (pool,) = client._pools.values()
    pool._idle[0].idle_since -= 11
    pool._idle[1].idle_since -= 11
    pool.sweep(asyncio.get_running_loop().time())
    assert client.status()[0].idle == 1
    pool._idle[0].idle_since -= 11
    await fetch(client, ask(peer))
    assert len(peer.talks) == 4


async def test_a_stale_connection_makes_room_for_the_fresh_one(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await asyncio.sleep(0.01)
        await talk.send(OK)
        await talk.request()
        if talk.number > 1:
            await talk.send(OK)
            await talk.request()

    peer, client = await serve(play), connect(limits=PoolLimits(connections=2))
    await asyncio.gather(fetch(client, ask(peer)), fetch(client, ask(peer)))
    assert client.status()[0].idle == 2
    assert await fetch(client, ask(peer)) == b"{}"  # both kept ones are stale by now
    (status,) = client.status()
    assert (status.opened, status.replayed) == (3, 1)


async def test_an_origin_is_shared_by_its_base_urls(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    await fetch(client, ask(f"http://127.0.0.1:{peer.port}/a"))
    await fetch(client, ask(f"http://127.0.0.1:{peer.port}/b/"))
    assert len(client.status()) == len(peer.talks) == 1
    assert [request.split()[1] for request in peer.talks[0].requests] == [b"/a/chat", b"/b/chat"]
