"""A text that a pattern matches has a literal of each group that the pattern needs."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.injection.language import EDGE
from yett.detectors.injection.literals import in_words, needs, spoken
from yett.detectors.injection.rules import RULES

PATTERNS = [
    ("ignore", [{"ignore"}]),
    ("(?:ignore|forget)", [{"ignore", "forget"}]),
    ("(?:ignore|forget)[^a-z]+(?:all|the) rules", [{"ignore", "forget"}, {"all rules", "the rules"}]),
    ("rules?", [{"rule"}]),
    ("(?:the )?rules", [{"rules"}]),
    ("(?:[^a-z]+the)?rules", [{"rules"}]),
    ("(?:the )*rules", [{"rules"}]),
    ("(?:the ){0,3}rules", [{"rules"}]),
    ("(?:the ){2}rules", [{"the rules"}]),
    ("(?:the )+rules", [{"the rules"}]),
    # Words with their edges, unless they are long; how many spaces stand between two of them does not matter.
    (f"{EDGE}(?:act|be){EDGE}", [{" act ", " be "}]),
    (f"{EDGE}act{EDGE}+(?:an?{EDGE}+)?ai", [{" act ai", " act a ai", " act an ai"}]),
    (f"{EDGE}act{EDGE}+(?:[a-z]+{EDGE}+)?ai{EDGE}", [{" act "}, {" ai "}]),
    (f"{EDGE}act{EDGE}+(?:[a-z]+{EDGE}+)+ai{EDGE}", [{" act "}, {" ai "}]),
    (f"pre{EDGE}*prompt", [{"preprompt", "pre prompt"}]),
    (f"pre{EDGE}{{0,3}}prompt", [{"preprompt", "pre prompt"}]),
    (f"pre{EDGE}{{1,3}}prompt", [{"pre prompt"}]),
    (f"{EDGE}(?:disregard){EDGE}", [{"disregard"}]),
    (f"{EDGE}<ai>{EDGE}", [{"<ai>"}]),
    (f"a{EDGE}<b>", [{"a b "}]),
    ("colou?r[sz]e", [{"colorse", "colorze", "colourse", "colourze"}]),
    (r"a\.b\x41\n", [{"a.bA\n"}]),
    (r"key\s[\[(]b", [{"key"}, {"[b", "(b"}]),
    ("(rules)", [{"rules"}]),
    ("(?:rules[a-z]|[0-9]orders)x", [{"rules", "orders"}]),
    ("(?:rules|[0-9])x", []),
    ("[abc][def]", [{a + b for a in "abc" for b in "def"}]),
    (".*", []),
    ("a|b", []),
    ("(?:" + "|".join(f"w{n:03}" for n in range(200)) + ")x(?:" + "|".join(f"v{n:03}" for n in range(200)) + ")", [
        {f"w{n:03}" for n in range(200)}, {f"v{n:03}" for n in range(200)},
    ]),
    ("(?:" + "|".join(f"w{n:03}" for n in range(500)) + ")", [{f"w{n:03}" for n in range(500)}]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "groups"), PATTERNS)
def test_what_a_pattern_needs(pattern: str, groups: list[set[str]]) -> None:
    assert sorted(map(sorted, needs(pattern))) == sorted(map(sorted, groups))


ALL = sorted({pattern for rule in RULES for pattern in rule.patterns})


@pytest.mark.parametrize("pattern", ALL, ids=range(len(ALL)))
def test_every_rule_needs_something(pattern: str) -> None:
    assert needs(pattern)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ALL).flatmap(
        lambda pattern: st.tuples(st.just(pattern), st.from_regex(re.compile(pattern.encode()), fullmatch=True))
    )
)
def test_whatever_a_rule_matches_has_one_of_each(match: tuple[str, bytes]) -> None:
    pattern, data = match
    for group in needs(pattern):
        assert any(literal.encode("latin-1") in (spoken(data) if in_words(literal) else data) for literal in group)
