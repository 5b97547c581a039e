"""Spelling: words that are run together, broken or misspelt as no pattern knows them, and as a person still reads them.

Both are undone only in a text that has a word of orders so written: `ignore_all_previous_rules`, `ingore the prevoius rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from yett.detectors.expression import compiled
from yett.detectors.view import Rewriting, View
from yett.detectors.vocabulary import LONGEST, ORDERS, WORDS

_SIGN = r"[_./|+~=*\\-]"
_CHAIN_LEAST = 4  # words
_SENTENCE = 7  # signs
_ORDERS_SHARE, _SENTENCE_SHARE = 0.75, 0.5  # of its words that are of the vocabulary
_RUN_LEAST = 24  # letters
_RUN_MOST = 200
_RUNS = 1000  # letters in one text: to tell the words of a run apart takes longer than to find it
_CHAIN = re.compile(
    rf"(?<![A-Za-z0-9'])(?:[A-Za-z0-9']+(?:{_SIGN}{{1,3}}[A-Za-z0-9']+){{{_CHAIN_LEAST - 1},}}|[A-Za-z]{{{_RUN_LEAST},{_RUN_MOST}}})"
)
_SIGNS = re.compile(f"{_SIGN}+")
_ORDER = compiled(f"(?i:{'|'.join(ORDERS)})")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NO_WORD = 1.2  # what a letter of no word costs, where a word costs 1

_WORD = re.compile("[A-Za-z]+")
_BREAK = re.compile(r"[ .-]|-\n")
_TWICE = re.compile(r"(.)\1+")
_BREAK_MOST = 3
_LEAST = 5  # letters of a word that may be misspelt
_MOST = 24
_REAL = {"revel", "constrains", "pretends"}  # misspelt ones that are words themselves


def words_of(text: str) -> Iterator[str]:
    """The fewest words of the vocabulary that make up a text of small letters; what is none of them stays together."""
    costs = [0.0]
    lengths = [0]  # of the word that ends at each place, 0 for a letter of no word
    for end in range(1, len(text) + 1):
        best, length = costs[end - 1] + _NO_WORD, 0
        for start in range(max(0, end - LONGEST), end):
            if costs[start] + 1.0 < best and text[start:end] in WORDS:
                best, length = costs[start] + 1.0, end - start
        costs.append(best)
        lengths.append(length)
    words: list[str] = []
    end = rest = len(text)
    while end:
        if lengths[end]:
            words += [text[end:rest], text[end - lengths[end] : end]]
            end = rest = end - lengths[end]
        else:
            end -= 1
    words.append(text[:rest])
    return (word for word in reversed(words) if word)


def joined(view: View) -> View | None:
    """Words with a sign or nothing between them are put apart, where most are of the vocabulary and one is of orders, or there are many."""
    rewriting = Rewriting(view)
    left = _RUNS
    for match in _CHAIN.finditer(view.text):
        chain = match.group()
        if chain.isalpha():
            if left <= 0 or not _ORDER.search(chain):
                continue
            left -= len(chain)
        words = _apart(chain)
        known = [word for word in map(str.lower, words) if word in WORDS]
        sentence = _sentence(chain)
        orders = len(words) >= _CHAIN_LEAST and not ORDERS.isdisjoint(known)
        if (sentence or orders) and len(known) >= len(words) * (_SENTENCE_SHARE if sentence else _ORDERS_SHARE):
            rewriting.put(match.start(), match.end(), " ".join(words), "joined")
    return rewriting.view()


def _sentence(chain: str) -> bool:
    """Whether it has so many words that it says something, whatever that is, and is neither an address nor a path."""
    signs = _SIGNS.findall(chain)
    return len(signs) >= _SENTENCE and len(set(signs)) == 1


def _apart(chain: str) -> list[str]:
    if not chain.isalpha():
        return _SIGNS.split(chain)
    humps: list[str] = _HUMPS.findall(chain)
    return humps if len(humps) >= _CHAIN_LEAST else list(words_of(chain.lower()))


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
_LONG_WORDS = [*sorted(word for word in WORDS - ORDERS if len(word) >= _LEAST), *_ORDERED]
_SCRAMBLED = {_scrambled(word): word for word in _LONG_WORDS}
_ONCE = {_once(word): word for word in _LONG_WORDS}


def mended(view: View) -> View | None:
    """Words that are misspelt or broken in two become those that were meant, where one is of orders."""
    rewriting = Rewriting(view)
    found = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(view.text)]
    done = 0
    telling = False
    for (word, start, end), (after, behind, last) in pairwise((*found, ("", 0, 0))):
        if start < done:
            continue
        if after and behind - end < _BREAK_MOST and _broken(word, after) and _BREAK.fullmatch(view.text, end, behind):
            done, telling = last, True
            rewriting.put(start, last, word + after, "misspelt")
        elif _LEAST <= len(word) <= _MOST and (meant := _meant(word)):
            telling |= meant.lower() in ORDERS
            rewriting.put(start, end, meant, "misspelt")
    return rewriting.view() if telling else None


def _broken(first: str, second: str) -> bool:
    return (first + second).lower() in ORDERS


@lru_cache(maxsize=4096)
def _meant(word: str) -> str:
    """The word of the vocabulary that is meant by one that is not in it; nothing for others. What is remembered is short: nobody
    fills the memory with long ones."""
    lower = word.lower()
    if lower in WORDS:
        return ""
    meant = _MISSPELT.get(lower) or _SCRAMBLED.get(_scrambled(lower)) or _ONCE.get(_once(lower), "")
    return meant.capitalize() if word[0].isupper() else meant


def _broken_forms() -> Iterator[str]:
    for word in _ORDERED:
        yield from (f"{word[:at]}[ .-]{word[at:]}" for at in range(2, len(word) - 1))


# What the automaton that reads every text looks for: without the edges of words, which would take it ten seconds to compile.
_ANY = "|".join(_ORDERED)
SHAPES: dict[str, str] = {
    "joined": rf"(?i:[^a-z](?:{_ANY}){_SIGN}{{1,3}}[a-z]+{_SIGN}{{1,3}}[a-z]|[a-z]{_SIGN}{{1,3}}(?:{_ANY}){_SIGN}{{1,3}}[a-z]"
    rf"|[a-z]{_SIGN}{{1,3}}[a-z]+{_SIGN}{{1,3}}(?:{_ANY})[^a-z])"
    rf"|[A-Za-z]{_SIGN}{{1,2}}(?:[A-Za-z']{{1,14}}{_SIGN}{{1,2}}){{6}}[A-Za-z]|[A-Za-z]{{{_RUN_LEAST}}}",
    "misspelt": f"(?i:{'|'.join((*_MISSPELT, *_broken_forms()))})",
}
