"""The keys of issuers as they were last fetched, in the state folder: a gateway that starts while an issuer is away goes on with them.

One file for each address, with the address and the time in it. The keys are public; what counts is that nobody else can put others there, so
a file that somebody else owns or may write is not believed. How old they may be is for whoever asks to say.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from pathlib import Path

import msgspec
from msgspec import Struct

MOST_BYTES = 512 * 1024  # of a file


class Kept(Struct, frozen=True):
    """A document that was fetched from `source` at `fetched`, wall seconds."""

    source: str
    fetched: float
    document: str


class IssuerKeys:
    """A folder of them, which workers share: each writes what it has fetched itself, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, source: str) -> Kept | None:
        """None when there is none that can be believed. Raises nothing."""
        try:
            descriptor = os.open(self._path(source), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            about = os.fstat(descriptor)
            private = about.st_uid == os.geteuid() and not about.st_mode & 0o022
            if not stat.S_ISREG(about.st_mode) or not private or about.st_size > MOST_BYTES:
                return None
            kept = msgspec.json.decode(os.read(descriptor, MOST_BYTES), type=Kept)
        except (OSError, msgspec.DecodeError):
            return None
        finally:
            os.close(descriptor)
        return kept if kept.source == source else None

    def keep(self, source: str, fetched: float, document: bytes) -> None:
        """Raises OSError; ValueError when the document is no text."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(source)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        content = msgspec.json.encode(Kept(source, fetched, document.decode()))
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            fresh.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise

    def _path(self, source: str) -> Path:
        return self._folder / f"{hashlib.sha256(source.encode()).hexdigest()[:32]}.json"
