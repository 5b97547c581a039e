"""Limits: how much work a file may be; and how its text is collected within them."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """Bytes, characters and counts of one file. A file that exceeds them is read as far as they reach, and says so."""

    inflated: int = 64 * 1024**2  # bytes that may come out of an archive
    entries: int = 4096  # files in an archive
    characters: int = 2_000_000
    pages: int = 500
    pixels: int = 50_000_000
    seconds: int = 10  # of processor time
    memory: int = 1024**3  # bytes of address space


class UnreadableError(Exception):
    """This is not the file that it claims to be, or one that is not read; the message is for the record."""


class Writer:
    """Collects text up to a limit. `full` says that it has been reached."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._pieces: list[str] = []
        self.full = False

    def add(self, text: str) -> None:
        if len(text) > self._left:
            text, self.full = text[: self._left], True
        self._left -= len(text)
        self._pieces.append(text)

    @property
    def text(self) -> str:
        return "".join(self._pieces)
