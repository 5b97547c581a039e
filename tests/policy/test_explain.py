"""An account of a decision tells each policy, where it stands, whether it matched, and the facts that it read."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from yett.model.caller import Actor
from yett.model.task import TaskFacts
from yett.policy.decision import facts_about
from yett.policy.engine import PolicyEngine
from yett.policy.explain import explain, facts_from_record, facts_to_record

ENGINE = PolicyEngine.load(
    {
        "a.cedar": '\n@id("grant") permit (principal in Team::"research", action, resource);\n'
        '@id("pii") @obligation("redact:pii") permit (principal, action, resource)\n'
        'when { context.findings.contains("pii") && resource.provider.labels.contains("external") };\n'
        '@id("forbid") @advice("no") @control("LLM02") forbid (principal == Key::"key_1", action, resource is Target)\n'
        "when { principal.assurance < 2 && context.stream };\n"
        '@id("seen") @mode("observe") forbid (principal, action, resource) when { principal.labels.contains("env=prod") };\n'
        '@id("fails") forbid (principal, action, resource) when { context.max_tokens * 9223372036854775807 > 5 };\n'
        '@id("elsewhere") permit (principal in Team::"x", action, resource);\n'
    }
)


def test_every_policy_that_could_match_is_accounted_for(facts):
    account = explain(ENGINE, facts(findings=("pii", "pii.email")))
    told = {policy.id: policy for policy in account.policies}
    assert {name: policy.matched for name, policy in told.items()} == {
        "grant": "yes",
        "pii": "yes",
        "forbid": "no",
        "seen": "yes",
        "fails": "no",
    }
    assert told["pii"].facts == {
        "context.findings": ("pii", "pii.email"),
        "resource.provider.labels": ("external",),
    }
    assert told["forbid"].facts["principal.assurance"] == 0
    assert told["grant"].facts == {"principal": 'Key::"key_1" in Team::"research" in Tenant::"default"'}
    assert (told["pii"].file, told["pii"].line) == ("a.cedar", 3)
    assert told["pii"].text.endswith('contains("external") };')
    assert account.verdict.observed == ("seen",)
    msgspec.json.encode(account)


def test_a_permit_beside_a_forbid_and_a_failure_are_told(facts):
    account = explain(ENGINE, facts(stream=True, max_tokens=9))
    told = {policy.id: policy.matched for policy in account.policies}
    assert (told["grant"], told["forbid"], told["fails"]) == ("yes", "yes", "error")
    (failed,) = (policy for policy in account.policies if policy.id == "fails")
    assert "overflow" in failed.error


def test_the_caller_is_called_what_it_is(facts):
    account = explain(ENGINE, facts(kind="agent", credential="svid", caller="spiffe://example.org/a"))
    (told,) = [policy for policy in account.policies if policy.id == "grant"]
    assert told.facts == {"principal": 'Agent::"spiffe://example.org/a" in Team::"research" in Tenant::"default"'}


def test_before_inspection_what_waits_for_it_was_not_asked(facts):
    told = {policy.id: policy.matched for policy in explain(ENGINE, facts(inspected=False)).policies}
    assert told["pii"] == "not asked"
    assert told["grant"] == "yes"


def test_facts_survive_the_journal(facts, external, on_prem):
    for base in (
        facts(),
        facts(
            findings=("pii",), labels=("restricted",), stream=True, tools=True, max_tokens=7, assurance=2, injection=55
        ),
        facts(inspected=False, caller_labels=(), hour=0),
        facts(kind="agent", credential="oidc", issuer="corp"),
    ):
        kept = msgspec.json.decode(msgspec.json.encode(facts_to_record(base, (external, on_prem))))
        assert facts_from_record(kept) == (facts_about(base, external), facts_about(base, on_prem))
        (alone,) = facts_from_record(msgspec.json.decode(msgspec.json.encode(facts_to_record(base))))
        assert alone == replace(base, target="", provider="", provider_labels=())


@pytest.mark.parametrize("kept", [{}, {"action": "InvokeModel"}, {"action": 5}, {"candidates": "x"}])
def test_something_else_is_not_taken_for_facts(kept):
    with pytest.raises(ValueError, match="not the facts of a call"):
        facts_from_record(kept)


def test_facts_that_may_be_unknown_are_recorded_where_they_are_known(facts, external):
    known = facts(
        languages=("de", "en"), code=("python",), files=("pdf",), toxicity=0, harm=5, moderation=(("hate", 10),), confidence=90,
        least_confidence=5, groundedness=45, actor=Actor("bot", "agent", "ops", 3, ("bot", "web")), task=TaskFacts(steps=3, labels=("restricted",)),
    )  # fmt: skip
    for each in (facts(), known):
        (again,) = facts_from_record(msgspec.json.decode(msgspec.json.encode(facts_to_record(each, [external]))))
        assert again == each


def test_the_facts_of_a_task_have_values_where_there_is_one(facts):
    text = '@id("a") forbid (principal, action, resource) when { context has task && context.task.steps > 5 };'
    engine = PolicyEngine.load({"a.cedar": f'@id("all") permit (principal, action, resource);{text}'})
    (_, policy) = explain(engine, facts(task=TaskFacts(steps=6))).policies
    assert (policy.matched, policy.facts["context.task.steps"]) == ("yes", 6)
    assert policy.facts["context.task"] == msgspec.structs.asdict(TaskFacts(steps=6))
    (_, policy) = explain(engine, facts()).policies
    assert (policy.matched, policy.facts["context.task.steps"]) == ("no", None)


def test_paths_of_every_kind_have_a_value(facts):
    engine = PolicyEngine.load(
        {
            "a.cedar": '@id("a") forbid (principal, action, resource in Model::"fast") when { '
            'action == Action::"InvokeModel" && resource.provider == Provider::"openai" && context.model like "f*" && '
            "[context].contains(context) && context.moderation has hate && context.moderation.hate > 5 };"
        }
    )
    (policy,) = explain(engine, facts()).policies
    assert set(policy.facts) == {
        "action",
        "resource",
        "resource.provider",
        "context",
        "context.model",
        "context.moderation",
        "context.moderation.hate",
    }
