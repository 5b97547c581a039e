"""Durations, sizes and budgets as people write them: "30s", "8MiB", "50usd/month"."""

from __future__ import annotations

import re
from decimal import Decimal

from yett.model.key import Budget

DURATION_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
SIZE_UNITS = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
LONGEST_DURATION = 36_500  # days: a moment that far from now still has a date
PERIODS = ("day", "week", "month")

DURATION_PATTERN = r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"
SIZE_PATTERN = r"^[0-9]+(\.[0-9]+)?(B|kB|MB|GB|KiB|MiB|GiB)$"
BUDGET_PATTERN = r"^[0-9]+(\.[0-9]{1,6})?usd/(day|week|month)$"

_NUMBER_AND_UNIT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)([A-Za-z]+)", re.ASCII)
_BUDGET = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)usd/([a-z]+)", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds of "500ms", "30s", "5m", "1h" or "30d". Raises ValueError with a sentence for the operator."""
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is None:
        raise ValueError('a duration is a number and a unit, such as "500ms", "30s", "5m", "1h" or "30d"')
    if (unit := DURATION_UNITS.get(match[2])) is None:
        raise ValueError(f'no unit of time "{match[2]}"; use ms, s, m, h or d')
    seconds = Decimal(match[1]) * unit
    if seconds > LONGEST_DURATION * DURATION_UNITS["d"]:
        raise ValueError(f"longer than {LONGEST_DURATION}d, which is a hundred years")
    return float(seconds)


def parse_size(text: str) -> int:
    """Bytes of "512B", "64KiB", "8MiB" or "1GB". Raises ValueError with a sentence for the operator."""
    match = _NUMBER_AND_UNIT.fullmatch(text)
    if match is None:
        raise ValueError('a size is a number and a unit, such as "512B", "64KiB", "8MiB" or "1GB"')
    if (unit := SIZE_UNITS.get(match[2])) is None:
        raise ValueError(f'no unit of size "{match[2]}"; use {", ".join(SIZE_UNITS)}')
    size = Decimal(match[1]) * unit
    if size != int(size):
        raise ValueError("the size is not a whole number of bytes")
    return int(size)


def parse_budget(text: str) -> Budget:
    """The Budget of "50usd/month" (day, week, month; up to six decimals). Raises ValueError with a sentence."""
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise ValueError('a budget is an amount per period, such as "50usd/month", "12.50usd/week" or "5usd/day"')
    if match[2] not in PERIODS:
        raise ValueError(f'no period "{match[2]}"; use day, week or month')
    return Budget(amount=int(Decimal(match[1]) * 1_000_000), period=match[2])


def format_duration(seconds: float) -> str:
    """The shortest exact way to write a duration, in the largest unit that divides it."""
    for unit in ("d", "h", "m", "s", "ms"):
        count = Decimal(str(seconds)) / DURATION_UNITS[unit]
        if count == int(count) and (count or unit == "s"):
            return f"{int(count)}{unit}"
    return f"{seconds:g}s"


def format_size(size: int) -> str:
    """The shortest exact way to write a size, in the largest binary unit that divides it."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % SIZE_UNITS[unit] == 0:
            return f"{size // SIZE_UNITS[unit]}{unit}"
    return f"{size}B"


def format_budget(budget: Budget) -> str:
    """As parse_budget reads it: "12.5usd/week"."""
    amount = Decimal(budget.amount) / 1_000_000
    return f"{amount.normalize():f}usd/{budget.period}"
