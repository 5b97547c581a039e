"""decide: whether the call is allowed right now, by which targets, and under which obligations. Asked again as facts grow."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from yett.config.snapshot import ModelRoute, Snapshot
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.decision import Decision, Effect, Facts, Verdict
from yett.model.finding import Finding
from yett.model.route import Target
from yett.policy.decision import decide_call, listed_models, only_observed
from yett.stages import inspect
from yett.stages.record import Trail

Permitted = tuple[tuple[Target, Verdict], ...]


class Question(Struct):
    """One call before policy. `facts` grow from pass to pass; `listed` is what a listing may show."""

    snapshot: Snapshot
    caller: Caller
    call: Call
    route: ModelRoute
    facts: Facts
    listed: tuple[str, ...] = ()


def ask(snapshot: Snapshot, caller: Caller, call: Call, now: float) -> Question:
    """Raises Refusal: model_not_found, and policy_denied for a model outside the key's or the team's list."""
    route = snapshot.local if call.action != "InvokeModel" else snapshot.models.get(call.model)
    if route is None:
        raise Refusal("model_not_found", f"There is no model {call.model[:100]!r} here.", param="model")
    if call.model and not may_use(snapshot, caller, call.model):
        raise Refusal("policy_denied", f"This key may not use the model {call.model!r}.", param="model")
    facts = Facts(
        action=call.action,
        tenant=caller.tenant,
        team=caller.team,
        caller=caller.id,
        caller_labels=caller.labels,
        assurance=caller.assurance,
        model=call.model,
        target="",
        provider="",
        provider_labels=(),
        labels=call.labels,
        stream=call.stream,
        tools=call.tools,
        max_tokens=call.max_tokens,
        hour=int(now // 3600 % 24),
    )
    return Question(snapshot, caller, call, route, facts)


def may_use(snapshot: Snapshot, caller: Caller, model: str) -> bool:
    """The lists on the key and on the team: settings, not policy, so observe mode does not lift them."""
    own = caller.key.models
    if own and model not in own:
        return False
    team = snapshot.teams.get(caller.team)
    return team is None or not team.models or model in team.models


def before_inspection(question: Question, trail: Trail) -> None:
    """Refuse at once what no finding could change. Raises Refusal."""
    if question.call.action != "ListModel":
        _settle(question, trail, question.facts)


def after_inspection(question: Question, trail: Trail, findings: Sequence[Finding]) -> Permitted:
    """The permitted targets in routing order with their verdicts. Raises Refusal."""
    labels = inspect.labels_with(question.call.labels, findings)
    facts = replace(question.facts, findings=inspect.facts_of(findings), labels=labels, inspected=True)
    question.facts = facts
    trail.labels = labels
    if question.call.action == "ListModel":
        return _listing(question, trail)
    try:
        decision = _settle(question, trail, facts)
    except Refusal:
        trail.findings = inspect.counted(findings, "request", frozenset(), blocked=True)
        raise
    targets = question.route.by_id
    return tuple((targets[id], verdict) for id, verdict in decision.targets)


def _settle(question: Question, trail: Trail, facts: Facts) -> Decision:
    """Ask, put the answer on the trail, and refuse if that is the answer."""
    snapshot, route = question.snapshot, question.route
    decision = decide_call(snapshot.policy, facts, route.targets)
    trail.verdict = "allow"
    if snapshot.observing:
        decision = only_observed(snapshot.policy, decision, route.targets)
        if decision.observed:
            trail.verdict = "observe"
    trail.decision = decision
    trail.facts = facts
    trail.candidates = route.targets
    if decision.effect is not Effect.ALLOW:
        raise _refusal(facts, decision)
    return decision


def _refusal(facts: Facts, decision: Decision) -> Refusal:
    if decision.errors:
        return Refusal("policy_error", policies=decision.policies)
    code = "content_blocked" if facts.findings or facts.labels else "policy_denied"
    reason = decision.advice or (
        f"Refused by policy {', '.join(decision.policies)}." if decision.policies else "No policy permits this call."
    )
    return Refusal(code, reason, policies=decision.policies)


def _listing(question: Question, trail: Trail) -> Permitted:
    snapshot, caller = question.snapshot, question.caller
    routes = {name: route.targets for name, route in snapshot.models.items() if may_use(snapshot, caller, name)}
    question.listed = tuple(routes) if snapshot.observing else listed_models(snapshot.policy, question.facts, routes)
    trail.decision = Decision(Effect.ALLOW)
    trail.verdict = "allow"
    return ()


def judge_reply(question: Question, trail: Trail, target: Target, kinds: frozenset[str]) -> tuple[str, ...]:
    """What must be redacted from a reply in which these kinds (and families) were found. Raises Refusal("reply_blocked")."""
    facts = replace(question.facts, action="ReleaseReply", findings=tuple(sorted(kinds)), inspected=True)
    decision = decide_call(question.snapshot.policy, facts, (target,))
    if question.snapshot.observing:
        decision = only_observed(question.snapshot.policy, decision, (target,))
    before = trail.decision
    if before is not None:
        trail.decision = replace(
            before,
            policies=tuple(sorted({*before.policies, *decision.policies})),
            observed=tuple(sorted({*before.observed, *decision.observed})),
            errors=tuple(sorted({*before.errors, *decision.errors})),
        )
    if decision.effect is not Effect.ALLOW:
        raise Refusal(
            "policy_error" if decision.errors else "reply_blocked", decision.advice, policies=decision.policies
        )
    obligations = decision.targets[0][1].obligations
    return tuple(o.argument for o in obligations if o.verb == "redact")
