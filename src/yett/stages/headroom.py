"""headroom: what a call's reservation still covers while a streamed answer comes, and what happens at its end.

A model writes more than was held when the provider does not keep to the limit it was told, or when it was told none and the
operator's default was too small. More is then held, a step at a time and away from the stream; when there is no room for
more, the answer is cut where the reservation ends: no budget is overshot by more than one event, however many come in one read.
The journal is told first, so that a ledger which is made anew from it never holds less for the call than the one that is gone.

How much has been written is counted as `settle` counts it when the provider says nothing (`tokens.written_tokens`): with what is held for
the input, that is what the call is charged if it is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from yett.config.prices import Price
from yett.errors import Refusal
from yett.ports import Clock, Exchange, Hold, Journal, Ledger
from yett.stages import record
from yett.stages.record import Trail
from yett.stages.tokens import fewest_bytes, written_tokens

AHEAD = 256  # tokens: this long before the end of what is held, more is asked for
STEP = 1024  # tokens that are asked for at a time
LEAST = 16  # tokens: when there is no room for so many, there is none

Aside = Callable[[Coroutine[Any, Any, None], str], object]  # has something done beside the call


class Running(Protocol):
    """The call, as who holds for it sees it."""

    ending: bool  # its outcome is being written

    def cut(self, reason: Refusal) -> None:
        """End it early, with a Refusal that its caller is told."""
        ...


class Means(Protocol):
    """What of the gate it takes."""

    @property
    def ledger(self) -> Ledger: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def aside(self) -> Aside: ...


def headroom_of(trail: Trail, means: Means, running: Running) -> Headroom | None:
    """Of a call whose answer is streamed; None where nothing limits what it may cost: there is nothing to run out of."""
    hold = trail.hold
    if hold is None or not trail.stream or all(scope.limits.budget is None for scope in hold.scopes):
        return None
    return Headroom(trail, hold, means, running)


class Headroom:
    """For one call, which holds `hold`."""

    _price: Price
    _exchange: Exchange
    _ready: Callable[[], bool]

    def __init__(self, trail: Trail, hold: Hold, means: Means, running: Running) -> None:
        self.mark = 0  # bytes of answer up to which there is nothing to do
        self.steps = 0  # how often more was held
        self._trail = trail
        self._hold = hold
        self._told = hold.cost  # micro-USD: the most that the journal has been told
        self._means = means
        self._now = means.clock.now  # wall seconds
        self._running = running
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
            self._means.aside(self._ask(), f"headroom of {self._trail.id}")
        return self.waiting

    async def _ask(self) -> None:
        """Hold more: a step, or as much of it as there is room for."""
        refusal = None
        while refusal is None and self._count + self._ahead > self._covered:
            if self._running.ending:
                return  # what would be held now nobody would give back
            refusal = await self._more(max(self._count, self._covered), STEP)
            self._measure()
        self._asking = False
        if refusal is not None:
            self._ahead = 0  # who ends meanwhile may make room: the next time is when nothing is left
            self._measure()
        if self.waiting:
            self.waiting = False
            if refusal is not None:
                self._running.cut(refusal)
            elif self._ready():
                self._exchange.resume()

    async def _more(self, tokens: int, step: int) -> Refusal | None:
        while True:
            worst = self._price.worst_case(self._trail.input_tokens, tokens + step)
            try:
                await self._tell(worst)
                self._hold = await self._means.ledger.add(self._hold, max(worst - self._hold.cost, 0))
            except Refusal as refusal:
                step //= 2
                if refusal.fault != "limit" or step < LEAST:
                    return refusal
            else:
                self._trail.hold = self._hold
                self.steps += 1
                return None

    async def _tell(self, cost: int) -> None:
        """Have it on the record that the call may hold so much. Raises Refusal."""
        if cost > self._told:
            self._told = cost
            worst = (self._hold.tokens, cost)
            await self._means.journal.append(record.extension(self._trail, int(self._now() * 1e6), worst))

    def _measure(self) -> None:
        self._covered = self._price.covered(self._trail.input_tokens, self._hold.cost)
        self.mark = fewest_bytes(self._covered - self._ahead, self._trail.told)
