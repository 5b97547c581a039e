"""Virtual keys as they are issued, at the command line and in the console: what must hold, what is recorded, what is shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from msgspec import structs

from yett.cli.system import SystemClock
from yett.config import units
from yett.config.decoding import suggestion
from yett.config.reading import Reading
from yett.config.tenants import tenants
from yett.model.key import VirtualKey
from yett.model.record import Record
from yett.stores.keys import KeyMistake, NewKey, StoredKey

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", re.ASCII)
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,100}")


def check_new(new: NewKey, reading: Reading, now: int) -> None:
    """Whether it fits yett.toml. Raises KeyMistake."""
    settings = reading.settings
    if not _NAME.fullmatch(new.name):
        raise KeyMistake("a key's name is one line of at most 100 characters")
    if new.team not in settings.teams:
        raise KeyMistake(f'no team "{new.team}" in {reading.file}{suggestion(new.team, settings.teams)}')
    if new.tenant not in tenants(settings):
        raise KeyMistake(f'no tenant "{new.tenant}" in {reading.file}{suggestion(new.tenant, tenants(settings))}')
    allowed = settings.teams[new.team].models or tuple(settings.models)
    for model in new.models:
        if model not in settings.models:
            raise KeyMistake(f'no model "{model}" in {reading.file}{suggestion(model, settings.models)}')
        if model not in allowed:
            raise KeyMistake(f'team "{new.team}" may not use the model "{model}"{suggestion(model, allowed)}')
    if new.expires and new.expires <= now:
        raise KeyMistake("a key works for at least a second")
    names = [name for name, _ in new.labels]
    for name in names:
        if names.count(name) > 1:
            raise KeyMistake(f'the label "{name}" is given twice')


def event_of(event: str, key: VirtualKey, more: dict[str, object]) -> Record:
    """What the journal keeps of a change of keys."""
    detail = dict(more)
    if event != "key.revoke":
        detail |= {"models": key.models, "labels": dict(key.labels), "limits": structs.asdict(key.limits)}
        detail |= {"expires": key.expires}
    return Record(
        kind="event",
        call=key.id,
        ts=int(SystemClock().now() * 1e6),
        caller=key.id,
        name=key.name,
        team=key.team,
        tenant=key.tenant,
        event=event,
        detail=detail,
    )


def when(seconds: int) -> str:
    """A time as ISO 8601 in UTC, "" for never."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""


def described(stored: StoredKey, now: int) -> dict[str, object]:
    key = stored.key
    limits = {name: value for name, value in structs.asdict(key.limits).items() if value is not None}
    if key.limits.budget is not None:
        limits["budget"] = units.format_budget(key.limits.budget)
    return {
        "id": key.id,
        "name": key.name,
        "team": key.team,
        "tenant": key.tenant,
        "last4": key.last4,
        "state": stored.state(now),
        "models": list(key.models),
        "limits": limits,
        "labels": dict(key.labels),
        "created": when(key.created),
        "expires": when(key.expires),
        "revoked": when(key.revoked),
        "last_used": when(stored.last_used),
    }
