"""Expression: a pattern for RE2 over bytes, and the places of its matches at the least cost.

RE2 tells where a match begins and ends in time that does not depend on the pattern; where a group within it does takes several
times as long. Most patterns have one character on either side of their group, or nothing: there the group's place follows from
the match's. RE2 is asked through its own binding, because the wrapper of it makes three objects for each match, which takes longer
than most matches take to be found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import re2

from yett.detectors.anatomy import parts, ungrouped, width

_SEARCH, _MATCH = re2._Anchor.UNANCHORED, re2._Anchor.ANCHOR_START  # noqa: SLF001 - see above
_NOWHERE = -1
# RE2 keeps a lazily built automaton per pattern, 8 MiB each by default: hostile text would make all of them grow.
_MEMORY = 1 << 20
_LARGE = 1000  # instructions of a program whose automaton does not fit in there, and would be built again and again
_LARGE_MEMORY = 2 << 20
_LONG = 1500  # the same in characters of a pattern, for more
_LONG_MEMORY = 8 << 20

_UNION_MEMORY = 8 << 20
# Where a match begins, and its group from and to.
Spans = tuple[int, int, int]
Ask = Callable[[Any, bytes, int, int], list[tuple[int, int]]]


@lru_cache(maxsize=2048)
def compiled(pattern: str) -> Any:
    """A pattern for RE2 over bytes: linear in the text, whatever the text is. Raises re2.error."""
    expression = _first(pattern)
    large = expression.programsize > _LARGE and len(pattern) < _LONG
    return _compiled(pattern, _LARGE_MEMORY) if large else expression


def occurs(pattern: str) -> Callable[[str], bool]:
    """What says whether a pattern matches anywhere in a text, as UTF-8."""
    ask = _asked(pattern)

    def asked(text: str) -> bool:
        data = text.encode("utf-8", "surrogatepass")
        return ask(_SEARCH, data, 0, len(data))[0][0] != _NOWHERE

    return asked


def _asked(pattern: str) -> Ask:
    """Where it matches, without an object for each match."""
    ask: Ask = compiled(pattern)._regexp.Match  # noqa: SLF001 - see above
    return ask


def _first(pattern: str) -> Any:
    return _compiled(pattern, _MEMORY if len(pattern) < _LONG else _LONG_MEMORY)


def _compiled(pattern: str, memory: int) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes are matched as bytes: any input is valid, offsets are exact
    options.max_mem = memory
    options.log_errors = False
    return re2.compile(pattern.encode("ascii"), options=options)


class Expression:
    """A pattern that `check` accepts.

    Its only group is found from the match, from what stands before the group, and from the rest: each of them costs a microsecond,
    where to make RE2 tell the group's place takes it as much for each byte.
    """

    __slots__ = ("_lead", "_left", "_pattern", "_rest", "_right", "_whole")

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._whole = _asked(ungrouped(pattern))
        self._left = self._right = _NOWHERE  # bytes before the group and behind it, when those are always as many
        self._lead: Ask | None = None
        found = parts(pattern)
        if not found:
            return
        left, body, right = found
        before, behind = width(left), width(right)
        if behind is None:
            return
        self._right = behind
        if before is not None:
            self._left = before
        else:
            self._lead, self._rest = _asked(left), _asked(f"(?:{body}){right}")

    def search(self, data: bytes, at: int, end: int) -> Spans | None:
        """The first match that begins at `at` or after it, in what stands before `end`."""
        return self._spans(data, self._whole(_SEARCH, data, at, end), end)

    def match(self, data: bytes, at: int, end: int) -> Spans | None:
        """The match that begins at `at`."""
        return self._spans(data, self._whole(_MATCH, data, at, end), end)

    def _spans(self, data: bytes, found: list[tuple[int, int]], end: int) -> Spans | None:
        start, stop = found[0]
        if start == _NOWHERE:
            return None
        if self._left != _NOWHERE:
            return start, start + self._left, stop - self._right
        if self._lead is not None:
            # Of all ways to match it is the first whose left part is matched in the first way: this one, if the rest matches behind it.
            first = self._lead(_MATCH, data, start, end)[0][1]
            if self._rest(_MATCH, data, first, end)[0][1] == stop:
                return start, first, stop - self._right
        return start, *_asked(self._pattern)(_MATCH, data, start, end)[1]


@lru_cache(maxsize=4096)
def check(pattern: str) -> None:
    """Raises re2.error, and ValueError when the pattern has not exactly one group. Keeps nothing of what that takes."""
    if _first(pattern).groups != 1:
        raise ValueError("the pattern must have exactly one group")


class AnyOf:
    """Many patterns as one, without their groups."""

    __slots__ = ("_ask",)

    def __init__(self, patterns: Sequence[str]) -> None:
        together = "|".join(f"(?:{ungrouped(pattern)})" for pattern in patterns)
        self._ask = _compiled(together, _UNION_MEMORY)._regexp.Match  # noqa: SLF001

    def matches(self, data: bytes, at: int, stop: int) -> Iterator[tuple[int, int]]:
        """From where to where one of them matches between two places, one match after the other; none matches the empty text."""
        stop = min(stop, len(data))
        start, end = self._ask(_SEARCH, data, at, stop)[0]
        while start != _NOWHERE:
            yield start, end
            start, end = self._ask(_SEARCH, data, end, stop)[0]
