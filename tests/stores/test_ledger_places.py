"""Where a call's scopes stand, as the ledger remembers it: never the place of another scope, never the limits of before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yett.errors import Refusal
from yett.model.key import Limits
from yett.ports import Scope
from yett.stores.ledger_places import MOST_KNOWN
from yett.stores.limits import DAY
from yett.stores.shared_ledger import SharedLedger

MONTHS = 70 * DAY / 1e6  # seconds


class Dial:
    def __init__(self) -> None:
        self.time = 1_795_003_200.0

    def now(self) -> float:
        return self.time

    monotonic = now

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


def finish(coroutine: Any) -> Any:
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    return stop.value.value


@pytest.fixture
def clock() -> Dial:
    return Dial()


@pytest.fixture
def ledger(tmp_path: Path, clock: Dial) -> Iterator[SharedLedger]:
    made = SharedLedger(tmp_path / "ledger", clock, scopes=4, holds=8)
    yield made
    made.close()


def call(ledger: SharedLedger, scopes: tuple[Scope, ...]) -> Any:
    hold = finish(ledger.reserve("call", scopes, 10, 0))
    finish(ledger.settle(hold, 10, 0))
    return hold


def scope(name: str, rpm: int = 10) -> Scope:
    return Scope(name, Limits(rpm=rpm))


def test_equal_scopes_have_one_place_whichever_tuple_they_come_in(ledger: SharedLedger) -> None:
    one, other = scope("key:k"), scope("team:t")
    first = call(ledger, (one, other))
    assert call(ledger, (other, one)).places.offsets == first.places.offsets[::-1]
    assert call(ledger, (scope("key:k"),)).standing.remaining_requests == 7


def test_new_limits_hold_at_once_and_calls_of_before_keep_theirs(ledger: SharedLedger) -> None:
    before, after = (scope("key:k", 10),), (scope("key:k", 3),)
    call(ledger, before)
    call(ledger, before)
    assert call(ledger, after).standing.remaining_requests == 0
    with pytest.raises(Refusal, match="limit of 3 requests"):
        finish(ledger.reserve("call", after, 0, 0))
    assert call(ledger, before).standing.remaining_requests == 6


def test_more_combinations_than_are_remembered(ledger: SharedLedger) -> None:
    one = scope("key:k", 10**6)
    for number in range(MOST_KNOWN + 10):
        assert call(ledger, (one,)).standing.remaining_requests == 10**6 - number - 1
    assert len(ledger._book.known) <= MOST_KNOWN


def test_a_row_given_to_another_scope_is_looked_for_anew(ledger: SharedLedger, tmp_path: Path, clock: Dial) -> None:
    """Also when another process gave it away, and also when it was one's own call."""
    old = [(scope(f"key:{number}"),) for number in range(4)]
    for scopes in old:
        call(ledger, scopes)
    clock.time += MONTHS
    other = SharedLedger(tmp_path / "ledger", clock)
    new = [(scope(f"new:{number}"),) for number in range(3)]
    taken = {call(worker, scopes).places.offsets for worker, scopes in zip((other, ledger, other), new, strict=True)}
    assert len(taken) == 3
    for worker in (ledger, other):
        assert [call(worker, scopes).standing.remaining_requests for scopes in new] == [8 - (worker is other)] * 3
    left = [scopes for scopes in old if ledger._table.probe(scopes[0].id, frozenset(), 0)[1]]
    assert len(left) == 1
    assert call(ledger, left[0]).standing.remaining_requests == 9
    other.close()


def test_the_scopes_of_one_call_do_not_take_each_others_rows(ledger: SharedLedger, clock: Dial) -> None:
    for number in range(4):
        call(ledger, (scope(f"key:{number}"),))
    clock.time += MONTHS
    hold = call(ledger, tuple(scope(f"new:{number}") for number in range(4)))
    assert len(set(hold.places.offsets)) == 4
    with pytest.raises(Refusal, match="no room"):
        call(ledger, (scope("one more"),))
