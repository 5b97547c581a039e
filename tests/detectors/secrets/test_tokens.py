"""Every detector of a shape finds a token made from it, alone and on the shelf, and none of the things that nearly are one."""

from __future__ import annotations

import pytest
from tests.detectors.secrets.generated import drawn, example

from yett.detectors.detector import Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.secrets import SECRETS
from yett.detectors.secrets.commands import COMMANDS
from yett.detectors.secrets.encoded import ENCODED
from yett.detectors.secrets.pairs import PAIRS
from yett.detectors.secrets.prefixed import PREFIXED
from yett.detectors.secrets.sentences import SENTENCES
from yett.detectors.secrets.structures import STRUCTURES

OTHERS = (*ENCODED, *PREFIXED, *STRUCTURES, *PAIRS, *COMMANDS, *SENTENCES)
SHAPES = [d for d in SECRETS if d.judge is None and d.id != "pem-private-key" and d not in OTHERS]


def only(detector: Detector) -> Scanner:
    return Scanner([detector], Portable)


@pytest.mark.parametrize("detector", SHAPES, ids=lambda detector: detector.id)
def test_a_token_is_found(scanner: Scanner, detector: Detector) -> None:
    text, span = example(detector)
    text = f"See{text}."
    alone = only(detector).scan_text(text)
    assert [text[f.start : f.end].startswith(span) for f in alone] == [True]
    start = text.index(span, text.index(span) if text.count(span) == 1 else 0)
    assert any(
        f.family == "secret" and f.start <= start and f.end >= start + len(span) for f in scanner.scan_text(text)
    )


@pytest.mark.parametrize("detector", SHAPES, ids=lambda detector: detector.id)
def test_a_token_inside_a_longer_word_is_none(detector: Detector) -> None:
    _, span = example(detector)
    assert 3 not in [f.start for f in only(detector).scan_text(f"Zq9{span}")]  # what stands before it is missing


@pytest.mark.parametrize("detector", SHAPES, ids=lambda detector: detector.id)
def test_a_placeholder_in_its_shape_is_none(detector: Detector) -> None:
    text, _ = drawn(detector.pattern, None)
    assert only(detector).scan_text(text) == ()


def test_there_are_at_least_three_hundred_kinds() -> None:
    assert len({detector.kind for detector in SECRETS}) >= 300
