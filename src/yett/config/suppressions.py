"""Suppressions of a configuration: findings that an operator has looked at and does not want to see again, for a while."""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime, time, timedelta

from yett.config.decoding import suggestion
from yett.config.reader import Reading
from yett.detectors.suppress import Suppression
from yett.errors import Mistake
from yett.model.segment import ORIGINS

LONGEST = timedelta(days=366)  # what nobody looks at again within a year is a policy, and is to be written as one


def suppressions(reading: Reading, mistakes: list[Mistake]) -> tuple[Suppression, ...]:
    """Those that are written down, ended ones included: when they end is asked of the clock at every call."""
    found = []
    for name, settings in reading.settings.inspection.suppressions.items():
        path = ("inspection", "suppressions", name)
        until = ends(settings.until)
        if until is None:
            mistakes.append(reading.mistake((*path, "until"), f'"{settings.until}" is not a date like 2026-12-31'))
        for setting, written, known in (
            ("teams", settings.teams, tuple(reading.settings.teams)),
            ("roles", settings.roles, ORIGINS),
        ):
            for index, each in enumerate(written):
                if each not in known:
                    hint = suggestion(each, known)
                    mistakes.append(reading.mistake((*path, setting, index), f'there is no "{each}"{hint}'))
        if not settings.findings:
            mistakes.append(
                reading.mistake((*path, "findings"), 'is empty; write what it is about, as in ["pii.email"]')
            )
        found.append(
            Suppression(
                id=name,
                selectors=settings.findings,
                until=until or 0.0,
                teams=settings.teams,
                parts=settings.on,
                roles=settings.roles,
                values=frozenset(settings.values),
            )
        )
    return tuple(found)


def ends(until: str) -> float | None:
    """The end of a day in UTC, in seconds since the Unix epoch; None for what is no date."""
    try:
        day = date.fromisoformat(until)
        return datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def fingerprint(pepper: bytes, value: str) -> str:
    """What `values` holds of a value: keyed, because many values could be guessed from a plain hash."""
    return hmac.digest(pepper, b"yett suppression\0" + value.encode("utf-8", "surrogatepass"), "sha256").hex()
