"""Anatomy: what a pattern consists of: what stands before its group, in it and behind it, and how many bytes that is."""

from __future__ import annotations

import re
from typing import NamedTuple

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
    low: int
    high: int
    width: int  # bytes that it matches at least, once


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
        return _Atom(opens, inside, start, end, low, high, int(width))

    def _times(self) -> tuple[int, int]:
        found = _TIMES.match(self._pattern, self._at)
        if not found:
            return 1, 1
        self._at = found.end()
        sign, least, comma, most = found.groups()
        if sign:
            return int(sign == "+"), 1 if sign == "?" else _ENDLESS
        return int(least), int(most) if most else _ENDLESS if comma else int(least)
