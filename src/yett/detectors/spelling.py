"""Spelling: words that are run together, broken or misspelt as no pattern knows them, and as a person still reads them.

Both are undone only in a text that has a word of orders so written: `ignore_all_previous_rules`, `ingore the prevoius rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from yett.detectors.view import Rewriting, View
from yett.detectors.vocabulary import COSTS, FUNCTION, ORDERS, WORDS

_WORD = re.compile("[A-Za-z]+")
_BREAK = re.compile(r"[ .\n_|-]|-\n")
_TWICE = re.compile(r"(.)\1+")
_BREAK_MOST = 3
_LEAST = 5  # letters of a word that may be misspelt
_LEAST_SCRAMBLED = 4
_USUAL = 3000  # words of which any letter may be left out, put in or another one
_MANY, _SHARE = 4, 0.25  # words that are mended, of all: so many tell that a text was misspelt on purpose
_MOST = 24
_REAL = {"revel", "constrains", "pretends"}  # misspelt ones that are words themselves


def _misspelt(word: str) -> Iterator[str]:
    """With one letter twice, or two swapped or one left out; then the first and the last stay, for a person reads by them."""
    for at in range(len(word)):
        yield word[:at] + word[at] + word[at:]
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        if at < len(word) - 2:
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _scrambled(word: str) -> str:
    """The same for all words whose letters but the first and the last are in another order."""
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


def _once(word: str) -> str:
    """The same for all words that differ in how often they write a letter after itself."""
    return _TWICE.sub(r"\1", word)


_ORDERED = sorted(word for word in ORDERS if len(word) > _LEAST)
_MISSPELT = {form: word for word in _ORDERED for form in _misspelt(word) if form not in WORDS and form not in _REAL}
_LONG_WORDS = [
    *sorted((word for word in WORDS - ORDERS if len(word) >= _LEAST_SCRAMBLED), key=COSTS.__getitem__, reverse=True),
    *_ORDERED,
]
_SCRAMBLED = {_scrambled(word): word for word in _LONG_WORDS}
_ONCE = {_once(word): word for word in _LONG_WORDS}
_LESS = {  # by what is left of a word without one of its letters
    word[:at] + word[at + 1 :]: (word, at)
    for word in _LONG_WORDS[-_USUAL:]
    if len(word) >= _LEAST
    for at in range(1, len(word))
}


def mended(view: View) -> View | None:
    """Words that are misspelt or broken in two become those that were meant, where one is of orders."""
    rewriting = Rewriting(view)
    found = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(view.text)]
    done = mended = 0
    telling = False
    for (word, start, end), (after, behind, last) in pairwise((*found, ("", 0, 0))):
        if start < done:
            continue
        if after and behind - end < _BREAK_MOST and _broken(word, after) and _BREAK.fullmatch(view.text, end, behind):
            done = last
            telling |= (word + after).lower() in ORDERS
            mended += 1
            rewriting.put(start, last, word + after, "misspelt")
        elif _LEAST_SCRAMBLED <= len(word) <= _MOST and (meant := _meant(word)):
            telling |= meant.lower() in ORDERS
            mended += 1
            rewriting.put(start, end, meant, "misspelt")
    return rewriting.view() if telling or mended >= max(_MANY, _SHARE * len(found)) else None


def _broken(first: str, second: str) -> bool:
    word = (first + second).lower()
    return word in ORDERS or (
        len(word) >= _LEAST and word in WORDS and (first.lower() not in WORDS or second.lower() not in WORDS)
    )


@lru_cache(maxsize=4096)
def _meant(word: str) -> str:
    """The word of the vocabulary that is meant by one that is not in it; nothing for others. What is remembered is short: nobody
    fills the memory with long ones."""
    lower = word.lower()
    if lower in WORDS:
        return ""
    meant = _MISSPELT.get(lower) or _SCRAMBLED.get(_scrambled(lower)) or _ONCE.get(_once(lower)) or _near(lower)
    return meant.capitalize() if word[0].isupper() else meant


def _near(word: str) -> str:
    """The word that one letter less, more or other makes of it."""
    if len(word) < _LEAST:
        return ""
    if word in _LESS:
        return _LESS[word][0]
    for at in range(1, len(word)):
        less = word[:at] + word[at + 1 :]
        if less in _LESS and _LESS[less][1] == at:
            return _LESS[less][0]
        if less in WORDS and len(less) >= _LEAST:
            return less
    return ""


def _broken_forms() -> Iterator[str]:
    for word in _ORDERED:
        yield from (f"{word[:at]}[ .-]{word[at:]}" for at in range(2, len(word) - 1))


def _exchanged_forms() -> Iterator[str]:
    for word in ("ignore", "instructions", "previous", "prompt", "reveal", "system"):
        yield from (f"{word[:at]}[^{word[at]}\\W]{word[at + 1 :]}" for at in range(1, len(word) - 1))


# What the automaton that reads every text looks for: without the edges of words, which would take it ten seconds to compile.
_SWAPPED = [
    word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for word in sorted(FUNCTION)
    if len(word) > 3
    for at in range(1, len(word) - 2)
    if word[at] != word[at + 1]
]
SHAPES: dict[str, str] = {
    "misspelt": f"(?i:{'|'.join((*_MISSPELT, *_broken_forms(), *_exchanged_forms(), *_SWAPPED))})",
}
