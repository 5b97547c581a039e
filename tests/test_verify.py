"""Every way to tamper with a journal, and the name the verifier gives it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yett import verify as verifier
from yett.model.record import Content, Record
from yett.stores.checkpoint import Checkpoint, Signer
from yett.stores.journal import SIGNING_KEY, FileJournal, Tuning, open_journal
from yett.stores.merkle import leaf_hash, tree_root

TUNING = Tuning(segment=4000, reserve=4096, records=10)
NAME = "yett.local/audit"


class Ticks:
    """A clock that moves when it is looked at."""

    def __init__(self) -> None:
        self.seconds = 1_763_700_000.0

    def now(self) -> float:
        self.seconds += 0.001
        return self.seconds

    monotonic = now


def talk(journal: FileJournal, calls: int, clock: Ticks, *, last_open: bool = False) -> None:
    """`calls` calls, each with an intent and an outcome, and the text of both."""
    for number in range(calls):
        call = f"{journal.writer}-{number}"
        text = Content(5, journal.fingerprint(b"hello"), journal.keep(call, "request", b"hello %d" % number))
        journal.write(Record(kind="intent", call=call, ts=int(clock.now() * 1e6), model="fast", request=text))
        if not (last_open and number == calls - 1):
            text = Content(5, journal.fingerprint(b"world"), journal.keep(call, "reply", b"world"))
            journal.write(Record(kind="outcome", call=call, ts=int(clock.now() * 1e6), outcome="ok", reply=text))


def die(journal: FileJournal) -> None:
    """What kill -9 does to a journal: its descriptors, and with them its lock, are gone."""
    journal._notary.finish()
    for each in (journal._segment, journal._blobs.file, journal._checkpoints.file, journal._root):
        each.close()


class Scene:
    """A journal of three writers: one closed, one killed and recovered, one closed that did the recovery."""

    def __init__(self, base: Path) -> None:
        self.folder, self.keys, self.clock = base / "audit", base / "keys", Ticks()
        journal = self.open()
        talk(journal, 17, self.clock)
        journal.close()
        self.first = journal.writer
        journal = self.open()
        talk(journal, 13, self.clock, last_open=True)
        die(journal)
        self.killed = journal.writer
        journal = self.open()
        talk(journal, 12, self.clock)
        journal.close()
        self.last = journal.writer

    def open(self) -> FileJournal:
        return open_journal(self.folder, self.keys, self.clock, content="full", tuning=TUNING)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("scene"))


class Copy:
    """A copy of the scene's journal to be tampered with."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        shutil.copytree(scene.folder, folder)
        self.folder = folder
        self.writer = folder / scene.first
        self.root = folder / "root.jsonl"
        self.notes = self.writer / "checkpoints"
        self.key = verifier.read_key(str(scene.folder / "key.pub"))
        self.signer = Signer.load(scene.keys / SIGNING_KEY, NAME)

    @property
    def segments(self) -> list[Path]:
        return sorted(self.writer.glob("*.jsonl"))

    def verify(self, *anchors: tuple[str, int, bytes]) -> verifier.Report:
        return verifier.verify(self.folder, self.key, anchors)

    def lines(self, path: Path | None = None) -> list[bytes]:
        return (path or self.segments[1]).read_bytes().splitlines(keepends=True)

    def write(self, lines: list[bytes], path: Path | None = None) -> None:
        (path or self.segments[1]).write_bytes(b"".join(lines))

    def all_notes(self) -> list[bytes]:
        return [each + b"\n\n" for each in self.notes.read_bytes().split(b"=\n\n") if each]


@pytest.fixture
def copy(scene: Scene, tmp_path: Path) -> Copy:
    return Copy(scene, tmp_path / "copy")


def kinds(report: verifier.Report) -> set[str]:
    return {each.kind for each in report.problems}


# ---- the untouched journal -----------------------------------------------------------------------------------------------


def test_an_untouched_journal_verifies(copy: Copy) -> None:
    report = copy.verify()
    assert report.problems == []
    assert report.notes == []
    assert report.counts["writers closed"] == 3
    assert report.counts["orphan intents"] == 0
    assert report.counts["gaps"] == 0 if "gaps" in report.counts else True
    assert report.counts["intents"] == report.counts["outcomes"] == 17 + 13 + 12
    assert report.counts["events"] == 1
    assert report.counts["blobs"] == 2 * (17 + 13 + 12) - 1
    assert report.counts["segments"] > 9
    assert len(copy.segments) >= 4


def test_its_own_key_is_enough_but_said_to_be_weaker(copy: Copy) -> None:
    report = verifier.verify(copy.folder)
    assert report.ok
    assert any("pin it with --key" in note for note in report.notes)


def test_a_killed_writer_is_a_note(scene: Scene, tmp_path: Path) -> None:
    clock = Ticks()
    journal = open_journal(tmp_path / "audit", tmp_path / "keys", clock, tuning=TUNING)
    talk(journal, 12, clock, last_open=True)
    journal._segment.append(b'{"w":"' + journal.writer.encode())
    die(journal)
    report = verifier.verify(tmp_path / "audit")
    assert report.ok
    assert report.counts["writers unclosed"] == 1
    assert report.counts["orphan intents"] == 1
    assert any("incomplete" in note for note in report.notes)
    assert any("not signed yet" in note for note in report.notes)


# ---- one change each -------------------------------------------------------------------------------------------------------


def drop(at: int, count: int = 1) -> Callable[[Copy], None]:
    def tamper(copy: Copy) -> None:
        lines = copy.lines()
        del lines[at : at + count]
        copy.write(lines)

    return tamper


def swap(one: int, other: int) -> Callable[[Copy], None]:
    def tamper(copy: Copy) -> None:
        lines = copy.lines()
        lines[one], lines[other] = lines[other], lines[one]
        copy.write(lines)

    return tamper


def drop_first(copy: Copy) -> None:
    copy.write(copy.lines(copy.segments[0])[1:], copy.segments[0])


def drop_last(count: int) -> Callable[[Copy], None]:
    def tamper(copy: Copy) -> None:
        for _ in range(count):
            path = copy.segments[-1]
            lines = copy.lines(path)[:-1]
            if lines:
                copy.write(lines, path)
            else:
                path.unlink()

    return tamper


def drop_end_of_segment(copy: Copy) -> None:
    copy.write(copy.lines()[:-1])


def drop_half_a_line(copy: Copy) -> None:
    path = copy.segments[-1]
    path.write_bytes(path.read_bytes()[:-100])


def drop_final_line_feed(copy: Copy) -> None:
    path = copy.segments[-1]
    path.write_bytes(path.read_bytes()[:-1])


def swap_last_two(copy: Copy) -> None:
    path = copy.segments[-2]
    lines = copy.lines(path)
    lines[-1], lines[-2] = lines[-2], lines[-1]
    copy.write(lines, path)


def duplicate(copy: Copy) -> None:
    lines = copy.lines()
    copy.write([*lines[:4], lines[3], *lines[4:]])


def move(copy: Copy) -> None:
    lines = copy.lines()
    copy.write([*lines[1:5], lines[0], *lines[5:]])


def edit(copy: Copy) -> None:
    lines = copy.lines()
    lines[2] = lines[2].replace(b'"model":"fast"', b'"model":"slow"').replace(b'"outcome":"ok"', b'"outcome":"no"')
    copy.write(lines)


def edit_last(copy: Copy) -> None:
    path = copy.segments[-1]
    path.write_bytes(path.read_bytes().replace(b'"outcome":"ok"', b'"outcome":"no"'))


def renumber(copy: Copy) -> None:
    lines = copy.lines()
    lines[3] = re.sub(rb'"n":(\d+)', rb'"n":9\1', lines[3])
    copy.write(lines)


def renumber_first(copy: Copy) -> None:
    lines = copy.lines()
    lines[0] = re.sub(rb'"n":(\d+)', rb'"n":9\1', lines[0])
    copy.write(lines)


def break_line(copy: Copy) -> None:
    lines = copy.lines()
    lines[3] = lines[3][:150] + b"\n" + lines[3][151:]
    copy.write(lines)


def join_lines(copy: Copy) -> None:
    lines = copy.lines()
    lines[3] = lines[3][:-1] + b" "
    copy.write(lines)


def garbage(copy: Copy) -> None:
    lines = copy.lines()
    copy.write([*lines[:3], b"hello\n", *lines[3:]])


def foreign(copy: Copy) -> None:
    other = next(path for path in sorted(copy.folder.glob("w-*/*.jsonl")) if path.parent != copy.writer)
    lines = copy.lines()
    copy.write([*lines[:3], copy.lines(other)[0], *lines[3:]])


def chain_anew(copy: Copy, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """What somebody does who knows the format but has not the key."""
    every = [line for path in copy.segments for line in copy.lines(path)]
    tip = sha256(b"yett audit v1\n" + copy.writer.name.encode()).hexdigest()
    out = []
    for number, line in enumerate(change(every)):
        body = line[line.index(b'"kind"') :]
        fresh = b'{"w":"%b","n":%d,"prev":"%b",' % (copy.writer.name.encode(), number, tip.encode()) + body
        tip = leaf_hash(fresh[:-1]).hex()
        out.append(fresh)
    for path in copy.segments[1:]:
        path.unlink()
    copy.write(out, copy.segments[0])


def rewrite(copy: Copy) -> None:
    chain_anew(copy, lambda lines: [line.replace(b'"outcome":"ok"', b'"outcome":"no"') for line in lines])


def rewrite_one_away(copy: Copy) -> None:
    chain_anew(copy, lambda lines: [*lines[:7], *lines[8:]])


def append_after_close(copy: Copy) -> None:
    chain_anew(copy, lambda lines: [*lines, lines[-1]])


def segment_gone(at: int) -> Callable[[Copy], None]:
    return lambda copy: copy.segments[at].unlink()


def segment_cut(copy: Copy) -> None:
    copy.segments[1].write_bytes(copy.segments[1].read_bytes()[:1500])


def segments_gone(copy: Copy) -> None:
    for path in copy.segments:
        path.unlink()


def segment_renamed(copy: Copy) -> None:
    copy.segments[1].rename(copy.writer / "000000000999.jsonl")


def segments_exchanged(copy: Copy) -> None:
    one, other = copy.segments[0], copy.segments[1]
    spare = copy.writer / "spare"
    one.rename(spare)
    other.rename(one)
    spare.rename(other)


def segment_hidden(copy: Copy) -> None:
    copy.segments[1].rename(copy.writer / "notes.txt")


def segment_copied(copy: Copy) -> None:
    shutil.copy(copy.segments[1], copy.writer / "000000000999.jsonl")


def segment_forked(copy: Copy) -> None:
    lines = copy.lines()
    lines[4] = lines[4].replace(b'"ts":17', b'"ts":18')
    copy.write(lines[4:5], copy.writer / "000000000999.jsonl")


def writer_gone(copy: Copy) -> None:
    shutil.rmtree(copy.writer)


def writer_renamed(copy: Copy) -> None:
    copy.writer.rename(copy.folder / "w-0000-0000")


def writer_forked(copy: Copy) -> None:
    shutil.copytree(copy.writer, copy.folder / "w-0000-0000")
    path = copy.segments[-1]
    (copy.folder / "w-0000-0000" / path.name).write_bytes(
        path.read_bytes().replace(b'"outcome":"ok"', b'"outcome":"no"')
    )


def writer_copied(copy: Copy) -> None:
    shutil.copytree(copy.writer, copy.folder / "w-0000-0000")


def notes_gone(copy: Copy) -> None:
    copy.notes.unlink()


def split_notes(copy: Copy) -> list[bytes]:
    return [found.group() + b"\n" for found in verifier.NOTE.finditer(copy.notes.read_bytes())]


def notes_change(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Copy], None]:
    return lambda copy: copy.notes.write_bytes(b"".join(change(split_notes(copy)))) and None


def notes_exchange(notes: list[bytes]) -> list[bytes]:
    return [notes[0], notes[2], notes[1], *notes[3:]]


def note_resigned(copy: Copy) -> None:
    """Somebody else's key."""
    notes = split_notes(copy)
    other = Signer(NAME, Ed25519PrivateKey.generate())
    found = copy.signer.read(notes[-1][:-1])
    notes[-1] = other.sign(found) + b"\n"
    copy.notes.write_bytes(b"".join(notes))


def note_forked(copy: Copy) -> None:
    """The holder of the key signed two versions."""
    notes = split_notes(copy)
    last = copy.signer.read(notes[-1][:-1])
    fields = {name: getattr(last, name) for name in Checkpoint.__struct_fields__}
    other = Checkpoint(**fields | {"size": last.size - 1, "root": sha256(b"another version").digest()})
    copy.notes.write_bytes(b"".join([*notes, copy.signer.sign(other) + b"\n"]))


def notes_rewritten(copy: Copy) -> None:
    """The holder of the key signs the whole history of a writer anew, over changed records."""
    rewrite(copy)
    before, notes = sha256(b"").digest() and bytes(32), []
    leaves = [leaf_hash(line[:-1]) for path in copy.segments for line in copy.lines(path)]
    for note in split_notes(copy):
        old = copy.signer.read(note[:-1])
        fields = {name: getattr(old, name) for name in Checkpoint.__struct_fields__}
        fresh = copy.signer.sign(Checkpoint(**fields | {"root": tree_root(leaves[: old.size]), "prev": before}))
        before = sha256(fresh).digest()
        notes.append(fresh + b"\n")
    copy.notes.write_bytes(b"".join(notes))


def root_gone(copy: Copy) -> None:
    copy.root.unlink()


def root_change(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Copy], None]:
    return lambda copy: copy.write(change(copy.lines(copy.root)), copy.root)


def root_edit(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[1].replace(b'"size":34', b'"size":32'), *lines[2:]]


def blobs_change(change: Callable[[bytes], bytes]) -> Callable[[Copy], None]:
    return lambda copy: (copy.writer / "blobs").write_bytes(change((copy.writer / "blobs").read_bytes())) and None


def blob_swap(data: bytes) -> bytes:
    size = 4 + int.from_bytes(data[:4], "big")
    return data[size:] + data[:size]


TAMPERINGS: dict[str, tuple[Callable[[Copy], None], str]] = {
    "first record removed": (drop_first, "deleted"),
    "a record removed": (drop(3), "deleted"),
    "three records removed": (drop(2, 3), "deleted"),
    "a record removed at the end of a segment": (drop_end_of_segment, "deleted"),
    "last record removed": (drop_last(1), "truncated"),
    "last ten records removed": (drop_last(10), "truncated"),
    "last record cut in half": (drop_half_a_line, "truncated"),
    "last line feed removed": (drop_final_line_feed, "truncated"),
    "neighbours swapped": (swap(2, 3), "reordered"),
    "distant records swapped": (swap(1, 6), "reordered"),
    "records swapped at the end of a segment": (swap_last_two, "reordered"),
    "a record moved": (move, "reordered"),
    "a record duplicated": (duplicate, "reordered"),
    "a segment copied": (segment_copied, "reordered"),
    "a record edited": (edit, "altered"),
    "the last records edited": (edit_last, "altered"),
    "a record renumbered": (renumber, "altered"),
    "the first record of a segment renumbered": (renumber_first, "altered"),
    "a line broken in two": (break_line, "altered"),
    "two lines joined": (join_lines, "altered"),
    "garbage inserted": (garbage, "altered"),
    "another writer's record inserted": (foreign, "altered"),
    "records rewritten and chained anew": (rewrite, "altered"),
    "a record removed and the rest chained anew": (rewrite_one_away, "altered"),
    "a record appended after the end": (append_after_close, "altered"),
    "a record in another version": (segment_forked, "forked"),
    "first segment removed": (segment_gone(0), "deleted"),
    "a segment removed": (segment_gone(1), "deleted"),
    "last segment removed": (segment_gone(-1), "truncated"),
    "a segment cut in the middle of a line": (segment_cut, "truncated"),
    "an empty line between checkpoints removed": (notes_change(lambda notes: [notes[0][:-1], *notes[1:]]), "altered"),
    "public key emptied": (lambda copy: (copy.folder / "key.pub").write_text("") and None, "altered"),
    "public key removed": (lambda copy: (copy.folder / "key.pub").unlink(), "deleted"),
    "all segments removed": (segments_gone, "deleted"),
    "a segment renamed": (segment_renamed, "altered"),
    "segments exchanged": (segments_exchanged, "altered"),
    "a segment hidden under another name": (segment_hidden, "altered"),
    "a writer removed": (writer_gone, "missing-writer"),
    "a writer renamed": (writer_renamed, "altered"),
    "a writer in two versions": (writer_forked, "forked"),
    "a writer twice": (writer_copied, "forked"),
    "all checkpoints removed": (notes_gone, "deleted"),
    "first checkpoint removed": (notes_change(lambda notes: notes[1:]), "deleted"),
    "a checkpoint removed": (notes_change(lambda notes: [*notes[:2], *notes[3:]]), "deleted"),
    "last checkpoint removed": (notes_change(lambda notes: notes[:-1]), "truncated"),
    "checkpoints swapped": (notes_change(notes_exchange), "reordered"),
    "a checkpoint twice": (notes_change(lambda notes: [*notes[:2], notes[1], *notes[2:]]), "reordered"),
    "a checkpoint's root line removed": (
        notes_change(lambda notes: [notes[0], b"".join(notes[1].splitlines(keepends=True)[3:]), *notes[2:]]),
        "altered",
    ),
    "last checkpoint cut": (notes_change(lambda notes: [*notes[:-1], notes[-1][:-40]]), "truncated"),
    "last checkpoint signed by another key": (note_resigned, "altered"),
    "two signed versions": (note_forked, "forked"),
    "records and checkpoints signed anew": (notes_rewritten, "forked"),
    "root log removed": (root_gone, "deleted"),
    "root log's first statement removed": (root_change(lambda lines: lines[1:]), "deleted"),
    "a root statement removed": (root_change(lambda lines: [*lines[:2], *lines[3:]]), "deleted"),
    "the last root statement removed": (root_change(lambda lines: lines[:-1]), "truncated"),
    "the last two root statements removed": (root_change(lambda lines: lines[:-2]), "truncated"),
    "the last four root statements removed": (root_change(lambda lines: lines[:-4]), "truncated"),
    "root statements swapped": (root_change(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]), "reordered"),
    "a root statement edited": (root_change(root_edit), "altered"),
    "the root log cut": (root_change(lambda lines: [*lines[:-1], lines[-1][:-9]]), "truncated"),
    "content cut": (blobs_change(lambda data: data[:-1]), "truncated"),
    "content emptied": (blobs_change(lambda data: b""), "truncated"),
    "content removed": (lambda copy: (copy.writer / "blobs").unlink(), "deleted"),
    "content swapped": (blobs_change(blob_swap), "altered"),
    "content added": (blobs_change(lambda data: data + data[:60]), "altered"),
    "public key exchanged": (
        lambda copy: (
            (copy.folder / "key.pub").write_text(
                verifier.read_key(str(copy.folder / "key.pub")).text.replace("a", "b") + "\n"
            )
            and None
        ),
        "altered",
    ),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_each_tampering_has_its_name(copy: Copy, what: str) -> None:
    tamper, kind = TAMPERINGS[what]
    tamper(copy)
    report = copy.verify()
    assert kind in kinds(report), report.problems
    assert len(report.problems) <= 3, report.problems


SINGLE = [
    "a record removed",
    "the first record of a segment renumbered",
    "neighbours swapped",
    "a record duplicated",
    "a record edited",
    "last record removed",
]


@pytest.mark.parametrize("what", SINGLE)
def test_one_cause_is_one_problem_that_says_where(copy: Copy, what: str) -> None:
    tamper, kind = TAMPERINGS[what]
    tamper(copy)
    (problem,) = copy.verify().problems
    assert problem.kind == kind
    assert problem.where.startswith(copy.writer.name)


def every_file(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_flipped_bit_anywhere_is_ever_fine(copy: Copy, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(list(every_file(copy.folder))))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(before[:at] + bytes([before[at] ^ (1 << bit)]) + before[at + 1 :])
    try:
        report = copy.verify()
    finally:
        path.write_bytes(before)
    assert not report.ok
    # A flip may by chance change a number to another plausible one; it is still bytes that are not those signed.
    assert "altered" in kinds(report) or "truncated" in kinds(report), report.problems


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_removed_bytes_anywhere_are_ever_fine(copy: Copy, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([each for each in every_file(copy.folder) if each.name != "key.pub"]))
    before = path.read_bytes()
    at = data.draw(st.integers(0, len(before) - 1))
    count = data.draw(st.integers(1, 2000))
    path.write_bytes(before[:at] + before[at + count :])
    try:
        report = copy.verify()
    finally:
        path.write_bytes(before)
    assert not report.ok


# ---- what needs an anchor ----------------------------------------------------------------------------------------------------


def test_a_consistent_rollback_needs_an_anchor(scene: Scene, copy: Copy) -> None:
    origin, size, root = copy.verify().root.split()
    shutil.rmtree(copy.folder / scene.last)
    shutil.rmtree(copy.folder / scene.killed)
    copy.write(copy.lines(copy.root)[:2], copy.root)
    assert copy.verify().ok
    assert kinds(copy.verify((origin, int(size), base64.b64decode(root)))) == {"truncated"}


def test_another_history_needs_an_anchor(scene: Scene, copy: Copy, tmp_path: Path) -> None:
    origin, size, root = copy.verify().root.split()
    anchor = (origin, int(size), base64.b64decode(root))
    assert copy.verify(anchor).ok
    shutil.copytree(scene.keys, tmp_path / "keys")
    clock = Ticks()
    for _ in range(3):
        journal = open_journal(tmp_path / "audit", tmp_path / "keys", clock)
        talk(journal, 3, clock)
        journal.close()
    report = verifier.verify(tmp_path / "audit", copy.key, [anchor])
    assert kinds(report) == {"forked"}


def test_a_writers_checkpoint_is_an_anchor_too(copy: Copy) -> None:
    note = copy.signer.read(split_notes(copy)[2][:-1])
    assert copy.verify((note.origin, note.size, note.root)).ok
    assert kinds(copy.verify((note.origin, note.size, bytes(32)))) == {"forked"}
    assert kinds(copy.verify((note.origin, 5000, note.root))) == {"truncated"}
    assert kinds(copy.verify((f"{NAME}/w-1-1", 5, note.root))) == {"missing-writer"}


def test_another_key_signed_nothing_here(copy: Copy) -> None:
    other = Signer(NAME, Ed25519PrivateKey.generate())
    other.export(copy.folder.parent / "other.pub")
    report = verifier.verify(copy.folder, verifier.read_key(str(copy.folder.parent / "other.pub")))
    assert "bad-signature" in kinds(report)


def test_content_may_be_left_out_of_a_copy(copy: Copy) -> None:
    for path in copy.folder.glob("w-*/blobs"):
        path.unlink()
    assert kinds(copy.verify()) == {"deleted"}
    assert verifier.verify(copy.folder, copy.key, content=False).ok


# ---- the command, alone -------------------------------------------------------------------------------------------------------


def test_the_file_runs_alone_with_nothing_but_python(copy: Copy, tmp_path: Path) -> None:
    alone = tmp_path / "elsewhere" / "verify.py"
    alone.parent.mkdir()
    shutil.copy(verifier.__file__, alone)
    pinned = tmp_path / "elsewhere" / "pinned.pub"
    shutil.copy(copy.folder / "key.pub", pinned)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", str(alone), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    good = run(str(copy.folder), "--key", str(pinned))
    assert good.returncode == 0, good.stderr
    assert good.stdout.endswith("OK\n")
    (tmp_path / "anchor").write_text("\n".join(verifier.verify(copy.folder).root.split()) + "\n\n— whoever …\n")
    assert run(str(copy.folder), "--anchor", str(tmp_path / "anchor")).returncode == 0
    TAMPERINGS["a record removed"][0](copy)
    bad = run(str(copy.folder), "--key", str(pinned))
    assert bad.returncode == 4
    assert "deleted" in bad.stdout
    found = json.loads(run(str(copy.folder), "--key", str(pinned), "--json").stdout)
    assert found["ok"] is False
    assert found["problems"][0]["kind"] == "deleted"


@pytest.mark.parametrize(
    "arguments",
    [["/nowhere/at/all"], ["{}", "--key", "nonsense"], ["{}", "--anchor", "x y"], ["{}/empty"]],
)
def test_wrong_usage_is_status_2(copy: Copy, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (copy.folder / "empty").mkdir()
    assert verifier.main([each.format(copy.folder) for each in arguments]) == 2
    assert capsys.readouterr().err.startswith("verify: ")


# ---- Ed25519 against RFC 8032 section 7.1 and against a second implementation --------------------------------------------------

VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_ed25519_vectors(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verifier.ed25519_verify(key, text, signed)
    assert not verifier.ed25519_verify(key, text + b"!", signed)
    for at in (0, 31, 32, 63):
        assert not verifier.ed25519_verify(key, text, signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    # S + L is the same signature to whoever forgets to check that S < L (RFC 8032 §5.1.7).
    malleable = int.from_bytes(signed[32:], "little") + verifier.ORDER
    assert not verifier.ed25519_verify(key, text, signed[:32] + malleable.to_bytes(32, "little"))
    assert not verifier.ed25519_verify(b"\xff" * 32, text, signed)
    assert not verifier.ed25519_verify(key[:-1], text, signed)


@settings(max_examples=10, deadline=None)
@given(st.binary(max_size=200))
def test_ed25519_agrees_with_cryptography(message: bytes) -> None:
    key = Ed25519PrivateKey.generate()
    assert verifier.ed25519_verify(key.public_key().public_bytes_raw(), message, key.sign(message))
