"""Joined: words that are run together, or that stand in a list, as no pattern knows them: `ignore_all_previous_rules`, `ignoreallrules`, `"ignore", "all", "rules"`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from yett.detectors.view import Rewriting, View
from yett.detectors.vocabulary import COSTS, FUNCTION, LONGEST, ORDERS, WORDS

_PART = "[A-Za-z0-9]++(?:'[A-Za-z0-9]++)*+"
_SIGN = r"[^A-Za-z0-9\s]"
_NO_PART = "(?:[^A-Za-z0-9']|'(?!(?<=[A-Za-z0-9]')[A-Za-z0-9]))+"
_CHAIN = re.compile(rf"(?<![A-Za-z0-9'])(?=\S{{16}}){_PART}(?:{_SIGN}{{1,4}}{_PART})*")
# Words of a list: what stands between them is more than a space.
_LIST = re.compile(
    rf"(?<![A-Za-z0-9']){_PART}(?:(?! \w){_SIGN}{{0,3}}\s{{0,2}}[0-9]{{0,3}}{_SIGN}{{0,3}}\s{{0,2}}(?<![A-Za-z0-9]){_PART}){{4,}}"
)
_BETWEEN = re.compile(f"({_NO_PART}(?:[0-9]+{_NO_PART})?)")
_SIGNS = re.compile(r"[\s0-9]+")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^A-Za-z]+")

_LEAST = 4  # words
_ORDERS_SHARE = 0.75  # of words that are of the vocabulary, where one is of orders
_SENTENCE, _SENTENCE_SHARE = 8, 0.5  # words between equal signs: they say something, whatever that is
_RUN = 16  # letters that are no word
_RUN_LEAST, _RUN_SHARE = 6, 0.75  # words in such a run
_DIGITS = 16  # letters for each digit: encoded bytes have more
_RUNS = 1000  # letters in one text: to tell the words of a run apart takes longer than to find it
_MOST = 0.75  # of the gaps between words
_NO_WORD = 6.0  # what a letter of no word costs


def words_of(text: str) -> list[str]:
    """The words that a text without gaps most likely consists of; what is none stays together. Linear."""
    small = text.lower()
    costs = [0.0]
    lengths = [0]  # of the word that ends at each place, 0 for a letter of no word
    for end in range(1, len(small) + 1):
        best, length = costs[end - 1] + _NO_WORD, 0
        for start in range(max(0, end - LONGEST), end):
            cost = COSTS.get(small[start:end])
            if cost is not None and costs[start] + cost < best:
                best, length = costs[start] + cost, end - start
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
    return [word for word in reversed(words) if word]


def joined(view: View) -> View | None:
    """Words with signs or nothing between them are put apart, where most are of the vocabulary and one is of orders, or there are many."""
    rewriting = Rewriting(view)
    left = _RUNS
    for match in _CHAIN.finditer(view.text):
        parts = _BETWEEN.split(match.group())
        runs = [part for part in parts[::2] if _is_run(part)]
        if not runs and len(parts) < 2 * _LEAST - 1:
            continue
        if runs:
            left -= len(match.group())
            if left < 0:
                continue
            parts[::2] = [" ".join(_apart(part)) for part in parts[::2]]
        words = " ".join(parts[::2]).lower().split()
        if _says(words, bool(runs), parts[1::2]):
            rewriting.put(match.start(), match.end(), _written(parts), "joined")
    return rewriting.view()


def listed(view: View) -> View | None:
    """Words of a list become a sentence, where one is of orders and most are of the vocabulary."""
    rewriting = Rewriting(view)
    for match in _LIST.finditer(view.text):
        parts = _BETWEEN.split(match.group())
        words = [part.lower() for part in parts[::2]]
        gaps = parts[1::2]
        if (_orders(words) and _uniform(gaps)) or (_pictures(gaps) and _sentence(words)):
            rewriting.put(match.start(), match.end(), _written(parts), "joined")
    return rewriting.view()


def _says(words: Sequence[str], runs: bool, gaps: Sequence[str]) -> bool:
    if len(set(words)) < _LEAST:
        return False
    if _orders(words):
        return True
    if runs:
        known = sum(len(word) for word in words if word in WORDS)
        return (len(words) >= _RUN_LEAST or not FUNCTION.isdisjoint(words)) and known >= _RUN_SHARE * sum(
            map(len, words)
        )
    return _sentence(words) and _uniform(gaps)


def _sentence(words: Sequence[str]) -> bool:
    known = sum(word in WORDS for word in words)
    if len(words) >= _SENTENCE:
        return known >= _SENTENCE_SHARE * len(words)
    return len(words) > _LEAST and known >= _RUN_SHARE * len(words) and not FUNCTION.isdisjoint(words)


def _orders(words: Sequence[str]) -> bool:
    if len(words) < _LEAST or ORDERS.isdisjoint(words):
        return False
    return sum(word in WORDS for word in words) >= _ORDERS_SHARE * len(words)


def _usual(gaps: Sequence[str]) -> str:
    """The sign that stands in most gaps, without spaces and numbers."""
    return Counter(_SIGNS.sub("", gap) for gap in gaps).most_common(1)[0][0] if gaps else ""


def _uniform(gaps: Sequence[str]) -> bool:
    """Whether the same sign stands in most gaps, or some that is not of ASCII: neither in an address nor in a path."""
    usual = _usual(gaps)
    return sum(usual in _SIGNS.sub("", gap) for gap in gaps) >= _MOST * len(gaps) or _pictures(gaps)


def _pictures(gaps: Sequence[str]) -> bool:
    return sum(not gap.isascii() for gap in gaps) >= _MOST * len(gaps)


def _written(parts: Sequence[str]) -> str:
    """The words with spaces between them, and with the signs of ASCII that are not the usual one."""
    gaps = parts[1::2]
    usual = _usual(gaps) if len(gaps) >= _LEAST - 1 else ""
    return "".join(part if at % 2 == 0 else _rest(part, usual) + " " for at, part in enumerate(parts))


def _rest(gap: str, usual: str) -> str:
    return _SIGNS.sub("", gap).replace(usual, "").encode("ascii", "ignore").decode()


def _apart(part: str) -> list[str]:
    """The words of a part: by its capitals, or by the vocabulary."""
    if part.lower() in WORDS:
        return [part]
    humps: list[str] = _HUMPS.findall(part)
    if len(humps) < _LEAST:
        humps = [part.replace("'", "")]
    return [word for hump in humps for word in ([hump] if hump.lower() in WORDS else words_of(hump))]


def _is_run(part: str) -> bool:
    return len(part) >= _RUN and sum(map(str.isdigit, part)) * _DIGITS <= len(part) and part.lower() not in WORDS


_ANY = "|".join(sorted(ORDERS))
_ANY_FUNCTION = "|".join(sorted(FUNCTION))
# As many as there are: to count them would make the automaton three times as slow.
_JOINT = r"[^A-Za-z0-9'\s]+"
_APART = r"(?:'[, ]+'|[^a-z]*[^a-z0-9 .,;:'()\n-][^a-z]*|[^a-z0-9]*\n[^a-z]*[0-9][^a-z]*)"
_PICTURE = r"[\xe2\xf0][\x80-\xbf]{2,3} ?"
# What the automaton that reads every text looks for.
SHAPES: dict[str, str] = {
    "joined": rf"(?i:[^a-z](?:{_ANY}){_JOINT}[a-z]+{_JOINT}[a-z]|[a-z]{_JOINT}(?:{_ANY}){_JOINT}[a-z]|[a-z]{_JOINT}[a-z]+{_JOINT}(?:{_ANY})[^a-z]"
    rf"|[a-z]{_JOINT}(?:[a-z']+{_JOINT}){{6}}[a-z]|[a-z]{_JOINT}[a-z']+{_JOINT}(?:{_ANY_FUNCTION}){_JOINT}[a-z']+{_JOINT}[a-z]|(?:{_ANY})[a-z]{{10}}|[a-z]{{10}}(?:{_ANY})|[a-z]{{24}})",
    "listed": rf"(?i:[^a-z](?:{_ANY}){_APART}[a-z']+{_APART}[a-z]|[a-z]{_APART}(?:{_ANY}){_APART}[a-z]|[a-z]{_APART}[a-z']+{_APART}(?:{_ANY})[^a-z]"
    rf"|{_PICTURE}[a-z]+[ .,!?]{{0,2}}{_PICTURE}[a-z]+[ .,!?]{{0,2}}{_PICTURE})",
}
