"""Size: segments that are longer than the operator allows any single one to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from yett.model.finding import Finding
from yett.model.segment import Segment

KIND = "limit.segment-size"


def too_large(
    segments: Sequence[Segment], *, characters: int | None, tokens: int | None, estimate: Callable[[str], int]
) -> Iterable[Finding]:
    """One finding, of the whole segment, for each that has more `characters` or, by the `estimate`, more `tokens`. None: any
    number of them."""
    for place, segment in enumerate(segments):
        length = len(segment.text)
        over = (characters is not None and length > characters) or (
            tokens is not None and length > tokens // 4 and estimate(segment.text) > tokens
        )
        if over:
            yield Finding(kind=KIND, segment=place, start=0, end=length, detector="segment-size")
