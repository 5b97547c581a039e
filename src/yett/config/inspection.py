"""Which detectors a configuration asks for: its own and the shelf, less what is disabled."""

from __future__ import annotations

from collections.abc import Iterable

from yett.config.custom import own_detectors
from yett.config.decoding import suggestion
from yett.config.reader import Reading
from yett.detectors.detector import Detector
from yett.detectors.shelf import SHELF
from yett.errors import Mistake


def detectors(reading: Reading, mistakes: list[Mistake]) -> list[Detector]:
    """The detectors that are in force; what is wrong with their settings is added to `mistakes`."""
    # an operator's own detectors are more specific than any that ships
    own = own_detectors(reading, (detector.id for detector in SHELF), mistakes)
    return _enabled((*own, *SHELF), reading, mistakes)


def finding_names(detectors: Iterable[Detector]) -> tuple[str, ...]:
    """What policies may call findings: kinds and their families."""
    kinds = {detector.kind for detector in detectors}
    return tuple(sorted(kinds | {kind.partition(".")[0] for kind in kinds}))


def _enabled(known: Iterable[Detector], reading: Reading, mistakes: list[Mistake]) -> list[Detector]:
    known = tuple(known)
    enabled = list(known)
    for index, name in enumerate(reading.settings.inspection.disabled):
        enabled = [detector for detector in enabled if not _names(name, detector)]
        if not any(_names(name, detector) for detector in known):
            hint = suggestion(name, {detector.id for detector in known} | set(finding_names(known)))
            mistakes.append(reading.mistake(("inspection", "disabled", index), f'no detector "{name}"{hint}'))
    return enabled


def _names(name: str, detector: Detector) -> bool:
    """Whether `name` is the detector's id, its kind, or a family that its kind belongs to."""
    return name in (detector.id, detector.kind) or detector.kind.startswith(f"{name}.")
