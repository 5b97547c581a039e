"""record: what the journal is told of a call, made from the trail that the pipeline leaves."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.decision import Decision, Facts
from yett.model.finding import Finding
from yett.model.record import Attempt, Content, FindingCount, Record
from yett.model.route import Target
from yett.model.usage import Usage
from yett.policy.explain import facts_to_record
from yett.ports import Hold


class Trail(Struct):
    """What is known of one call so far. The only value that changes while a call travels; whatever happens, the outcome is
    written from it. Times are monotonic seconds."""

    id: str
    started: float
    snapshot: Snapshot
    surface: str = ""
    stream: bool = False
    caller: Caller | None = None
    call: Call | None = None
    facts: Facts | None = None  # as last put to policy, about these candidates
    candidates: Sequence[Target] = ()
    decision: Decision | None = None
    verdict: str = ""  # allow, observe, deny
    labels: tuple[str, ...] = ()
    found: Sequence[Finding] = ()  # in the request
    findings: list[FindingCount] = []
    obligations: tuple[str, ...] = ()
    input_tokens: int = 0  # estimated, of what would leave
    hold: Hold | None = None
    intended: bool = False  # the intent is in the journal
    attempts: list[Attempt] = []
    target: str = ""
    upstream: float = 0.0  # seconds spent waiting for upstreams
    first_byte: float = 0.0  # when the first byte of the reply left
    answer: bytes = b""  # of a route that Yett answers itself
    status: int = 0
    outcome: str = "failed"
    code: str = ""
    finish: tuple[str, ...] = ()
    usage: Usage = Usage()
    request: Content | None = None
    reply: Content | None = None

    def answered(self, body: bytes) -> None:
        """Yett itself has the answer."""
        self.answer = body
        self.outcome, self.status = "ok", 200

    def refuse(self, refusal: Refusal) -> None:
        """The call ends with this refusal: by the gateway's decision (refused) or because something broke (failed)."""
        self.code = refusal.code
        self.status = refusal.status
        if self.outcome == "cut":
            return
        self.outcome = "failed" if refusal.fault in ("upstream", "gateway") else "refused"
        if refusal.fault == "policy":
            self.verdict = "deny"


def intent(trail: Trail, ts: int) -> Record:
    """`ts` in microseconds since the epoch. The facts are here, because here is where they were decided on."""
    return _record(trail, "intent", ts, _facts(trail))


def outcome(trail: Trail, ts: int, now: float) -> Record:
    """`ts` in microseconds since the epoch, `now` monotonic seconds."""
    elapsed = (now - trail.started) * 1000
    return _record(
        trail,
        "outcome",
        ts,
        {} if trail.intended else _facts(trail),
        outcome=trail.outcome,
        code=trail.code,
        status=trail.status,
        target=trail.target,
        attempts=tuple(trail.attempts),
        usage=trail.usage,
        reply=trail.reply,
        finish=trail.finish,
        ms=round(elapsed, 3),
        overhead_ms=round(max(0.0, elapsed - trail.upstream * 1000), 3),
        first_byte_ms=round((trail.first_byte - trail.started) * 1000, 3) if trail.first_byte else 0.0,
    )


def _facts(trail: Trail) -> dict[str, object]:
    return facts_to_record(trail.facts, trail.candidates) if trail.facts is not None else {}


def _record(trail: Trail, kind: str, ts: int, facts: dict[str, object], **more: object) -> Record:
    caller, call, decision = trail.caller, trail.call, trail.decision
    return Record(
        kind=kind,
        call=trail.id,
        ts=ts,
        caller=caller.id if caller else "",
        name=caller.name if caller else "",
        team=caller.team if caller else "",
        tenant=caller.tenant if caller else "",
        surface=trail.surface,
        action=call.action if call else "",
        model=call.model if call else "",
        stream=trail.stream,
        labels=trail.labels,
        snapshot=trail.snapshot.digest,
        decision=trail.verdict,
        policies=decision.policies if decision else (),
        observed=decision.observed if decision else (),
        errors=decision.errors if decision else (),
        obligations=trail.obligations,
        findings=tuple(trail.findings),
        facts=facts,
        targets=tuple(id for id, _ in decision.targets) if decision else (),
        hold=trail.hold.id if trail.hold else "",
        request=trail.request,
        **more,  # type: ignore[arg-type]
    )
