"""Size: segments that are longer than the operator allows any single one to be."""

from __future__ import annotations

from collections.abc import Iterable

from yett.model.finding import Finding
from yett.model.segment import Segment

KIND = "limit.segment-size"


class Size:
    """The most `characters` and, by the estimate below, `tokens` of one segment; None: any number of them."""

    def __init__(self, characters: int | None, tokens: int | None) -> None:
        self._characters = characters
        self._tokens = tokens

    def findings(self, segment: Segment, number: int) -> Iterable[Finding]:
        """One, of the whole segment, when it is too large."""
        length = len(segment.text)
        over = self._characters is not None and length > self._characters
        if over or (self._tokens is not None and length > self._tokens // 2 and tokens(segment.text) > self._tokens):
            yield Finding(kind=KIND, segment=number, start=0, end=length, detector="segment-size")


def tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few: a third of its ASCII characters and half of the other bytes, as a whole
    body is estimated before it is reserved for."""
    size = len(text.encode("utf-8", "surrogatepass"))
    ascii_only = len(text) if text.isascii() else sum(1 for character in text if character < "\x80")
    return ascii_only // 3 + (size - ascii_only) // 2 + 1
