"""Overlapping candidates: what fuses, what stays apart, what is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.detector import Detector
from yett.detectors.resolve import CHAIN_CAP, SPAN_CAP, Candidate, clusters, findings

DETECTORS = (
    Detector(id="specific", kind="secret.specific", pattern="(a)"),
    Detector(id="general", kind="secret.general", pattern="(b)"),
    Detector(id="mail", kind="pii.mail", pattern="(c)"),
)
SPECIFIC, GENERAL, MAIL = 0, 1, 2


def resolve(*spans: tuple[int, int, int]) -> list[tuple[str, int, int]]:
    found = clusters(Candidate(start, end, detector, end) for start, end, detector in spans)
    return [(f.detector, f.start, f.end) for cluster in found for f in findings(cluster, DETECTORS)]


def test_one_family_fuses_under_its_most_specific_kind() -> None:
    assert resolve((0, 10, GENERAL), (0, 10, SPECIFIC)) == [("specific", 0, 10)]
    assert resolve((0, 10, GENERAL), (4, 14, SPECIFIC)) == [("specific", 0, 14)]
    assert resolve((0, 30, GENERAL), (4, 14, GENERAL), (12, 20, SPECIFIC)) == [("specific", 0, 30)]


def test_families_stay_side_by_side() -> None:
    assert resolve((0, 10, GENERAL), (4, 14, MAIL)) == [("general", 0, 10), ("mail", 4, 14)]


def test_one_family_may_be_found_twice_in_a_cluster() -> None:
    assert resolve((0, 5, GENERAL), (2, 20, MAIL), (10, 15, GENERAL)) == [
        ("general", 0, 5),
        ("mail", 2, 20),
        ("general", 10, 15),
    ]


def test_spans_that_touch_are_two() -> None:
    assert resolve((0, 5, GENERAL), (5, 9, GENERAL)) == [("general", 0, 5), ("general", 5, 9)]


def test_a_long_span_is_cut() -> None:
    assert resolve((3, 3 + 2 * SPAN_CAP + 5, SPECIFIC)) == [
        ("specific", 3, 3 + SPAN_CAP),
        ("specific", 3 + SPAN_CAP, 3 + 2 * SPAN_CAP),
        ("specific", 3 + 2 * SPAN_CAP, 3 + 2 * SPAN_CAP + 5),
    ]


def test_a_chain_is_cut() -> None:
    chain = [(place, place + 20, GENERAL) for place in range(0, 4 * CHAIN_CAP, 10)]
    found = resolve(*chain)
    end = chain[-1][1]
    assert found == [("general", start, min(start + CHAIN_CAP, end)) for start in range(0, end, CHAIN_CAP)]


spans = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(1, 400), st.integers(0, 2)).map(lambda s: (s[0], s[0] + s[1], s[2])),
    max_size=60,
)


@given(spans)
def test_everything_is_covered_and_nothing_else(candidates: list[tuple[int, int, int]]) -> None:
    for family, members in (("secret", (SPECIFIC, GENERAL)), ("pii", (MAIL,))):
        names = {DETECTORS[place].id for place in members}
        wanted = {at for start, end, detector in candidates if detector in members for at in range(start, end)}
        covered = [at for name, start, end in resolve(*candidates) if name in names for at in range(start, end)]
        assert sorted(covered) == sorted(wanted), family  # each character once: no two findings of a family overlap


@given(spans, st.randoms())
def test_the_order_of_candidates_does_not_matter(candidates: list[tuple[int, int, int]], random: object) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolve(*shuffled) == resolve(*candidates)
