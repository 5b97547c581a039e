"""From the text of .cedar files to checked policies, or to every mistake in them, each with its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cedarpy import policies_to_pst, pst, validate_policies
from msgspec import Struct

from yett.errors import ConfigurationError, Mistake
from yett.model.decision import Obligation
from yett.policy import obligations as obligation_language
from yett.policy.reading import Reading, read
from yett.policy.schema import ACTIONS, ATTRIBUTES, CONTEXT, ENTITIES, LATE, PRINCIPALS, QUALITY, SCHEMA, suggestion
from yett.policy.source import Statement, line_of_word, split, syntax_mistake

ANNOTATIONS = ("id", "obligation", "mode", "advice", "severity", "control")
MODES = ("enforce", "observe")
SEVERITIES = ("low", "medium", "high", "critical")
# What stands for "no policy grants it" where ids of policies are listed; no policy may be called so.
DEFAULT_DENY = "default-deny"

# An id travels in a response header, between commas.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CONTROL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,31}")
_LONGEST_ADVICE = 500


class Policy(Struct, frozen=True):
    """One checked policy. `team` is the only team it can match, "" for any; `fields` are the names of the Facts it reads,
    `paths` the same in the policy's words; `text` is what stands in `file` from `line` on."""

    id: str
    effect: str  # permit | forbid
    mode: str  # enforce | observe
    obligations: tuple[Obligation, ...]
    advice: str
    severity: str
    controls: tuple[str, ...]
    actions: frozenset[str]
    team: str
    fields: frozenset[str]
    paths: tuple[str, ...]
    task: frozenset[str]  # the facts of a task that it reads
    file: str
    line: int
    text: str

    @property
    def late(self) -> bool:
        """Whether its answer can change once the text has been inspected."""
        return not LATE.isdisjoint(self.fields)

    @property
    def grants(self) -> bool:
        """Whether it allows calls by itself. A permit with obligations does not: it binds what another permit grants.
        If it did, whoever puts an e-mail address into a prompt would be granted what `redact:pii` is a condition of."""
        return self.effect == "permit" and not self.obligations


def load(files: Mapping[str, str], known: Mapping[str, Iterable[str]] | None = None) -> tuple[Policy, ...]:
    """Check every policy of `files` (name to text) and return them in the order of the files' names.

    `known` lists the names that exist, by what they name: "Model", "Provider", "Team", "Tenant", "Target", "Key" as
    entities, "finding" for families and kinds of findings, and facts that are sets of words. A kind of name that it does not mention is not checked.
    Raises ConfigurationError with every mistake found.
    """
    statements: list[Statement] = []
    mistakes: list[Mistake] = []
    for file in sorted(files):
        found, wrong = split(file, files[file])
        statements.extend(found)
        mistakes.extend(wrong)
    trees, wrong = _parse(statements)
    mistakes.extend(wrong)
    policies: list[Policy] = []
    if trees is not None:
        names = {kind: frozenset(existing) for kind, existing in (known or {}).items()}
        mistakes.extend(_invalid(statements))
        for position, statement in enumerate(statements):
            tree = trees.static_policies.get(f"policy{position}")
            if tree is None:
                mistakes.append(_template(statement))
                continue
            policy, wrong = _policy(statement, tree, names)
            policies.append(policy)
            mistakes.extend(wrong)
        mistakes.extend(_clashes(policies))
        if not mistakes:
            mistakes.extend(_ungranted(policies))
    if mistakes:
        raise ConfigurationError(tuple(sorted(set(mistakes), key=lambda m: (m.file, m.line, m.message))))
    return tuple(policies)


def _parse(statements: list[Statement]) -> tuple[pst.PolicySet | None, list[Mistake]]:
    """The syntax trees of all statements, whose ids are their positions; None when any of them does not parse."""
    try:
        trees = policies_to_pst(_joined(statements))
    except ValueError as error:
        mistakes = [mistake for mistake in map(syntax_mistake, statements) if mistake is not None]
        return None, mistakes or [_untreeable(statements, str(error))]
    if len(trees.static_policies) + len(trees.templates) != len(statements):
        first = statements[0]
        return None, [Mistake(first.file, first.line, "the policies of this file cannot be told apart")]
    return trees, []


def _untreeable(statements: list[Statement], problem: str) -> Mistake:
    """For what parses, but has no tree: nested deeper than 100 levels."""
    deep = next((statement for statement in statements if _has_no_tree(statement)), statements[0])
    return Mistake(deep.file, deep.line, problem)


def _has_no_tree(statement: Statement) -> bool:
    try:
        policies_to_pst(statement.text)
    except ValueError:
        return True
    return False


def _joined(statements: list[Statement]) -> str:
    return "\n".join(statement.text for statement in statements)


# ---- validation against the schema --------------------------------------------------------------------------------

_PREFIX = re.compile(r"^for policy `policy\d+`, ")
_FACT = re.compile(r"^attribute `(.+?)` in context for .* not found")
_ATTRIBUTE = re.compile(r"^attribute `(.+?)` on entity type `(\w+)` not found")
_ACTION = re.compile(r'^unrecognized action `Action::"(.*)"`')
_TYPE = re.compile(r"^unrecognized entity type `(.+?)`")
_OPTIONAL = re.compile(r"^unable to guarantee safety of access to optional attribute `(.+?)` in context")
_CONSEQUENCE = "unable to find an applicable action given the policy scope constraints"


def _invalid(statements: list[Statement]) -> list[Mistake]:
    """What the strict validator has against the policies."""
    result = validate_policies(_joined(statements), SCHEMA, release_gil=True)
    if result.validation_passed:
        return []
    by_id = {f"policy{position}": statement for position, statement in enumerate(statements)}
    mistakes: list[Mistake] = []
    explained: set[str] = set()
    for error in sorted(result.errors, key=lambda e: _CONSEQUENCE in e.error):
        if _CONSEQUENCE in error.error and error.policy_id in explained:
            continue  # it follows from the misspelt name that was just reported
        explained.add(error.policy_id)
        statement = by_id.get(error.policy_id, statements[0])
        message, word = _reworded(_PREFIX.sub("", error.error))
        line = line_of_word(statement, word) if word else statement.line
        mistakes.append(Mistake(statement.file, line, message))
    return mistakes or [Mistake(statements[0].file, 0, "the policies do not agree with the schema")]


def _reworded(problem: str) -> tuple[str, str]:
    """The validator's sentence with a suggestion, and the word that it is about, "" when it names none."""
    if found := _FACT.match(problem):
        return f'there is no fact "context.{found[1]}"{suggestion(found[1], CONTEXT)}', found[1]
    if found := _ATTRIBUTE.match(problem):
        attribute, owner = (
            found[1],
            "Key" if found[2] in PRINCIPALS else found[2],
        )  # told once, not of each sort of caller
        return f'{owner} has no attribute "{attribute}"{suggestion(attribute, ATTRIBUTES.get(owner, ()))}', attribute
    if found := _ACTION.match(problem):
        return f'there is no Action::"{found[1]}"{suggestion(found[1], ACTIONS)}', found[1]
    if found := _TYPE.match(problem):
        return f'there is no entity type "{found[1]}"{suggestion(found[1], ENTITIES)}', found[1]
    if found := _OPTIONAL.match(problem):
        return f'context.{found[1]} is not always known; write "context has {found[1]} && …" before it', found[1]
    return problem, ""


# ---- one policy ---------------------------------------------------------------------------------------------------


def _policy(
    statement: Statement, tree: pst.Template, names: Mapping[str, frozenset[str]]
) -> tuple[Policy, list[Mistake]]:
    reading = read(tree)
    annotations = tree.annotations
    bound, problems = _annotated(tree)
    problems += [(problem, "") for problem in reading.problems]
    problems += _unknown_names(reading, bound, names)
    policy = Policy(
        id=annotations.get("id", ""),
        effect=tree.effect,
        mode=annotations.get("mode", MODES[0]),
        obligations=bound,
        advice=annotations.get("advice", ""),
        severity=annotations.get("severity", ""),
        controls=tuple(annotations.get("control", "").replace(",", " ").split()),
        actions=reading.actions,
        team=reading.team,
        fields=reading.fields,
        paths=reading.paths,
        task=reading.task,
        file=statement.file,
        line=statement.line,
        text=statement.text,
    )
    problems += _quality_problems(policy)
    who = f'policy "{policy.id}": ' if policy.id else ""
    return policy, [
        Mistake(statement.file, line_of_word(statement, word) if word else statement.line, who + problem)
        for problem, word in problems
    ]


def _annotated(tree: pst.Template) -> tuple[tuple[Obligation, ...], list[tuple[str, str]]]:
    """The obligations of a policy, and what is wrong with its annotations, each with the word to look for."""
    annotations = tree.annotations
    problems = [
        (f"unknown annotation @{name}{suggestion(name, ANNOTATIONS)}", name)
        for name in annotations
        if name not in ANNOTATIONS
    ]
    name = annotations.get("id")
    if name is None:
        problems.append(('this policy has no @id; write @id("what-it-is-for") in front of it', ""))
    elif not _ID.fullmatch(name):
        problems.append((f'@id("{name}") must be letters, digits, ".", "_" and "-", at most 100', "id"))
    elif name == DEFAULT_DENY:
        problems.append((f'@id("{name}") is reserved: it stands for calls that no policy grants', "id"))
    mode = annotations.get("mode")
    if mode is not None and mode not in MODES:
        problems.append((f'unknown mode "{mode}"{suggestion(mode, MODES)}', "mode"))
    severity = annotations.get("severity")
    if severity is not None and severity not in SEVERITIES:
        problems.append((f'unknown severity "{severity}"{suggestion(severity, SEVERITIES)}', "severity"))
    controls = annotations.get("control")
    if controls is not None and not _all_match(_CONTROL, controls.replace(",", " ").split()):
        problems.append((f'@control("{controls}") must name controls, as in "LLM02" or "LLM02, ASI03"', "control"))
    bound: tuple[Obligation, ...] = ()
    if (text := annotations.get("obligation")) is not None:
        bound, wrong = obligation_language.parse(text)
        problems += [(problem, "obligation") for problem in wrong]
        if tree.effect == "forbid":
            problems.append(("a forbid refuses, so it can carry no @obligation; put it on a permit", "obligation"))
    problems += _advice_problems(tree, bound)
    return bound, problems


def _advice_problems(tree: pst.Template, bound: tuple[Obligation, ...]) -> list[tuple[str, str]]:
    advice = tree.annotations.get("advice")
    if advice is None:
        return []
    if not advice.strip() or not advice.isprintable() or len(advice) > _LONGEST_ADVICE:
        return [(f"@advice must be one line of plain text, at most {_LONGEST_ADVICE} characters", "advice")]
    if tree.effect == "permit" and not any(obligation.verb == "route" for obligation in bound):
        return [("@advice is shown when a policy refuses, which this permit never does", "advice")]
    return []


def _unknown_names(
    reading: Reading, bound: tuple[Obligation, ...], names: Mapping[str, frozenset[str]]
) -> list[tuple[str, str]]:
    """Names of things that do not exist: a forbid on a misspelt team would never forbid."""
    problems = []
    for uid in sorted(reading.entities, key=str):
        existing = names.get(str(uid.type))
        if existing is not None and uid.id not in existing:
            problems.append((f"there is no {uid}{suggestion(uid.id, existing)}", uid.id))
    findings = names.get("finding")
    if findings is not None:
        named = {word for fact, word in reading.named if fact in ("findings", "task.findings")}
        named.update(filter(None, map(obligation_language.selector, bound)))
        problems += [
            (f'no detector finds "{kind}"{suggestion(kind, findings)}', kind) for kind in sorted(named - findings)
        ]
    problems += [
        (f'there is nothing called "{word}" in context.{fact}{suggestion(word, names[fact])}', word)
        for fact, word in sorted(reading.named)
        if fact in names and word not in names[fact]
    ]
    return problems


def _quality_problems(policy: Policy) -> list[tuple[str, str]]:
    """How good an answer is is known when it has been given, and no reason to refuse: a model is sure of its errors, too."""
    read = [name for name in QUALITY if f"context.{name}" in policy.paths]
    notes = policy.obligations and all(obligation.verb == "tag" for obligation in policy.obligations)
    if not read or notes or policy.mode == "observe":
        return []
    rule = 'can be noted and never refuse or permit anything: write a permit with @obligation("tag:…"), or @mode("observe")'
    return [(f"context.{read[0]} {rule}", read[0])]


def _template(statement: Statement) -> Mistake:
    problem = "?principal and ?resource make a template, which grants nothing; name the entity"
    return Mistake(statement.file, statement.line, problem)


def _all_match(pattern: re.Pattern[str], words: list[str]) -> bool:
    return bool(words) and all(pattern.fullmatch(word) for word in words)


# ---- all policies together ----------------------------------------------------------------------------------------


def _clashes(policies: list[Policy]) -> list[Mistake]:
    first: dict[str, Policy] = {}
    mistakes = []
    for policy in policies:
        other = first.setdefault(policy.id, policy)
        if policy.id and other is not policy:
            where = f"{other.file}:{other.line}"
            mistakes.append(Mistake(policy.file, policy.line, f'@id("{policy.id}") is already used at {where}'))
    return mistakes


def _ungranted(policies: list[Policy]) -> list[Mistake]:
    """Permits whose obligations can never matter, because nothing grants what they would bind."""
    granted = frozenset().union(*(policy.actions for policy in policies if policy.grants))
    return [
        Mistake(
            policy.file,
            policy.line,
            f'policy "{policy.id}": a permit with an @obligation binds what another permit grants, and no permit without '
            f"one grants {' or '.join(sorted(policy.actions))}",
        )
        for policy in policies
        if policy.obligations and policy.actions.isdisjoint(granted)
    ]
