"""TLS on the port that callers use: on real sockets, with certificates of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding
from msgspec.structs import replace
from tests.certificates import Certifier, Pair, client

from yett.config.reader import parse
from yett.config.tls import tls
from yett.edge.http1 import Http1Connection, Http1Limits
from yett.edge.listener import Listener, bind
from yett.edge.outbox import Outbox
from yett.identity.x509 import Authority
from yett.model.call import Inbound
from yett.model.encryption import Tls
from yett.ports import Outlet

CA, GATE = Certifier("here"), Certifier("here").host("localhost")
REQUEST = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n"


def encryption(folder: Path, pair: Pair, more: str = "", trusted: Certifier | None = None) -> Tls:
    (folder / "cert.pem").write_bytes(pair.pem)
    (folder / "key.pem").write_bytes(pair.key_pem)
    text = f'[gateway.tls]\ncertificate_file = "cert.pem"\nprivate_key = "file:key.pem"\n{more}'
    vouching = [Authority("corp", "ca:corp", (trusted.certificate,))] if trusted else []
    made = tls(parse(text, folder / "yett.toml", {}), vouching, [])
    assert made is not None
    return made


class Port:
    """A listener that answers every request with its path."""

    def __init__(self) -> None:
        self.listener = Listener(self._run, Http1Limits(), Outbox())
        self.seen: list[Inbound] = []
        bound = bind("127.0.0.1", 0, shared=False)
        self.port = int(bound.getsockname()[1])
        self.bound = bound

    async def _run(self, inbound: Inbound, outlet: Outlet) -> None:
        self.seen.append(inbound)
        outlet.head(200, [], len(inbound.path))
        outlet.write(inbound.path.encode())
        outlet.end()

    async def ask(self, context: ssl.SSLContext | None, request: bytes = REQUEST) -> tuple[bytes, Line]:
        line = Line(*await self.open(context))
        return await line.ask(request), line

    async def open(self, context: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        name = "localhost" if context else None
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname=name)


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def tls(self) -> ssl.SSLObject:
        found: ssl.SSLObject = self._writer.get_extra_info("ssl_object")
        return found

    async def ask(self, request: bytes = REQUEST) -> bytes:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(length)

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


@pytest_asyncio.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    yield port
    await port.listener.drain(0.0, lambda: None)
    assert complaints == []


async def test_a_call_over_tls(port: Port, tmp_path: Path) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE))
    context = client(CA)
    context.set_alpn_protocols(["h2", "http/1.1"])
    answer, line = await port.ask(context)
    assert answer == b"/v1/models"
    assert line.tls.selected_alpn_protocol() == "http/1.1"
    assert await line.ask() == b"/v1/models"  # the connection is kept
    await line.close()


async def test_plain_http_and_old_versions_get_nothing(port: Port, tmp_path: Path) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE))
    reader, writer = await port.open(None)
    writer.write(REQUEST)
    with contextlib.suppress(ConnectionError):
        assert b"HTTP" not in await reader.read(100)
    writer.close()
    old = client(CA)
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await port.open(old)
    assert port.seen == []


async def test_a_handshake_that_does_not_come_is_ended(port: Port, tmp_path: Path) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE, 'handshake_timeout = "100ms"'))
    reader, writer = await port.open(None)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    writer.close()


async def test_new_connections_get_the_renewed_certificate(port: Port, tmp_path: Path) -> None:
    first = encryption(tmp_path, GATE)
    await port.listener.start(port.bound, first)
    _, early = await port.ask(client(CA))
    other = Certifier("elsewhere")
    await port.listener.take_up(encryption(tmp_path, other.host("localhost")))
    answer, late = await port.ask(client(other))
    assert answer == await early.ask() == b"/v1/models"  # what is open stays
    with pytest.raises(ssl.SSLCertVerificationError):
        await port.open(client(CA))
    await port.listener.take_up(None)
    answer, plain = await port.ask(None)
    assert answer == b"/v1/models"
    for line in (early, late, plain):
        await line.close()


async def test_what_is_the_same_changes_nothing(port: Port, tmp_path: Path) -> None:
    made = encryption(tmp_path, GATE)
    await port.listener.take_up(made)  # not started yet
    await port.listener.start(port.bound, made)
    await port.listener.take_up(replace(made, chain=b""))  # which could serve nobody
    _, line = await port.ask(client(CA))
    await line.close()


async def test_a_drain_closes_the_port(port: Port, tmp_path: Path) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE))
    _, line = await port.ask(client(CA))
    await port.listener.drain(1.0, lambda: None)
    assert port.listener.connections == 0
    with pytest.raises(ConnectionRefusedError):
        await port.open(client(CA))
    late = port.listener._connection()  # whose handshake took until now
    assert isinstance(late, Http1Connection)
    assert late.closing
    await port.listener.take_up(None)
    with pytest.raises(ConnectionRefusedError):
        await port.open(None)
    await line.close()


# ---- certificates of callers ----------------------------------------------------------------------------------------

CORP = Certifier("corp")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_certificates_of_a_connection_come_with_each_of_its_calls(
    port: Port, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    between = Certifier("between", CORP)
    own = between.host("job.example")
    await port.listener.start(port.bound, encryption(tmp_path, GATE, 'clients = "optional"', CORP))
    context = client(CA, own)
    context.maximum_version = version
    _, line = await port.ask(context)
    await line.ask()
    _, anonymous = await port.ask(client(CA))
    await line.close()
    await anonymous.close()
    der = between.certificate.public_bytes(Encoding.DER)
    assert [inbound.certificates for inbound in port.seen] == [(own.der, der), (own.der, der), ()]


@pytest.mark.parametrize(
    "own",
    [None, Certifier("stranger").host("job.example"), CORP.host("job.example", ends=-60)],
    ids=["none", "of a stranger", "expired"],
)
async def test_who_has_no_good_certificate_gets_no_connection(port: Port, tmp_path: Path, own: Pair | None) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE, 'clients = "required"', CORP))
    with pytest.raises(
        (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)
    ):  # TLS 1.3 says so with the first answer
        await port.ask(client(CA, own))
    assert port.seen == []


async def test_sessions_are_not_resumed(port: Port, tmp_path: Path) -> None:
    await port.listener.start(port.bound, encryption(tmp_path, GATE, 'clients = "required"', CORP))
    _, line = await port.ask(client(CA, CORP.host("job.example")))
    session = line.tls.session
    assert session is None or not session.has_ticket
    await line.close()
