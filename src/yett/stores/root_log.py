"""The root log of an audit folder: which writers there are, how far each had got, and how each ended, in one signed log.

`root.jsonl` is shared by all workers of the machine under an flock. Every line carries the signed checkpoint of the tree
that includes it, so a line and its signature arrive in one write and there is never an unsigned tail: what this log says of
a writer cannot be dropped line by line. The leaf is the line without its `checkpoint` field.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from yett.errors import IntegrityError
from yett.stores.append_file import AppendFile, sync_folder
from yett.stores.checkpoint import NOTE, ZERO, Checkpoint, Signer, note_digest
from yett.stores.merkle import EMPTY_ROOT, Frontier, leaf_hash

FILE = "root.jsonl"
GENESIS = sha256(b"yett audit root v1").hexdigest()
SEAM = b',"checkpoint":"'
ENDED = re.compile(rb'"event":"(?:close|recover|damage)","writer":"(w-[0-9a-f-]+)"')


class Statement(Struct, frozen=True):
    """What is said about a writer. `event`: open, checkpoint, close, recover (closed by a later process), damage (its
    files contradict what was signed, so nobody can close it any more). The rest is its latest checkpoint: `checkpoints`
    counts them and `last` is the hash of the last one, base64; `bytes` is the length of its checkpoints file."""

    event: str
    writer: str
    size: int
    root: str
    checkpoints: int
    last: str
    bytes: int
    detail: str = ""


def statement(
    event: str, writer: str, latest: Checkpoint | None, note: bytes, *, length: int, detail: str = ""
) -> Statement:
    """A statement that repeats the writer's latest signed checkpoint (`note`); `length` is its checkpoints file's."""
    return Statement(
        event=event,
        writer=writer,
        size=latest.size if latest else 0,
        root=base64.b64encode(latest.root if latest else EMPTY_ROOT).decode(),
        checkpoints=latest.index + 1 if latest else 0,
        last=base64.b64encode(note_digest(note)).decode() if latest else "",
        bytes=length,
        detail=detail,
    )


def _take_apart(line: bytes) -> tuple[bytes, bytes]:
    """The leaf and the signed note in a line. Raises ValueError."""
    seam = line.rfind(SEAM)
    if seam < 0 or not line.endswith(b"}"):
        raise ValueError("no checkpoint in it")
    return line[:seam] + b"}", msgspec.json.decode(line[seam + len(SEAM) - 1 : -1], type=str).encode()


class RootLog:
    """Blocking; used at start, at close, and from the notary's thread in between. Raises OSError, IntegrityError."""

    def __init__(self, folder: Path, signer: Signer) -> None:
        self._file = AppendFile(folder / FILE)
        self._signer = signer
        self._origin = f"{signer.name}/root"
        self._depth = 0
        sync_folder(folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other workers out. May be nested."""
        if self._depth == 0:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                fcntl.flock(self._file.fileno(), fcntl.LOCK_UN)

    def append(self, said: Statement, ts: int) -> None:
        """Enter a statement, signed and on the disk. `ts` in microseconds."""
        with self.locked():
            tip, frontier, index, before = self._tail()
            fields = msgspec.structs.asdict(said)
            head = {
                "n": frontier.size,
                "prev": tip,
                "ts": ts,
                "event": fields.pop("event"),
                "writer": fields.pop("writer"),
            }
            leaf = msgspec.json.encode(head | fields)
            frontier.append(leaf_hash(leaf))
            note = self._signer.sign(
                Checkpoint(
                    origin=self._origin,
                    size=frontier.size,
                    root=frontier.root(),
                    index=index,
                    ts=ts,
                    prev=before,
                    since=frontier.size,
                    frontier=frontier.dump(),
                )
            )
            self._file.append(leaf[:-1] + b',"checkpoint":' + msgspec.json.encode(note.decode()) + b"}\n")
            self._file.sync()

    def _tail(self) -> tuple[str, Frontier, int, bytes]:
        """What the next line continues: hash of the last leaf, the tree, the next checkpoint's index, the last one's hash.

        Other workers append too, so the file itself is asked every time. A torn last line (its process was killed in the
        middle of the write) is cut off: nobody has acted on it yet.
        """
        self._file.size = os.fstat(self._file.fileno()).st_size
        lines = self._last_lines()
        if not lines:
            return GENESIS, Frontier(), 0, ZERO
        try:
            return self._continue(*lines)
        except (ValueError, IntegrityError) as error:
            raise IntegrityError(
                f"{self._file.path}: the last line is not what was signed ({error}); run `yett audit verify`, keep the "
                "folder as evidence, and move it away to begin a new journal"
            ) from error

    def _continue(self, last: bytes, before: bytes = b"") -> tuple[str, Frontier, int, bytes]:
        """Check that the last line and the tree of the one before it make the tree that was signed."""
        leaf, note = _take_apart(last)
        checkpoint = self._signer.read(note)
        tree = Frontier()
        if before:
            found = NOTE.fullmatch(_take_apart(before)[1])
            if found is None:
                raise ValueError("the line before it has no checkpoint")
            tree = Frontier.load(int(found[2]), base64.b64decode(found[11]))
        tree.append(leaf_hash(leaf))
        if checkpoint.origin != self._origin or (tree.size, tree.root()) != (checkpoint.size, checkpoint.root):
            raise ValueError("it was altered")
        return leaf_hash(leaf).hex(), tree, checkpoint.index + 1, note_digest(note)

    def _last_lines(self) -> list[bytes]:
        """The last complete line and the one before it, without line feeds; cuts what follows them."""
        span = 1 << 16
        while True:
            start = max(0, self._file.size - span)
            data = self._file.read(start, self._file.size - start)
            end = data.rfind(b"\n") + 1
            if data.count(b"\n") > 2 or start == 0:
                if end != len(data):
                    self._file.cut(start + end)
                return data[:end].split(b"\n")[-2::-1][:2]
            span *= 16

    def ended(self) -> set[str]:
        """The writers that need no recovery: closed, recovered, or given up as damaged."""
        with self._file.path.open("rb") as file:
            return {found[1].decode() for line in file for found in ENDED.finditer(line)}

    def close(self) -> None:
        self._file.close()
