"""What commands that look at texts share: the inspector of a configuration, or of Yett as it ships."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec import Struct

from yett.config.inspection import detectors
from yett.config.reader import load
from yett.detectors.engine import Scanner
from yett.detectors.injection.model import InjectionModel
from yett.detectors.inspector import Inspected, Inspector
from yett.detectors.mask import matches
from yett.detectors.shelf import SHELF
from yett.errors import ConfigurationError, Mistake
from yett.model.segment import ORIGINS

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


@cache
def inspector(config: Path | None) -> Inspector:
    """Built once in a process: compiling takes a good part of a second. Raises ConfigurationError."""
    return Inspector(scanner(config), InjectionModel.load())


@cache
def scanner(config: Path | None) -> Scanner:
    """The patterns of a configuration, or of Yett as it ships. Raises ConfigurationError."""
    if config is None:
        return Scanner(SHELF)
    reading = load(config, None)  # what texts contain is found without the providers' keys
    mistakes: list[Mistake] = []
    enabled = detectors(reading, mistakes)
    if mistakes:
        raise ConfigurationError(tuple(mistakes))
    return Scanner(enabled)
