"""View: a text as it reads once a disguise is taken off, and where each part of it stands in the text that was given.

Views form a chain: the given text, that text without hidden characters, with its encoded parts decoded in place, and so on.
What is found in any of them is reported at its place in the first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

KEEP = (
    256  # characters kept on either side of what a rewriting changed: the context that patterns and rules may look at
)


class Piece(NamedTuple):
    """What begins at `at` in a view stands at source[start:end]. `how` names what changed it, empty for a copy.

    A piece as long as its source corresponds to it character by character; another one only as a whole.
    """

    at: int
    start: int
    end: int
    how: str


class View:
    """A text and its pieces, which are worked out when a place is asked for: most texts contain nothing."""

    __slots__ = ("_ats", "_make", "_pieces", "how", "source", "text")

    def __init__(
        self, text: str, source: View | None = None, how: str = "", make: Callable[[], Sequence[Piece]] = tuple
    ) -> None:
        self.text = text
        self.source = source
        self.how = how  # what most of it was changed by
        self._make = make
        self._pieces: Sequence[Piece] = ()
        self._ats: list[int] = []

    def origin(self, start: int, end: int) -> tuple[int, int, tuple[str, ...]]:
        """Where text[start:end], which is not empty, stands in the first of the chain, and what changed any of it on the way."""
        if self.source is None:
            return start, end, ()
        if not self._ats:
            self._pieces = self._make()
            self._ats = [piece.at for piece in self._pieces]
        first, last = bisect_right(self._ats, start) - 1, bisect_right(self._ats, end - 1) - 1
        how = self._change(first, last)
        left, right, before = self.source.origin(self._source(first, start)[0], self._source(last, end - 1)[1])
        return left, right, (*before, how) if how else before

    def _change(self, first: int, last: int) -> str:
        """What changed any of the pieces from `first` to `last`, or took away what stood between two of them; else nothing."""
        end = self._pieces[first].start
        for piece in self._pieces[first : last + 1]:
            if piece.how or piece.start != end:
                return piece.how or self.how
            end = piece.end
        return ""

    def _source(self, place: int, at: int) -> tuple[int, int]:
        """What one character came from."""
        piece = self._pieces[place]
        length = (self._ats[place + 1] if place + 1 < len(self._ats) else len(self.text)) - piece.at
        if length != piece.end - piece.start:
            return piece.start, piece.end
        return piece.start + at - piece.at, piece.start + at - piece.at + 1


class Rewriting:
    """A view in the making: parts of a text are replaced, left to right; of what lies between, what is far from any is left out."""

    __slots__ = ("_at", "_done", "_how", "_parts", "_pieces", "_source")

    def __init__(self, source: View) -> None:
        self._source = source
        self._parts: list[str] = []
        self._pieces: list[Piece] = []
        self._at = 0
        self._done = 0
        self._how = ""

    def put(self, start: int, end: int, text: str, how: str) -> None:
        """`text` stands for source[start:end], which is not empty and lies after all that was put before."""
        self._copy(start)
        self._append(text, start, end, how)
        self._done = end
        self._how = self._how or how

    @property
    def begun(self) -> bool:
        """Whether anything was put."""
        return self._done > 0

    def view(self) -> View | None:
        """The view, or None when nothing was put."""
        if not self._done:
            return None
        rest = min(self._done + KEEP, len(self._source.text))
        self._append(self._source.text[self._done : rest], self._done, rest, "")
        pieces = self._pieces
        return View("".join(self._parts), self._source, self._how, lambda: pieces)

    def _copy(self, end: int) -> None:
        """The text between what was put last and `end`, or its two ends when it is long."""
        start = self._done
        if not start:
            start = max(0, end - KEEP)
        elif end - start > 2 * KEEP:
            self._append(self._source.text[start : start + KEEP], start, start + KEEP, "")
            start = end - KEEP
        self._append(self._source.text[start:end], start, end, "")

    def _append(self, text: str, start: int, end: int, how: str) -> None:
        if text:
            self._parts.append(text)
            self._pieces.append(Piece(self._at, start, end, how))
            self._at += len(text)
