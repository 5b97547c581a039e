"""Raw peers for the edge's tests: a scripted TCP server that may answer anything, certificates, and clean-up that checks."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from yett.edge.upstream import UpstreamClient
from yett.model.route import Provider, Secret, Timeouts
from yett.ports import Outgoing

# The upstream client is used on uvloop; what it does must not depend on it.
ON_BOTH_LOOPS = {"test_upstream", "test_connection", "test_dial", "test_exchange", "test_pool"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem in ON_BOTH_LOOPS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}


class Talk:
    """One accepted connection: `number` counts from 0."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.reader = reader
        self.writer = writer
        self.requests: list[bytes] = []

    async def request(self) -> bytes:
        """The next request, head and body; empty when the client has closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return b""
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        request = head + await self.reader.readexactly(length)
        self.requests.append(request)
        return request

    async def send(self, *pieces: bytes) -> None:
        """Each piece in a segment of its own, as far as the loop can tell."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0.005)

    async def closed(self) -> bool:
        """Wait until the client has closed."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionError:
            return True

    def reset(self) -> None:
        """RST instead of FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Play = Callable[[Talk], Awaitable[Any]]


class Peer:
    """A server on 127.0.0.1 that plays one script per connection and closes it at the end of the script."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.talks: list[Talk] = []

    async def start(self, context: ssl.SSLContext | None = None) -> Peer:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        talk = Talk(len(self.talks), reader, writer)
        self.talks.append(talk)
        try:
            await self._play(talk)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except RuntimeError:  # what uvloop raises for a write to a connection that has closed
            assert writer.is_closing()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Peer]]]:
    """`await serve(play)` starts a Peer; `play` may be the bytes with which every request is answered."""
    peers: list[Peer] = []

    async def start(play: Play | bytes, context: ssl.SSLContext | None = None) -> Peer:
        peer = await Peer(answering(play) if isinstance(play, bytes) else play).start(context)
        peers.append(peer)
        return peer

    yield start
    for peer in peers:
        await peer.stop()


def answering(reply: bytes) -> Play:
    async def play(talk: Talk) -> None:
        while await talk.request():
            await talk.send(reply)

    return play


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Callable[..., UpstreamClient]]:
    """`connect(**options)` makes an UpstreamClient. At the end none may have left a connection, and the loop no complaint."""
    clients: list[UpstreamClient] = []
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    def make(**options: Any) -> UpstreamClient:
        clients.append(UpstreamClient(**options))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()
        for status in client.status():
            assert (status.open, status.idle, status.dialling, status.waiting) == (0, 0, 0, 0)
    assert complaints == []


@pytest.fixture
def ask() -> Callable[..., Outgoing]:
    """`ask(peer, …)` is an Outgoing to a peer or base URL."""

    def make(
        peer: Peer | str,
        body: bytes = b"{}",
        *,
        method: str = "POST",
        path: str = "/chat",
        headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"application/json"),),
        secret: str = "",
        ca_file: str = "",
        **timeouts: float,
    ) -> Outgoing:
        base_url = peer if isinstance(peer, str) else f"http://127.0.0.1:{peer.port}/v1"
        provider = Provider("p", "openai", base_url, (), (), Timeouts(**timeouts), ca_file)
        return Outgoing(provider, method, path, headers, body, Secret(secret) if secret else None)

    return make


class Authority:
    """A certificate authority of the test's own; `ca_file` is what to trust."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(self._name, self._key, [], authority=True)
        self.ca_file = folder / f"{name}.pem"
        self.ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def context(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """A server's, with a certificate for `names` (host names and addresses) that is valid for `days` from yesterday."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._sign(subject, key, list(names), days=days)
        path = self._folder / f"{names[0]}-{days}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: list[str],
        *,
        days: int = 1,
        authority: bool = False,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            alternatives = [
                x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "trusted")
