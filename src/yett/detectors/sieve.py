"""Sieve: which detectors may have something in a text, in as few passes over it as its content allows.

1. One automaton looks for the patterns (or anchors) of all detectors that stand by themselves, and for what others say must
   occur `besides`: a number of some length, which clean prose seldom has and which costs next to nothing to look for.
2. Only behind such a number: a second automaton looks for the words that numbers are called by, thousands of them; and
3. one expression for RE2 looks for all shapes of a `group` together. It costs the same however many they are, where an
   automaton would have to follow each of them from every digit on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import re2

from yett.detectors.detector import Detector

Automaton = Callable[[bytes], Iterable[int]]
Build = Callable[[tuple[bytes, ...]], Automaton]

_MOST_MATCHES = 16  # of a group: after so many, all of its detectors have a look for themselves
_GROUP_MEMORY = 8 << 20
_OPENS_GROUP = re.compile(r"(?<!\\)\((?!\?)")


class _Passes:
    """Detectors by the expression that speaks for them, and an automaton for these."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self.speaks: dict[str, list[int]] = {}
        self._automaton: Automaton | None = None

    def add(self, expression: str, *places: int) -> None:
        self.speaks.setdefault(expression, []).extend(places)

    def compile(self) -> None:
        if self.speaks:
            self._automaton = self._build(tuple(expression.encode("ascii") for expression in self.speaks))
        self._by_number = list(self.speaks.items())

    def __call__(self, data: bytes) -> list[tuple[str, list[int]]]:
        return [self._by_number[number] for number in self._automaton(data)] if self._automaton else []


class Sieve:
    """Built once for a shelf; `patterns` are its detectors' patterns, compiled. Belongs to one thread."""

    def __init__(self, detectors: Sequence[Detector], patterns: Sequence[Any], build: Build) -> None:
        self._patterns = patterns
        self._gates = [detector.besides for detector in detectors]
        self._first, self._behind = _Passes(build), _Passes(build)
        groups: dict[tuple[str, str], list[int]] = {}
        for place, detector in enumerate(detectors):
            if detector.besides:
                self._first.add(detector.besides)
                if detector.group:
                    groups.setdefault((detector.besides, detector.group), []).append(place)
                    continue
            (self._behind if detector.besides else self._first).add(detector.anchor or detector.pattern, place)
        self._first.compile()
        self._behind.compile()
        self._groups = [
            (gate, members, _union([detectors[place].pattern for place in members]))
            for (gate, _), members in groups.items()
        ]

    def __call__(self, data: bytes) -> list[int]:
        """Places on the shelf, in no order. Empty for clean text, after one pass for nearly all of it."""
        heard = self._first(data)
        if not heard:
            return []
        places = [place for _, spoken in heard for place in spoken]
        gates = {expression for expression, _ in heard}
        if gates.isdisjoint(self._gates):
            return places
        places += [place for _, spoken in self._behind(data) for place in spoken if self._gates[place] in gates]
        for gate, members, union in self._groups:
            if gate in gates:
                places += self._of_group(members, union, data)
        return places

    def _of_group(self, members: list[int], union: Any, data: bytes) -> Iterable[int]:
        """The members that match where any of them does."""
        found: set[int] = set()
        match = union.search(data)
        for _ in range(_MOST_MATCHES):
            if not match:
                return found
            start = match.start()
            found.update(place for place in members if place not in found and self._patterns[place].match(data, start))
            match = union.search(data, start + 1)
        return members


def _union(patterns: Sequence[str]) -> Any:
    """All of the patterns as one, without their groups."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _GROUP_MEMORY
    options.log_errors = False
    together = "|".join(f"(?:{_OPENS_GROUP.sub('(?:', pattern)})" for pattern in patterns)
    return re2.compile(together.encode("ascii"), options=options)
