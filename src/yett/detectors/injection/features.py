"""What the injection model sees of a text: its words, each as three buckets, for itself, its beginning and its end.

Everything is an array operation over code points, so that the cost is some tens of microseconds per kB whatever the text is; text
of ASCII alone takes a third of that, because it is folded and classified as bytes. The text is lower-cased and every decimal digit is the same digit. Scripts that write without spaces (Han, kana) have one word
per character. The beginning and the end of a word are what it shares with its inflections, and with words never seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.uint64]
Places = NDArray[np.int64]
Codes = NDArray[np.uint32] | NDArray[np.uint8]
Kinds = NDArray[np.uint8]
Words = NDArray[np.int32]  # one row per word, one column per bucket

BITS = 16  # a bucket is the top BITS of a 64-bit hash
COLUMNS = 3
BLOCK = 8192  # code points that are taken at once: bounds the memory that a long text takes
OVERLAP = 512  # code points that a block repeats, so that what a border cuts stands whole in the next block

_SPACE, _WORD, _ALONE, _MARK = 0, 1, 2, 3
_PLANE = 0x10000
_BEGINNING, _END = 4, 3
_LONGEST = 24  # a longer word is a key, a hash or a blob: which one says nothing
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: Knuth's multiplicative hashing
_BASE = 0xD6E8FEB86659FD93
_MASK = (1 << 64) - 1
# The columns start from different values, so that the word "the" and the beginning "the" are different buckets.
_SEEDS = np.array([[seed * _BASE & _MASK] for seed in (0x1B87, 0x2545, 0x3C6E)], np.uint64)
_POWERS = [pow(_BASE, place, 1 << 64) for place in range(_LONGEST)]
_NO_WORDS = np.empty((0, COLUMNS), np.int32)
_MIXING = tuple(map(np.uint64, (32, _ODD, 29, _BASE, 64 - BITS)))


class Block(NamedTuple):
    """What is seen of a block: its code points as they are written (bytes, when they are ASCII), its words, and where among the
    code points each begins."""

    codes: Codes
    words: Words
    first: Places


def blocks(text: str) -> Iterator[str]:
    """A text in pieces of at most BLOCK code points, each of which repeats the last OVERLAP of the one before."""
    for start in range(0, max(1, len(text) - OVERLAP), BLOCK - OVERLAP):
        yield text[start : start + BLOCK]


def words(text: str) -> Words:
    """The words of a text of at most BLOCK code points; of a longer one, those of its beginning."""
    return seen(text).words


def seen(text: str) -> Block:
    """A text of at most BLOCK code points; of a longer one, its beginning."""
    text = text[:BLOCK]
    return _ascii(text) if text.isascii() else _any(text)


def spoken(text: str) -> list[bytes]:
    """The words of a text of ASCII, of at most BLOCK characters, as they are hashed: in lower case, a digit as any other."""
    return text.encode("ascii").translate(_ascii_tables().words).split()


def places(text: str) -> Block:
    """A text of ASCII, of at most BLOCK characters, and where its words are, but not which."""
    data = text.encode("ascii")
    return Block(np.frombuffer(data, np.uint8), _NO_WORDS, _ascii_borders(data)[::2])


def bucket(word: bytes) -> tuple[int, ...]:
    """The buckets of one word as `spoken` says it, in plain Python: sooner done than by arrays where words are few."""
    parts = (word, word[:_BEGINNING], word[-_END:])
    if len(word) > _LONGEST:
        return tuple(_mixed(1, int(seed)) for (seed,) in _SEEDS)
    return tuple(_mixed(_hashed(part), int(seed)) for part, (seed,) in zip(parts, _SEEDS, strict=True))


def _hashed(part: bytes) -> int:
    value: int = sum(map(mul, part, _POWERS))
    return value & _MASK


def _mixed(value: int, seed: int) -> int:
    value = ((value ^ value >> 32) * _ODD + seed) & _MASK
    return ((value ^ value >> 29) * _BASE & _MASK) >> 64 - BITS


def _ascii(text: str) -> Block:
    data = text.encode("ascii")
    borders = _ascii_borders(data)
    first, last = borders[::2], borders[1::2]
    values = np.frombuffer(data.translate(_ascii_tables().folding), np.uint8)
    return Block(np.frombuffer(data, np.uint8), _buckets(values, first, last), first)


def _ascii_borders(data: bytes) -> Places:
    """Where words begin and end, in turn."""
    kinds = np.frombuffer(b"\0" + data.translate(_ascii_tables().inside) + b"\0", np.uint8)
    borders: Places = (kinds[1:] != kinds[:-1]).nonzero()[0]
    return borders


def _any(text: str) -> Block:
    given = _codes(text)
    codes = _codes(text.lower())[:BLOCK]
    classes, folded = _tables()
    high = codes >= _PLANE
    plain = np.where(high, np.uint32(0), codes)
    kinds = np.where(high, np.uint8(_ALONE), classes[plain])
    values = np.where(high, codes, folded[plain])
    first, last = _borders(kinds)
    return Block(given if len(given) == len(codes) else codes, _buckets(values, first, last), first)


def _buckets(values: Codes, first: Places, last: Places) -> Words:
    """The buckets of the words values[first:last]."""
    count = len(values)
    forward, backward = _powers()
    # Differences of prefix sums are the hashes of all words at once: no word is walked.
    sums = np.zeros(count + 1, np.uint64)
    np.multiply(values, forward[:count], out=sums[1:])
    np.add.accumulate(sums[1:], out=sums[1:])
    ending = np.maximum(last - _END, first)
    start, stop = sums.take(first), sums.take(last)
    hashes = np.empty((COLUMNS, len(first)), np.uint64)
    np.subtract(stop, start, out=hashes[0])
    np.subtract(sums.take(np.minimum(first + _BEGINNING, last)), start, out=hashes[1])
    hashes[:2] *= backward.take(first)
    np.subtract(stop, sums.take(ending), out=hashes[2])
    hashes[2] *= backward.take(ending)
    hashes[:, last - first > _LONGEST] = 1
    half, odd, most, base, rest = _MIXING
    hashes ^= hashes >> half
    hashes *= odd
    hashes += _SEEDS
    hashes ^= hashes >> most
    hashes *= base
    hashes >>= rest
    return hashes.astype(np.int32).T


def _codes(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _borders(kinds: Kinds) -> tuple[Places, Places]:
    """Where each word begins, and where it ends."""
    edges = np.ones(len(kinds) + 1, bool)
    edges[1:-1] = (kinds[1:] != kinds[:-1]) | (kinds[1:] == _ALONE)
    borders = np.flatnonzero(edges)
    first, last = borders[:-1], borders[1:]
    inside = (kinds[first] == _WORD) | (kinds[first] == _ALONE)
    return first[inside], last[inside]


@lru_cache(maxsize=1)
def _tables() -> tuple[Kinds, NDArray[np.uint32]]:
    """For each code point of the basic plane: its class, and what it is folded to."""
    classes = np.full(_PLANE, _MARK, np.uint8)
    folded = np.arange(_PLANE, dtype=np.uint32)
    for code in range(_PLANE):
        category = unicodedata.category(chr(code))
        if category[0] in "ZC" and category not in {"Cn", "Co"}:
            classes[code], folded[code] = _SPACE, 32
        elif category == "Nd":
            classes[code], folded[code] = _WORD, 48
        elif category == "Lo" and (0x2E80 <= code < 0xA000 or 0xF900 <= code < 0xFB00):
            classes[code] = _ALONE
        elif category[0] in "LMN":
            classes[code] = _WORD
    return classes, folded


class _Ascii(NamedTuple):
    """For each byte of ASCII (the rest is never asked): what it is folded to, in lower case; whether it is a part of words; and what
    it is folded to when it is one, else a space."""

    folding: bytes
    inside: bytes
    words: bytes


@lru_cache(maxsize=1)
def _ascii_tables() -> _Ascii:
    classes, folded = _tables()
    folding = bytes(int(folded[ord(chr(code).lower())]) & 0xFF for code in range(256))
    inside = bytes(classes[:256] == _WORD)
    return _Ascii(folding, inside, bytes(code if part else 0x20 for code, part in zip(folding, inside, strict=True)))


@lru_cache(maxsize=1)
def _powers() -> tuple[Integers, Integers]:
    """The first powers of the base of the rolling hash, and of its inverse, modulo 2**64."""
    inverse = pow(_BASE, -1, 1 << 64)
    forward, backward = np.empty(BLOCK + 1, np.uint64), np.empty(BLOCK + 1, np.uint64)
    power = back = 1
    for place in range(BLOCK + 1):
        forward[place], backward[place] = power, back
        power, back = power * _BASE & _MASK, back * inverse & _MASK
    return forward, backward
