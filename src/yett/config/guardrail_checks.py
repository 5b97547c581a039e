"""What must hold between the settings of a guardrail, before anything is sent to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from yett.config.checks import check_url, is_loopback
from yett.config.decoding import Problem, suggestion
from yett.config.guardrail_settings import GuardrailSettings
from yett.config.lines import KeyPath
from yett.config.settings import Settings
from yett.guardrails import transformer
from yett.guardrails.categories import slug
from yett.guardrails.shelf import KINDS
from yett.model.segment import ORIGINS

ROLES = frozenset(ORIGINS)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}(\.[a-z0-9][a-z0-9-]{0,47}){1,3}", re.ASCII)
_REGION = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_OWN = frozenset(("label", "guardrail", "score"))  # families that mean something to Yett itself


def check_guardrails(settings: Settings) -> list[Problem]:
    """Every mistake in `[guardrails.NAME]`. An empty string where a name is required was reported before: it is passed over."""
    return [
        ((("guardrails", name, *path)), problem)
        for name, guardrail in settings.guardrails.items()
        for path, problem in _guardrail(name, guardrail)
    ]


def reports(guardrail: GuardrailSettings) -> tuple[str, ...]:
    """The kinds of finding that may come of a guardrail."""
    kind = KINDS.get(guardrail.kind)
    return (*(kind.reports if kind is not None else transformer.REPORTS), *guardrail.kinds.values())


def _guardrail(name: str, guardrail: GuardrailSettings) -> Iterator[tuple[KeyPath, str]]:
    if not _NAME.fullmatch(name):
        yield (), "a guardrail's name consists of letters, digits, dots, dashes and underscores"
    kind = KINDS.get(guardrail.kind)
    known = [*KINDS, transformer.NAME]
    if guardrail.kind and guardrail.kind not in known:
        yield ("kind",), f'no kind "{guardrail.kind}"{suggestion(guardrail.kind, known)}'
        return
    for need in kind.needs if kind is not None else ("folder",):
        if not getattr(guardrail, need):
            yield (need,), f'kind "{guardrail.kind}" needs it'
    offered = kind.checks if kind is not None else ()
    yield from _unknown("checks", guardrail.checks, offered)
    for setting in ("roles", "always"):
        yield from _unknown(setting, getattr(guardrail, setting), ROLES)
    if guardrail.above > guardrail.below:
        yield ("above",), "must not be more than below"
    if guardrail.region and not _REGION.fullmatch(guardrail.region):
        yield ("region",), "a region consists of small letters, digits and dashes"
    if guardrail.sha256 and not _DIGEST.fullmatch(guardrail.sha256):
        yield ("sha256",), "a SHA-256 has 64 hexadecimal digits"
    if guardrail.base_url and (trouble := _address(guardrail)):
        yield ("base_url",), trouble
    yield from _kinds(guardrail)


def _kinds(guardrail: GuardrailSettings) -> Iterator[tuple[KeyPath, str]]:
    for label, kind in guardrail.kinds.items():
        if label != slug(label):
            yield ("kinds", label), f'write it in small letters, digits and dashes: "{slug(label)}"'
        if not _KIND.fullmatch(kind):
            yield ("kinds", label), 'a kind of finding is written as in "topic.gambling"'
        elif kind.partition(".")[0] in _OWN:
            yield ("kinds", label), f'"{kind.partition(".")[0]}" is a family that a guardrail may not report'
    known = reports(guardrail)
    for kind in guardrail.thresholds:
        if kind not in known:
            yield ("thresholds", kind), f'it reports no "{kind}"{suggestion(kind, known)}'


def _unknown(setting: str, names: Iterable[str], known: Iterable[str]) -> Iterator[tuple[KeyPath, str]]:
    known = tuple(known)
    for index, name in enumerate(names):
        if name and name not in known:
            hint = suggestion(name, known) if known else "; this kind has none"
            yield (setting, index), f'there is no "{name}"{hint}'


def _address(guardrail: GuardrailSettings) -> str:
    """What is wrong with the base URL, "" when nothing is."""
    trouble, host = check_url(guardrail.base_url, ("http", "https"))
    if trouble:
        return trouble
    if guardrail.base_url.lower().startswith("http:") and not is_loopback(host) and not guardrail.plaintext:
        accept = "use https://, or accept it with plaintext = true in this table"
        return f'"{guardrail.base_url}" would send texts and keys unencrypted; {accept}'
    return ""
