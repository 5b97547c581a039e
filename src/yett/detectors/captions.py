"""Captions: what a number is called, where that does not stand right before it: over its column, or behind it.

A pattern asks for a word before a number, as near as a stream can look back. A whole text also has tables, whose first row says what
each column is, statements that name the columns that they fill, and sentences that give the number first (`078-05-1120 is my SSN`).
In a further reading of such a text, beside the text itself, these numbers have their words before them. Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from yett.detectors.pattern import literal
from yett.detectors.view import Rewriting, View

HOW = "caption"
FAMILY = "pii"  # of what they are evidence; a key or a token may be the name of anything in a column
Captions = Iterator[tuple[int, str]]  # where a number begins, and what it is called

_LONGEST = 48  # characters of a caption
_EDGES = " \t\"'`*"  # what may stand around what a cell says
_VALUE = re.compile(r"[0-9](?:[^0-9\n]{0,4}[0-9]){2}")  # what a cell says that wants a caption

# ---- behind a number ---------------------------------------------------------------------------------------------------

_BACK = 80  # characters of a part of a number
_PARTS = 8
_BLANKS = (" ", "\u00a0", "\u202f")
_IS = (
    "is|was|ist|war|est|es|era|é|è|to|jest|är|er|je|это|це|that's|this is|that is|it's|das ist|c'est|eso es|questo è|-|–|—|as|als|comme"
    "|como|come|som"
).split("|")
_WHOSE = (
    "my|his|her|their|our|your|the|meine|mein|deine|dein|seine|sein|ihre|ihr|unsere|die|der|das|mon|ma|son|sa|ton|ta|votre|notre|leur|le"
    "|la|mi|su|tu|el|meu|minha|seu|sua|o|a|il mio|la mia|mio|mia|il suo|la sua|il|mijn|zijn|haar|het|de|mój|moja|moje|jego|jej|mitt|min"
    "|mit|hans|můj|мой|моя|моё|мое|его|её|мій|його|benim"
).split("|")
_COPULA = "是為为"  # which stands between what it joins without spaces
_CAPTION = rf"([^\W\d][^\d\n.,;:!?()\"<>|，。；]{{1,{_LONGEST}}})"
_SAID = re.compile(
    rf"(?:[0-9][a-z]?|[A-Z]{{2}})(?=[\"'`*]{{0,2}}(?: ?\({_CAPTION}\)|（{_CAPTION}）|(?:[,.;]? (?i:{'|'.join(_IS)})|,) (?:{'|'.join(_WHOSE)}) {_CAPTION}"
    rf"|[{_COPULA}](?:我的|他的|她的|您的|本人的?)?{_CAPTION}))"
)
_OF_A_NUMBER = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,:/()_*+-"
_PART = re.compile(r"[+(]{0,2}(?:[A-Z]{1,11}|[A-Z][a-z]{2,8}|[A-Za-z]{0,18}[0-9](?:.*[0-9A-Za-z)])?)")


def _behind(text: str) -> Captions:
    for match in _SAID.finditer(text):
        start = _start(text, match.end())
        if start < match.end():
            yield start, next(filter(None, match.groups()))


def _start(text: str, end: int) -> int:
    """Where the number that ends there begins: groups of digits and capitals, a month, between single blanks."""
    start = end
    for _ in range(_PARTS):
        part = text[max(0, end - _BACK) : end]
        part = part[len(part.rstrip(_OF_A_NUMBER)) :].lstrip(".,:/)_*-")
        if not _PART.fullmatch(part):
            break
        start = end - len(part)
        end = start - 1
        if text[max(0, end) : start] not in _BLANKS:
            break
    return start


# ---- over a column -----------------------------------------------------------------------------------------------------

_ALIGNED = "  "  # columns that blanks set apart
_MARKS = (",", ";", "\t", "|", _ALIGNED)
_APART = re.compile(r"[^ ](?:[^ ]| (?! ))*")
_COLUMNS = 64
_RULE = " \t|:+=-"  # between the captions and what they stand over
_QUOTED = re.compile(r"\"(?:[^\"\n]|\"\")*\"|'(?:[^'\n]|'')*'")


def _over(text: str) -> Captions:
    """For the cells of rows under one that has as many, and no number in it."""
    captions: list[str] = []
    above = mark = ""
    at = 0
    for line in text.split("\n"):
        if _VALUE.search(line):
            cells = _cells(line, mark) if captions else []
            if len(cells) != len(captions) or not captions:
                captions, mark = _captions(above, line) if above else ([], "")
                cells = _cells(line, mark) if captions else []
            yield from _named(captions, line, cells, at)
            above = ""
        elif line.strip(_RULE):
            above = line
            if captions and len(_cells(line, mark)) != len(captions):
                captions = []
        at += len(line) + 1


def _captions(line: str, below: str) -> tuple[list[str], str]:
    """What a line says of each column of the one below, and what stands between columns; nothing where they are no table."""
    for mark in _MARKS:
        if mark in line and mark in below:
            cells = _cells(line, mark)
            if 2 <= len(cells) <= _COLUMNS and len(cells) == len(_cells(below, mark)):
                return [line[start:end].strip(_EDGES) for start, end in cells], mark
    return [], ""


def _cells(line: str, mark: str) -> list[tuple[int, int]]:
    """From where to where the cells of a row stand. What is in quotes does not end one."""
    if '"' in line or "'" in line:
        line = _QUOTED.sub(lambda quoted: "_" * len(quoted.group()), line)
    if mark == _ALIGNED:
        return [match.span() for match in _APART.finditer(line)]
    found = []
    start = 0
    for cell in line.split(mark):
        found.append((start, start + len(cell)))
        start += len(cell) + 1
    return found


def _named(captions: list[str], row: str, cells: list[tuple[int, int]], at: int) -> Captions:
    """The cells of a row that begins at `at` in the text."""
    for caption, (start, end) in zip(captions, cells, strict=False):
        if caption and len(caption) <= _LONGEST and _VALUE.search(row, start, end):
            yield at + end - len(row[start:end].lstrip(_EDGES)), caption


# ---- in a statement ----------------------------------------------------------------------------------------------------

_INSERT = re.compile(r"(?i:\binto\s{1,8}[^\s(]{1,80}\s{0,8}\()([^()]{1,2000})(?i:\)\s{0,8}values\s{0,8})(?=\()")
_TUPLE = re.compile(r"[\s,]{0,8}\(((?:'(?:[^'\n]|'')*'|[^()'])*)\)")


def _inserted(text: str) -> Captions:
    """For the values of the columns that a statement in SQL names."""
    for match in _INSERT.finditer(text):
        captions = [caption.strip(_EDGES) for caption in match[1].split(",")]
        row = _TUPLE.match(text, match.end())
        while row:
            yield from _named(captions, row[1], _cells(row[1], ","), row.start(1))
            row = _TUPLE.match(text, row.end())


# ---- one pass ----------------------------------------------------------------------------------------------------------

_JOINED, _POSSESSED, _IDEOGRAPHS = (
    "|".join(map(literal, words)) for words in ((*_IS, "That's", "This is", "It's"), _WHOSE, _COPULA)
)
_BARE = r"(?:[^0-9\n]|[a-z_][0-9])*"
_WAYS: dict[str, tuple[str, Callable[[str], Captions]]] = {
    "behind": (
        rf"[0-9][0-9A-Z ./-]{{3,4}}[0-9A-Za-z][\"'`*]{{0,2}}(?: ?\([^0-9]|\xef\xbc\x88|(?:[,.;]? (?:{_JOINED})|,) (?:{_POSSESSED}) |{_IDEOGRAPHS})",
        _behind,
    ),
    "columns": (rf"\n{_BARE}(?:[,;\t|]|  ){_BARE}\n[^\n]*[0-9][0-9A-Z ./()-]{{4}}[0-9A-Z]", _over),
    "inserted": (r"(?i:into)\s[^()\n]{1,80}\(", _inserted),
}  # fmt: skip
SHAPES: dict[str, str] = {name: shape for name, (shape, _) in _WAYS.items()}  # for the automaton that reads every text


def captioned(view: View, shapes: Collection[str]) -> View | None:
    """The view with what numbers are called before them; None where it names none so. `shapes` are those of SHAPES that occur."""
    found: dict[int, str] = {}
    for name, (_, way) in _WAYS.items():
        if name in shapes:
            found |= dict(way(view.text))
    rewriting = Rewriting(view)
    for start, caption in sorted(found.items()):
        # What is put stands for a character: the one before, or the first.
        before = max(0, start - 1)
        edge = view.text[before:start]
        rewriting.put(before, start or 1, f"{edge} {caption}: {'' if start else view.text[0]}", HOW)
    return rewriting.view()
