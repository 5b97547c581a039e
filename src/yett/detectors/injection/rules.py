"""Rules: what an instruction to a model looks like that its operator did not give, as patterns over folded text.

One automaton answers which rules occur, as for the patterns on the shelf; RE2 finds where. A rule has a weight for text that a
user wrote and one for text that nobody should take instructions from (tool results, documents, tool definitions), where an
imperative addressed to the reader's assistant is the signal, whatever its wording. Weights of different concepts add up as
independent evidence does; at 0.5 a text is called an injection.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from yett.detectors import engine
from yett.detectors.expression import compiled
from yett.detectors.injection.english import ENGLISH
from yett.detectors.injection.language import Rule
from yett.detectors.injection.languages import LANGUAGES
from yett.detectors.injection.literals import in_words, needs, spoken
from yett.detectors.injection.markup import MARKUP

Automaton = Callable[[bytes], Iterable[int]]

RULES: tuple[Rule, ...] = (*ENGLISH, *MARKUP, *LANGUAGES)

_BEFORE = "\n\n"  # what stands before and after a text, so that a rule needs no anchors
_CONTINUING = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that begin no character, of lone surrogates neither
_GROUPS = 2  # of literals that are asked for before a pattern is tried
_BLOCK = 4096  # characters that are looked at together: what a long text has somewhere is no evidence of anything
_OVERLAP = 1024
_MOST = 256  # matches in one text
_HITS = 4  # places of one phrase in one block: more of the same say nothing more


# Words before a match that make it a question about such an instruction, or a report of one.
_ASKED = compiled(
    r"(?:(?:how|when|whether|where|why) (?:to|(?:do|does|can|could|should|would|might|did) (?:i|we|one|you|they|it|people|users?|developers?|attackers?|someone|anyone|[a-z]+s))"
    r"|(?:what (?:happens|if)|happens (?:if|when)|if|when|whenever|once) (?:i|we|they|one|he|she|someone|people|users?|it|the [a-z]+|a [a-z]+)"
    r"|(?:is|was|be|are|it's) (?:it |there )?(?:[a-z]+ ){0,2}(?:safe|ok|okay|possible|bad|legal|wise|allowed|idea|good|acceptable|fine|risky|dangerous|necessary|way|ways|reason|appropriate) to"
    r"|(?:should|can|could|may|might|must|would|do|does|did|shall) (?:i|we|they|one|he|she|it|users?|people|someone|attackers?|customers?|employees|drivers|students)"
    r"|(?:(?:i|we|they|he|she|one|users?|people|attackers?|hackers?|employees|developers|customers|students) (?:can|could|may|might|should|would|will|often|sometimes|always|never|usually|also|simply|just|to|must|had to|have to|did not|didn't))"
    r"|(?:asked|told|wants?|wanted|tried|try|tries|trying|attempts?|attempting|used|designed|techniques?|tricks?|order|ways?|able|need|needs|tempted|decided|going|method|methods|prompts?|inputs?|instructions?|asks?) (?:me |him |her |us |them |the [a-z]+ |it |a [a-z]+ )?to"
    r"|(?:i|we|they|he|she|who|that|which|people|drivers|users)(?: [a-z]+ly)?)[^a-z0-9]{1,3}(?:accidentally |temporarily |safely |just |simply |also |completely |manually )?$"
)
_QUOTED = compiled(
    r"(?:phrases?|explain|attacks?|typed|examples?|such as|like|e\.g|called|words?|meanings?|means?|makes|contains?|detects?|interpret|patterns?|terms?|strings?|make of|look for|looks like|variants?|titled|wrote|payloads?|searche?[sd]?)[^\n]{0,60}[\"'`(]$"
)
_ABOUT_BEFORE = 100  # bytes
_ABOUT_SHARE = 0.45
_ACTS = frozenset({"override", "extraction", "refusal-suppression", "persona"})


class Hit(NamedTuple):
    """A rule, and the characters that it matched."""

    rule: Rule
    start: int
    end: int
    weight: float


class _Phrase(NamedTuple):
    rule: Rule
    pattern: str  # compiled when a text first has what it needs
    needs: tuple[frozenset[int], ...]  # besides the group that it is found by


class _Plan(NamedTuple):
    """What is looked for, in the words of a text and in the text itself, and what is tried where it occurs: by the place of the
    literal (those of words come first), for texts of a user and for others."""

    words: tuple[bytes, ...]
    marks: tuple[bytes, ...]
    users: dict[int, list[_Phrase]]
    others: dict[int, list[_Phrase]]


@lru_cache(maxsize=2)  # it takes a while, and megabytes: the instances of all threads and snapshots have one
def _plan(rules: tuple[Rule, ...]) -> _Plan:
    needed = [(owner, pattern, needs(pattern)[:_GROUPS]) for owner in rules for pattern in owner.patterns]
    literals = dict.fromkeys(literal for _, _, groups in needed for group in groups for literal in group)
    words = [literal for literal in literals if in_words(literal)]
    marks = [literal for literal in literals if not in_words(literal)]
    places = {literal: place for place, literal in enumerate((*words, *marks))}
    users: dict[int, list[_Phrase]] = {}
    others: dict[int, list[_Phrase]] = {}
    for owner, pattern, found in needed:
        groups = [frozenset(places[literal] for literal in group) for group in found]
        phrase = _Phrase(owner, pattern, tuple(groups[1:]))
        for place in groups[0]:
            if owner.user:
                users.setdefault(place, []).append(phrase)
            others.setdefault(place, []).append(phrase)
    return _Plan(tuple(map(_escaped, words)), tuple(map(_escaped, marks)), users, others)


class Rules:
    """All rules, compiled. One scratch space, so an instance belongs to one thread."""

    def __init__(
        self,
        rules: Sequence[Rule] = RULES,
        automaton: Callable[[tuple[bytes, ...]], Automaton] | None = None,
    ) -> None:
        plan = _plan(tuple(rules))
        self._found_by = {"user": plan.users, "tool": plan.others, "document": plan.others, "definition": plan.others}
        build = automaton or (engine.Hyperscan if find_spec("hyperscan") else Literals)
        self._words, self._marks = (
            build(literals) if literals else Literals(()) for literals in (plan.words, plan.marks)
        )
        self._first_mark = len(plan.words)

    def hits(self, folded: str, surface: str) -> list[Hit]:
        """Where rules match in a folded text, sorted. `surface` is user, tool, document or definition."""
        found = {
            hit: None
            for start in range(0, max(1, len(folded) - _OVERLAP), _BLOCK - _OVERLAP)
            for hit in self._block(folded[start : start + _BLOCK], start, surface)
        }
        return sorted(found, key=lambda hit: (hit.start, hit.end, hit.rule.id))[:_MOST]

    def _block(self, text: str, base: int, surface: str) -> Iterator[Hit]:
        data = (_BEFORE + text + _BEFORE).encode("utf-8", "surrogatepass")
        literals = {*self._words(spoken(data)), *(self._first_mark + mark for mark in self._marks(data))}
        found_by = self._found_by[surface]
        tried: dict[int, _Phrase] = {}
        for literal in found_by.keys() & literals:
            for phrase in found_by[literal]:
                for group in phrase.needs:
                    if literals.isdisjoint(group):
                        break
                else:
                    tried[id(phrase)] = phrase
        for rule, pattern, _ in tried.values():
            weight = rule.user if surface == "user" else rule.other
            for start, end, about in _spans(compiled(pattern), data):
                share = _ABOUT_SHARE if about and rule.concept in _ACTS else 1.0
                yield Hit(rule, base + start, base + end, weight * share)


class Literals:
    """What the automaton says of literals, by looking for each in turn."""

    def __init__(self, literals: tuple[bytes, ...]) -> None:
        self._literals = [bytes.fromhex(literal.decode().replace("\\x", "")) for literal in literals]

    def __call__(self, data: bytes) -> list[int]:
        return [place for place, literal in enumerate(self._literals) if literal in data]


def _escaped(literal: str) -> bytes:
    return "".join(f"\\x{byte:02x}" for byte in literal.encode("latin-1")).encode()


def _spans(pattern: Any, data: bytes) -> Iterable[tuple[int, int, bool]]:
    """In characters of the text that stands in `data` after _BEFORE, and whether it is what is talked about."""
    match = pattern.search(data)
    for _ in range(_HITS):
        if not match:
            return
        start, end = max(match.start(1), len(_BEFORE)), min(match.end(1), len(data) - len(_BEFORE))
        first, last = (len(data[:place].translate(None, _CONTINUING)) - len(_BEFORE) for place in (start, end))
        before = data[max(0, start - _ABOUT_BEFORE) : start]
        about = bool(_ASKED.search(before) or _QUOTED.search(before))
        yield first, last, about
        match = pattern.search(data, match.end(1))


def combined(weights: Collection[float]) -> float:
    """How sure independent pieces of evidence make, together."""
    rest = 1.0
    for weight in weights:
        rest *= 1.0 - weight
    return 1.0 - rest
