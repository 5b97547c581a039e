"""The memory of verdicts: by tenant, bounded, ending."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yett.edge.verdicts import MOST_TENANTS, Verdicts, key_of
from yett.guardrails.kind import Signal

ONE = (Signal("moderation.hate", "hate", 0, 1.0, True),)


def test_kept_until_their_time() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", b"k", ONE, 10.0, 5)
    assert verdicts.find("t", b"k", 9.9) == ONE
    assert verdicts.find("t", b"other", 9.9) is verdicts.find("other", b"k", 9.9) is None
    assert verdicts.find("t", b"k", 10.0) is None
    assert len(verdicts) == 0


def test_an_empty_verdict_is_one() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", b"k", (), 10.0, 5)
    assert verdicts.find("t", b"k", 0.0) == ()


def test_what_was_not_asked_for_longest_goes() -> None:
    verdicts = Verdicts()
    for key in (b"a", b"b"):
        verdicts.keep("t", key, ONE, 10.0, 2)
    verdicts.find("t", b"a", 0.0)
    verdicts.keep("t", b"c", ONE, 10.0, 2)
    assert [verdicts.find("t", key, 0.0) is not None for key in (b"a", b"b", b"c")] == [True, False, True]


def test_a_flood_of_one_tenant_costs_no_other() -> None:
    verdicts = Verdicts()
    verdicts.keep("quiet", b"k", ONE, 10.0, 3)
    for number in range(1000):
        verdicts.keep("loud", number.to_bytes(4, "big"), ONE, 10.0, 3)
    assert verdicts.find("quiet", b"k", 0.0) == ONE
    assert len(verdicts) == 4


def test_tenants_are_bounded() -> None:
    verdicts = Verdicts()
    for number in range(MOST_TENANTS + 7):
        verdicts.keep(str(number), b"k", ONE, 10.0, 3)
    assert len(verdicts) == MOST_TENANTS
    assert verdicts.find("0", b"k", 0.0) is None


def test_memory_can_be_off() -> None:
    verdicts = Verdicts()
    verdicts.keep("t", b"k", ONE, 10.0, 0)
    assert len(verdicts) == 0


@given(st.lists(st.text(max_size=5), min_size=4, max_size=4), st.lists(st.text(max_size=5), min_size=4, max_size=4))
def test_different_questions_have_different_keys(one: list[str], other: list[str]) -> None:
    assert (key_of(*one) == key_of(*other)) == (one == other)  # "ab" "c" is not "a" "bc"


def test_a_lone_surrogate_has_a_key() -> None:
    assert key_of("f", "request", "user", "\ud800") != key_of("f", "request", "user", "\udc00")
