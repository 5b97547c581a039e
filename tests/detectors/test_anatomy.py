"""What is read off a pattern is true of everything that it matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.anatomy import Parts, parts, ungrouped, width
from yett.detectors.shelf import SHELF


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("a(b)c", Parts("a", "b", "c")),
        ("(?i:a|b)[(|](c|d){0}", Parts("(?i:a|b)[(|]", "c|d", "{0}")),
        (r"\(([)])", Parts(r"\(", "[)]", "")),
        ("a|(b)", None),
        ("a(?:b|(c))", None),
        ("abc", None),
        ("(?i)a(b)", None),
        ("(?P<n>b)", None),
        (r"\pN(b)", None),
        ("[[:alpha:]](b)", None),
    ],
)
def test_parts(pattern: str, expected: Parts | None) -> None:
    assert parts(pattern) == expected


def test_ungrouped() -> None:
    assert ungrouped(r"a(b)[(]\((?i:c)") == r"a(?:b)[(]\((?i:c)"


@pytest.mark.parametrize(
    ("pattern", "bytes_"),
    [
        ("", 0),
        ("a[bc]", 2),
        ("(?:ab|c){2}", None),
        ("(?:ab|cd){2}|x{4}", 4),
        (r"\x41\.\b", 2),
        ("a{1,2}", None),
        ("a+", None),
    ],
)
def test_width(pattern: str, bytes_: int | None) -> None:
    assert width(pattern) == bytes_


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_what_stands_before_the_group_is_as_wide_as_told(data: st.DataObject) -> None:
    left = parts(data.draw(st.sampled_from(SHELF)).pattern).left  # type: ignore[union-attr]
    text = data.draw(st.from_regex(re.compile(left.encode()), fullmatch=True))
    assert width(left) in {None, len(text)}
