"""What a writer does behind the loop's back, on one thread: sync, sign checkpoints, enter them in the root log, in order."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

from msgspec import Struct

from yett.errors import IntegrityError
from yett.stores.append_file import AppendFile
from yett.stores.checkpoint import ZERO, Checkpoint, Signer, note_digest
from yett.stores.merkle import Frontier
from yett.stores.root_log import RootLog, Statement, statement


class Mark(Struct, frozen=True):
    """The state of a journal at one moment, to be signed. `enter` is the root log's event for it, "" for none."""

    size: int
    frontier: tuple[bytes, ...]
    ts: int
    state: str
    since: int
    blobs: int
    blobs_chain: bytes
    files: tuple[AppendFile, ...] = ()  # to be on the disk before the signature says so
    enter: str = ""


def lives(folder: Path) -> bool:
    """Whether the process of a writer's folder is still there."""
    try:
        with (folder / "checkpoints").open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class CheckpointFile:
    """A writer's `checkpoints`. The flock on it says that the writer lives."""

    def __init__(self, path: Path, origin: str, signer: Signer) -> None:
        self.file = AppendFile(path)
        self.latest: Checkpoint | None = None
        self.note = b""
        self._origin = origin
        self._signer = signer

    def lock(self) -> bool:
        """Whether it was free. It stays locked until closed, or until the process dies."""
        try:
            fcntl.flock(self.file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def resume(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Continue after the checkpoint that was found last in the file."""
        self.latest, self.note = checkpoint, note

    def add(self, mark: Mark) -> None:
        """Sign and append. Raises OSError: then the same checkpoint may be tried again."""
        tree = Frontier(mark.size, mark.frontier)
        checkpoint = Checkpoint(
            origin=self._origin,
            size=mark.size,
            root=tree.root(),
            index=self.latest.index + 1 if self.latest else 0,
            ts=mark.ts,
            prev=note_digest(self.note) if self.latest else ZERO,
            state=mark.state,
            since=mark.since,
            blobs=mark.blobs,
            blobs_chain=mark.blobs_chain,
            frontier=tree.dump(),
        )
        note = self._signer.sign(checkpoint)
        self.file.append(note + b"\n")
        self.latest, self.note = checkpoint, note

    def say(self, event: str, writer: str, detail: str = "") -> Statement:
        """What the root log should know of this writer now."""
        return statement(event, writer, self.latest, self.note, length=self.file.size, detail=detail)


class Notary(threading.Thread):
    """Runs jobs in the order given. `trouble` is why the last checkpoint could not be written, "" when it could."""

    def __init__(self, writer: str, checkpoints: CheckpointFile, root: RootLog) -> None:
        super().__init__(name=f"yett-notary-{writer}", daemon=True)
        self.trouble = ""
        self.last: Mark | None = None
        self._writer = writer
        self._checkpoints = checkpoints
        self._root = root
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def submit(self, job: Callable[[], None]) -> None:
        """`job` handles its own errors."""
        self._jobs.put(job)

    def request(self, mark: Mark) -> None:
        """Have `mark` signed soon."""
        self._jobs.put(lambda: self._sign(mark))

    def finish(self) -> None:
        """Wait until everything asked for is done. Nothing may be submitted after it."""
        self._jobs.put(None)
        self.join()

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _sign(self, mark: Mark) -> None:
        try:
            # A checkpoint never promises more than what is on the disk: after a power cut the journal still verifies.
            for file in mark.files:
                file.sync()
            self._checkpoints.add(mark)
            self._checkpoints.file.sync()
            if mark.enter:
                self._root.append(self._checkpoints.say(mark.enter, self._writer), mark.ts)
        except (OSError, IntegrityError) as error:
            self.trouble = f"checkpoint: {error}"
        else:
            self.trouble = ""
            self.last = mark
