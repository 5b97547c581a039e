"""What the injection model sees of a text: hashes of its words, word pairs, word triples and character runs.

Everything is an array operation over code points, so that the cost is a few microseconds per kB whatever the text is. The
text is lower-cased, runs of white space are one space, every decimal digit is the same digit. Scripts that write without
spaces (Han, kana) have one word per character, so that pairs and triples of words mean something there too.
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

BITS = 18  # a bucket is the top BITS of a 64-bit hash
BLOCK = 4096  # code points whose features are taken at once: bounds the memory that a long text takes
RUNS = (3, 5)  # lengths of the character runs, in code points

_SPACE, _WORD, _ALONE, _MARK = 0, 1, 2, 3
_PLANE = 0x10000
_LONGEST = 24  # a longer word is a key, a hash or a blob: which one says nothing
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: Knuth's multiplicative hashing
_BASE = 0xD6E8FEB86659FD93
_MASK = (1 << 64) - 1
# Kinds of features start from different values, so that the pair "a b" and the word "ab" are different buckets.
_SEEDS = {"word": 0x1B873593, "pair": 0x2545F491, "triple": 0x3C6EF372, "skip": 0x510E527F, "run": 0x5BE0CD19}


class Features(NamedTuple):
    """One array per kind of feature: the bucket of each, and the code point (after folding) at which it begins."""

    length: int  # code points after folding
    buckets: tuple[NDArray[np.intp], ...]
    places: tuple[Places, ...]


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
    forward, backward = np.empty(BLOCK, np.uint64), np.empty(BLOCK, np.uint64)
    power = back = 1
    for place in range(BLOCK):
        forward[place], backward[place] = power, back
        power, back = power * _BASE & _MASK, back * inverse & _MASK
    return forward, backward


def blocks(text: str, overlap: int) -> Iterator[str]:
    """A text in pieces of at most BLOCK code points, each of which repeats the last `overlap` of the one before."""
    for start in range(0, max(1, len(text) - overlap), BLOCK - overlap):
        yield text[start : start + BLOCK]


def spans(length: int, width: int, stride: int) -> tuple[Places, Places]:
    """Where the windows over a block begin and end: every place is in one, and none is shorter than it must be."""
    starts = np.arange(0, max(1, length - width + stride), stride)
    return starts, np.minimum(starts + width, length)


def features(text: str) -> Features:
    """The features of a text of at most BLOCK code points; of a longer one, those of its beginning."""
    codes = np.frombuffer(text[:BLOCK].lower().encode("utf-32-le", "surrogatepass"), "<u4")[:BLOCK]
    classes, folded = _tables()
    plain = np.minimum(codes, _PLANE - 1)
    kinds = np.where(codes < _PLANE, classes[plain], np.uint8(_ALONE))
    values = np.where(codes < _PLANE, folded[plain], codes)
    keep = np.ones(len(codes), bool)
    keep[1:] = (kinds[1:] != _SPACE) | (kinds[:-1] != _SPACE)
    kinds, values = kinds[keep], values[keep].astype(np.uint64)
    starts, words = _words(kinds, values)
    buckets, places = [_bucket(words, "word")], [starts]
    mixed = words * np.uint64(_ODD)
    for kind, gap, more in (("pair", 1, 0), ("skip", 2, 0), ("triple", 1, 2)):
        far = max(gap, more)
        hashes = mixed[:-far] * np.uint64(_BASE) + words[gap : len(words) - far + gap]
        if more:
            hashes = hashes * np.uint64(_BASE) + words[more:]
        buckets.append(_bucket(hashes, kind))
        places.append(starts[: len(hashes)])
    hashes = values
    for size in range(2, max(RUNS) + 1):
        hashes = hashes[:-1] * np.uint64(_BASE) + values[size - 1 :]
        if size in RUNS:
            buckets.append(_bucket(hashes + np.uint64(size), "run"))
            places.append(np.arange(len(hashes)))
    return Features(len(values), tuple(buckets), tuple(places))


def _words(kinds: NDArray[np.uint8], values: Integers) -> tuple[Places, Integers]:
    """Where each word begins, and its hash: a difference of prefix sums, so that no word is walked."""
    inside = (kinds == _WORD) | (kinds == _ALONE)
    edges = np.ones(len(kinds) + 1, bool)
    edges[1:-1] = (kinds[1:] != kinds[:-1]) | (kinds[1:] == _ALONE)
    borders = np.flatnonzero(edges)
    first, last = borders[:-1], borders[1:]
    chosen = inside[first]
    first, last = first[chosen], last[chosen]
    forward, backward = _powers()
    sums = np.zeros(len(values) + 1, np.uint64)
    np.cumsum(values * forward[: len(values)], out=sums[1:])
    hashes = (sums[last] - sums[first]) * backward[first]
    return first, np.where(last - first > _LONGEST, np.uint64(1), hashes)


def _bucket(hashes: Integers, kind: str) -> NDArray[np.intp]:
    mixed = (hashes ^ (hashes >> np.uint64(32))) * np.uint64(_ODD) + np.uint64(_SEEDS[kind] * _BASE & _MASK)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(_BASE)
    return (mixed >> np.uint64(64 - BITS)).astype(np.intp)
