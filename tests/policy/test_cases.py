"""Tests of policies: cases of facts, what is compared, and mistakes in the file of cases."""

from __future__ import annotations

from pathlib import Path

import pytest

import yett
from yett.errors import ConfigurationError
from yett.policy.cases import Difference, run
from yett.policy.engine import PolicyEngine

ENGINE = PolicyEngine.load(
    {
        "a.cedar": '@id("grant") permit (principal, action, resource in Model::"fast");'
        '@id("pii") @obligation("redact:pii") permit (principal, action, resource) when { context.findings.contains("pii") };'
        '@id("fails") forbid (principal, action, resource) when { context.max_tokens * 9223372036854775807 > 5 };'
    }
)
HEAD = '[providers]\nopenai = ["external"]\n\n'
CALL = 'call = { team = "x", model = "fast", targets = ["openai/a"]'


def case(rest: str, expect: str) -> str:
    return f'{HEAD}[[case]]\nname = "it"\n{CALL}{rest} }}\nexpect = {{ {expect} }}\n'


def test_a_case_passes_when_nothing_that_it_mentions_differs():
    text = case(
        ', findings = ["pii.email"]', 'decision = "allow", policies = ["pii", "grant"], obligations = ["redact:pii"]'
    )
    (result,) = run(ENGINE, "tests.toml", text)
    assert (result.name, result.line, result.differences) == ("it", 4, ())


def test_every_fact_can_be_given() -> None:
    engine = PolicyEngine.load(
        {
            "a.cedar": '@id("grant") permit (principal, action, resource);'
            '@id("german") forbid (principal, action, resource) when { context has languages && context.languages.contains("de") };'
            '@id("files") forbid (principal, action, resource) when { context.files.contains("exe") };'
            '@id("code") forbid (principal, action, resource) when { context.code.contains("python") };'
            '@id("rude") forbid (principal, action, resource) when { context has toxicity && context.toxicity >= 80 };'
            '@id("harm") forbid (principal, action, resource) when { context has harm && context.harm >= 80 };'
            '@id("long") forbid (principal, action, resource) when { context has task && context.task.steps > 9 };'
            '@id("seen") forbid (principal, action, resource)'
            ' when { context has task && context.task.findings.contains("pii") && context.task.labels.contains("x") };'
            '@id("deep") forbid (principal, action, resource) when { principal.delegations > 1 && principal.actors.contains("web") };'
            '@id("weak") forbid (principal, action, resource)'
            ' when { principal.actor != "" && principal.actor_assurance < 2 && principal.actor_team != "ops" };'
            '@id("hate") forbid (principal, action, resource) when { context has moderation.hate && context.moderation.hate >= 60 };'
            '@id("made-up") @obligation("tag:made-up") permit (principal, action == Action::"ReleaseReply", resource)'
            " when { context has groundedness && context.groundedness < 50 };"
        }
    )
    for fact, policy in (
        ('languages = ["de", "en"]', "german"),
        ('files = ["exe"]', "files"),
        ('actor = { id = "bot", assurance = 3, chain = ["bot", "web"] }', "deep"),
        ('actor = { id = "bot", kind = "agent", assurance = 1 }', "weak"),
        ('code = ["python"]', "code"),
        ("toxicity = 80", "rude"),
        ("harm = 95", "harm"),
        ("moderation = { hate = 60 }", "hate"),
        ("task = { steps = 10 }", "long"),
        ('task = { findings = ["pii.email"], labels = ["x", "x"] }', "seen"),
    ):
        (result,) = run(engine, "tests.toml", case(f", {fact}", f'decision = "deny", policies = ["{policy}"]'))
        assert result.differences == ()
    for fact in (
        "",
        ", languages = []",
        ", toxicity = 75",
        ", moderation = { violence = 99 }",
        ", groundedness = 20",
        ", task = { steps = 9 }",
    ):
        (result,) = run(engine, "tests.toml", case(fact, 'decision = "allow", policies = ["grant"]'))
        assert result.differences == ()
    answer = ', action = "ReleaseReply", confidence = 90, least_confidence = 5, groundedness = '
    for percent, obligations in ((45, '["tag:made-up"]'), (50, "[]")):
        (result,) = run(
            engine, "tests.toml", case(f"{answer}{percent}", f'decision = "allow", obligations = {obligations}')
        )
        assert result.differences == ()


def test_what_differs_is_told():
    text = case("", 'decision = "deny", policies = ["pii"], targets = [], obligations = [], observed = [], advice = ""')
    (result,) = run(ENGINE, "tests.toml", text)
    assert result.differences == (
        Difference("decision", "deny", "allow"),
        Difference("policies", ("pii",), ("grant",)),
        Difference("targets", (), ("openai/a",)),
    )


def test_a_failure_is_told_with_the_difference():
    (result,) = run(ENGINE, "tests.toml", case(", max_tokens = 9", 'decision = "allow"'))
    assert [difference.what for difference in result.differences] == ["decision", "errors"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[case", "tests.toml: not TOML"),
        ("a = 1\nb = = 2", "tests.toml:2: not TOML"),
        ("x = 5", "unknown field `x`"),
        (case(', findngs = ["x"]', 'decision = "allow"'), 'tests.toml:4: Object contains unknown field `findngs` - at `$.case[0].call`; did you mean "findings"?'),
        (case("", 'decison = "allow"'), 'tests.toml:4: Object'),
        (case(", task = { step = 5 }", 'decision = "allow"'), 'did you mean "steps"?'),
        (case(", moderation = { hat = 5 }", 'decision = "allow"'), 'case "it": unknown category "hat" in `moderation`; did you mean "hate"?'),
        (case("", 'decision = "alow"'), 'tests.toml:4: case "it": unknown decision "alow"'),
        (case(', action = "Invoke"', 'decision = "allow"'), 'unknown action "Invoke"'),
        (case(', kind = "agnet"', 'decision = "allow"'), 'unknown kind "agnet"; did you mean "agent"'),
        (case(', credential = "jwt"', 'decision = "allow"'), 'unknown credential "jwt"; known: forwarded, key'),
        (case("", 'decision = "allow"').replace("openai/a", "opnai/a"), 'no provider "opnai" in [providers]; did you mean "openai"?'),
        (case(', hour = "noon"', 'decision = "allow"'), "tests.toml:4: Expected `int`"),
        ("x = " + "1" * 5000, "cannot be read as TOML"),
        ("case = [{ name = 5 }]", "tests.toml: "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told(text, expected):
    with pytest.raises(ConfigurationError) as caught:
        run(ENGINE, "tests.toml", text)
    assert expected in str(caught.value)


def test_cases_may_be_written_inline():
    text = (
        'case = [{ name = "it", call = { team = "x", model = "fast", targets = [] }, expect = { decision = "deny" } }]'
    )
    (result,) = run(ENGINE, "tests.toml", text)
    assert (result.line, result.differences) == (0, ())


def test_the_starter_policies_do_what_their_tests_say():
    directory = Path(yett.__file__).parent / "data" / "policies"
    engine = PolicyEngine.load({path.name: path.read_text() for path in directory.glob("*.cedar")})
    results = run(engine, "tests.toml", (directory / "tests.toml").read_text())
    assert len(results) >= 15
    assert {result.name: result.differences for result in results if result.differences} == {}
