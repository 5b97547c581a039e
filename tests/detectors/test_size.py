"""A segment is too large by its characters or by its tokens."""

from __future__ import annotations

import pytest

from yett.detectors.size import KIND, too_large
from yett.model.segment import Segment


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize(
    ("characters", "tokens", "over"),
    [(None, None, []), (5, None, [1, 2]), (9, None, []), (None, 2, [2]), (None, 1000, []), (9, 2, [2]), (8, 2, [1, 2])],
)
def test_what_is_over_a_limit(characters: int | None, tokens: int | None, over: list[int]) -> None:
    segments = [Segment("a", "user", 0), Segment("123456789", "tool", 1), Segment("a b c d", "user", 2)]
    found = list(too_large(segments, characters=characters, tokens=tokens, estimate=words))
    assert [finding.segment for finding in found] == over
    assert {finding.kind for finding in found} <= {KIND}
    assert all(finding.end == len(segments[finding.segment].text) for finding in found)
