"""decide: whether the call is allowed right now, by which targets, and under which obligations. Asked again as facts grow.

Equal facts have equal answers under one snapshot, so what follows from them is worked out once and remembered as a Plan:
most calls of an application differ in their text only, and clean text says nothing new to policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct, field
from msgspec.json import encode
from msgspec.structs import replace

from yett.config.snapshot import ModelRoute, Snapshot
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.decision import Decision, Effect, Facts
from yett.model.route import Target
from yett.model.task import TaskFacts
from yett.policy.decision import decide_call, listed_models, only_observed
from yett.policy.explain import facts_to_record
from yett.policy.memo import Memo
from yett.policy.schema import QUALITY
from yett.providers.shelf import KINDS
from yett.stages import inspect
from yett.stages.duties import Duties, duties_of
from yett.stages.record import Trail

Scores = tuple[tuple[str, int], ...]  # in percent, by name
_RULINGS = 64  # remembered per generation and plan; what an upstream writes must not make them grow


class Ruling(Struct, frozen=True):
    """What policy says about releasing a reply with certain findings: what to redact, the tags for the record, and the decision with
    the reply's policies added. `refused` is the code of a refusal, with its words, instead."""

    redact: tuple[str, ...]
    decision: Decision
    tags: tuple[str, ...] = ()  # as obligations: "tag:reviewed"
    refused: str = ""
    advice: str = ""
    policies: tuple[str, ...] = ()


class Edit(Struct, frozen=True):
    """What is changed in the body for one target: the model's name, the output limit (0: as it is), whether a stream is
    asked for its usage, what is redacted, and what is added."""

    model: str
    cap: int
    include_usage: bool
    redact: tuple[str, ...]
    marks: frozenset[str] = frozenset()


class Plan(Struct, frozen=True):
    """What is to be done with a call of these facts. `permitted` is in routing order; `listed` is what a listing may show."""

    snapshot: Snapshot
    route: ModelRoute
    facts: Facts
    recorded: Raw  # the facts and the candidates, as the journal keeps them
    decision: Decision
    verdict: str  # allow, observe
    permitted: tuple[tuple[Target, Duties], ...] = ()
    targets: tuple[Target, ...] = ()  # the permitted ones, without their duties
    edits: dict[str, Edit] = {}  # by target id
    obligations: tuple[str, ...] = ()
    reversible: bool = False  # for some target something is exchanged that is to be put back
    marks: frozenset[frozenset[str]] = frozenset()  # all that is added for any target
    listed: tuple[str, ...] = ()
    rulings: Memo[Ruling] = field(default_factory=lambda: Memo(_RULINGS))  # by target id and kinds found


def before_inspection(snapshot: Snapshot, caller: Caller, call: Call, now: float, trail: Trail) -> Plan | None:
    """The plan for a clean text when it is known already; otherwise None, unless no finding could change a refusal: then it
    is raised at once."""
    plan = snapshot.plans.get(_key(caller, call, call.labels, (), now, trail.task))
    if plan is None and call.action != "ListModel":
        facts = _facts(snapshot, caller, call, now, trail.task)
        _decided(snapshot, _route(snapshot, caller, call), facts, trail)
    return plan


def after_inspection(
    snapshot: Snapshot, caller: Caller, call: Call, seen: inspect.Seen, now: float, trail: Trail
) -> Plan:
    """The plan for this text. Raises Refusal; the findings are then on the trail as blocked."""
    kinds = inspect.origins_of(seen)
    labels = inspect.labels_with(call.labels, seen.findings)
    key = _key(caller, call, labels, kinds, now, trail.task, seen)
    plan = snapshot.plans.get(key)
    if plan is None:
        trail.labels = labels
        facts = replace(
            _facts(snapshot, caller, call, now, trail.task),
            findings=kinds,
            labels=labels,
            injection=seen.injection,
            languages=seen.traits.languages or None,
            code=seen.traits.code,
            files=seen.traits.files,
            inspected=True,
            **_judged(seen.scores),
        )
        try:
            plan = _plan(snapshot, caller, call, facts, trail)
        except Refusal:
            trail.findings = inspect.counted(seen.findings, "request", frozenset(), blocked=True)
            raise
        snapshot.plans.put(key, plan)
    return plan


def follow(plan: Plan, trail: Trail) -> None:
    """Put a plan's answers on the trail."""
    trail.facts = plan.recorded
    trail.labels = plan.facts.labels
    trail.decision = plan.decision
    trail.verdict = plan.verdict
    trail.obligations = plan.obligations


def judge_reply(
    plan: Plan, trail: Trail, target: Target, kinds: frozenset[str], scores: Scores = ()
) -> tuple[str, ...]:
    """What must be redacted from a reply in which these kinds (and families) were found, and which guardrails score like this.
    Raises Refusal: reply_blocked, policy_error."""
    ruling = _ruling(plan, target, kinds, scores)
    trail.decision = ruling.decision
    if ruling.refused:
        raise Refusal(ruling.refused, ruling.advice, policies=ruling.policies)
    if ruling.tags:
        trail.obligations = tuple(sorted({*trail.obligations, *ruling.tags}))
    return ruling.redact


def rate_reply(
    plan: Plan, trail: Trail, target: Target, kinds: frozenset[str], scores: Scores, rated: Mapping[str, float]
) -> None:
    """Note what policies say to how good an answer is, where any of them asks. It has been released, and stays so."""
    wanted = plan.snapshot.policy.reads
    quality = tuple((name, inspect.in_steps(rated[name])) for name in QUALITY if name in wanted and name in rated)
    if not quality:
        return
    ruling = _ruling(plan, target, kinds, (*scores, *quality))
    trail.decision = ruling.decision
    trail.obligations = tuple(sorted({*trail.obligations, *ruling.tags}))


def reply_facts(plan: Plan, kinds: frozenset[str], scores: Scores = ()) -> Facts:
    """What is known when a reply is to be released: of the reply what was found in it, and its scores; of the request the rest."""
    unscored = {"toxicity": None, "harm": None, "moderation": ()}
    return replace(
        plan.facts,
        action="ReleaseReply",
        findings=tuple(sorted(kinds)),
        inspected=True,
        **(unscored | _judged(scores)),
    )


def may_use(snapshot: Snapshot, caller: Caller, model: str) -> bool:
    """The lists on the key and on the team: settings, not policy, so observe mode does not lift them."""
    own = caller.credential.models
    if own and model not in own:
        return False
    team = snapshot.teams.get(caller.team)
    return team is None or not team.models or model in team.models


def _key(
    caller: Caller,
    call: Call,
    labels: tuple[str, ...],
    kinds: tuple[str, ...],
    now: float,
    task: TaskFacts | None,
    seen: inspect.Seen = inspect.NOTHING,
) -> tuple[object, ...]:
    """Everything that a plan depends on, under one snapshot."""
    return (
        caller.like, call.action, call.model, call.stream, call.include_usage, call.tools, call.max_tokens, labels, kinds, seen.injection,
        seen.traits, seen.scores, now // 3600, task
    )  # fmt: skip


def _judged(scores: Scores) -> dict[str, Any]:
    """Scores as facts: those of categories together."""
    facts: dict[str, Any] = {name: score for name, score in scores if "." not in name}
    categories = {name.partition(".")[2].replace("-", "_"): score for name, score in scores if "." in name}
    if categories:
        facts["moderation"] = tuple(sorted(categories.items()))
    return facts


def _route(snapshot: Snapshot, caller: Caller, call: Call) -> ModelRoute:
    """Raises Refusal: model_not_found, and policy_denied for a model outside the key's or the team's list."""
    if call.action != "InvokeModel":
        return snapshot.local
    route = snapshot.models.get(call.model)
    if route is None:
        raise Refusal("model_not_found", f"There is no model {call.model[:100]!r} here.", param="model")
    if not may_use(snapshot, caller, call.model):
        raise Refusal("policy_denied", f"This key may not use the model {call.model!r}.", param="model")
    return route


def _facts(snapshot: Snapshot, caller: Caller, call: Call, now: float, task: TaskFacts | None) -> Facts:
    return Facts(
        action=call.action,
        tenant=caller.tenant,
        team=caller.team,
        caller=caller.id,
        caller_labels=caller.labels,
        assurance=caller.assurance,
        kind=caller.kind,
        credential=caller.credential.kind,
        issuer=caller.credential.issuer,
        actor=handed.actor if (handed := caller.credential.delegation) is not None else None,
        model=call.model,
        target="",
        provider="",
        provider_labels=(),
        labels=call.labels,
        stream=call.stream,
        tools=call.tools,
        max_tokens=call.max_tokens,
        hour=int(now // 3600 % 24),
        task=task,
    )


def _plan(snapshot: Snapshot, caller: Caller, call: Call, facts: Facts, trail: Trail) -> Plan:
    route = _route(snapshot, caller, call)
    if call.action == "ListModel":
        return _listing(snapshot, caller, route, facts)
    decision, verdict = _decided(snapshot, route, facts, trail)
    permitted = tuple((route.by_id[id], duties_of(found.obligations)) for id, found in decision.targets)
    if route.unknown_price == "refuse" and call.action == "InvokeModel":
        permitted = tuple((target, duties) for target, duties in permitted if route.prices.get(target.id) is not None)
        if not permitted:
            trail.facts, trail.decision = _recorded(facts, route), decision
            raise Refusal("unknown_price", f"No price is known for the model {call.model!r}.")
    obligations = tuple(sorted({str(o) for _, found in decision.targets for o in found.obligations}))
    edits = {target.id: _edit(call, target, duties, route) for target, duties in permitted}
    return Plan(
        snapshot=snapshot,
        route=route,
        facts=facts,
        recorded=_recorded(facts, route),
        decision=decision,
        verdict=verdict,
        permitted=permitted,
        targets=tuple(target for target, _ in permitted),
        edits=edits,
        obligations=obligations,
        reversible=any(duties.reversible for _, duties in permitted),
        marks=frozenset(edit.marks for edit in edits.values() if edit.marks),
    )


def _recorded(facts: Facts, route: ModelRoute) -> Raw:
    return Raw(encode(facts_to_record(facts, route.targets)))


def _edit(call: Call, target: Target, duties: Duties, route: ModelRoute) -> Edit:
    wanted = call.max_tokens or route.sent_cap
    limit = min(wanted, duties.cap) if wanted and duties.cap else wanted or duties.cap
    usage = call.stream and not call.include_usage and KINDS[target.provider.kind].stream_usage
    return Edit(target.model, 0 if limit == call.max_tokens else limit, usage, duties.redact, duties.marks)


def told(plan: Plan, call: Call, target: Target) -> int:
    """How many tokens the target is told to write at most, in all choices together; 0 when it is told nothing."""
    return (plan.edits[target.id].cap or call.max_tokens) * call.choices


def _listing(snapshot: Snapshot, caller: Caller, route: ModelRoute, facts: Facts) -> Plan:
    routes = {name: found.targets for name, found in snapshot.models.items() if may_use(snapshot, caller, name)}
    listed = listed_models(snapshot.policy, facts, routes)
    decision, verdict = Decision(Effect.ALLOW), "allow"
    if snapshot.observing:
        hidden = {name: targets for name, targets in routes.items() if name not in listed}
        listed = tuple(routes)
        if hidden:
            decision, verdict = _hiding(snapshot, facts, hidden), "observe"
    return Plan(snapshot, route, facts, _recorded(facts, route), decision, verdict, listed=listed)


def _hiding(snapshot: Snapshot, facts: Facts, hidden: Mapping[str, Sequence[Target]]) -> Decision:
    """What would have kept these models from a listing."""
    found = [
        only_observed(snapshot.policy, decide_call(snapshot.policy, replace(facts, model=name), targets), targets)
        for name, targets in hidden.items()
    ]
    return Decision(
        Effect.ALLOW,
        observed=tuple(sorted({policy for decision in found for policy in decision.observed})),
        errors=tuple(sorted({error for decision in found for error in decision.errors})),
    )


def _decided(snapshot: Snapshot, route: ModelRoute, facts: Facts, trail: Trail) -> tuple[Decision, str]:
    """Ask, and refuse if that is the answer; what was asked is on the trail then."""
    decision = decide_call(snapshot.policy, facts, route.targets)
    verdict = "allow"
    if snapshot.observing:
        decision = only_observed(snapshot.policy, decision, route.targets)
        verdict = "observe" if decision.observed else "allow"
    if decision.effect is not Effect.ALLOW:
        trail.facts, trail.decision = _recorded(facts, route), decision
        raise _refusal(facts, decision)
    return decision, verdict


def _refusal(facts: Facts, decision: Decision) -> Refusal:
    if decision.errors:
        return Refusal("policy_error", policies=decision.policies)
    code = "content_blocked" if facts.findings or facts.labels else "policy_denied"
    reason = decision.advice or (
        f"Refused by policy {', '.join(decision.policies)}." if decision.policies else "No policy permits this call."
    )
    return Refusal(code, reason, policies=decision.policies)


def _ruling(plan: Plan, target: Target, kinds: frozenset[str], scores: Scores) -> Ruling:
    key = (target.id, kinds, scores)
    ruling = plan.rulings.get(key)
    if ruling is None:
        ruling = _ruled(plan, target, reply_facts(plan, kinds, scores))
        plan.rulings.put(key, ruling)
    return ruling


def _ruled(plan: Plan, target: Target, facts: Facts) -> Ruling:
    decision = decide_call(plan.snapshot.policy, facts, (target,))
    if plan.snapshot.observing:
        decision = only_observed(plan.snapshot.policy, decision, (target,))
    before = plan.decision
    merged = replace(
        before,
        policies=tuple(sorted({*before.policies, *decision.policies})),
        observed=tuple(sorted({*before.observed, *decision.observed})),
        errors=tuple(sorted({*before.errors, *decision.errors})),
    )
    if decision.effect is not Effect.ALLOW:
        code = "policy_error" if decision.errors else "reply_blocked"
        return Ruling((), merged, (), code, decision.advice, decision.policies)
    duties = duties_of(decision.targets[0][1].obligations)
    return Ruling(duties.redact, merged, tuple(f"tag:{tag}" for tag in duties.tags))
