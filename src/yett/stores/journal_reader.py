"""Reading the audit journal while it is written: in time order over all writers, by call, by filter, from the end, following.

Readers take no lock. A last line that is still being written is left out until it is whole.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from yett.model.record import Record
from yett.stores.segments import ENVELOPE, lines_backwards, lines_with, segments, whole_lines, whole_size

SECOND = 1_000_000
UNKNOWN = 1 << 62
_BETWEEN = 256  # lines between two questions whether to go on
SKEW = 60 * SECOND  # how far the clocks of two processes of a machine may be apart
BEGUN = 300 * SECOND  # the first record of a call is written at most this long after its id was made
_CALL_ID = re.compile(r"call_([0-9a-f]{11})[0-9a-f]+")  # milliseconds since the epoch, then what makes it unique
_WRITER = re.compile(r"w-([0-9a-f]{8,})-[0-9a-f]+")
_TS = re.compile(rb'"ts":(\d{1,18})')
_decoder = msgspec.json.Decoder(Record)


class Entry(Struct, frozen=True):
    """One line of the journal. `raw` is exactly what is stored, without its line feed. A line that cannot be read is there as
    a record of kind "unreadable": what is wrong with it is the verifier's business, that it is there is everybody's."""

    writer: str
    n: int
    record: Record
    raw: bytes


class Filter(Struct, frozen=True):
    """What to look for; empty means anything. `caller` is a caller's id or name, `finding` a kind or its family, times are
    microseconds since the epoch: since ≤ ts < until."""

    kind: str = ""
    call: str = ""
    caller: str = ""
    tenant: str = ""
    team: str = ""
    task: str = ""
    model: str = ""
    outcome: str = ""
    code: str = ""
    policy: str = ""
    finding: str = ""
    event: str = ""
    since: int = 0
    until: int = 0

    def needles(self) -> list[bytes]:
        """What a matching line contains, whatever else: most lines are dropped by this, before they are decoded."""
        exact = (
            self.kind,
            self.call,
            self.caller,
            self.tenant,
            self.team,
            self.task,
            self.model,
            self.outcome,
            self.code,
            self.policy,
            self.event,
        )
        found = [msgspec.json.encode(value) for value in exact if value]
        return [*found, msgspec.json.encode(self.finding)[:-1]] if self.finding else found

    def matches(self, record: Record) -> bool:
        equal = (
            (self.kind, record.kind), (self.call, record.call), (self.team, record.team), (self.model, record.model),
            (self.tenant, record.tenant), (self.task, record.task), (self.outcome, record.outcome), (self.code, record.code), (self.event, record.event),
        )  # fmt: skip
        return (
            all(wanted in ("", there) for wanted, there in equal)
            and self.caller in ("", record.caller, record.name)
            and (not self.policy or self.policy in record.policies or self.policy in record.observed)
            and (not self.finding or any(_is_kind(each.kind, self.finding) for each in record.findings))
            and self.since <= record.ts
            and (not self.until or record.ts < self.until)
        )


def _is_kind(kind: str, wanted: str) -> bool:
    return kind == wanted or kind.startswith(wanted + ".")


def writers(folder: Path) -> list[Path]:
    """The writers' folders, in the order in which their processes began."""
    found = [path for path in folder.glob("w-*") if path.is_dir()] if folder.is_dir() else []
    return sorted(found, key=lambda path: (_began(path), path.name))


def _began(writer: Path) -> int:
    """Microseconds since the epoch, from the writer's name."""
    found = _WRITER.fullmatch(writer.name)
    return int(found[1], 16) * SECOND if found else 0


def entry(raw: bytes) -> Entry:
    """Decode one line."""
    found = ENVELOPE.match(raw)
    try:
        record = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        record = None
    if found is None or record is None:
        ts = _TS.search(raw)
        return Entry("", -1, Record(kind="unreadable", call="", ts=int(ts[1]) if ts else 0), raw)
    return Entry(found[1].decode(), int(found[2]), record, raw)


# ---- everything, in time order ------------------------------------------------------------------------------------------


def _never() -> bool:
    return False


def entries(
    folder: Path,
    wanted: Filter = Filter(),  # noqa: B008
    *,
    newest_first: bool = False,
    stop: Callable[[], bool] = _never,
) -> Iterator[Entry]:
    """The entries that match, over all writers, by time. Files are opened as they are reached. It ends early once `stop` says so, which is
    asked before each writer and every few hundred lines."""
    sources = []
    for path in writers(folder):
        if stop():
            break
        found = [segment for _, segment in segments(path)]
        edges = map(last_ts, reversed(found)) if newest_first else map(first_ts, found)
        edge = next((ts for ts in edges if ts != UNKNOWN), None)
        if edge is not None:
            sources.append((edge, path))
    return _merged(sources, wanted, newest_first=newest_first, stop=stop)


def _merged(
    sources: list[tuple[int, Path]], wanted: Filter, *, newest_first: bool, stop: Callable[[], bool]
) -> Iterator[Entry]:
    """Merge by time. A writer's files are opened when its time comes: there may be thousands of writers."""
    sign = -1 if newest_first else 1
    waiting = sorted(((sign * edge, path) for edge, path in sources), reverse=True)
    heads: list[tuple[int, int, int, Entry, Iterator[Entry]]] = []
    order = count()

    def advance(source: Iterator[Entry]) -> None:
        for one in source:
            heapq.heappush(heads, (sign * one.record.ts, sign * one.n, next(order), one, source))
            return

    while heads or waiting:
        while waiting and (not heads or waiting[-1][0] <= heads[0][0]):
            advance(_of_writer(waiting.pop()[1], wanted, newest_first=newest_first, stop=stop))
        if heads:
            *_, one, source = heapq.heappop(heads)
            yield one
            advance(source)


def _of_writer(writer: Path, wanted: Filter, *, newest_first: bool, stop: Callable[[], bool]) -> Iterator[Entry]:
    found = segments(writer)
    ends = [first_ts(path) for _, path in found[1:]] if wanted.since else []
    needles = wanted.needles()
    order = range(len(found))
    for at in reversed(order) if newest_first else order:
        if at < len(ends) and ends[at] + SKEW < wanted.since:
            continue
        path = found[at][1]
        for number, raw in enumerate(
            lines_backwards(path) if newest_first else (line for _, line in whole_lines(path))
        ):
            if number % _BETWEEN == 0 and stop():
                return
            if all(needle in raw for needle in needles):
                one = entry(raw)
                if wanted.matches(one.record):
                    yield one


def last(folder: Path, number: int) -> list[Entry]:
    """The newest `number` entries, oldest first."""
    return list(islice(entries(folder, newest_first=True), number))[::-1]


class Follower:
    """What has been added since the last look, over all writers, those that begin meanwhile included."""

    def __init__(self, folder: Path) -> None:
        """From the end of what is there now."""
        self._folder = folder
        self._at: dict[Path, tuple[Path, int]] = {}
        for writer in writers(folder):
            found = segments(writer)
            if found:
                self._at[writer] = (found[-1][1], whole_size(found[-1][1]))

    def poll(self) -> list[Entry]:
        """The new entries, by time."""
        fresh = [one for writer in writers(self._folder) for one in self._news(writer)]
        return sorted(fresh, key=lambda one: one.record.ts)

    def _news(self, writer: Path) -> Iterator[Entry]:
        found = [path for _, path in segments(writer)]
        begin, offset = self._at.get(writer, (None, 0))
        for path in found[found.index(begin) if begin in found else 0 :]:
            at = offset if path == begin else 0
            for start, raw in whole_lines(path, at):
                at = start + len(raw) + 1
                yield entry(raw)
            self._at[writer] = (path, at)


# ---- one call ----------------------------------------------------------------------------------------------------------------


def find(folder: Path, call: str) -> list[bytes]:
    """The lines of one call, oldest first; empty when there are none.

    Ids of calls say when they were made, so only the segments of that time are read: a client that asks for calls that never
    were must not cause walks through the whole journal. What is no such id is not searched for: `entries` does that.
    """
    made = _CALL_ID.fullmatch(call)
    if made is None:
        return []
    needle = b'"call":' + msgspec.json.encode(call)
    time = int(made[1], 16) * 1000
    for writer in reversed(writers(folder)):
        if _began(writer) <= time + BEGUN:
            found = _find_in(writer, call, needle, time)
            if found and _kind(found[-1]) != "outcome":
                return found + _find_recovered(folder, writer, call, needle)
            if found and (dead := _recovered_from(found[0])):
                return _find_in(folder / dead, call, needle, time) + found
            if found:
                return found
    return []


def _recovered_from(raw: bytes) -> str:
    """The writer that has the intent, when this outcome was written for it after its process died; else ""."""
    record = entry(raw).record
    writer = record.detail.get("writer")
    return writer if record.event == "recovery" and isinstance(writer, str) and _WRITER.fullmatch(writer) else ""


def _find_in(writer: Path, call: str, needle: bytes, time: int) -> list[bytes]:
    """From the segment of that time on, until the outcome; but no further than where the call must have begun."""
    found = segments(writer)
    # The last segment that begins before the call was made, by bisection: one line read per step.
    low, high = 0, len(found)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if first_ts(found[middle][1]) <= time - SKEW else (low, middle)
    lines: list[bytes] = []
    for _, path in found[low:]:
        if not lines and first_ts(path) > time + BEGUN:
            break
        if not lines and last_ts(path) < time - SKEW:
            continue
        for raw in lines_with(path, needle):
            if entry(raw).record.call == call:
                lines.append(raw)
                if _kind(raw) == "outcome":
                    return lines
    return lines


def _find_recovered(folder: Path, writer: Path, call: str, needle: bytes) -> list[bytes]:
    """The outcome of a call whose process died: among the first records of a writer that began later."""
    # Names tell seconds: of two that began in the same one, either may be the later.
    for later in (path for path in writers(folder) if path != writer and _began(path) >= _began(writer)):
        for _, path in segments(later)[:1]:
            for raw in lines_with(path, needle):
                if entry(raw).record.call == call:
                    return [raw]
    return []


def _kind(raw: bytes) -> Literal["intent", "outcome", "event", ""]:
    found = ENVELOPE.match(raw)
    kind = found[4].decode() if found else ""
    return kind if kind in ("intent", "outcome", "event") else ""  # type: ignore[return-value]


def first_ts(path: Path) -> int:
    """When the first record of a segment was made, microseconds; UNKNOWN when it has none yet."""
    return next((_ts(raw) for _, raw in whole_lines(path)), UNKNOWN)


def last_ts(path: Path) -> int:
    """When the last record of a segment was made, microseconds; UNKNOWN when it has none yet."""
    return next((_ts(raw) for raw in lines_backwards(path)), UNKNOWN)


def _ts(raw: bytes) -> int:
    found = _TS.search(raw)
    return int(found[1]) if found else UNKNOWN
