"""Sieve: which detectors may have something in a text, in as few passes over it as its content allows.

1. One automaton looks for the patterns (or anchors) of all detectors that stand by themselves.
2. Others say what must occur `besides`: a number of some length, which clean prose seldom has. Each of these few expressions has
   an automaton of its own, which stops where it first matches: where there are numbers, that is soon, and where there are none,
   nothing is cheaper to look for. In a short text one automaton looks for all of them.
3. Only behind such a number: another automaton looks for the words that numbers are called by, thousands of them; and
4. one expression for RE2 finds every place where a shape of a `group` begins. It costs the same however many shapes there are,
   where an automaton would have to follow each of them from every digit on. Which of them begin there is asked at that place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from yett.detectors.detector import GROUP_CAP, LEFT, Detector
from yett.detectors.expression import AnyOf

Automaton = Callable[[bytes], Sequence[int]]
Build = Callable[[tuple[bytes, ...]], Automaton]
# A detector's place on the shelf, and where in the text its pattern matches: None when that is not known yet.
Heard = tuple[int, "list[int] | None"]

_REACH = LEFT + 4 * GROUP_CAP + 4  # bytes that a shape of a group may match
_SHORT = 2048  # bytes up to which asking once for all that must occur is quicker than asking for each
_EDGES = re.compile(rb"[^A-Za-z0-9](?=[0-9A-Z+(])")  # what shapes of a group begin with


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


class _Gates:
    """What must occur besides: which of the expressions do."""

    def __init__(self, expressions: Sequence[str], build: Build) -> None:
        self.expressions = tuple(expressions)
        self.together = _automaton(build, expressions) if expressions else _silent
        self._alone = [_automaton(build, (each,)) for each in expressions]

    def apart(self, data: bytes) -> list[int]:
        """The same in a pass for each."""
        return [number for number, automaton in enumerate(self._alone) if automaton(data)]


class _Group:
    """Shapes that are alike, and which of the expressions must occur for each to be looked for."""

    def __init__(self, gates: frozenset[str], members: Sequence[int], patterns: Sequence[str], build: Build) -> None:
        self.gates = gates
        self._members = members
        self._any = AnyOf(patterns)
        self._which = _automaton(build, [f"^(?:{pattern})" for pattern in patterns])

    def __call__(self, data: bytes) -> Iterator[Heard]:
        starts: dict[int, list[int]] = {}
        for first, end in self._any.matches(data):
            # Others may begin within it: at its end, more often than not, in a list of numbers.
            for start in (first, *(edge.start() for edge in _EDGES.finditer(data, first + 1, end + 1))):
                for number in self._which(data[start : start + _REACH]):
                    starts.setdefault(self._members[number], []).append(start)
        return iter(starts.items())


class Sieve:
    """Built once for a shelf. Belongs to one thread."""

    def __init__(self, detectors: Sequence[Detector], build: Build) -> None:
        self._besides = [detector.besides for detector in detectors]
        self._first, self._behind = _Passes(), _Passes()
        groups: dict[tuple[str, str], list[int]] = {}
        for place, detector in enumerate(detectors):
            if detector.besides and detector.group:
                groups.setdefault((detector.besides, detector.group), []).append(place)
            else:
                (self._behind if detector.besides else self._first).add(detector.anchor or detector.pattern, place)
        self._first.compile(build)
        self._behind.compile(build)
        self._gates = _Gates(list(dict.fromkeys(filter(None, self._besides))), build)
        self._groups = [
            _Group(frozenset((gate,)), members, [detectors[place].pattern for place in members], build)
            for (gate, _), members in groups.items()
        ]
        # Where one of the numbers occurs, all do more often than not: then all shapes are looked for in one pass.
        every = [place for members in groups.values() for place in members]
        gates = frozenset(gate for gate, _ in groups)
        self._together = _Group(gates, every, [detectors[place].pattern for place in every], build) if every else None

    def __call__(self, data: bytes) -> list[Heard]:
        """Detectors in no order. Empty for clean text, after one or two passes for nearly all of it."""
        heard: list[Heard] = []
        # Nearly nothing is ever heard, and of a stream each piece is asked about: so no function is called that need not be.
        if numbers := self._first.automaton(data):
            heard = [(place, None) for number in numbers for place in self._first.places[number]]
        if numbers := self._gates.together(data) if len(data) < _SHORT else self._gates.apart(data):
            self._numbered(data, {self._gates.expressions[number] for number in numbers}, heard)
        return heard

    def _numbered(self, data: bytes, gates: AbstractSet[str], heard: list[Heard]) -> None:
        """What is looked for only behind `gates`, which are open."""
        if numbers := self._behind.automaton(data):
            places = [place for number in numbers for place in self._behind.places[number]]
            heard += [(place, None) for place in places if self._besides[place] in gates]
        if self._together and self._together.gates <= gates:
            heard += self._together(data)
        else:
            for group in self._groups:
                if group.gates <= gates:
                    heard += group(data)


def _silent(_data: bytes) -> Sequence[int]:
    """An automaton for no expression."""
    return ()


def _automaton(build: Build, expressions: Iterable[str]) -> Automaton:
    return build(tuple(expression.encode("ascii") for expression in expressions))
