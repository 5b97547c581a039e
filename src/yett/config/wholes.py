"""What is asked about whole segments as a configuration describes it: topics, and the most that one may be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.detectors.inspector import Whole
from yett.detectors.size import Size
from yett.detectors.topics import OTHER, Topic, Topics, trouble
from yett.errors import Mistake

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def wholes(reading: Reading, mistakes: list[Mistake]) -> tuple[Whole, ...]:
    """What `Inspector` is given; what is wrong with the settings is added to `mistakes`."""
    settings = reading.settings.inspection
    found: list[Whole] = []
    if settings.max_segment_chars is not None or settings.max_segment_tokens is not None:
        found.append(Size(settings.max_segment_chars, settings.max_segment_tokens))
    wrong = [*_wrong(reading)]
    mistakes += wrong
    if settings.topics and not wrong:
        topics = settings.topics.items()
        found.append(
            Topics([Topic(name, t.patterns, t.keywords, t.examples, t.likeness, t.allowed) for name, t in topics])
        )
    return tuple(found)


def topic_names(settings: Settings) -> tuple[str, ...]:
    """What policies may call topics: `topic.NAME`, and `topic` for any of them."""
    topics = settings.inspection.topics
    other = (OTHER,) if any(topic.allowed for topic in topics.values()) else ()
    return ("topic", *other, *(f"topic.{name}" for name in topics)) if topics else ()


def _wrong(reading: Reading) -> Iterable[Mistake]:
    for name, topic in reading.settings.inspection.topics.items():
        path = ("inspection", "topics", name)
        if not _NAME.fullmatch(name):
            yield reading.mistake(path, "a topic's name is of lower-case letters and digits, with single hyphens")
        if f"topic.{name}" == OTHER:
            yield reading.mistake(path, "stands for everything that no allowed topic is about; give it another name")
        if not (topic.patterns or topic.keywords or topic.examples):
            yield reading.mistake(path, "says nothing: it needs patterns, keywords or examples")
        for index, pattern in enumerate(topic.patterns):
            if said := trouble(pattern):
                yield reading.mistake((*path, "patterns", index), said)
