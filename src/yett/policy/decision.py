"""The decision about a whole call: the verdicts about its candidate targets, taken together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from yett.model.decision import Decision, Effect, Facts, Verdict
from yett.model.route import Target
from yett.policy.engine import PolicyEngine
from yett.policy.load import DEFAULT_DENY
from yett.policy.obligations import routable


def decide_call(engine: PolicyEngine, facts: Facts, targets: Sequence[Target]) -> Decision:
    """The decision over `targets`, in the order given. `facts` are those of the call: what they say about the target and
    its provider is filled in here for each.

    A target is permitted when its verdict allows it and its provider satisfies every `route` obligation of that verdict.
    The call is allowed when a target is left, and never when a policy failed to evaluate on any of them.
    """
    candidates = tuple(targets)
    key = (engine.key(facts), *[target.id for target in candidates])
    kept = engine.decisions.get(key)
    if (
        kept is not None and kept[0] == candidates
    ):  # the same id must be the same target; identical ones compare at once
        return kept[1]
    decision = _decide(engine, facts, candidates)
    engine.decisions.put(key, (candidates, decision))
    return decision


def listed_models(engine: PolicyEngine, facts: Facts, routes: Mapping[str, Sequence[Target]]) -> tuple[str, ...]:
    """The names in `routes` that this caller may see: those with a target that ListModel allows. Order is kept."""
    asked = replace(facts, action="ListModel", inspected=True)
    return tuple(
        model
        for model, targets in routes.items()
        if any(
            engine.decide(facts_about(replace(asked, model=model), target)).effect is Effect.ALLOW for target in targets
        )
    )


def only_observed(engine: PolicyEngine, decision: Decision, targets: Iterable[Target]) -> Decision:
    """What a gateway in observe mode acts on: every target and nothing to carry out. `observed` then also has the policies
    that would have refused the call, kept it from a target or bound it; `default-deny` when no policy granted it."""
    unseen = {name for name in decision.policies if not engine.policy(name).grants}
    if decision.effect is Effect.DENY and not decision.policies and not decision.errors:
        unseen.add(DEFAULT_DENY)
    return Decision(
        Effect.ALLOW,
        tuple((target.id, Verdict(Effect.ALLOW)) for target in targets),
        observed=tuple(sorted(unseen.union(decision.observed))),
        errors=decision.errors,
        approximate=decision.approximate,
    )


def facts_about(facts: Facts, target: Target) -> Facts:
    """The facts of a call, about one of its targets."""
    provider = target.provider
    return replace(facts, target=target.id, provider=provider.id, provider_labels=provider.labels)


def _decide(engine: PolicyEngine, facts: Facts, candidates: tuple[Target, ...]) -> Decision:
    permitted: list[tuple[str, Verdict]] = []
    shaping: set[str] = set()  # the policies that permitted what is left, and those that took a target away
    refusing: set[str] = set()
    observed: set[str] = set()
    errors: set[str] = set()
    for target in candidates:
        verdict = engine.decide(facts_about(facts, target))
        observed.update(verdict.observed)
        errors.update(verdict.errors)
        if verdict.effect is not Effect.ALLOW:
            refusing.update(verdict.policies)
        elif routable(verdict.obligations, target.provider):
            permitted.append((target.id, verdict))
            shaping.update(verdict.policies)
        else:
            refusing.update(_routing_elsewhere(engine, verdict, target))
    policies = refusing if errors or not permitted else shaping | refusing
    if errors or not permitted:
        return Decision(
            Effect.DENY,
            policies=tuple(sorted(policies)),
            observed=tuple(sorted(observed)),
            errors=tuple(sorted(errors)),
            advice="" if errors else engine.advice(policies),
        )
    return Decision(
        Effect.ALLOW,
        tuple(permitted),
        tuple(sorted(policies)),
        tuple(sorted(observed)),
        approximate=any(verdict.approximate for _, verdict in permitted),
    )


def _routing_elsewhere(engine: PolicyEngine, verdict: Verdict, target: Target) -> list[str]:
    """The matched policies whose `route` this target does not satisfy."""
    return [name for name in verdict.policies if not routable(engine.policy(name).obligations, target.provider)]
