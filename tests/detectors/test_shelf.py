"""Rules that every detector on the shelf keeps; see the docstring of `yett.detectors.detector`."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from tests.detectors.examples import FOUND

from yett.detectors.detector import GROUP_CAP, LEFT, WORD_CAP, Detector
from yett.detectors.engine import compiled
from yett.detectors.shelf import SHELF
from yett.detectors.window import BLOCK_CAP


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(detector.id for detector in SHELF).items() if count > 1] == []


@pytest.mark.parametrize("detector", SHELF, ids=lambda detector: detector.id)
def test_the_kind_has_a_family(detector: Detector) -> None:
    family, _, name = detector.kind.partition(".")
    assert family in {"secret", "pii", "label", "exfiltration", "code", "unicode"}
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)


def test_every_kind_has_an_example() -> None:
    shown = {kind for _, kind, _ in FOUND}
    elsewhere = ("exfiltration.", "code.", "unicode.")  # they show examples of each detector beside its tests
    without = {detector.kind for detector in SHELF if not detector.kind.startswith(elsewhere)} - shown
    assert without == {
        "secret.azure-sas",
        "secret.gcp-oauth-client-secret",
        "secret.perplexity-key",
        "secret.replicate-token",
        "secret.xai-key",
    }


def widths(detector: Detector) -> tuple[int, int]:
    """The longest text that a pattern may match left of its group, and in it with what is right of it."""
    parser = pytest.importorskip("re._parser")
    left = 0
    tree = parser.parse(detector.pattern)
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
    elif "\\xc2" in detector.pattern[detector.pattern.index("(") :] and detector.kind.startswith("pii."):
        assert span <= 2.6 * GROUP_CAP  # in bytes; a spacer is up to three
    else:
        assert span <= WORD_CAP


@pytest.mark.parametrize("detector", [d for d in SHELF if d.tail], ids=lambda detector: detector.id)
def test_a_tail_may_be_empty(detector: Detector) -> None:
    assert compiled(detector.tail).match(b"\0").end() == 0
