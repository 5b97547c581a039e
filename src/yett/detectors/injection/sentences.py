"""Sentences: where each begins among the words of a block, and how it is written.

A sentence is what could stand alone as an order: a sentence of prose, a line, a string of JSON, a cell of a table. What is
shorter than FEWEST words goes with what follows it (the key of a JSON string with the string), and what is longer than MOST
is taken in parts, so that punctuation can neither hide an order nor blow up the work.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from yett.detectors.injection.features import Block, Places

Floats = NDArray[np.float32]

FEWEST = 4  # words
MOST = 40
_OTHER, _HARD, _SOFT, _QUOTE, _JOINT, _SPACE = range(6)
_MARKS = {
    _HARD: "\n\r\t\u3002\uff01\uff1f\uff1b\u061f\u0964\u0965|",
    _SOFT: ".!?\u2026",
    _QUOTE: '"',
    _JOINT: ",:[]{}",
    _SPACE: " ",
}

# How a sentence is written: the share of each class of characters, of capitals and of what is beyond ASCII, its length, its place.
_STYLES = (
    "0123456789",
    "\n\t\r",
    "{}[]()",
    "<>",
    "\"'`\u201c\u201d\u2018\u2019",
    "/\\",
    "=;|_$#*+~^&%-",
    "@",
    "?\uff1f\u061f",
    "!\uff01",
    ":",
    ".,",
)
_COUNTED = len(_STYLES) + 2
SHAPE = _COUNTED + 4
_TABLE = 0x10000
_LOUD = 8.0  # a twentieth of a sentence in question marks says as much as all of it


def starts(block: Block) -> Places:
    """The first word of each sentence of a block with at least one word."""
    around = np.full(len(block.codes) + 3, _JOINT, np.uint8)  # two before it, one after it
    around[-1] = _SPACE
    marks, after = around[2:-1], around[3:]
    _tables()[0].take(block.codes, out=marks, mode="clip")
    joint, space, quote = around == _JOINT, around == _SPACE, around == _QUOTE
    hard = marks == _HARD
    soft = (marks == _SOFT) & (space[3:] | quote[3:] | (after == _HARD))
    joined = joint[3:] | joint[1:-2] | (space[1:-2] & joint[:-3])
    ends = hard | soft | (quote[2:-1] & joined)
    number = np.cumsum(ends)[block.first]
    found = [0]
    for start in np.flatnonzero(number[1:] != number[:-1]).tolist():
        if start + 1 - found[-1] >= FEWEST:
            found.append(start + 1)
    count = len(block.first)
    if len(found) > 1 and count - found[-1] < FEWEST:
        found.pop()
    if max(b - a for a, b in zip(found, [*found[1:], count], strict=True)) > MOST:
        found = [part for a, b in zip(found, [*found[1:], count], strict=True) for part in range(a, b, MOST)]
    return np.array(found)


def shapes(block: Block, first: Places) -> Floats:
    """How the sentences that begin at the words `first` are written: a row of SHAPE numbers for each."""
    places = block.first[first]
    places[0] = 0
    sizes = np.diff(places, append=len(block.codes))
    # One count for all: each character is one of its sentence and its style.
    styles = _tables()[1].take(block.codes, mode="clip") + np.repeat(np.arange(0, len(first) * SHAPE, SHAPE), sizes)
    shape = np.bincount(styles, minlength=len(first) * SHAPE).reshape(-1, SHAPE).astype(np.float32)
    shape[:, :_COUNTED] = shape[:, 1 : _COUNTED + 1] * (_LOUD / sizes.astype(np.float32))[:, None]
    shape[:, _COUNTED:] = 0.0
    np.minimum(shape, 1.0, out=shape)
    lengths = np.diff(first, append=len(block.first))
    shape[:, -4] = np.log2(lengths) / 6
    shape[:, -3] = lengths / len(block.first)
    shape[0, -2] = shape[-1, -1] = 1.0
    return shape


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """For each code point of the basic plane: what it does to sentences, and its style."""
    marks, styles = np.zeros(_TABLE, np.uint8), np.zeros(_TABLE, np.uint8)
    for mark, characters in _MARKS.items():
        marks[[ord(character) for character in characters]] = mark
    styles[0x80:] = len(_STYLES) + 2
    styles[ord("A") : ord("Z") + 1] = len(_STYLES) + 1
    for style, characters in enumerate(_STYLES, 1):
        styles[[ord(character) for character in characters]] = style
    return marks, styles
