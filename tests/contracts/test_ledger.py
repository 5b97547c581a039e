"""What every ledger does, run on each of them, and a machine that proves them equal step by step."""

from __future__ import annotations

import asyncio
import calendar
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from tests.servers import Valkey

from yett.config.store_address import limits_address
from yett.errors import Refusal
from yett.model.key import Budget, Limits
from yett.ports import Hold, Scope
from yett.stores.limits import Account
from yett.stores.memory_ledger import MemoryLedger
from yett.stores.redis_ledger import RedisLedger
from yett.stores.redis_link import RedisLink, command
from yett.stores.shared_ledger import SharedLedger

NOON = float(calendar.timegm((2026, 11, 18, 12, 0, 0)))  # a Wednesday


@dataclass
class Dial:
    """A clock that stands where it is put."""

    time: float = NOON

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


Ledger = MemoryLedger | SharedLedger | RedisLedger


@pytest.fixture
def clock() -> Dial:
    return Dial()


@pytest_asyncio.fixture(params=["memory", "shared", "redis"])
async def ledger(request: pytest.FixtureRequest, clock: Dial, tmp_path: Path, valkey: Valkey) -> AsyncIterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger(clock)
        return
    if request.param == "redis":
        redis = RedisLedger(RedisLink(limits_address(valkey.url), timeout=10.0), uuid4().hex, clock=clock)
        await redis.start()
        yield redis
        await redis.close()
        return
    shared = SharedLedger(tmp_path / "ledger", clock, scopes=64, holds=256)
    yield shared
    shared.close()


async def answer(found: Any) -> Any:
    """What a ledger says: some have to ask for it."""
    return await found if isawaitable(found) else found


async def account_of(ledger: Ledger, scope: Scope) -> Account:
    return await answer(ledger.account(scope))


async def expired_of(ledger: Ledger, now: float) -> list[str]:
    return await answer(ledger.expired(now))


async def resolved(ledger: Ledger, id: str, tokens: int, cost: int) -> bool:
    return await answer(ledger.resolve(id, tokens, cost))


def key(**limits: Any) -> tuple[Scope, ...]:
    if "budget" in limits:
        limits["budget"] = Budget(*limits["budget"])
    return (Scope("key:key_a", Limits(**limits)),)


async def refused(ledger: Ledger, scopes: tuple[Scope, ...], tokens: int = 0, cost: int = 0) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await ledger.reserve("refused", scopes, tokens, cost)
    return caught.value


# ---- requests per minute -------------------------------------------------------------------------------------------


async def test_a_minutes_worth_of_requests_may_come_at_once_and_then_one_at_a_time(ledger: Ledger, clock: Dial) -> None:
    scopes = key(rpm=60)
    for number in range(60):
        await ledger.reserve(f"call{number}", scopes, 0, 0)
    refusal = await refused(ledger, scopes)
    assert refusal.code == "rate_limit_exceeded"
    assert "key limit of 60 requests per minute" in str(refusal)
    assert refusal.retry
    assert refusal.retry_after == pytest.approx(1.0)
    clock.time += 0.999
    await refused(ledger, scopes)
    clock.time += 0.001
    await ledger.reserve("again", scopes, 0, 0)
    await refused(ledger, scopes)


async def test_there_is_no_window_edge(ledger: Ledger, clock: Dial) -> None:
    scopes, admitted = key(rpm=30), 0
    for tick in range(240):  # two minutes, by half seconds
        clock.time = NOON + tick / 2
        try:
            await ledger.reserve(f"call{tick}", scopes, 0, 0)
            admitted += 1
        except Refusal:
            pass
    assert admitted == 30 + 59


async def test_a_refused_call_uses_nothing_in_any_scope(ledger: Ledger) -> None:
    scopes = (
        Scope("key:key_a", Limits(rpm=10, tpm=100, concurrency=10, budget=Budget(1000, "day"))),
        Scope("team:t", Limits(concurrency=0)),
    )
    for _ in range(20):
        assert (await refused(ledger, scopes, 10, 10)).code == "concurrency_exceeded"
    account = await account_of(ledger, scopes[0])
    assert (account.requests, account.queued, account.inflight, account.held) == (0, 0, 0, 0)


async def test_limits_can_change_between_calls(ledger: Ledger) -> None:
    for number in range(10):
        await ledger.reserve(f"call{number}", key(rpm=100), 0, 0)
    assert "of 10 requests" in str(await refused(ledger, key(rpm=10)))
    hold = await ledger.reserve("more", key(rpm=12), 0, 0)
    assert hold.standing.remaining_requests == 1


# ---- tokens per minute ---------------------------------------------------------------------------------------------


async def test_unused_tokens_go_back(ledger: Ledger) -> None:
    scopes = key(tpm=1000)
    hold = await ledger.reserve("a", scopes, 900, 0)
    assert (await refused(ledger, scopes, 200)).code == "rate_limit_exceeded"
    await ledger.settle(hold, 100, 0)
    hold = await ledger.reserve("b", scopes, 900, 0)
    assert hold.standing.remaining_tokens == 0


async def test_overuse_is_charged_although_it_overdraws(ledger: Ledger, clock: Dial) -> None:
    scopes = key(tpm=1000)
    await ledger.settle(await ledger.reserve("a", scopes, 100, 0), 2500, 0)
    refusal = await refused(ledger, scopes, 1)
    assert refusal.retry_after == pytest.approx(90.06)
    assert dict(refusal.headers)["x-ratelimit-remaining-tokens"] == "0"
    clock.time += 90.07
    await ledger.reserve("b", scopes, 1, 0)


async def test_tokens_that_have_drained_are_not_given_back_as_well(ledger: Ledger, clock: Dial) -> None:
    """Reservations that were saved up must not become a burst: refill has paid for them already."""
    scopes = key(tpm=600)
    saved = []
    for number in range(3):
        saved.append(await ledger.reserve(f"saved{number}", scopes, 600, 0))
        clock.time += 60
        for hold in saved:
            await ledger.extend(hold)
    spent = 0
    for number, hold in enumerate(saved):
        await ledger.settle(hold, 0, 0)
        try:
            await ledger.settle(await ledger.reserve(f"burst{number}", scopes, 600, 0), 600, 0)
            spent += 600
        except Refusal:
            pass
    assert spent == 600


async def test_what_queued_behind_a_backlog_still_goes_back(ledger: Ledger, clock: Dial) -> None:
    scopes = key(tpm=600)
    await ledger.settle(await ledger.reserve("first", scopes, 300, 0), 300, 0)
    behind = await ledger.reserve("behind", scopes, 300, 0)
    clock.time += 20  # 200 of the first 300 have drained, nothing of the second
    await ledger.settle(behind, 0, 0)
    hold = await ledger.reserve("next", scopes, 500, 0)
    assert hold.standing.remaining_tokens == 0


# ---- concurrency ---------------------------------------------------------------------------------------------------


async def test_concurrency_counts_calls_in_flight(ledger: Ledger) -> None:
    scopes = key(concurrency=2)
    first = await ledger.reserve("a", scopes, 0, 0)
    await ledger.reserve("b", scopes, 0, 0)
    refusal = await refused(ledger, scopes)
    assert refusal.code == "concurrency_exceeded"
    assert refusal.retry_after > 0
    assert "key limit of 2 calls in flight" in str(refusal)
    await ledger.settle(first, 0, 0)
    await ledger.settle(first, 0, 0)
    await ledger.reserve("c", scopes, 0, 0)
    await refused(ledger, scopes)


# ---- budgets -------------------------------------------------------------------------------------------------------


async def test_a_budget_counts_what_is_spent_and_what_is_held(ledger: Ledger) -> None:
    scopes = key(budget=(1_000_000, "month"))
    hold = await ledger.reserve("a", scopes, 0, 700_000)
    refusal = await refused(ledger, scopes, 0, 400_000)
    assert refusal.code == "budget_exceeded"
    assert refusal.retry  # the call in flight may use less
    await ledger.settle(hold, 0, 500_000)
    await ledger.reserve("b", scopes, 0, 400_000)
    refusal = await refused(ledger, scopes, 0, 600_000)
    assert not refusal.retry
    assert not refusal.retry
    assert "key limit of 1 USD per month" in str(refusal)
    assert "2026-12-01" in str(refusal)
    assert refusal.retry_after == pytest.approx(calendar.timegm((2026, 12, 1, 0, 0, 0)) - NOON)


@pytest.mark.parametrize(
    ("period", "inside", "after"),
    [
        ("day", (2026, 11, 18, 23, 59, 59), (2026, 11, 19, 0, 0, 0)),
        ("week", (2026, 11, 22, 23, 59, 59), (2026, 11, 23, 0, 0, 0)),
        ("month", (2026, 11, 30, 23, 59, 59), (2026, 12, 1, 0, 0, 0)),
    ],
)
async def test_a_budget_is_for_a_calendar_period(
    ledger: Ledger, clock: Dial, period: str, inside: tuple[int, ...], after: tuple[int, ...]
) -> None:
    scopes = key(budget=(1000, period))
    await ledger.settle(await ledger.reserve("a", scopes, 0, 900), 0, 900)
    clock.time = float(calendar.timegm(inside))
    assert (await refused(ledger, scopes, 0, 101)).retry_after == pytest.approx(1.0)
    clock.time = float(calendar.timegm(after))
    await ledger.reserve("b", scopes, 0, 1000)


async def test_a_call_over_midnight_is_charged_when_it_ends(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(1000, "day"))
    hold = await ledger.reserve("a", scopes, 0, 600)
    clock.time += 12 * 3600
    assert await ledger.extend(hold)
    await refused(ledger, scopes, 0, 500)
    await ledger.settle(hold, 0, 600)
    assert (await account_of(ledger, scopes[0])).spent_day == 600


async def test_a_changed_period_knows_its_past(ledger: Ledger) -> None:
    await ledger.settle(await ledger.reserve("a", key(), 0, 900), 0, 900)
    for period in ("day", "week", "month"):
        await refused(ledger, key(budget=(1000, period)), 0, 101)


async def test_a_clock_that_steps_back_reopens_nothing(ledger: Ledger, clock: Dial) -> None:
    scopes = key(rpm=1, budget=(1000, "day"))
    clock.time = float(calendar.timegm((2026, 12, 1, 0, 0, 1)))
    await ledger.settle(await ledger.reserve("a", scopes, 0, 1000), 0, 1000)
    for seconds in (2, 30, 3600, 40 * 86_400):
        clock.time -= seconds
        await refused(ledger, scopes, 0, 1)
    clock.time += 60
    assert (await refused(ledger, scopes, 0, 1)).code == "budget_exceeded"


# ---- limits that nothing can satisfy --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"rpm": 0}, "rate_limit_exceeded"),
        ({"tpm": 0}, "rate_limit_exceeded"),
        ({"concurrency": 0}, "concurrency_exceeded"),
        ({"budget": (0, "day")}, "budget_exceeded"),
    ],
)
async def test_a_limit_of_nothing_allows_nothing(ledger: Ledger, limits: dict[str, Any], code: str) -> None:
    refusal = await refused(ledger, key(**limits))
    assert refusal.code == code
    assert not refusal.retry


@pytest.mark.parametrize("limits", [{"tpm": 100}, {"budget": (100, "month")}])
async def test_a_call_larger_than_the_whole_limit_is_told_so(ledger: Ledger, limits: dict[str, Any]) -> None:
    refusal = await refused(ledger, key(**limits), 101, 101)
    assert not refusal.retry
    assert "can never be allowed" in str(refusal)


async def test_of_several_obstacles_the_longest_is_named(ledger: Ledger) -> None:
    scopes = (Scope("key:key_a", Limits(rpm=60)), Scope("team:research", Limits(rpm=6)))
    for number in range(6):
        await ledger.reserve(f"call{number}", scopes, 0, 0)
    refusal = await refused(ledger, scopes)
    assert "team limit of 6 requests per minute (research)" in str(refusal)
    assert refusal.retry_after == pytest.approx(10.0)


async def test_a_call_reserves_once(ledger: Ledger) -> None:
    await ledger.reserve("a", key(), 0, 1)
    if not isinstance(ledger, SharedLedger):  # which does not look for it: its caller makes ids
        with pytest.raises(ValueError, match="reservation already"):
            await ledger.reserve("a", key(), 0, 1)
        assert (await account_of(ledger, key()[0])).held == 1


@pytest.mark.parametrize(("tokens", "cost"), [(-1, 0), (0, -1), (10**30, 0), (0, 10**30)])
async def test_amounts_out_of_range_are_not_reserved(ledger: Ledger, tokens: int, cost: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        await ledger.reserve("a", key(), tokens, cost)


@pytest.mark.parametrize(("tokens", "cost"), [(10**40, 10**40), (-(10**40), -(10**40))])
async def test_an_upstream_that_reports_nonsense_breaks_nothing(ledger: Ledger, tokens: int, cost: int) -> None:
    scopes = key(tpm=10**6, budget=(10**6, "month"))
    for number in range(3):
        hold = await ledger.reserve(f"call{number}", key(tpm=10**15, budget=(10**17, "month")), 10, 10)
        await ledger.settle(hold, tokens, cost)
    account = await account_of(ledger, scopes[0])
    assert account.inflight == account.held == 0
    assert account.spent_month >= 0
    if tokens > 0:
        await refused(ledger, scopes, 1, 1)
    else:
        await ledger.reserve("next", scopes, 1, 1)


# ---- what the caller is told ----------------------------------------------------------------------------------------


async def test_the_standing_is_of_the_tightest_scope(ledger: Ledger) -> None:
    scopes = (
        Scope("key:k", Limits(rpm=60, tpm=90_000)),
        Scope("team:t", Limits(rpm=600, tpm=1000)),
        Scope("model:m", Limits()),
    )
    standing = (await ledger.reserve("a", scopes, 250, 0)).standing
    assert (standing.limit_requests, standing.remaining_requests) == (60, 59)
    assert standing.reset_requests == pytest.approx(1.0)
    assert (standing.limit_tokens, standing.remaining_tokens) == (1000, 750)
    assert standing.reset_tokens == pytest.approx(15.0)


async def test_without_limits_there_is_nothing_to_tell(ledger: Ledger) -> None:
    standing = (await ledger.reserve("a", (Scope("key:k", Limits()),), 250, 0)).standing
    assert standing.limit_requests is None
    assert standing.limit_tokens is None
    assert (await ledger.reserve("b", (), 250, 10)).scopes == ()


async def test_a_refusal_carries_the_headers(ledger: Ledger) -> None:
    scopes = key(rpm=1, tpm=1000)
    await ledger.reserve("a", scopes, 100, 0)
    assert dict((await refused(ledger, scopes)).headers) == {
        "x-ratelimit-limit-requests": "1",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m0s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "900",
        "x-ratelimit-reset-tokens": "6s",
    }


# ---- leases --------------------------------------------------------------------------------------------------------


async def test_a_call_that_never_settles_is_abandoned_when_its_lease_ends(ledger: Ledger, clock: Dial) -> None:
    scopes = key(concurrency=1, budget=(1000, "month"))
    hold = await ledger.reserve("crashed", scopes, 0, 600)
    assert hold.expires == pytest.approx(clock.time + 60)
    clock.time += 59.9
    await refused(ledger, scopes)
    assert await expired_of(ledger, clock.time) == []
    clock.time += 0.1
    assert await expired_of(ledger, clock.time) == ["crashed"]
    await ledger.reserve("next", scopes, 0, 400)
    account = await account_of(ledger, scopes[0])
    assert (account.inflight, account.held, account.spent_month) == (1, 400, 600)
    assert not await ledger.extend(hold)


async def test_a_lease_can_be_renewed(ledger: Ledger, clock: Dial) -> None:
    scopes = key(concurrency=1)
    hold = await ledger.reserve("long", scopes, 0, 0)
    for _ in range(10):
        clock.time += 50
        assert await ledger.extend(hold)
        await refused(ledger, scopes)
    await ledger.settle(hold, 0, 0)
    assert not await ledger.extend(hold)


async def test_a_late_settle_puts_the_charge_right_exactly_once(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(1000, "month"))
    hold = await ledger.reserve("late", scopes, 0, 600)
    clock.time += 100
    await ledger.reserve("sweeps", scopes, 0, 0)
    for _ in range(3):
        await ledger.settle(hold, 0, 50)
    assert (await account_of(ledger, scopes[0])).spent_month == 50
    assert await expired_of(ledger, clock.time) == []


async def test_a_late_settle_takes_nothing_off_a_period_it_was_not_charged_in(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(10_000, "day"))
    hold = await ledger.reserve("late", scopes, 0, 600)
    clock.time += 100
    await ledger.reserve("sweeps", scopes, 0, 0)
    clock.time += 12 * 3600
    await ledger.settle(await ledger.reserve("today", scopes, 0, 500), 0, 500)
    await ledger.settle(hold, 0, 50)
    account = await account_of(ledger, scopes[0])
    assert (account.spent_day, account.spent_week, account.spent_month) == (500, 550, 550)


async def test_a_crashed_call_can_be_resolved_from_the_journal(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(1000, "month"), concurrency=5)
    await ledger.reserve("in flight", scopes, 0, 300)
    await ledger.reserve("abandoned", scopes, 0, 300)
    clock.time += 61
    hold = await ledger.reserve("running", scopes, 0, 300)
    assert sorted(await expired_of(ledger, clock.time)) == ["abandoned", "in flight"]
    assert await resolved(ledger, "abandoned", 0, 10)
    assert await resolved(ledger, "in flight", 0, 20)
    assert not await resolved(ledger, "abandoned", 0, 10)
    assert not await resolved(ledger, "never was", 0, 10)
    assert await resolved(ledger, "running", 0, 30)
    await ledger.settle(hold, 0, 999)
    account = await account_of(ledger, scopes[0])
    assert (account.inflight, account.held, account.spent_month) == (0, 0, 60)


async def test_an_abandoned_call_is_forgotten_after_a_day(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(1000, "month"))
    hold = await ledger.reserve("crashed", scopes, 0, 300)
    clock.time += 61
    await ledger.reserve("sweeps", scopes, 0, 0)
    clock.time += 86_400
    last = await ledger.reserve("sweeps again", scopes, 0, 0)
    await ledger.settle(hold, 0, 0)
    await ledger.settle(last, 0, 0)
    assert (await account_of(ledger, scopes[0])).spent_month == 300


# ---- more for a call that goes on -----------------------------------------------------------------------------------


async def test_more_is_held_for_a_call_as_long_as_every_budget_has_room(ledger: Ledger) -> None:
    scopes = (
        Scope("key:key_a", Limits(budget=Budget(1000, "day"))),
        Scope("team:t", Limits(budget=Budget(700, "month"))),
        Scope("model:m", Limits()),
    )
    hold = await ledger.reserve("long", scopes, 10, 300)
    hold = await ledger.add(hold, 300)
    assert hold.cost == 600
    with pytest.raises(Refusal, match=r"team limit of 0\.0007 USD per month \(t\) has no room") as caught:
        await ledger.add(hold, 101)
    assert caught.value.code == "budget_exceeded"
    assert [(await account_of(ledger, scope)).held for scope in scopes] == [600, 600, 600]
    hold = await ledger.add(hold, 100)
    await ledger.settle(hold, 10, 650)
    for scope in scopes:
        account = await account_of(ledger, scope)
        assert (account.inflight, account.held, account.spent_month) == (0, 0, 650)


async def test_a_settlement_that_does_not_know_of_what_was_added_gives_it_back_too(ledger: Ledger) -> None:
    scopes = key(budget=(1000, "month"))
    hold = await ledger.reserve("long", scopes, 0, 300)
    await ledger.add(hold, 300)
    await ledger.settle(hold, 0, 350)
    account = await account_of(ledger, scopes[0])
    assert (account.held, account.spent_month) == (0, 350)


async def test_nothing_is_added_for_a_call_that_is_over(ledger: Ledger, clock: Dial) -> None:
    scopes = key(budget=(1000, "month"))
    settled = await ledger.reserve("settled", scopes, 0, 300)
    await ledger.settle(settled, 0, 10)
    crashed = await ledger.add(await ledger.reserve("crashed", scopes, 0, 300), 20)
    clock.time += 61
    await ledger.reserve("sweeps", scopes, 0, 0)
    for hold in (settled, crashed):
        with pytest.raises(Refusal, match="run out"):
            await ledger.add(hold, 1)
    account = await account_of(ledger, scopes[0])
    assert (account.held, account.spent_month) == (0, 330)


@pytest.mark.parametrize("cost", [-1, 10**15])
async def test_an_absurd_amount_is_not_added(ledger: Ledger, cost: int) -> None:
    hold = await ledger.reserve("long", key(), 0, 300)
    with pytest.raises(ValueError, match="out of range"):
        await ledger.add(hold, cost)


# ---- what ends by itself --------------------------------------------------------------------------------------------


def task(id: str = "task:default/task_1", *, lasts: int = 60, steps: int | None = None, **limits: Any) -> Scope:
    if "budget" in limits:
        limits["budget"] = Budget(limits["budget"], "ever")
    return Scope(id, Limits(**limits), lasts, steps)


async def test_a_task_takes_so_many_steps_and_no_more(ledger: Ledger, clock: Dial) -> None:
    scopes = (*key(rpm=100), task(steps=3))
    for number in range(3):
        await ledger.settle(await ledger.reserve(f"step{number}", scopes, 1, 1), 1, 1)
        clock.time += 59
    refusal = await refused(ledger, scopes)
    assert (refusal.code, str(refusal), refusal.retry) == (
        "task_limit_exceeded",
        "The task has taken the 3 steps it may take.",
        False,
    )
    account = await account_of(ledger, scopes[1])
    assert (account.steps, account.ever, account.inflight) == (3, 3, 0)
    clock.time += 2  # since the last one began
    await ledger.reserve("anew", scopes, 1, 1)
    assert (await account_of(ledger, scopes[1])).steps == 1


async def test_a_task_does_not_end_while_it_has_a_call_in_progress(ledger: Ledger, clock: Dial) -> None:
    scopes = (task(steps=1),)
    hold = await ledger.reserve("long", scopes, 1, 1)
    for _ in range(3):
        clock.time += 50
        assert await ledger.extend(hold)
        await refused(ledger, scopes)
    await ledger.settle(hold, 1, 1)
    await ledger.reserve("anew", scopes, 1, 1)


async def test_a_task_has_so_many_calls_at_once(ledger: Ledger) -> None:
    scopes = (task(concurrency=2),)
    first = await ledger.reserve("a", scopes, 0, 0)
    await ledger.reserve("b", scopes, 0, 0)
    refusal = await refused(ledger, scopes)
    assert (refusal.code, refusal.retry, refusal.retry_after) == ("task_fanout_exceeded", True, 1.0)
    await ledger.settle(first, 0, 0)
    await ledger.reserve("c", scopes, 0, 0)


@pytest.mark.parametrize(("id", "code"), [("task:t/a", "task_limit_exceeded"), ("token:task_a", "budget_exceeded")])
async def test_what_it_may_spend_is_held_and_spent(ledger: Ledger, clock: Dial, id: str, code: str) -> None:
    scopes = (task(id, budget=1000),)
    hold = await ledger.reserve("a", scopes, 0, 700)
    refusal = await refused(ledger, scopes, 0, 400)
    assert (refusal.code, refusal.retry) == (code, True)
    hold = await ledger.add(hold, 200)
    with pytest.raises(Refusal, match="cut off") as caught:
        await ledger.add(hold, 101)
    assert caught.value.code == code
    await ledger.settle(hold, 0, 650)
    clock.time += 30
    refusal = await refused(ledger, scopes, 0, 351)
    assert (refusal.code, refusal.retry) == (code, False)
    assert "0.00035 USD are left" in str(refusal)
    await ledger.reserve("b", scopes, 0, 350)


async def test_a_crashed_step_is_charged_for_good(ledger: Ledger, clock: Dial) -> None:
    scopes = (task(budget=1000), *key(budget=(1000, "month")))
    hold = await ledger.reserve("crashed", scopes, 0, 600)
    clock.time += 61
    await ledger.reserve("sweeps", (), 0, 0)
    await ledger.settle(hold, 0, 10)
    task_account, key_account = [await account_of(ledger, scope) for scope in scopes]
    assert (task_account.ever, task_account.inflight, task_account.held) == (600, 0, 0)
    assert key_account.spent_month == 10
    await refused(ledger, scopes, 0, 500)


async def test_what_has_ended_makes_room(ledger: Ledger, clock: Dial) -> None:
    """Of 64 places in one of the ledgers."""
    if isinstance(ledger, RedisLedger):
        await ledger.settle(await ledger.reserve("a", (task(lasts=7),), 0, 1), 0, 1)
        (left,) = [await ledger.link.ask(command("PTTL", f"{ledger._root}:task:default/task_1"))]
        assert 3600_000 < left <= 3607_000, "the store itself forgets it"
        return
    for number in range(500):
        scopes = (*key(rpm=1000), task(f"token:task_{number}", budget=100))
        await ledger.settle(await ledger.reserve(f"call{number}", scopes, 1, 50), 1, 50)
        clock.time += 5
    assert (await account_of(ledger, key()[0])).spent_month == 500 * 50
    assert (await account_of(ledger, task("token:task_499"))).ever == 50
    if isinstance(ledger, MemoryLedger):
        assert len(ledger._accounts) < 40


# ---- both are the same ---------------------------------------------------------------------------------------------

LIMITS = st.builds(
    Limits,
    rpm=st.none() | st.integers(0, 20),
    tpm=st.none() | st.integers(0, 1000) | st.just(10**12),
    concurrency=st.none() | st.integers(0, 5),
    budget=st.none() | st.builds(Budget, st.integers(0, 5000), st.sampled_from(["day", "week", "month"])),
)
STEPS = st.sampled_from(
    [0.0, 0.001, 0.37, 1.0, 7.3, 59.9, 61.0, 3600.0, 90_000.0, 3_000_000.0, -0.5, -30.0, -100.0, -90_000.0]
)


def told(refusal: Refusal) -> tuple[object, ...]:
    return refusal.code, str(refusal), refusal.retry, refusal.retry_after, refusal.headers


class Twins(RuleBasedStateMachine):
    """Whatever is done to both ledgers, they answer the same and end with the same accounts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.clock = Dial()
        self.plain = MemoryLedger(self.clock)
        self.shared: Any = self.open()
        self.holds: list[tuple[Hold, Hold]] = []
        self.count = 0
        self.scopes: dict[str, Scope] = {}

    def open(self) -> Any:
        return SharedLedger(Path(self.folder.name) / "ledger", self.clock, scopes=64, holds=64)

    @initialize(first=LIMITS, second=LIMITS, third=LIMITS)
    def begin(self, first: Limits, second: Limits, third: Limits) -> None:
        for name, limits in (("key:a", first), ("team:b", second), ("model:c", third)):
            self.scopes[name] = Scope(name, limits)
        self.scopes["task:d"] = Scope("task:d", Limits(concurrency=2), 60, 4)

    @rule(
        lasts=st.sampled_from([1, 60, 7200]),
        steps=st.none() | st.integers(0, 5),
        concurrency=st.none() | st.integers(0, 3),
        budget=st.none() | st.integers(0, 5000),
    )
    def reload_task(self, lasts: int, steps: int | None, concurrency: int | None, budget: int | None) -> None:
        limits = Limits(concurrency=concurrency, budget=None if budget is None else Budget(budget, "ever"))
        self.scopes["task:d"] = Scope("task:d", limits, lasts, steps)

    @rule(name=st.sampled_from(["key:a", "team:b", "model:c"]), limits=LIMITS)
    def reload(self, name: str, limits: Limits) -> None:
        self.scopes[name] = Scope(name, limits)

    @rule(seconds=STEPS)
    def wait(self, seconds: float) -> None:
        self.clock.time += seconds

    @rule(
        names=st.lists(st.sampled_from(["key:a", "team:b", "model:c", "task:d"]), unique=True, max_size=4),
        tokens=st.integers(0, 1200),
        cost=st.integers(0, 3000),
    )
    def reserve(self, names: list[str], tokens: int, cost: int) -> None:
        self.count += 1
        scopes = tuple(self.scopes[name] for name in names)
        answers: list[Hold | Refusal] = []
        for ledger in (self.plain, self.shared):
            try:
                answers.append(finish(ledger.reserve(f"call{self.count}", scopes, tokens, cost)))
            except Refusal as refusal:
                answers.append(refusal)
        plain, shared = answers
        if isinstance(plain, Refusal) or isinstance(shared, Refusal):
            assert isinstance(plain, Refusal)
            assert isinstance(shared, Refusal)
            assert told(plain) == told(shared)
            return
        assert plain.expires == shared.expires
        for field in plain.standing.__struct_fields__:
            one, other = getattr(plain.standing, field), getattr(shared.standing, field)
            assert one == (other if other is None else pytest.approx(other, abs=1e-6))
        self.holds.append((plain, shared))

    @rule(data=st.data(), tokens=st.integers(0, 2000), cost=st.integers(0, 4000), forget=st.booleans())
    def settle(self, data: st.DataObject, tokens: int, cost: int, forget: bool) -> None:
        if not self.holds:
            return
        index = data.draw(st.integers(0, len(self.holds) - 1))
        plain, shared = self.holds[index]
        finish(self.plain.settle(plain, tokens, cost))
        finish(self.shared.settle(shared, tokens, cost))
        if forget:
            self.holds.pop(index)

    @rule(data=st.data())
    def extend(self, data: st.DataObject) -> None:
        if self.holds:
            plain, shared = data.draw(st.sampled_from(self.holds))
            assert finish(self.plain.extend(plain)) == finish(self.shared.extend(shared))

    @rule(data=st.data(), cost=st.integers(0, 3000))
    def add(self, data: st.DataObject, cost: int) -> None:
        if not self.holds:
            return
        index = data.draw(st.integers(0, len(self.holds) - 1))
        answers: list[Hold | tuple[object, ...]] = []
        for ledger, hold in zip((self.plain, self.shared), self.holds[index], strict=True):
            try:
                answers.append(finish(ledger.add(hold, cost)))
            except Refusal as refusal:
                answers.append(told(refusal))
        plain, shared = answers
        if isinstance(plain, Hold) and isinstance(shared, Hold):
            self.holds[index] = (plain, shared)
        else:
            assert plain == shared

    @rule(data=st.data(), cost=st.integers(0, 4000))
    def resolve(self, data: st.DataObject, cost: int) -> None:
        expired = sorted(self.plain.expired(self.clock.time))
        assert expired == sorted(self.shared.expired(self.clock.time))
        if expired:
            id = data.draw(st.sampled_from(expired))
            assert self.plain.resolve(id, 5, cost)
            assert self.shared.resolve(id, 5, cost)

    @rule()
    def reopen(self) -> None:
        self.shared.close()
        self.shared = self.open()

    def teardown(self) -> None:
        try:
            for scope in self.scopes.values():
                assert self.plain.account(scope) == self.shared.account(scope)
                assert self.plain.account(scope).held >= 0
                assert self.plain.account(scope).inflight >= 0
            assert self.shared.figures().abandoned == self.plain.abandoned
            assert self.shared.figures().abandoned_cost == self.plain.abandoned_cost
        finally:
            self.shared.close()
            self.folder.cleanup()


def finish(coroutine: Any) -> Any:
    """Run what must not suspend."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a ledger suspended")


TestTwins = Twins.TestCase
TestTwins.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, report_multiple_bugs=False)


class Waiting:
    """A Redis ledger for who cannot wait."""

    def __init__(self, clock: Dial, url: str, deployment: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.ledger = RedisLedger(RedisLink(limits_address(url), timeout=10.0), deployment, clock=clock)
        self.wait(self.ledger.start())

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    async def reserve(self, *arguments: Any) -> Hold:
        return self.wait(self.ledger.reserve(*arguments))

    async def settle(self, *arguments: Any) -> None:
        self.wait(self.ledger.settle(*arguments))

    async def add(self, hold: Hold, cost: int) -> Hold:
        return self.wait(self.ledger.add(hold, cost))

    async def extend(self, hold: Hold) -> bool:
        return self.wait(self.ledger.extend(hold))

    def resolve(self, *arguments: Any) -> bool:
        return self.wait(self.ledger.resolve(*arguments))

    def expired(self, now: float) -> list[str]:
        return self.wait(self.ledger.expired(now))

    def account(self, scope: Scope) -> Account:
        return self.wait(self.ledger.account(scope))

    def figures(self) -> Any:
        self.wait(self.ledger.refresh())
        return self.ledger.figures

    def close(self) -> None:
        self.wait(self.ledger.close())
        self.loop.close()


@pytest.fixture(scope="module")
def redis_twins(valkey: Valkey) -> type[Twins]:
    class RedisTwins(Twins):
        def open(self) -> Any:
            return Waiting(self.clock, valkey.url, self.folder.name)

    return RedisTwins


def test_a_redis_ledger_is_the_same_as_well(redis_twins: type[Twins]) -> None:
    run_state_machine_as_test(
        redis_twins,
        settings=settings(max_examples=15, stateful_step_count=30, deadline=None, report_multiple_bugs=False),
    )
