"""The journal on real files: durability under kill -9 and a full disk, recovery, concurrency, content at rest."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Raw

from yett.errors import ConfigurationError, IntegrityError, Refusal
from yett.model.record import Content, Record
from yett.stores.blobs import LOST, ContentKey, open_blob
from yett.stores.journal import CONTENT_KEY, PUBLIC_KEY, SIGNING_KEY, FileJournal, Tuning, open_journal
from yett.stores.journal_recovery import DeadWriter, Orphan
from yett.stores.root_log import RootLog
from yett.stores.segments import genesis
from yett.verify import read_key, verify

SMALL = Tuning(segment=4000, reserve=4096, records=10)


class Hands:
    """A clock set by hand."""

    def __init__(self) -> None:
        self.seconds = 1_763_700_000.0

    def now(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.seconds


def intent(call: str, **fields: object) -> Record:
    return Record(kind="intent", call=call, ts=1, model="fast", **fields)  # type: ignore[arg-type]


def outcome(call: str, **fields: object) -> Record:
    return Record(kind="outcome", call=call, ts=2, outcome="ok", **fields)  # type: ignore[arg-type]


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in sorted(folder.glob("w-*/*.jsonl")) for line in path.read_bytes().splitlines()]


def die(journal: FileJournal) -> None:
    """What kill -9 does to a journal: its descriptors, and with them its lock, are gone."""
    journal._notary.finish()
    for each in (journal._segment, journal._blobs.file, journal._checkpoints.file, journal._root):
        each.close()
    os.close(journal._reserve._descriptor)


class Place:
    """An audit folder and its keys."""

    def __init__(self, base: Path) -> None:
        self.folder, self.keys, self.clock = base / "audit", base / "keys", Hands()

    def open(self, **options: object) -> FileJournal:
        self.clock.seconds += 1
        return open_journal(self.folder, self.keys, self.clock, **{"tuning": SMALL, **options})  # type: ignore[arg-type]

    def intact(self) -> bool:
        report = verify(self.folder, read_key(str(self.folder / PUBLIC_KEY)))
        assert report.problems == []
        return report.ok


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# ---- what is written -----------------------------------------------------------------------------------------------------


async def test_records_are_chained_lines_in_segments(place: Place) -> None:
    journal = place.open()
    for number in range(40):
        await journal.append(intent(f"c{number}"))
        await journal.append(outcome(f"c{number}"))
    journal.close()
    found = lines(place.folder)
    assert [line["n"] for line in found] == list(range(80))
    assert {line["w"] for line in found} == {journal.writer}
    assert found[0] == found[0] | {"kind": "intent", "call": "c0", "ts": 1, "model": "fast"}
    segments = sorted((place.folder / journal.writer).glob("*.jsonl"))
    assert len(segments) > 3
    assert all(path.stat().st_size <= SMALL.segment for path in segments)
    assert not (place.folder / journal.writer / "reserve").exists()
    assert place.intact()


def test_checkpoints_come_every_so_many_records(place: Place) -> None:
    journal = place.open()
    for number in range(35):
        journal.write(intent(f"c{number}"))
    journal.close()
    text = (place.folder / journal.writer / "checkpoints").read_text()
    assert re.findall(r"^yett\.local/audit/w-\S+\n(\d+)$", text, re.MULTILINE) == ["0", "10", "20", "30", "35"]


async def test_checkpoints_come_with_time_and_a_heartbeat_when_idle(tmp_path: Path) -> None:
    place = Place(tmp_path)
    tuning = Tuning(interval=0.01, heartbeat=5, root_interval=20)
    journal = place.open(tuning=tuning)
    journal.start()
    journal.write(intent("c"))

    async def until(count: int) -> str:
        for _ in range(1000):
            await asyncio.sleep(0.01)
            text = (place.folder / journal.writer / "checkpoints").read_text()
            if text.count("\nfrontier") >= count:
                return text
        raise AssertionError(text)

    await until(2)
    await asyncio.sleep(0.1)
    assert (place.folder / journal.writer / "checkpoints").read_text().count("\nfrontier") == 2  # idle: no more
    place.clock.seconds += 6
    await until(3)
    place.clock.seconds += 20
    await until(4)
    journal.close()
    events = [json.loads(line)["event"] for line in (place.folder / "root.jsonl").read_bytes().splitlines()]
    assert events == ["open", "checkpoint", "close"]
    assert place.intact()


def test_after_close_nothing_is_taken(place: Place) -> None:
    journal = place.open(content="full")
    journal.close()
    journal.close()
    with pytest.raises(Refusal):
        journal.write(intent("c"))
    with pytest.raises(Refusal):
        journal.write(outcome("c"))
    with pytest.raises(Refusal):
        journal.keep("c", "request", b"text")
    assert journal.keep("c", "reply", b"text") == LOST
    assert not journal.healthy


def test_what_json_cannot_say_is_written_as_well_as_it_can_be(place: Place) -> None:
    journal = place.open()
    journal.write(intent("a\ud800b\n\"\\", facts=Raw(b'{"team":"research"}'), detail={"when": object()}))  # fmt: skip
    journal.write(intent("c\x00\u2028é"))
    journal.close()
    found = lines(place.folder)
    assert found[0]["call"] == 'a?b\n"\\'
    assert found[0]["facts"] == {"team": "research"}
    assert found[1]["call"] == "c\x00\u2028é"
    assert place.intact()


# ---- power -------------------------------------------------------------------------------------------------------------------


async def test_power_waits_for_the_disk_and_shares_the_wait(place: Place) -> None:
    journal = place.open(durability="power", content="full", tuning=Tuning(segment=20_000, records=50))
    synced: list[int] = []
    real = journal._synced
    journal._synced = lambda loop, batch, failure: (synced.append(len(batch)), real(loop, batch, failure))[1]  # type: ignore[method-assign]

    async def call(number: int) -> None:
        journal.keep(f"c{number}", "request", b"text")
        await journal.append(intent(f"c{number}"))
        assert journal._blobs.file.synced > 0

    await asyncio.gather(*(call(number) for number in range(300)))
    assert sum(synced) == 300
    assert len(synced) < 100
    journal.close()
    assert place.intact()


async def test_a_disk_that_does_not_confirm_refuses_and_is_never_trusted_again(place: Place) -> None:
    journal = place.open(durability="power")
    await journal.append(intent("c1"))
    journal._segment.doubt()
    with pytest.raises(Refusal):
        await journal.append(intent("c2"))
    assert not journal.healthy
    with pytest.raises(Refusal):
        await journal.append(outcome("c1"))
    journal.close()
    assert "fdatasync failed" in journal._notary.trouble


async def test_closing_answers_whoever_still_waits(place: Place) -> None:
    journal = place.open(durability="power")
    waiting = [asyncio.ensure_future(journal.append(intent(f"c{number}"))) for number in range(3)]
    await asyncio.sleep(0)
    journal.close()
    await asyncio.gather(*waiting)
    assert place.intact()


# ---- keys --------------------------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_for_the_owner_alone(place: Place) -> None:
    place.open().close()
    before = {name: (place.keys / name).read_bytes() for name in (SIGNING_KEY, CONTENT_KEY)}
    place.open().close()
    assert {name: (place.keys / name).read_bytes() for name in before} == before
    assert all((place.keys / name).stat().st_mode & 0o777 == 0o600 for name in before)
    (place.keys / SIGNING_KEY).chmod(0o640)
    with pytest.raises(ConfigurationError, match="readable by others"):
        place.open()


@pytest.mark.parametrize("name", [SIGNING_KEY, CONTENT_KEY])
def test_a_broken_key_file_is_a_mistake_with_a_name(place: Place, name: str) -> None:
    place.open().close()
    (place.keys / name).write_text("hello")
    with pytest.raises(ConfigurationError, match=name):
        place.open()


def test_another_keys_journal_is_not_continued(place: Place) -> None:
    place.open().close()
    (place.keys / SIGNING_KEY).unlink()
    with pytest.raises(IntegrityError, match="another key"):
        place.open()


# ---- content ---------------------------------------------------------------------------------------------------------------


def test_content_is_sealed_and_opens_only_as_what_it_was(place: Place) -> None:
    journal = place.open(content="full")
    name = journal.keep("c1", "request", b"my secret prompt")
    other = journal.keep("c1", "reply", b"my secret reply")
    journal.close()
    key = ContentKey.load(place.keys / CONTENT_KEY)
    assert open_blob(place.folder, name, "c1", "request", key) == b"my secret prompt"
    assert open_blob(place.folder, other, "c1", "reply", key) == b"my secret reply"
    everything = b"".join(path.read_bytes() for path in place.folder.rglob("*") if path.is_file())
    assert b"secret" not in everything
    for call, part in (("c2", "request"), ("c1", "reply")):
        with pytest.raises(IntegrityError, match="does not open"):
            open_blob(place.folder, name, call, part, key)
    with pytest.raises(IntegrityError, match="does not open"):
        open_blob(place.folder, name, "c1", "request", ContentKey(bytes(32)))
    for wrong in ("", "../etc/passwd", name.replace("/0/", "/1/"), name[:-1] + "x", name.replace("w-", "w-0")):
        with pytest.raises(IntegrityError):
            open_blob(place.folder, wrong, "c1", "request", key)


@pytest.mark.parametrize(("content", "fingerprints", "keeps"), [
    ("none", False, False), ("digest", True, False), ("redacted", True, True), ("full", True, True),
])  # fmt: skip
def test_only_what_is_configured_is_kept(place: Place, content: str, fingerprints: bool, keeps: bool) -> None:
    journal = place.open(content=content)
    assert bool(journal.keep("c", "request", b"x")) is keeps
    assert bool(journal.fingerprint(b"x")) is fingerprints
    assert journal.fingerprint(b"x") == journal.fingerprint(b"x")
    journal.close()


def test_a_nonce_is_never_used_twice_even_for_a_frame_that_was_cut_off(place: Place) -> None:
    journal = place.open(content="full")
    names = []
    for _ in range(3):
        names.append(journal.keep("c", "request", b"same"))
        journal._blobs.file.cut(0)
    assert len({name.rpartition("/")[2] for name in names}) == 3
    die(journal)


# ---- recovery ----------------------------------------------------------------------------------------------------------------


def test_the_calls_of_a_dead_process_get_an_outcome(place: Place) -> None:
    journal = place.open()
    for number in range(12):
        journal.write(intent(f"c{number}", hold=f"h{number}"))
    for number in range(9):
        journal.write(outcome(f"c{number}"))
    die(journal)
    following = place.open()
    (found,) = following.recovered
    assert (found.writer, found.size, found.damage, found.torn) == (journal.writer, 21, "", 0)
    assert [each.intent.hold for each in found.orphans] == ["h9", "h10", "h11"]
    assert isinstance(found.orphans[0], Orphan)
    following.close()
    unknown = [line for line in lines(place.folder) if line.get("outcome") == "unknown"]
    assert [(line["call"], line["code"], line["event"], line["hold"]) for line in unknown] == [
        (f"c{number}", "internal_error", "recovery", f"h{number}") for number in (9, 10, 11)
    ]
    assert place.intact()
    last = place.open()
    assert last.recovered == ()
    last.close()


def test_a_torn_line_and_a_torn_checkpoint_and_a_torn_blob_are_cut(place: Place) -> None:
    journal = place.open(content="full")
    journal.keep("c1", "request", b"text")
    journal.write(intent("c1"))
    with journal._segment.path.open("ab") as file:
        file.write(b'{"w":"' + journal.writer.encode() + b'","n":1,"pr')
    with journal._checkpoints.file.path.open("ab") as file:
        file.write(b"yett.local/audit/")
    with journal._blobs.file.path.open("ab") as file:
        file.write(b"\x00\x00\x10\x00abc")
    die(journal)
    following = place.open()
    (found,) = following.recovered
    assert found.torn > 30
    assert found.damage == ""
    following.close()
    assert place.intact()


def test_recovery_reads_only_what_it_must(place: Place) -> None:
    """From the last checkpoint, or the oldest call that was open then: earlier segments may be as long as they like."""
    journal = place.open()
    for number in range(100):
        journal.write(intent(f"c{number}"))
        if number != 60:
            journal.write(outcome(f"c{number}"))
    die(journal)
    oldest, *_ = sorted((place.folder / journal.writer).glob("*.jsonl"))
    kept = oldest.read_bytes()
    oldest.write_bytes(b"")
    following = place.open()
    (found,) = following.recovered
    assert found.damage == ""
    assert [each.intent.call for each in found.orphans] == ["c60"]
    following.close()
    oldest.write_bytes(kept)
    assert place.intact()


@pytest.mark.parametrize(
    "what", ["altered tail", "records gone", "segment gone", "blobs gone", "blobs cut", "checkpoints"]
)
def test_a_damaged_log_does_not_stop_the_start_and_is_not_papered_over(place: Place, what: str) -> None:
    journal = place.open(content="full", tuning=Tuning(segment=4000, reserve=4096, records=20))
    for number in range(45):
        journal.keep(f"c{number}", "request", b"text")
        journal.write(intent(f"c{number}"))
        journal.write(outcome(f"c{number}"))
    die(journal)
    folder = place.folder / journal.writer
    last = max(folder.glob("*.jsonl"))
    if what == "altered tail":
        last.write_bytes(last.read_bytes().replace(b'"call":"c43"', b'"call":"x43"', 1))
    elif what == "records gone":
        last.write_bytes(b"")
    elif what == "segment gone":
        for path in sorted(folder.glob("*.jsonl"))[1:]:
            path.unlink()
    elif what == "blobs gone":
        (folder / "blobs").unlink()
    elif what == "blobs cut":
        (folder / "blobs").write_bytes((folder / "blobs").read_bytes()[:40])
    else:
        path = folder / "checkpoints"
        path.write_bytes(path.read_bytes().replace(b"open", b"shut"))
    following = place.open()
    (found,) = following.recovered
    assert found.damage
    following.write(intent("works"))
    following.close()
    again = place.open()
    assert again.recovered == ()
    again.close()
    assert not verify(place.folder).ok


def test_an_altered_root_log_stops_the_start(place: Place) -> None:
    place.open().close()
    path = place.folder / "root.jsonl"
    before = path.read_bytes()
    for changed in (
        before.replace(b'"size":0', b'"size":1'),
        before.replace(b"checkpoint", b"checkpoinT"),
        before[:-2] + b"\n",
    ):
        path.write_bytes(changed)
        with pytest.raises(IntegrityError, match="last line is not what was signed"):
            place.open()
    path.write_bytes(before + b'{"n":2,"pr')  # torn: its process was killed in the write
    place.open().close()
    assert place.intact()


def test_a_recovery_that_failed_is_done_again_and_each_call_has_one_outcome(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = place.open()
    for number in range(5):
        journal.write(intent(f"c{number}"))
    die(journal)

    def full(self: DeadWriter, root: RootLog, ts: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(DeadWriter, "finish", full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                place.open()
    following = place.open()
    assert sum(len(each.orphans) for each in following.recovered) == 0
    assert len(following.recovered) == 3
    following.close()
    unknown = [line["call"] for line in lines(place.folder) if line.get("outcome") == "unknown"]
    assert unknown == [f"c{number}" for number in range(5)]
    assert place.intact()


def test_records_that_somebody_put_there_are_not_signed(place: Place) -> None:
    place.open().close()
    forged = place.folder / "w-00000001-00000001"
    forged.mkdir()
    (forged / "checkpoints").touch()
    body = {"w": forged.name, "n": 0, "prev": genesis(forged.name), "kind": "event", "call": "x", "ts": 1, "event": "x"}
    (forged / "000000000000.jsonl").write_bytes(json.dumps(body, separators=(",", ":")).encode() + b"\n")
    assert not verify(place.folder).ok
    following = place.open()
    assert "no signed checkpoint" in following.recovered[0].damage
    following.close()
    assert not verify(place.folder).ok


def test_a_living_writer_is_left_alone(place: Place) -> None:
    living = place.open()
    living.write(intent("c"))
    other = place.open()
    assert other.recovered == ()
    living.write(outcome("c"))
    living.close()
    other.close()
    assert place.intact()


# ---- kill -9 -----------------------------------------------------------------------------------------------------------------

WRITER = textwrap.dedent(
    """
    import asyncio, os, sys, time
    from pathlib import Path
    from yett.model.record import Record
    from yett.stores.journal import Tuning, open_journal

    class Clock:
        now = staticmethod(time.time)
        monotonic = staticmethod(time.monotonic)

    async def main(base, run, durability):
        tuning = Tuning(segment=50_000, reserve=65536, records=100, interval=0.02, root_interval=0.05)
        journal = open_journal(base / "audit", base / "keys", Clock(), durability=durability, content="full", tuning=tuning)
        journal.start()

        async def caller(number):
            count = 0
            while True:
                call = f"{run}-{number}-{count}"
                journal.keep(call, "request", b"x" * 100)
                await journal.append(Record(kind="intent", call=call, ts=1))
                os.write(1, f"i {call}\\n".encode())
                await asyncio.sleep(0)
                await journal.append(Record(kind="outcome", call=call, ts=2, outcome="ok"))
                os.write(1, f"o {call}\\n".encode())
                count += 1

        await asyncio.gather(*(caller(number) for number in range(5)))

    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
    """
)


def test_kill_9_loses_no_acknowledged_record(tmp_path: Path) -> None:
    place = Place(tmp_path)
    acknowledged: set[tuple[str, str]] = set()
    for run in range(10):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(run), "power" if run % 3 == 2 else "crash"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            seen = [process.stdout.readline() for _ in range(40 * (run + 1))]
            process.send_signal(signal.SIGKILL)
            seen += process.stdout.read().splitlines(keepends=True)
        acknowledged |= {tuple(line.decode().split()) for line in seen if line.endswith(b"\n")}  # type: ignore[misc]
        if run % 2:
            assert verify(place.folder).ok  # also before anybody has recovered it
    assert len(acknowledged) > 2000
    place.clock.seconds += 1e9  # whatever the clock says, the dead stay dead
    journal = place.open()
    journal.close()
    found = {(str(line["kind"])[0], str(line["call"])) for line in lines(place.folder)}
    assert acknowledged <= found
    report = verify(place.folder)
    assert report.problems == []
    assert report.counts["orphan intents"] == 0
    assert report.counts["writers closed"] == 11
    assert report.notes[1:] == []


def test_a_journal_verifies_while_it_is_written(tmp_path: Path) -> None:
    """In place, at any moment, also when writers begin and end meanwhile: nothing that looks like tampering."""
    place = Place(tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen([*command, "busy", "crash"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        drained = threading.Thread(target=process.stdout.read)
        drained.start()
        for number in range(12):
            if number % 3 == 0:
                place.open(content="full").close()
            report = verify(place.folder)
            assert report.problems == []
        assert report.counts["records"] > 100
        process.kill()
        drained.join()


# ---- a full disk -------------------------------------------------------------------------------------------------------------


def write_until_refused(journal: FileJournal) -> int:
    """How many intents were taken before one was not."""
    for number in range(10_000):
        try:
            journal.write(intent(f"c{number}"))
        except Refusal:
            return number
    raise AssertionError("the disk is never full")


def fill(path: Path) -> None:
    """Leave not a single free block."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


SMALL_DISK = textwrap.dedent(
    """
    import asyncio, runpy, subprocess, sys
    from pathlib import Path
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "yett-test", sys.argv[1]], check=True)
    asyncio.run(runpy.run_path(sys.argv[2])["on_the_small_disk"](Path(sys.argv[1])))
    """
)


def test_a_full_disk_for_real(tmp_path: Path) -> None:
    """A file system of 2 MB in a mount namespace of its own, as root or as anybody."""
    disk = tmp_path / "disk"
    disk.mkdir()
    space = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    trial = [*space, "mount", "-t", "tmpfs", "yett-test", str(disk)]
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode:
        return  # no mount namespaces here; the limit on file sizes below tests the same handling on any system
    command = [*space, sys.executable, "-c", SMALL_DISK, str(disk), __file__]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def on_the_small_disk(disk: Path) -> None:
    place = Place(disk)
    tuning = Tuning(reserve=100_000, records=50, interval=0.01)
    journal = place.open(content="full", tuning=tuning)
    journal.start()
    for number in range(200):
        await journal.append(intent(f"before-{number}"))
    fill(place.folder.parent / "ballast")
    written = write_until_refused(journal)
    assert not journal.healthy
    assert "No space left" in journal.reason
    with pytest.raises(Refusal):
        journal.keep("x", "request", bytes(100_000))
    assert journal.keep("x", "reply", bytes(100_000)) == LOST
    # Every call that was let in gets its outcome, and none is let in any more, reserve or not.
    for number in range(200):
        await journal.append(outcome(f"before-{number}"))
        with pytest.raises(Refusal):
            await journal.append(intent(f"late-{number}"))
        with pytest.raises(Refusal):
            await journal.append(outcome(f"late-{number}"))
    for number in range(written):
        await journal.append(outcome(f"c{number}"))
    place.clock.seconds += 1
    with pytest.raises(Refusal):
        await journal.append(intent("probe"))
    (place.folder.parent / "ballast").unlink()
    place.clock.seconds += 1
    await journal.append(intent("after"))
    for _ in range(200):
        await asyncio.sleep(0.01)
        place.clock.seconds += 1
        if journal.healthy:
            break
    assert journal.healthy, journal.reason
    assert (place.folder / journal.writer / "reserve").stat().st_size == tuning.reserve
    await journal.append(outcome("after"))
    journal.close()
    assert place.intact()
    report = verify(place.folder)
    assert report.counts["orphan intents"] == 0
    assert report.counts["outcomes"] == 200 + written + 1


@pytest.fixture
def file_limit() -> Iterator[int]:
    """No file may grow past this: EFBIG from `write`, as a full disk would answer ENOSPC."""
    limit = 20_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_write_cut_short_leaves_no_trace(place: Place, file_limit: int) -> None:
    tuning = Tuning(reserve=4096, records=1000)
    journal = place.open(content="full", tuning=tuning)
    written = write_until_refused(journal)
    size = journal._segment.path.stat().st_size
    assert file_limit - 300 < size < file_limit
    assert journal._segment.path.read_bytes().endswith(b"}\n")
    assert not journal.healthy
    with pytest.raises(Refusal):
        journal.write(intent("refused at once"))
    with pytest.raises(Refusal):
        journal.write(
            outcome("c1", detail={"why": "x" * 300})
        )  # the reserve is given up, and does not help against this limit
    with pytest.raises(Refusal):
        journal.write(Record(kind="event", call="reload", ts=3, detail={"why": "x" * 300}))
    with pytest.raises(Refusal):
        journal.keep("c", "request", bytes(file_limit))
    assert (place.folder / journal.writer / "reserve").stat().st_size == 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    place.clock.seconds += 1
    journal.write(intent("again"))
    assert journal.healthy
    journal.close()
    assert len(lines(place.folder)) == written + 1
    assert place.intact()


def test_a_checkpoint_that_could_not_be_written_is_trouble_until_one_could(place: Place, file_limit: int) -> None:
    journal = place.open(tuning=Tuning(reserve=4096, records=1))
    for number in range(60):
        try:
            journal.write(intent(f"c{number}"))
        except Refusal:
            break
    deadline = time.monotonic() + 10
    while not journal._notary.trouble and time.monotonic() < deadline:
        journal._request()
        time.sleep(0.001)
    assert journal._notary.trouble
    assert not journal.healthy
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    place.clock.seconds += 1
    journal.write(intent("again"))
    journal.close()
    assert journal._notary.trouble == ""
    assert place.intact()


def test_no_space_for_a_reserve_is_no_start(place: Place, file_limit: int) -> None:
    with pytest.raises(OSError, match="File too large"):
        place.open(tuning=Tuning(reserve=file_limit * 2))
    place.open(tuning=SMALL).close()  # what the failed start left behind is cleaned up by the next
    assert place.intact()


def test_many_workers_may_start_at_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from yett.model.record import Record
        from yett.stores.journal import open_journal

        class Clock:
            now = staticmethod(time.time)
            monotonic = staticmethod(time.monotonic)

        base = Path(sys.argv[1])
        journal = open_journal(base / "audit", base / "keys", Clock())
        for number in range(50):
            journal.write(Record(kind="intent", call=f"{journal.writer}-{number}", ts=1))
            journal.write(Record(kind="outcome", call=f"{journal.writer}-{number}", ts=1))
        journal.close()
        """
    )
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path)]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    report = verify(place.folder)
    assert report.problems == []
    assert report.counts["writers closed"] == 4
    assert report.counts["records"] == 400
    assert len((place.folder / "root.jsonl").read_bytes().splitlines()) == 8


def test_a_record_may_carry_content(place: Place) -> None:
    journal = place.open(content="full")
    kept = Content(4, journal.fingerprint(b"text"), journal.keep("c", "request", b"text"))
    journal.write(intent("c", request=kept))
    journal.close()
    (line,) = lines(place.folder)
    assert line["request"] == {"bytes": 4, "hmac": kept.hmac, "blob": kept.blob}
    assert place.intact()
