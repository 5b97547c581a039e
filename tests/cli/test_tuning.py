"""What reviews suggest, and what they do not."""

from __future__ import annotations

import pytest

from yett.cli.tuning import Proposal, proposals
from yett.stores.reviews import Review


def reviews(count: int, *, verdict: bool = False, first: int = 0, **fields: object) -> list[Review]:
    given = {"kind": "pii.phone", "detector": "phone", "team": "t", "role": "user", **fields}
    return [
        Review(call=f"call_{first + number}", part="request", value=str(given.get("value", f"v{first + number}")),
               verdict=verdict, **{name: value for name, value in given.items() if name != "value"})  # type: ignore[arg-type]
        for number in range(count)
    ]  # fmt: skip


def actions(found: list[Proposal]) -> list[str]:
    return [each.action for each in found]


def test_nothing_is_proposed_without_evidence() -> None:
    assert proposals([]) == []
    assert proposals(reviews(4)) == []
    assert proposals(reviews(50, verdict=True)) == []


def test_a_value_that_was_false_twice_is_one_to_suppress() -> None:
    (one,) = proposals(reviews(2, value="ab" * 32))
    assert (one.action, one.value, one.false) == ("suppress-value", "ab" * 32, 2)
    assert one.command == (
        f"yett findings suppress phone-abababab --finding pii.phone --hash {'ab' * 32} --days 90 "
        '--reason "2 of 2 reviewed were false"'
    )
    assert proposals([*reviews(2, value="v"), *reviews(1, value="v", verdict=True, first=5)]) == []


def test_a_kind_that_is_always_false_for_a_team_and_a_role() -> None:
    (one,) = proposals([*reviews(5), *reviews(5, verdict=True, team="other", first=50)])
    assert (one.action, one.team, one.role) == ("suppress-scope", "t", "user")
    assert "pii-phone-t --finding pii.phone --team t --role user" in one.command
    assert proposals([*reviews(5), *reviews(1, verdict=True, first=50)]) == []


def test_a_detector_that_is_hardly_ever_right() -> None:
    given = [*reviews(6, team="a"), *reviews(1, team="a", verdict=True, first=60), *reviews(6, team="b", first=80),
             *reviews(1, team="b", verdict=True, first=90)]  # fmt: skip
    assert proposals(given) == []  # right in one case of seven
    given += [*reviews(20, team="a", first=100)]
    (one,) = proposals(given)
    assert (one.action, one.detector, one.true, one.false) == ("disable", "phone", 2, 32)
    assert one.command == 'write disabled = ["phone"] under [inspection]'


def test_what_a_more_exact_proposal_says_is_not_said_again() -> None:
    assert actions(proposals(reviews(12, value="same"))) == ["suppress-value"]
    assert actions(proposals(reviews(12))) == ["suppress-scope"]
    assert actions(proposals([*reviews(12, value="same"), *reviews(3, first=60)])) == [
        "suppress-value",
        "suppress-scope",
    ]


@pytest.mark.parametrize("kind", ["injection.override", "injection.suspected"])
def test_the_lowest_threshold_that_is_nearly_always_right(kind: str) -> None:
    given = [
        *reviews(6, kind=kind, score=0.6, team="a"), *reviews(1, kind=kind, score=0.62, verdict=True, first=50, team="a"),
        *reviews(6, kind=kind, score=0.9, verdict=True, first=60),
    ]  # fmt: skip
    (one,) = proposals(given)
    assert (one.action, one.percent, one.false, one.true) == ("threshold", 65, 6, 1)
    assert "context.injection >= 65" in one.command
    assert proposals(reviews(20, kind=kind, score=0.7, verdict=True)) == []
    mixed = [
        *reviews(10, kind=kind, score=0.98, team="a"),
        *reviews(10, kind=kind, score=0.98, verdict=True, first=50, team="a"),
    ]
    assert proposals(mixed) == []
