"""What the injection model sees of a text: its words, each as three buckets, for itself, its beginning and its end.

Everything is an array operation over code points, so that the cost is some tens of microseconds per kB whatever the text is; text
of ASCII alone takes a third of that, because it is folded and classified as bytes. The text is lower-cased and every decimal digit is the same digit. Scripts that write without spaces (Han, kana) have one word
per character. The beginning and the end of a word are what it shares with its inflections, and with words never seen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
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


def _ascii(text: str) -> Block:
    data = text.encode("ascii")
    folding, inside = _ascii_tables()
    kinds = np.frombuffer(b"\0" + data.translate(inside) + b"\0", np.uint8)
    borders = (kinds[1:] != kinds[:-1]).nonzero()[0]
    first, last = borders[::2], borders[1::2]
    values = np.frombuffer(data.translate(folding), np.uint8)
    return Block(np.frombuffer(data, np.uint8), _buckets(values, first, last), first)


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


@lru_cache(maxsize=1)
def _ascii_tables() -> tuple[bytes, bytes]:
    """For each byte of ASCII: what it is folded to, in lower case, and whether it is a part of words. (The rest is never asked.)"""
    classes, folded = _tables()
    lower = [ord(chr(code).lower()) for code in range(256)]
    return bytes(int(folded[code]) & 0xFF for code in lower), bytes(classes[:256] == _WORD)


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
