"""How long an old secret was still used after it was replaced: told by the journal of all workers, not by who replaced it.

A worker records which change of the sealed credentials it has taken up, with its `start` and each `reload`; a call keeps what it
began with, and its id says when it began. So the last use of an old credential is at the latest when the last call that began
before the worker's change ended. Of a virtual key that was rotated, each call's record says which of its secrets it came with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from yett.model.record import Record
from yett.stores.journal_reader import Entry, Filter, entries
from yett.stores.notary import lives

_CALL = re.compile(r"call_([0-9a-f]{11})[0-9a-f]+")  # milliseconds since the Unix epoch
_MILLION = 1_000_000
_LONGEST = 900 * _MILLION  # how long before it a call may have begun that still uses the old one


class Use(Struct, frozen=True):
    """Seconds after the replacement. `taken_up`: until every worker had the new one (of a virtual key: until the first call with it),
    None while that is not so. `last`: until the last
    call that can have used the old one ended, None when there was none. `running`: such calls that have not ended yet. `workers`:
    how many serve calls now."""

    taken_up: float | None
    last: float | None
    running: int = 0
    workers: int = 0


def of_credential(audit: Path, change: int, since: int, providers: frozenset[str]) -> Use:
    """Of a sealed credential that was replaced by this `change` at `since` (microseconds), which `providers` are called with."""
    reached: dict[str, int] = {}
    for event in ("start", "reload"):
        for entry in entries(audit, Filter(event=event, since=since)):
            sealed = entry.record.detail.get("sealed", 0)
            if isinstance(sealed, int) and sealed >= change:
                reached[entry.writer] = min(entry.record.ts, reached.get(entry.writer, entry.record.ts))
    workers = [*_gateways(audit)]
    last = 0
    running: set[str] = set()
    for entry in entries(audit, Filter(since=since - _LONGEST)) if providers else ():
        record = entry.record
        if record.kind == "outcome" and record.call in running:
            running.discard(record.call)
            used = not record.attempts or _may_use(record, providers)  # closed by who found it: it may have
        else:
            used = _may_use(record, providers) and _begun(record) <= reached.get(entry.writer, record.ts)
        if used and record.kind == "intent":
            running.add(record.call)
        elif used and record.ts > since:
            last = max(last, record.ts)
    waiting = any(writer not in reached for writer in workers)
    taken = None if waiting else max((at - since for at in reached.values()), default=0) / _MILLION
    return Use(taken, _after(last or None, since), len(running), len(workers))


def of_key(audit: Path, key: str, old: str, new: str, since: int) -> Use:
    """Of a virtual key whose secret was replaced at `since` (microseconds); `old` and `new` are what records call the two."""
    times: dict[str, list[int]] = {old: [], new: []}
    for entry in entries(audit, Filter(kind="outcome", caller=key, since=since)):
        if entry.record.proof is not None and entry.record.proof.id in times:
            times[entry.record.proof.id].append(entry.record.ts)
    return Use(_after(min(times[new], default=None), since), _after(max(times[old], default=None), since))


def _after(ts: int | None, since: int) -> float | None:
    return None if ts is None else max(0, ts - since) / _MILLION


def _may_use(record: Record, providers: frozenset[str]) -> bool:
    if record.kind == "intent":
        return any(target.partition("/")[0] in providers for target in record.targets)
    return record.kind == "outcome" and any(one.target.partition("/")[0] in providers for one in record.attempts)


def _begun(record: Record) -> int:
    """When a call began, in microseconds."""
    found = _CALL.fullmatch(record.call)
    return int(found[1], 16) * 1000 if found else record.ts


def _gateways(audit: Path) -> Iterator[str]:
    """The writers that serve calls now: they live, and have recorded their start."""
    started: list[Entry] = list(entries(audit, Filter(event="start")))
    return (entry.writer for entry in started if lives(audit / entry.writer))
