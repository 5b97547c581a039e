"""Gate: everything a call needs from outside, in one value; and Flight: a call in progress, as the outside sees it.

The composition root builds one Gate per process. Flights are how a revoked key, a slow reader or a shutdown reaches a call
that is already running.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Protocol, cast

from msgspec import Struct

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.ports import Advisers, Clock, Exchange, Files, Journal, Ledger, Meter, Outlet, Upstream, Vault
from yett.stages.exchange import Allowance, Signer
from yett.stages.headroom import Aside, Headroom
from yett.stages.health import Health
from yett.stages.identify_tokens import Trust
from yett.stages.inspect import Examine
from yett.stages.local import Calls
from yett.stages.record import Trail
from yett.stages.reply import BufferedReply, StreamedReply
from yett.stages.tasks import Tasks


class Live(Protocol):
    """Where the snapshot in force is read, once per call."""

    @property
    def current(self) -> Snapshot: ...


class Flight:
    """One call in progress. Whoever ends it early says why; the pipeline learns it as a cancellation."""

    __slots__ = ("_outlet", "ending", "exchange", "headroom", "reason", "reply", "trail")

    def __init__(self, trail: Trail, outlet: Outlet) -> None:
        self.trail = trail
        self.exchange: Exchange | None = None
        self.headroom: Headroom | None = None
        self.reply: BufferedReply | StreamedReply | None = None
        self.reason: Refusal | None = None  # None when the caller went away
        self.ending = False  # the outcome is being written: too late to end it early
        self._outlet = outlet

    def gone(self) -> None:
        """The caller disconnected."""
        self._cancel()

    def cut(self, reason: Refusal) -> None:
        """End the call and tell the caller `reason`. Safe at any time; the first reason counts."""
        if not self.ending:
            self.reason = reason
            self._cancel()

    def pause(self, paused: bool) -> None:
        """The caller reads slowly: stop reading the upstream, so that memory stays bounded."""
        if self.exchange is not None:
            if paused:
                self.exchange.pause()
            elif self.headroom is None or not self.headroom.waiting:
                self.exchange.resume()

    def _cancel(self) -> None:
        if not self.ending:
            self.ending = True
            self._outlet.cancel()


class _Turn:
    """What `asyncio.sleep(0)` waits for, without its two frames: the loop has come round."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class _AtOnce:
    def __await__(self) -> Generator[None, None, None]:
        return _NO_WAIT


_NO_WAIT = cast("Generator[None, None, None]", iter(()))
_TURN, _AT_ONCE = _Turn(), _AtOnce()


class Gate(Struct, frozen=True):
    """One process's way to the world."""

    live: Live
    ledger: Ledger
    journal: Journal
    upstream: Upstream
    health: Health
    trust: Trust
    signer: Signer
    allowance: Allowance
    clock: Clock
    meter: Meter
    calls: Calls
    examine: Examine
    vault: Vault
    advisers: Advisers
    files: Files
    tasks: Tasks
    new_id: Callable[[], str]  # ids of calls, ordered by time
    roll: Callable[[], float]  # random in [0, 1)
    flights: set[Flight]
    aside: Aside  # has something done in the background

    def abreast(self) -> Awaitable[None]:
        """Let other calls come as far as this one. They then take the next stage one after the other, while the processor still has
        at hand what it works with: the automaton's tables, the ledger's rows, the code itself."""
        return _TURN if len(self.flights) > 1 else _AT_ONCE
