"""Topics: what an operator wants to be talked about, or not, in his own words.

A topic is given by patterns and keywords, which find the words themselves, and by example sentences, which find others like them:
every sentence of a text is compared with every example as a vector of its hashed character n-grams, whose cosine is the score.
That is likeness of words in any inflection, not of meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import re2
from msgspec import Struct

from yett.detectors.expression import compiled
from yett.detectors.normalise import plain
from yett.detectors.view import View
from yett.model.finding import Finding
from yett.model.segment import Segment

OTHER = "topic.other"  # what a user says is about none of the topics that are allowed
SAYS = 20  # characters besides common words; "yes, please go on" is about whatever was said before

DIMENSIONS = 2048
SENTENCES = 512  # of a text that are compared
SENTENCE = 400  # characters
MATCHES = 64  # of one topic in one text
_GRAMS = (3, 4, 5)
_SENTENCE = re.compile(rf"[^.!?\n\u3002\uff01\uff1f]{{8,{SENTENCE}}}")
_SPACES = re.compile(r"[\W_]+")
_COMMON = re.compile(
    r"\b(?:the|an?|and|or|of|to|in|on|for|is|are|was|be|it|this|that|with|as|at|by|from|i|you|we|me|my|your|can|do|does|how|what|please|"
    r"der|die|das|und|ist|ein|eine|zu|le|la|les|et|de|des|un|une|est|el|los|las|y|que|en)\b"
)
_Vectors = np.ndarray[Any, np.dtype[np.float32]]


class Topic(Struct, frozen=True):
    """As configured: RE2 patterns, keywords (whole words or phrases, in any case), example sentences, the likeness from which on a
    sentence counts, and whether it is one of those that users may talk about."""

    name: str
    patterns: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    likeness: float = 0.4
    allowed: bool = False


class Mention(Struct, frozen=True, gc=False):
    """A topic in a text, `kind` as policies call it. The score of words is 1.0, of a sentence its likeness."""

    kind: str
    start: int
    end: int
    score: float


class Topics:
    """All topics of a configuration. Raises re2.error for a pattern that is none."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = tuple(topics)
        self._allowed = frozenset(f"topic.{topic.name}" for topic in topics if topic.allowed)
        self._patterns = [_pattern(topic) for topic in topics]
        self._examples = [_vectors([_plain(example) for example in topic.examples]) for topic in topics]

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """Where the topics are touched, sorted by position: as the text stands, and without the disguises of single characters."""
        found = self._touched(text)
        root = View(text)
        view = plain(root)
        if view is not root:
            taken: dict[str, list[Mention]] = {}
            for mention in found:
                taken.setdefault(mention.kind, []).append(mention)
            for mention in self._touched(view.text):
                start, end, _ = view.origin(mention.start, mention.end)
                beside = taken.get(mention.kind, ())
                if not any(other.start < end and start < other.end for other in beside):
                    found.append(Mention(mention.kind, start, end, mention.score))
        return tuple(sorted(found, key=lambda one: (one.start, one.end, one.kind)))

    def _touched(self, text: str) -> list[Mention]:
        found: list[Mention] = []
        for topic, pattern in zip(self._topics, self._patterns, strict=True):
            if pattern is not None:
                found += _matches(f"topic.{topic.name}", pattern, text)
        found += [
            Mention(f"topic.{topic.name}", start, end, score)
            for topic, start, end, score in self._likeness(text)
            if score >= topic.likeness
        ]
        return found

    def findings(self, segment: Segment, number: int) -> Iterable[Finding]:
        """What `mentions` finds in a segment, as findings; and that it is about nothing that users may talk about."""
        mentions = self.mentions(segment.text)
        for mention in mentions:
            yield Finding(mention.kind, number, mention.start, mention.end, mention.kind, round(mention.score, 4))
        asked = self._allowed and segment.role == "user" and _says_something(segment.text)
        if asked and self._allowed.isdisjoint(one.kind for one in mentions):
            yield Finding(OTHER, number, 0, len(segment.text), OTHER)

    def scores(self, text: str) -> dict[str, float]:
        """The greatest likeness by topic, 0.0 to 1.0."""
        best = {topic.name: 0.0 for topic in self._topics if topic.examples}
        for topic, _, _, score in self._likeness(text):
            best[topic.name] = max(best[topic.name], score)
        return best

    def _likeness(self, text: str) -> Iterable[tuple[Topic, int, int, float]]:
        if not any(map(len, self._examples)):
            return
        places = [found.span() for found, _ in zip(_SENTENCE.finditer(text), range(SENTENCES), strict=False)]
        sentences = _vectors([_plain(text[start:end]) for start, end in places])
        for topic, examples in zip(self._topics, self._examples, strict=True):
            if len(examples) and len(sentences):
                for (start, end), score in zip(places, (sentences @ examples.T).max(axis=1).tolist(), strict=True):
                    yield topic, start, end, min(1.0, score)


def _says_something(text: str) -> bool:
    """Whether a text is about something: no name, no file in base64, no "thank you"."""
    said = _plain(text).strip()
    return len(said) >= SAYS and (" " in said or not said.isascii())


def trouble(pattern: str) -> str:
    """What is wrong with a pattern, "" for nothing."""
    try:
        compiled(_ascii(pattern))
    except re2.error as error:
        said = error.args[0]
        return f"is not a pattern of RE2: {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return ""


def _pattern(topic: Topic) -> Any:
    words = [rf"(?:^|[^A-Za-z0-9_])(?i:{_escaped(word)})(?:$|[^A-Za-z0-9_])" for word in topic.keywords]
    return (
        compiled("|".join((*(f"(?:{_ascii(pattern)})" for pattern in topic.patterns), *words)))
        if words or topic.patterns
        else None
    )


def _escaped(text: str) -> str:
    return "".join(
        c if c.isascii() and c.isalnum() else r"[ \t\r\n]+" if c.isspace() else _ascii(f"\\{c}" if c.isascii() else c)
        for c in text
    )


def _ascii(pattern: str) -> str:
    """Characters beyond ASCII as the bytes of their UTF-8: patterns are matched on bytes."""
    return "".join(c if c.isascii() else "".join(rf"\x{byte:02x}" for byte in c.encode()) for c in pattern)


def _matches(kind: str, pattern: Any, text: str) -> Iterable[Mention]:
    data = text.encode("utf-8", "surrogatepass")
    ascii_only = len(data) == len(text)
    for found, _ in zip(pattern.finditer(data), range(MATCHES), strict=False):
        start, end = found.span()
        if start == end:
            continue
        if not ascii_only:
            start, end = (len(data[:place].decode("utf-8", "replace")) for place in (start, end))
        yield Mention(kind, start, end, 1.0)


def _plain(sentence: str) -> str:
    return f" {_SPACES.sub(' ', _COMMON.sub(' ', sentence.casefold())).strip()} "


def _vectors(sentences: Sequence[str]) -> _Vectors:
    """One row of length 1 for each sentence; all zeros for one that has no n-gram."""
    if not sentences:
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    codes = np.frombuffer("".join(sentences).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    owner = np.repeat(np.arange(len(sentences)), [len(sentence) for sentence in sentences])
    places = []
    for size in _GRAMS:
        count = max(0, len(codes) - size + 1)
        hashes = np.zeros(count, dtype=np.uint64)
        for offset in range(size):
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + codes[offset : offset + count]
        hashes = (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        whole = owner[:count] == owner[size - 1 : size - 1 + count]
        places.append((owner[:count] * DIMENSIONS + (hashes >> np.uint64(53)).astype(np.int64))[whole])
    counts = np.bincount(np.concatenate(places), minlength=len(sentences) * DIMENSIONS).reshape(
        len(sentences), DIMENSIONS
    )
    vectors = np.sqrt(counts).astype(np.float32)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: _Vectors = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    return unit
