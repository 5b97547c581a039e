"""Whatever the pieces, a stream is released whole and its findings are those of the whole text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.detectors.examples import CLEAN, ENCRYPTED_PEM, FOUND, JWT, PEM, RANDOM
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.resolve import CHAIN_CAP, SPAN_CAP
from yett.detectors.shelf import SHELF
from yett.detectors.window import Window

Found = list[tuple[str, int, int]]


def stream(scanner: Scanner, pieces: Iterable[str]) -> tuple[list[str], Found]:
    """Feed the pieces; the released texts, and the findings at their absolute positions."""
    window = Window(scanner)
    released = [window.feed(piece) for piece in pieces]
    released.append(window.finish())
    found: Found = []
    at = 0
    for part in released:
        for finding in part.findings:
            assert 0 <= finding.start < finding.end <= len(part.text)
            found.append((finding.kind, at + finding.start, at + finding.end))
        at += len(part.text)
    assert window.held == 0
    return [part.text for part in released], found


def whole(scanner: Scanner, text: str) -> Found:
    return [(finding.kind, finding.start, finding.end) for finding in scanner.scan_text(text)]


def agree(scanner: Scanner, text: str, pieces: Sequence[str]) -> None:
    assert "".join(pieces) == text
    released, found = stream(scanner, pieces)
    assert "".join(released) == text
    assert found == whole(scanner, text), pieces


def cut(text: str, places: Iterable[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]


TEXTS = [*(before for before, _, _ in FOUND), *CLEAN]


@pytest.mark.parametrize("text", TEXTS)
def test_one_cut_anywhere(scanner: Scanner, text: str) -> None:
    for place in range(len(text) + 1):
        agree(scanner, text, [text[:place], text[place:]])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 64])
def test_pieces_of_one_size(scanner: Scanner, size: int) -> None:
    for text in TEXTS:
        agree(scanner, text, [text[i : i + size] for i in range(0, len(text), size)])


@pytest.mark.parametrize(
    "text", ["to a@b.io.", "x 4111 1111 1111 1111 9", "pwd=hunt3r2x ok", "ssn 123-45-6789 1", "a TLP:RED b"]
)
def test_two_cuts_anywhere(scanner: Scanner, text: str) -> None:
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            agree(scanner, text, [text[:first], text[first:second], text[second:]])


fragments = st.sampled_from(
    [
        *(text for text, _, _ in FOUND),
        *(span for _, _, span in FOUND),
        *(text[:60] for text in CLEAN),
        *" \n\t.,:;=-_@/+()'\"\\\0{}[]0147",
        *("4111 ", "1111", "DE89 ", "3704 ", "AKIA", "eyJ", "sk-", "password", "secret", ": ", " is ", "-----", "BEGIN "),
        *("-----END RSA PRIVATE KEY-----", "+1 ", "é", "日本", "🙂", "\u00a0", "\u2011", "\u202f", "\ud83d", "e\u0301"),
        *("a@b.cd", "://u:", "@h", "x" * 70, "A1b2" * 40, "9" * 30, "@" * 5, "IBAN ", "RESTRICTED", "tlp:red"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(fragments, max_size=12).map("".join), st.lists(st.integers(0, 5000), max_size=40))
def test_any_cuts_of_any_mixture(scanner: Scanner, text: str, places: list[int]) -> None:
    agree(scanner, text, cut(text, places))


@settings(max_examples=150, deadline=None)
@given(st.lists(fragments, max_size=6).map("".join))
def test_character_by_character(scanner: Scanner, text: str) -> None:
    agree(scanner, text, list(text))


# ---- every pattern on the shelf keeps the rules that make a stream decidable -----------------------------------------

BARE = [msgspec.structs.replace(detector, valid=None) for detector in SHELF]


@pytest.fixture(scope="module")
def bare() -> Scanner:
    """The shelf without validators: every match of a pattern counts."""
    return Scanner(BARE)


def matching(detector: Detector) -> st.SearchStrategy[str]:
    """Text that a pattern (and its tail) matches, with bytes above ASCII made whole characters."""
    body = st.from_regex(re.compile(detector.pattern.encode()), fullmatch=True)
    tail = st.from_regex(re.compile(detector.tail.encode()), fullmatch=True) if detector.tail else st.just(b"")
    return st.tuples(body, tail).map(lambda parts: b"".join(parts).decode("utf-8", "replace"))


@pytest.mark.parametrize("detector", SHELF, ids=lambda detector: detector.id)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_pattern_on_the_shelf_can_be_cut_anywhere(bare: Scanner, detector: Detector, data: st.DataObject) -> None:
    text = data.draw(fragments) + data.draw(matching(detector)) + data.draw(fragments)
    agree(bare, text, cut(text, data.draw(st.lists(st.integers(0, 2000), max_size=20))))
    agree(bare, text, list(text))
