"""Asks guardrails for their opinion: side by side, within one deadline, never more than a bounded number of times.

A guardrail that cannot be asked (its circuit breaker is open, the deadline has passed, its answer makes no sense) has failed;
what follows is said by its `fail_open`, and is told to whoever asked. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from yett.config.settings import RoutingSettings
from yett.edge.tasks import spawn
from yett.edge.verdicts import Digests, Verdicts
from yett.guardrails.kind import Asked, Kind, Piece, UnreadableError, Verdict
from yett.guardrails.opinion import Judged, Opinion, advice_of
from yett.guardrails.plan import Answer, Part, heard, planned
from yett.guardrails.select import Selection, selected
from yett.guardrails.shelf import KINDS
from yett.model.guardrail import NO_ADVICE, Advice, Guardrail, Panel, Question
from yett.model.route import Target
from yett.ports import Clock, Outgoing, Upstream, UpstreamFailure
from yett.stages.health import Health, TargetState

# That one guardrail is asked about for one question; what it has judged is remembered when the caller retries.
MOST_PARTS = 256
Tell = Callable[[str, str, float], None]  # guardrail, outcome, seconds
_INCOMPLETE = frozenset(("too much text", "not everything was judged"))
MOST_ANSWER = 4 * 1024**2  # bytes


class LocalModel(Protocol):
    """A model that runs in this process. `longest` is characters of one piece, `identity` says which model it is."""

    longest: int
    identity: str

    async def judge(self, guardrail: Guardrail, pieces: Sequence[Piece]) -> Verdict:
        """Never on the event loop's own time. A model that fails gives a verdict that is not complete."""
        ...


class Models(Protocol):
    """The local models."""

    def get(self, guardrail: Guardrail) -> LocalModel | None:
        """None when this guardrail's model is not loaded."""
        ...


class _Way(Struct, frozen=True):
    """How one guardrail is reached: under which breaker, and in how many turns at a time."""

    target: Target
    turn: asyncio.Semaphore
    turns: int


class _Failed(Exception):
    """There is no usable answer; the message is for the record."""


def _outcome(failure: str) -> str:
    """For metrics: ok, timeout, set_aside, incomplete, or failed in any other way."""
    named = {"": "ok", "timeout": "timeout", "set aside after failures": "set_aside"}
    return named.get(failure, "incomplete" if failure in _INCOMPLETE else "failed")


class Guardrails:
    """Implements ports.Advisers. Construct and use it on one running event loop."""

    def __init__(
        self, upstream: Upstream, clock: Clock, routing: RoutingSettings, models: Models, tell: Tell | None = None
    ) -> None:
        self._tell = tell
        self._upstream = upstream
        self._clock = clock
        self._routing = routing
        self._models = models
        self._health = Health(routing)
        self._verdicts = Verdicts()
        self._panel: Panel | None = None
        self._ways: dict[str, _Way] = {}

    async def advise(self, panel: Panel, question: Question) -> Advice:
        """What the panel thinks, after `panel.deadline` seconds at most. Raises nothing but CancelledError."""
        if panel is not self._panel:
            self._take_up(panel)
        asked = [guardrail for guardrail in panel.guardrails if question.side in guardrail.on]
        if not asked:
            return NO_ADVICE
        until = self._clock.monotonic() + panel.deadline
        digests = Digests()
        ways = self._ways  # of this panel, whatever is taken up meanwhile
        waiting = [self._consult(panel, one, ways[one.id], question, digests, until) for one in asked]
        return advice_of(await asyncio.gather(*waiting))

    def targets(self) -> tuple[TargetState, ...]:
        """The circuit breaker of every guardrail that was ever asked."""
        return self._health.targets(self._clock.monotonic())

    # ---- the parts ----

    def _take_up(self, panel: Panel) -> None:
        """Another configuration is in force. Guardrails that stay keep what is known of them."""
        self._panel = panel
        ways = {}
        for guardrail in panel.guardrails:
            most, known = guardrail.concurrency, self._ways.get(guardrail.id)
            turn = known.turn if known is not None and known.turns == most else asyncio.Semaphore(most)
            target = Target(f"guardrail/{guardrail.id}", guardrail.provider, guardrail.kind)
            ways[guardrail.id] = _Way(target, turn, most)
        self._ways = ways
        self._health.configure(self._routing, [way.target for way in ways.values()])

    async def _consult(
        self, panel: Panel, guardrail: Guardrail, way: _Way, question: Question, digests: Digests, until: float
    ) -> Opinion:
        chosen, now = selected(guardrail, question), self._clock.monotonic()
        keys = [(guardrail.fingerprint, question.side, text.role, digests.of(text.text)) for text in chosen.texts]
        known = [self._verdicts.find(question.tenant, key, now) for key in keys]
        judged = [
            Judged(t.segment, signals) for t, signals in zip(chosen.texts, known, strict=True) if signals is not None
        ]
        remembered = len(judged)
        model = self._models.get(guardrail)
        parts, failure = self._parts(guardrail, model, chosen, [i for i, s in enumerate(known) if s is None])
        answers = await self._answers(guardrail, way, model, question.side, parts, until)
        if self._tell is not None and chosen.texts:
            why = next((answer.failure for answer in answers if answer.failure), failure)
            outcome = _outcome(why) if parts or why else "remembered"
            self._tell(guardrail.id, outcome, self._clock.monotonic() - now)
        for number, one in heard(parts, answers).items():
            if one.whole:
                end = self._clock.monotonic() + panel.seconds
                self._verdicts.keep(question.tenant, keys[number], one.signals, end, panel.remembered)
            if one.whole or one.signals:
                judged.append(Judged(chosen.texts[number].segment, one.signals))
        failure = next((answer.failure for answer in answers if answer.failure), failure)
        said = model.identity if model is not None else ""
        return Opinion(guardrail, tuple(judged), remembered, chosen.withheld, failure, said)

    def _parts(
        self, guardrail: Guardrail, model: LocalModel | None, chosen: Selection, new: Sequence[int]
    ) -> tuple[tuple[Part, ...], str]:
        """What to ask about, and why that is not everything, "" when it is."""
        taker: Kind | LocalModel | None = KINDS.get(guardrail.kind) or model
        if taker is None:
            return (), "its model is not loaded" if new else ""
        texts = {number: (chosen.texts[number].text, chosen.texts[number].role) for number in new}
        parts = planned(texts, taker.longest)
        return parts, "too much text" if len(parts) > MOST_PARTS else ""

    async def _answers(
        self, guardrail: Guardrail, way: _Way, model: LocalModel | None, side: str, parts: Sequence[Part], until: float
    ) -> list[Answer]:
        pieces = tuple([part.piece for part in parts[:MOST_PARTS]])
        kind = KINDS.get(guardrail.kind)
        if not pieces:
            return []
        if kind is None:
            return [await self._think(guardrail, way, model, pieces, until)] if model is not None else []
        asked: list[Asked] = []
        for start in range(0, len(pieces), kind.batch):
            asked += kind.ask(guardrail, side, pieces[start : start + kind.batch], self._clock.now())
        return await asyncio.gather(*[self._ask(guardrail, way, kind, one, until) for one in asked])

    async def _ask(self, guardrail: Guardrail, way: _Way, kind: Kind, asked: Asked, until: float) -> Answer:
        try:
            async with asyncio.timeout(until - self._clock.monotonic()) as limit, way.turn:
                verdict = kind.read(guardrail, asked, await self._send(guardrail, way.target, asked, limit))
        except TimeoutError:
            return Answer(asked.pieces, failure="timeout")
        except UnreadableError as error:
            return Answer(asked.pieces, failure=str(error))
        except _Failed as error:
            return Answer(asked.pieces, failure=str(error))
        return Answer(asked.pieces, verdict, "" if verdict.complete else "not everything was judged")

    async def _send(self, guardrail: Guardrail, target: Target, asked: Asked, limit: asyncio.Timeout) -> bytes:
        """The body of a good answer. Raises _Failed."""
        if next(self._health.order((target,), 0.0, self._clock.monotonic()), None) is None:
            raise _Failed("set aside after failures")
        keys = guardrail.provider.keys
        secret = keys[0] if keys and asked.bearer else None
        outcome, status = "cancelled", 0
        try:
            exchange = await self._upstream.send(
                Outgoing(guardrail.provider, "POST", asked.path, asked.headers, asked.body, secret)
            )
            status = exchange.status
            body = await exchange.read(MOST_ANSWER)
            outcome = "ok" if status == 200 else "status"
        except UpstreamFailure as error:
            outcome = error.outcome
            raise _Failed(outcome) from error
        except ValueError as error:  # a resource or key that cannot be put on the wire
            raise _Failed("cannot be sent") from error
        finally:
            if outcome == "cancelled" and limit.expired():
                outcome = "timeout.total"  # the deadline has passed: that is the service's, not the caller's doing
            self._health.report(target, None, outcome, status, 0.0, self._clock.monotonic())
        if status != 200:
            raise _Failed(f"status {status}")
        return body

    async def _think(
        self, guardrail: Guardrail, way: _Way, model: LocalModel, pieces: tuple[Piece, ...], until: float
    ) -> Answer:
        """Ask a model in this process. It keeps its turn until its thread has really stopped, so that texts which take too
        long cannot pile up."""
        thinking: asyncio.Task[Verdict] | None = None
        try:
            async with asyncio.timeout(until - self._clock.monotonic()):
                await way.turn.acquire()
                thinking = spawn(model.judge(guardrail, pieces), f"guardrail {guardrail.id}")
                thinking.add_done_callback(lambda _: way.turn.release())
                verdict = await asyncio.shield(thinking)
        except TimeoutError:
            return Answer(pieces, failure="timeout")
        finally:
            if thinking is not None:
                thinking.cancel()
        return Answer(pieces, verdict, "" if verdict.complete else "not everything was judged")
