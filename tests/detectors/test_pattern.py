"""Patterns of operators: what is read, what is refused and why, and that what comes out means what went in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.expression import compiled
from yett.detectors.pattern import LEFT_MOST, MOST, Unreadable, literal, read


@pytest.mark.parametrize(
    ("pattern", "least", "most", "matches", "refuses"),
    [
        ("abc", 3, 3, ["abc"], ["abx", "ABC"]),
        (r"EMP-\d{6}", 10, 10, ["EMP-123456"], ["EMP-12345x"]),
        (r"[a-f0-9]{4,8}", 4, 8, ["dead", "0badcafe"], ["xyzw"]),
        (r"(?i:acme)_[A-Z_-]{2}", 7, 7, ["aCmE_A-"], ["acme_aa"]),
        (r"(?i:[x-z]{3})", 3, 3, ["xYZ"], ["abc"]),
        (r"(?:ab|cde)x?\w", 3, 5, ["abq", "cdex1"], ["ab"]),
        (r"a{3}?b{0,2}\.", 4, 6, ["aaa.", "aaabb."], ["aaab", "aaabbb"]),
        (r"\x41\-[\^\-a][b-]\+", 5, 5, ["A-^-+", "A--b+"], ["A-x-+"]),
        (r"one|three", 3, 5, ["one", "three"], ["two"]),
        (r"(abc|de\d)", 3, 3, ["abc", "de1"], ["de"]),
    ],
)
def test_what_is_read(pattern: str, least: int, most: int, matches: list[str], refuses: list[str]) -> None:
    found = read(pattern)
    assert (found.span.least, found.span.most, found.left.most) == (least, most, 0)
    engine = compiled(found.span.written)
    for text in [*matches, *refuses]:
        assert bool(engine.fullmatch(text.encode())) is bool(re.fullmatch(pattern, text)) is (text in matches)


def test_left_of_the_group_anything_may_stand() -> None:
    found = read(r"Projekt[ -](?:größe|[^a-z]|\S|\n)=.\s?(\w{3,9})")
    assert found.left.most == len("Projekt -größe".encode()) + 2
    left = compiled(found.left.written)
    for text in ("Projekt größe=x", "Projekt-A=é", "Projekt !=\t\t", "Projekt \n=x "):
        assert left.match(text.encode())
    assert not left.match(b"Projekt \0=x")  # nothing reaches over the end of a text
    assert not left.match(b"Projekt A=\0")


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "may match 0 characters"),
        ("a?bc", "may match 2 characters; at least 3"),
        ("[ab]{256}", "may match 256 characters; at most 255"),
        ("a{200}b{200}", "at most 255"),
        ("two words", "may match ' ', which no word consists of"),
        (r"\w{3}.", "may match any character"),
        ("äöü", "may match any character"),
        (r"a{41}(\w{3})", "may match 41 bytes left of its group; at most 40"),
        ("x" * (MOST + 1), "is longer than 1000 characters"),
        ("abc*", '"*" has no upper bound; write {1,64} (at character 4)'),
        ("abc+", '"+" has no upper bound'),
        ("a{3,}", "has no upper bound; write {3,64}"),
        ("a{3,2}", "bounds the wrong way round"),
        ("a{3}{4}", '"{" cannot stand here'),
        ("abc**", '"*" has no upper bound'),
        ("*abc", '"*" cannot stand here'),
        ("^abc", '"^" is not needed: words are matched whole (at character 1)'),
        ("abc$", '"$" is not needed'),
        (r"\babc", r'"\b" is not needed'),
        (r"\p{L}abc", r'"\p" is not known'),
        ("abc\\", '"\\" is not known'),
        ("(?=abc)", '"(" cannot stand here'),
        ("(?:abc", 'a ")" is missing'),
        ("(abc", 'a ")" is missing'),
        ("abc)", '")" closes nothing'),
        ("[abc", 'a "]" is missing'),
        ("[[:alpha:]]", 'for "[" between brackets'),
        (r"[\W]abc", "what is not meant cannot stand between brackets"),
        ("[é]abc", "only ASCII"),
        ("[z-a]bc", "is no range"),
        (r"[a-\d]bc", "is no range"),
        ("[]abc", "matches a NUL"),
        (r"ab\x00", "matches a NUL"),
        ("(a)(b)", "the group must end the pattern"),
        ("(abc)d", "the group must end the pattern"),
        ("x|(abc)", "not one of its alternatives"),
        ("(?:(abc))", "a group may stand only once"),
        ("((abc))", "a group may stand only once"),
        ("(?:" * 11 + "abc" + ")" * 11, "is nested too deeply"),
    ],
)
def test_what_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        read(pattern)
    assert reason in str(error.value)


def test_the_most_that_may_stand_left_of_a_group() -> None:
    assert read(f"a{{{LEFT_MOST}}}(abc)").left.most == LEFT_MOST


@given(st.text(alphabet=r"ab\d\w.[]^-(){}|?:i0123,x é" + "\0", max_size=30))
def test_whatever_is_read_compiles_and_is_bounded(pattern: str) -> None:
    try:
        found = read(pattern)
    except Unreadable:
        return
    engine = compiled(f"{found.left.written}({found.span.written})")
    assert engine.groups == 1
    match = engine.search(b"ab0123,x:-(){}|? ab\0" * 3)
    assert match is None or found.span.least <= len(match.group(1)) <= found.span.most


@given(st.text())
def test_a_literal_matches_itself(text: str) -> None:
    if text.isprintable():
        assert compiled(literal(text)).fullmatch(text.encode())
