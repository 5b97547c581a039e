"""headroom: what a call's reservation still covers while a streamed answer comes, and what happens at its end.

A model writes more than was held when the provider does not keep to the limit it was told, or when it was told none and the
operator's default was too small. More is then held, a step at a time and away from the stream; when there is no room for
more, the answer is cut where the reservation ends: no budget is overshot by more than one event, however many come in one read.

How much has been written is counted as `settle` counts it when the provider says nothing (`tokens.written_tokens`): with what is held for
the input, that is what the call is charged if it is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from yett.config.prices import Price
from yett.errors import Refusal
from yett.ports import Exchange, Hold, Ledger
from yett.stages.record import Trail
from yett.stages.tokens import fewest_bytes, written_tokens

AHEAD = 256  # tokens: this long before the end of what is held, more is asked for
STEP = 1024  # tokens that are asked for at a time
LEAST = 16  # tokens: when there is no room for so many, there is none

Aside = Callable[[Coroutine[Any, Any, None], str], object]  # has something done beside the call


def headroom_of(trail: Trail, ledger: Ledger, aside: Aside, cut: Callable[[Refusal], None]) -> Headroom | None:
    """Of a call whose answer is streamed; None where nothing limits what it may cost: there is nothing to run out of."""
    hold = trail.hold
    if hold is None or not trail.stream or all(scope.limits.budget is None for scope in hold.scopes):
        return None
    return Headroom(trail, hold, ledger, aside, cut)


class Headroom:
    """For one call, which holds `hold`. `cut` ends it early, with a Refusal that its caller is told."""

    _price: Price
    _exchange: Exchange
    _ready: Callable[[], bool]

    def __init__(self, trail: Trail, hold: Hold, ledger: Ledger, aside: Aside, cut: Callable[[Refusal], None]) -> None:
        self.mark = 0  # bytes of answer up to which there is nothing to do
        self.steps = 0  # how often more was held
        self._trail = trail
        self._hold = hold
        self._ledger = ledger
        self._aside = aside
        self._cut = cut
        self._ahead = 0  # tokens
        self._count = 0  # tokens that have been written
        self._covered = 0  # tokens of output that are paid for by what is held
        self._asking = False
        self.waiting = False  # the answer has come to the end of what is held

    def begin(self, price: Price, exchange: Exchange, ready: Callable[[], bool]) -> None:
        """An attempt at a target of this price. `ready` says whether the caller takes what comes."""
        self._price, self._exchange, self._ready = price, exchange, ready
        self.waiting = False
        # A provider that keeps to what it was told needs no more than is held, so nothing is asked for in advance.
        self._ahead = 0 if self._trail.told else AHEAD
        self._measure()

    def reached(self, received: int, characters: int, reported: int) -> bool:
        """So many bytes have come, and the provider has `reported` so many tokens. True when no more may be taken for now."""
        self._count = max(written_tokens(received, characters, self._trail.told), reported)
        if self._count + self._ahead <= self._covered:
            return False
        if self._count > self._covered:
            self.waiting = True
            self._exchange.pause()
        if not self._asking:
            self._asking = True
            self._aside(self._ask(), f"headroom of {self._trail.id}")
        return self.waiting

    async def _ask(self) -> None:
        """Hold more: a step, or as much of it as there is room for."""
        refusal = None
        while refusal is None and self._count + self._ahead > self._covered:
            refusal = await self._more(max(self._count, self._covered), STEP)
            self._measure()
        self._asking = False
        if refusal is not None:
            self._ahead = 0  # who ends meanwhile may make room: the next time is when nothing is left
            self._measure()
        if self.waiting:
            self.waiting = False
            if refusal is not None:
                self._cut(refusal)
            elif self._ready():
                self._exchange.resume()

    async def _more(self, tokens: int, step: int) -> Refusal | None:
        while True:
            worst = self._price.worst_case(self._trail.input_tokens, tokens + step)
            try:
                self._hold = await self._ledger.add(self._hold, max(worst - self._hold.cost, 0))
            except Refusal as refusal:
                step //= 2
                if refusal.fault != "limit" or step < LEAST:
                    return refusal
            else:
                self._trail.hold = self._hold
                self.steps += 1
                return None

    def _measure(self) -> None:
        self._covered = self._price.covered(self._trail.input_tokens, self._hold.cost)
        self.mark = fewest_bytes(self._covered - self._ahead, self._trail.told)
