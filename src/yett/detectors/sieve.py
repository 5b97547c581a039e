"""Sieve: which detectors may have something in a text and where, in as few passes over it as its content allows.

1. One automaton looks for the patterns (or anchors) of all detectors that stand by themselves.
2. Others say what must occur `besides`: a number of some length, which clean prose seldom has. One automaton looks for any of these
   expressions, block by block, and stops where the first of them matches: where there are numbers, that is soon, and where there are
   none, nothing is cheaper to look for.
3. Only in blocks with such a number: another automaton looks for the words that numbers are called by, thousands of them; and
4. one expression for RE2 finds every place where a shape of a `group` begins. It costs the same however many shapes there are,
   where an automaton would have to follow each of them from every digit on. Which of them begin there is asked at that place.

So in a long text with a number here and there, the words far from any do not matter, and what they may stand before is not
looked for everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from yett.detectors.detector import Detector
from yett.detectors.expression import AnyOf

Automaton = Callable[[bytes], Sequence[int]]
Build = Callable[[tuple[bytes, ...]], Automaton]

REACH = 256  # bytes that a pattern which is looked for besides a number may match
_BLOCK = 2048
_SHORT = 512  # bytes in which looking for the shapes themselves costs what asking for their number does
_EDGES = re.compile(rb"[^A-Za-z0-9](?=[0-9A-Zt+(])")  # what shapes of a group begin with


class Heard(NamedTuple):
    """A detector's place on the shelf, and where its pattern may match: it begins at `first` or after it and before `last`, and
    at one of the `starts` where they are known."""

    place: int
    first: int
    last: int
    starts: list[int] | None = None


class _Passes:
    """Detectors by the expression that speaks for them, and an automaton for these."""

    def __init__(self) -> None:
        self._speaks: dict[str, list[int]] = {}
        self.places: list[list[int]] = []  # of the detectors, by the number that the automaton says
        self.automaton: Automaton = _silent

    def add(self, expression: str, place: int) -> None:
        self._speaks.setdefault(expression, []).append(place)

    def compile(self, build: Build) -> None:
        if self._speaks:
            self.automaton = _automaton(build, self._speaks)
        self.places = list(self._speaks.values())


class _Group:
    """Shapes that are alike, and what must occur for them to be looked for."""

    def __init__(self, gate: Automaton, members: Sequence[int], patterns: Sequence[str], build: Build) -> None:
        self._gate = gate
        self._members = members
        self._any = AnyOf(patterns)
        self._which = _automaton(build, [f"^(?:{pattern})" for pattern in patterns])

    def __call__(self, data: bytes, part: bytes, first: int, last: int) -> Iterator[Heard]:
        if len(part) > _SHORT and not self._gate(part):
            return
        starts: dict[int, list[int]] = {}
        for begin, end in self._any.matches(data, first, last + REACH):
            # Others may begin within it: at its end, more often than not, in a list of numbers.
            for start in (begin, *(edge.start() for edge in _EDGES.finditer(data, begin + 1, end + 1))):
                for number in self._which(data[start : start + REACH]) if start < last else ():
                    starts.setdefault(self._members[number], []).append(start)
        for place, known in starts.items():
            yield Heard(place, first, last, known)


class Sieve:
    """Built once for a shelf. Belongs to one thread."""

    def __init__(self, detectors: Sequence[Detector], build: Build) -> None:
        self._first, self._behind = _Passes(), _Passes()
        groups: dict[str, list[int]] = {}
        for place, detector in enumerate(detectors):
            if detector.besides and detector.group:
                groups.setdefault(detector.group, []).append(place)
            else:
                (self._behind if detector.besides else self._first).add(detector.anchor or detector.pattern, place)
        self._first.compile(build)
        self._behind.compile(build)
        gates = {gate: _automaton(build, (gate,)) for gate in dict.fromkeys(each.besides for each in detectors) if gate}
        self._gates = [gates[each.besides] if each.besides else _silent for each in detectors]  # by place
        self._any = _any(gates, build)
        self._groups = [
            _Group(
                _any([detectors[place].besides for place in members], build),
                members,
                [detectors[place].pattern for place in members],
                build,
            )
            for members in groups.values()
        ]

    def __call__(self, data: bytes) -> list[Heard]:
        """Detectors in no order. Empty for clean text, after one or two passes for nearly all of it."""
        heard: list[Heard] = []
        size = len(data)
        # Nearly nothing is ever heard, and of a stream each piece is asked about: so no function is called that need not be.
        if numbers := self._first.automaton(data):
            heard = [Heard(place, 0, size) for number in numbers for place in self._first.places[number]]
        if size <= _BLOCK:
            if self._any(data):
                self._numbered(data, data, 0, size, heard)
            return heard
        for first, last in self._parts(data):
            self._numbered(data, data[first : last + REACH], first, last, heard)
        return heard

    def _parts(self, data: bytes) -> Iterator[tuple[int, int]]:
        """From where to where there are numbers in block after block."""
        first = last = 0
        for start in range(0, len(data), _BLOCK):
            if self._any(data[start : start + _BLOCK + REACH]):
                if start > last:
                    if last:
                        yield first, last
                    first = start
                last = min(start + _BLOCK, len(data))
        if last:
            yield first, last

    def _numbered(self, data: bytes, part: bytes, first: int, last: int, heard: list[Heard]) -> None:
        """What is looked for only where a number is: in `part`, for what begins between two places in the data."""
        if numbers := self._behind.automaton(part):
            places = [place for number in numbers for place in self._behind.places[number]]
            gates = {gate for gate in {self._gates[place] for place in places} if gate(part)}
            heard += [Heard(place, first, last) for place in places if self._gates[place] in gates]
        for group in self._groups:
            heard += group(data, part, first, last)


def _silent(_data: bytes) -> Sequence[int]:
    """An automaton for no expression."""
    return ()


def _automaton(build: Build, expressions: Iterable[str]) -> Automaton:
    return build(tuple(expression.encode("ascii") for expression in expressions))


def _any(expressions: Iterable[str], build: Build) -> Automaton:
    """One that says 0 where any of them matches."""
    together = "|".join(f"(?:{expression})" for expression in dict.fromkeys(expressions))
    return _automaton(build, (together,)) if together else _silent
