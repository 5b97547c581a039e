"""Novelty: how much of a sentence is said nowhere else in its text.

What somebody has put into a manual, a record or a page speaks of other things than they do; the manual's own orders speak of the
same. Words are compared by how they begin, so that inflections count as one, and the rarer a word, the more it counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yett.detectors.injection.features import Block, Places

Floats = NDArray[np.float32]

NOVEL = 4
BEGINNING = 1  # the column of a word's beginning
_SHIFT = np.uint32(16)
_NUMBER = np.uint32(0xFFFF)
_SCARCE = np.float32(1e-3)
_ENOUGH = 256.0  # words around a sentence: more of them do not say more


def novelty(block: Block, first: Places, rarity: Floats) -> Floats:
    """A row for each sentence that begins at the words `first`: which share of it is new, the same of the whole block, how rare
    its words are, and how many others there are. `rarity` is one number for each bucket, 0.0 to 1.0."""
    count, sentences = len(block.words), len(first)
    sizes = np.diff(first, append=count)
    numbers = np.repeat(np.arange(sentences, dtype=np.uint32), sizes)
    # Sorted by bucket, then by sentence: a bucket whose first and last sentence are the same is nowhere else.
    keys = np.sort((block.words[:, BEGINNING].astype(np.uint32) << _SHIFT) | numbers)
    buckets, numbers = keys >> _SHIFT, keys & _NUMBER
    begins = np.concatenate(([0], np.flatnonzero(buckets[1:] != buckets[:-1]) + 1))
    ends = np.append(begins[1:], count)
    alone = np.repeat(numbers[begins] == numbers[ends - 1], ends - begins)
    weights = rarity.take(buckets)
    total = np.bincount(numbers, weights, sentences)
    new = np.bincount(numbers, weights * alone, sentences)
    rows = np.empty((sentences, NOVEL), np.float32)
    rows[:, 0] = new / np.maximum(total, _SCARCE)
    rows[:, 1] = new.sum() / max(float(total.sum()), float(_SCARCE))
    rows[:, 2] = total / sizes
    rows[:, 3] = np.minimum(count - sizes, _ENOUGH) / _ENOUGH
    return rows
