"""Anatomy: what a pattern consists of: how it begins, what stands before its group, how many bytes that is.

How every match begins, its *head*, costs nearly nothing to look for. A name that a value is given to is a few letters; what may lie
between the two is a hundred ways of many lengths. To look for all of it at once, RE2 has to remember of each name that it saw how
far behind it is, so a text that is full of names makes it build its automaton anew at every byte. To look for the name, and for the
rest only where one is, takes the same short time in any text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_WIDTH = 6  # bytes by which most beginnings can be told from other text
_LEAST = 2
_MOST = 8  # repetitions; more of them are what must not be looked for everywhere
# RE2 knows more: where any of it stands nothing is said of a pattern.
_STRANGE = r"\(\?|\\[pPQC]|\\x\{|\[\^?\]?(?:\\.|[^\]\\])*\[:"
_TOKEN = re.compile(
    rf"(?P<opens>\((?:\?[a-z-]*:|(?!\?)))|(?P<strange>{_STRANGE})|(?P<bar>\|)|(?P<closes>\))|(?:\\x[0-9a-fA-F]{{2}}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.)",
    re.DOTALL,
)
_TIMES = re.compile(r"(?:([?*+])|\{(\d+)(,?)(\d*)\})\??")
_PLACES = frozenset((r"\b", r"\B", r"\A", r"\z", "^", "$"))  # match no byte
_ENDLESS = 1 << 16


class Parts(NamedTuple):
    """What a pattern has before its only group, in it, and behind it."""

    left: str
    body: str
    right: str


class _Atom(NamedTuple):
    opens: str  # of a group, "(" for the one that counts
    ways: list[list[_Atom]]
    start: int
    end: int  # where it ends without its times
    stop: int
    low: int
    high: int
    width: int  # bytes that it matches at least, once

    @property
    def most(self) -> int:
        """Times that anything in it is repeated."""
        return max([self.high, *(atom.most for way in self.ways for atom in way)])


class _Head(NamedTuple):
    written: str
    width: int  # bytes that it matches at least
    whole: bool  # nothing is left out


def parts(pattern: str) -> Parts | None:
    """None where the group is one of several ways, or part of another, or where that cannot be told."""
    if any(token["strange"] for token in _TOKEN.finditer(pattern)):
        return None
    ways = _Reader(pattern).ways()
    group = next((atom for atom in ways[0] if atom.opens == "("), None)
    if len(ways) > 1 or group is None:
        return None
    return Parts(pattern[: group.start], pattern[group.start + 1 : group.end - 1], pattern[group.end :])


def ungrouped(pattern: str) -> str:
    """The same with groups that RE2 need not tell the place of."""
    return _TOKEN.sub(lambda token: "(?:" if token["opens"] == "(" else token.group(), pattern)


def width(pattern: str) -> int | None:
    """How many bytes a pattern matches; None when that is not always the same."""
    return _width(_Reader(pattern).ways())


def head(pattern: str) -> str:
    """Matches wherever `pattern` does, from the same byte on. Empty where nothing short says enough."""
    found = _head(pattern, _Reader(pattern).ways(), _WIDTH)
    return found.written if found.width >= _LEAST else ""


def _width(ways: list[list[_Atom]]) -> int | None:
    widths = {_width_of_one(way) for way in ways}
    return widths.pop() if len(widths) == 1 else None


def _width_of_one(way: list[_Atom]) -> int | None:
    total = 0
    for atom in way:
        once = _width(atom.ways) if atom.ways else atom.width
        if once is None or atom.low != atom.high:
            return None
        total += once * atom.low
    return total


def _head(pattern: str, ways: list[list[_Atom]], width: int) -> _Head:
    heads = [_beginning(pattern, way, width) for way in ways]
    return _Head(
        "|".join(dict.fromkeys(each.written for each in heads)),
        min(each.width for each in heads),
        all(each.whole for each in heads),
    )


def _beginning(pattern: str, way: list[_Atom], width: int) -> _Head:
    written, known = "", 0
    for atom in way:
        if known >= width or (atom.most > _MOST and not atom.low == atom.high == 1):
            return _Head(written, known, False)
        if not atom.ways or atom.high > 1 or not atom.low:
            written += pattern[atom.start : atom.stop]
            known += atom.low * atom.width
            continue
        inner = _head(pattern, atom.ways, width - known)
        written += f"{atom.opens}{inner.written})"
        known += inner.width
        if not inner.whole:
            return _Head(written, known, False)
    return _Head(written, known, True)


class _Reader:
    """One walk over a pattern, by recursive descent."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def ways(self) -> list[list[_Atom]]:
        """Up to the end, or behind the bracket that closes them."""
        ways: list[list[_Atom]] = [[]]
        while token := _TOKEN.match(self._pattern, self._at):
            start, self._at = token.span()
            if token["closes"]:
                break
            if token["bar"]:
                ways.append([])
                continue
            ways[-1].append(self._atom(start, token["opens"] or "", token.group()))
        return ways

    def _atom(self, start: int, opens: str, written: str) -> _Atom:
        inside = self.ways() if opens else []
        end = self._at
        low, high = self._times()
        width = min((sum(atom.low * atom.width for atom in way) for way in inside), default=written not in _PLACES)
        return _Atom(opens, inside, start, end, self._at, low, high, int(width))

    def _times(self) -> tuple[int, int]:
        found = _TIMES.match(self._pattern, self._at)
        if not found:
            return 1, 1
        self._at = found.end()
        sign, least, comma, most = found.groups()
        if sign:
            return int(sign == "+"), 1 if sign == "?" else _ENDLESS
        return int(least), int(most) if most else _ENDLESS if comma else int(least)
