"""Suppressions of a configuration: findings that an operator has looked at and does not want to see again, for a while."""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from yett.config.decoding import suggestion
from yett.config.keyed_hash import KeyedHash
from yett.config.reading import Reading
from yett.config.tenants import tenants
from yett.detectors.suppress import Suppression
from yett.errors import Mistake
from yett.model.segment import ORIGINS

_LENGTH = 16  # bytes of a fingerprint: no two values of a tenant meet by chance
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
            ("tenants", settings.tenants, tuple(tenants(reading.settings))),
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
                tenants=settings.tenants,
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


def fingerprint(pepper: bytes, tenant: str, value: str) -> str:
    """What the journal, reviews and suppressions hold of a value: keyed, because many values could be guessed from a plain hash,
    and with a key of the tenant, so that nobody can tell that two tenants have the same."""
    return _of_tenant(pepper, tenant).digest(value.encode("utf-8", "surrogatepass"))[:_LENGTH].hex()


@lru_cache(maxsize=256)
def _of_tenant(pepper: bytes, tenant: str) -> KeyedHash:
    return KeyedHash(hmac.digest(pepper, b"yett values\0" + tenant.encode(), "sha256"))
