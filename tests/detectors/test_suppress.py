"""Findings that are taken away: of whom, where, until when, and nothing else."""

from __future__ import annotations

import pytest

from yett.detectors.suppress import Suppression, in_force, standing
from yett.model.finding import Finding
from yett.model.segment import Segment

TEXT = "mail ada@mail.example.org, card 4111"
SEGMENTS = (Segment(TEXT, "user", 0), Segment(TEXT, "tool", 1))
FINDINGS = (
    Finding("pii.email", 0, 5, 25, "email"),
    Finding("pii.card", 0, 32, 36, "card"),
    Finding("pii.email", 1, 5, 25, "email"),
)


def left(*suppressions: Suppression) -> list[int]:
    """Which of FINDINGS stand."""
    found = standing(FINDINGS, SEGMENTS, suppressions, lambda text: f"hash of {text}")
    return [FINDINGS.index(finding) for finding in found]


def test_without_suppressions_everything_stands() -> None:
    assert left() == [0, 1, 2]


@pytest.mark.parametrize(
    ("selectors", "stand"),
    [(("pii.email",), [1]), (("email",), [1]), (("pii",), []), (("secret", "card"), [0, 2]), (("pii.e",), [0, 1, 2])],
)
def test_kinds_families_and_detectors(selectors: tuple[str, ...], stand: list[int]) -> None:
    assert left(Suppression("x", selectors, 1.0)) == stand


def test_who_wrote_it() -> None:
    assert left(Suppression("x", ("pii",), 1.0, roles=("tool", "document"))) == [0, 1]


def test_one_value_and_no_other() -> None:
    mail = frozenset({"hash of ada@mail.example.org"})
    assert left(Suppression("x", ("pii",), 1.0, values=mail)) == [1]
    other = Suppression("y", ("pii",), 1.0, values=frozenset({"hash of other"}))
    assert left(other) == [0, 1, 2]
    assert left(other, Suppression("x", ("pii.email",), 1.0, roles=("user",), values=mail)) == [1, 2]
    assert left(other, Suppression("z", ("pii.card",), 1.0)) == [0, 2]


def test_no_value_is_hashed_that_no_suppression_is_about() -> None:
    def never(_text: str) -> str:
        raise AssertionError

    assert (
        standing(FINDINGS, SEGMENTS, (Suppression("x", ("secret",), 1.0, values=frozenset({"h"})),), never) == FINDINGS
    )


@pytest.mark.parametrize(
    ("team", "part", "now", "applies"),
    [
        ("a", "request", 9.9, True),
        ("a", "request", 10.0, False),
        ("b", "request", 1.0, False),
        ("a", "reply", 1.0, False),
    ],
)
def test_scope_and_end(team: str, part: str, now: float, applies: bool) -> None:
    one = Suppression("x", ("pii",), 10.0, teams=("a",), parts=("request",))
    assert (in_force((one,), "t", team, part, now) == (one,)) is applies
    of_another = Suppression("z", ("pii",), 10.0, tenants=("u", "v"))
    assert (in_force((of_another,), "t", team, part, now), in_force((of_another,), "u", team, part, 1.0)) == (
        (),
        (of_another,),
    )
    anywhere = Suppression("y", ("pii",), 10.0)
    assert (in_force((anywhere,), "t", team, part, now) == (anywhere,)) is (now < 10.0)
