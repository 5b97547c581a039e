"""Fold: the form of a word under which the gazetteer knows it: without case, and without accents that people leave out."""

from __future__ import annotations

from unicodedata import normalize

_ACCENTS = dict.fromkeys(range(0x300, 0x370))
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "’": "'"})


def fold(word: str) -> str:
    """Lower case; in the scripts that have it, without marks above and below letters."""
    if word.isascii():
        return word.lower()
    return normalize("NFKC", normalize("NFKD", word.casefold()).translate(_ACCENTS)).translate(_LETTERS)
