"""Engine: one pass of an automaton says which patterns occur, RE2 says where, `accept` says whether.

The automaton is Hyperscan where its wheel exists; `Portable` is its plain twin. Both answer one question (the places on the
shelf whose pattern matches somewhere), so everything after it is the same code. Clean text, nearly all text, costs the
automaton's pass and nothing more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import lru_cache, partial
from itertools import accumulate
from typing import Any, Self

import re2

from yett.detectors.detector import LEFT, SEPARATOR, Detector
from yett.detectors.expression import Expression, Spans, check, compiled
from yett.detectors.resolve import OPEN, Candidate, clusters, findings
from yett.detectors.sieve import REACH, Automaton, Heard, Sieve
from yett.detectors.spaced import looked_at
from yett.model.finding import Finding
from yett.model.segment import Segment

try:
    import hyperscan
except ImportError:  # pragma: no cover - there is no wheel for this platform
    hyperscan = None  # type: ignore[assignment]

SHORT = 4_096  # bytes; to look for hundreds of patterns in more of a hostile text takes too long for the loop
_TEXT_ENDS = SEPARATOR.encode()


@lru_cache(maxsize=32)  # a snapshot has several, and the one before it is still in use
def _database(patterns: tuple[bytes, ...]) -> Any:
    """Compiling takes seconds, so a reload that leaves the shelf as it was finds its database here."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(expressions=list(patterns), flags=hyperscan.HS_FLAG_SINGLEMATCH)
    except hyperscan.HyperscanError as error:
        raise ValueError(f"the automaton refuses a pattern: {error}") from error
    return database


def _note(place: int, _start: int, _end: int, _flags: int, places: list[int]) -> None:
    """Called by Hyperscan. A function of the module, because the binding keeps no reference to it: a closure that is
    collected during a scan is a segmentation fault. It returns None: anything truthy would end the scan."""
    places.append(place)


class Hyperscan:
    """All patterns as one automaton. One scratch space per instance, so an instance belongs to one thread."""

    def __init__(self, patterns: tuple[bytes, ...]) -> None:
        self._database = _database(patterns)
        self._scratch = hyperscan.Scratch(self._database)

    def twin(self) -> Self:
        """The same automaton for another thread: what was compiled is megabytes, and never changes."""
        twin = copy(self)
        twin._scratch = hyperscan.Scratch(self._database)  # noqa: SLF001 - of its own class
        return twin

    def __call__(self, data: bytes) -> list[int]:
        places: list[int] = []
        self._database.scan(data, _note, 0, places, self._scratch)
        return places


class Portable:
    """The same answer by asking each pattern in turn."""

    def __init__(self, patterns: tuple[bytes, ...]) -> None:
        self._patterns = [compiled(pattern.decode()) for pattern in patterns]

    def __call__(self, data: bytes) -> list[int]:
        return [place for place, pattern in enumerate(self._patterns) if pattern.search(data)]


class _Patterns(dict[int, Expression]):
    """The pattern of each detector, compiled when the automaton has first heard of it: most never occur, and all of them together
    are megabytes."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = detectors

    def __missing__(self, place: int) -> Expression:
        pattern = self[place] = Expression(self._detectors[place].pattern)
        return pattern


class Scanner:
    """A shelf of detectors, compiled. Built once per Snapshot; belongs to one thread.

    Raises ValueError for a pattern that RE2 or Hyperscan refuses, or that has not exactly one group.
    """

    def __init__(
        self, detectors: Sequence[Detector], automaton: Callable[[tuple[bytes, ...]], Automaton] | None = None
    ) -> None:
        self.detectors = tuple(detectors)
        for detector in self.detectors:
            _check(detector)
        self._patterns = _Patterns(self.detectors)
        self._tails: list[Any] = [compiled(detector.tail) if detector.tail else None for detector in detectors]
        self._unless: list[Any] = [compiled(detector.unless) if detector.unless else None for detector in detectors]
        build = automaton or (Portable if hyperscan is None else Hyperscan)
        self._places = Sieve(self.detectors, build)

    def scan(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        """Findings in all segments, sorted by segment and position."""
        return self._scan([looked_at(segment) for segment in segments])

    def scan_text(self, text: str) -> tuple[Finding, ...]:
        """Findings in one text, which is segment 0."""
        return self._scan([text])

    def _scan(self, texts: list[str]) -> tuple[Finding, ...]:
        candidates = self.candidates(SEPARATOR + SEPARATOR.join(texts) + SEPARATOR)
        if not candidates:
            return ()
        gap = len(SEPARATOR)
        # starts[i] is where text i begins in what was scanned
        starts = list(accumulate((len(text) + gap for text in texts[:-1]), initial=gap))
        found: list[Finding] = []
        for cluster in clusters(candidates):
            segment = bisect_right(starts, cluster.start) - 1
            base = starts[segment]
            found += [
                Finding(
                    kind=finding.kind,
                    segment=segment,
                    start=finding.start - base,
                    end=finding.end - base,
                    detector=finding.detector,
                )
                for finding in findings(cluster, self.detectors)
            ]
        return tuple(found)

    def clean(self, data: bytes) -> bool:
        """True when no pattern occurs in `data`: UTF-8 text between separators. Costs the automaton's pass, and in a short text a
        search for each pattern that it has heard of: an anchor, a word and digits, is common where the pattern itself is not."""
        heard = self._places(data)
        if not heard or len(data) > SHORT:
            return not heard
        return not any(each.starts or self._patterns[each.place].search(data, 0, len(data)) for each in heard)

    def candidates(self, text: str) -> list[Candidate]:
        """Validated matches in `text`, which the caller has put between separators; a span whose tail reaches the end of
        `text` has the end OPEN. Offsets are characters."""
        data = text.encode("utf-8", "surrogatepass")
        heard = self._places(data)
        if not heard:
            return []
        found = [candidate for each in heard for candidate in self._spans(each, data)]
        return found if len(data) == len(text) else _in_characters(found, data)

    def run(self, detector: int, text: str) -> int:
        """How many characters of `text`, from its start, continue the tail of a detector."""
        data = text.encode("utf-8", "surrogatepass")
        end = int(self._tails[detector].match(data).end())
        return end if len(data) == len(text) else len(data[:end].decode("utf-8", "surrogatepass"))

    def _spans(self, heard: Heard, data: bytes) -> list[Candidate]:
        """What one detector finds where it was heard."""
        place, begin, last, starts = heard
        detector, pattern, tail = self.detectors[place], self._patterns[place], self._tails[place]
        unless = self._unless[place]
        search = pattern.search if starts is None else partial(_following, pattern, iter(starts))
        limit = min(last + REACH, len(data))
        found: list[Candidate] = []
        seen = -1
        stop = 0  # where the last tail ended
        match = search(data, begin, limit)
        while match and match[0] < last:
            first, start, end = match
            # What begins within a tail ends where the tail does (see `Detector.tail`), and is part of the same finding: without
            # this, a text of nothing but beginnings would be read to its end from each of them.
            if start != seen and start >= stop:  # two ways to the same span differ only in their left context
                seen = start
                end = _accepted(detector, data, start, end)
                if end and unless and unless.search(_before(data, start)):
                    end = 0
                if end and tail:
                    stop = tail.match(data, end).end()
                    found.append(Candidate(start, OPEN if stop == len(data) else stop, place, end))
                elif end:
                    found.append(Candidate(start, end, place, end))
            # The next match may overlap this one: whether a span is found must not depend on what stands before it.
            match = search(data, max(first + 1, stop - LEFT), limit)
        return found


def _check(detector: Detector) -> None:
    try:
        check(detector.pattern)
    except (re2.error, ValueError) as error:
        raise ValueError(f"detector {detector.id}: {error}") from error


def _following(pattern: Expression, starts: Iterator[int], data: bytes, position: int, _limit: int) -> Spans | None:
    """The match at the next of the `starts`, in place of a search for it."""
    return next((pattern.match(data, start, len(data)) for start in starts if start >= position), None)


def _accepted(detector: Detector, data: bytes, start: int, end: int) -> int:
    """The end of the part of data[start:end] that the detector accepts, 0 when it accepts none."""
    span = data[start:end].decode("utf-8", "replace")
    if detector.judge:
        length = detector.judge(_before(data, start).decode("utf-8", "replace"), span)
    elif detector.accept:
        length = detector.accept(span)
    else:
        return end
    return start + len(span[:length].encode()) if length else 0


def _before(data: bytes, start: int) -> bytes:
    """What stands before `start` in the same text, as far back as a stream remembers."""
    return data[max(data.rfind(_TEXT_ENDS, max(0, start - LEFT), start), start - LEFT, 0) : start]


def _in_characters(candidates: list[Candidate], data: bytes) -> list[Candidate]:
    """Byte offsets to character offsets, in one walk over the data."""
    offsets = sorted({offset for start, end, _, tail in candidates for offset in (start, end, tail) if offset != OPEN})
    characters = {OPEN: OPEN}
    previous = count = 0
    for offset in offsets:
        count += len(data[previous:offset].decode("utf-8", "surrogatepass"))
        characters[offset] = count
        previous = offset
    return [
        Candidate(characters[start], characters[end], detector, characters[tail])
        for start, end, detector, tail in candidates
    ]
