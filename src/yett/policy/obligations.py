"""Obligations: what a permission is bound to. Read from `@obligation("redact:pii, cap:max_tokens=1024")`, united strictest first.

redact:SELECTOR     cut every finding of that family or kind out of the text      redact:secret   redact:pii.email
cap:max_tokens=N    ask the provider for at most N tokens                         cap:max_tokens=1024
route:NAME          only targets whose provider has that label or id              route:on-prem
tag:LABEL           add a label to the record                                     tag:reviewed
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from yett.model.decision import Obligation
from yett.model.route import Provider
from yett.policy.schema import suggestion

VERBS = ("redact", "cap", "route", "tag")
CAPS = ("max_tokens",)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SELECTOR = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_TOKENS = re.compile(r"[0-9]{1,10}")
_LARGEST = 2**31 - 1


def parse(text: str) -> tuple[tuple[Obligation, ...], list[str]]:
    """The obligations of one annotation, separated by commas or spaces, and what is wrong with them."""
    obligations: list[Obligation] = []
    problems: list[str] = []
    words = text.replace(",", " ").split()
    if not words:
        problems.append('@obligation is empty; write for example @obligation("redact:pii")')
    for word in words:
        verb, colon, argument = word.partition(":")
        problem = _problem(word, verb, colon, argument)
        if problem:
            problems.append(problem)
        else:
            obligations.append(Obligation(verb, argument))
    return tuple(obligations), problems


def unite(obligations: Iterable[Obligation]) -> tuple[Obligation, ...]:
    """All of them at once, sorted, with the strictest of each: the least cap, the widest redaction, every route, every tag."""
    caps: dict[str, int] = {}
    others: set[Obligation] = set()
    for obligation in obligations:
        if obligation.verb == "cap":
            name, value = cap(obligation)
            caps[name] = min(value, caps.get(name, value))
        else:
            others.add(obligation)
    redacted = {obligation.argument for obligation in others if obligation.verb == "redact"}
    kept = [o for o in others if o.verb != "redact" or not _covered(o.argument, redacted)]
    return tuple(sorted([*kept, *(Obligation("cap", f"{name}={value}") for name, value in caps.items())]))


def cap(obligation: Obligation) -> tuple[str, int]:
    """What a `cap` obligation caps, and at how much."""
    name, _, value = obligation.argument.partition("=")
    return name, int(value)


def routable(obligations: Iterable[Obligation], provider: Provider) -> bool:
    """Whether every `route` obligation admits this provider, by one of its labels or by its id."""
    return all(o.argument == provider.id or o.argument in provider.labels for o in obligations if o.verb == "route")


def _problem(word: str, verb: str, colon: str, argument: str) -> str:
    if verb not in VERBS:
        return f'unknown obligation "{word}"{suggestion(verb, VERBS)}'
    if not colon or not argument:
        return f'obligation "{word}" needs an argument: "{verb}:…"'
    if verb == "cap":
        return _cap_problem(word, argument)
    if verb == "redact" and not _SELECTOR.fullmatch(argument):
        return f'obligation "{word}" needs a family or kind of finding: "redact:pii" or "redact:pii.email"'
    if verb != "redact" and not _NAME.fullmatch(argument):
        return f'obligation "{word}" needs a plain name: letters, digits, ".", "_" and "-"'
    return ""


def _cap_problem(word: str, argument: str) -> str:
    name, _, value = argument.partition("=")
    if name not in CAPS:
        return f'obligation "{word}" caps nothing known{suggestion(name, CAPS)}'
    if not _TOKENS.fullmatch(value) or not 0 < int(value) <= _LARGEST:
        return f'obligation "{word}" needs a whole number of tokens from 1: "cap:{name}=1024"'
    return ""


def _covered(selector: str, redacted: set[str]) -> bool:
    """Whether a wider selector is among those redacted: `pii` covers `pii.email`."""
    parts = selector.split(".")
    return any(".".join(parts[:length]) in redacted for length in range(1, len(parts)))
