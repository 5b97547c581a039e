"""Detectors that a configuration brings: described in it and tried on their own examples, or in a package that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from yett.config.decoding import shown, suggestion
from yett.config.inspection_settings import DetectorSettings
from yett.config.lines import KeyPath
from yett.config.reading import Reading
from yett.detectors.custom import KEYWORD, VALIDATORS, Custom, detector
from yett.detectors.detector import Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.pattern import Unreadable
from yett.errors import Mistake

GROUP = "yett.detectors"
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_KIND = re.compile(r"[a-z]+(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+", re.ASCII)
# What goes wrong when a package is imported that is not what it should be; anything else is a fault worth a traceback.
_UNLOADABLE = (ImportError, AttributeError, SyntaxError, NameError, TypeError, ValueError, LookupError, OSError)


def own_detectors(reading: Reading, taken: Iterable[str], mistakes: list[Mistake]) -> list[Detector]:
    """The detectors of packages, then those of the file. `taken` are the ids that there are already."""
    ids = set(taken)
    found: list[Detector] = []
    for index, name in enumerate(reading.settings.inspection.plugins):
        path: KeyPath = ("inspection", "plugins", index)
        loaded, trouble = _loaded(name)
        for each in loaded:
            trouble = trouble or _unfit(each, ids)
            ids.add(each.id)
        if trouble:
            mistakes.append(reading.mistake(path, trouble))
        else:
            found += loaded
    for name, settings in reading.settings.inspection.detectors.items():
        problems = list(_problems(("inspection", "detectors", name), name, settings, ids))
        mistakes += [reading.mistake(where, message) for where, message in problems]
        if not problems:
            found.append(_described(name, settings))
    return _tried(found, reading, mistakes)


# ---- described in the file ------------------------------------------------------------------------------------------


def _described(name: str, settings: DetectorSettings) -> Detector:
    return detector(
        Custom(
            id=name,
            kind=settings.kind or f"custom.{name}",
            pattern=settings.pattern,
            keywords=settings.keywords,
            within=settings.within,
            validator=settings.validator,
        )
    )


def _problems(path: KeyPath, name: str, settings: DetectorSettings, ids: set[str]) -> Iterable[tuple[KeyPath, str]]:
    if not _ID.fullmatch(name):
        yield path, "a detector's name consists of lower-case letters and digits, with single dashes between"
    elif name in ids:
        yield path, "there is a detector of this name already; choose another"
    if settings.kind and not _KIND.fullmatch(settings.kind):
        yield (
            (*path, "kind"),
            f'"{shown(settings.kind)}" is no kind; write a family and a name, as in "secret.acme-token"',
        )
    for index, word in enumerate(settings.keywords):
        if not word.strip() or len(word.encode()) > KEYWORD:
            yield (*path, "keywords", index), f"a keyword has 1 to {KEYWORD} bytes"
    if settings.validator and settings.validator not in VALIDATORS:
        hint = suggestion(settings.validator, VALIDATORS)
        yield (*path, "validator"), f'no validator "{shown(settings.validator)}"{hint}'
    elif settings.pattern:
        try:
            _described(name, settings)
        except Unreadable as error:
            yield (*path, "pattern"), str(error)
    else:
        yield (*path, "pattern"), "must not be empty"


def _tried(found: list[Detector], reading: Reading, mistakes: list[Mistake]) -> list[Detector]:
    """Those that the engine takes, tried on their examples."""
    described = reading.settings.inspection.detectors
    scanner = _scanner(found)
    if scanner is None:
        refused = [each for each in found if _scanner([each]) is None]
        for each in refused:
            where = ("detectors", each.id, "pattern") if each.id in described else ("plugins",)
            mistakes.append(
                reading.mistake(("inspection", *where), f"the engine does not take the pattern of {each.id}")
            )
        return [each for each in found if each not in refused]
    for place, each in enumerate(found):
        if (settings := described.get(each.id)) is None:
            continue
        path: KeyPath = ("inspection", "detectors", each.id)
        for setting, texts, trouble in (
            ("matches", settings.matches, "nothing is found in this text"),
            ("not_matches", settings.not_matches, "something is found in this text"),
        ):
            for index, text in enumerate(texts):
                if _finds(scanner, place, text) is (setting == "not_matches"):
                    mistakes.append(reading.mistake((*path, setting, index), trouble))
    return found


def _scanner(detectors: list[Detector]) -> Scanner | None:
    try:
        return Scanner(detectors)
    except ValueError:
        return None


def _finds(scanner: Scanner, place: int, text: str) -> bool:
    """Asked of the candidates: what else is found in the same text does not matter."""
    return any(candidate.detector == place for candidate in scanner.candidates(f"\0\n{text}\0\n"))


# ---- in packages ----------------------------------------------------------------------------------------------------


def _loaded(name: str) -> tuple[list[Detector], str]:
    """The detectors of a plugin, or why there are none. Only what is named in the configuration *and* declared by an
    installed distribution is ever imported."""
    declared = {_name(point): point for point in entry_points(group=GROUP)}
    if (point := declared.get(name)) is None:
        hint = suggestion(name, declared)
        return [], f'no installed package declares "{shown(name)}" as an entry point of "{GROUP}"{hint}'
    try:
        loaded = point.load()
    except _UNLOADABLE as error:
        return [], f"cannot be loaded: {type(error).__name__}: {shown(str(error), 200)}"
    items = [loaded] if isinstance(loaded, Detector) else loaded
    if not isinstance(items, (list, tuple)) or not all(isinstance(each, Detector) for each in items):
        return [], "is neither a Detector nor a sequence of them"
    return list(items), ""


def _name(point: EntryPoint) -> str:
    return point.value.replace(" ", "")


def _unfit(each: Detector, ids: set[str]) -> str:
    if not _ID.fullmatch(each.id) or each.id in ids:
        return (
            f'the id "{shown(each.id)}" is {"taken" if each.id in ids else "not made of lower-case letters and digits"}'
        )
    if not _KIND.fullmatch(each.kind):
        return f'detector {each.id}: "{shown(each.kind)}" is no kind'
    try:
        Scanner([each], Portable)
    except ValueError as error:
        return shown(str(error), 200)
    return ""
