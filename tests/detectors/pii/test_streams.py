"""Numbers in pieces: whatever the cut, the findings are those of the whole text."""

from __future__ import annotations

import pytest
from tests.detectors.pii.examples import CLEAN, NATIONAL, OTHERS
from tests.detectors.test_window import agree

from yett.detectors.engine import Scanner
from yett.detectors.pii import PII


@pytest.fixture(scope="module")
def personal() -> Scanner:
    return Scanner(PII)


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
