"""Detector: one pattern that yields findings of one kind, and the rules a pattern keeps so that streams can be inspected.

A text is always scanned between two `SEPARATOR`s, so a pattern needs no anchors: where a token begins or ends, the pattern
consumes one character that is not part of it (`EDGE`). What makes a match decidable while a stream is still arriving:

1. *Left of the span* at most `LEFT` characters are matched (a keyword, its separator).
2. *The span* (the pattern's only group) has one of four shapes:
   a **word**: characters of `WORD` and `LETTERS` only, at most `WORD_CAP` of them;
   **groups**: digit groups between single separators (`SPACER`), at most `GROUP_CAP` characters, or a number in print form:
   groups of capitals and digits, before the first digit at most ten characters that are capitals, spaces and hyphens;
   groups never begin within a word: neither a letter nor (but for the `00` of a phone number) a digit stands before them;
   behind digit groups a word of at most `WORD_AFTER` letters of ASCII may say what they are (` (mobile`, `-Fax`);
   a **date** in which the month is a word, between single spaces or hyphens;
   a **block** that opens like a PEM key (see `window.py`).
3. *Right of the span* exactly one character is matched, or the detector has a `tail`.
4. A `tail` lets a span go on without limit (a JWT, a PEM key): a pattern for the rest, of whole characters, matched from
   the end of the group. It must be able to match the empty string, and what validates is the group alone.
5. Negated classes stand only at the edges: a span never contains the separator.

`tests/detectors/test_window.py` generates text from each pattern on the shelf and cuts it at every place.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

SEPARATOR = "\x00\n"  # no span can contain NUL, which ends the text before it; a line begins after it
LEFT = 128  # characters that a pattern may look back from the start of its span
WORD_CAP = 256
GROUP_CAP = 72
WORD_AFTER = 10
WORD = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-./:=?@^_~"
LETTERS = "".join(map(chr, range(0xC0, 0x800)))  # of the scripts next to ASCII, which put spaces between words, too
SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"  # models like to write these
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015"

EDGE = r"[^A-Za-z0-9]"
LETTER = r"[\xc3-\xdf][\x80-\xbf]"  # one of LETTERS, as UTF-8 bytes
# One character between two digit groups, as UTF-8 bytes: a space or dash of ASCII, or one of SPACES or DASHES.
SPACER = r"(?:[ -]|\xc2\xa0|\xe2\x80[\x80-\x8a\x90-\x95\xaf])"

# What may stand between the BEGIN line of a PEM block and its key material: line ends (as they are, or escaped, or between
# string literals in source code) and RFC 1421 headers (`Proc-Type: 4,ENCRYPTED`). Bounded by BLOCK_CAP in `window.py`.
_BLOCK_SPACE = r"""(?:[ \t\r\n"'+,]|\\[nr])"""
BLOCK_LINE = (
    rf"{_BLOCK_SPACE}{{0,12}}(?:[A-Z][A-Za-z-]{{2,20}}: ?[ -~]{{1,80}}(?:[\r\n]|\\n){_BLOCK_SPACE}{{0,12}}){{0,3}}"
)


class Detector(Struct, frozen=True):
    r"""A pattern in RE2 syntax over UTF-8 bytes, with exactly one group: the span that is reported.

    `accept` sees the text of the group and says how much of it counts, in characters: all of it, a beginning (a number that
    another number follows), or 0 for none. An earlier detector on the shelf is more specific.

    `judge` is asked in place of `accept` where what a span is depends on what stands before it, which it sees first: at most
    `LEFT` bytes of the same text (the name that a value is given to, and how).

    `unless` is a pattern, ending in `\z`, for what may not stand before a span: it sees at most `LEFT` bytes, of the same text.

    `anchor` is what the automaton looks for instead of a `pattern` that would slow it down on every byte of clean text; it
    matches wherever the pattern does. `besides` is one that is looked for first, shared by many detectors: what occurs where
    any of them does and seldom elsewhere, such as six digits. Only around it are the others looked for; those of one `group`,
    patterns that are alike, together. Such a pattern matches at most REACH bytes, and has no `tail`. See `sieve.py`.
    """

    id: str
    kind: str
    pattern: str
    accept: Callable[[str], int] | None = None
    tail: str = ""
    anchor: str = ""
    besides: str = ""
    group: str = ""
    unless: str = ""
    judge: Callable[[str, str], int] | None = None


def when(valid: Callable[[str], bool]) -> Callable[[str], int]:
    """For a detector whose span counts as a whole or not at all."""
    return lambda text: len(text) if valid(text) else 0
