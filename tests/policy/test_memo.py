"""The memo is bounded, keeps what is used, and a flood of new keys does not grow it."""

from __future__ import annotations

from yett.policy.memo import Memo


def test_what_is_used_stays_and_the_rest_goes():
    memo: Memo[int] = Memo(10)
    memo.put("kept", 1)
    for number in range(1000):
        memo.put(number, number)
        assert memo.get("kept") == 1
        assert len(memo) <= 20
    assert memo.get(0) is None
    assert memo.get(999) == 999


def test_several_are_found_as_each_would_be():
    memo: Memo[int] = Memo(2)
    memo.put("a", 1)
    assert memo.several(["a", "b"]) == [1, None]
    memo.put("b", 2)
    memo.put("c", 3)
    assert memo.several(["a", "b", "c", "d"]) == [1, 2, 3, None]


def test_nothing_is_found_in_an_empty_one():
    assert Memo(1).get("x") is None
