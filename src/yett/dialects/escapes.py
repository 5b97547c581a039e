"""Escapes: JSON that arrives in pieces, with every character that needs no escape in a string written as itself.

A model may write `\\u0041` or `\\/` for a character that it could have written as it is: to whoever parses the JSON it is the same,
to whoever looks for a pattern it is not. Control characters, quotation marks, backslashes and halves of surrogate pairs keep theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIGN = re.compile(r'"|\\(?:u(?:[0-9A-Fa-f]{4}|[0-9A-Fa-f]{0,3}\Z)|[^u]|\Z)', re.DOTALL)
_WHOLE = 6  # characters of an escape with a number
_KEPT = frozenset('"\\\x7f')


class Escapes:
    """One JSON text. `held` is the beginning of an escape that is not over."""

    __slots__ = ("_first", "_inside", "held")

    def __init__(self) -> None:
        self.held = ""
        self._first = ""  # what is no white space
        self._inside = False  # a string

    @property
    def bare(self) -> bool:
        """Whether what comes next stands between the strings of an object or an array, where a word is not JSON."""
        return not self._inside and self._first in ("{", "[")

    def rest(self) -> str:
        """What was held, when nothing follows."""
        rest, self.held = self.held, ""
        return rest

    def feed(self, text: str) -> str:
        """What is known of the text with the next piece of it, beyond what was returned before."""
        text, self.held = self.held + text, ""
        self._first = self._first or text.lstrip()[:1]
        if "\\" not in text and not text.count('"') % 2:  # which leaves everything as it was
            return text

        def written(sign: re.Match[str]) -> str:
            escape = sign[0]
            if escape == '"':
                self._inside = not self._inside
            elif self._inside:
                if sign.end() == len(text) and (escape == "\\" or (escape[1] == "u" and len(escape) < _WHOLE)):
                    self.held = escape
                    return ""
                return _unescaped(escape)
            return escape

        return _SIGN.sub(written, text)


def _unescaped(escape: str) -> str:
    if escape == r"\/":
        return "/"
    if len(escape) == _WHOLE:
        character = chr(int(escape[2:], 16))  # noqa: FURB166 - it begins with a backslash
        if character >= " " and character not in _KEPT and not "\ud800" <= character <= "\udfff":
            return character
    return escape


def bare(text: str, places: Iterable[int]) -> frozenset[int]:
    """Those of the places in a JSON text that do not stand in a string; what begins an object or an array is one, too."""
    escapes, at, found = Escapes(), 0, set()
    first = text[: len(text) - len(text.lstrip()) + 1]
    for place in sorted(places):
        escapes.feed(text[at:place])
        at = place
        if escapes.bare or (place < len(first) and first[-1:] in ("{", "[")):
            found.add(place)
    return frozenset(found)
