"""The connection to Valkey: how it is made, and what it does about servers that are not what they should be."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.servers import Valkey, free_port

from yett.config.store_address import Address, limits_address
from yett.stores.redis_link import LinkDown, RedisLink, StoreError, command

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(talk: Talk, tls: ssl.SSLContext | None = None) -> AsyncIterator[Address]:
    talks: list[asyncio.Future[None]] = []

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        over = asyncio.get_running_loop().create_future()
        talks.append(over)
        with contextlib.suppress(OSError):
            await talk(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        over.set_result(None)

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=tls)
    yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
    await asyncio.sleep(0.02)  # who is let in while it closes gets a transport that nobody closes (asyncio before 3.12)
    server.close()
    await asyncio.gather(*talks)
    await server.wait_closed()


async def test_what_is_asked_in_one_turn_leaves_in_one_write(valkey: Valkey) -> None:
    writes: list[bytes] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writes.append(data)
            writer.write(b"+PONG\r\n" * data.count(b"PING"))

    async with listening(relay) as address:
        link = RedisLink(address)
        await link.start()
        answers = await asyncio.gather(*(link.ask(command("PING")) for _ in range(50)))
        await link.close()
    assert answers == [b"PONG"] * 50
    assert len(writes[0]) == 50 * len(command("PING"))


async def test_nobody_listens() -> None:
    link = RedisLink(Address("127.0.0.1", free_port()))
    with pytest.raises(LinkDown, match=r"127\.0\.0\.1:"):
        await link.start()
    with pytest.raises(LinkDown):
        link.ask(command("PING"))
    await link.start(patient=True)
    await link.close()


async def test_it_does_not_answer() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as address:
        link = RedisLink(address, timeout=0.05)
        await link.start()
        with pytest.raises(LinkDown, match="does not answer"):
            await link.ask(command("PING"))
        assert link.outages == 0 or link.trouble
        await link.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+OK\r\n+OK\r\n"])
async def test_it_is_something_else(answer: bytes) -> None:
    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await reader.read()

    async with listening(babbles) as address:
        link = RedisLink(address, timeout=0.2)
        await link.start()
        await asyncio.wait([link.ask(command("PING"))])
        async with asyncio.timeout(5):
            while not link.outages:
                await asyncio.sleep(0.01)
        await link.close()


async def test_a_password(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--requirepass", "se:cret").start()
    wrong = RedisLink(limits_address(server.url.replace("//", "//:nonsense@")))
    with pytest.raises(StoreError, match="WRONGPASS"):
        await wrong.start()
    link = RedisLink(limits_address(server.url.replace("//", "//:se%3Acret@").replace("/0", "/3")))
    assert "cret" not in repr(link.address) + str(link.address)
    await link.start()
    assert await link.ask(command("PING")) == b"PONG"
    await link.close()
    server.stop()


async def test_a_unix_socket(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--unixsocket", str(tmp_path / "s")).start()
    link = RedisLink(limits_address(f"unix://{tmp_path / 's'}?db=2"))
    await link.start()
    assert await link.ask(command("PING")) == b"PONG"
    await link.close()
    server.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the server, whose handshakes fail
async def test_tls_is_verified(valkey: Valkey, tmp_path: Path) -> None:
    context = certificate(tmp_path)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", valkey.port)
        inner_writer.write(await reader.read(65_536))
        writer.write(await inner_reader.read(65_536))
        await writer.drain()
        await reader.read()
        inner_writer.close()

    async with listening(relay, context) as address:
        url = f"rediss://localhost:{address.port}"
        link = RedisLink(limits_address(url, str(tmp_path / "ca.pem")))
        await link.start()
        assert await link.ask(command("PING")) == b"PONG"
        await link.close()
        stranger = RedisLink(limits_address(url))
        with pytest.raises(LinkDown, match="certificate"):
            await stranger.start()
        lost = RedisLink(limits_address(url, str(tmp_path / "nothing.pem")))
        with pytest.raises(LinkDown, match=r"nothing\.pem"):
            await lost.start()


async def test_keys_that_moved_are_followed(valkey: Valkey) -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            writer.write(b"-MOVED 42 127.0.0.1:%d\r\n" % valkey.port)
        writer.close()

    async def greet() -> None:
        await link.greeting(command("GET", "x"))

    async with listening(elsewhere) as address:
        link = RedisLink(address)
        link.greet = greet
        with pytest.raises(StoreError, match="MOVED"):
            await link.start()
        await link.start()
        assert await link.ask(command("PING")) == b"PONG"
        await link.close()


def certificate(folder: Path) -> ssl.SSLContext:
    """A server context for localhost, and its authority in `ca.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.pem", folder / "key.pem")
    return context
