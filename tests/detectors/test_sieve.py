"""What is looked for besides a number is found wherever it stands in a long text."""

from __future__ import annotations

import pytest
from tests.detectors.examples import FOUND
from tests.detectors.pii.examples import NATIONAL

from yett.detectors.engine import Scanner
from yett.detectors.sieve import _BLOCK

EXAMPLES = [f"{text} " for text, kind, _ in FOUND if kind.startswith("pii.")] + [
    f"{word} {number} " for _, word, number, _, _ in NATIONAL
]


@pytest.mark.parametrize("text", EXAMPLES[::9])
def test_wherever_it_stands(scanner: Scanner, text: str) -> None:
    alone = [(found.kind, found.start, found.end) for found in scanner.scan_text(f" {text}")]
    assert alone
    for before in (*range(_BLOCK - len(text) - 4, _BLOCK + 4, 3), 3 * _BLOCK - len(text) // 2):
        found = scanner.scan_text("word " * (before // 5) + " " * (before % 5) + f" {text}" + "word " * 600)
        assert [(each.kind, each.start - before, each.end - before) for each in found] == alone


def test_a_number_far_from_the_word_for_it_is_not_it(scanner: Scanner) -> None:
    apart = "routing number: soon. " + "word " * 500 + " 021000021 "
    assert scanner.scan_text("routing number: 021000021 ")
    assert not scanner.scan_text(apart)


def test_numbers_far_from_each_other(scanner: Scanner) -> None:
    card = " pay with 4111-1111-1111-1111. "
    text = card + "word " * 1000 + card
    assert [found.start for found in scanner.scan_text(text)] == [10, text.rindex("4111-1111-1111-1111")]


def test_many_in_a_long_text(scanner: Scanner) -> None:
    unit = "".join(f"\n{text}" for text in EXAMPLES[::5])
    once = {(found.kind, unit[found.start : found.end]) for found in scanner.scan_text(unit + "\n")}
    found = scanner.scan_text(unit * 3 + "\n")
    assert {(each.kind, (unit * 3)[each.start : each.end]) for each in found} == once
    assert len({(each.start, each.kind) for each in found}) == len(found) == 3 * len(scanner.scan_text(unit + "\n"))
