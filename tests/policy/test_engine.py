"""The verdict about one target: the truth table, obligations, observe mode, failures, passes and the memo."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from yett.model.caller import Actor
from yett.model.decision import Effect, Facts, Obligation
from yett.policy.engine import PolicyEngine
from yett.policy.explain import explain

GRANT = '@id("grant") permit (principal, action, resource);\n'
BOUND = '@id("bound") @obligation("redact:pii") permit (principal, action, resource);\n'
REFUSE = '@id("refuse") @advice("not like this") forbid (principal, action, resource);\n'
FAILS = '@id("fails") forbid (principal, action, resource) when { context.max_tokens * 9223372036854775807 > 5 };\n'
FAILS_TO_PERMIT = FAILS.replace("forbid", "permit").replace('"fails"', '"fails-to-permit"')


def engine(*texts: str) -> PolicyEngine:
    return PolicyEngine.load({"test.cedar": "".join(texts)})


def observed(text: str) -> str:
    return text.replace("@id", '@mode("observe") @id')


# ---- the truth table ----


@pytest.mark.parametrize(
    ("texts", "effect", "policies"),
    [
        ((), Effect.DENY, ()),
        ((GRANT,), Effect.ALLOW, ("grant",)),
        ((REFUSE,), Effect.DENY, ("refuse",)),
        ((GRANT, REFUSE), Effect.DENY, ("refuse",)),
        ((GRANT, BOUND), Effect.ALLOW, ("bound", "grant")),
        ((GRANT, BOUND, REFUSE), Effect.DENY, ("refuse",)),
        ((GRANT, FAILS), Effect.DENY, ("fails",)),
        ((GRANT, FAILS, REFUSE), Effect.DENY, ("fails", "refuse")),
        ((FAILS,), Effect.DENY, ("fails",)),
        ((GRANT, FAILS_TO_PERMIT), Effect.DENY, ("fails-to-permit",)),
    ],
)
def test_the_strictest_answer_wins(facts, texts, effect, policies):
    verdict = engine(*texts).decide(facts(max_tokens=9))
    assert (verdict.effect, verdict.policies) == (effect, policies)
    assert bool(verdict.errors) == any(text in texts for text in (FAILS, FAILS_TO_PERMIT))


def test_a_forbid_that_fails_refuses_and_names_itself(facts):
    policies = engine(GRANT, FAILS)
    assert policies.decide(facts(max_tokens=0)).effect is Effect.ALLOW
    verdict = policies.decide(facts(max_tokens=9))
    assert verdict.effect is Effect.DENY
    assert verdict.errors[0].startswith("fails: integer overflow")


def test_an_unknown_action_is_refused(facts):
    assert engine(GRANT).decide(facts(action="DropTables")).effect is Effect.DENY


@pytest.mark.parametrize(
    "absurd",
    [
        {"max_tokens": 2**63},
        {"max_tokens": -(2**63) - 1},
        {"hour": 2**64},
        {"model": "\ud800"},
        {"target": "\ud800/x"},
        {"findings": ("\udfff",)},
        {"labels": (None,)},
        {"stream": "yes"},
        {"team": 5},
    ],
)
def test_facts_that_cannot_be_put_are_refused_with_an_error(facts, absurd):
    reads_all = (
        '@id("r") forbid (principal, action, resource) when { context.max_tokens == 1 && context.hour == 1 && '
        'context.stream && context.labels.contains("x") && context.findings.contains("x") };'
    )
    verdict = engine(GRANT, reads_all).decide(facts(**absurd))
    assert verdict.effect is Effect.DENY
    assert verdict.errors
    assert all(len(error) < 300 and "\n" not in error for error in verdict.errors)


def test_one_callers_absurd_value_does_not_answer_for_the_others(facts):
    # Nothing reads max_tokens, so both calls are the same question: the first must not poison the second.
    policies = engine(GRANT)
    assert policies.decide(facts(max_tokens=2**70)).effect is Effect.ALLOW
    assert policies.decide(facts()).effect is Effect.ALLOW


def test_names_from_outside_are_data_not_policy_text(facts):
    policies = engine('@id("p") permit (principal in Team::"a\\"b", action, resource in Model::"x\\ny");')
    assert policies.decide(facts(team='a"b', model="x\ny")).effect is Effect.ALLOW
    assert policies.decide(facts(team='a", action, resource); permit(principal', model="x\ny")).effect is Effect.DENY


# ---- obligations ----


def test_a_permit_with_obligations_grants_nothing(facts):
    # Otherwise an e-mail address in the prompt would open every model that the team is not approved for.
    policies = engine(
        '@id("approved") permit (principal, action, resource in Model::"fast");',
        '@id("pii") @obligation("redact:pii") permit (principal, action, resource) when { context.findings.contains("pii") };',
    )
    assert policies.decide(facts(model="secret-lab", findings=("pii",))).effect is Effect.DENY
    assert policies.decide(facts(model="fast", findings=("pii",))).obligations == (Obligation("redact", "pii"),)
    assert policies.decide(facts(model="fast")).obligations == ()


def test_obligations_of_all_matched_permits_are_united_strictest_first(facts):
    policies = engine(
        GRANT,
        '@id("a") @obligation("redact:pii.email, cap:max_tokens=4096 tag:reviewed") permit (principal, action, resource);',
        '@id("b") @obligation("redact:pii, cap:max_tokens=512, route:on-prem") permit (principal, action, resource);',
        '@id("c") @obligation("redact:secret route:eu") permit (principal, action, resource) when { context.stream };',
    )
    assert [str(o) for o in policies.decide(facts()).obligations] == [
        "cap:max_tokens=512",
        "redact:pii",
        "route:on-prem",
        "tag:reviewed",
    ]
    assert "route:eu" in map(str, policies.decide(facts(stream=True)).obligations)


@pytest.mark.parametrize(
    ("bound", "left"),
    [
        ("redact:pii tokenize:pii.email surrogate:pii", "redact:pii"),
        ("redact:pii.email tokenize:pii surrogate:pii.card", "redact:pii.email surrogate:pii.card tokenize:pii"),
        ("redact:pii tokenize:pii surrogate:pii.card", "redact:pii"),
        ("tokenize:pii surrogate:pii", "tokenize:pii"),
        ("tokenize:pii.email tokenize:pii surrogate:custom", "surrogate:custom tokenize:pii tokenize:pii.email"),
        ("withhold:pii withhold:pii.card restore:pii.email@mail restore:other@mail", "restore:other@mail withhold:pii"),
        ("restore:pii@mail restore:pii.email@mail restore:pii.email@*", "restore:pii.email@* restore:pii@mail"),
        ("restore:pii.email@mail withhold:pii.email", "withhold:pii.email"),
        ("restore:pii@mail withhold:pii.email", "restore:pii@mail withhold:pii.email"),
    ],
)
def test_what_a_stricter_obligation_covers_is_left_out(facts, bound, left):
    policies = engine(GRANT, f'@id("a") @obligation("{bound}") permit (principal, action, resource);')
    assert " ".join(map(str, policies.decide(facts()).obligations)) == left


def test_the_advice_of_the_most_severe_forbid_is_told(facts):
    forbid = '@id("{0}") @severity("{1}") @advice("{2}") forbid (principal, action, resource);'
    policies = engine(
        GRANT,
        '@id("0") @severity("critical") forbid (principal, action, resource);',
        forbid.format("a", "low", "first"),
        forbid.format("b", "high", "second"),
    )
    assert policies.decide(facts()).advice == "second"


# ---- observe mode ----


@pytest.mark.parametrize(
    ("texts", "effect", "seen"),
    [
        ((GRANT, observed(REFUSE)), Effect.ALLOW, ("refuse",)),
        ((GRANT, observed(BOUND)), Effect.ALLOW, ("bound",)),
        ((GRANT, observed(FAILS)), Effect.ALLOW, ("fails",)),
        ((observed(GRANT),), Effect.DENY, ("grant",)),
        ((REFUSE, observed(GRANT)), Effect.DENY, ()),
        ((REFUSE, observed(FAILS)), Effect.DENY, ()),
        ((GRANT, FAILS, observed(REFUSE)), Effect.DENY, ()),
        ((GRANT, BOUND, observed(BOUND).replace('"bound"', '"same"')), Effect.ALLOW, ()),
        ((GRANT, observed(GRANT).replace('"grant"', '"same"')), Effect.ALLOW, ()),
    ],
)
def test_an_observed_policy_is_reported_where_it_would_have_changed_the_verdict(facts, texts, effect, seen):
    verdict = engine(*texts).decide(facts(max_tokens=9))
    assert (verdict.effect, verdict.observed) == (effect, seen)
    without = engine(*(text for text in texts if "observe" not in text)).decide(facts(max_tokens=9))
    assert replace(verdict, observed=()) == without


# ---- two passes ----

_CONDITIONS = [
    "true",
    "context.stream",
    "!context.inspected",
    "context.inspected",
    'context.findings.contains("pii")',
    '!context.findings.contains("pii")',
    'context.findings.containsAny(["secret", "pii"])',
    "context.findings.isEmpty()",
    'context.labels.contains("restricted")',
    '!context.labels.contains("restricted") && context.stream',
    'if context.inspected then context.labels.contains("restricted") else context.stream',
    "context.max_tokens * 9223372036854775807 > 5",
    "context.inspected && context.max_tokens * 9223372036854775807 > 5",
    'resource.provider.labels.contains("external") || context.findings.contains("secret")',
]
_EVERY = [
    {"findings": findings, "labels": labels}
    for findings, labels in itertools.product(
        ((), ("pii",), ("secret",), ("pii", "secret")), ((), ("restricted",), ("other",))
    )
]


_SORTS = ["permit", "permit", "forbid", "bound", "observed permit", "observed forbid"]
_HEADS = {
    "permit": "permit",
    "forbid": "forbid",
    "bound": '@obligation("redact:pii") permit',
    "observed permit": '@mode("observe") permit',
    "observed forbid": '@mode("observe") forbid',
}
_PRINCIPALS = ["principal", 'principal in Team::"research"', 'principal in Team::"x"']
_POLICY = st.tuples(st.sampled_from(_SORTS), st.sampled_from(_PRINCIPALS), st.sampled_from(_CONDITIONS))


def _policies(drawn: list[tuple[str, str, str]]) -> str:
    never = '@id("never") permit (principal, action, resource) when { false };\n'
    return never + "\n".join(
        f'@id("p{number}") {_HEADS[sort]} ({principal}, action, resource) when {{ {condition} }};'
        for number, (sort, principal, condition) in enumerate(drawn)
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_POLICY, max_size=5).map(_policies),
    st.booleans(),
    st.sampled_from([0, 9]),
    st.sampled_from([("external",), ("on-prem",)]),
)
def test_a_refusal_before_inspection_is_a_refusal_whatever_is_found(facts, text, stream, max_tokens, labels):
    policies = PolicyEngine.load({"random.cedar": text})
    call = facts(stream=stream, max_tokens=max_tokens, provider_labels=labels)
    first = policies.decide(replace(call, inspected=False))
    later = [policies.decide(replace(call, **found)) for found in _EVERY]
    if first.effect is Effect.DENY:
        assert not first.approximate
        assert all(verdict.effect is Effect.DENY for verdict in later)
    elif not first.approximate:
        assert all(verdict == first for verdict in later)
    for verdict in (first, *later):
        assert not (verdict.effect is Effect.ALLOW and verdict.errors)
    for verdict in later:
        assert not verdict.approximate
        if first.effect is Effect.ALLOW and verdict.effect is Effect.ALLOW:
            assert set(first.obligations) <= set(verdict.obligations)


def _reference(engine: PolicyEngine, call: Facts) -> tuple[Effect, tuple[str, ...]]:
    """The truth table again, over answers of the policies asked one by one."""
    accounts = [account for account in explain(engine, call).policies if account.mode == "enforce"]
    failed = {account.id for account in accounts if account.matched == "error"}
    matched = [account for account in accounts if account.matched == "yes"]
    forbids = {account.id for account in matched if account.effect == "forbid"}
    permits = {account.id for account in matched if account.effect == "permit"}
    if failed or forbids:
        return Effect.DENY, tuple(sorted(failed | forbids))
    if any(account.effect == "permit" and not account.obligations for account in matched):
        return Effect.ALLOW, tuple(sorted(permits))
    return Effect.DENY, ()


@settings(max_examples=100, deadline=None)
@given(st.lists(_POLICY, max_size=14).map(_policies), st.booleans(), st.sampled_from([0, 9]), st.sampled_from(_EVERY))
def test_policies_asked_together_answer_as_when_asked_alone(facts, text, stream, max_tokens, found):
    policies = PolicyEngine.load({"random.cedar": text})
    call = facts(stream=stream, max_tokens=max_tokens, **found)
    verdict = policies.decide(call)
    assert (verdict.effect, verdict.policies) == _reference(policies, call)


def test_a_policy_that_binds_to_nothing_new_would_change_nothing(facts):
    twice = BOUND.replace('"bound"', '"again"')
    verdict = engine(GRANT, BOUND, observed(twice)).decide(facts())
    assert verdict.observed == ()
    assert engine(GRANT, observed(BOUND)).decide(facts()).observed == ("bound",)


def test_before_inspection_what_may_still_be_granted_is_not_refused(facts):
    late = '@id("late") permit (principal, action, resource) when { context.findings.contains("pii") };\n'
    first = engine(late).decide(facts(inspected=False))
    assert (first.effect, first.approximate) == (Effect.ALLOW, True)
    assert engine(late).decide(facts(inspected=True)).effect is Effect.DENY
    assert engine(late, REFUSE).decide(facts(inspected=False)).policies == ("refuse",)


def test_policies_ask_what_a_caller_is_and_who_vouches_for_it(facts):
    engine = PolicyEngine.load(
        {
            "a.cedar": '@id("grant") permit (principal, action, resource);\n'
            '@id("no-agents") forbid (principal is Agent, action, resource) when { principal.assurance < 3 };\n'
            '@id("no-strangers") forbid (principal, action, resource) when '
            '{ principal is User && principal.issuer != "corp" };\n'
            '@id("not-him") forbid (principal == User::"corp/bob", action, resource);\n'
        }
    )
    key = facts()
    assert engine.decide(key).effect is Effect.ALLOW
    agent = facts(kind="agent", credential="svid", assurance=2, caller="spiffe://example.org/a", issuer="example.org")
    assert engine.decide(agent).policies == ("no-agents",)
    assert engine.decide(replace(agent, assurance=3)).effect is Effect.ALLOW
    user = facts(kind="user", credential="oidc", assurance=2, caller="corp/ada", issuer="corp")
    assert engine.decide(user).effect is Effect.ALLOW
    assert engine.decide(replace(user, issuer="other")).policies == ("no-strangers",)
    assert engine.decide(replace(user, caller="corp/bob")).policies == ("not-him",)
    assert (
        engine.decide(replace(user, caller="corp/bob", credential="key")).effect is Effect.ALLOW
    )  # a key of that name


def test_who_acts_for_somebody_is_a_fact(facts):
    engine = PolicyEngine.load(
        {
            "a.cedar": '@id("all") permit (principal, action, resource);'
            '@id("attested") forbid (principal is User, action, resource) when { principal.actor_assurance < 2 };'
            '@id("no-agents") forbid (principal, action, resource) when { principal.actor_kind == "agent" };'
        }
    )
    user = facts(kind="user", credential="task", assurance=2, caller="corp/ada")
    assert engine.decide(user).policies == ("all",)
    assert engine.decide(replace(user, assurance=1)).policies == ("attested",), "nobody acts: it is the caller's own"
    bot = replace(user, actor=Actor("bot", "service", "ops", 0, ("bot",)))
    assert engine.decide(bot).policies == ("attested",)
    assert engine.decide(replace(bot, actor=Actor("bot", "agent", "ops", 3, ("bot",)))).policies == ("no-agents",)
    assert engine.decide(replace(bot, actor=Actor("bot", "service", "ops", 3, ("bot",)))).policies == ("all",)
