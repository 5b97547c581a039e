"""Tests of policies: cases of facts and the decision they should get, kept in `tests.toml` beside the policies.

[providers]                                     # stand-ins: id = labels
openai = ["external"]

[[case]]
name = "PII is redacted on its way out"
call = { team = "research", model = "fast", targets = ["openai/gpt-5-mini"], findings = ["pii", "pii.email"] }
expect = { decision = "allow", policies = ["research-models", "pii-to-external"], obligations = ["redact:pii"] }
"""

from __future__ import annotations

import re
import tomllib

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from yett.errors import ConfigurationError, Mistake
from yett.model.caller import CREDENTIALS, KINDS, Actor
from yett.model.decision import Decision, Effect, Facts
from yett.model.route import Provider, Target, Timeouts
from yett.model.task import TaskFacts
from yett.policy.decision import decide_call
from yett.policy.engine import PolicyEngine
from yett.policy.schema import ACTIONS, CATEGORIES, suggestion


class Task(TaskFacts, frozen=True, forbid_unknown_fields=True):
    """What a task has done, in a case."""


class Call(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The facts of a case. `targets` are "provider/model"; `labels` those of the content, `key_labels` those of the caller, `key` its id."""

    team: str
    model: str
    targets: tuple[str, ...]
    action: str = "InvokeModel"
    tenant: str = "default"
    key: str = "key_test"
    key_labels: dict[str, str] = field(default_factory=dict)
    assurance: int = 0
    kind: str = "service"
    credential: str = "key"
    issuer: str = ""
    actor: Actor | None = None
    findings: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    stream: bool = False
    tools: bool = False
    inspected: bool = True
    max_tokens: int = 0
    hour: int = 12
    injection: int = 0
    languages: tuple[str, ...] | None = None
    code: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    toxicity: int | None = None
    harm: int | None = None
    moderation: dict[str, int] = field(default_factory=dict)
    confidence: int | None = None
    least_confidence: int | None = None
    groundedness: int | None = None
    task: Task | None = None


class Expected(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What is expected; only what is given is compared. `obligations` are those for the first permitted target."""

    decision: str
    policies: tuple[str, ...] | None = None
    obligations: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    observed: tuple[str, ...] | None = None
    advice: str | None = None


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One test: this call is expected to get this decision."""

    name: str
    call: Call
    expect: Expected


class Cases(Struct, frozen=True, forbid_unknown_fields=True):
    """A tests.toml."""

    case: tuple[Case, ...] = ()
    providers: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Difference(Struct, frozen=True):
    """One thing about a decision that was not as expected."""

    what: str
    expected: object
    actual: object


class Result(Struct, frozen=True):
    """How a case went: it passed when nothing differs."""

    name: str
    line: int
    differences: tuple[Difference, ...]


def run(engine: PolicyEngine, file: str, text: str) -> tuple[Result, ...]:
    """Decide every case of a tests.toml. Raises ConfigurationError when the file itself is wrong."""
    cases = _read(file, text)
    lines = _lines(text, len(cases.case))
    _check(file, cases, lines)
    return tuple(
        Result(case.name, line, _differences(engine, cases.providers, case))
        for case, line in zip(cases.case, lines, strict=True)
    )


def _differences(engine: PolicyEngine, providers: dict[str, tuple[str, ...]], case: Case) -> tuple[Difference, ...]:
    call, expect = case.call, case.expect
    decision = decide_call(engine, _facts(call), [_target(name, providers) for name in call.targets])
    actual = _actual(decision)
    differences = []
    for name in Expected.__struct_fields__:
        wanted = getattr(expect, name)
        if wanted is None:
            continue
        if name in {"policies", "obligations", "observed"}:
            wanted = tuple(sorted(wanted))
        if wanted != actual[name]:
            differences.append(Difference(name, wanted, actual[name]))
    if differences and decision.errors:
        differences.append(Difference("errors", (), decision.errors))
    return tuple(differences)


def _actual(decision: Decision) -> dict[str, object]:
    obligations = decision.targets[0][1].obligations if decision.targets else ()
    return {
        "decision": "allow" if decision.effect is Effect.ALLOW else "deny",
        "policies": decision.policies,
        "obligations": tuple(sorted(map(str, obligations))),
        "targets": tuple(target for target, _ in decision.targets),
        "observed": decision.observed,
        "advice": decision.advice,
    }


def _facts(call: Call) -> Facts:
    return Facts(
        action=call.action,
        tenant=call.tenant,
        team=call.team,
        caller=call.key,
        caller_labels=tuple(sorted(call.key_labels.items())),
        assurance=call.assurance,
        kind=call.kind,
        credential=call.credential,
        issuer=call.issuer,
        actor=None if call.actor is None else replace(call.actor, chain=call.actor.chain or (call.actor.id,)),
        model=call.model,
        target="",
        provider="",
        provider_labels=(),
        findings=tuple(sorted({*call.findings, *(_family(name) for name in call.findings)})),
        labels=tuple(sorted(set(call.labels))),
        stream=call.stream,
        tools=call.tools,
        inspected=call.inspected,
        max_tokens=call.max_tokens,
        hour=call.hour,
        injection=call.injection,
        languages=None if call.languages is None else tuple(sorted(set(call.languages))),
        code=tuple(sorted(set(call.code))),
        files=tuple(sorted(set(call.files))),
        toxicity=call.toxicity,
        harm=call.harm,
        moderation=tuple(sorted(call.moderation.items())),
        confidence=call.confidence,
        least_confidence=call.least_confidence,
        groundedness=call.groundedness,
        task=None if call.task is None else _task(call.task),
    )


def _task(task: Task) -> TaskFacts:
    return TaskFacts(
        depth=task.depth,
        steps=task.steps,
        fanout=task.fanout,
        spend=task.spend,
        labels=tuple(sorted(set(task.labels))),
        findings=tuple(sorted({*task.findings, *map(_family, task.findings)})),
        tools=tuple(sorted(set(task.tools))),
    )


def _family(name: str) -> str:
    """Of `pii.email` and of `pii@user`: `pii`."""
    return name.partition("@")[0].partition(".")[0]


def _target(name: str, providers: dict[str, tuple[str, ...]]) -> Target:
    provider, _, model = name.partition("/")
    return Target(name, Provider(provider, "", "", providers[provider], (), Timeouts()), model)


# ---- reading ------------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*case[ \t]*\]\]", re.MULTILINE)
_AT_LINE = re.compile(r"\(at line (\d+),")
_IN_CASE = re.compile(r"`\$\.case\[(\d+)\]")
_UNKNOWN = re.compile(r"unknown field `(.+?)`")


def _read(file: str, text: str) -> Cases:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        raise ConfigurationError((Mistake(file, int(found[1]) if found else 0, f"not TOML: {error}"),)) from error
    except (RecursionError, ValueError) as error:  # nested too deeply, a number with too many digits
        raise ConfigurationError((Mistake(file, 0, f"cannot be read as TOML: {type(error).__name__}"),)) from error
    try:
        return msgspec.convert(document, Cases)
    except msgspec.ValidationError as error:
        problem = str(error)
        case = _IN_CASE.search(problem)
        line = _lines(text, int(case[1]) + 1)[-1] if case else 0
        if unknown := _UNKNOWN.search(problem):
            kind: type[Struct] = (
                Task
                if ".call.task`" in problem
                else Call
                if ".call`" in problem
                else Expected
                if ".expect`" in problem
                else Case
                if case
                else Cases
            )
            problem += suggestion(unknown[1], kind.__struct_fields__)
        raise ConfigurationError((Mistake(file, line, problem),)) from error


def _check(file: str, cases: Cases, lines: list[int]) -> None:
    mistakes = []
    for case, line in zip(cases.case, lines, strict=True):
        problems = [
            f'no provider "{provider}" in [providers]{suggestion(provider, cases.providers)}'
            for provider in dict.fromkeys(target.partition("/")[0] for target in case.call.targets)
            if provider not in cases.providers
        ]
        problems += [
            f'unknown {what} "{word}"{suggestion(word, known)}'
            for what, word, known in (
                ("kind", case.call.kind, KINDS),
                ("kind", case.call.actor.kind if case.call.actor else "service", KINDS),
                ("credential", case.call.credential, CREDENTIALS),
            )
            if word not in known
        ]
        if case.call.action not in ACTIONS:
            problems.append(f'unknown action "{case.call.action}"{suggestion(case.call.action, ACTIONS)}')
        problems += [
            f'unknown category "{name}" in `moderation`{suggestion(name, CATEGORIES)}'
            for name in case.call.moderation
            if name not in CATEGORIES
        ]
        if case.expect.decision not in {"allow", "deny"}:
            problems.append(f'unknown decision "{case.expect.decision}"; known: allow, deny')
        mistakes += [Mistake(file, line, f'case "{case.name}": {problem}') for problem in problems]
    if mistakes:
        raise ConfigurationError(tuple(mistakes))


def _lines(text: str, cases: int) -> list[int]:
    """The line of each of the first `cases` headers; 0 for cases that are written some other way."""
    lines = [text.count("\n", 0, found.start()) + 1 for found in _HEADER.finditer(text)]
    return (lines + [0] * cases)[:cases]
