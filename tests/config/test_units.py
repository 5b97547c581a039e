"""Human units: exact, and precise about what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.config import units
from yett.model.key import Budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("30d", 2_592_000.0), ("1.5h", 5400.0), ("0s", 0.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("30", "a number and a unit"),
        ("s", "a number and a unit"),
        ("-3s", "a number and a unit"),
        ("30 s", "a number and a unit"),
        ("30s\n", "a number and a unit"),
        ("٣s", "a number and a unit"),
        ("3w", 'no unit of time "w"'),
        ("3S", 'no unit of time "S"'),
        ("9" * 400 + "s", "a number and a unit"),
        ("36501d", "a hundred years"),
        ("3153600001s", "a hundred years"),
    ],
)
def test_bad_durations(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("64KiB", 65536), ("8MiB", 8388608), ("1.5kB", 1500), ("2GB", 2_000_000_000)]
)
def test_sizes(text: str, size: int) -> None:
    assert units.parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "part"),
    [("8", "a number and a unit"), ("8Mib", 'no unit of size "Mib"'), ("1.5B", "whole number"), ("8mb", "no unit")],
)
def test_bad_sizes(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("50usd/month", Budget(50_000_000, "month")),
        ("12.50usd/week", Budget(12_500_000, "week")),
        ("0.000001usd/day", Budget(1, "day")),
    ],
)
def test_budgets(text: str, budget: Budget) -> None:
    assert units.parse_budget(text) == budget


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("50usd", "an amount per period"),
        ("50eur/month", "an amount per period"),
        ("$50/month", "an amount per period"),
        ("1.0000001usd/day", "an amount per period"),
        ("50usd/year", 'no period "year"'),
    ],
)
def test_bad_budgets(text: str, part: str) -> None:
    with pytest.raises(ValueError, match=part):
        units.parse_budget(text)


@given(st.integers(0, 10**12), st.sampled_from(units.PERIODS))
def test_budget_round_trip(amount: int, period: str) -> None:
    budget = Budget(amount, period)
    assert units.parse_budget(units.format_budget(budget)) == budget


@given(st.integers(0, 10**9))
def test_duration_round_trip(milliseconds: int) -> None:
    assert units.parse_duration(units.format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(0, 10**13))
def test_size_round_trip(size: int) -> None:
    assert units.parse_size(units.format_size(size)) == size


def test_odd_duration_is_still_readable() -> None:
    assert units.format_duration(0.0001) == "0.0001s"
