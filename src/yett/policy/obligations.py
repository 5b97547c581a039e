"""Obligations: what a permission is bound to. Read from `@obligation("redact:pii, cap:max_tokens=1024")`, united strictest first.

redact:SELECTOR     cut every finding of that family or kind out of the text      redact:secret   redact:pii.email
tokenize:SELECTOR   put a token for it that is put back in the reply              tokenize:pii
surrogate:SELECTOR  put a made-up value for it that is put back in the reply      surrogate:pii.iban
withhold:SELECTOR   put nothing of it back in the reply                           withhold:pii.card
restore:SELECTOR@T  put it back into the arguments of calls of tool T, too        restore:pii.email@send_mail
cap:max_tokens=N    ask the provider for at most N tokens                         cap:max_tokens=1024
plant:canary        put a mark that tells where it is given away into the system prompt
spotlight:tool      put a fence that nobody can guess around what tools answer
route:NAME          only targets whose provider has that label or id              route:on-prem
tag:LABEL           add a label to the record                                     tag:reviewed
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from yett.model.decision import Obligation
from yett.model.route import Provider
from yett.policy.schema import suggestion

VERBS = ("redact", "tokenize", "surrogate", "withhold", "restore", "cap", "plant", "spotlight", "route", "tag")
EXCHANGES = ("redact", "tokenize", "surrogate")  # what is done with a finding before a text leaves
ONE_WAY = "secret"  # the family that is never put back
CAPS = ("max_tokens",)
ADDED = {"plant": ("canary",), "spotlight": ("tool",)}  # what may be added to a text on its way out
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SELECTOR = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_TOOL = re.compile(r"[A-Za-z0-9_./:-]{1,128}|\*")
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
    kept = [o for o in others if not _covered(o, others)]
    return tuple(sorted([*kept, *(Obligation("cap", f"{name}={value}") for name, value in caps.items())]))


def selector(obligation: Obligation) -> str:
    """The family or kind of findings that an obligation is about, "" when it is about something else."""
    if obligation.verb in (*EXCHANGES, "withhold", "restore"):
        return obligation.argument.partition("@")[0]
    return ""


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
    if verb in EXCHANGES or verb in ("withhold", "restore"):
        return _selector_problem(word, verb, argument)
    known = ADDED.get(verb)
    if known is None:
        named = _NAME.fullmatch(argument)
        return "" if named else f'obligation "{word}" needs a plain name: letters, digits, ".", "_" and "-"'
    return "" if argument in known else f'obligation "{word}" adds nothing known{suggestion(argument, known)}'


def _cap_problem(word: str, argument: str) -> str:
    name, _, value = argument.partition("=")
    if name not in CAPS:
        return f'obligation "{word}" caps nothing known{suggestion(name, CAPS)}'
    if not _TOKENS.fullmatch(value) or not 0 < int(value) <= _LARGEST:
        return f'obligation "{word}" needs a whole number of tokens from 1: "cap:{name}=1024"'
    return ""


def _selector_problem(word: str, verb: str, argument: str) -> str:
    name, at, tool = argument.partition("@")
    if not _SELECTOR.fullmatch(name):
        return f'obligation "{word}" needs a family or kind of finding: "{verb}:pii" or "{verb}:pii.email"'
    if verb in ("tokenize", "surrogate", "restore") and name.partition(".")[0] == ONE_WAY:
        return f'obligation "{word}": secrets go one way only; write "redact:{name}"'
    if verb == "restore" and not _TOOL.fullmatch(tool):
        return (
            f'obligation "{word}" needs a tool, or * for all: "restore:{name}@send_mail"; texts are restored without it'
        )
    if verb != "restore" and at:
        return f'obligation "{word}" takes no tool: "{verb}:{name}"'
    return ""


def _covered(obligation: Obligation, others: set[Obligation]) -> bool:
    """Whether a stricter or wider one leaves nothing for this to do: `pii` covers `pii.email`, and `redact` what is tokenized. Of
    `tokenize` and `surrogate` it is the closer one that counts, so a wider one leaves a closer one alone."""
    name = selector(obligation)
    parts = name.split(".")
    wider = [".".join(parts[:length]) for length in range(1, len(parts))]
    _, at, tool = obligation.argument.partition("@")
    match obligation.verb:
        case "redact" | "withhold":
            covers = [(obligation.verb, each) for each in wider]
        case "restore":
            covers = [("withhold", each) for each in (*wider, name)] + [
                ("restore", f"{each}{at}{tool}") for each in wider
            ]
        case "tokenize" | "surrogate":
            covers = [("redact", each) for each in (*wider, name)] + [("tokenize", name)]
        case _:
            return False
    return any(Obligation(*each) in others and Obligation(*each) != obligation for each in covers)
