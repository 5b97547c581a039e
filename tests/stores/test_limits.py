"""The rules of limits on their own: calendars, names, money, and the bound that the token queue promises."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.model.key import Limits
from yett.ports import Scope
from yett.stores import limits as rules
from yett.stores.limits import CIRCLE, MINUTE, Account

EPOCH = date(1970, 1, 1)


@given(st.integers(0, 60_000))
def test_periods_are_those_of_the_calendar(day: int) -> None:
    today = EPOCH + timedelta(day)
    assert rules.period_end(day, "day") == day + 1
    monday = EPOCH + timedelta(rules.period_end(day, "week"))
    assert monday.isoweekday() == 1
    assert 0 < (monday - today).days <= 7
    first = EPOCH + timedelta(rules.period_end(day, "month"))
    assert first.day == 1
    assert 0 < (first - today).days <= 31
    assert (
        rules.week(day)
        == rules.week(rules.period_end(day, "week") - 1)
        == rules.week(rules.period_end(day, "week")) - 1
    )
    assert rules.month(day) == rules.month(rules.period_end(day, "month") - 1)


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1, "0.000001"), (50_000_000, "50"), (1_500_000, "1.5"), (10_000_000, "10")]
)
def test_money_is_written_exactly(amount: int, text: str) -> None:
    assert rules.usd(amount) == text


def test_a_limit_is_named_as_its_holder_knows_it() -> None:
    assert rules.limit_name(Scope("key:key_123", Limits()), "5 calls in flight") == "key limit of 5 calls in flight"
    assert rules.limit_name(Scope("team:a:b", Limits()), "1") == "team limit of 1 (a:b)"
    assert rules.limit_name(Scope("tenant", Limits()), "1") == "tenant limit of 1"


def test_a_ledger_that_finds_no_obstacle_does_not_let_the_call_through_either() -> None:
    scope = Scope("key:k", Limits(rpm=5))
    assert rules.refusal((scope,), [Account()], 0, 0).code == "ledger_unavailable"


@pytest.mark.parametrize("seed", range(30))
def test_usage_never_exceeds_burst_and_refill(seed: int) -> None:
    """Calls counted when admitted, with what they truly used: over no stretch of time is there more than one minute's worth
    plus refill. Calls last long, reserve much and use little, which is where giving back goes wrong."""
    chance = random.Random(seed)
    limits = Limits(tpm=600)
    scope = Scope("key:k", limits)
    account = Account(drained=CIRCLE - 5 * MINUTE if seed % 2 else 0)
    running: list[tuple[int, int, int, int]] = []  # when, reserved, end, used
    history: list[tuple[int, int]] = []
    now = 0
    for _ in range(400):
        now += int(chance.choice([0, 0, 0.2, 1, 5, 30]) * 1e6)
        if chance.random() < 0.5:
            tokens = chance.choice([1, 50, 300, 600])
            rules.advance(account, limits, now)
            if not rules.obstacles(scope, account, tokens, 0):
                end = rules.take(account, limits, tokens, 0)
                running.append((now, tokens, end, chance.randrange(tokens + 1)))
        elif running:
            when, reserved, end, used = running.pop(chance.randrange(len(running)))
            rules.advance(account, limits, now)
            rules.settle(account, limits, end, (reserved, 0), (used, 0))
            history.append((when, used))
        assert 0 <= account.queued <= 600 * MINUTE
    history += [(when, used) for when, _, _, used in running]
    history.sort()
    for first in range(len(history)):
        total = 0
        for when, used in history[first:]:
            total += used
            assert total * MINUTE <= 600 * MINUTE + (when - history[first][0]) * 600


def test_light_traffic_gets_everything_back() -> None:
    limits = Limits(tpm=1000)
    account = Account()
    for turn in range(50):
        now = turn * 3_000_000
        rules.advance(account, limits, now)
        end = rules.take(account, limits, 900, 0)
        rules.advance(account, limits, now + 1_000_000)
        rules.settle(account, limits, end, (900, 0), (20, 0))
        assert account.queued <= 20 * MINUTE
