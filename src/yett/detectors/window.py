"""Window: inspection of a text that arrives in pieces, holding back only what may still be part of a match.

However a text is cut, the released pieces add up to it, and the findings are those of scanning it whole. A match is never
released in parts: it comes out in one piece, together with its finding, so that the caller can redact it.

Each feed decides three positions in what is held:

* `settled`: no match can begin before it and still be incomplete. It is computed from the last characters alone: the last
  word, digit groups that may go on, an IBAN in print form, a PEM block that has opened. Prose is held to its last word.
* the start of a cluster of matches that crosses `settled`: it may still grow, so it stays.
* everything before both goes out.

What is held is bounded: `WORD_CAP` for a word that nothing is known about (a match is never longer, so what comes before
its last `WORD_CAP` characters is decided), `BLOCK_CAP` for a PEM block that has opened but not shown any key, and
`SPAN_CAP` for a match that goes on and on. When that is reached its first `SPAN_CAP` characters go out as one finding, the
window remembers that it is inside a match, and the rest follows as further findings that touch: never as plain text.
"""

from __future__ import annotations

import re
from string import ascii_letters, ascii_uppercase
from typing import NamedTuple

from msgspec import Struct

from yett.detectors.detector import (
    BLOCK_LINE,
    DASHES,
    GROUP_CAP,
    LEFT,
    LETTERS,
    SEPARATOR,
    SPACES,
    WORD,
    WORD_AFTER,
    WORD_CAP,
)
from yett.detectors.engine import Scanner
from yett.detectors.expression import compiled
from yett.detectors.resolve import OPEN, SPAN_CAP, Candidate, clusters, findings
from yett.detectors.spaced import spaced
from yett.model.finding import Finding

BLOCK_CAP = 512

_SPACERS = " -" + SPACES + DASHES
_DIGITS = "0123456789.()/+" + _SPACERS  # every character that a digit group or a phone number is made of
_PRINTED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ./" + _SPACERS  # the same for a number in print form
_WORD = WORD + LETTERS
_BEFORE_WORD = " -("  # what may stand between digit groups and the word behind them
_GROUPED = frozenset(_DIGITS + _PRINTED)
_LOOSE = " ./()"  # begins nothing behind a word, but may go on with what a bracket or a plus began
_OPENING = frozenset(
    ascii_uppercase + _SPACERS + _LOOSE
)  # what may end the beginning of a match that shows no digit yet
# Neither begins within a word: every pattern has an EDGE before its groups.
_DIGITS_BEGIN = re.compile(rf"(?<![A-Za-z0-9])(?:[0-9]|[+(]+[./(){re.escape(_SPACERS)}]{{0,2}}(?:[0-9]|\Z))")
_PRINTED_BEGIN = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z][A-Z -]{0,9}(?:[0-9]|\Z)|[0-9])")
_BLOCK_BEGIN = "-----BEGIN"
# A header that is still arriving, or a whole one whose key material has not begun to arrive.
_BLOCK = compiled(
    rf"-----BEGIN(?: [A-Z0-9 ]{{0,50}}-{{0,5}}| [A-Z0-9 ]{{0,50}}-----{BLOCK_LINE}(?:[A-Za-z-]{{0,24}}(?:: ?[ -~]{{0,80}})?|[A-Za-z0-9+/]{{0,19}}|\\))\z"
)
# A day, the name of its month, and its year, in any of the orders of people; a month that comes first is English.
_DATED = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:[0-9]{1,2}(?:[.,]|(?:st|nd|rd|th|er|º),?)?|[0-9]{4}\.?)[ -](?:(?:of|del?|do) )?[^\W\d_]{0,12}[.,]{0,2}(?:[ -](?:(?:of?|del?|do?|d) ?)?'?[0-9]{0,4}\.?)?"
    r"|(?i:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?[ -](?:[0-9]{1,2}(?:[.,]|(?:st|nd|rd|th|er|º),?)?(?:[ -][0-9]{0,4})?)?"
    r"|[0-9]{4}(?:年|년 ?)(?:[0-9]{1,2}(?:(?:月|월 ?)[0-9]{0,2})?)?)\Z"
)
# What a text that ends in a date ends with, from its last character on: a few letters or digits behind a space or a hyphen, at most.
_DATED_ENDS = re.compile(
    r"[.,]{0,2}(?:[^\W\d_]{0,12}|[^\W\d_]{0,2}[0-9]{0,4}'?[^\W\d_]{0,3})[ -]|[0-9]{0,2} ?[年년月월]"
)
_DATED_END_CAP = 16
_DIGIT = re.compile("[0-9]")
_NUMBERED_CAP = GROUP_CAP + WORD_AFTER  # how far back a digit may be part of what has begun
_DATE_CAP = 48  # characters of one
_MONTH_CAP = 11  # of the name of a month that one may begin with, and what follows it
_RESUME = 80  # how far back a tail is looked at again: longer than the END line that may close it


class Released(Struct, frozen=True, gc=False):
    """Text that may go out now, and the findings in it; their offsets are relative to `text`, their segment is 0."""

    text: str
    findings: tuple[Finding, ...] = ()


_NOTHING = Released("")


class _Carried(NamedTuple):
    """A match whose first part was released as a finding of its own; `end` and `resume` are offsets into what is held.
    `end` is OPEN when its tail goes on: then the tail is looked for again from `resume`, which may lie in the context."""

    end: int
    detector: int
    resume: int


class Window:
    """One text stream: the content of one choice, the arguments of one tool call. Not for use by two threads."""

    __slots__ = ("_carried", "_context", "_crossing", "_held", "_open", "_scanner")

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._begin()

    def _begin(self) -> None:
        self._context = SEPARATOR  # what was released last: left context for the patterns
        self._held = ""
        self._carried: tuple[_Carried, ...] = ()
        self._crossing = 0  # where the cluster that `_held` begins with ends at the earliest
        self._open: tuple[int, int] | None = None  # detector, and where in `_held` to look at its tail again

    @property
    def held(self) -> int:
        """Characters that have arrived and have not been released."""
        return len(self._held)

    def feed(self, text: str) -> Released:
        """Take the next piece; return what it settles."""
        held = self._held = self._held + text if self._held else text
        if not held or (self._open and self._still_open(*self._open)):
            return _NOTHING
        settled = _settled(held)
        if not settled or settled < self._crossing:
            return _NOTHING
        seen = self._context + held
        candidates = self._scanner.candidates(seen)
        if candidates or self._carried:
            return self._release(candidates, settled)
        waiting = len(held) - settled
        if not waiting:
            self._held = ""
            self._context = seen[-LEFT:]
            return Released(held)
        self._held = held[settled:]
        self._context = seen[-LEFT - waiting : -waiting]
        return Released(held[:settled])

    def finish(self) -> Released:
        """The text is complete: release the rest. The window is then ready for another text."""
        released = _NOTHING
        if self._held:
            candidates = self._scanner.candidates(self._context + self._held + SEPARATOR)
            released = self._release(candidates, len(self._held), SEPARATOR)
        self._begin()
        return released

    def _still_open(self, detector: int, resume: int) -> bool:
        """Inside a match that goes on: look at the new text only, instead of scanning all that is held again."""
        rest = self._from(resume)
        if len(self._held) > SPAN_CAP or self._scanner.run(detector, rest) < len(rest):
            self._open = None
            return False
        self._open = (detector, max(resume, len(self._held) - _RESUME))
        return True

    def _release(self, candidates: list[Candidate], settled: int, end: str = "") -> Released:
        """Release up to `settled`, or to the start of the cluster that crosses it."""
        base = len(self._context)
        # What begins before `base` was released with its finding; what begins after `settled` may be half a match.
        known = [
            Candidate(start - base, stop if stop == OPEN else stop - base, detector, tail - base)
            for start, stop, detector, tail in candidates
            if base <= start < base + settled
        ]
        resumed = [self._resumed(carried, end) for carried in self._carried]
        known += resumed
        beyond = len(self._held) + 1  # where an open match ends, for now: after everything that may be released
        groups = clusters(c._replace(end=min(c.end, beyond)) for c in known)
        cut = settled
        self._crossing = 0
        while groups and groups[-1].end > cut:
            crossing = groups.pop()
            cut = min(cut, crossing.start)
            self._crossing = crossing.end - cut
        found = [finding for cluster in groups for finding in findings(cluster, self._scanner.detectors)]
        self._open = next(
            ((c.detector, c.tail - cut) for c in known if c.end == OPEN and cut <= c.start < settled), None
        )
        self._carried = tuple(
            _Carried(
                candidate.end if candidate.end == OPEN else candidate.end - cut,
                candidate.detector,
                max(candidate.tail, cut - _RESUME) - cut,
            )
            for candidate in known
            if cut < candidate.end and (candidate.start < cut or candidate in resumed)
        )
        released = self._held[:cut]
        self._held = self._held[cut:]
        self._context = (self._context + released)[-LEFT:]
        return Released(released, tuple(found))

    def _from(self, place: int) -> str:
        """What is held from `place` on; a negative one begins in the context."""
        return self._held[place:] if place >= 0 else self._context[place:] + self._held

    def _resumed(self, carried: _Carried, end: str) -> Candidate:
        """A carried match, from the beginning of what is held to where it is now known to end."""
        stop, detector, resume = carried
        if stop == OPEN:
            rest = self._from(resume) + end
            run = self._scanner.run(detector, rest)
            stop = OPEN if run == len(rest) else resume + run
        return Candidate(0, stop, detector, resume)


class SpacedWindow:
    """A Window on JSON, whose pieces end in no escape."""

    __slots__ = ("_held", "_window")

    def __init__(self, scanner: Scanner) -> None:
        self._window = Window(scanner)
        self._held = ""

    def feed(self, text: str) -> Released:
        """Take the next piece; return what it settles, as it was written."""
        self._held += text
        return self._written(self._window.feed(spaced(text)))

    def finish(self) -> Released:
        """The text is complete: release the rest."""
        return self._written(self._window.finish())

    def _written(self, released: Released) -> Released:
        length = len(released.text)
        text, self._held = self._held[:length], self._held[length:]
        return Released(text, released.findings)


def _settled(text: str) -> int:
    """The length of the longest part of `text` in which no match can be incomplete. `text` is not empty."""
    length = len(text)
    # The letters next to ASCII are many, and all of them are compared with the character that a word ends at.
    settled = max(len(text.rstrip(WORD if text.isascii() else _WORD)), length - WORD_CAP)
    last = text[-1]
    if _DIGIT.search(text, max(0, length - _NUMBERED_CAP)):
        settled = min(settled, _numbers(text))
    elif (
        last in _OPENING
    ):  # all that may have begun without a digit: a number in print form, a bracket before one, a month
        if last not in _LOOSE or text[-2:-1] in _GROUPED:
            settled = min(settled, _groups(text, _DIGITS, _DIGITS_BEGIN), _groups(text, _PRINTED, _PRINTED_BEGIN))
        if last in " -" and (dated := _DATED.search(text, max(0, length - _MONTH_CAP))):
            settled = min(settled, dated.start())
    if _BLOCK_BEGIN in text:
        block = _BLOCK.search(text[-BLOCK_CAP:].encode("utf-8", "surrogatepass"))
        if block:  # it is ASCII and ends where the text ends
            return min(settled, length - len(block.group()))
    return settled


def _numbers(text: str) -> int:
    """The same where numbers and dates are concerned."""
    settled = length = len(text)
    last = text[-1]
    stem = text.rstrip(ascii_letters)
    if 0 < length - len(stem) <= WORD_AFTER and stem.rstrip(_BEFORE_WORD)[-1:].isdigit():
        settled = _groups(stem, _DIGITS, _DIGITS_BEGIN)
    if last in _GROUPED and (last != " " or text[-2:-1] in _GROUPED):
        settled = min(settled, _groups(text, _DIGITS, _DIGITS_BEGIN), _groups(text, _PRINTED, _PRINTED_BEGIN))
    if not _DATED_ENDS.match(text[: -_DATED_END_CAP - 1 : -1]):
        return settled
    # No date reaches over one of these, which are common where numbers are.
    begin = max(length - _DATE_CAP, text.rfind("\n") + 1, text.rfind('"') + 1, text.rfind(":") + 1)
    # It begins with a digit or with the name of a month, and a digit or nothing follows that.
    digit = _DIGIT.search(text, begin)
    begin = max(begin, (digit.start() if digit else length) - _MONTH_CAP)
    dated = _DATED.search(text, begin)
    return min(settled, dated.start()) if dated else settled


def _groups(text: str, characters: str, begin: re.Pattern[str]) -> int:
    """Where the run of `characters` that ends the text has the first beginning of a match, within GROUP_CAP."""
    first = begin.search(text, max(len(text.rstrip(characters)), len(text) - GROUP_CAP))
    return first.start() if first else len(text)
