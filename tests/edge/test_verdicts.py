"""The memory of verdicts: by tenant, bounded, ending."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yett.edge.verdicts import MOST_TENANTS, Digests, Key, Verdicts
from yett.guardrails.kind import Signal


def named(text: str) -> Key:
    return ("settings", "request", "user", Digests().of(text))


A, B, C, K = (named(letter) for letter in "abck")
ONE = (Signal("moderation.hate", "hate", 0, 1.0, True),)


def test_kept_until_their_time() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", K, ONE, 10.0, 5)
    assert verdicts.find("t", K, 9.9) == ONE
    assert verdicts.find("t", named("other"), 9.9) is verdicts.find("other", K, 9.9) is None
    assert verdicts.find("t", K, 10.0) is None
    assert len(verdicts) == 0


def test_an_empty_verdict_is_one() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", K, (), 10.0, 5)
    assert verdicts.find("t", K, 0.0) == ()


def test_what_was_not_asked_for_longest_goes() -> None:
    verdicts = Verdicts()
    for key in (A, B):
        verdicts.keep("t", key, ONE, 10.0, 2)
    verdicts.find("t", A, 0.0)
    verdicts.keep("t", C, ONE, 10.0, 2)
    assert [verdicts.find("t", key, 0.0) is not None for key in (A, B, C)] == [True, False, True]


def test_a_flood_of_one_tenant_costs_no_other() -> None:
    verdicts = Verdicts()
    verdicts.keep("quiet", K, ONE, 10.0, 3)
    for number in range(1000):
        verdicts.keep("loud", named(str(number)), ONE, 10.0, 3)
    assert verdicts.find("quiet", K, 0.0) == ONE
    assert len(verdicts) == 4


def test_tenants_are_bounded() -> None:
    verdicts = Verdicts()
    for number in range(MOST_TENANTS + 7):
        verdicts.keep(str(number), K, ONE, 10.0, 3)
    assert len(verdicts) == MOST_TENANTS
    assert verdicts.find("0", K, 0.0) is None


def test_memory_can_be_off() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", K, ONE, 10.0, 0)
    assert len(verdicts) == 0


@given(st.text(max_size=5), st.text(max_size=5))
def test_different_texts_have_different_names(one: str, other: str) -> None:
    digests = Digests()
    assert (digests.of(one) == digests.of(other)) == (one == other)
    assert digests.of(one) == Digests().of(one)


def test_a_lone_surrogate_has_a_name() -> None:
    assert Digests().of("\ud800") != Digests().of("\udc00")
