"""Where requests of one base URL go, and the bytes of their heads; nothing that could split a request gets past here."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from yett.model.route import Secret

K = TypeVar("K")

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 section 5.6.2
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 section 5.5: no CR, LF, NUL or other control
_TARGET = re.compile(r"/[\x21-\x7e]*")  # origin-form; a space or a line break would end the request line early
_HOST = re.compile(r"[0-9A-Za-z._\-]+|[0-9A-Fa-f:.]+")

# Framing and connection management are this client's own: a second opinion in `headers` would be request smuggling.
_RESERVED = frozenset(
    b"host content-length transfer-encoding connection keep-alive proxy-connection proxy-authorization "
    b"te trailer upgrade expect".split()
)
_CREDENTIALS = frozenset((b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"))
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_CACHED = 512  # request lines and header blocks kept per origin; per-call headers would otherwise grow it for ever


class Origin(Struct, frozen=True):
    """What a connection is made to, and under which trust: connections are shared by equal origins only."""

    tls: bool
    host: str
    port: int
    ca_file: str = ""


class Address:
    """A parsed base URL. `head()` gives request heads; equal parts are built and checked once and kept."""

    __slots__ = ("_authority", "_blocks", "_last", "_lines", "_prefix", "origin")

    def __init__(self, base_url: str, ca_file: str = "") -> None:
        """Raises ValueError for anything but `http(s)://host[:port][/path]`; the URL itself is not in the message."""
        if not base_url.isascii() or not base_url.isprintable() or " " in base_url:
            raise ValueError("a base URL has no spaces, control characters or letters beyond ASCII")
        url = urlsplit(base_url)
        if url.scheme not in {"http", "https"}:
            raise ValueError("a base URL begins with http:// or https://")
        if url.username is not None or url.password is not None or url.query or url.fragment:
            raise ValueError("a base URL has no user, query or fragment")
        host = url.hostname or ""
        if _HOST.fullmatch(host) is None:
            raise ValueError("a base URL needs a host name or an address")
        tls = url.scheme == "https"
        usual = 443 if tls else 80
        self.origin = Origin(tls, host, url.port or usual, ca_file)
        bracketed = f"[{host}]" if ":" in host else host
        self._authority = bracketed if self.origin.port == usual else f"{bracketed}:{self.origin.port}"
        self._prefix = url.path.rstrip("/")
        self._lines: dict[tuple[str, str], bytes] = {}
        self._blocks: dict[tuple[tuple[tuple[bytes, bytes], ...], Secret | None], bytes] = {}
        self._last: tuple[object, object, object, object, bytes] = (None, None, None, None, b"")

    def head(
        self,
        method: str,
        path: str,
        headers: tuple[tuple[bytes, bytes], ...],
        secret: Secret | None,
        length: int,
    ) -> bytes:
        """The request head up to and including its empty line, for a body of `length` bytes.

        `secret` becomes `authorization: Bearer …` unless `headers` already carry a credential (authorization, x-api-key,
        api-key, x-goog-api-key), which the provider's shelf then has built. Raises ValueError for anything that could
        change where the request ends (RFC 9112 section 11.1); the message never repeats a value.
        """
        last = self._last
        # A gateway sends the same values, by identity, again and again: looking them up would cost more than all the rest.
        if last[0] is headers and last[1] is secret and last[2] is path and last[3] is method:
            start = last[4]
        else:
            line = self._lines.get((method, path)) or self._line(method, path)
            block = self._blocks.get((headers, secret))
            if block is None:
                block = self._block(headers, secret)
            start = line + block
            self._last = (headers, secret, path, method, start)
        if length or method in _WITH_BODY:
            return b"%bcontent-length: %d\r\n\r\n" % (start, length)
        return start + b"\r\n"

    def _line(self, method: str, path: str) -> bytes:
        target = self._prefix + path or "/"
        if _TOKEN.fullmatch(method.encode("latin-1", "replace")) is None or method in {"CONNECT", "TRACE"}:
            raise ValueError("the method is not one that this client sends")
        if _TARGET.fullmatch(target) is None:
            raise ValueError("the path has characters that do not belong in a request line")
        line = f"{method} {target} HTTP/1.1\r\nhost: {self._authority}\r\n".encode("ascii")
        _keep(self._lines, (method, path), line)
        return line

    def _block(self, headers: tuple[tuple[bytes, bytes], ...], secret: Secret | None) -> bytes:
        names = set()
        lines = []
        for position, (name, value) in enumerate(headers):
            lower = name.lower()
            if _TOKEN.fullmatch(name) is None or lower in _RESERVED:
                raise ValueError(f"header {position} has a name that may not be sent")
            if _VALUE.fullmatch(value) is None:
                raise ValueError(f"header {position} has a control character in its value")
            names.add(lower)
            lines.append(b"%b: %b\r\n" % (name, value))
        if secret is not None and names.isdisjoint(_CREDENTIALS):
            lines.append(b"authorization: Bearer %b\r\n" % _credential(secret))
        block = b"".join(lines)
        _keep(self._blocks, (headers, secret), block)
        return block


def _credential(secret: Secret) -> bytes:
    text = secret.reveal()
    # encode("ascii") would put the secret into its UnicodeEncodeError
    if not text.isascii() or not text.isprintable() or not text or " " in text:
        raise ValueError("the provider's key has characters that cannot be sent in a header")
    return text.encode("ascii")


def _keep(cache: dict[K, bytes], key: K, value: bytes) -> None:
    if len(cache) >= _CACHED:
        cache.clear()
    cache[key] = value
