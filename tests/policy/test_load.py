"""Every mistake in a policy file is found before it comes into force, at its line, with a suggestion."""

from __future__ import annotations

import re

import pytest

from yett.errors import ConfigurationError
from yett.policy import load as load_module
from yett.policy.engine import PolicyEngine
from yett.policy.load import load
from yett.policy.schema import ACTIONS, ATTRIBUTES, CATEGORIES, CONTEXT, ENTITIES, PRINCIPALS, QUALITY, TASK, TEXT
from yett.policy.source import Statement

P = "permit (principal, action, resource)"
GRANT = f'@id("grant") {P};\n'
WHO = {"caller", "kind", "credential"}


def mistakes(text: str, **known: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load({"a.cedar": text}, known)
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # syntax
        ('@id("a")\npermt (principal, action, resource);', 'a.cedar:2: invalid policy effect: permt; did you mean "permit"?'),
        (f'@id("a") {P}\n\nwhn {{ true }};', 'a.cedar:3: invalid policy condition: whn; did you mean "when"?'),
        (f'@id("a") {P} when {{\n context.hour >\n > 5 }};', "a.cedar:3: unexpected token `>`"),
        (f'@id("a")\n@id("b")\n{P};', "a.cedar:1: duplicate annotation: @id"),
        (f'{GRANT}@id("a") {P}', 'a.cedar:2: this policy is not closed with ";"'),
        (f'{GRANT}@id("a) {P};', "a.cedar:2: this string is not closed"),
        (f'{GRANT}}}', "a.cedar:2: unexpected token `}`"),
        (f'@id("a") {P} when {{ context.findings.contans("x") }};', "`contans` is not a valid method; did you mean \"contains\"?"),
        (f'@id("a") {P} when {{ {"!" * 101}true }};', "a.cedar:1: "),
        (f'@id("a") {P} when {{ {"(" * 150}true{")" * 150} }};', None),
        (f'@id("a") {P};\n@id("b") {P} when {{ {"context.stream && " * 150}true }};', "a.cedar:2: "),
        (f'@id("a") {P};\n@id("b") {P} when {{\n context.hour >> 5 }};', "a.cedar:3: "),
        # schema
        (
            f'@id("a") {P}\nwhen {{\n context.findngs.contains("pii") }};',
            'a.cedar:3: there is no fact "context.findngs"; did you mean "findings"?',
        ),
        (
            '@id("a") permit (principal,\n action == Action::"InvokModel", resource);',
            'a.cedar:2: there is no Action::"InvokModel"; did you mean "InvokeModel"?',
        ),
        (
            '@id("a") permit (principal in Taem::"x", action, resource);',
            'a.cedar:1: there is no entity type "Taem"; did you mean "Team"?',
        ),
        (
            f'@id("a") {P} when {{ principal.lables.contains("x") }};',
            'a.cedar:1: Key has no attribute "lables"; did you mean "labels"?',
        ),
        (f'@id("a") {P} when {{ context.hour == "noon" }};', "a.cedar:1: the types Long and String are not compatible"),
        (f'@id("a") {P} when {{ decimal(context.model) == decimal("1.0") }};', "a.cedar:1: "),
        # what the validator lets through
        (f'@id("a") {P} when {{ context has findngs }};', 'a.cedar:1: policy "a": "has findngs": nothing has such'),
        (f'@id("a") {P} when {{ Provider::"x".labels.contains("y") }};', 'policy "a": ".labels" is read from something'),
        ('@id("a") permit (principal == ?principal, action, resource);', "make a template"),
        # annotations
        (f"{P};", 'a.cedar:1: this policy has no @id; write @id("what-it-is-for") in front of it'),
        (f"@id {P};", 'a.cedar:1: @id("") must be letters'),
        (f'@id("a, b") {P};', 'a.cedar:1: policy "a, b": @id("a, b") must be letters'),
        (f'@id("a\\r\\nx") {P};', "must be letters"),
        (f'@id("default-deny") {P};', "is reserved"),
        (f'{GRANT}\n@id("grant") {P};', 'a.cedar:3: @id("grant") is already used at a.cedar:1'),
        (f'@id("a")\n@obligaton("redact:pii") {P};', 'a.cedar:2: policy "a": unknown annotation @obligaton; did you mean "obligation"?'),
        (f'@id("a")\n\n@mode("observ") {P};', 'a.cedar:3: policy "a": unknown mode "observ"; did you mean "observe"?'),
        (f'@id("a") @mode {P};', 'unknown mode ""; known: enforce, observe'),
        (f'@id("a") @severity("hihg") {P};', 'unknown severity "hihg"; did you mean "high"?'),
        (f'@id("a") @control("LLM 02 !") {P};', "must name controls"),
        (f'@id("a") @control {P};', "must name controls"),
        ('@id("a") @advice("x\\ny") forbid (principal, action, resource);', "@advice must be one line"),
        ('@id("a") @advice forbid (principal, action, resource);', "@advice must be one line"),
        (f'@id("a") @advice("x") {P};', "@advice is shown when a policy refuses, which this permit never does"),
        # obligations
        (f'{GRANT}@id("a") @obligation("redct:pii") {P};', 'unknown obligation "redct:pii"; did you mean "redact"?'),
        (f'{GRANT}@id("a") @obligation("zzz") {P};', 'unknown obligation "zzz"; known: cap, plant, redact, restore, route, spotlight, surrogate, tag, tokenize, withhold'),
        (f'{GRANT}@id("a") @obligation {P};', "@obligation is empty"),
        (f'{GRANT}@id("a") @obligation("redact") {P};', 'obligation "redact" needs an argument'),
        (f'{GRANT}@id("a") @obligation("redact:PII") {P};', "needs a family or kind of finding"),
        (f'{GRANT}@id("a") @obligation("withhold:PII") {P};', 'needs a family or kind of finding: "withhold:pii"'),
        (f'{GRANT}@id("a") @obligation("tokenize:secret") {P};', 'secrets go one way only; write "redact:secret"'),
        (f'{GRANT}@id("a") @obligation("surrogate:secret.x") {P};', 'secrets go one way only; write "redact:secret.x"'),
        (f'{GRANT}@id("a") @obligation("restore:secret@mail") {P};', "secrets go one way only"),
        (f'{GRANT}@id("a") @obligation("restore:pii") {P};', 'needs a tool, or * for all: "restore:pii@send_mail"'),
        (f'{GRANT}@id("a") @obligation("restore:pii@a;b") {P};', "needs a tool, or * for all"),
        (f'{GRANT}@id("a") @obligation("tokenize:pii@mail") {P};', 'takes no tool: "tokenize:pii"'),
        (f'{GRANT}@id("a") @obligation("redact:pii.") {P};', "needs a family or kind of finding"),
        (f'{GRANT}@id("a") @obligation("cap:max_token=5") {P};', 'caps nothing known; did you mean "max_tokens"?'),
        (f'{GRANT}@id("a") @obligation("cap:max_tokens=0") {P};', "needs a whole number of tokens from 1"),
        (f'{GRANT}@id("a") @obligation("cap:max_tokens=-1") {P};', "needs a whole number of tokens from 1"),
        (f'{GRANT}@id("a") @obligation("cap:max_tokens=99999999999") {P};', "needs a whole number of tokens from 1"),
        (f'{GRANT}@id("a") @obligation("cap:max_tokens=٣") {P};', "needs a whole number of tokens from 1"),
        (f'{GRANT}@id("a") @obligation("plant:canry") {P};', 'obligation "plant:canry" adds nothing known; did you mean "canary"?'),
        (f'{GRANT}@id("a") @obligation("spotlight:user") {P};', 'obligation "spotlight:user" adds nothing known; known: tool'),
        (f'{GRANT}@id("a") @obligation("route:a/b") {P};', "needs a plain name"),
        (f'{GRANT}@id("a") @obligation("redact:pii") forbid (principal, action, resource);', "a forbid refuses"),
        (f'@id("a") @obligation("redact:pii") {P};', "no permit without one grants ExchangeToken or InvokeModel or"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(text, expected):
    if expected is None:
        load({"a.cedar": text})
    else:
        assert any(expected in mistake for mistake in mistakes(text)), mistakes(text)


def test_every_mistake_of_every_file_is_told():
    with pytest.raises(ConfigurationError) as caught:
        load(
            {
                "b.cedar": f'{P};\n@id("x") @mode("no") {P} when {{ context.nothing }};',
                "a.cedar": f'@id("x") {P} when {{ principal.nobody == 1 }};',
            }
        )
    told = [(mistake.file, mistake.line) for mistake in caught.value.mistakes]
    assert told == [("a.cedar", 1), ("b.cedar", 1), ("b.cedar", 2), ("b.cedar", 2), ("b.cedar", 2)]


def test_a_name_that_does_not_exist_is_a_mistake_where_the_names_are_known():
    text = '@id("a") forbid (principal in Team::"reserch", action, resource in Model::"fast");'
    assert mistakes(text, Team=["research"]) == [
        'a.cedar:1: policy "a": there is no Team::"reserch"; did you mean "research"?'
    ]
    assert mistakes(text, Model=["slow"])
    load({"a.cedar": text}, {"Model": ["fast"], "Provider": []})


def test_a_finding_that_nothing_finds_is_a_mistake_where_the_findings_are_known():
    known = ["pii", "pii.email", "secret"]
    for condition in ('contains("pii.emial")', 'containsAny(["secret", "pii.emial"])'):
        text = f'@id("a") {P} when {{ context.findings.{condition} }};'
        assert "did you mean" in mistakes(text, finding=known)[0]
    text = GRANT + f'@id("a") @obligation("redact:secrets") {P};'
    assert 'no detector finds "secrets"; did you mean "secret"?' in mistakes(text, finding=known)[0]
    # Labels of the content are the operator's own: nothing is known about them.
    load({"a.cedar": f'@id("a") {P} when {{ context.labels.contains("zork") }};'}, {"finding": known})


def test_words_of_a_vocabulary_are_checked_wherever_they_stand():
    known = {"languages": ["de", "en"], "code": ["python"]}
    for condition in (
        'context has languages && !["en", "de", "xx"].containsAll(context.languages)',
        'context has languages && context.languages.containsAny(["xx"])',
    ):
        (mistake,) = mistakes(f'@id("a") {P} when {{ {condition} }};', **known)
        assert 'policy "a": there is nothing called "xx" in context.languages; known: de, en' in mistake
    (mistake,) = mistakes(f'@id("a") {P} when {{ context.code.contains("pyton") }};', **known)
    assert 'did you mean "python"?' in mistake


def test_what_may_be_unknown_is_asked_for_with_has():
    assert mistakes(f'@id("a") {P} when {{ context.toxicity > 5 }};') == [
        'a.cedar:1: context.toxicity is not always known; write "context has toxicity && …" before it'
    ]


@pytest.mark.parametrize("name", QUALITY)
def test_how_good_an_answer_is_is_noted_and_never_refuses(name):
    when = f"(principal, action, resource) when {{ context has {name} && context.{name} < 50 }};"
    for text in (
        f'@id("a") forbid {when}',
        f'@id("a") permit {when}',
        f'@id("a") @obligation("redact:pii") permit {when}',
    ):
        (mistake,) = mistakes(GRANT + text)
        assert f'policy "a": context.{name} can be noted and never refuse or permit anything' in mistake
    load({"a.cedar": GRANT + f'@id("a") @obligation("tag:x") permit {when} @id("b") @mode("observe") forbid {when}'})


def test_semicolons_in_strings_and_comments_end_no_policy():
    policies = load(
        {
            "a.cedar": '// one; two "\n@id("a") // ; "\n'
            f'{P} when {{ context.model != "a;b // \\" ;" }} ; @id("b")forbid(principal,action,resource);// end'
        }
    )
    assert [(policy.id, policy.line) for policy in policies] == [("a", 2), ("b", 3)]


def test_empty_files_are_no_policies():
    assert load({}) == ()
    assert load({"a.cedar": "", "b.cedar": "// nothing yet\n"}) == ()
    assert PolicyEngine.load({}).policies == ()


def test_what_a_policy_says_is_read():
    (policy,) = load(
        {
            "a.cedar": '@id("a") @severity("high") @control("LLM02, ASI03") @mode("enforce")\n'
            'forbid (principal in Team::"x", action == Action::"InvokeModel", resource)\n'
            'when { context.findings.contains("pii") && principal.labels.contains("env=dev") };'
        }
    )
    assert policy.controls == ("LLM02", "ASI03")
    assert policy.team == "x"
    assert policy.actions == {"InvokeModel"}
    assert policy.fields == {"findings", "caller_labels"}
    assert policy.late
    assert not policy.grants


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        ('principal in Team::"a" || principal in [Team::"b", Team::"c"] || principal in Tenant::"d"', set()),
        ('principal is Key && principal is Key in Team::"a"', {"kind", "credential"}),
        ('principal in (if context.stream then Team::"a" else Team::"b")', {*WHO, "stream"}),
        ('resource is Target && resource.provider is Provider', set()),
        ('context.findings.contains(context.model)', {"findings", "model"}),
        ('principal == Key::"k"', WHO),
        ('principal.kind == "agent" && principal.issuer != principal.credential', {"kind", "issuer", "credential"}),
        ('principal in Team::"a" || principal in [Key::"k"]', WHO),
        ('resource.provider == Provider::"x" && resource.provider.labels.isEmpty()', set()),
        ('resource in Model::"m" && context.model like "gpt-*"', {"model"}),
        ('{"a": context.findings} == {"a": ["x"]}', {"findings"}),
        ("if context.stream then context.tools else context.hour + 1 > principal.assurance", {"stream", "tools", "hour", "assurance"}),
        ('context == context', set(CONTEXT)),
        ('context has languages && ["en"].containsAll(context.languages)', {"languages"}),
        ('context has moderation.hate && context.moderation.hate > 50', {"moderation"}),
    ],
)  # fmt: skip
def test_what_a_policy_depends_on_is_found(condition, fields):
    (policy,) = load({"a.cedar": f'@id("a") {P} when {{ {condition} }};'})
    assert policy.fields == fields


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        ("context has task", set()),
        ("context has task && context.task.steps > 5", {"steps"}),
        (
            'context has task && (context.task.labels.contains("x") || context.task.tools.isEmpty())',
            {"labels", "tools"},
        ),
        ("context has task && context.task == context.task", set(TASK)),
        ("context == context", set(TASK)),
        ("context.hour == 5", set()),
    ],
)
def test_what_a_policy_reads_of_a_task_is_found(condition, read):
    (policy,) = load({"a.cedar": f'@id("a") {P} when {{ {condition} }};'})
    assert policy.task == read
    assert ("task" in policy.fields) == ("task" in condition or condition == "context == context")
    assert policy.late == (condition == "context == context")


def test_a_task_may_be_absent_and_its_findings_are_those_of_detectors():
    for condition, told in (
        ("context.task.steps > 5", 'write "context has task && …"'),
        ('context has task && context.task.findings.contains("pii.emial")', 'did you mean "pii.email"'),
        ("context has task && context.task.stepz > 5", "stepz"),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(told)):
            load({"a.cedar": f'@id("a") {P} when {{ {condition} }};'}, {"finding": ("pii.email",)})


def test_a_statement_that_holds_two_policies_is_refused():
    # Positions would no longer tell which policy is which.
    two = Statement("a.cedar", 1, GRANT + GRANT)
    assert "cannot be told apart" in str(load_module._parse([two])[1][0])


@pytest.mark.parametrize(
    ("scope", "fields"),
    [
        ('principal == User::"k", action, resource', WHO),
        ('principal in Key::"k", action, resource', WHO),
        ("principal is Agent, action, resource is Target", {"kind", "credential"}),
        ('principal is Agent in Agent::"x", action, resource', WHO),
        ('principal in Team::"t", action, resource in Model::"m"', set()),
        ('principal is Key in Tenant::"t", action, resource == Target::"x/y"', {"kind", "credential"}),
        ('principal, action in [Action::"ListModel"], resource is Target in Model::"m"', set()),
    ],
)
def test_what_a_scope_depends_on_is_found(scope, fields):
    (policy,) = load({"a.cedar": f'@id("a") permit ({scope});'})
    assert policy.fields == fields


def test_the_names_used_in_messages_are_those_of_the_schema():
    for action in ACTIONS:
        load({"a.cedar": f'@id("a") permit (principal, action == Action::"{action}", resource);'})
    for attribute in CONTEXT:
        text = f"context has {attribute} && context.{attribute} == context.{attribute}"
        load({"a.cedar": f'@id("a") @mode("observe") {P} when {{ {text} }};'})
    for category in CATEGORIES:
        load({"a.cedar": f'@id("a") {P} when {{ context.moderation has {category} }};'})
    for kind in set(ENTITIES) - {"Action"}:
        assert re.search(rf"^entity [\w, ]*\b{kind}\b", TEXT, re.MULTILINE)
        for attribute in ATTRIBUTES[kind]:
            assert f"  {attribute}: " in TEXT
    declared = re.findall(r"^  (\w+)\??: ", TEXT, re.MULTILINE)
    assert sorted(declared) == sorted(
        (
            *sum({kind: ATTRIBUTES[kind] for kind in ATTRIBUTES if kind not in PRINCIPALS[1:]}.values(), ()),
            *CONTEXT,
            *CATEGORIES,
            *TASK,
            "principal",
            "resource",
            "context",
        )
    )
