"""What is read off a pattern is true of everything that it matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.anatomy import Parts, head, parts, ungrouped, width
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


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("(?i:password|pwd)[ ]{0,12}=", "(?i:passwo|pwd)"),
        ("(?i:(?:user|login)name)(?:a|b)", "(?i:(?:user|login)na)"),
        ("[^a-z](?:x{1,4}y)?key[a-z]{0,20}", "[^a-z](?:x{1,4}y)?key"),
        ("[a-z]{0,20}key", ""),  # a key may be far from where it begins
        ("(?:[a-z]{0,20}|k)ey", ""),
        ("k?e*y+long", ""),
        ("(?:ab){2,}cdefgh", ""),
        ("a", ""),
    ],
)
def test_head(pattern: str, expected: str) -> None:
    assert head(pattern) == expected


@given(st.data())
@settings(deadline=None, max_examples=100)
def test_a_match_begins_with_its_head(data: st.DataObject) -> None:
    left = parts(data.draw(st.sampled_from(SHELF)).pattern).left  # type: ignore[union-attr]
    text = data.draw(st.from_regex(re.compile(left.encode()), fullmatch=True))
    assert re.compile(head(left).encode()).match(text)
    assert width(left) in {None, len(text)}
