"""Accounts for a decision: each policy that was considered for each target, whether it matched, and the facts that it read.

The facts come from a record of the audit journal, so a decision of last week can be explained, and asked again under the
policies of today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from yett.model.caller import Actor
from yett.model.decision import Facts, Verdict
from yett.model.route import Target
from yett.model.task import TaskFacts
from yett.policy.engine import PolicyEngine
from yett.policy.load import Policy
from yett.policy.question import Questioner, actor_of, parse
from yett.policy.schema import CONTEXT, JUDGED, QUALITY, principal_type


class PolicyAccount(Struct, frozen=True):
    """What one policy had to say. `matched`: yes, no, error, or "not asked" before inspection.
    `facts` are what it read, in its own words, with the values."""

    id: str
    effect: str
    mode: str
    matched: str
    facts: dict[str, object]
    obligations: tuple[str, ...]
    advice: str
    severity: str
    controls: tuple[str, ...]
    file: str
    line: int
    text: str
    error: str


class TargetAccount(Struct, frozen=True):
    """The verdict about one target, and the account of every policy that could have matched."""

    target: str
    verdict: Verdict
    policies: tuple[PolicyAccount, ...]


def explain(engine: PolicyEngine, facts: Facts) -> TargetAccount:
    """The account for one target. Every policy is asked alone, so that those without influence are told too: a permit
    beside a forbid that matched, a policy in observe mode."""
    questioner = Questioner()
    policies = tuple(_account(questioner, policy, facts) for policy in engine.considered(facts))
    return TargetAccount(facts.target, engine.decide(facts), policies)


def facts_to_record(facts: Facts, targets: Sequence[Target] = ()) -> dict[str, object]:
    """The facts of a call and its candidate targets as the journal keeps them. What has no value is left out."""
    kept: dict[str, object] = {
        "action": facts.action,
        "tenant": facts.tenant,
        "team": facts.team,
        "caller": facts.caller,
        "model": facts.model,
        "inspected": facts.inspected,
        "hour": facts.hour,
        "candidates": [
            {"target": target.id, "provider": target.provider.id, "labels": target.provider.labels}
            for target in targets
        ],
    }
    if facts.caller_labels:
        kept["caller_labels"] = facts.caller_labels
    if facts.assurance:
        kept["assurance"] = facts.assurance
    if facts.credential != "key":
        kept |= {"kind": facts.kind, "credential": facts.credential, "issuer": facts.issuer}
    if facts.findings:
        kept["findings"] = facts.findings
    if facts.labels:
        kept["labels"] = facts.labels
    if facts.stream:
        kept["stream"] = True
    if facts.tools:
        kept["tools"] = True
    if facts.max_tokens:
        kept["max_tokens"] = facts.max_tokens
    if facts.injection:
        kept["injection"] = facts.injection
    for name in ("languages", "code", "files", "actor", "task", *JUDGED, *QUALITY):
        if (value := getattr(facts, name)) not in (None, ()):
            kept[name] = value
    return kept


def facts_from_record(record: Mapping[str, object]) -> tuple[Facts, ...]:
    """What `facts_to_record` wrote, about each candidate target in turn. Raises ValueError when it is something else."""
    try:
        kept = msgspec.convert(dict(record), _Kept)
    except msgspec.ValidationError as error:
        raise ValueError(f"these are not the facts of a call: {error}") from error
    return tuple(
        Facts(
            action=kept.action,
            tenant=kept.tenant,
            team=kept.team,
            caller=kept.caller,
            caller_labels=kept.caller_labels,
            assurance=kept.assurance,
            kind=kept.kind,
            credential=kept.credential,
            issuer=kept.issuer,
            actor=kept.actor,
            model=kept.model,
            target=candidate.target,
            provider=candidate.provider,
            provider_labels=candidate.labels,
            findings=kept.findings,
            labels=kept.labels,
            stream=kept.stream,
            tools=kept.tools,
            inspected=kept.inspected,
            max_tokens=kept.max_tokens,
            hour=kept.hour,
            injection=kept.injection,
            languages=kept.languages,
            code=kept.code,
            files=kept.files,
            toxicity=kept.toxicity,
            harm=kept.harm,
            moderation=kept.moderation,
            confidence=kept.confidence,
            least_confidence=kept.least_confidence,
            groundedness=kept.groundedness,
            task=kept.task,
        )
        for candidate in kept.candidates or (_Candidate("", ""),)
    )


class _Candidate(Struct, frozen=True):
    target: str
    provider: str
    labels: tuple[str, ...] = ()


class _Kept(Struct, frozen=True, kw_only=True):
    action: str
    tenant: str
    team: str
    caller: str
    model: str
    inspected: bool
    hour: int
    candidates: tuple[_Candidate, ...]
    caller_labels: tuple[tuple[str, str], ...] = ()
    assurance: int = 0
    kind: str = "service"
    credential: str = "key"
    issuer: str = ""
    actor: Actor | None = None
    findings: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    stream: bool = False
    tools: bool = False
    max_tokens: int = 0
    injection: int = 0
    languages: tuple[str, ...] | None = None
    code: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    toxicity: int | None = None
    harm: int | None = None
    moderation: tuple[tuple[str, int], ...] = ()
    confidence: int | None = None
    least_confidence: int | None = None
    groundedness: int | None = None
    task: TaskFacts | None = None


def _account(questioner: Questioner, policy: Policy, facts: Facts) -> PolicyAccount:
    answer = questioner.ask(facts, parse((policy,)))[0]
    matched = "error" if answer.errors else "yes" if answer.matched else "no"
    if policy.late and not facts.inspected:
        matched = "not asked"
    return PolicyAccount(
        id=policy.id,
        effect=policy.effect,
        mode=policy.mode,
        matched=matched,
        facts={path: _value(path, facts) for path in policy.paths},
        obligations=tuple(map(str, policy.obligations)),
        advice=policy.advice,
        severity=policy.severity,
        controls=policy.controls,
        file=policy.file,
        line=policy.line,
        text=policy.text,
        error="; ".join(answer.errors),
    )


def _value(path: str, facts: Facts) -> object:
    """The value of a path in a policy, as a policy would write it."""
    root, _, attribute = path.partition(".")
    if root == "context":
        fact, _, part = attribute.partition(".")
        if fact == "task":
            known = None if facts.task is None else msgspec.structs.asdict(facts.task)
            return known[part] if known is not None and part else known
        if part:
            return dict(facts.moderation).get(part)
        return getattr(facts, fact) if fact else {name: getattr(facts, name) for name in CONTEXT}
    values: dict[str, object] = {
        "action": f'Action::"{facts.action}"',
        "principal": f'{principal_type(facts.kind, facts.credential)}::"{facts.caller}" in Team::"{facts.team}" in Tenant::"{facts.tenant}"',
        "principal.labels": tuple(f"{name}={value}" for name, value in facts.caller_labels),
        "principal.assurance": facts.assurance,
        "principal.kind": facts.kind,
        "principal.credential": facts.credential,
        "principal.issuer": facts.issuer,
        **{f"principal.{name}": value for name, value in actor_of(facts).items()},
        "resource": f'Target::"{facts.target}" in Model::"{facts.model}", Provider::"{facts.provider}"',
        "resource.provider": f'Provider::"{facts.provider}"',
        "resource.provider.labels": facts.provider_labels,
    }
    return values[path]
