"""A group's place that is worked out from the match's is the one that RE2 tells."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.expression import Expression, check, compiled
from yett.detectors.shelf import SHELF


@pytest.mark.parametrize(
    "pattern",
    [
        "[^a-z](abc)[^a-z]",
        "(abc)[^a-z]",
        "(a|abc)[^a-z]",
        "[^]a](a[b-d)]{1,9}\\))[]x]",
        "[^a-z]((?:a|b)(?:b|c)?c?)[^a-z]",
        "(?:x)(ab)(?:c)[^a]",
        "x(abc)[^a-z]",
        "[^a-z](ab)(?:c)[^a-z]",
        "[^a-z](abc)",
        "[a-c](?:x|(b+))[^a]",
        "a?(ab)c",
        "[ab]{0,2}(b+)",
        "x(a)(?:b|bc)",
        "(?:xa|bc)x{0,9}(b{1,3}|c)[^a]",
    ],
)
@given(text=st.text("abcx) ]", max_size=12))
@settings(deadline=None, max_examples=60)
def test_spans_are_those_of_the_group(pattern: str, text: str) -> None:
    data = text.encode()
    expression, plain = Expression(pattern), compiled(pattern)
    for at in range(len(data)):
        for end in (len(data), len(data) - 1):
            found = plain.search(data[:end], at)
            assert expression.search(data, at, end) == (found and (found.start(), *found.span(1)))
        found = plain.match(data, at)
        assert expression.match(data, at, len(data)) == (found and (found.start(), *found.span(1)))


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_on_the_shelf_too(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(SHELF)).pattern
    text = data.draw(st.from_regex(re.compile(pattern.encode()), fullmatch=True)) + b" "
    found = compiled(pattern).search(text)
    assert Expression(pattern).search(text, 0, len(text)) == (found.start(), *found.span(1))


@pytest.mark.parametrize("pattern", ["none", "[x](a(b))[y]", "(a)(b)"])
def test_a_pattern_has_exactly_one_group(pattern: str) -> None:
    with pytest.raises(ValueError, match="exactly one group"):
        check(pattern)
    check("(one)")
