"""Restore: put the values back into a text that arrives in pieces, holding back at most what may still become one token.

One Restorer reads one text: the content of one choice, the arguments of one tool call. Where that text is JSON itself, a value is
written into its strings with the escapes that they need, and what stands outside of a string stays as it is.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import NamedTuple

from yett.redaction.known import LITERAL, Known, Match

_SIGN = re.compile(r"\\(?:u[0-9A-Fa-f]{0,4}|.)?|\"", re.DOTALL)
_BEGUN = re.compile(r"\\(?:u[0-9A-Fa-f]{0,3})?")


class Piece(NamedTuple):
    """Text for the caller, and how many characters of the original it stands for. A value that was put back is `restored`."""

    text: str
    length: int
    restored: bool


class Allowance:
    """What may still be put back into one reply: `left` is in characters, so that a reply made of tokens does not become one that
    is too large. `restored` counts the values by kind."""

    __slots__ = ("left", "restored")

    def __init__(self, characters: int) -> None:
        self.left = characters
        self.restored: Counter[str] = Counter()


class Restorer:
    """`feed` and `finish` return what is settled, in order; the lengths add up to what was fed."""

    __slots__ = ("_allowance", "_before", "_escape", "_held", "_inside", "_known", "json")

    def __init__(self, known: Known, allowance: Allowance, *, json: bool = False) -> None:
        self.json = json
        self._known = known
        self._allowance = allowance
        self._held = ""
        self._before = ""  # the last settled character
        self._inside = False  # a JSON string
        self._escape = ""  # the beginning of an escape that is not over

    def feed(self, text: str) -> list[Piece]:
        """Take the next piece of the text."""
        return self._settle(text, final=False) if text else []

    def finish(self) -> list[Piece]:
        """The text is over, or something begins that no token can go on into."""
        return self._settle("", final=True) if self._held else []

    def whole(self, text: str) -> str:
        """A text that is there as a whole."""
        return "".join(piece.text for piece in self._settle(text, final=True))

    def _settle(self, text: str, *, final: bool) -> list[Piece]:
        skip = len(self._before)
        seen = self._before + self._held + text
        found = self._known.find(seen, skip, final=final)
        done = found[-1].end if found else skip
        cut = len(seen) if final else self._known.pending(seen, done)
        pieces: list[Piece] = []
        at = skip
        for match in found:
            self._pass(seen[at : match.start], pieces)
            self._put(seen, match, pieces)
            at = match.end
        self._pass(seen[at:cut], pieces)
        self._held = seen[cut:]
        self._before = seen[cut - 1 : cut]
        return pieces

    def _pass(self, text: str, pieces: list[Piece]) -> None:
        if text:
            pieces.append(Piece(text, len(text), restored=False))
            if self.json:
                self._follow(text)

    def _put(self, seen: str, match: Match, pieces: list[Piece]) -> None:
        entry, written = match.entry, seen[match.start : match.end]
        # `\\nAME_7Q2MKDB4` is a line feed and no token. What stands outside of a string would not be JSON any more.
        if (self.json and (self._escape or not self._inside)) or len(entry.value.reveal()) > self._allowance.left:
            self._pass(written, pieces)
            return
        value = entry.value.reveal()
        self._allowance.left -= len(value)
        if entry.kind != LITERAL:
            self._allowance.restored[entry.kind] += 1
        pieces.append(Piece(_quoted(value) if self.json else value, len(written), restored=True))

    def _follow(self, text: str) -> None:
        """Keep track of whether a JSON string has begun, and an escape in it."""
        text, self._escape = self._escape + text, ""
        for sign in _SIGN.finditer(text):
            if sign[0] == '"':
                self._inside = not self._inside
            elif sign.end() == len(text) and _BEGUN.fullmatch(sign[0]):
                self._escape = sign[0]


def _quoted(value: str) -> str:
    """`value` as it stands within the quotes of a JSON string. Half a surrogate pair, which has no UTF-8, stays an escape."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return json.dumps(value)[1:-1]
    return json.dumps(value, ensure_ascii=False)[1:-1]
