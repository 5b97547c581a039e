"""The file under the shared ledger: its layout, its lock, and the undo log that makes each change all or nothing.

A file of int64 words in native byte order, mapped shared by every worker of the machine. It is written in full when it is
made: a full disk then refuses to start a gateway, where a sparse file would kill it with SIGBUS later.

    byte 0      header: magic, version, capacities, checksum; never changes
    byte 512    hash of the machine's boot id, and a word to scribble on
    byte 1024   totals: one block of counters, TOTALS below
    byte 2048   undo: mark, a hold's state, offsets, and from byte 2176 the old blocks
    byte 4096   scopes: open addressing on a 128-bit hash of the scope's id; rows of one block, SCOPE below
    then        holds: rows of HOLD_BYTES; every process remembers which ones it gave back

**All or nothing.** The unit of change is the block, 128 bytes, and the state of one hold. `commit` copies what is there to the
undo log, then sets its mark, then writes, then clears the mark. Whoever takes the lock and finds a mark rolls back first. A
process can be killed between any two instructions and leaves either the old state or the new one.

**The lock** is flock(2) on a descriptor of its own. It belongs to the open file, so two ledgers in one process exclude each
other (POSIX record locks would not, and closing any descriptor would drop them), and the kernel releases it when the process
dies. A forked child must not share the descriptor, or it would neither be excluded nor let go: it opens its own.

**Power cuts.** The page cache outlives every process, not the machine. A thread calls fdatasync each second, so a power cut
loses about a second of spending; after a boot the counts of calls in flight are rebuilt from the holds.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import weakref
import zlib
from collections.abc import Sequence
from hashlib import blake2b
from itertools import count
from pathlib import Path

from yett.errors import IntegrityError
from yett.stores.process import boot_id, this_process

MAGIC = b"YETTLDG\n"
VERSION = 1
BLOCK = 128
BOOT = 512
NO_HOLD = 65  # a word of no meaning, for commits that change no hold
TOTALS = 1024
UNDO, UNDO_BLOCKS = 2048, 2176
UNDO_WORD = UNDO // 8
SCOPES = 4096
HOLD_BYTES = 320
MOST_SCOPES = 8  # of one call
ID_BYTES = 64  # of a call's id
NEVER = 2**62  # microseconds

# high (hold rows ever used), due (when to sweep), abandoned, abandoned cost, scopes in use, rows given to another scope
TOTALS_FORM = struct.Struct("6q80x")
HIGH_WORD, DUE_WORD, MOVES_WORD = TOTALS // 8, TOTALS // 8 + 1, TOTALS // 8 + 5
# two words of hash (0: no row), then the fields of limits.Account in order
SCOPE_FORM = struct.Struct("12q32x")  # of most: the rest is of what ends by itself
ACCOUNT_FORM = struct.Struct("15q8x")
# a hold, by its number of scopes: state, serial, lease, pid, started, namespace, tokens, cost, scopes, bytes of id, when
# abandoned; offsets of the scopes' rows; ends in their queues; the call's id
HEAD_FORM = struct.Struct("11q")
HOLD_FORM = tuple(
    struct.Struct(f"11q40x{number}q{8 * (MOST_SCOPES - number)}x{number}q{8 * (MOST_SCOPES - number)}x{ID_BYTES}s")
    for number in range(MOST_SCOPES + 1)
)
FREE, LIVE, ABANDONED = 0, 1, 2
OFFSETS, ENDS, ID = BLOCK, BLOCK + 8 * MOST_SCOPES, BLOCK + 16 * MOST_SCOPES  # within a hold
WORDS = tuple(struct.Struct(f"{number}q") for number in range(MOST_SCOPES + 4))
# By the number of blocks in the undo log: how its head is packed, and where the head and the old blocks go.
_UNDO = tuple(
    (
        WORDS[number + 2].pack,
        slice(UNDO + 8, UNDO + 24 + 8 * number),
        slice(UNDO_BLOCKS, UNDO_BLOCKS + BLOCK * number),
    )
    for number in range(MOST_SCOPES + 2)
)

_to_disk = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync
# What is written at once, the system keeps together: who touches a byte of a large piece has all of it in memory.
_PIECE = 4 * mmap.PAGESIZE
_HEADER = struct.Struct("8s4q")
_CHECK = struct.Struct("Q")


class LedgerFile:
    """An open ledger file. Take the lock with `lock()`, look, change with `commit()`, `unlock()`. One thread uses it."""

    def __init__(self, path: Path, scopes: int, holds: int, sync_seconds: float = 1.0) -> None:
        """Open, or make with these capacities. Raises IntegrityError for a file that is not a sound ledger, OSError when
        it cannot be made (no space, no permission)."""
        self.path = path
        if not path.exists():
            _make(path, scopes, holds)
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self.scopes, self.holds = _read_header(descriptor, path)
            # mmap keeps a duplicate of its descriptor, so the lock has one of its own that a forked child can close.
            self.memory = mmap.mmap(descriptor, size_of(self.scopes, self.holds))
            self._inode = _identity(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        self.words = memoryview(self.memory).cast("q")
        self.first_hold = SCOPES + self.scopes * BLOCK
        self.changed = False
        self.broken = ""  # why no reservation can be made any more
        self.descriptor = -1
        self.process = this_process()
        self._open_lock()
        self._stop = threading.Event()
        self._sync_seconds = sync_seconds
        self._start_sync()
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _after_fork(reference()))

    def lock(self) -> None:
        """Wait for the lock; afterwards the file is whole. Raises OSError when the system cannot lock."""
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        if self.words[UNDO_WORD]:
            self.roll_back()

    def unlock(self) -> None:
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def commit(
        self,
        offsets: Sequence[int],
        places: Sequence[slice],
        old: Sequence[bytes],
        new: Sequence[bytes],
        hold: int,
        before: int,
        after: int,
    ) -> None:
        """Replace the blocks at `offsets` (`places` are the same, as slices) and the state of a hold, all or none. `hold` is
        the number of its state's word, NO_HOLD when none is concerned. The lock is held; `old` and `before` are there now."""
        memory, words = self.memory, self.words
        number = len(offsets)
        pack, head, blocks = _UNDO[number]
        memory[head] = pack(hold, before, *offsets)
        memory[blocks] = b"".join(old)
        words[UNDO_WORD] = number + 1
        for place, block in zip(places, new):  # noqa: B905 - strict costs as much as a write
            memory[place] = block
        words[hold] = after
        words[UNDO_WORD] = 0
        self.changed = True

    def roll_back(self) -> None:
        """Undo what a dead process left half done. Killed in the middle, it is simply done again. The lock is held."""
        number = self.words[UNDO_WORD] - 1
        if not 0 <= number < len(WORDS) - 2:
            raise IntegrityError(f"{self.path}: the undo log is damaged{ADVICE}")
        hold, before, *offsets = WORDS[number + 2].unpack(self.memory[UNDO + 8 : UNDO + 24 + 8 * number])
        end = self.first_hold + self.holds * HOLD_BYTES
        blocks = all(
            offset == TOTALS
            or (SCOPES <= offset < self.first_hold and not offset % BLOCK)
            or (self.first_hold <= offset < end and not (offset - self.first_hold) % HOLD_BYTES)
            for offset in offsets
        )
        if not blocks or not NO_HOLD <= hold < len(self.words) or not FREE <= before <= ABANDONED:
            raise IntegrityError(f"{self.path}: the undo log is damaged{ADVICE}")
        for index, offset in enumerate(offsets):
            old = UNDO_BLOCKS + BLOCK * index
            self.memory[offset : offset + BLOCK] = self.memory[old : old + BLOCK]
        self.words[hold] = before
        self.words[UNDO_WORD] = 0

    def same_boot(self) -> bool:
        """Whether the machine has been running since the file was last opened: then nothing in it can be lost."""
        return self.words[BOOT // 8] == _boot_word()

    def mark_boot(self) -> None:
        self.words[BOOT // 8] = _boot_word()

    def rest(self) -> None:
        """Let go of the pages that are in this process's memory: those that calls need come back, from the system's cache. To
        check a file takes a look at all of it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self.memory.madvise(mmap.MADV_DONTNEED)  # of a shared mapping nothing is lost

    def check_place(self) -> None:
        """A file that was deleted, replaced or cut while in use no longer limits what other workers do: fail closed."""
        try:
            status = self.path.stat()
        except OSError:
            self.broken = f"{self.path} has gone"
            return
        if _identity(status) != self._inode:
            self.broken = f"{self.path} was replaced while in use"
        elif status.st_size != len(self.memory):
            self.broken = f"{self.path} has changed its size"

    def close(self) -> None:
        self._stop.set()
        self._sync.join()
        self.words.release()
        self.memory.close()
        os.close(self.descriptor)
        self.descriptor = -1

    def _open_lock(self) -> None:
        descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        if _identity(os.fstat(descriptor)) != self._inode:
            os.close(descriptor)
            raise IntegrityError(f"{self.path}: the ledger was replaced while it was being opened")
        self.descriptor = descriptor

    def reopen(self) -> None:
        """In a forked child: let go of the parent's lock and take a descriptor of our own."""
        self.process = this_process()
        inherited, self.descriptor = self.descriptor, -1
        if inherited < 0:
            return
        os.close(inherited)
        try:
            self._open_lock()
        except (OSError, IntegrityError) as error:
            self.broken = str(error)
            return
        self._stop = threading.Event()
        self._start_sync()

    def _start_sync(self) -> None:
        arguments = (weakref.ref(self), self._stop, self._sync_seconds)
        self._sync = threading.Thread(target=_synchronise, args=arguments, name="yett-ledger-sync", daemon=True)
        self._sync.start()

    def synchronise(self) -> None:
        """Bring what this process changed to the disk, and see that the file is still the file."""
        self.check_place()
        if self.changed:
            self.changed = False
            # Not mmap.flush: it would hold the interpreter lock, and with it every call, while the disk works.
            _to_disk(self.descriptor)


ADVICE = (
    ". It is not used, and not reset, as that would reset every budget. To begin with empty limits, stop every worker and move "
    "the file away"
)


def size_of(scopes: int, holds: int) -> int:
    used = SCOPES + scopes * BLOCK + holds * HOLD_BYTES
    return -(-used // mmap.PAGESIZE) * mmap.PAGESIZE


def _make(path: Path, scopes: int, holds: int) -> None:
    """Write a whole new file beside, then link it into place: of several workers that start at once, one wins."""
    header = _HEADER.pack(MAGIC, VERSION, scopes, holds, 0x0102030405060708)
    totals = TOTALS_FORM.pack(0, NEVER, 0, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in count():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{attempt}")
        try:
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            break
        except FileExistsError:
            continue
    try:
        size = size_of(scopes, holds)
        for start in range(0, size, _PIECE):
            os.pwrite(descriptor, bytes(min(_PIECE, size - start)), start)
        os.pwrite(descriptor, header + _CHECK.pack(zlib.crc32(header)), 0)
        os.pwrite(descriptor, WORDS[1].pack(_boot_word()), BOOT)
        os.pwrite(descriptor, totals, TOTALS)
        os.fsync(descriptor)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
    finally:
        os.close(descriptor)
        draft.unlink()


def _read_header(descriptor: int, path: Path) -> tuple[int, int]:
    """Capacities of the file. Raises IntegrityError when it is not a ledger of this version, whole."""
    raw = os.pread(descriptor, _HEADER.size + _CHECK.size, 0)
    if len(raw) < _HEADER.size + _CHECK.size or raw[:8] != MAGIC:
        raise IntegrityError(f"{path}: this is not a ledger{ADVICE}")
    _, version, scopes, holds, order = _HEADER.unpack_from(raw)
    if raw[_HEADER.size :] != _CHECK.pack(zlib.crc32(raw[: _HEADER.size])):
        raise IntegrityError(f"{path}: the header is damaged{ADVICE}")
    if version != VERSION or order != 0x0102030405060708:
        raise IntegrityError(f"{path}: a ledger of version {version}; this Yett reads version {VERSION}{ADVICE}")
    size = os.fstat(descriptor).st_size
    if size != size_of(scopes, holds):
        raise IntegrityError(f"{path}: {size} bytes where {size_of(scopes, holds)} belong: cut or grown{ADVICE}")
    return scopes, holds


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _boot_word() -> int:
    return int.from_bytes(blake2b(boot_id(), digest_size=7).digest(), "little")


def _after_fork(file: LedgerFile | None) -> None:
    if file is not None:
        file.reopen()


def _synchronise(reference: weakref.ref[LedgerFile], stop: threading.Event, seconds: float) -> None:
    """The sync thread. It holds no reference while it waits, so that a forgotten ledger goes away."""
    while not stop.wait(seconds):
        file = reference()
        if file is None:
            return
        try:
            file.synchronise()
        except OSError as error:  # the disk fails: limits still hold in memory, but would not survive a power cut
            file.broken = f"{file.path}: {error.strerror}"
        del file
