"""Texts as a sparse matrix, one row per window, with the very features that the gateway computes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from yett.detectors.injection.features import BITS, blocks, features, spans

WIDTH, STRIDE = 400, 200
LONGEST = 20_000  # code points of a text that count in training: one book must not be half of the data


class Windows(NamedTuple):
    """`rows` are scaled by 1 / sqrt(features in the window); `owners` is the text that each row is a window of."""

    rows: sparse.csr_matrix
    owners: NDArray[np.int64]
    texts: int

    def worst(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest of the windows' values for each text; very low where a text has no window."""
        best = np.full(self.texts, -1e3)
        np.maximum.at(best, self.owners, values)
        return best


def windows(texts: Sequence[str]) -> Windows:
    """All windows of all texts."""
    indices, values, ends, owners = [], [], [0], []
    for owner, text in enumerate(texts):
        for block in blocks(text[:LONGEST], WIDTH):
            found = features(block)
            places = np.concatenate(found.places)
            order = np.argsort(places, kind="stable")
            places, buckets = places[order], np.concatenate(found.buckets)[order].astype(np.int32)
            starts, stops = spans(found.length, WIDTH, STRIDE)
            for low, high in zip(np.searchsorted(places, starts), np.searchsorted(places, stops), strict=True):
                if low < high:
                    indices.append(buckets[low:high])
                    values.append(np.full(high - low, (high - low) ** -0.5, np.float32))
                    ends.append(ends[-1] + int(high - low))
                    owners.append(owner)
    rows = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(indices), np.array(ends)), shape=(len(owners), 1 << BITS)
    )
    return Windows(rows, np.array(owners), len(texts))
