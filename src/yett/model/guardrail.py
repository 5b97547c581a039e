"""Guardrail: a second opinion that is asked for; Question: what it is asked; Advice: what all of them together answered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from yett.model.finding import Finding
from yett.model.route import Provider, Secret
from yett.model.segment import Segment

FAILED_OPEN = "guardrail.failed-open"  # the finding that stands for an opinion that was not to be had
_NOTHING: Mapping[str, float] = MappingProxyType({})
_NO_KINDS: Mapping[str, str] = MappingProxyType({})


class Guardrail(Struct, frozen=True, kw_only=True):
    """One configured second opinion. `kind` is an item of the guardrails shelf; `provider` says where it is and under which
    key. What a service calls its own `resource`, `version`, `model`, `region` is said in its file on the shelf."""

    id: str
    kind: str
    provider: Provider
    on: frozenset[str] = frozenset(("request", "reply"))
    roles: frozenset[str] = frozenset()  # whose texts it sees; empty: of everybody but the operator
    always: frozenset[str] = frozenset()  # of them, those that it sees whatever the local score is
    score: str = "injection"  # the local score that the next two are about
    above: float = 0.0
    below: float = 1.0
    fail_open: bool = False
    concurrency: int = 32
    redact: frozenset[str] = frozenset()  # families and kinds of local findings that are blanked before anything leaves
    withhold: frozenset[str] = frozenset()  # families and kinds of findings, labels: a text that has one is not sent
    threshold: float | None = None  # None: what the service itself flags
    thresholds: Mapping[str, float] = _NOTHING  # by kind of finding, before `threshold`
    kinds: Mapping[str, str] = _NO_KINDS  # kinds of finding for what the service calls by names of its own
    checks: frozenset[str] = frozenset()  # empty: everything that the service offers
    resource: str = ""
    version: str = ""
    model: str = ""
    region: str = ""
    access_key: Secret | None = None
    session_token: Secret | None = None
    folder: str = ""  # of a local model
    pin: str = ""  # SHA-256 that the local model must have, hex
    fingerprint: str = ""  # names these settings: verdicts that were given under others are not remembered

    def flags(self, kind: str, score: float, flagged: bool) -> bool:
        """Whether this is a finding: by the operator's threshold where there is one, else as the service says."""
        threshold = self.thresholds.get(kind, self.threshold)
        return flagged if threshold is None else score >= threshold


class Panel(Struct, frozen=True):
    """All guardrails of a configuration, asked side by side. `deadline` is seconds for all of them together; `remembered`
    verdicts are kept for each tenant, for at most `seconds`."""

    guardrails: tuple[Guardrail, ...]
    deadline: float
    remembered: int = 4096
    seconds: float = 600.0

    def on(self, side: str) -> bool:
        """Whether anybody is asked about this side: request, reply."""
        return any(side in guardrail.on for guardrail in self.guardrails)


class Question(Struct, frozen=True):
    """What is asked. `findings` and `scores` are the local ones, their segments positions in `segments`."""

    side: str  # request | reply
    tenant: str
    segments: tuple[Segment, ...]
    findings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = _NOTHING
    labels: tuple[str, ...] = ()


class Advice(Struct, frozen=True):
    """What came of it. `unavailable` names the guardrails that gave no whole opinion and are not to fail open: without their
    word the call must not go on. `notes` are for the record: who was asked, who failed, and how; never any text."""

    findings: tuple[Finding, ...] = ()
    scores: Mapping[str, float] = _NOTHING
    notes: tuple[str, ...] = ()
    unavailable: tuple[str, ...] = ()


NO_ADVICE = Advice()
