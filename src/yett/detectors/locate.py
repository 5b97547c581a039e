"""Locate: findings as places that a person can look at: line, column, and an excerpt in which nothing secret can be read."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from msgspec import Struct

from yett.model.finding import Finding

BEFORE, SPAN, AFTER = 32, 64, 24  # characters of an excerpt: around the finding, and most of the finding itself
HIDDEN = "\u2022"
SHOWN = 2  # characters of a value that may be read at each of its ends, when it is long
LONG = 16
# What is found in these families is an instruction or a marking, and no use without being read; everything else is hidden.
READABLE = frozenset({"injection", "jailbreak", "label", "unicode", "topic", "code"})
_MANY_HIDDEN = re.compile(HIDDEN + "{9,}")


class Place(Struct, frozen=True):
    """A finding, and where it begins: line and column count from 1, in characters."""

    finding: Finding
    line: int
    column: int


class Excerpt(Struct, frozen=True):
    """One line of text around a finding, safe to print."""

    before: str
    span: str
    after: str


class Lines:
    """A text as lines, for places and excerpts of the findings in it."""

    def __init__(self, text: str, findings: Sequence[Finding]) -> None:
        self._text = text
        self._starts = [0, *_after_newlines(text)]
        self._hidden = _apart(sorted((f.start, f.end) for f in findings if f.family not in READABLE))

    def place(self, finding: Finding) -> Place:
        line = bisect_right(self._starts, finding.start)
        return Place(finding, line, finding.start - self._starts[line - 1] + 1)

    def line(self, place: Place) -> str:
        """The whole line that a finding begins on, as it is."""
        stop = self._starts[place.line] if place.line < len(self._starts) else len(self._text)
        return self._text[self._starts[place.line - 1] : stop]

    def excerpt(self, finding: Finding) -> Excerpt:
        """What stands around a finding, on its line."""
        line = bisect_right(self._starts, finding.start)
        begin = max(self._starts[line - 1], finding.start - BEFORE)
        stop = self._starts[line] - 1 if line < len(self._starts) else len(self._text)
        middle = min(finding.end, stop)
        veiled = self._veiled(begin, min(stop, middle + AFTER))
        span = veiled[finding.start - begin : middle - begin]
        if len(span) > SPAN and HIDDEN not in span:
            span = span[: SPAN - 1] + "\u2026"
        return Excerpt(
            _printable(veiled[: finding.start - begin]), _printable(span), _printable(veiled[middle - begin :])
        )

    def _veiled(self, begin: int, end: int) -> str:
        """The text from begin to end, with everything in it that was found hidden but for a few characters at its ends."""
        characters = list(self._text[begin:end])
        at = bisect_left(self._hidden, (end, 0))
        while at and self._hidden[at - 1][1] > begin:
            at -= 1
            start, stop = self._hidden[at]
            edge = SHOWN if stop - start >= LONG else 0
            for place in range(max(start + edge, begin), min(stop - edge, end)):
                characters[place - begin] = HIDDEN
        return "".join(characters)


def _apart(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted spans, those that overlap made one."""
    apart: list[tuple[int, int]] = []
    for start, end in spans:
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _printable(text: str) -> str:
    """Without what a terminal would obey, and with long stretches of hidden characters told short."""
    clean = "".join(c if c.isprintable() else " " if c == "\t" else "\N{MIDDLE DOT}" for c in text)
    return _MANY_HIDDEN.sub(HIDDEN * 8, clean)


def _after_newlines(text: str) -> Iterable[int]:
    at = text.find("\n")
    while at >= 0:
        yield at + 1
        at = text.find("\n", at + 1)
