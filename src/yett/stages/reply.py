"""review: what comes back, whole or as a stream, is inspected and decided on like what went out.

Both kinds of reply are used alike: `deliver` takes one upstream's answer, and may fail as long as nothing has `begun` to go to
the caller. What was used (`usage`, or `received` characters when the provider does not say) is read by settle in every case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from yett.detectors.mask import mask, select
from yett.dialects import openai_chat
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.guardrail import Panel
from yett.model.record import FindingCount
from yett.model.route import Target
from yett.model.segment import Segment
from yett.model.usage import Usage
from yett.ports import Advisers, Exchange, Outlet, UpstreamFailure
from yett.stages import advice, inspect
from yett.stages.decide import Plan, Scores, judge_reply, rate_reply
from yett.stages.headroom import Headroom
from yett.stages.keep import kept_text, witness
from yett.stages.metadata import EVENT_STREAM, headers
from yett.stages.record import Trail
from yett.stages.restore import Restoration, allowed
from yett.stages.stream import BrokenStreamError, StreamReview, role_of
from yett.stages.stream_findings import StreamFindings, suppressed_by
from yett.stages.transform import Bodies, masked
from yett.stages.watch import Watch

_NO_KINDS: frozenset[str] = frozenset()


class BufferedReply:
    """A reply that is read whole, reviewed, and sent in one piece."""

    begun = False

    def __init__(
        self,
        plan: Plan,
        trail: Trail,
        bodies: Bodies,
        advisers: Advisers,
        examine: inspect.Examine,
        watch: Watch | None = None,
    ) -> None:
        self._examine = examine
        self._tenant = trail.caller.tenant if trail.caller else ""
        self._plan = plan
        self._trail = trail
        self._bodies = bodies
        self._advisers = advisers
        self._watch = watch
        self.status = 200
        self.body = b""
        self.kept = b""  # the body as the record keeps it
        self.usage: Usage | None = None
        self.received = 0

    @property
    def seen(self) -> tuple[Usage | None, int, int]:
        """What `settle` takes; of the body, which is JSON, no more than three quarters are taken for the answer."""
        return self.usage, self.received, self.received * 3 // 4

    @property
    def tools(self) -> Iterable[str]:
        """Names of the tools that the model calls."""
        return openai_chat.tools_called(self.body)

    async def deliver(self, exchange: Exchange, target: Target) -> None:
        """Raises UpstreamFailure when the answer is none, Refusal when policy does not release it."""
        body = await exchange.read(self._plan.snapshot.settings.gateway.max_reply_bytes)
        await self.take(body, exchange.status, target)

    async def take(self, body: bytes, status: int, target: Target) -> None:
        """Review a body. An error of the provider passes as well, if it is in the form that clients read."""
        trail, plan = self._trail, self._plan
        try:
            view = openai_chat.read_reply(body)
        except Refusal:
            if status < 300:
                raise UpstreamFailure("garbage") from None
            raise Refusal("provider_rejected", f"The provider refused the request with status {status}.") from None
        self.status = trail.status = status
        self.usage = view.usage
        trail.finish = view.finish
        if status < 300:
            self.received = len(body)
            trail.outcome = "ok"
        else:
            trail.code, trail.outcome = "provider_rejected", "failed"
        watch = self._watch if status < 300 else None
        if watch is not None and watch.nothing_in(body):
            watch = None
        seen = await self._look(body, segments=watch is not None)
        if plan.snapshot.suppressions and seen.findings:
            seen, notes = inspect.standing(plan.snapshot, trail.caller, "reply", trail.now, seen)
            trail.notes = (*trail.notes, *notes)
        if watch is not None:
            seen = self._watched(watch.fresh(), body, seen)
        panel = plan.snapshot.panel
        if panel is not None and panel.on("reply"):
            seen = await advice.on_reply(self._advisers, panel, trail, seen)
        self.kept = kept_text(plan.snapshot.settings.audit.content, body, seen.segments, seen.findings)
        redact = self._judge(seen, target)
        self.body = openai_chat.redact_reply(body, redact) if redact else body
        restoration = _restoration(self._plan, trail, target, self._bodies)
        if restoration is not None:
            try:
                self.body = restoration.body(self.body)
            except Refusal:  # readable, but not in one way only: nobody knows where the values would go
                raise UpstreamFailure("garbage") from None
            trail.findings = [*trail.findings, *restoration.counted]

    async def _look(self, body: bytes, *, segments: bool) -> inspect.Seen:
        """What is in a body. `segments`: they are asked for even when nothing is in them."""
        snapshot = self._plan.snapshot
        try:
            seen = await inspect.look_at_reply(self._examine, snapshot, self._tenant, body)
            wanted = segments or (snapshot.panel is not None and snapshot.panel.on("reply"))
            return seen._replace(segments=openai_chat.reply_segments(body)) if wanted and not seen.segments else seen
        except Refusal as refusal:
            if refusal.code == "overloaded":
                raise
            # readable, but not in one way only: what was inspected might not be what the caller reads
            raise UpstreamFailure("garbage") from None

    def _watched(self, watch: Watch, body: bytes, seen: inspect.Seen) -> inspect.Seen:
        """With what is said by the answer as a whole; its scores are on the trail."""
        for logprobs in openai_chat.logprobs_of(body):
            watch.sure(logprobs)
        found = watch.whole(seen.segments)
        self._trail.scores = watch.scores
        return seen._replace(findings=inspect.merged(seen.findings, found)) if found else seen

    def _judge(self, seen: inspect.Seen, target: Target) -> dict[int, str]:
        """The segments that must be replaced, by ordinal. Raises Refusal; the findings are on the trail either way."""
        trail, findings = self._trail, seen.findings
        kinds = _NO_KINDS
        if findings:
            trail.witness = trail.witness or witness(trail, "reply")
            trail.witness.whole(findings, seen.segments)
            kinds = frozenset(inspect.origins_of(seen))
        try:
            selectors = judge_reply(self._plan, trail, target, kinds, seen.scores)
            if trail.scores:
                rate_reply(self._plan, trail, target, kinds, seen.scores, trail.scores)
            if not findings:
                return {}
            redact = select(findings, selectors)
            texts = masked(seen.segments, redact)
        except Refusal as refusal:
            trail.findings = [*trail.findings, *inspect.counted(findings, "reply", frozenset(), blocked=True)]
            if refusal.code == "content_blocked":  # found where it cannot be rewritten
                raise Refusal("reply_blocked", str(refusal)) from None
            raise
        done = inspect.counted(findings, "reply", frozenset(f.kind for f in redact), blocked=False)
        trail.findings = [*trail.findings, *done]
        return texts


class StreamedReply:
    """A reply that is passed on event by event, as it comes."""

    def __init__(
        self,
        plan: Plan,
        trail: Trail,
        bodies: Bodies,
        advisers: Advisers,
        examine: inspect.Examine,
        watch: Watch | None,
        headroom: Headroom | None,
        wants_usage: bool,
        outlet: Outlet,
        now: Callable[[], float],
    ) -> None:
        self._headroom = headroom
        self._plan = plan
        self._trail = trail
        self._bodies = bodies
        self._advisers = advisers
        self._outlet = outlet
        self._wants_usage = wants_usage
        self._now = now
        self._watch = watch
        self._buffered = BufferedReply(plan, trail, bodies, advisers, examine, watch)
        self._review: StreamReview | None = None
        self._restoration: Restoration | None = None
        self.begun = False
        panel = plan.snapshot.panel
        self._panel = panel if panel is not None and panel.on("reply") else None
        self._waiting: list[bytes] = []  # until guardrails have heard the whole answer
        self._scores: Scores = ()  # what these say

    async def deliver(self, exchange: Exchange, target: Target) -> None:
        """Raises UpstreamFailure, BrokenStreamError, Refusal; afterwards `begun` says whether the caller has seen any of it."""
        if exchange.status >= 300:
            self._review = None  # of an attempt before, of which nothing has gone out
            await self._buffered.deliver(exchange, target)
            return
        if not exchange.header(b"content-type").lower().startswith(b"text/event-stream"):
            raise UpstreamFailure("garbage", "not an event stream")
        plan, trail = self._plan, self._trail
        settings = plan.snapshot.settings
        content = settings.audit.content
        self._waiting = []
        judge_reply(plan, trail, target, _NO_KINDS)
        self._restoration = _restoration(plan, trail, target, self._bodies)
        if self._watch is not None:
            self._watch = self._watch.fresh()
        trail.witness = witness(trail, "reply")
        review = self._review = StreamReview(
            plan.snapshot.scanner if settings.inspection.stream else None,
            StreamFindings(
                lambda kinds: judge_reply(plan, trail, target, kinds),
                suppressed_by(plan.snapshot, trail),
                trail.witness,
            ),
            want_usage=self._wants_usage,
            keep="full" if self._panel else {"none": "", "digest": "full"}.get(content, content),
            limit=settings.gateway.max_reply_bytes,
            restoration=self._restoration,
            watch=self._watch,
        )
        self._scores = ()
        try:
            await exchange.stream(self._sink(review, exchange, target))
        except UpstreamFailure:
            if not review.done:  # else: it said all it had to say, and then did not end properly
                raise
        if not review.done:
            if self.begun:  # else another target may still do better than half an answer
                self._write(review.finish_all())
            raise BrokenStreamError("upstream_error" if review.failed else "missing_terminator")
        if self._panel is not None:
            await self._consult(self._panel, review, target)
        if self._watch is not None and (rated := self._watch.scores):
            rate_reply(plan, trail, target, review.found.kinds, self._scores, rated)
        trail.outcome, trail.status = "ok", 200

    def _sink(self, review: StreamReview, exchange: Exchange, target: Target) -> Callable[[bytes], None]:
        """What is done with each piece that comes."""
        headroom, price = self._headroom, self._plan.route.prices.get(target.id)
        if headroom is None or price is None:
            return lambda data: self._write(review.feed(data))

        received = ended = 0

        def enough() -> bool:
            nonlocal received, ended
            grown, over = review.received > received, len(review.finish) > ended
            received, ended = review.received, len(review.finish)
            if over or (ended and not grown) or (received <= headroom.mark and review.usage is None):
                return False  # the end of a choice, or what is said after it: there is nothing left to cut
            return headroom.reached(received, review.characters, review.usage.output if review.usage else 0)

        def take(data: bytes) -> None:
            self._write(review.feed(data, enough, 0 if review.usage else headroom.mark))
            if review.rest:
                exchange.unread(review.rest)

        headroom.begin(price, exchange, lambda: not self._outlet.paused)
        return take

    async def _consult(self, panel: Panel, review: StreamReview, target: Target) -> None:
        """Let guardrails hear the whole answer before the caller sees any of it. Raises Refusal."""
        trail = self._trail
        segments = tuple(
            Segment(text, role_of(channel.split("/")), UNPATCHABLE) for channel, text in review.texts.items()
        )
        local = self._plan.snapshot.scanner.scan(segments)  # a guardrail is not shown what was found here, see `redact`
        seen = await advice.on_reply(self._advisers, panel, trail, inspect.Seen(local, segments))
        known, self._scores = set(local), seen.scores
        found = [finding for finding in seen.findings if finding not in known]
        if found:
            trail.witness = trail.witness or witness(trail, "reply")
            trail.witness.whole(found, seen.segments)
        if found or seen.scores:
            blocked = True
            try:
                kinds = review.found.kinds.union(inspect.origins_of(seen._replace(findings=tuple(found))))
                blocked = bool(select(found, judge_reply(self._plan, trail, target, kinds, seen.scores)))
            finally:
                done = inspect.counted(found, "reply", frozenset(), blocked=blocked)
                trail.findings = [*trail.findings, *done]
            if blocked:
                raise Refusal("reply_blocked", "What a guardrail found cannot be cut out of a stream.")
        waiting, self._waiting, self._panel = self._waiting, [], None
        for data in waiting:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._panel is not None:
            self._waiting.append(data)
            return
        if not self.begun:
            self.begin()
        self._outlet.write(data)

    def begin(self) -> None:
        """From here on the status is 200, whatever happens."""
        self.begun = True
        self._trail.first_byte = self._now()
        self._outlet.head(200, (*EVENT_STREAM, *headers(self._trail)), None)

    @property
    def body(self) -> bytes:
        return self._buffered.body

    @property
    def status(self) -> int:
        return self._buffered.status

    @property
    def tools(self) -> Iterable[str]:
        return self._review.tools if self._review else self._buffered.tools

    @property
    def seen(self) -> tuple[Usage | None, int, int]:
        """What `settle` takes."""
        return (review.usage, review.received, review.characters) if (review := self._review) else (None, 0, 0)

    @property
    def kept(self) -> bytes:
        """The released texts by channel, as JSON."""
        if self._review is None:
            return self._buffered.kept
        texts, snapshot = self._review.texts, self._plan.snapshot
        content, panel = snapshot.settings.audit.content, snapshot.panel
        if content == "none":
            return b""
        if content == "redacted" and (panel is not None or not snapshot.settings.inspection.stream):
            scan = snapshot.scanner.scan_text  # what was passed on unseen is not kept unseen
            texts = {channel: mask(text, scan(text)) for channel, text in texts.items()}
        return msgspec.json.encode(texts)

    def note(self) -> None:
        """Put what the review saw on the trail."""
        if self._headroom is not None and self._headroom.steps:
            self._trail.notes += (f"limits: {self._headroom.steps} times more was held than at first",)
        if self._review is not None:
            self._trail.finish = tuple(self._review.finish)
            gone = self._review.found.suppressed
            self._trail.notes += tuple([inspect.suppressed(name, gone[name], "reply") for name in sorted(gone)])
            if self._watch is not None:
                self._trail.scores = self._watch.scores
            self._trail.findings = [
                *self._trail.findings,
                *(
                    FindingCount(kind, count, "reply", action)
                    for (kind, action), count in sorted(self._review.found.counted.items())
                ),
                *(self._restoration.counted if self._restoration else ()),
            ]


def _restoration(plan: Plan, trail: Trail, target: Target, bodies: Bodies) -> Restoration | None:
    """What may be put back into this target's reply; None for nearly all calls, of which nothing was exchanged."""
    known = bodies.known(target)
    if known is None:
        return None
    limit = plan.snapshot.settings.gateway.max_reply_bytes
    return Restoration(known, allowed(plan, trail, target, known), json=bodies.wants_json, limit=limit)
