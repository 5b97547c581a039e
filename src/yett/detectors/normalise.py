"""Normalise: a text as a reader sees it, for matching only. What is forwarded is the text that was given.

`plain` drops what is not drawn (zero-width and bidirectional controls, soft hyphens, variation selectors, combining marks),
spells out what is drawn like ASCII (full width, mathematical letters, the tag block, lookalikes in words of mixed script);
case and accents stay. `fold` lowers case and takes accents and the variety of punctuation away, one character for one, so that places stay as they are.

Each character is treated alone: `unicodedata.normalize` on a whole text sorts runs of combining marks, which a hostile text
makes quadratic.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from collections.abc import Set as AbstractSet

from yett.detectors.confusables import BRAILLE, FOREIGN, LATIN
from yett.detectors.view import Piece, View

HOW = "unicode"
_TABLE_CAP = 16384  # characters remembered: a text that runs through all of Unicode must not fill the memory

# Not drawn, or drawn over the letter before. Arabic vowel signs and Hebrew points are left out in most writing.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2"
    "\u05c4\u05c5\u05c7\u061c\u0640\u064b-\u065f\u0670\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_CONTROLS = bytes(code for code in range(128) if _HIDDEN.match(chr(code)))
_TAG = 0xE0000  # U+E0020 to U+E007E are ASCII, hidden
_ENCLOSED = (
    (0x1F130, 0x1F149),
    (0x1F150, 0x1F169),
    (0x1F170, 0x1F189),
    (0x1F1E6, 0x1F1FF),
)  # letters in squares, circles, flags
_SIMILAR = (
    LATIN
    | BRAILLE
    | {
        0x2800: 0x20,
        0x0130: 0x49,
        0x2044: 0x2F,
        0x2215: 0x2F,
    }
)  # an empty braille cell, a dotted I, thin slashes

_FOREIGN_SET = re.escape("".join(map(chr, FOREIGN)))
_MIXED = re.compile(f"[A-Za-z][{_FOREIGN_SET}]|[{_FOREIGN_SET}][A-Za-z]")
_WORD = re.compile(f"[A-Za-z0-9_\u0370-\u058f\u13a0-\u13ff\uab70-\uabbf\u2c80-\u2cff\ua4d0-\ua4ff{_FOREIGN_SET}]+")
_LATIN = re.compile("[A-Za-z]")
_NO_LATIN = bytes(code for code in range(128) if not chr(code).isalpha())
_FOREIGN_LETTERS = frozenset(map(chr, FOREIGN))
_MANY_MIXED = 3
_FEW = 8

_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_ACCENTS_SHARE = 0.45  # Vietnamese, the most accented of all, has 0.3
_ACCENTS = 8


class _Table(dict[int, str]):
    """For str.translate: a rule for one character, and what it said so far."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        self._rule = rule

    def __missing__(self, code: int) -> str:
        drawn = self._rule(chr(code))
        if len(self) < _TABLE_CAP:
            self[code] = drawn
        return drawn


def _drawn(character: str) -> str:
    code = ord(character)
    if _TAG + 0x20 <= code < _TAG + 0x7F:
        return chr(code - _TAG)
    if _HIDDEN.match(character):
        return ""
    for first, last in _ENCLOSED:
        if first <= code <= last:
            return chr(ord("A") + code - first)
    return _HIDDEN.sub("", unicodedata.normalize("NFKC", character.translate(_SIMILAR)).translate(_SIMILAR))


_PUNCTUATION = dict(zip("‘’‛′‐‑‒–—―。！？：；，、“”„", "''''------.!?:;,,\"\"\"", strict=True))
_UNFOLDED = str.maketrans("øłđħıأإآٱىةؤئیک", "oldhiااااي\u0647ويي\u0643")


def _folded(character: str) -> str:
    code = ord(character)
    if code > 0x7F and unicodedata.category(character)[0] in "PSZ":
        return _PUNCTUATION.get(character, " ")
    if 0xC0 <= code < 0x530 or 0x1E00 <= code < 0x2000:  # Latin, Greek, Cyrillic
        character = unicodedata.normalize("NFD", character)[0]
    return character.translate(_UNFOLDED)


_DRAWN = _Table(_drawn)
_FOLDED = _Table(_folded)


def fold(text: str) -> str:
    """A plain text in lower case, without accents; as long as it was."""
    if text.isascii():
        return text.lower()
    text = text.lower()
    return _changed(text, set(text), _FOLDED)


def _changed(text: str, characters: Collection[str], table: _Table) -> str:
    """`text.translate(table)`, at less cost where few of its different `characters` change, as in most texts."""
    odd = [character for character in characters if table[ord(character)] != character]
    if len(odd) > _FEW:
        return text.translate(table)
    for character in odd:
        text = text.replace(character, table[ord(character)])
    return text


def plain(view: View) -> View:
    """The view without disguises of single characters; the same one when there are none. Linear."""
    text = view.text
    if text.isascii() and len(text.encode().translate(None, _CONTROLS)) == len(text):
        return view
    characters = set(text)
    drawn = _changed(text, characters, _DRAWN)
    drawn = _one_script(drawn, characters if drawn is text else set(drawn))
    if drawn == text:
        return view
    return View(drawn, view, HOW, lambda: _pieces(text, drawn))


def _one_script(text: str, characters: AbstractSet[str]) -> str:
    """Lookalikes become Latin letters in words that have Latin letters too, and accents go where most letters bear one."""
    mixed = [] if _FOREIGN_LETTERS.isdisjoint(characters) else _MIXED.findall(text)
    if mixed:
        many = len(mixed) >= _MANY_MIXED
        text = _WORD.sub(lambda word: _latin(word.group(), many), text)
    accents = len(_ACCENTED.findall(text))
    if accents >= _ACCENTS and accents >= _ACCENTS_SHARE * (accents + _latin_letters(text)):
        text = _changed(text, set(text), _FOLDED)
    return text


def _latin_letters(text: str) -> int:
    return len(text.encode("ascii", "ignore").translate(None, _NO_LATIN))


def _latin(word: str, many: bool) -> str:
    if word.isascii():
        return word
    if _LATIN.search(word):
        return word.translate(FOREIGN)
    latin = word.translate(FOREIGN)  # a word of nothing but lookalikes, among words of mixed script
    return latin if many and latin.isascii() else word


def _pieces(text: str, drawn: str) -> list[Piece]:
    """Runs of characters that stayed, runs that were exchanged one for one, and each that became several."""
    pieces: list[Piece] = []
    at = begin = 0  # a run began at text[begin], which is drawn[at - (start - begin)]
    last = ""  # how the run came about
    for start, character in enumerate(text):
        length = len(_DRAWN[ord(character)])
        how = "" if length == 1 and drawn[at] == character else HOW
        if how != last or length != 1:
            if begin < start:
                pieces.append(Piece(at - start + begin, begin, start, last))
            begin, last = start, how
        if length != 1:
            if length:
                pieces.append(Piece(at, start, start + 1, HOW))
            begin = start + 1
        at += length
    if begin < len(text):
        pieces.append(Piece(at - len(text) + begin, begin, len(text), last))
    return pieces
