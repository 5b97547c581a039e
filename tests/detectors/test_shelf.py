"""Rules that every detector on the shelf keeps; see the docstring of `yett.detectors.detector`."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from tests.detectors.examples import FOUND

from yett.detectors.detector import GROUP_CAP, LEFT, SPACER, WORD_CAP, Detector
from yett.detectors.expression import compiled
from yett.detectors.secrets import SECRETS
from yett.detectors.shelf import SHELF
from yett.detectors.sieve import REACH
from yett.detectors.window import BLOCK_CAP


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(detector.id for detector in SHELF).items() if count > 1] == []


@pytest.mark.parametrize("detector", SHELF, ids=lambda detector: detector.id)
def test_the_kind_has_a_family(detector: Detector) -> None:
    family, _, name = detector.kind.partition(".")
    assert family in {"secret", "pii", "label", "exfiltration", "code", "unicode"}
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)


def test_every_kind_has_an_example() -> None:
    shown = {kind for _, kind, _ in FOUND} | {detector.kind for detector in SECRETS}  # made in tests/detectors/secrets
    elsewhere = ("exfiltration.", "code.", "unicode.", "pii.")  # they show examples of each detector beside its tests
    assert {detector.kind for detector in SHELF if not detector.kind.startswith(elsewhere)} - shown == set()


def in_characters(pattern: str) -> str:
    """The pattern without the bytes that continue a character of UTF-8."""
    return re.sub(r"\\x[89ab][0-9a-f]", "", re.sub(r"\[(?:\\x[89ab][0-9a-f]-?)+\]", "", pattern))


def widths(detector: Detector) -> tuple[int, int]:
    """The longest text that a pattern may match left of its group, and in it with what is right of it, in characters."""
    parser = pytest.importorskip("re._parser")
    left = 0
    personal = detector.kind.startswith("pii.")  # the others are counted in bytes
    tree = parser.parse(in_characters(detector.pattern) if personal else detector.pattern)
    for place, (operator, argument) in enumerate(tree):
        if str(operator) == "SUBPATTERN" and argument[0] is not None:
            rest = sum(parser.SubPattern(tree.state, [item]).getwidth()[1] for item in tree.data[place:])
            return left, rest
        left += parser.SubPattern(tree.state, [(operator, argument)]).getwidth()[1]
    raise AssertionError(f"{detector.id}: the group is not at the top of the pattern")


@pytest.mark.parametrize("detector", SHELF, ids=lambda detector: detector.id)
def test_the_context_and_the_span_are_bounded(detector: Detector) -> None:
    left, span = widths(detector)
    assert left < LEFT
    if detector.id == "pem-private-key":
        assert span <= BLOCK_CAP
    elif SPACER in detector.pattern and detector.kind.startswith("pii."):
        assert span <= GROUP_CAP
    else:
        assert span <= WORD_CAP


@pytest.mark.parametrize("detector", [d for d in SHELF if d.besides], ids=lambda detector: detector.id)
def test_what_stands_besides_a_number_is_looked_for_around_it(detector: Detector) -> None:
    parser = pytest.importorskip("re._parser")
    assert parser.parse(detector.pattern).getwidth()[1] <= REACH
    assert not detector.tail


@pytest.mark.parametrize("detector", [d for d in SHELF if d.tail], ids=lambda detector: detector.id)
def test_a_tail_may_be_empty(detector: Detector) -> None:
    assert compiled(detector.tail).match(b"\0").end() == 0
