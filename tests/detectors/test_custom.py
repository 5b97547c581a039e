"""Detectors as operators describe them: context, checks, and that streams see what whole texts show."""

from __future__ import annotations

import pytest

from yett.detectors.custom import KEYWORD, STDNUM, VALIDATORS, WITHIN, Custom, detector
from yett.detectors.detector import LEFT
from yett.detectors.engine import Portable, Scanner
from yett.detectors.pattern import LEFT_MOST, Unreadable
from yett.detectors.window import Window

BADGE = Custom("badge", "pii.badge", r"[A-Z]\d{5}", keywords=("badge", "Größe", "staff no."), within=20)


def spans(custom: Custom, text: str) -> list[str]:
    answers = [
        [text[f.start : f.end] for f in Scanner([detector(custom)], automaton).scan_text(text)]
        for automaton in (None, Portable)
    ]
    assert answers[0] == answers[1]
    return answers[0]


def test_a_word_is_matched_whole() -> None:
    plain = Custom("employee", "pii.employee", r"EMP-\d{4}")
    assert spans(plain, "EMP-1234, xEMP-1234 EMP-12345 (EMP-9999)") == ["EMP-1234", "EMP-9999"]
    assert spans(plain, "EMP-1234") == ["EMP-1234"]


def test_what_stands_left_of_the_group_is_not_part_of_it() -> None:
    assert spans(
        Custom("zeus", "secret.project", r"(?i:project)[ -](Zeus|Hera)"), "the PROJECT Zeus, project-Ares"
    ) == ["Zeus"]


def test_a_keyword_has_to_stand_before() -> None:
    assert spans(BADGE, "Badge number A12345") == ["A12345"]
    assert spans(BADGE, "badge:A12345") == ["A12345"]
    assert spans(BADGE, "GRÖSSE A12345, größe: B12345") == ["A12345", "B12345"]
    assert spans(BADGE, "staff no. A12345") == ["A12345"]
    assert spans(BADGE, "staff nox A12345") == []
    assert spans(BADGE, "A12345 is a badge") == []
    assert spans(BADGE, "badge" + " " * 19 + "A12345") == ["A12345"]
    assert spans(BADGE, "badge" + " " * 22 + "A12345") == []
    assert spans(BADGE, "rebadge A12345") == []


def test_a_keyword_does_not_reach_into_another_text() -> None:
    scanner = Scanner([detector(BADGE)])
    assert not scanner.clean(b"\0\nbadge A12345\0\n")
    assert scanner.clean(b"\0\nbadge\0\nA12345\0\n")


def test_a_check_decides() -> None:
    card = Custom("loyalty", "pii.loyalty", r"\d{16}", validator="luhn")
    assert spans(card, "4111111111111111 4111111111111112") == ["4111111111111111"]
    assert spans(
        Custom("k", "secret.k", r"\w{20}", validator="entropy"), "aaaaaaaaaaaaaaaaaaaa Zk3qT9vLw2Xr7NbYc5Md"
    ) == ["Zk3qT9vLw2Xr7NbYc5Md"]


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_every_check_exists_and_refuses_nonsense(name: str) -> None:
    accept = detector(Custom("x", "pii.x", r"\w{5}", validator=name)).accept
    assert accept is not None
    assert accept("-----") == 0
    assert name in STDNUM or name in {"entropy", "varied"}


def test_a_pattern_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(Unreadable, match="no upper bound"):
        detector(Custom("x", "pii.x", r"\d+"))


def test_the_longest_context_stays_within_what_streams_keep() -> None:
    assert 2 + KEYWORD + WITHIN + LEFT_MOST < LEFT


@pytest.mark.parametrize("custom", [BADGE, Custom("zeus", "secret.project", r"(?i:project)[ -]{1,3}(Zeus\d?)")])
def test_a_stream_shows_the_same_however_it_is_cut(custom: Custom) -> None:
    scanner = Scanner([detector(custom)])
    text = "project  Zeus7 and the badge A12345, a badge B1234 project-Zeus"
    whole = [(f.start, f.end) for f in scanner.scan_text(text)]
    assert whole
    for first in range(len(text)):
        for second in range(first, len(text)):
            window, at, found = Window(scanner), 0, []
            for released in (
                *map(window.feed, (text[:first], text[first:second], text[second:])),
                window.finish(),
            ):
                found += [(f.start + at, f.end + at) for f in released.findings]
                at += len(released.text)
            assert (found, at) == (whole, len(text))
