"""A segment is too large by its characters or by its tokens."""

from __future__ import annotations

import pytest

from yett.detectors.size import KIND, Size, tokens
from yett.model.segment import Segment


@pytest.mark.parametrize(
    ("characters", "most", "over"),
    [(None, None, []), (5, None, [1, 2]), (9, None, []), (None, 4, [2]), (None, 1000, []), (9, 4, [2]), (8, 4, [1, 2])],
)
def test_what_is_over_a_limit(characters: int | None, most: int | None, over: list[int]) -> None:
    segments = [Segment("a", "user", 0), Segment("123456789", "tool", 1), Segment("日本語テキスト!", "user", 2)]
    size = Size(characters, most)
    found = [finding for number, segment in enumerate(segments) for finding in size.findings(segment, number)]
    assert [finding.segment for finding in found] == over
    assert {finding.kind for finding in found} <= {KIND}
    assert all(finding.end == len(segments[finding.segment].text) for finding in found)


@pytest.mark.parametrize(("text", "count"), [("", 1), ("abcdef", 3), ("привет", 7), ("日本", 4), ("a日\ud83d", 4)])
def test_tokens_are_estimated_from_bytes(text: str, count: int) -> None:
    assert tokens(text) == count
