"""Literals: what a text must contain for a rule to match it, worked out from the rule's pattern.

A rule is a long alternation, which an automaton of all rules would take minutes to compile; a few thousand literals take it no
time. So the automaton looks for literals, and a rule is tried on the few texts that have one of each group that it needs.
After R. Cox, "Regular Expression Matching with a Trigram Index" (2012), for the small part of RE2's syntax that rules use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_MOST = 96  # strings that a part may stand for before it is no longer followed
_SHORTEST = 2  # bytes
_TOKEN = re.compile(r"\\x[0-9a-f]{2}|\\.|\[(?:\\.|[^\]\\])*\]|\(\?:|\{\d*,?\d*\}|.", re.DOTALL)

_OPEN = frozenset({"(", "(?:"})
_ESCAPED_CLASS = re.compile(r"\\[bBdDsSwW]")
_LARGE_CLASS = re.compile(r"^\^|\\[a-zA-Z]|.-.")

Strings = frozenset[str]
_EMPTY: Strings = frozenset({""})


class _Part(NamedTuple):
    """`exact`: all that it matches, when that is little. `needs`: of each group, any match contains one."""

    exact: Strings | None
    needs: tuple[Strings, ...] = ()


@lru_cache(maxsize=1024)
def needs(pattern: str) -> tuple[Strings, ...]:
    """Groups of literals, of each of which a text must contain one for `pattern` to match; the most telling first."""
    part, _ = _alternatives(_TOKEN.findall(pattern), 0)
    groups = {*part.needs, *_useful(part.exact)}
    return tuple(sorted(groups, key=lambda group: (-min(map(len, group)), len(group), sorted(group))))


def _useful(exact: Strings | None) -> tuple[Strings, ...]:
    return (exact,) if exact and min(map(len, exact)) >= _SHORTEST else ()


def _alternatives(tokens: list[str], at: int) -> tuple[_Part, int]:
    parts = []
    while True:
        part, at = _sequence(tokens, at)
        parts.append(part)
        if at == len(tokens) or tokens[at] == ")":
            break
        at += 1
    if len(parts) == 1:
        return parts[0], at
    if all(part.exact is not None for part in parts):
        exact = frozenset().union(*(part.exact or () for part in parts))
        if len(exact) <= _MOST * 4:
            return _Part(exact), at
    groups = [(*part.needs, *_useful(part.exact)) for part in parts]
    if not all(groups):
        return _Part(None), at
    best = (max(group, key=lambda strings: (min(map(len, strings)), -len(strings))) for group in groups)
    return _Part(None, (frozenset().union(*best),)), at


def _sequence(tokens: list[str], at: int) -> tuple[_Part, int]:
    whole: Strings | None = _EMPTY  # all that has been matched, as long as that is known
    run = _EMPTY  # all that has been matched since something unknown
    groups: list[Strings] = []
    while at < len(tokens) and tokens[at] not in "|)":
        part, at = _repeated(tokens, at)
        groups += part.needs
        joined = None if part.exact is None else _product(run, part.exact)
        if joined is None:
            groups += _useful(run)
            whole = None
            run = part.exact if part.exact is not None else _EMPTY
        else:
            run = joined
            whole = run if whole is not None else None
    if whole is not None:
        return _Part(whole, tuple(groups)), at
    return _Part(None, (*groups, *_useful(run))), at


def _product(left: Strings, right: Strings) -> Strings | None:
    return frozenset(a + b for a in left for b in right) if len(left) * len(right) <= _MOST else None


def _repeated(tokens: list[str], at: int) -> tuple[_Part, int]:
    part, at = _one(tokens, at)
    if at < len(tokens) and tokens[at][0] in "?*+{":
        mark = tokens[at]
        at += 1
        if mark == "?" and part.exact is not None:
            part = _Part(part.exact | _EMPTY)
        elif mark in "?*" or mark.startswith(("{0", "{,")):
            part = _Part(None)
        else:
            part = _Part(None, (*part.needs, *_useful(part.exact)))
    return part, at


def _one(tokens: list[str], at: int) -> tuple[_Part, int]:
    first = tokens[at]
    if first in _OPEN:
        part, at = _alternatives(tokens, at + 1)
        return part, at + 1
    if first[0] == "[" or first in ".^$" or _ESCAPED_CLASS.fullmatch(first):
        return _Part(_characters(first)), at + 1
    return _Part(frozenset({_character(first)})), at + 1


def _character(written: str) -> str:
    """One character, as itself or escaped."""
    if written.startswith("\\x"):
        return chr(int(written[2:4], 16))
    return "\n" if written == "\\n" else written[-1]


def _characters(written: str) -> Strings | None:
    """What a small class of characters may be."""
    if written[0] != "[" or _LARGE_CLASS.search(written[1:-1]):
        return None
    return frozenset(_character(part) for part in re.findall(r"\\.|.", written[1:-1]))
