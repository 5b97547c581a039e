"""The keys of issuers: fetched off the path of calls, kept while an issuer is away, asked for again when a token names an unknown one.

    fresh ──its time to live is over──> due ──fetched──> fresh
                                          └──failed──> stale, asked again soon; after a day no longer believed

What was fetched last is also kept by a `Shelf`, for a start while an issuer is away: keys that are not a day old are believed as if this process had
fetched them then, and asked for anew at once.

However many tokens name keys that do not exist, an issuer is asked for them at most once in 30 seconds. Nothing follows a redirect: an
address that moved is the operator's to change.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from yett.config.checks import check_url, is_loopback
from yett.edge.tasks import spawn
from yett.identity.dpop import Seen
from yett.identity.issuer import Issuer, Source
from yett.identity.jws import KeySet, read_keys
from yett.model.route import Provider
from yett.ports import Clock, Outgoing, Upstream, UpstreamFailure
from yett.stages.identify_tokens import Once

MOST_BYTES = 256 * 1024  # of a document
SHORTEST, LONGEST, USUAL = 300.0, 86_400.0, 3600.0  # seconds between two fetches, whatever Cache-Control says
STALE = 86_400.0  # seconds for which keys are believed while their issuer cannot be asked
PAUSE = 30.0  # seconds between two attempts at one issuer
DEADLINE = 5.0  # seconds for one fetch, metadata included
_MAX_AGE = re.compile(rb"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])", re.IGNORECASE)
_WELL_KNOWN = re.compile(
    r"/\.well-known/[^/]+"
)  # behind the path of an issuer (OpenID Connect), or before it (RFC 8615)

log = logging.getLogger("yett")
Tell = Callable[[str, str], None]  # issuer, outcome: ok, failed


class Document(Protocol):
    """What was fetched, and when, wall seconds."""

    @property
    def fetched(self) -> float: ...

    @property
    def document(self) -> str: ...


class Shelf(Protocol):
    """Keeps what was last fetched from a source beyond the end of this process."""

    def find(self, source: str) -> Document | None: ...

    def keep(self, source: str, fetched: float, document: bytes) -> None:
        """Raises OSError, ValueError."""
        ...


class UnusableError(Exception):
    """What came is no set of keys, or nothing came; the message is for the operator."""


class _Held:
    """What is known of one source. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.keys: KeySet | None = None
        self.fetched = float("-inf")
        self.attempted = float("-inf")
        self.due = float("-inf")
        self.raw = b""
        self.trouble = ""
        self.asking: asyncio.Task[None] | None = None


class Issuers:
    """Implements stages.identify_tokens.Trust."""

    def __init__(
        self, upstream: Upstream, clock: Clock, tell: Tell, shelf: Shelf | None = None, seen: Once | None = None
    ) -> None:
        self.generation = 1
        self.seen: Once = seen or Seen()
        self._upstream = upstream
        self._clock = clock
        self._tell = tell
        self._shelf = shelf
        self._own: KeySet = ()
        self._held: dict[Source, _Held] = {}
        self._names: dict[Source, str] = {}

    def take_up(self, issuers: Iterable[Issuer]) -> None:
        """These are in force now. Keys of a source that stays are kept."""
        self._names = {issuer.source: issuer.name for issuer in issuers if issuer.credential != "task"}
        self._held = {source: self._held.get(source) or self._found(source) for source in self._names}
        self.generation += 1

    def take_own(self, keys: KeySet) -> None:
        """The keys that this gateway signs with itself."""
        if keys != self._own:
            self._own = keys
            self.generation += 1

    def keys(self, issuer: Issuer) -> KeySet | None:
        if issuer.credential == "task":
            return self._own
        held = self._held.get(issuer.source)
        if held is None or self._clock.monotonic() - held.fetched > STALE:
            return None
        return held.keys

    async def refresh(self, issuer: Issuer) -> None:
        held = self._held.get(issuer.source)
        if held is not None and (asking := self._ask(issuer.source, held)) is not None:
            await asyncio.shield(asking)  # whoever waits may go; the others wait on

    async def look(self, issuer: Issuer) -> KeySet:
        """Its keys as they are published now, for whoever asks why they are not to be had. Raises UnusableError."""
        return (await self._document(issuer.source))[2]

    async def renew(self) -> None:
        """To be called every few seconds: fetch what is due, without waiting for it."""
        now = self._clock.monotonic()
        for source, held in self._held.items():
            if held.due <= now:
                self._ask(source, held)

    def troubles(self) -> list[str]:
        """The issuers whose keys could not be fetched the last time, each with the reason."""
        return [
            f"issuer {self._names[source]}: {held.trouble}"
            for source, held in sorted(self._held.items(), key=lambda item: self._names[item[0]])
            if held.trouble
        ]

    # ---- the parts ------------------------------------------------------------------------------------------------

    def _found(self, source: Source) -> _Held:
        """What was fetched before this process began. A clock that went back cannot make it younger than it is."""
        held = _Held()
        kept = self._shelf.find(source.kept_as) if self._shelf is not None and source.provider is not None else None
        age = self._clock.now() - kept.fetched if kept is not None else -1.0
        if kept is not None and 0 <= age < STALE:
            with contextlib.suppress(ValueError):
                held.raw = kept.document.encode()
                held.keys = read_keys(held.raw)
                held.fetched = self._clock.monotonic() - age
        return held

    async def _keep(self, source: Source, raw: bytes) -> None:
        if self._shelf is None or source.provider is None:
            return
        try:
            await asyncio.to_thread(self._shelf.keep, source.kept_as, self._clock.now(), raw)
        except (OSError, ValueError) as error:  # they are good all the same
            fields = {"issuer": self._names.get(source, ""), "why": str(error)}
            log.warning("an issuer's keys cannot be kept for the next start", extra={"fields": fields})

    def _ask(self, source: Source, held: _Held) -> asyncio.Task[None] | None:
        """The attempt that is being made, or a new one; None when the last one was a moment ago."""
        if held.asking is not None and not held.asking.done():
            return held.asking
        now = self._clock.monotonic()
        if now - held.attempted < PAUSE:
            return None
        held.attempted = now
        held.asking = spawn(self._fetch(source, held), f"keys of issuer {self._names[source]}")
        return held.asking

    async def _fetch(self, source: Source, held: _Held) -> None:
        try:
            raw, seconds, keys = await self._document(source)
        except UnusableError as error:
            self._failed(source, held, str(error))
            return
        now = self._clock.monotonic()
        held.fetched, held.due, held.trouble = now, now + seconds, ""
        if raw != held.raw:
            held.raw, held.keys = raw, keys
            self.generation += 1
        self._tell(self._names.get(source, ""), "ok")
        await self._keep(source, raw)

    async def _document(self, source: Source) -> tuple[bytes, float, KeySet]:
        """What `_read` has read, and the keys in it. Raises UnusableError."""
        try:
            async with asyncio.timeout(DEADLINE):
                raw, seconds = await self._read(source)
            return raw, seconds, read_keys(raw)
        except (ValueError, TimeoutError) as error:
            raise UnusableError(str(error) or "took too long") from error

    def _failed(self, source: Source, held: _Held, why: str) -> None:
        held.due = self._clock.monotonic() + PAUSE
        if held.trouble != why:
            held.trouble = why
            fields = {"issuer": self._names.get(source, ""), "why": why}
            log.error("an issuer's keys cannot be fetched", extra={"fields": fields})
        self._tell(self._names.get(source, ""), "failed")

    async def _file(self, source: Source) -> tuple[bytes, float]:
        try:
            raw = await asyncio.to_thread(_content, Path(source.file))
        except OSError as error:
            raise UnusableError(f"{source.file} cannot be read: {error.strerror}") from error
        if len(raw) > MOST_BYTES:
            raise UnusableError(f"{source.file} is larger than {MOST_BYTES} bytes")
        return raw, PAUSE

    async def _read(self, source: Source) -> tuple[bytes, float]:
        """The document with the keys, and for how many seconds it need not be fetched again."""
        provider, url = source.provider, source.url
        if provider is None:
            return await self._file(source)
        if source.discovery:
            metadata, _ = await self._get(provider, url)
            url = _keys_of(metadata, url)
        return await self._get(provider, url)

    async def _get(self, provider: Provider, url: str) -> tuple[bytes, float]:
        parts = urlsplit(url)
        provider = replace(provider, base_url=f"{parts.scheme}://{parts.netloc}")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        outgoing = Outgoing(provider, "GET", path, ((b"accept", b"application/json"),), b"")
        try:
            exchange = await self._upstream.send(outgoing)
            body = await exchange.read(MOST_BYTES)
        except UpstreamFailure as error:
            raise UnusableError(f"{parts.netloc} cannot be asked: {error.outcome}") from error
        if exchange.status != 200:
            raise UnusableError(f"{parts.netloc} answered with status {exchange.status}")
        found = _MAX_AGE.search(exchange.header(b"cache-control"))
        return body, min(max(float(found[1]) if found else USUAL, SHORTEST), LONGEST)


class _Metadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, section 3; as much as is needed."""

    issuer: str
    jwks_uri: str


def _keys_of(metadata: bytes, url: str) -> str:
    """Where the metadata that stood at `url` say that the keys are. Raises UnusableError."""
    try:
        found = msgspec.json.decode(metadata, type=_Metadata)
    except (msgspec.DecodeError, RecursionError):
        raise UnusableError("its metadata do not say where its keys are") from None
    if found.issuer.rstrip("/") != _WELL_KNOWN.sub("", url, count=1):  # section 4.3: it must not speak for another
        raise UnusableError("its metadata are those of another issuer")
    trouble, host = check_url(found.jwks_uri.partition("?")[0], ("http", "https"))
    # Unencrypted on this machine only, and only for an issuer that is there itself: no other may have addresses of this machine asked.
    near = is_loopback(host) and url.startswith("http:")
    if trouble or (not found.jwks_uri.startswith("https:") and not near):
        raise UnusableError("its metadata give an address for its keys that cannot be trusted")
    return found.jwks_uri


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)
