"""Gazetteer: which words are names of people, in some sixty languages, and which of them are ordinary words as well.

The file has a word and its marks on each line (`scripts/build_names.py` writes it). In memory a word is its checksum: half a
megabyte for eighty thousand words, at the price of one unknown word in fifty thousand that passes for a known one.
"""

from __future__ import annotations

import gzip
from array import array
from bisect import bisect_left
from functools import lru_cache
from importlib.resources import files
from zlib import crc32

from yett.detectors.people.fold import fold

FILE = "names.txt.gz"
GIVEN, SURNAME, WORD = 1, 2, 4
_MARKS = {"g": GIVEN, "s": SURNAME, "w": WORD}
_BITS = 3
_EAST = "\u3005"


class Gazetteer:
    """The marks of words; 0 for one that is not known."""

    __slots__ = ("_known", "east")

    def __init__(self, raw: bytes) -> None:
        known = []
        self.east: dict[str, int] = {}  # those of the scripts that put no spaces between words
        for line in gzip.decompress(raw).decode().splitlines():
            word, _, marks = line.partition("\t")
            bits = sum(_MARKS[mark] for mark in marks)
            if word >= _EAST:
                self.east[word] = bits
            else:
                known.append(crc32(word.encode()) << _BITS | bits)
        self._known = array("Q", sorted(known))

    def marks(self, word: str) -> int:
        """`word` as it is written; GIVEN, SURNAME and WORD, together."""
        key = crc32(fold(word).encode("utf-8", "surrogatepass")) << _BITS
        place = bisect_left(self._known, key)
        if place == len(self._known) or self._known[place] >> _BITS << _BITS != key:
            return 0
        return self._known[place] - key


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The one that is shipped: read once per process, when it is first needed, and shared by all threads."""
    return Gazetteer(files("yett").joinpath("data", FILE).read_bytes())
