"""Everything else that identifies a person: found where it should be, and not where it only looks so."""

from __future__ import annotations

import pytest
from tests.detectors.pii.examples import CLEAN, NATIONAL, OTHERS
from tests.detectors.test_window import agree

from yett.detectors.engine import Portable, Scanner
from yett.detectors.pii import PII


@pytest.fixture(scope="module")
def personal() -> Scanner:
    return Scanner(PII)


@pytest.mark.parametrize(("before", "kind", "span", "after"), OTHERS)
def test_finds(personal: Scanner, before: str, kind: str, span: str, after: str) -> None:
    text = before + span + after
    assert [(found.kind, text[found.start : found.end]) for found in personal.scan_text(text)] == [(kind, span)]


@pytest.mark.parametrize("text", CLEAN)
def test_finds_nothing_in(personal: Scanner, text: str) -> None:
    assert [(found.detector, text[found.start : found.end]) for found in personal.scan_text(text)] == []


def test_without_an_automaton_the_same_is_found(personal: Scanner) -> None:
    portable = Scanner(PII, Portable)
    for text in (*CLEAN, *(before + span + after for before, _, span, after in OTHERS)):
        assert portable.scan_text(text) == personal.scan_text(text)


def test_every_kind_has_an_example() -> None:
    shown = {kind for _, kind, _, _ in OTHERS}
    assert {detector.kind for detector in PII if detector.kind[6:7] != "-"} <= shown


def test_what_a_word_names_is_found_after_every_kind_of_separator(personal: Scanner) -> None:
    for text in (
        "SSN 123-45-6789",
        "ssn=123456789",
        "Social_Security_Number: 123 45 6789",
        "socialSecurity → 123456789",
        "SSN\n123-45-6789",
    ):
        assert [found.kind for found in personal.scan_text(text)] == ["pii.us-ssn"], text


def test_many_numbers_at_once(personal: Scanner) -> None:
    numbers = [f"123-45-{serial}" for serial in range(6001, 6040)]
    text = " and ".join(numbers)
    assert [text[found.start : found.end] for found in personal.scan_text(text)] == numbers


TEXTS = (
    *(f"{word.upper()} {number}, or {bare} IN ALL" for _, word, number, bare, _ in NATIONAL),
    *(before + span + after for before, _, span, after in OTHERS),
    *CLEAN,
)


@pytest.mark.parametrize("text", TEXTS)
def test_one_cut_anywhere(personal: Scanner, text: str) -> None:
    for place in range(len(text) + 1):
        agree(personal, text, [text[:place], text[place:]])
    agree(personal, text, list(text))
    agree(personal, f"{text}{text}", [*text, text])
