"""Language: how rules are written, so that they read like the sentences that they match.

In a rule, a space stands for whatever separates two words (spaces, punctuation, markup), `~ ` for up to three words of any
kind and what separates them from the next, `@any` for anything within a line; letters above ASCII stand for themselves. Text is folded (lower
case, no accents), and so is what is written here.
"""

from __future__ import annotations

import re

from msgspec import Struct

from yett.detectors.normalise import fold, plain
from yett.detectors.view import View

_GAP = r"[^a-z0-9\x80-\xff]"
_WORDS = r"(?:[a-z0-9'\x80-\xff]+[^a-z0-9\x80-\xff]+){0,3}"
_ANY = r"[^\n]{0,60}"
EDGE = _GAP  # where a word begins or ends

_CLASS = re.compile(r"(\[(?:\\.|[^\]\\])*\]|\\.)")  # a space or a letter in a class of characters is only that


class Rule(Struct, frozen=True):
    """Patterns in RE2 syntax over the bytes of folded text, each with one group, and how much any of them says of what a user wrote and of the rest."""

    id: str
    concept: str
    patterns: tuple[str, ...]
    user: float
    other: float


def rule(id: str, concept: str, user: float, other: float, *phrases: str, words: bool = True) -> Rule:
    """A rule for any of the phrases. Unless `words` is False, they begin and end where words do."""
    edge = EDGE if words else ""
    return Rule(id, concept, tuple(f"{edge}({written(phrase)}){edge}" for phrase in phrases), user, other)


def written(phrase: str) -> str:
    """A phrase as a pattern of ASCII."""
    # every other part is a class, or escaped
    return "".join(part if at % 2 else _written(part) for at, part in enumerate(_CLASS.split(phrase)))


def _written(text: str) -> str:
    text = fold(plain(View(text)).text)
    text = text.replace("~ ", _WORDS).replace(" ?", f"{_GAP}*").replace(" ", f"{_GAP}+").replace("@any", _ANY)
    return re.sub("[^\x00-\x7f]", _as_bytes, text)


def _as_bytes(match: re.Match[str]) -> str:
    return "(?:" + "".join(f"\\x{byte:02x}" for byte in match.group().encode()) + ")"
