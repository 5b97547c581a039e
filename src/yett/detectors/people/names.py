"""Names of people in scripts that have capitals: words with capitals side by side, of which the gazetteer knows enough.

A given name and a surname are a person wherever they stand. One word alone, or two of which none is known, are one only where
what stands before or behind them says so; what is also an ordinary word, or a place, counts for less everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from yett.detectors.people.cues import (
    ALSO,
    BEHIND,
    BRANDS,
    COMPANY,
    FIELDS,
    GREETED,
    LABELS,
    MAYBE,
    PARTICLES,
    PARTNER_BEFORE,
    PARTNER_BEHIND,
    PARTNERS,
    SAID,
    SURNAME_ENDINGS,
    THINGS,
    TITLES,
    WRITTEN,
)
from yett.detectors.people.gazetteer import GIVEN, SURNAME, WORD, Gazetteer
from yett.detectors.people.span import Span


def _letters(*categories: str) -> str:
    """The letters of these categories in the scripts that have cases, as the inside of a class."""
    codes = (*range(0x41, 0x250), *range(0x370, 0x590), *range(0x1E00, 0x2000))
    return "".join(chr(code) for code in codes if unicodedata.category(chr(code)) in categories)


_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f])"
_REST = rf"(?:{_LETTER}|['’](?={_LETTER}))*\.?"
_WORD = rf"[{_letters('Lu', 'Lt')}]{_REST}"
_FREE, _DONE = r"(?<![\w`@/.-])", r"(?![\w`-])"  # not a part of an identifier, an address, a path
_TOKEN = re.compile(rf"{_FREE}{_WORD}(?:[-‐‑]{_WORD})*{_DONE}")
_UNCASED = re.compile(rf"{_FREE}[{_letters('Ll')}]{_REST}(?:[-‐‑]{_LETTER}+)*{_DONE}")
_HYPHENS = re.compile("[-‐‑'’]")
_PARTICLE_GAP = re.compile(r"[ \u00a0][a-z']{1,6}(?:[ -][a-z']{1,6})?[ -]")
_NUMBER_BEFORE = re.compile(r"[0-9][a-zA-Z]? \Z")  # a house's: the words are those of a street
_NUMBER_BEHIND = re.compile(r" [0-9]{1,5}\b")
_EDGES = " \u00a0\t\n:=：\"'*“„«([,-–>"
_ENDS = ("", ",", "\n", '"', "!", "<", ";", "|", ".")
_LONGEST = 5  # words of a name
_REACH = 48  # characters before a name that cues are looked for in


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    marks: int

    @property
    def known(self) -> bool:
        return bool(self.marks & (GIVEN | SURNAME))

    @property
    def given(self) -> bool:
        return bool(self.marks & GIVEN)

    @property
    def surname(self) -> bool:
        return bool(self.marks & SURNAME)

    @property
    def sure(self) -> bool:
        """A name and nothing else."""
        return self.known and not self.marks & WORD

    @property
    def thing(self) -> bool:
        return (bool(self.marks & WORD) and not self.known) or self.text.rstrip(".").lower() in THINGS

    @property
    def initial(self) -> bool:
        return len(self.text.rstrip(".")) == 1

    @property
    def title(self) -> bool:
        return self.text.rstrip(".").casefold() in TITLES

    @property
    def shouted(self) -> bool:
        return self.text[-2:].isupper() and not self.initial


def names(text: str, gazetteer: Gazetteer) -> Iterator[Span]:
    """Names in order, each with how sure it is, 0.0 to 1.0."""
    for run in _runs(text, gazetteer):
        at = 0
        while at < len(run):
            count, score = _name(text, run, at)
            if score:
                last = run[at + count - 1]
                yield Span(run[at].start, last.end - (last.text.endswith(".") and not last.initial), score)
            at += count or 1


def _runs(text: str, gazetteer: Gazetteer) -> Iterator[list[_Token]]:
    """Capitalised words with nothing but a space, or a particle, between two of them; of a text without capitals, all words."""
    run: list[_Token] = []
    token = _UNCASED if text == text.lower() else _TOKEN
    known: dict[str, int] = {}  # half of a text's words are words that it has already had
    for match in token.finditer(text):
        word, start = match.group(), match.start()
        if word.endswith(("'s", "’s")):
            word = word[:-2]
        if run and not _together(run[-1], text[run[-1].end : start]):
            yield run
            run = []
        marks = known.get(word)
        if marks is None:
            marks = known[word] = _marks(word, gazetteer)
        run.append(_Token(start, start + len(word), word, marks))
    if run:
        yield run


def _together(last: _Token, gap: str) -> bool:
    if last.text.endswith(".") and not (last.initial or last.title):
        return False
    if gap in (" ", "\u00a0"):
        return True
    return bool(_PARTICLE_GAP.fullmatch(gap)) and all(
        part in PARTICLES for part in re.split(r"[\s-]", gap.strip(" \u00a0-"))
    )


def _marks(word: str, gazetteer: Gazetteer) -> int:
    """Of a name of several parts what its known parts are; it is a given name when the first is."""
    bare = word.rstrip(".")
    found = gazetteer.marks(bare)
    parts = _HYPHENS.split(bare)
    if not found and len(parts) > 1:
        each = [gazetteer.marks(part) for part in parts if len(part) > 1] or [0]
        found = (each[0] & GIVEN) | (SURNAME if any(part & SURNAME for part in each) else 0)
        found |= WORD if all(part & WORD for part in each) else 0
    if found and bare.lower() in ALSO:
        return found | WORD
    if not found & GIVEN and len(bare) > 5 and not bare.isupper() and SURNAME_ENDINGS.match(bare):
        return (found & ~WORD) | SURNAME
    return found


def _name(text: str, run: Sequence[_Token], at: int) -> tuple[int, float]:
    """How many tokens from `at` on belong together, titles included, and how sure they are a name: 0.0 when they are none."""
    titles = 0
    while at + titles < len(run) and run[at + titles].title:
        titles += 1
    words: list[_Token] = []
    longest = 2 if run[at].text.islower() else _LONGEST
    for token in run[at + titles : at + titles + longest]:
        if token.thing or token.title:
            break
        words.append(token)
    if not words or (words[0].text[1:] == "" and not titles):  # a letter, an article
        return 0, 0.0
    if _otherwise(text, words):
        return titles + len(words), 0.0
    if titles and (len(words) > 1 or len(words[0].text) > 2):
        return titles + len(words), 0.9
    part_of_thing = longest > 2 and at + titles + len(words) < len(run)  # `Madison Avenue`
    weight = _weight(words)
    if weight and not part_of_thing:
        return titles + len(words), weight
    return (0, 0.0) if part_of_thing or words[0].shouted else _by_context(text, words)


def _otherwise(text: str, words: Sequence[_Token]) -> bool:
    """Whether what stands beside the words, or they together, make a company, a street or a brand of them."""
    first, start = words[0], max(0, words[0].start - _REACH)
    behind = text[words[-1].end : words[-1].end + 24]
    return (
        bool(COMPANY.match(behind))
        or " ".join(word.text.lower() for word in words[:2]) in BRANDS
        or bool(_NUMBER_BEFORE.search(text, max(start, first.start - 8), first.start))
        or bool(_NUMBER_BEHIND.match(behind))
        or (len(words) == 1 and first.surname and _partner(text, first, behind))
    )


def _partner(text: str, surname: _Token, behind: str) -> bool:
    """Whether it is one of several in the name of a firm."""
    start = max(0, surname.start - _REACH)
    if PARTNERS.search(text, start, surname.start):
        return True
    return bool(PARTNER_BEFORE.search(text, start, surname.start) and PARTNER_BEHIND.match(behind))


def _weight(words: Sequence[_Token]) -> float:
    """How sure two words or more are a name by what the gazetteer knows of them."""
    first, last = words[0], words[-1]
    sure = sum(word.sure for word in words)
    if len(words) < 2 or (first.text.islower() and (sure < 2 or not first.given)):
        return 0.0
    if last.shouted and not (last.surname and len(last.text) > 3 and first.given and (sure > 1 or not first.shouted)):
        return 0.0
    if first.shouted and not last.shouted and first.given:
        return 0.0
    if first.given and last.surname:
        return (0.0, 0.7, 0.9)[min(sure, 2)]
    if first.surname and sure > 1 and any(word.given for word in words[1:]):
        return 0.8
    return _half_known(words)


def _half_known(words: Sequence[_Token]) -> float:
    """The same where at most one of the words is known."""
    first, last = words[0], words[-1]
    if first.given and first.sure:
        return 0.6 if len(last.text.rstrip(".")) > 2 else 0.0
    if (
        last.sure
        and last.surname
        and (first.initial or (not first.marks and len(first.text) > 2 and not first.shouted))
    ):
        return 0.5
    return 0.6 if len(words) == 3 and words[1].initial and (first.known or last.known) else 0.0


def _by_context(text: str, words: Sequence[_Token]) -> tuple[int, float]:
    """The same by what stands before and behind words that are no name by themselves."""
    first, count = words[0], len(words)
    lower = first.text.islower()
    if lower and not first.given:
        return 0, 0.0
    behind = text[words[-1].end : words[-1].end + 24]
    said = cue(text, first.start)
    if lower and said not in ("said", "greeted"):
        return 0, 0.0
    alone = first.sure and first.given and not lower and "-" not in first.text
    ends = behind[:1] in _ENDS
    likely = (
        (0.9, said == "said" and (first.known or not first.marks)),
        (0.6, said == "written" and 1 < count < 4 and not first.marks & WORD),
        (0.6, said == "label" and 1 < count < 4 and ends),
        (0.7, said == "greeted" and (first.given or count > 1 or (ends and not first.marks))),
        (0.6, said == "maybe" and alone),
        (0.4, alone and (count == 1 or bool(BEHIND.match(behind)))),
    )
    return next(((count, score) for score, holds in likely if holds), (0, 0.0))


_CUES = (
    ("said", SAID),
    ("field", FIELDS),
    ("label", LABELS),
    ("written", WRITTEN),
    ("greeted", GREETED),
    ("maybe", MAYBE),
)
_LAST = frozenset(phrase.split(" ")[-1] for _, phrases in _CUES for phrase in phrases)
_OPENING = "\"'([*>,"


def cue(text: str, start: int) -> str:
    """What the words before `start` say of what follows: a name ("said"), perhaps one ("written", "label", "greeted", "maybe"),
    or nothing."""
    before = text[max(0, start - _REACH) : start]
    told = any(sign in before[-4:] for sign in ":=：")
    spoken = before.rstrip(_EDGES).replace("_", " ").replace("\n", " ").casefold().split(" ")
    if spoken[-1] not in _LAST and spoken[-1].lstrip(_OPENING) not in _LAST:
        return ""  # nearly always: no phrase ends like this
    for count in range(min(5, len(spoken)), 0, -1):
        phrase = " ".join(spoken[-count:]).lstrip(_OPENING)
        for kind, phrases in _CUES:
            if phrase in phrases and (told or kind not in ("field", "label")):
                return "said" if kind == "field" else kind
    return ""
