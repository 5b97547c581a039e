"""Locate: findings as places in a file, for people and editors."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct

from yett.detectors.engine import Scanner


class Place(Struct, frozen=True):
    """Where something of `kind` was found: line and column count from 1, `length` is in characters. Never the text itself."""

    kind: str
    detector: str
    line: int
    column: int
    length: int


def locate(scanner: Scanner, text: str) -> tuple[Place, ...]:
    """Everything that the scanner finds in `text`, in order."""
    found = scanner.scan_text(text)
    if not found:
        return ()
    lines = [0, *_after_newlines(text)]
    places = []
    for finding in found:
        line = bisect_right(lines, finding.start)
        places.append(
            Place(
                kind=finding.kind,
                detector=finding.detector,
                line=line,
                column=finding.start - lines[line - 1] + 1,
                length=finding.end - finding.start,
            )
        )
    return tuple(places)


def _after_newlines(text: str) -> Iterable[int]:
    at = text.find("\n")
    while at >= 0:
        yield at + 1
        at = text.find("\n", at + 1)
