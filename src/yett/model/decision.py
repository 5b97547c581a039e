"""Decision: what policy says about a call or a reply, why, and under which obligations."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from yett.model.caller import Actor
from yett.model.task import TaskFacts


class Effect(IntEnum):
    """Ordered by strictness: combining decisions takes the maximum, so a decision can only tighten."""

    ALLOW = 0
    HOLD = 1
    DENY = 2


class Obligation(Struct, frozen=True, order=True):
    """What must be done for the permission to hold, from a matched policy's annotation: `redact:pii` is ("redact", "pii")."""

    verb: str
    argument: str

    def __str__(self) -> str:
        return f"{self.verb}:{self.argument}"


class Facts(Struct, frozen=True):
    """Everything a policy may ask about, in values that hash: equal facts under one snapshot have equal decisions."""

    action: str  # "InvokeModel" on the way in, "ReleaseReply" on the way out, "ListModel" when listing
    tenant: str
    team: str
    caller: str
    caller_labels: tuple[tuple[str, str], ...]
    assurance: int
    model: str  # the public model name that was asked for
    target: str  # "provider/model" that would serve it
    provider: str
    provider_labels: tuple[str, ...]
    findings: tuple[str, ...] = ()  # sorted kinds, families, and families by origin: ("pii", "pii.email", "pii@user")
    labels: tuple[str, ...] = ()  # sorted labels of the content: ("restricted",)
    stream: bool = False
    tools: bool = False
    inspected: bool = False  # False on the first pass: findings are not known yet
    max_tokens: int = 0  # as asked for; 0 when not given
    hour: int = 0  # of the day, UTC
    injection: int = 0  # percent: how much a text that is not the operator's reads like an attack, in steps of 5
    languages: tuple[str, ...] | None = None  # of what the user says, sorted; None: it cannot be told, or nobody asks
    code: tuple[str, ...] = ()  # programming languages, sorted
    files: tuple[str, ...] = ()  # types of files, sorted
    toxicity: int | None = None  # percent, in steps of 5, as guardrails say; None: nobody has judged it
    harm: int | None = None
    moderation: tuple[tuple[str, int], ...] = ()  # the same by category, sorted
    confidence: int | None = None  # of an answer: percent, in steps of 5
    least_confidence: int | None = None
    groundedness: int | None = None
    kind: str = "service"  # one of caller.KINDS
    credential: str = "key"  # one of caller.CREDENTIALS
    issuer: str = ""  # who vouches for the caller; "" for Yett's own keys
    actor: Actor | None = None  # who acts for the caller; None: it acts itself
    task: TaskFacts | None = None  # what its task had done before; None: it has none, or nobody asks


class Verdict(Struct, frozen=True):
    """The answer about one target. `observed` are policies in observe mode that would have changed it."""

    effect: Effect
    policies: tuple[str, ...] = ()  # ids of the policies that determined it, sorted
    obligations: tuple[Obligation, ...] = ()
    observed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()  # evaluation errors: never empty together with ALLOW
    advice: str = ""  # the @advice of the policy that refused, shown to the caller
    approximate: bool = False  # True on the first pass when more facts could still change it


class Decision(Struct, frozen=True):
    """The verdicts about a whole call: what all candidate targets together allow."""

    effect: Effect
    targets: tuple[tuple[str, Verdict], ...] = ()  # permitted targets in routing order, with their verdicts
    policies: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    advice: str = ""
    approximate: bool = False  # True on the first pass when more facts could still change it
