"""Which detectors a configuration asks for: its own and the shelf, less what is disabled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from yett.config.custom import own_detectors
from yett.config.decoding import suggestion
from yett.config.inspection_settings import InspectionSettings
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.exfiltration.canary import canary
from yett.detectors.exfiltration.hosts import suffixes
from yett.detectors.exfiltration.links import EXFILTRATION, links
from yett.detectors.injection.model import InjectionModel
from yett.detectors.injection.rules import RULES, Rules
from yett.detectors.inspector import Inspector, Shapes, Whole
from yett.detectors.people import KINDS as PEOPLE_KINDS
from yett.detectors.people import People
from yett.detectors.pii import COUNTRIES, local
from yett.detectors.shelf import SHELF
from yett.detectors.sieve import Automaton
from yett.detectors.size import KIND
from yett.detectors.traits import VOCABULARY
from yett.errors import Mistake
from yett.policy.engine import PolicyEngine

CANARY = "exfiltration.canary"
INJECTION_KINDS = ("injection.suspected", "injection.split", *sorted({f"injection.{rule.concept}" for rule in RULES}))
# What is found without a pattern: by whole segments, and by what is known of the request that an answer belongs to.
OTHER_KINDS = (KIND, *PEOPLE_KINDS, "attachment.unread", "exfiltration.system-prompt", "exfiltration.taint")


def detectors(reading: Reading, mistakes: list[Mistake], key: bytes = b"") -> list[Detector]:
    """The detectors that are in force, that of canaries with the `key` to them; what is wrong with their settings is added to
    `mistakes`."""
    # an operator's own detectors are more specific than any that ships
    own = own_detectors(reading, (detector.id for detector in SHELF), mistakes)
    known = (*own, *_shelf(reading.settings.inspection), *_local(reading, mistakes))
    if key:
        known = tuple(canary(key) if detector.kind == CANARY else detector for detector in known)
    return _enabled(known, reading, mistakes)


def _local(reading: Reading, mistakes: list[Mistake]) -> tuple[Detector, ...]:
    """The numbers of the operator's own countries, as they are written without a word before them."""
    known = set()
    for index, country in enumerate(reading.settings.inspection.countries):
        if country.lower() in COUNTRIES:
            known.add(country.lower())
            continue
        hint = suggestion(country.lower(), COUNTRIES)
        trouble = f'no numbers of a country "{country}" are known{hint}'
        mistakes.append(reading.mistake(("inspection", "countries", index), trouble))
    return local(known)


def _shelf(settings: InspectionSettings) -> tuple[Detector, ...]:
    """The shelf, in which addresses know the operator's hosts."""
    if not settings.allowed_hosts and settings.other_hosts == "weigh":
        return SHELF
    shipped = {detector.id for detector in EXFILTRATION}
    place = next(place for place, detector in enumerate(SHELF) if detector.id in shipped)
    rest = [detector for detector in SHELF if detector.id not in shipped]
    addresses = links(suffixes(settings.allowed_hosts), listed_only=settings.other_hosts == "flag")
    return (*rest[:place], *addresses, *rest[place:])


def inspector(
    settings: Settings,
    scanner: Scanner,
    policy: PolicyEngine,
    wholes: Sequence[Whole] = (),
    build: Callable[[tuple[bytes, ...]], Automaton] | None = None,
) -> Inspector:
    """What looks at whole texts; with the injection model and with names where a policy asks for them, or the settings do."""
    names = settings.inspection.names
    named = names == "always" or (names == "auto" and any(policy.mentions(kind) for kind in PEOPLE_KINDS))
    wanted = settings.inspection.injection
    judges = wanted == "always" or (wanted == "auto" and policy.mentions("injection"))
    return Inspector(
        scanner,
        injection_model() if judges else None,
        Rules(automaton=build) if judges else None,
        Shapes(build),
        wholes=wholes,
        judges=judges,
        wanted=policy.reads & frozenset(VOCABULARY),
        people=People(build) if named else None,
    )


@lru_cache(maxsize=1)
def injection_model() -> InjectionModel:
    """The model that is shipped: read once per process, shared by all threads."""
    return InjectionModel.load()


def finding_names(detectors: Iterable[Detector]) -> tuple[str, ...]:
    """What policies may call findings that need no settings of their own: kinds, and their families."""
    kinds = {*(detector.kind for detector in detectors), *INJECTION_KINDS, *OTHER_KINDS}
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
