"""The scanner finds what it should, nothing in clean text, and places it right; both automata agree."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detectors.examples import AWS, CLEAN, FOUND, RANDOM
from yett.detectors.detector import Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.shelf import SHELF
from yett.model.segment import Segment


@pytest.mark.parametrize(("text", "kind", "span"), FOUND)
def test_finds(scanner: Scanner, text: str, kind: str, span: str) -> None:
    assert (kind, span) in [(found.kind, text[found.start : found.end]) for found in scanner.scan_text(text)]


@pytest.mark.parametrize(("text", "kind", "span"), FOUND)
def test_finds_it_between_other_characters(scanner: Scanner, text: str, kind: str, span: str) -> None:
    for around in ("\n", "\n🙂\n", "\né ", '\n"', "\n日本"):
        padded = around + text + around[::-1]
        assert (kind, span) in [(found.kind, padded[found.start : found.end]) for found in scanner.scan_text(padded)]


@pytest.mark.parametrize("text", CLEAN)
def test_finds_nothing_in(scanner: Scanner, text: str) -> None:
    assert scanner.scan_text(text) == ()


@given(st.lists(st.sampled_from([text for text, _, _ in FOUND] + list(CLEAN)) | st.text(max_size=30), max_size=6))
@settings(deadline=None)
def test_both_automata_agree(scanner: Scanner, portable: Scanner, texts: list[str]) -> None:
    segments = [Segment(text, "user", index) for index, text in enumerate(texts)]
    assert scanner.scan(segments) == portable.scan(segments)


@given(st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
@settings(deadline=None)
def test_both_automata_agree_on_noise(scanner: Scanner, portable: Scanner, text: str) -> None:
    assert scanner.scan_text(text) == portable.scan_text(text)
