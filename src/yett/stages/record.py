"""record: what the journal is told of a call, made from the trail that the pipeline leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Raw
from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.decision import Decision
from yett.model.record import NO_FACTS, Attempt, Content, Evidence, FindingCount, Proof, Record
from yett.model.task import TaskFacts
from yett.model.usage import Usage
from yett.ports import Hold
from yett.stages.evidence import Witness
from yett.stages.inspect import Seen
from yett.stages.tasks import Step

NOTHING = Usage()
_KEY = Proof("key")
_NO_SCORES: Mapping[str, float] = MappingProxyType({})


class Trail:
    """What is known of one call so far. The only value that changes while a call travels; whatever happens, the outcome is
    written from it. Times are monotonic seconds."""

    id: str
    started: float
    snapshot: Snapshot

    # Class attributes until they are known: a call sets only what it gets to.
    surface: str = ""
    stream: bool = False
    caller: Caller | None = None
    call: Call | None = None
    facts: Raw = NO_FACTS  # as last put to policy
    decision: Decision | None = None
    verdict: str = ""  # allow, observe, deny
    labels: tuple[str, ...] = ()
    found: Seen | None = None  # in the request; None: it was refused before it was inspected
    findings: Sequence[FindingCount] = ()
    witness: Witness | None = None  # of the reply's findings
    evidence: Sequence[Evidence] = ()  # of all findings, each by itself; when the call is over
    unlisted: int = 0
    now: float = 0.0  # wall seconds, when it was decided on
    obligations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # of guardrails: who was asked, who failed
    input_tokens: int = 0  # estimated, of what would leave
    hold: Hold | None = None
    begun: Record | None = None  # the intent
    intended: bool = False  # it is in the journal
    attempts: Sequence[Attempt] = ()
    target: str = ""
    told: int = 0  # tokens: how much the target was told to write at most, in all choices; 0: it was told nothing
    upstream: float = 0.0  # seconds spent waiting for upstreams
    first_byte: float = 0.0  # when the first byte of the reply left
    answer: bytes = b""  # of a route that Yett answers itself
    status: int = 0
    outcome: str = "failed"
    code: str = ""
    fence: str = ""
    step: Step | None = None  # of a task; None: the call is part of none
    task: TaskFacts | None = None  # as far as policies ask for it
    finish: tuple[str, ...] = ()
    scores: Mapping[str, float] = _NO_SCORES  # of the answer
    usage: Usage = NOTHING
    request: Content | None = None
    reply: Content | None = None

    def __init__(self, id: str, started: float, snapshot: Snapshot) -> None:
        self.id = id
        self.started = started
        self.snapshot = snapshot

    def held(self, hold: Hold) -> None:
        """The ledger has room for the call, or knows no better."""
        self.hold = hold
        if hold.standing.share > 1:
            self.notes = (*self.notes, f"limits: the store is away: 1/{hold.standing.share} of each rate, no budget")

    def answered(self, body: bytes) -> None:
        """Yett itself has the answer."""
        self.answer = body
        self.outcome, self.status = "ok", 200

    def refuse(self, refusal: Refusal) -> None:
        """The call ends with this refusal: by the gateway's decision (refused) or because something broke (failed)."""
        self.code = refusal.code
        self.fence = refusal.fence
        self.status = refusal.status
        if self.outcome == "cut":
            return
        # What a provider refuses is the caller's fault, but no refusal of ours.
        ours = refusal.fault not in ("upstream", "gateway") and refusal.code != "provider_rejected"
        self.outcome = "refused" if ours else "failed"
        if refusal.fault == "policy":
            self.verdict = "deny"


def _proof(caller: Caller) -> Proof:
    credential = caller.credential
    if credential.kind == "key":
        return _KEY if not credential.mark else Proof(_KEY.credential, id=credential.mark)
    handed = credential.delegation
    task, actors = (handed.task, handed.actors) if handed is not None else ("", ())
    return Proof(
        credential.kind,
        caller.kind,
        caller.assurance,
        credential.issuer,
        credential.id,
        task,
        actors,
        credential.through,
    )


def _counted(hold: Hold | None) -> tuple[str, ...]:
    """The scopes that the ledger of all gateways counts it in: none of what went on without it."""
    return () if hold is None or hold.standing.share > 1 else tuple([scope.id for scope in hold.scopes])


def intent(trail: Trail, ts: int) -> Record:
    """`ts` in microseconds since the epoch. The facts are here, because here is where they were decided on."""
    caller, call, decision = trail.caller, trail.call, trail.decision
    trail.begun = Record(
        kind="intent",
        call=trail.id,
        ts=ts,
        caller=caller.id if caller else "",
        name=caller.name if caller else "",
        team=caller.team if caller else "",
        tenant=caller.tenant if caller else "",
        proof=_proof(caller) if caller else None,
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
        notes=trail.notes,
        findings=tuple(trail.findings),
        facts=trail.facts,
        targets=tuple([id for id, _ in decision.targets]) if decision else (),
        hold=trail.hold.id if trail.hold else "",
        scopes=_counted(trail.hold),
        reserved=(trail.hold.tokens, trail.hold.cost) if trail.hold else (),
        task=trail.step.task.id if trail.step else "",
        step=trail.step.number if trail.step else 0,
        request=trail.request,
    )
    return trail.begun


def extension(trail: Trail, ts: int, reserved: tuple[int, int]) -> Record:
    """That a call whose answer goes on may hold more than its intent says. `ts` in microseconds since the epoch."""
    caller = trail.caller
    return Record(
        kind="event",
        call=trail.id,
        ts=ts,
        caller=caller.id if caller else "",
        team=caller.team if caller else "",
        tenant=caller.tenant if caller else "",
        event="hold.extend",
        reserved=reserved,
    )


def outcome(trail: Trail, ts: int, now: float) -> Record:
    """`ts` in microseconds since the epoch, `now` monotonic seconds. It says again what the intent says of who asked for what, and of
    the decision, because the reply may have added to that."""
    begun, decision = trail.begun or intent(trail, ts), trail.decision
    elapsed = now - trail.started
    return replace(
        begun,
        kind="outcome",
        ts=ts,
        decision=trail.verdict,
        policies=decision.policies if decision else (),
        observed=decision.observed if decision else (),
        errors=decision.errors if decision else (),
        obligations=trail.obligations,
        notes=trail.notes,
        findings=tuple(trail.findings),
        evidence=tuple(trail.evidence),
        unlisted=trail.unlisted,
        facts=NO_FACTS if trail.intended else trail.facts,
        targets=(),
        scopes=(),
        reserved=(),
        request=trail.request,
        outcome=trail.outcome,
        code=trail.code,
        fence=trail.fence,
        status=trail.status,
        target=trail.target,
        attempts=tuple(trail.attempts),
        usage=trail.usage,
        reply=trail.reply,
        finish=trail.finish,
        scores=dict(trail.scores),
        ms=int(elapsed * 1e6) / 1e3,
        overhead_ms=int(max(0.0, elapsed - trail.upstream) * 1e6) / 1e3,
        first_byte_ms=int((trail.first_byte - trail.started) * 1e6) / 1e3 if trail.first_byte else 0.0,
    )
