"""National: the numbers by which states, insurances and tax offices know people, one file for a part of the world."""

from __future__ import annotations

from yett.detectors.detector import Detector
from yett.detectors.pii.national import americas, asia, eastern, northern, southern, southern_hemisphere, western
from yett.detectors.pii.national.identifier import Identifier
from yett.detectors.pii.national.unnamed import UNNAMED

IDENTIFIERS: tuple[Identifier, ...] = (
    *northern.IDENTIFIERS,
    *western.IDENTIFIERS,
    *southern.IDENTIFIERS,
    *eastern.IDENTIFIERS,
    *americas.IDENTIFIERS,
    *asia.IDENTIFIERS,
    *southern_hemisphere.IDENTIFIERS,
)
COUNTRIES: frozenset[str] = frozenset(identifier.country for identifier in IDENTIFIERS)

NATIONAL: tuple[Detector, ...] = (
    *(identifier.bare() for identifier in IDENTIFIERS if identifier.alone),
    *(identifier.named() for identifier in IDENTIFIERS),
    *UNNAMED,
)
