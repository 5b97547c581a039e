"""Fences as they are asked for, at the command line and in the console: whom they are about, until when, and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from yett.config import units
from yett.config.decoding import suggestion
from yett.config.reading import Reading
from yett.model.fence import KINDS, fence_name
from yett.stores.keys import KeyMistake

_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")


def check_reason(reason: str) -> None:
    """Raises KeyMistake."""
    if reason and not _LINE.fullmatch(reason):
        raise KeyMistake("a reason is one line of at most 200 characters")


def fence_named(kind: str, whom: str, tenant: str, reading: Reading, key_id: Callable[[str], str]) -> str:
    """Of the fence. A name that nobody has would keep nobody out, so what can be checked is. Raises KeyMistake."""
    if kind not in KINDS:
        raise KeyMistake(f'"{kind}" is nothing that is fenced off{suggestion(kind, KINDS)}')
    if not _LINE.fullmatch(whom) or not _LINE.fullmatch(tenant) or "/" in tenant or (kind == "tenant" and "/" in whom):
        raise KeyMistake("an id is one line of at most 200 characters, and a tenant's has no slash")
    if kind == "team" and whom not in reading.settings.teams:
        raise KeyMistake(f'no team "{whom}" in {reading.file}{suggestion(whom, reading.settings.teams)}')
    if kind == "task" and not whom.startswith("task_"):
        raise KeyMistake(f'"{whom}" is no task\'s id; records have it as "task_…"')
    if kind in ("user", "agent", "service") and whom.startswith("key_"):
        raise KeyMistake(f'"{whom}" is a key: "yett revoke key {whom}"')
    if kind == "key":
        return fence_name(kind, tenant, key_id(whom))
    return fence_name(kind, tenant, whom)


def end_of(until: str, now: int) -> int:
    """When a fence ends, seconds since the Unix epoch; 0 for never. Raises KeyMistake."""
    if not until:
        return 0
    try:
        end = now + int(units.parse_duration(until))
    except ValueError:
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            raise KeyMistake(
                f'"{until}" is neither a duration, such as "2h", nor a time, such as "2026-12-01T08:00:00Z"'
            ) from None
        end = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    if end <= now:
        raise KeyMistake(f'"{until}" is over already')
    if end - now > units.LONGEST_DURATION * 86_400:
        raise KeyMistake(f'"{until}" is more than a hundred years away; leave it out for ever')
    return end
