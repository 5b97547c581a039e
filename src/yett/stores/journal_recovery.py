"""What a writer left behind when its process died: read the unsigned tail, find the calls without outcome, close the log.

Only what came after the last signed checkpoint is rehashed (its frontier is in the checkpoint), and only from the oldest
intent that was still open, so a crash after a month costs no more than one after a minute. Whether the *signed* past is
intact is the verifier's question, not the question of a process that wants to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from yett.errors import IntegrityError
from yett.model.record import Record
from yett.stores.append_file import AppendFile
from yett.stores.blobs import follow_frames
from yett.stores.checkpoint import ZERO, Signer, split_notes
from yett.stores.merkle import Frontier, leaf_hash
from yett.stores.notary import CheckpointFile, Mark
from yett.stores.root_log import RootLog
from yett.stores.segments import ENVELOPE, genesis, segments, whole_lines

CHECKPOINTS, BLOBS, RESERVE = "checkpoints", "blobs", "reserve"


class Orphan(Struct, frozen=True):
    """A call that was let through and whose outcome the dead process did not live to record."""

    writer: str
    n: int
    intent: Record


class Recovered(Struct, frozen=True):
    """What was found of one dead writer. `torn` is how many bytes of a half-written line were cut; `damage` says why it
    could not be closed, "" normally."""

    writer: str
    size: int
    orphans: tuple[Orphan, ...]
    torn: int = 0
    damage: str = ""


class _Damage(Exception):
    """The files contradict what was signed."""


class DeadWriter:
    """One writer whose process is gone, locked against everybody else until `close`."""

    def __init__(self, folder: Path, writer: str, checkpoints: CheckpointFile, signer: Signer) -> None:
        self.writer = writer
        self.orphans: list[Orphan] = []
        self.outcomes: set[str] = set()
        self.torn = 0
        self.damage = ""
        self._folder = folder
        self._checkpoints = checkpoints
        self._frontier = Frontier()
        self._blobs, self._blobs_chain = 0, ZERO
        try:
            self._resume(signer)
            self._read_records()
            self._read_blobs()
        except (_Damage, IntegrityError, ValueError, msgspec.MsgspecError) as error:
            self.damage = str(error)

    @property
    def size(self) -> int:
        return self._frontier.size

    def _resume(self, signer: Signer) -> None:
        """Take up the last checkpoint; what is torn behind it was never relied on."""
        file = self._checkpoints.file
        notes, end = split_notes(file.read(0, file.size))
        if not notes:
            if file.size and b"\n\n" in file.read(0, file.size):
                raise _Damage("the checkpoints are not readable")
            if any(path.stat().st_size for _, path in segments(self._folder)):
                # Its first checkpoint is signed before its first record: these records were put here by somebody else.
                raise _Damage("there are records, and no signed checkpoint")
            file.cut(0)
            return
        latest = signer.read(notes[-1])
        if end != file.size:
            file.cut(end)
        if latest.origin != f"{signer.name}/{self.writer}":
            raise _Damage(f"the checkpoints are those of {latest.origin}")
        self._frontier = Frontier.load(latest.size, latest.frontier)
        if self._frontier.root() != latest.root:
            raise _Damage("the checkpoint's frontier is not that of its root")
        self._blobs, self._blobs_chain = latest.blobs, latest.blobs_chain
        self._checkpoints.resume(latest, notes[-1])

    def _read_records(self) -> None:
        """Continue the tree over the unsigned tail and collect the intents that have no outcome."""
        signed = self._frontier.size
        latest = self._checkpoints.latest
        begin = min(latest.since, max(signed - 1, 0)) if latest else 0
        files = segments(self._folder)
        files = files[max((at for at, (first, _) in enumerate(files) if first <= begin), default=0) :]
        if files and files[0][0] > begin:
            raise _Damage(f"the segment with record {begin} is gone")
        tip = genesis(self.writer).encode() if signed == 0 else b""
        intents: dict[str, Orphan] = {}
        decoder = msgspec.json.Decoder(Record)
        expected = files[0][0] if files else 0
        end = 0
        for path, offset, line in _lines(files):
            found = ENVELOPE.match(line)
            if found is None or int(found[2]) != expected or (tip and found[3] != tip) or not line.endswith(b"}"):
                if expected < signed or path != files[-1][1] or _records_after(path, offset):
                    raise _Damage(f"{path.name}: what stands at record {expected} does not continue the chain")
                end = offset
                break
            if expected >= signed - 1:
                leaf = leaf_hash(line)
                tip = leaf.hex().encode()
                if expected >= signed:
                    self._frontier.append(leaf)
            if expected >= begin:
                self._note(found[4], decoder, line, expected, intents)
            expected += 1
            end = offset + len(line) + 1 if path == files[-1][1] else 0
        if expected < signed:
            raise _Damage(f"{signed} records were signed, {expected} are there")
        if files:
            self._trim(files[-1][1], end)
        self.orphans = list(intents.values())

    def _note(
        self, kind: bytes, decoder: msgspec.json.Decoder[Record], line: bytes, n: int, intents: dict[str, Orphan]
    ) -> None:
        if kind == b"event":
            return
        record = decoder.decode(line)
        if kind == b"intent":
            intents[record.call] = Orphan(self.writer, n, record)
        elif kind == b"outcome":
            intents.pop(record.call, None)
            self.outcomes.add(record.call)

    def _trim(self, path: Path, end: int) -> None:
        """Cut a line that was never finished, and so never acknowledged; the rest reaches the disk."""
        file = AppendFile(path)
        try:
            if file.size > end:
                self.torn += file.size - end
                file.cut(end)
            file.sync()
        finally:
            file.close()

    def _read_blobs(self) -> None:
        path = self._folder / BLOBS
        if not path.exists():
            if self._blobs:
                raise _Damage("the blob file is gone")
            return
        file = AppendFile(path)
        try:
            if file.size < self._blobs:
                raise _Damage(f"{self._blobs} bytes of blobs were signed, {file.size} are there")
            self._blobs, self._blobs_chain = follow_frames(file, self._blobs, self._blobs_chain)
            if self._blobs != file.size:
                self.torn += file.size - self._blobs
                file.cut(self._blobs)
            file.sync()
        finally:
            file.close()

    def finish(self, root: RootLog, ts: int) -> Recovered:
        """Sign the closing checkpoint and say so in the root log. Raises OSError: then the next start tries again."""
        if not self.damage:
            if self._checkpoints.latest is None or self._checkpoints.latest.state == "open":
                self._checkpoints.add(
                    Mark(
                        size=self.size,
                        frontier=tuple(self._frontier.hashes),
                        ts=ts,
                        state="recovered",
                        since=self.size,
                        blobs=self._blobs,
                        blobs_chain=self._blobs_chain,
                    )
                )
            self._checkpoints.file.sync()
            (self._folder / RESERVE).unlink(missing_ok=True)
        said = self._checkpoints.say(
            "damage" if self.damage else "recover",
            self.writer,
            self.damage or (f"torn {self.torn}" if self.torn else ""),
        )
        root.append(said, ts)
        return Recovered(self.writer, self.size, tuple(self.orphans), self.torn, self.damage)

    def close(self) -> None:
        self._checkpoints.file.close()


def _lines(files: list[tuple[int, Path]]) -> Iterator[tuple[Path, int, bytes]]:
    for _, path in files:
        for offset, line in whole_lines(path):
            yield path, offset, line


def _records_after(path: Path, offset: int) -> bool:
    """Whether a record stands after the unreadable line at `offset`: then that one was not torn but altered."""
    return any(ENVELOPE.match(line) for at, line in whole_lines(path, offset) if at != offset)


def dead_writers(folder: Path, root: RootLog, signer: Signer) -> list[DeadWriter]:
    """Every writer that neither ended nor lives. Call with the root log locked, so that two starting workers do not meet.

    A call whose outcome another dead writer had already recorded (a recovery that was itself killed) is no orphan.
    """
    ended = root.ended()
    dead: list[DeadWriter] = []
    for path in sorted(folder.glob("w-*/" + CHECKPOINTS)):
        writer = path.parent.name
        if writer in ended:
            continue
        checkpoints = CheckpointFile(path, f"{signer.name}/{writer}", signer)
        if checkpoints.lock():
            dead.append(DeadWriter(path.parent, writer, checkpoints, signer))
        else:
            checkpoints.file.close()
    settled = set().union(*(each.outcomes for each in dead))
    for each in dead:
        each.orphans = [orphan for orphan in each.orphans if orphan.intent.call not in settled]
    return dead
