"""What the injection model sees of a text: its words, each as three buckets, for itself, its beginning and its end.

Everything is an array operation over code points, so that the cost is a few microseconds per kB whatever the text is. The
text is lower-cased and every decimal digit is the same digit. Scripts that write without spaces (Han, kana) have one word
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
Codes = NDArray[np.uint32]
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
_SEEDS = tuple(np.uint64(seed * _BASE & _MASK) for seed in (0x1B87, 0x2545, 0x3C6E))


class Block(NamedTuple):
    """What is seen of a block: its code points as they are written, its words, and where among the code points each begins."""

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
    given = _codes(text[:BLOCK])
    codes = _codes(text[:BLOCK].lower())[:BLOCK]
    classes, folded = _tables()
    high = codes >= _PLANE
    plain = np.where(high, np.uint32(0), codes)
    kinds = np.where(high, np.uint8(_ALONE), classes[plain])
    values = np.where(high, codes, folded[plain]).astype(np.uint64)
    first, last = _borders(kinds)
    forward, backward = _powers()
    # Differences of prefix sums are the hashes of all words at once: no word is walked.
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * forward[: len(values)], out=sums[1:])
    scale = backward[first]
    ending = np.maximum(last - _END, first)
    hashes = np.stack(
        [
            (sums[last] - sums[first]) * scale,
            (sums[np.minimum(first + _BEGINNING, last)] - sums[first]) * scale,
            (sums[last] - sums[ending]) * backward[ending],
        ],
        axis=1,
    )
    hashes[last - first > _LONGEST] = 1
    mixed = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(_ODD) + np.array(_SEEDS)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_BASE)
    found = (mixed >> np.uint64(64 - BITS)).astype(np.int32)
    return Block(given if len(given) == len(codes) else codes, found, first)


def _codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _borders(kinds: NDArray[np.uint8]) -> tuple[Places, Places]:
    """Where each word begins, and where it ends."""
    edges = np.ones(len(kinds) + 1, bool)
    edges[1:-1] = (kinds[1:] != kinds[:-1]) | (kinds[1:] == _ALONE)
    borders = np.flatnonzero(edges)
    first, last = borders[:-1], borders[1:]
    inside = (kinds[first] == _WORD) | (kinds[first] == _ALONE)
    return first[inside], last[inside]


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
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
def _powers() -> tuple[Integers, Integers]:
    """The first powers of the base of the rolling hash, and of its inverse, modulo 2**64."""
    inverse = pow(_BASE, -1, 1 << 64)
    forward, backward = np.empty(BLOCK + 1, np.uint64), np.empty(BLOCK + 1, np.uint64)
    power = back = 1
    for place in range(BLOCK + 1):
        forward[place], backward[place] = power, back
        power, back = power * _BASE & _MASK, back * inverse & _MASK
    return forward, backward
