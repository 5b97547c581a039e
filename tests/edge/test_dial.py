"""Ways to an upstream: names, addresses, TLS with certificates of the test's own, and CONNECT proxies."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yett.edge.dial import Dialer, Proxy
from yett.edge.upstream import UpstreamClient
from yett.ports import Outgoing, UpstreamFailure

Serve = Callable[..., Awaitable[Any]]
Connect = Callable[..., UpstreamClient]
Ask = Callable[..., Outgoing]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


async def fetch(client: UpstreamClient, outgoing: Outgoing) -> bytes:
    return await (await client.send(outgoing)).read(1000)


async def failure(client: UpstreamClient, outgoing: Outgoing) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as caught:
        await fetch(client, outgoing)
    assert caught.value.replayable
    return caught.value


# ---- names and addresses ----


async def test_a_name_is_resolved_and_remembered(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect(dns_seconds=30.0)
    assert await fetch(client, ask(f"http://localhost:{peer.port}")) == b"{}"
    until, addresses = client._dialer._addresses["localhost", peer.port]
    assert until > asyncio.get_running_loop().time()
    assert "127.0.0.1" in addresses
    assert b"host: localhost:" in peer.talks[0].requests[0]


async def test_a_name_that_cannot_exist(connect: Connect, ask: Ask) -> None:
    assert (await failure(connect(), ask(f"http://{'a' * 64}.test"))).outcome == "dns"


async def test_addresses_are_tried_in_turn(serve: Serve, connect: Connect, ask: Ask) -> None:
    peer, client = await serve(OK), connect()
    known = client._dialer._addresses
    known["two.test", peer.port] = (math.inf, ("127.0.0.2", "127.0.0.1"))
    assert await fetch(client, ask(f"http://two.test:{peer.port}")) == b"{}"
    known["none.test", peer.port] = (math.inf, ("127.0.0.2", "127.0.0.3"))
    assert (await failure(client, ask(f"http://none.test:{peer.port}"))).outcome == "refused"
    assert ("none.test", peer.port) not in known  # the next try asks for the addresses again


async def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    serve: Serve, connect: Connect, ask: Ask
) -> None:
    peer, client = await serve(OK), connect()
    with unanswered("127.0.0.2", peer.port):
        known = client._dialer._addresses
        known["two.test", peer.port] = (math.inf, ("127.0.0.2", "127.0.0.1"))
        assert await fetch(client, ask(f"http://two.test:{peer.port}", connect=1.0)) == b"{}"
        known["one.test", peer.port] = (math.inf, ("127.0.0.2",))
        error = await failure(client, ask(f"http://one.test:{peer.port}", connect=0.2))
        assert error.outcome == "timeout.connect"


@contextlib.contextmanager
def unanswered(host: str, port: int) -> Iterator[None]:
    """A listening port on which nobody accepts and whose queue is full, so that connecting hangs."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, port))
        yield


# ---- TLS ----


async def test_tls_with_a_trusted_authority(serve: Serve, connect: Connect, ask: Ask, authority: Any) -> None:
    names: list[str] = []
    context = authority.context("localhost", "127.0.0.1")
    context.sni_callback = lambda _, name, __: names.append(name)
    peer, client = await serve(OK, context), connect()
    for _ in range(3):
        outgoing = ask(f"https://localhost:{peer.port}/v1", ca_file=str(authority.ca_file), secret="sk-1")
        assert await fetch(client, outgoing) == b"{}"
    assert await fetch(client, ask(f"https://127.0.0.1:{peer.port}", ca_file=str(authority.ca_file))) == b"{}"
    assert len(peer.talks) == 2
    assert names == ["localhost", None]  # no SNI for an address (RFC 6066 section 3)
    assert [status.origin for status in client.status()] == [
        f"https://localhost:{peer.port}",
        f"https://127.0.0.1:{peer.port}",
    ]


async def test_a_large_reply_over_tls(serve: Serve, connect: Connect, ask: Ask, authority: Any) -> None:
    body = bytes(range(256)) * 20_000
    peer = await serve(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, authority.context("localhost")
    )
    client = connect()
    outgoing = ask(f"https://localhost:{peer.port}", body, ca_file=str(authority.ca_file))
    exchange = await client.send(outgoing)
    assert await exchange.read(len(body)) == body
    received = bytearray()

    def sink(piece: bytes) -> None:
        received.extend(piece)
        exchange.pause()
        asyncio.get_running_loop().call_soon(exchange.resume)

    exchange = await client.send(outgoing)
    await exchange.stream(sink)
    assert received == body
    assert len(peer.talks) == 1


async def test_certificates_are_verified(serve: Serve, connect: Connect, ask: Ask, authority: Any) -> None:
    ca_file = str(authority.ca_file)
    client = connect()
    good = await serve(OK, authority.context("localhost"))
    wrong_name = await serve(OK, authority.context("other.test"))
    expired = await serve(OK, authority.context("localhost", days=-1))
    for port, trusted, reason in (
        (good.port, "", "certificate"),  # the system does not know this authority
        (wrong_name.port, ca_file, "certificate"),
        (expired.port, ca_file, "certificate has expired"),
    ):
        error = await failure(client, ask(f"https://localhost:{port}", ca_file=trusted))
        assert error.outcome == "tls"
        assert reason in str(error)
    assert not wrong_name.talks or not wrong_name.talks[0].requests
    # The same origin under another trust is another origin: no connection is shared.
    assert await fetch(client, ask(f"https://localhost:{good.port}", ca_file=ca_file)) == b"{}"
    assert (await failure(client, ask(f"https://localhost:{good.port}"))).outcome == "tls"


async def test_not_tls_at_all(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.reader.read(10)
        await talk.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def hang_up(talk: Any) -> None:
        await talk.reader.read(10)

    async def reset(talk: Any) -> None:
        await talk.reader.read(10)
        talk.reset()

    async def hang(talk: Any) -> None:
        await talk.reader.read()

    client = connect()
    for script in (play, hang_up, reset):
        peer = await serve(script)
        assert (await failure(client, ask(f"https://localhost:{peer.port}"))).outcome == "tls"
    peer = await serve(hang)
    assert (await failure(client, ask(f"https://localhost:{peer.port}", connect=0.2))).outcome == "timeout.connect"


async def test_old_tls_is_refused(serve: Serve, connect: Connect, ask: Ask, authority: Any) -> None:
    context = authority.context("localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    peer = await serve(OK, context)
    client = connect()
    error = await failure(client, ask(f"https://localhost:{peer.port}", ca_file=str(authority.ca_file)))
    assert error.outcome == "tls"


async def test_a_ca_file_that_is_missing_broken_or_replaced(
    serve: Serve, connect: Connect, ask: Ask, authority: Any, tmp_path: Path
) -> None:
    peer, client = await serve(OK, authority.context("localhost")), connect()
    ca_file = tmp_path / "ca.pem"
    outgoing = ask(f"https://localhost:{peer.port}", ca_file=str(ca_file))
    assert "ca_file" in str(await failure(client, outgoing))
    ca_file.write_text("not a certificate")
    assert "ca_file" in str(await failure(client, outgoing))
    ca_file.write_bytes(authority.ca_file.read_bytes())
    assert await fetch(client, outgoing) == b"{}"
    assert client._dialer._contexts[str(ca_file)][1].verify_mode == ssl.CERT_REQUIRED


# ---- proxies ----


def tunnel(answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n") -> Callable[[Any], Awaitable[None]]:
    async def play(talk: Any) -> None:
        request = await talk.request()
        await talk.send(answer)
        if b" 200" not in answer:
            return
        host, _, port = request.split(b" ")[1].rpartition(b":")
        reader, writer = await asyncio.open_connection(host.decode().strip("[]"), int(port))

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        try:
            await asyncio.gather(pump(talk.reader, writer), pump(reader, talk.writer), return_exceptions=True)
        finally:
            writer.close()

    return play


async def test_through_a_proxy(serve: Serve, connect: Connect, ask: Ask, authority: Any) -> None:
    plain, secure = await serve(OK), await serve(OK, authority.context("localhost"))
    proxy = await serve(tunnel())
    client = connect(proxy=f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    for _ in range(2):
        assert await fetch(client, ask(plain, secret="sk-1")) == b"{}"
        assert await fetch(client, ask(f"https://localhost:{secure.port}", ca_file=str(authority.ca_file))) == b"{}"
    assert len(proxy.talks) == 2
    assert proxy.talks[0].requests == [
        b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n"
        % (plain.port, plain.port)
    ]
    assert b"roxy-" not in plain.talks[0].requests[0]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "refused"),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", "refused"),
        (b"", "reset"),
        (b"HTTP/1.1 2", "reset"),
        (b"SSH-2.0-x\r\n\r\n", "garbage"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", "garbage"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 4000, "garbage"),
    ],
)
async def test_proxies_that_do_not_connect(
    answer: bytes, outcome: str, serve: Serve, connect: Connect, ask: Ask
) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.send(answer)

    proxy = await serve(play)
    client = connect(proxy=f"http://user:hidden@127.0.0.1:{proxy.port}")
    error = await failure(client, ask("http://upstream.test"))
    assert error.outcome == outcome
    assert "hidden" not in repr(error)


async def test_a_proxy_that_hangs_or_is_not_there(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def play(talk: Any) -> None:
        await talk.request()
        await talk.closed()

    proxy = await serve(play)
    client = connect(proxy=f"http://127.0.0.1:{proxy.port}")
    assert (await failure(client, ask("http://upstream.test", connect=0.2))).outcome == "timeout.connect"
    await proxy.stop()
    assert (await failure(client, ask("http://upstream.test"))).outcome == "refused"


@pytest.mark.parametrize(
    "url", ["https://proxy.test", "socks5://proxy.test", "http://", "http://hidden@proxy.test/x", "proxy.test:3128"]
)
def test_proxies_that_are_none(url: str) -> None:
    with pytest.raises(ValueError, match="a proxy is") as caught:
        Proxy(url)
    assert "hidden" not in str(caught.value)


def test_a_proxy_does_not_show_its_password() -> None:
    assert repr(Proxy("http://user:hidden@proxy.test:3128")) == "Proxy(proxy.test:3128)"


async def test_closed_while_dialling(serve: Serve, connect: Connect, ask: Ask) -> None:
    async def slow(talk: Any) -> None:
        await talk.request()
        await asyncio.sleep(0.1)
        await talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        assert await talk.closed()

    proxy = await serve(slow)
    client = connect(proxy=f"http://127.0.0.1:{proxy.port}")
    task = asyncio.ensure_future(failure(client, ask("http://upstream.test")))
    await asyncio.sleep(0.03)
    await client.close()
    assert (await task).outcome == "cancelled"
    assert client.status()[0].open == 0


async def test_cancelled_while_dialling(serve: Serve, authority: Any, connect: Connect, ask: Ask) -> None:
    async def hang(talk: Any) -> None:
        await talk.reader.read()

    peer = await serve(hang)
    client = connect()
    for delay in (0.0, 0.001, 0.01, 0.03):
        task = asyncio.ensure_future(client.send(ask(f"https://localhost:{peer.port}")))
        await asyncio.sleep(delay)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (status,) = client.status()
        assert (status.open, status.dialling) == (0, 0)
    assert isinstance(client._dialer, Dialer)
