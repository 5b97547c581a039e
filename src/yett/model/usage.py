"""Usage: what a call consumed, in tokens and micro-USD."""

from __future__ import annotations

from msgspec import Struct


class Usage(Struct, frozen=True):
    """Tokens and cost of one call. `estimated` when the provider reported none and Yett counted; `prices` is the id of the
    price list that `cost` (micro-USD) was computed from, "" when no price is known and that is configured to be allowed."""

    input: int = 0
    cached: int = 0  # part of input
    output: int = 0
    cost: int = 0
    estimated: bool = False
    prices: str = ""

    @property
    def total(self) -> int:
        return self.input + self.output
