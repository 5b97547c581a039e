"""A thousand policies: a call is put only to those that can match it, and answers are as if they were all asked."""

from __future__ import annotations

import pytest

from yett.model.decision import Effect, Obligation
from yett.policy.engine import PolicyEngine


def thousand() -> str:
    team = (
        '@id("p{0}") permit (principal in Team::"t{1}", action == Action::"InvokeModel", resource in Model::"m{0}") '
        'when {{ context.hour < 20 && principal.labels.contains("env=prod") }};\n'
    )
    common = '@id("c{0}") forbid (principal, action, resource in Model::"m{0}") when {{ context.findings.contains("x{0}") }};\n'
    return "".join(team.format(number, number % 100) for number in range(990)) + "".join(map(common.format, range(10)))


def test_a_call_is_put_to_its_slice_only(facts):
    engine = PolicyEngine.load({"many.cedar": thousand()})
    assert len(engine.considered(facts(team="t7"))) == 20
    assert len(engine.considered(facts(team="nobody"))) == 10
    assert engine.decide(facts(team="t7", model="m107")).policies == ("p107",)
    assert engine.decide(facts(team="t7", model="m108")).effect is Effect.DENY
    refused = engine.decide(facts(team="t7", model="m7", findings=("x7",)))
    assert (refused.effect, refused.policies) == (Effect.DENY, ("c7",))
    assert engine.decide(facts(team="t7", model="m7")).policies == ("p7",)
    assert engine.decide(facts(team="t7", model="m7", action="ReleaseReply")).effect is Effect.DENY


@pytest.mark.parametrize("common", [3, 60])
def test_policies_about_all_teams_and_about_one_are_asked_as_one_set(facts, common):
    """Few policies about all teams are copied into each team's slice, many are asked beside it: the answers are the same."""
    many = "".join(
        f'@id("c{number}") permit (principal, action, resource in Model::"none{number}");' for number in range(common)
    )
    engine = PolicyEngine.load(
        {
            "a.cedar": many + '@id("all") permit (principal, action, resource in Model::"fast");'
            '@id("all-not") forbid (principal, action, resource) when { context.labels.contains("a") };'
            '@id("all-fails") forbid (principal, action, resource) when { context.max_tokens * 9223372036854775807 > 5 };',
            "b.cedar": '@id("own") @obligation("redact:pii") permit (principal in Team::"t", action, resource);'
            '@id("own-grant") permit (principal in Team::"t", action, resource in Model::"slow");'
            '@id("own-not") @advice("no") forbid (principal in Team::"t", action, resource) when { context.labels.contains("b") };'
            '@id("own-seen") @mode("observe") forbid (principal in Team::"t", action, resource) when { context.stream };',
        }
    )

    def ask(**given):
        verdict = engine.decide(facts(**{"team": "t", **given}))
        return verdict.effect is Effect.ALLOW, verdict.policies

    assert ask() == (True, ("all", "own"))
    assert ask(team="other") == (True, ("all",))
    assert ask(model="slow") == (True, ("own", "own-grant"))
    assert ask(model="other") == (False, ())
    assert ask(labels=("a",)) == (False, ("all-not",))
    assert ask(labels=("b",)) == (False, ("own-not",))
    assert ask(labels=("a", "b")) == (False, ("all-not", "own-not"))
    assert ask(max_tokens=9) == (False, ("all-fails",))
    assert ask(max_tokens=9, labels=("b",)) == (False, ("all-fails", "own-not"))
    assert ask(inspected=False, model="other") == (False, ())
    assert engine.decide(facts(team="t", stream=True)).observed == ("own-seen",)
    assert engine.decide(facts(team="t", stream=True)).obligations == (Obligation("redact", "pii"),)
