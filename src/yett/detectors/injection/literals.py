"""Literals: what a text must contain for a rule to match it, worked out from the rule's pattern.

A rule is a long alternation, which an automaton of all rules would take minutes to compile; a few thousand literals take it no
time. So the automaton looks for literals, and a rule is tried on the few texts that have one of each group that it needs. What is
called back for a literal costs as much as looking through some hundred bytes, so literals reach over the ends of words: "ai" is in
"said", " ai " is not, and "as an ai " is in hardly any text.
After R. Cox, "Regular Expression Matching with a Trigram Index" (2012), for the small part of RE2's syntax that rules use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from yett.detectors.injection.language import EDGE

_MOST = 96  # strings that a part may stand for before it is no longer followed
_SHORTEST = 2  # bytes
_LONG = 5  # bytes of a word that is telling even as a part of others; asked for in one form, not in four
_GAP = "\N{OPEN BOX}"  # one byte of EDGE or several, where a word begins or ends; in what is asked for, a space
_SPACES = re.compile(" +")
_WORDS = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789").union(range(0x80, 0x100))
_SPOKEN_BYTES = _WORDS | {0x20}
_SPOKEN = bytes(byte if byte in _WORDS else 0x20 for byte in range(256))
_TOKEN = re.compile(r"\\x[0-9a-f]{2}|\\.|\[(?:\\.|[^\]\\])*\]|\(\?:|\{\d*,?\d*\}|.", re.DOTALL)

_OPEN = frozenset({"(", "(?:"})
_ESCAPED_CLASS = re.compile(r"\\[bBdDsSwW]")
_LARGE_CLASS = re.compile(r"^\^|\\[a-zA-Z]|.-.")
# Nearly every text has one of them: to ask for them tells nothing.
_COMMON = frozenset(
    "a about all also an and any are as at be but by can do for from has have how i if in into is it its just like me my no not of on "
    "one only or our out so that the their them then there these they this to up was we what when which who will with you your".split()
)

Strings = frozenset[str]
_EMPTY: Strings = frozenset({""})
_ONE_GAP: Strings = frozenset({_GAP})


class _Part(NamedTuple):
    """`exact`: all that it matches, when that is little. `needs`: of each group, any match contains one. What is not exact begins
    with one of `head` and ends with one of `tail`, unless it is `optional` and left out."""

    exact: Strings | None
    needs: tuple[Strings, ...] = ()
    head: Strings = _EMPTY
    tail: Strings = _EMPTY
    optional: bool = False


def needs(pattern: str) -> tuple[Strings, ...]:
    """Groups of literals: of each, a text or its words have one wherever `pattern` matches; the most telling first."""
    part, _ = _alternatives(_TOKEN.findall(pattern), 0)
    groups = {_written(group) for group in (*part.needs, *_useful(part.exact))}
    telling = [group for group in groups if not any(_says_more(other, group) for other in groups)]
    return tuple(sorted(telling, key=lambda group: (_common(group), -min(map(len, group)), len(group), sorted(group))))


def in_words(literal: str) -> bool:
    """Whether a literal is looked for in the words of a text, where it occurs whenever it occurs in the text."""
    return _SPOKEN_BYTES.issuperset(literal.encode("latin-1"))


def spoken(data: bytes) -> bytes:
    """The words of folded text, with a space on each side."""
    words = data.translate(_SPOKEN)
    while b"  " in words:
        words = words.replace(b"  ", b" ")
    return b" %b " % words


def _written(group: Strings) -> Strings:
    """A group as it is asked for: words with or without their edges, other literals as they are."""
    written = sorted({_one_written(literal) for literal in group}, key=len)
    shortest: list[str] = []
    for literal in written:
        if len(shortest) > _MOST or not any(short in literal for short in shortest):
            shortest.append(literal)
    return frozenset(shortest)


def _one_written(literal: str) -> str:
    inner = literal.strip(_GAP)
    if _GAP not in inner and (len(inner) >= _LONG or not _WORDS.issuperset(inner.encode("latin-1"))):
        return inner
    spaced = literal.replace(_GAP, " ").encode("latin-1").translate(_SPOKEN).decode("latin-1")
    return _SPACES.sub(" ", spaced)


def _says_more(group: Strings, than: Strings) -> bool:
    """Whether a text that has one of the group has one of the other, too."""
    return group != than and len(group) >= len(than) and all(any(short in long for short in than) for long in group)


def _common(group: Strings) -> bool:
    return any(literal.strip() in _COMMON for literal in group)


def _least(strings: Strings) -> int:
    """The length of the shortest, without its edges."""
    return min(len(string.strip(_GAP + " ")) for string in strings)


def _useful(strings: Strings | None) -> tuple[Strings, ...]:
    return (strings,) if strings and _least(strings) >= _SHORTEST else ()


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
    head = _any(part.head if part.exact is None else part.exact for part in parts)
    tail = _any(part.tail if part.exact is None else part.exact for part in parts)
    groups = [(*part.needs, *_useful(part.exact)) for part in parts]
    if not all(groups):
        return _Part(None, (), head, tail), at
    best = (max(group, key=lambda strings: (not _common(strings), _least(strings), -len(strings))) for group in groups)
    return _Part(None, (frozenset().union(*best),), head, tail), at


def _any(several: Iterable[Strings]) -> Strings:
    together = frozenset().union(*several)
    return _EMPTY if "" in together or len(together) > _MOST else together


def _sequence(tokens: list[str], at: int) -> tuple[_Part, int]:
    head: Strings | None = None  # what it begins with, once something unknown has come
    run = _EMPTY  # all that has been matched since then
    groups: list[Strings] = []
    while at < len(tokens) and tokens[at] not in "|)":
        part, at = _repeated(tokens, at)
        if part.optional:
            groups += _useful(run)
            head = run if head is None else head
            run = _any((run, part.tail))
            continue
        groups += part.needs
        joined = _product(run, part.head if part.exact is None else part.exact)
        if part.exact is not None and joined is not None:
            run = joined
            continue
        before = run if part.exact is not None or joined is None else joined
        groups += _useful(before)
        head = before if head is None else head
        run = part.tail if part.exact is None else part.exact
    if head is None:
        return _Part(run, tuple(groups)), at
    return _Part(None, (*groups, *_useful(run)), head, run), at


def _product(left: Strings, right: Strings) -> Strings | None:
    if len(left) * len(right) > _MOST:
        return None
    return frozenset((a + b).replace(_GAP + _GAP, _GAP) for a in left for b in right)


def _repeated(tokens: list[str], at: int) -> tuple[_Part, int]:
    part, at = _one(tokens, at)
    if at < len(tokens) and tokens[at][0] in "?*+{":
        mark = tokens[at]
        at += 1
        if part.exact == _ONE_GAP:  # several are as one
            return (_Part(_ONE_GAP | _EMPTY) if mark in "?*" or mark.startswith(("{0", "{,")) else part), at
        if mark == "?" and part.exact is not None:
            part = _Part(part.exact | _EMPTY)
        elif mark in "?*" or mark.startswith(("{0", "{,")):
            part = _Part(None, (), _EMPTY, part.tail if part.exact is None else part.exact, optional=True)
        elif part.exact is not None:
            part = _Part(None, _useful(part.exact), part.exact, part.exact)
    return part, at


def _one(tokens: list[str], at: int) -> tuple[_Part, int]:
    first = tokens[at]
    if first in _OPEN:
        part, at = _alternatives(tokens, at + 1)
        return part, at + 1
    if first == EDGE:
        return _Part(_ONE_GAP), at + 1
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
