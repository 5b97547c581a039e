"""Make a connection to an origin: name resolution, addresses in turn, a CONNECT proxy, TLS. Certificates are always verified."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import unquote, urlsplit

from yett.edge.origin import Origin
from yett.model.route import Secret
from yett.ports import UpstreamFailure

P = TypeVar("P", bound=asyncio.Protocol)

_MAX_PROXY_HEAD = 16_384  # bytes


class Proxy:
    """A proxy to tunnel through (RFC 9110 section 9.3.6): `http://[user:password@]host[:port]`. Its repr has no password."""

    __slots__ = ("authorization", "host", "port")

    def __init__(self, url: str) -> None:
        """Raises ValueError; the URL itself is not in the message."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError("a proxy is http://[user:password@]host[:port]")
        self.host = parts.hostname
        self.port = parts.port or 80
        self.authorization: Secret | None = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self.authorization = Secret(base64.b64encode(pair).decode("ascii"))

    def __repr__(self) -> str:
        return f"Proxy({self.host}:{self.port})"


class Dialer:
    """Addresses are cached for `dns_seconds`, TLS contexts for as long as their CA file stays unchanged."""

    def __init__(self, proxy: Proxy | None, dns_seconds: float) -> None:
        self._proxy = proxy
        self._dns_seconds = dns_seconds
        self._addresses: dict[tuple[str, int], tuple[float, tuple[str, ...]]] = {}
        self._contexts: dict[str, tuple[int, ssl.SSLContext]] = {}

    async def dial(self, origin: Origin, seconds: float, factory: Callable[[], P]) -> P:
        """A connected protocol made by `factory`. Raises UpstreamFailure (dns, refused, tls, reset, garbage,
        timeout.connect), always replayable: nothing of a request has been sent."""
        try:
            async with asyncio.timeout(seconds):
                return await self._dial(origin, asyncio.get_running_loop().time() + seconds, factory)
        except TimeoutError:
            raise _failed("timeout.connect", origin, "no connection in time") from None

    async def _dial(self, origin: Origin, deadline: float, factory: Callable[[], P]) -> P:
        context = self._context(origin) if origin.tls else None
        if self._proxy is None:
            if context is None:
                return (await self._connect(origin, origin.host, origin.port, deadline, factory))[1]
            transport, raw = await self._connect(origin, origin.host, origin.port, deadline, _Raw)
        else:
            transport, raw = await self._connect(origin, self._proxy.host, self._proxy.port, deadline, _Raw)
        ready = False
        try:
            if self._proxy is not None:
                await raw.tunnel(origin, self._proxy)
            protocol = factory()
            if context is None:
                transport.set_protocol(protocol)
                protocol.connection_made(transport)
            else:
                protocol.connection_made(await _secure(transport, protocol, context, origin))
            ready = True
            return protocol
        finally:
            if not ready:
                transport.abort()

    async def _connect(
        self, origin: Origin, host: str, port: int, deadline: float, factory: Callable[[], P]
    ) -> tuple[asyncio.Transport, P]:
        loop = asyncio.get_running_loop()
        addresses = await self._resolve(origin, host, port)
        reason: OSError = OSError("no address")
        for position, address in enumerate(addresses):
            share = (deadline - loop.time()) / (
                len(addresses) - position
            )  # a dead address does not use up all the time
            try:
                async with asyncio.timeout(share):
                    return await loop.create_connection(factory, address, port)
            except OSError as error:
                reason = error
        self._addresses.pop((host, port), None)
        if isinstance(reason, TimeoutError):
            raise _failed("timeout.connect", origin, "no connection in time")
        raise _failed("refused", origin, reason.strerror or "no connection")

    async def _resolve(self, origin: Origin, host: str, port: int) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        known = self._addresses.get((host, port))
        if known is not None and known[0] > loop.time():
            return known[1]
        try:
            addresses: tuple[str, ...] = (str(ipaddress.ip_address(host)),)
        except ValueError:
            try:
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError):
                raise _failed("dns", origin, f"no address for {host}") from None
            addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
        self._addresses[host, port] = (loop.time() + self._dns_seconds, addresses)
        return addresses

    def _context(self, origin: Origin) -> ssl.SSLContext:
        try:
            changed = Path(origin.ca_file).stat().st_mtime_ns if origin.ca_file else 0
            known = self._contexts.get(origin.ca_file)
            if known is not None and known[0] == changed:
                return known[1]
            context = ssl.create_default_context(cafile=origin.ca_file or None)
        except OSError as error:  # ssl.SSLError is one
            raise _failed("tls", origin, f"cannot load ca_file: {error.strerror or 'not a certificate'}") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self._contexts[origin.ca_file] = (changed, context)
        return context


class _Raw(asyncio.Protocol):
    """A TCP connection before it is an upstream's: it says nothing on its own, and asks a proxy for a tunnel."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if (b"\r\n\r\n" in self._received or len(self._received) > _MAX_PROXY_HEAD) and not self._answer.done():
            self._answer.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        if not self._answer.done():
            self._answer.set_result(None)

    async def tunnel(self, origin: Origin, proxy: Proxy) -> None:
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        request = f"CONNECT {host}:{origin.port} HTTP/1.1\r\nHost: {host}:{origin.port}\r\n"
        if proxy.authorization is not None:
            request += f"Proxy-Authorization: Basic {proxy.authorization.reveal()}\r\n"
        self._transport.write(f"{request}\r\n".encode("ascii"))
        await self._answer
        head, end, rest = self._received.partition(b"\r\n\r\n")
        status = head[9:12]
        if not end and self._closed:
            raise _failed("reset", origin, "the proxy closed the connection")
        # Bytes after the proxy's head would pass for the upstream's although no upstream has been asked anything.
        if not end or rest or not head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) or not status.isdigit():
            raise _failed("garbage", origin, "the proxy did not answer in HTTP")
        if not status.startswith(b"2"):
            raise _failed("refused", origin, f"the proxy answered {status.decode('ascii')}")


async def _secure(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, origin: Origin
) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    try:
        secured = await loop.start_tls(transport, protocol, context, server_hostname=origin.host)
    except ssl.SSLCertVerificationError as error:
        raise _failed("tls", origin, f"certificate: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise _failed("tls", origin, error.reason or "handshake failed") from None
    except OSError:
        raise _failed("tls", origin, "closed during the handshake") from None
    if secured is None:  # closed between the end of the handshake and now
        raise _failed("tls", origin, "closed during the handshake")
    return secured


def _failed(outcome: str, origin: Origin, reason: str) -> UpstreamFailure:
    return UpstreamFailure(outcome, f"{origin.host}:{origin.port}: {reason}", replayable=True)
