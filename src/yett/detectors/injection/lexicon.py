"""Lexicon: the vector of each word, which is the sum of those of its buckets, and a memory of the words that texts share.

Nearly all words of a text have been in texts before it, and to look one up takes a small part of what hashing it and adding its
vectors up takes. What is remembered of a word is a hash that means nothing to another process, never the word: the words of
one caller are not kept in the memory of a gateway. The memory is bounded, and says the same as working it out anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yett.detectors.injection.features import COLUMNS, Words, bucket, words

REACH = 2  # words that a filter sees on each side of its own
MOST = 8192  # words that are remembered, about 300 bytes each
FEW = 12  # words that are sooner hashed one by one than all at once

Floats = NDArray[np.float32]


class Lexicon:
    """Shared by all threads: rows are only added, and where there are too many, to another dictionary.

    What it answers is a row for each word, with a one at its end that a filter's floor is multiplied with, and REACH rows of a
    word that is none before the first and behind the last.
    """

    def __init__(self, vectors: NDArray[Any]) -> None:
        """`vectors` is a row for each bucket."""
        self._vectors = vectors
        self._width = vectors.shape[1]
        self._edge = np.append(np.zeros(self._width, np.float32), np.float32(1.0)).tobytes() * REACH
        self._rows: dict[int, bytes] = {}

    def of(self, found: Words) -> Floats:
        """Of words by their buckets."""
        count = len(found)
        padded = np.zeros((count + 2 * REACH, self._width + 1), np.float32)
        padded[:, self._width] = 1.0
        vectors = self._vectors.take(found.T.ravel(), axis=0).reshape(COLUMNS, count, self._width)
        np.add.reduce(vectors, axis=0, dtype=np.float32, out=padded[REACH : REACH + count, : self._width])
        return padded

    def read(self, spoken: list[bytes]) -> Floats:
        """Of words as `spoken` says them."""
        try:
            rows = b"".join(map(self._rows.__getitem__, map(hash, spoken)))
        except KeyError:
            rows = self._learned(spoken)
        return np.frombuffer(b"%b%b%b" % (self._edge, rows, self._edge), np.float32).reshape(-1, self._width + 1)

    def _learned(self, spoken: list[bytes]) -> bytes:
        known = self._rows
        unknown = {name: word for word in spoken if (name := hash(word)) not in known}
        if len(unknown) > FEW:
            found = words(b" ".join(unknown.values()).decode("ascii"))
        else:
            found = np.array([bucket(word) for word in unknown.values()], np.int32)
        each = self.of(found)[REACH:-REACH]
        fresh = {name: row.tobytes() for name, row in zip(unknown, each, strict=True)}
        rows = b"".join([fresh.get(name) or known[name] for name in map(hash, spoken)])
        if len(known) + len(fresh) > MOST:
            self._rows = fresh
        else:
            known.update(fresh)
        return rows
