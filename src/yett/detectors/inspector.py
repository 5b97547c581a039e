"""Inspector: everything that is looked for in whole texts, each text as its author's place in the conversation deserves.

A text is read as it is, without its disguises, and with its encoded parts decoded, up to `DEPTH` times; each reading is given
to the patterns of the shelf and, where instructions may hide, to the rules and the model. What is found in any reading is
reported at its place in the text that was given.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import accumulate
from typing import Protocol

from msgspec import Struct

from yett.detectors import captions, decode, disguise, engine, normalise
from yett.detectors.engine import Scanner
from yett.detectors.injection.rules import Literals, Rules, combined
from yett.detectors.injection.turns import SHOTS, shots
from yett.detectors.normalise import fold, plain
from yett.detectors.traits import NO_TRAITS, Traits, traits
from yett.detectors.view import View
from yett.model.finding import Finding
from yett.model.segment import Segment

Automaton = Callable[[bytes], Iterable[int]]

DEPTH = 5  # encodings inside encodings that are undone
THRESHOLD = 0.5
WINDOW = 1024  # characters within which evidence adds up
# Documents and code talk of instructions all the time, in the words that rules look for. So what rules find where data stands
# counts in full when the model, which judges each sentence by what stands around it, sees something there as well.
# A definition is written for models: what it says to them needs nobody to second it.
SECONDED = 0.2
UNSECONDED = 0.5
TALK = ("tool", "document")  # surfaces whose texts may talk of instructions

# Whose text it is decides how an instruction in it is taken. What the operator wrote is not searched for instructions.
SURFACES = {
    "user": "user",
    "assistant": "user",
    "tool": "tool",
    "function": "tool",
    "arguments": "tool",
    "document": "document",
    "attachment": "document",
    "refusal": "user",
    "reasoning": "user",
    "annotation": "document",
    "filename": "document",
    "url": "document",
    "definition": "definition",
    "other": "document",
}
# What only somebody who hides something writes; the rest is how text travels.
_HIDING = frozenset(
    {
        "leet",
        "spaced",
        "rot13",
        "reversed",
        "base64",
        "base32",
        "hex",
        "binary",
        "decimal",
        "morse",
        "groups",
        "words",
        "base58",
        "base85",
        "code-points",
        "octal",
        "places",
        "spelt",
        "variation-selectors",
        "zero-width",
    }
)
_IN_PLACE = frozenset({"", normalise.HOW})  # a reading that leaves nothing out and is read instead of its source
_HIDING_LEAVES = 0.5  # of the doubt in a rule, when what it matches was hidden
# What characters that nobody sees say of a text, whatever they spell.
_HIDDEN = {
    "unicode.tag-characters": 0.6,
    "unicode.variation-selector-run": 0.3,
    "unicode.bidi-override": 0.3,
    "unicode.zero-width": 0.2,
}
_SHOTS_SAY = 0.6  # that a message is a conversation of its own
_SPANS = 8  # findings of one concept in one text


class Model(Protocol):
    """How likely a text is to be an attack: 0.0 to 1.0, where 0.5 is the shipped threshold."""

    def score(self, text: str, surface: str) -> float:
        """`text` is normalised; `surface` is user, tool, document or definition."""
        ...


class Whole(Protocol):
    """What is asked about every segment as a whole, beside patterns and injection: topics, sizes."""

    def findings(self, segment: Segment, number: int) -> Iterable[Finding]:
        """`number` is the segment's place in the list that is inspected."""
        ...


class Inspected(Struct, frozen=True):
    """What was found, sorted by segment and position, the highest score of each family over all segments, and what the texts are."""

    findings: tuple[Finding, ...]
    scores: dict[str, float]
    traits: Traits = NO_TRAITS


class _Evidence(Struct, frozen=True):
    """A rule that matched: where in the text that was given, how it was hidden, and how much it says."""

    concept: str
    rule: str
    start: int
    end: int
    weight: float


_WORD = 11  # characters of ASCII that are no instruction yet


class Shapes:
    """Which encodings and disguises may occur in a text, in one pass of an automaton."""

    def __init__(self, automaton: Callable[[tuple[bytes, ...]], Automaton] | None = None) -> None:
        patterns = decode.SHAPES | disguise.SHAPES | captions.SHAPES
        self._names = tuple(patterns)
        build = automaton or (engine.Hyperscan if find_spec("hyperscan") else engine.Portable)
        self._automaton = build(tuple(pattern.encode("ascii") for pattern in patterns.values()))

    def __call__(self, text: str) -> frozenset[str]:
        data = f"\n{text}\n".encode("utf-8", "surrogatepass")
        return frozenset(self._names[place] for place in self._automaton(data))


_NONE = Rules((), Literals)  # where nothing is judged they are never asked


class Inspector:
    """The pattern tier and the tiers that work on whole texts. Built once per Snapshot; belongs to one thread."""

    def __init__(
        self,
        scanner: Scanner,
        model: Model | None = None,
        rules: Rules | None = None,
        shapes: Shapes | None = None,
        wholes: Sequence[Whole] = (),
        *,
        judges: bool = True,
        wanted: frozenset[str] = frozenset(),
        people: Whole | None = None,
    ) -> None:
        """Without `judges` no text is judged to be an injection, and all scores are 0: for policies that do not ask. `wanted` are the
        traits that they do ask for. Without `people` names and addresses are not looked for."""
        self._judges = judges
        self._wanted = wanted
        self.scanner = scanner
        self._model = model
        self._rules = rules or (Rules() if judges else _NONE)
        self._shapes = shapes or Shapes()
        self._wholes = (*wholes, people) if people else tuple(wholes)

    def inspect(self, segments: Sequence[Segment]) -> Inspected:
        """Findings in all segments, and scores."""
        found = list(self.scanner.scan(segments))
        known: dict[int, list[Finding]] = {}
        for finding in found:
            known.setdefault(finding.segment, []).append(finding)
        highest = 0.0
        for number, segment in enumerate(segments):
            says_something = _says_something(segment.text)
            if says_something or not segment.text.isalnum():  # else there is nothing to take apart
                surface = SURFACES.get(segment.role) if self._judges and says_something else None
                more, score = self._deep(segment.text, surface, number, known.get(number, ()))
                found += more
                highest = max(highest, score)
            found += self._of_whole(segment, number)
        found.sort(key=lambda finding: (finding.segment, finding.start, finding.end, finding.kind))
        return Inspected(tuple(found), {"injection": round(highest, 4)}, traits(segments, self._wanted))

    @property
    def judges(self) -> bool:
        """Whether texts are judged to be injections."""
        return self._judges

    @property
    def asks(self) -> bool:
        """Whether anything is asked about whole segments: topics, sizes, names."""
        return bool(self._wholes)

    def asked(self, segments: Sequence[Segment]) -> list[Finding]:
        """That alone, in all segments: what an answer is asked for beside its patterns."""
        return [finding for number, segment in enumerate(segments) for finding in self._of_whole(segment, number)]

    def _of_whole(self, segment: Segment, number: int) -> Iterator[Finding]:
        for whole in self._wholes:
            yield from whole.findings(segment, number)

    def hides(self, text: str) -> bool:
        """Whether a pattern matches what becomes of a text once its encoded parts are decoded."""
        return any(self.scanner.scan_text(view.text) for view in self._decoded(View(text)))

    def hidden(self, segments: Sequence[Segment], known: Iterable[Finding]) -> list[Finding]:
        """What the patterns find in the encoded parts of the segments, beyond what is `known` to stand there as it is."""
        standing: dict[int, list[Finding]] = {}
        for finding in known:
            standing.setdefault(finding.segment, []).append(finding)
        found: list[Finding] = []
        for number, segment in enumerate(segments):
            beside = standing.get(number, [])
            for view in self._decoded(View(segment.text)):
                more = list(self._patterns(view, number, beside))
                beside = [*beside, *more]
                found += more
        return found

    def _decoded(self, root: View) -> Iterator[View]:
        """A text with its encoded parts decoded, and those in them; escapes first, because they may stand in anything else."""
        budget = decode.Budget(len(root.text))
        view = root
        if "\\" in root.text and (unescaped := decode.decoded(root, ("escape",), budget)):
            yield unescaped
            view = unescaped
        for _ in range(DEPTH):
            shapes = self._shapes(view.text) & decode.SHAPES.keys()
            inner = decode.decoded(view, shapes, budget) if shapes else None
            if inner is None:
                return
            yield inner
            view = inner

    def text(self, text: str, role: str = "user") -> Inspected:
        """The same for one text, which is segment 0."""
        return self.inspect((Segment(text, role, 0),))

    def _deep(
        self, text: str, surface: str | None, segment: int, known: Collection[Finding]
    ) -> tuple[list[Finding], float]:
        """What one text holds beyond the patterns that are `known` to match it as it is, and its score."""
        found: list[Finding] = []
        evidence = [
            _Evidence("hidden", finding.detector, finding.start, finding.end, _HIDDEN[finding.kind])
            for finding in known
            if self._judges and finding.kind in _HIDDEN
        ]
        score = 0.0
        for view, matched, judged in self._readings(View(text), surface is not None):
            if matched and view.source is not None:
                new = self._patterns(view, segment, [*known, *found])
                found += new if judged else [finding for finding in new if finding.family == captions.FAMILY]
            if surface and judged:
                evidence += self._evidence(view, surface)
                if self._model and _is_sentence(view.text):
                    score = max(score, self._model.score(view.text, surface))
        if surface:
            count, start, end = shots(text)
            if count >= SHOTS:
                evidence.append(_Evidence("many-shot", "many-shot-turns", start, end, _SHOTS_SAY))
        weighed = _weighed(evidence)
        if surface in TALK and self._model and score < SECONDED:
            weighed *= UNSECONDED
        score = max(score, weighed)
        if score >= THRESHOLD:
            found += _injection(evidence, segment, len(text), score)
        return found, score

    def _readings(self, root: View, disguised: bool) -> Iterator[tuple[View, bool, bool]]:
        """The ways to read a text, whether patterns may apply to each of them, and whether it may say more than the text does."""
        budget = decode.Budget(len(root.text))
        smuggled = decode.smuggled(root)
        if smuggled:
            yield plain(smuggled), True, True
        view: View | None = plain(root)
        for depth in range(DEPTH + 1):
            if view is None:
                return
            yield view, True, True
            shapes = self._shapes(view.text)
            if shapes and (reading := captions.captioned(view, shapes)):
                yield reading, True, False
            if disguised and shapes:
                for reading in disguise.readings(view, shapes):
                    yield reading, False, True
            view = decode.decoded(view, shapes, budget) if shapes and depth < DEPTH else None
            view = plain(view) if view else None

    def _patterns(self, view: View, segment: int, known: Collection[Finding]) -> Iterator[Finding]:
        """What the shelf finds in a reading, unless something of its family is known where it stands."""
        found = self.scanner.scan_text(view.text)
        if not found:
            return
        taken = _Taken(known)
        for finding in found:
            start, end, how = view.origin(finding.start, finding.end)
            if not taken.within(finding.family, start, end):
                through = how or (view.how,)  # what stands beside it was changed
                yield Finding(finding.kind, segment, start, end, ">".join((*through, finding.detector)), finding.score)

    def _evidence(self, view: View, surface: str) -> Iterator[_Evidence]:
        for rule, start, end, weight in self._rules.hits(fold(view.text), surface):
            first, last, how = view.origin(start, end)
            if view.how not in _IN_PLACE and not how:
                continue  # it was found where this reading was made from
            doubt = (1.0 - weight) * (1.0 if _HIDING.isdisjoint(how) else _HIDING_LEAVES)
            yield _Evidence(rule.concept, ">".join((*how, rule.id)), first, last, 1.0 - doubt)


def _is_sentence(text: str) -> bool:
    """Whether there is enough of a text for the model to judge: two words, an address among them, say too little."""
    return not text.isascii() or len(text.split(None, 2)) > 2


def _says_something(text: str) -> bool:
    """Whether a text can be an instruction at all: `user`, an id, a number is none. Seven Chinese characters can be."""
    return len(text) > _WORD or not text.isascii()


class _Taken:
    """Where findings of each family stand; asked in the time that it takes to look a place up."""

    __slots__ = ("_families",)

    def __init__(self, findings: Iterable[Finding]) -> None:
        spans: dict[str, list[tuple[int, int]]] = {}
        for finding in findings:
            spans.setdefault(finding.family, []).append((finding.start, finding.end))
        self._families: dict[str, tuple[list[int], list[int]]] = {}
        for family, places in spans.items():
            places.sort()
            # the starts, and up to where those before each of them reach at most
            self._families[family] = ([start for start, _ in places], list(accumulate((end for _, end in places), max)))

    def within(self, family: str, start: int, end: int) -> bool:
        """Whether one of them overlaps a place."""
        starts, reach = self._families.get(family, ((), ()))
        before = bisect_left(starts, end)
        return before > 0 and reach[before - 1] > start


def _weighed(evidence: Sequence[_Evidence]) -> float:
    """The most that the evidence within one window says: the strongest of each concept, together. Linear, once it is sorted."""
    ordered = sorted(evidence, key=lambda item: item.start)
    strongest: dict[str, deque[_Evidence]] = {}  # and those that will be once it has left the window
    most = 0.0
    end = 0
    for first in ordered:
        while end < len(ordered) and ordered[end].start < first.start + WINDOW:
            item = ordered[end]
            line = strongest.setdefault(item.concept, deque())
            while line and line[-1].weight <= item.weight:
                line.pop()
            line.append(item)
            end += 1
        most = max(most, combined([line[0].weight for line in strongest.values() if line]))
        if strongest[first.concept][0] is first:
            strongest[first.concept].popleft()
    return most


def _injection(evidence: Sequence[_Evidence], segment: int, length: int, score: float) -> Iterator[Finding]:
    """The findings of a text that is called an injection."""
    if not evidence and length:
        yield Finding("injection.suspected", segment, 0, length, "injection-model", round(score, 4))
    counts: dict[str, int] = {}
    seen: set[tuple[str, int, int]] = set()
    for item in sorted(evidence, key=lambda item: -item.weight):
        place = (item.concept, item.start, item.end)
        counts[item.concept] = counts.get(item.concept, 0) + (place not in seen)
        if place not in seen and counts[item.concept] <= _SPANS:
            yield Finding(f"injection.{item.concept}", segment, item.start, item.end, item.rule, round(score, 4))
        seen.add(place)
