"""What commands that look at texts share: the inspector of a configuration, or of Yett as it ships."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from yett.cli.automata import builder
from yett.config.decoding import suggestion
from yett.config.inspection import detectors, finding_names, injection_model
from yett.config.reader import load
from yett.config.wholes import topic_names, wholes
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.inspector import Inspected, Inspector, Shapes, Whole
from yett.detectors.mask import matches
from yett.detectors.people import People
from yett.detectors.shelf import SHELF
from yett.errors import ConfigurationError, Mistake
from yett.model.finding import Finding
from yett.model.segment import ORIGINS, Segment

# As other formats call them. Who is not known is `other`.
ROLES = {
    **{role: role for role in ORIGINS},
    "tool_result": "tool",
    "tool_call": "arguments",
    "tool_definition": "definition",
    "tool_description": "definition",
    "retrieved": "document",
    "model": "assistant",
}


class Look(Struct, frozen=True):
    """How to look: with whose detectors, as whose text, for which kinds (empty: all). It crosses to other processes."""

    config: Path | None = None
    role: str = "user"
    kinds: tuple[str, ...] = ()
    as_json: bool = False

    def at(self, text: str, role: str = "") -> Inspected:
        """What is in `text`. Raises ConfigurationError when there is a configuration with mistakes."""
        seen = inspector(self.config).text(text, role or self.role)
        if not self.kinds:
            return seen
        wanted = tuple(f for f in seen.findings if any(matches(f.kind, kind) for kind in self.kinds))
        return Inspected(wanted, seen.scores)

    def names(self, text: str) -> list[Finding]:
        """Names and addresses alone. Raises ConfigurationError."""
        return inspector(self.config).asked((Segment(text, self.role, 0),))


class _Tools(Struct, frozen=True):
    scanner: Scanner
    inspector: Inspector
    kinds: frozenset[str]


def unknown(look: Look) -> str:
    """What is wrong with the kinds that are looked for, "" when nothing is. Raises ConfigurationError."""
    known = _tools(look.config).kinds
    for kind in look.kinds:
        if not any(matches(each, kind) for each in known):
            return f'nothing finds "{kind}"{suggestion(kind, known)}'
    return ""


def inspector(config: Path | None) -> Inspector:
    """What looks at whole texts, with all that a configuration asks for, or as Yett ships. Raises ConfigurationError."""
    return _tools(config).inspector


def scanner(config: Path | None) -> Scanner:
    """The patterns alone. Raises ConfigurationError."""
    return _tools(config).scanner


@cache
def _tools(config: Path | None) -> _Tools:
    """Built once in a process."""
    build = builder(os.environ)
    enabled: Sequence[Detector] = SHELF
    whole: tuple[Whole, ...] = ()
    topics: tuple[str, ...] = ()
    if config is not None:
        reading = load(config, None)  # what texts contain is found without the providers' keys
        mistakes: list[Mistake] = []
        enabled = detectors(reading, mistakes)
        whole = wholes(reading, mistakes)
        topics = topic_names(reading.settings)
        if mistakes:
            raise ConfigurationError(tuple(mistakes))
    patterns = Scanner(enabled, build)
    # what a configuration disables is known, too: who asks for it has not misspelt it
    kinds = frozenset(kind for kind in finding_names((*SHELF, *enabled)) if "@" not in kind).union(topics)
    looks = Inspector(patterns, injection_model(), shapes=Shapes(build), wholes=whole, people=People(build))
    return _Tools(patterns, looks, kinds)
