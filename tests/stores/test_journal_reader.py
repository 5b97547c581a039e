"""Reading: by time over all writers, by call, by filter, backwards, and while the journal is being written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from yett.model.record import FindingCount, Record
from yett.stores import segments
from yett.stores.journal import FileJournal, Tuning, open_journal
from yett.stores.journal_reader import Entry, Filter, Follower, entries, entry, find, last
from yett.stores.segments import lines_backwards, lines_with, whole_lines, whole_size

START = 1_763_700_000
TUNING = Tuning(segment=3000, reserve=0, records=10)


class Hands:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.seconds = float(START)

    def now(self) -> float:
        self.seconds += 0.01
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


class Place:
    def __init__(self, base: Path) -> None:
        self.folder, self.keys, self.clock = base / "audit", base / "keys", Hands()
        self._count = 0

    def open(self) -> FileJournal:
        self.clock.seconds += 1
        return open_journal(self.folder, self.keys, self.clock, tuning=TUNING)

    def micros(self) -> int:
        return int(self.clock.now() * 1e6)

    def new_call(self) -> str:
        self._count += 1
        return f"call_{int(self.clock.now() * 1000):011x}0a0b0c0d{self._count:06x}"

    def call(self, journal: FileJournal, *, ended: bool = True, **fields: object) -> str:
        call = self.new_call()
        journal.write(Record(kind="intent", call=call, ts=self.micros(), model="fast", team="research"))
        if ended:
            fields = {"outcome": "ok", "model": "fast", "team": "research", **fields}
            journal.write(Record(kind="outcome", call=call, ts=self.micros(), **fields))  # type: ignore[arg-type]
        return call


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def times(found: Iterator[Entry]) -> list[int]:
    return [one.record.ts for one in found]


# ---- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 16])
@pytest.mark.parametrize(
    "text", [b"", b"\n", b"a", b"a\n", b"a\nb", b"a\nbb\nccc\n", b"a\n\nbb\npartial", b"long" * 9 + b"\nx\n"]
)
def test_lines_are_whole_whichever_way_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, block: int
) -> None:
    monkeypatch.setattr(segments, "BLOCK", block)
    monkeypatch.setattr(segments, "BACKWARDS", block)
    path = tmp_path / "file"
    path.write_bytes(text)
    lines = text.split(b"\n")[:-1]
    assert [line for _, line in whole_lines(path)] == lines
    assert list(lines_backwards(path)) == lines[::-1]
    assert whole_size(path) == text.rfind(b"\n") + 1
    for needle in (b"a", b"b", b"x", b"long"):
        assert list(lines_with(path, needle)) == [line for line in lines if needle in line]


# ---- by time ---------------------------------------------------------------------------------------------------------------


def test_entries_of_all_writers_come_by_time(place: Place) -> None:
    one, other = place.open(), place.open()
    for number in range(60):
        place.call((one, other)[number % 3 % 2])
    one.close()
    other.close()
    third = place.open()
    place.call(third)
    forwards = list(entries(place.folder))
    assert len(forwards) == 122
    assert times(iter(forwards)) == sorted(times(iter(forwards)))
    assert list(entries(place.folder, newest_first=True)) == forwards[::-1]
    assert last(place.folder, 5) == forwards[-5:]
    assert last(place.folder, 0) == []
    assert json.loads(forwards[0].raw)["n"] == forwards[0].n == 0
    third.close()


def test_there_may_be_more_writers_than_open_files(place: Place) -> None:
    for _ in range(30):
        journal = place.open()
        place.call(journal)
        journal.close()
    before = len(list(Path("/dev/fd").iterdir()))
    for newest_first in (False, True):
        open_files = [len(list(Path("/dev/fd").iterdir())) for _ in entries(place.folder, newest_first=newest_first)]
        assert len(open_files) == 60
        assert max(open_files) <= before + 3
    assert list(entries(place.folder / "nowhere")) == []


def test_a_writer_without_records_is_no_obstacle(place: Place) -> None:
    place.open().close()
    journal = place.open()
    call = place.call(journal)
    journal.close()
    (place.folder / journal.writer / "000000000002.jsonl").write_bytes(b"")
    assert len(list(entries(place.folder, newest_first=True))) == 2
    assert len(find(place.folder, call)) == 2


def test_what_cannot_be_read_is_shown_as_that(place: Place) -> None:
    journal = place.open()
    place.call(journal)
    place.call(journal)
    journal.close()
    path = place.folder / journal.writer / "000000000000.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"garbage\n", b"garbage\n", lines[1][:-9] + b"\n", *lines[2:]]))
    kinds = [one.record.kind for one in entries(place.folder)]
    assert sorted(kinds) == ["intent", "intent", "outcome", "unreadable", "unreadable", "unreadable"]
    assert entry(b"\xff").record.kind == "unreadable"


# ---- filters ---------------------------------------------------------------------------------------------------------------


def test_filters(place: Place) -> None:
    journal = place.open()
    mail = FindingCount("pii.email", 2, "request", "redacted")
    place.call(journal, caller="key_1", name="robot", policies=("allow-fast",), findings=(mail,), code="", status=200)
    place.call(journal, outcome="refused", code="policy_denied", observed=("no-pii",), team="pii", model="large")
    journal.write(Record(kind="event", call="key_1", ts=place.micros(), event="key.create", caller="key_1"))
    middle = place.micros()
    place.call(journal)
    journal.close()

    def count(**wanted: object) -> int:
        return len(list(entries(place.folder, Filter(**wanted))))  # type: ignore[arg-type]

    assert count() == 7
    assert count(kind="outcome") == 3
    assert count(caller="key_1") == 2
    assert count(caller="robot") == 1
    assert count(team="research") == 5
    assert count(model="large") == 1
    assert count(outcome="refused", code="policy_denied") == 1
    assert count(policy="allow-fast") == 1
    assert count(policy="no-pii") == 1
    assert count(finding="pii") == count(finding="pii.email") == 1
    assert count(finding="pii.e") == 0
    assert count(event="key.create") == 1
    assert count(call="key_1") == 1
    assert count(since=middle) == 2
    assert count(until=middle) == 5
    assert count(kind="outcome", outcome='o"k') == 0


def test_since_leaves_old_segments_closed(place: Place) -> None:
    journal = place.open()
    for _ in range(50):
        place.call(journal)
    place.clock.seconds += 3600
    since = place.micros()
    place.call(journal)
    journal.close()
    path = place.folder / journal.writer / "000000000000.jsonl"
    first, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(first + b"\n" + b"\xff" * len(rest))
    assert len(list(entries(place.folder, Filter(since=since)))) == 2


# ---- one call --------------------------------------------------------------------------------------------------------------


def test_a_call_is_found_in_whichever_segment_it_is(place: Place) -> None:
    calls: list[str] = []
    for _ in range(3):
        journal = place.open()
        calls += [place.call(journal) for _ in range(40)]
        place.clock.seconds += 1000
        journal.close()
    for call in calls:
        kinds = [json.loads(raw)["kind"] for raw in find(place.folder, call)]
        assert kinds == ["intent", "outcome"]


def test_what_never_was_is_not_found(place: Place) -> None:
    journal = place.open()
    call = place.call(journal)
    journal.write(Record(kind="event", call="reload", ts=place.micros(), event="reload", detail={"call": "call_1"}))
    journal.write(Record(kind="event", call="x", ts=place.micros(), event="x", detail={"call": call[:-1] + "f"}))
    for wrong in (
        "",
        "reload",
        "call_",
        "call_zzz",
        call + "0",
        call[:-1],
        call[:-1] + "f",
        'a","kind":"intent',
        "../x",
    ):
        assert find(place.folder, wrong) == [], wrong
    assert find(place.folder / "nowhere", call) == []
    journal.close()


def test_a_call_in_flight_has_its_intent_and_a_long_one_its_outcome(place: Place) -> None:
    journal = place.open()
    call = place.call(journal, ended=False)
    for _ in range(50):
        place.call(journal)
    assert len(find(place.folder, call)) == 1
    place.clock.seconds += 7200
    for _ in range(50):
        place.call(journal)
    journal.write(Record(kind="outcome", call=call, ts=place.micros(), outcome="ok"))
    assert len(find(place.folder, call)) == 2
    journal.close()


def test_a_refused_call_has_only_an_outcome(place: Place) -> None:
    journal = place.open()
    call = place.new_call()
    journal.write(Record(kind="outcome", call=call, ts=place.micros(), outcome="refused"))
    assert len(find(place.folder, call)) == 1
    journal.close()


@pytest.mark.parametrize("seconds", [0, 1, 86400])
def test_the_outcome_of_a_dead_process_is_with_the_writer_that_found_it(place: Place, seconds: int) -> None:
    journal = place.open()
    call = place.call(journal, ended=False)
    journal._notary.finish()
    for each in (journal._segment, journal._blobs.file, journal._checkpoints.file, journal._root):
        each.close()
    place.clock.seconds += seconds - 1
    following = place.open()
    found = [json.loads(raw) for raw in find(place.folder, call)]
    assert [(one["kind"], one.get("outcome")) for one in found] == [("intent", None), ("outcome", "unknown")]
    assert {one["w"] for one in found} == {journal.writer, following.writer}
    following.close()


# ---- following -------------------------------------------------------------------------------------------------------------


def test_following_sees_everything_once(place: Place) -> None:
    journal = place.open()
    place.call(journal)
    following = Follower(place.folder)
    assert following.poll() == []
    seen: list[Entry] = []
    second: FileJournal | None = None
    for number in range(40):
        place.call(journal)
        if number == 20:
            second = place.open()
        if second is not None:
            place.call(second)
        with journal._segment.path.open("ab") as file:  # the beginning of a line: not to be seen yet
            file.write(b'{"w":"')
        if number % 3 == 0:
            seen += following.poll()
        journal._segment.cut(journal._segment.size)
    seen += following.poll()
    assert following.poll() == []
    assert [one.record.ts for one in seen] == sorted(times(entries(place.folder)))[2:]
    journal.close()
    assert second is not None
    second.close()
