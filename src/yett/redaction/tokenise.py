"""Tokenise: exchange findings in the texts of one request for what stands for them, and remember what that was.

All texts of a call are worked on together, because what may stand in one depends on the others:

* The findings of all texts are exchanged, and so is every other occurrence of their values: what was told from its
  surroundings in one message stands bare in the next.
* What a *caller* wrote may look like a token that is being issued, or be one that leaked. It must come back as it was written, never
  as somebody's value, so it gets a token of its own, whose value is the literal text.
* What the *model* wrote, and the tools that it called, holds tokens rightly. They stay; those of an earlier turn are recalled,
  if they were issued in this task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from yett.detectors.mask import marker, place
from yett.dialects.escapes import bare
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.route import Secret
from yett.model.segment import Segment
from yett.model.substitute import Substitute
from yett.redaction.known import LITERAL, Known, Literals, is_token, token_shapes
from yett.redaction.mint import Mint
from yett.redaction.surrogates import surrogate
from yett.redaction.ways import Ways

MOST_VALUES = 10_000  # of one call; any others are redacted for good
LONGEST_VALUE = 512  # characters; what is longer is redacted for good
MOST_RECALLED = 1000  # tokens of earlier turns, for one call
_SHORTEST = 5  # characters of a value that is looked for where no detector has found it
_ATTEMPTS = 8  # at something that does not stand for another value yet
_MOST_PASSES = 8  # over literals that look like tokens of literals that look like tokens …
_STRICTNESS = {"redact": 0, "tokenize": 1, "surrogate": 2}
# Whose texts hold tokens rightly: a model that was shown them wrote them, or a tool that it called.
_SHOWN_TOKENS = frozenset(("assistant", "tool", "function", "arguments", "refusal", "reasoning", "annotation"))

Recall = Callable[[Sequence[str]], Iterable[Substitute]]  # by what is shown, in any case


class _Region(NamedTuple):
    """A part of a text that is exchanged for `shown`."""

    start: int
    end: int
    kind: str
    way: str
    shown: str = ""


class Tokeniser:
    """Works on the texts of one request for targets of which policy wants the same. `known` is then what may be put back."""

    def __init__(self, mint: Mint, ways: Ways, recall: Recall, taken: Iterable[Substitute] = ()) -> None:
        """`taken` stand for something in this task already, so for nothing else."""
        self.known = Known(taken)
        self._mint = mint
        self._ways = ways
        self._recall = recall
        self._issued = {  # (way, value) -> shown
            (_way_of(each), each.value.reveal()): each.shown for each in self.known
        }
        self._values: dict[str, tuple[str, str]] = {}  # value -> kind and way, the first of each

    def texts(self, segments: Sequence[Segment], findings: Iterable[Finding]) -> dict[int, str]:
        """The new texts, by the segments' ordinals. The findings that are to be exchanged stand in segments that can be rewritten.

        Raises Refusal("content_blocked") for a text that was made to be undecidable.
        """
        regions = _found(self._ways, findings)
        shown = {position for position in regions if segments[position].role in _SHOWN_TOKENS}
        for position in sorted(regions.keys() - shown):
            regions[position] = self._registered(segments[position].text, regions[position])
        self._remember(segments, [segments[n].text[r.start : r.end] for n in sorted(shown) for r in regions[n]])
        for position in sorted(shown):
            text = segments[position].text
            fresh = [region for region in regions[position] if self.known.get(text[region.start : region.end]) is None]
            regions[position] = self._registered(text, fresh)
        self._spread(segments, regions)
        for position, found in regions.items():
            regions[position] = self._shown(segments[position].text, found)
        self._escape_all(segments, regions)
        return {
            segments[position].index: _rewritten(segments[position], found)
            for position, found in regions.items()
            if found
        }

    def _registered(self, text: str, regions: list[_Region]) -> list[_Region]:
        """The regions, their values known from now on; what is too long, or one too many, is redacted for good."""
        return [
            region if region.way == "redact" else self._register(text[region.start : region.end], region)
            for region in regions
        ]

    def _register(self, value: str, region: _Region) -> _Region:
        full = len(self._values) >= MOST_VALUES and value not in self._values
        if full or len(value) > LONGEST_VALUE:
            return region._replace(way="redact")
        kind, way = self._values.setdefault(value, (region.kind, region.way))
        return region._replace(kind=kind, way=way if self._issue(kind, way, value) else "redact")

    def _issue(self, kind: str, way: str, value: str) -> str:
        """What stands for a value; "" when nothing does, because all that was tried stands for others."""
        shown = self._issued.get((way, value))
        if shown is None:
            shown = self._issued[way, value] = self._fresh(kind, way, value)
        return shown

    def _fresh(self, kind: str, way: str, value: str) -> str:
        secret = Secret(value)
        for attempt in range(_ATTEMPTS):
            drawn = way == "surrogate" and surrogate(kind, value, self._mint.draw(kind, value, attempt))
            shown = drawn or self._mint.token(kind, value, attempt)
            if shown.lower() != value.lower() and self.known.add(Substitute(kind, shown, secret)):
                return shown
        return self._issue(kind, "tokenize", value) if way == "surrogate" else ""

    def _remember(self, segments: Sequence[Segment], spelt: Iterable[str]) -> None:
        """Recall what the model and its tools have been shown on earlier turns of this task."""
        wanted = [shown for shown in _asked(segments, spelt) if self.known.get(shown) is None]
        for entry in self._recall(wanted) if wanted else ():
            self.known.add(entry)

    def _spread(self, segments: Sequence[Segment], regions: dict[int, list[_Region]]) -> None:
        """Exchange the values wherever else they stand by themselves."""
        literals = Literals()
        for value in self._values:
            if len(value) >= _SHORTEST:
                literals.add(value)
        for position, segment in enumerate(segments) if literals else ():
            if segment.index == UNPATCHABLE:
                continue
            own = regions.get(position, [])
            found = (_Region(start, end, *self._values[value]) for start, end, value in literals.find(segment.text))
            more = list(_outside(found, own))
            if more:
                regions[position] = sorted([*own, *more])

    def _shown(self, text: str, regions: list[_Region]) -> list[_Region]:
        """The regions with what is shown in their place."""
        found = []
        for number, region in enumerate(regions):
            value = text[region.start : region.end]
            way = region.way
            if way == "surrogate" and _touched(text, regions, number):
                way = "tokenize"  # a surrogate that does not stand by itself could not be told from its surroundings
            shown = marker(region.kind) if way == "redact" else self._issue(region.kind, way, value)
            found.append(region._replace(shown=shown or marker(region.kind)))
        return found

    def _escape_all(self, segments: Sequence[Segment], regions: dict[int, list[_Region]]) -> None:
        for _ in range(_MOST_PASSES):
            if not self._escape(segments, regions):
                return
        raise Refusal("content_blocked", "The text contains tokens that stand for tokens, too many times over.")

    def _escape(self, segments: Sequence[Segment], regions: dict[int, list[_Region]]) -> bool:
        """Exchange what a caller wrote that would be put back as a value. False when there is nothing more of it."""
        more = False
        for position, segment in enumerate(segments):
            if segment.role in _SHOWN_TOKENS or segment.index == UNPATCHABLE or not self.known.occur(segment.text):
                continue
            own = regions.get(position, [])
            found = [
                _Region(start + match.start, start + match.end, LITERAL, "literal")
                for start, end in _gaps(segment.text, own)
                for match in self.known.find(segment.text[start:end])
            ]
            if found:
                # Decided anew: a surrogate that stood by itself may have got one of these beside it.
                regions[position] = self._shown(segment.text, sorted([*own, *found]))
                more = True
        return more


def mentioned(ways: Ways, segments: Sequence[Segment], findings: Iterable[Finding]) -> list[str]:
    """Everything that a Tokeniser might ask to be recalled, so that it can be looked up beforehand."""
    found = _found(ways, findings)
    shown = (n for n in sorted(found) if segments[n].role in _SHOWN_TOKENS)
    return _asked(segments, (segments[n].text[region.start : region.end] for n in shown for region in found[n]))


def _asked(segments: Sequence[Segment], spelt: Iterable[str]) -> list[str]:
    """What is `spelt`, and what looks like a token in the texts of those who are shown some."""
    shapes = (
        shape
        for segment in segments
        if segment.role in _SHOWN_TOKENS and segment.index != UNPATCHABLE
        for shape in token_shapes(segment.text)
    )
    return sorted({shown for source in (spelt, shapes) for shown in islice(source, MOST_RECALLED)})


def _found(ways: Ways, findings: Iterable[Finding]) -> dict[int, list[_Region]]:
    """What is to be exchanged, by segment and in order. Findings that overlap become one, treated as the stricter of them."""
    regions: dict[int, list[_Region]] = {}
    known: dict[str, str] = {}
    for finding in sorted(findings, key=place):
        way = known.get(finding.kind)
        if way is None:
            way = known[finding.kind] = ways.of(finding.kind)
        if not way:
            continue
        region = _Region(finding.start, finding.end, finding.kind, way)
        before = regions.setdefault(finding.segment, [])
        if before and (region.start < before[-1].end or _continues(before[-1], region)):
            region = _joined(before.pop(), region)
        before.append(region)
    return regions


def _way_of(entry: Substitute) -> str:
    """How it came to stand for its value."""
    if entry.kind == LITERAL:
        return "literal"
    return "tokenize" if is_token(entry.shown) else "surrogate"


def _continues(before: _Region, region: _Region) -> bool:
    """Whether this is the next piece of a very long finding, which is reported in pieces that touch."""
    return region.start == before.end and before.way == region.way == "redact" and before.kind == region.kind


def _joined(first: _Region, second: _Region) -> _Region:
    stricter = second if _STRICTNESS[second.way] < _STRICTNESS[first.way] else first
    return _Region(first.start, max(first.end, second.end), stricter.kind, stricter.way)


def _touched(text: str, regions: list[_Region], place: int) -> bool:
    """Whether a region has a letter, a digit or another region right beside it."""
    start, end = regions[place][:2]
    left = start > 0 and (text[start - 1].isalnum() or (place > 0 and regions[place - 1].end == start))
    return left or (
        end < len(text) and (text[end].isalnum() or (place + 1 < len(regions) and regions[place + 1].start == end))
    )


def _outside(found: Iterable[_Region], own: Sequence[_Region]) -> Iterator[_Region]:
    """Those that overlap none of `own`. Both are in order."""
    at = 0
    for region in found:
        while at < len(own) and own[at].end <= region.start:
            at += 1
        if at == len(own) or region.end <= own[at].start:
            yield region


def _gaps(text: str, regions: Sequence[_Region]) -> Iterator[tuple[int, int]]:
    """Where the parts of `text` start and end that are not exchanged yet."""
    at = 0
    for region in regions:
        if region.start > at:
            yield at, region.start
        at = region.end
    if at < len(text):
        yield at, len(text)


def _rewritten(segment: Segment, regions: Sequence[_Region]) -> str:
    """In arguments, which are JSON, a word in place of a number is put between quotation marks."""
    text = segment.text
    outside = bare(text, (region.start for region in regions)) if segment.role == "arguments" else ()
    pieces: list[str] = []
    at = 0
    for region in regions:
        alone = region.start in outside and not region.shown.isdigit()
        pieces += (text[at : region.start], f'"{region.shown}"' if alone else region.shown)
        at = region.end
    return "".join((*pieces, text[at:]))
