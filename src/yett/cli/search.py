"""Calls of the past as the console shows them: a page at a time, newest first, within a bounded time."""

from __future__ import annotations

from itertools import islice

import msgspec

from yett.cli.audit_lines import moment
from yett.cli.journal import contents
from yett.config.reading import Reading
from yett.console import answers
from yett.console.office import Wanted
from yett.model.record import Record
from yett.ports import Clock
from yett.stores.blobs import ContentKey
from yett.stores.journal import CONTENT_KEY
from yett.stores.journal_reader import Entry, Filter, entries, entry, find

SECONDS = 2.0  # that a search may take; it is given up then, and says how far it came
_USUAL = 86_400_000_000  # microseconds: how far back is looked when nobody says


class Search:
    """What the journal says, for one request."""

    def __init__(self, reading: Reading, clock: Clock) -> None:
        self._reading = reading
        self._folder = reading.audit
        self._clock = clock

    def calls(self, wanted: Wanted) -> answers.Calls:
        """Outcomes, or with `event` events, of these tenants. Blocks for SECONDS and a little more at most."""
        now = int(self._clock.now() * 1e6)
        until = wanted.until or now + 1_000_000
        tenants = wanted.tenants
        filter = Filter(
            kind="event" if wanted.event else "outcome",
            caller=wanted.caller,
            tenant=next(iter(tenants)) if tenants is not None and len(tenants) == 1 else "",
            team=wanted.team,
            task=wanted.task,
            model=wanted.model,
            outcome=wanted.outcome,
            code=wanted.code,
            event=wanted.event,
            since=wanted.since or max(0, until - _USUAL),
            until=until,
        )
        end = self._clock.monotonic() + SECONDS
        stopped = False

        def stop() -> bool:
            nonlocal stopped
            stopped = stopped or self._clock.monotonic() > end
            return stopped

        found = entries(self._folder, filter, newest_first=True, stop=stop)
        allowed = (one for one in found if tenants is None or one.record.tenant in tenants)
        page = list(islice(allowed, wanted.limit))
        before = str(page[-1].record.ts) if page and (len(page) == wanted.limit or stopped) else ""
        return answers.Calls(tuple(_line(one.record) for one in page), before, not stopped)

    def records(self, call: str, content: bool) -> tuple[dict[str, object], ...]:
        """Those of one call, the intent first; none when there are none."""
        lines = find(self._folder, call)
        path = self._reading.state / CONTENT_KEY
        key = ContentKey.load(path) if content and path.is_file() else None  # it is never made by reading
        return tuple(self._record(entry(raw), key) for raw in lines)

    def _record(self, one: Entry, key: ContentKey | None) -> dict[str, object]:
        found = msgspec.json.decode(one.raw, type=dict[str, object])
        return found if key is None else found | contents(self._folder, one, key)


def _line(record: Record) -> dict[str, object]:
    """What a list shows of a call: enough that nobody has to ask for each."""
    shown: dict[str, object] = {"call": record.call, "time": moment(record.ts), "tenant": record.tenant}
    for name in ("team", "caller", "name", "model", "target", "outcome", "code", "task", "fence", "event"):
        if value := getattr(record, name):
            shown[name] = value
    if record.policies:
        shown["policies"] = record.policies
    if record.findings:
        shown["findings"] = [f"{each.kind} x{each.count} {each.action}" for each in record.findings]
    if record.usage is not None:
        shown |= {"input": record.usage.input, "output": record.usage.output, "cost_microusd": record.usage.cost}
    if record.ms:
        shown["ms"] = round(record.ms, 1)
    if record.event:
        shown["detail"] = record.detail
    return shown
