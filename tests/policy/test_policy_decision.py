"""The decision about a whole call: several targets, routes, refusals, lists of models, observe mode."""

from __future__ import annotations

from msgspec.structs import replace

from yett.model.decision import Effect
from yett.policy.decision import decide_call, facts_about, listed_models, only_observed
from yett.policy.engine import PolicyEngine

GRANT = '@id("grant") permit (principal, action, resource);\n'
RESTRICTED = (
    '@id("restricted") @obligation("route:on-prem") @advice("keep it here") '
    'permit (principal, action, resource) when { context.labels.contains("restricted") };\n'
)
NO_EXTERNAL = (
    '@id("no-external") @advice("not outside") forbid (principal, action, resource) '
    'when { resource.provider.labels.contains("external") && context.findings.contains("pii") };\n'
)


def engine(*texts: str) -> PolicyEngine:
    return PolicyEngine.load({"test.cedar": "".join(texts)})


def names(decision) -> list[str]:
    return [target for target, _ in decision.targets]


def test_each_target_has_its_own_verdict_and_the_order_is_kept(facts, external, on_prem):
    policies = engine(
        GRANT,
        '@id("pii") @obligation("redact:pii") permit (principal, action, resource) '
        'when { resource.provider.labels.contains("external") };',
    )
    for targets in ((external, on_prem), (on_prem, external)):
        decision = decide_call(policies, facts(), targets)
        assert names(decision) == [target.id for target in targets]
        bound = {target: [str(o) for o in verdict.obligations] for target, verdict in decision.targets}
        assert bound == {external.id: ["redact:pii"], on_prem.id: []}
    assert decision.policies == ("grant", "pii")


def test_a_route_obligation_restricts_the_targets(facts, external, on_prem):
    policies = engine(GRANT, RESTRICTED)
    assert names(decide_call(policies, facts(), (external, on_prem))) == [external.id, on_prem.id]
    decision = decide_call(policies, facts(labels=("restricted",)), (external, on_prem))
    assert names(decision) == [on_prem.id]
    assert decision.policies == ("grant", "restricted")
    refused = decide_call(policies, facts(labels=("restricted",)), (external,))
    assert (refused.effect, refused.policies, refused.advice) == (Effect.DENY, ("restricted",), "keep it here")


def test_a_route_may_name_a_provider_and_several_routes_must_all_hold(facts, external, on_prem):
    by_id = '@id("by-id") @obligation("route:local") permit (principal, action, resource);\n'
    assert names(decide_call(engine(GRANT, by_id), facts(), (external, on_prem))) == [on_prem.id]
    both = '@id("both") @obligation("route:on-prem, route:openai") permit (principal, action, resource);\n'
    assert decide_call(engine(GRANT, both), facts(), (external, on_prem)).effect is Effect.DENY


def test_a_forbidden_target_is_left_out_and_its_forbid_is_told(facts, external, on_prem):
    policies = engine(GRANT, NO_EXTERNAL)
    decision = decide_call(policies, facts(findings=("pii",)), (external, on_prem))
    assert (decision.effect, names(decision)) == (Effect.ALLOW, [on_prem.id])
    assert decision.policies == ("grant", "no-external")
    refused = decide_call(policies, facts(findings=("pii",)), (external,))
    assert (refused.effect, refused.policies, refused.advice) == (Effect.DENY, ("no-external",), "not outside")


def test_no_target_no_grant_no_call(facts, external):
    assert decide_call(engine(GRANT), facts(), ()).effect is Effect.DENY
    refused = decide_call(engine(), facts(), (external,))
    assert (refused.effect, refused.policies, refused.errors) == (Effect.DENY, (), ())


def test_a_failure_on_any_target_refuses_the_call(facts, external, on_prem):
    fails = (
        '@id("fails") @advice("never told") forbid (principal, action, resource) when { '
        'resource.provider.labels.contains("external") && context.max_tokens * 9223372036854775807 > 5 };'
    )
    decision = decide_call(engine(GRANT, fails), facts(max_tokens=9), (external, on_prem))
    assert (decision.effect, decision.targets, decision.policies) == (Effect.DENY, (), ("fails",))
    assert decision.errors
    assert decision.advice == ""


def test_before_inspection_a_decision_is_approximate_or_final(facts, external, on_prem):
    policies = engine(GRANT, RESTRICTED, '@id("x") forbid (principal in Team::"x", action, resource);')
    first = decide_call(policies, facts(inspected=False), (external, on_prem))
    assert (first.effect, first.approximate) == (Effect.ALLOW, True)
    refused = decide_call(policies, facts(inspected=False, team="x"), (external, on_prem))
    assert (refused.effect, refused.approximate, refused.policies) == (Effect.DENY, False, ("x",))
    assert not decide_call(engine(GRANT), facts(inspected=False), (external,)).approximate


def test_a_decision_is_remembered_and_its_targets_are_checked(facts, external, on_prem):
    policies = engine(GRANT, NO_EXTERNAL)
    first = decide_call(policies, facts(findings=("pii",)), [external])
    assert decide_call(policies, facts(findings=("pii",), caller="key_2", hour=3), (external,)) is first
    # The same name for another provider is another target.
    moved = replace(external, provider=on_prem.provider)
    assert decide_call(policies, facts(findings=("pii",)), (moved,)).effect is Effect.ALLOW
    assert decide_call(policies, facts(findings=("pii",)), (external,)) == first


def test_a_caller_sees_the_models_that_it_may_list(facts, external, on_prem):
    policies = engine(
        '@id("a") permit (principal in Team::"research", action in [Action::"ListModel"], resource in Model::"fast");',
        '@id("b") permit (principal, action == Action::"ListModel", resource in Provider::"local");',
        '@id("c") permit (principal, action == Action::"InvokeModel", resource);',
    )
    routes = {"smart": (external,), "fast": (external,), "safe": (external, on_prem), "none": ()}
    assert listed_models(policies, facts(inspected=False), routes) == ("fast", "safe")
    assert listed_models(policies, facts(team="other"), routes) == ("safe",)


def test_observe_mode_lets_everything_pass_and_tells_what_would_have_happened(facts, external, on_prem):
    policies = engine(
        GRANT, RESTRICTED, NO_EXTERNAL, '@id("seen") @mode("observe") forbid (principal, action, resource);'
    )
    both = (external, on_prem)

    def observe(**given):
        return only_observed(policies, decide_call(policies, facts(**given), both), both)

    plain = observe()
    assert (plain.effect, names(plain), plain.policies) == (Effect.ALLOW, [external.id, on_prem.id], ())
    assert plain.observed == ("seen",)
    routed = observe(labels=("restricted",))
    assert routed.observed == ("restricted", "seen")
    assert all(verdict.obligations == () for _, verdict in routed.targets)
    assert observe(findings=("pii",)).observed == ("no-external", "seen")
    nothing = engine()
    assert only_observed(nothing, decide_call(nothing, facts(), both), both).observed == ("default-deny",)


def test_facts_about_a_target(facts, on_prem):
    about = facts_about(facts(), on_prem)
    assert (about.target, about.provider, about.provider_labels) == ("local/llama", "local", ("on-prem",))
