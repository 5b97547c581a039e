"""Taint: whether a secret or personal value that entered a task leaves it by another door, also in disguise.

Of each value only keyed hashes are kept: of its letters and digits in lower case, forwards and backwards, rotated by 13, in
hexadecimal, percent-encoded, and in the three ways in which base64 can cut it. A text is searched by its letters and digits alone,
so spaces, dashes, quotes, line breaks and upper case make no difference. One pass finds where any hash of seven characters may
begin (numpy); the few places that remain are confirmed by HMAC-SHA-256.
"""

from __future__ import annotations

import codecs
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
from msgspec import Struct

LEAST = 7  # letters and digits of a value; a shorter one is everywhere
LONGEST = 512  # characters of a value that are looked for; of a longer one, its beginning
FORMS = 16_384  # kept for one task; when there are more, the oldest are forgotten
_BITS = 18
_OTHERS = re.compile(r"[\W_]+")
_ENCODED_LEAST = 10  # characters of an encoded form: a shorter one is too likely to be anything


class Entry(Struct, frozen=True, array_like=True):
    """One form of a value: its kind as it was found, its length in letters and digits, and its hash."""

    kind: str
    form: str  # plain | reversed | rot13 | hex | percent | base64
    length: int
    digest: bytes


class Tainted(Struct, frozen=True, gc=False):
    """A value of `kind` at `start` to `end` of the text, in a `form` that is not always the one in which it came."""

    kind: str
    form: str
    start: int
    end: int


class Taint:
    """The values of one task. The `key` is the process's or tenant's; without it the state says nothing about them."""

    __slots__ = ("_count", "_entries", "_key", "_powers", "_table")

    def __init__(self, key: bytes, state: bytes = b"") -> None:
        """`state` is what `dump` returned under the same key. Raises msgspec.DecodeError when it is something else."""
        self._key = hmac.digest(key, b"taint", "sha256")
        base = int.from_bytes(hmac.digest(self._key, b"base", "sha256")[:8], "little") | 1
        self._powers = np.array([pow(base, LEAST - 1 - i, 1 << 64) for i in range(LEAST)], dtype=np.uint64)
        self._entries: dict[int, list[Entry]] = {}  # by fingerprint of the first LEAST characters
        self._count = 0
        self._table: np.ndarray[Any, np.dtype[np.bool_]] | None = None
        if state:
            for mark, entry in msgspec.msgpack.decode(state, type=list[tuple[int, Entry]]):
                self._keep(mark, entry)

    def __repr__(self) -> str:
        return f"Taint({self._count} forms)"

    def __bool__(self) -> bool:
        return self._count > 0

    def dump(self) -> bytes:
        """Hashes only, for a later call of the same task."""
        entries = [(mark, entry) for mark, entries in self._entries.items() for entry in entries]
        return msgspec.msgpack.encode(entries)

    def enter(self, kind: str, value: str) -> None:
        """A value of this kind has come into the task."""
        for form, letters in _forms(value[:LONGEST]):
            if len(letters) >= (LEAST if form in {"plain", "reversed", "rot13"} else _ENCODED_LEAST):
                mark = int(self._marks(letters[:LEAST])[0])
                self._keep(mark, Entry(kind, form, len(letters), self._digest(letters)))

    def check(self, text: str) -> tuple[Tainted, ...]:
        """Every value that `text` contains, in order; of several at one place, the one that was entered first."""
        if not self._count:
            return ()
        letters = _letters(text)
        if len(letters) < LEAST:
            return ()
        found: list[Tainted] = []
        places: list[int] = []
        done = 0
        marks = self._marks(letters)
        for place in np.flatnonzero(self._known()[marks]).tolist():
            if place >= done and (entry := self._confirmed(letters, place, int(marks[place]))):
                places = places or [place for place, character in enumerate(text) if character.isalnum()]
                start, end = places[place], places[place + entry.length - 1] + 1
                if start and text[start - 1 : start + 1].isdigit() and entry.form == "plain":
                    continue  # a number within a longer number is another number
                done = place + entry.length
                found.append(Tainted(entry.kind, entry.form, start, end))
        return tuple(found)

    def _confirmed(self, letters: str, place: int, mark: int) -> Entry | None:
        digests: dict[int, bytes] = {}
        for entry in self._entries[mark]:
            part = letters[place : place + entry.length]
            if len(part) < entry.length:
                continue
            if entry.length not in digests:
                digests[entry.length] = self._digest(part)
            if hmac.compare_digest(digests[entry.length], entry.digest):
                return entry
        return None

    def _keep(self, mark: int, entry: Entry) -> None:
        entries = self._entries.setdefault(mark, [])
        if entry in entries:
            return
        entries.append(entry)
        self._count += 1
        self._table = None
        if self._count > FORMS:
            oldest = next(iter(self._entries))
            self._count -= len(self._entries.pop(oldest))

    def _known(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        if self._table is None:
            self._table = np.zeros(1 << _BITS, dtype=np.bool_)
            self._table[list(self._entries)] = True
        return self._table

    def _marks(self, letters: str) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """A fingerprint of _BITS bits of every LEAST characters: too short to say what they are, enough to pass most by."""
        codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
        windows = np.zeros(len(codes) - LEAST + 1, dtype=np.uint64)
        for offset, power in enumerate(self._powers):
            windows += codes[offset : offset + len(windows)] * power
        # The high bits depend on all characters, the low ones only on the low bits of each.
        marks: np.ndarray[Any, np.dtype[np.uint64]] = (windows * self._powers[0]) >> np.uint64(64 - _BITS)
        return marks

    def _digest(self, letters: str) -> bytes:
        return hmac.digest(self._key, letters.encode("utf-8", "surrogatepass"), "sha256")[:16]


class TaintedStream:
    """The same for text that arrives in pieces, one channel each: every value is reported with the piece that completes it. What
    was released before cannot be called back, but it is never the whole value."""

    __slots__ = ("_at", "_held", "_reported", "_taint")

    def __init__(self, taint: Taint) -> None:
        self._taint = taint
        self._held = ""  # what a value that is not complete may have begun in
        self._at = 0  # where `_held` begins in the stream
        self._reported = 0

    def feed(self, text: str) -> tuple[Tainted, ...]:
        """The values that this piece completes; offsets count from the beginning of the stream."""
        if not self._taint:
            return ()
        held = self._held + text
        found = tuple(
            msgspec.structs.replace(one, start=one.start + self._at, end=one.end + self._at)
            for one in self._taint.check(held)
        )
        new = tuple(one for one in found if one.end > self._reported)
        if new:
            self._reported = new[-1].end
        keep = min(len(held), 4 * LONGEST)
        self._at += len(held) - keep
        self._held = held[len(held) - keep :]
        return new


def _letters(text: str) -> str:
    """The letters and digits of a text, one lower-case character each."""
    # Only these two have a lower case that is longer than they are, or that depends on what stands beside them.
    return _OTHERS.sub("", text).replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")


def _forms(value: str) -> Iterable[tuple[str, str]]:
    """What a value looks like as letters and digits, in each of its disguises."""
    plain = _letters(value)
    yield "plain", plain
    yield "reversed", plain[::-1]
    if not plain.isdigit():
        yield "rot13", codecs.encode(plain, "rot13")
    written = {value, value.lower(), plain}
    for variant in sorted(written):
        data = variant.encode("utf-8", "surrogatepass")
        yield "hex", data.hex()
        for shift in range(3):
            # The first and last characters of base64 depend on the neighbours, too.
            whole = b64encode(b"\0" * shift + data).decode().rstrip("=")
            inner = whole[(0, 2, 3)[shift] : len(whole) - ((len(data) + shift) % 3 > 0)]
            yield "base64", _letters(inner)
    quoted = _letters(quote(value, safe="", errors="replace"))
    if quoted != plain:
        yield "percent", quoted
