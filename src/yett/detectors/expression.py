"""Expression: a pattern for RE2 over bytes, and the places of its matches at the least cost.

RE2 tells where a match begins and ends in time that does not depend on the pattern; where a group within it does takes several
times as long. Most patterns have one character on either side of their group, or nothing: there the group's place follows from
the match's. RE2 is asked through its own binding, because the wrapper of it makes three objects for each match, which takes longer
than most matches take to be found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import re2

_SEARCH, _MATCH = re2._Anchor.UNANCHORED, re2._Anchor.ANCHOR_START  # noqa: SLF001 - see above
_NOWHERE = -1
# RE2 keeps a lazily built automaton per pattern, 8 MiB each by default: hostile text would make all of them grow.
_MEMORY = 1 << 20
_LARGE = 1000  # instructions of a program whose automaton does not fit in there, and would be built again and again
_LARGE_MEMORY = 2 << 20
_LONG = 1500  # the same in characters of a pattern, for more
_LONG_MEMORY = 8 << 20

_UNION_MEMORY = 8 << 20
_OPENS_GROUP = re.compile(r"(?<!\\)\((?!\?)")

_CLASS = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_ATOM = re.compile(rf"\\.|{_CLASS}", re.DOTALL)
_BARE = re.compile(rf"({_CLASS})?\((?!\?)(.*)\)({_CLASS})", re.DOTALL)

# Where a match begins, and its group from and to.
Spans = tuple[int, int, int]


@lru_cache(maxsize=2048)
def compiled(pattern: str) -> Any:
    """A pattern for RE2 over bytes: linear in the text, whatever the text is. Raises re2.error."""
    expression = _first(pattern)
    large = expression.programsize > _LARGE and len(pattern) < _LONG
    return _compiled(pattern, _LARGE_MEMORY) if large else expression


def _first(pattern: str) -> Any:
    return _compiled(pattern, _MEMORY if len(pattern) < _LONG else _LONG_MEMORY)


def _compiled(pattern: str, memory: int) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are matched as bytes: any input is valid, offsets are exact
    options.max_mem = memory
    options.log_errors = False
    return re2.compile(pattern.encode("ascii"), options=options)


class Expression:
    """A pattern that `check` accepts."""

    __slots__ = ("_ask", "_left")

    def __init__(self, pattern: str) -> None:
        bare = _bare(pattern)
        left, body, right = bare or ("", "", "")
        whole = compiled(f"{left}(?:{body}){right}" if bare else pattern)
        self._left = (len(left) > 0) if bare else _NOWHERE  # bytes before the group, when that is always as many
        self._ask = whole._regexp.Match  # noqa: SLF001

    def search(self, data: bytes, at: int, end: int) -> Spans | None:
        """The first match that begins at `at` or after it, in what stands before `end`."""
        return self._spans(self._ask(_SEARCH, data, at, end))

    def match(self, data: bytes, at: int) -> Spans | None:
        """The match that begins at `at`."""
        return self._spans(self._ask(_MATCH, data, at, len(data)))

    def _spans(self, spans: list[tuple[int, int]]) -> Spans | None:
        start, end = spans[0]
        if start == _NOWHERE:
            return None
        return (start, start + self._left, end - 1) if self._left != _NOWHERE else (start, *spans[1])


@lru_cache(maxsize=4096)
def check(pattern: str) -> None:
    """Raises re2.error, and ValueError when the pattern has not exactly one group. Keeps nothing of what that takes."""
    if _first(pattern).groups != 1:
        raise ValueError("the pattern must have exactly one group")


class AnyOf:
    """Many patterns as one, without their groups."""

    __slots__ = ("_ask",)

    def __init__(self, patterns: Sequence[str]) -> None:
        together = "|".join(f"(?:{_OPENS_GROUP.sub('(?:', pattern)})" for pattern in patterns)
        self._ask = _compiled(together, _UNION_MEMORY)._regexp.Match  # noqa: SLF001

    def matches(self, data: bytes, at: int, stop: int) -> Iterator[tuple[int, int]]:
        """From where to where one of them matches between two places, one match after the other; none matches the empty text."""
        stop = min(stop, len(data))
        start, end = self._ask(_SEARCH, data, at, stop)[0]
        while start != _NOWHERE:
            yield start, end
            start, end = self._ask(_SEARCH, data, end, stop)[0]


def _bare(pattern: str) -> tuple[str, str, str] | None:
    """What stands before the group, in it and behind it, where that is one character or nothing, one character."""
    found = _BARE.fullmatch(pattern)
    if not found:
        return None
    depth = 0
    for character in _ATOM.sub("", found[2]):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return None  # the group ends before
    return found[1] or "", found[2], found[3]
