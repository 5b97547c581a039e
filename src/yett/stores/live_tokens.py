"""Task tokens with a budget of their own that live, for all workers of a machine: each takes up a place in the ledger until it ends.

    header: 8 bytes of magic · 8 bytes that count how often the file was tidied up; then entries: 16 bytes of a hash of who asked · 8 bytes until when, seconds

Who issues one appends an entry, under the lock; each process remembers what it has read. Now and then what is over is taken out: what lives moves
to the front in the same order, so that a process which is killed half way leaves some twice and none out. It outlives a restart.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"YETTLIVE"
_HEAD, _NAME, _ENTRY = 16, 16, 24  # bytes
MOST = 32_768  # of all callers together: half the places that the ledger of a machine has
SPARE = 1024  # entries that may be over before the file is tidied up


class LiveTokens:
    """Implements stages.exchange.Allowance."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._tidied = self._read = 0
        self._full = 0  # until when there is no room for anybody
        self._live: dict[bytes, list[int]] = {}

    def take(self, who: str, most: int, until: int, now: int) -> int:
        """0: one more of theirs lives, until then. Else the seconds until one of those ends that are in the way, which are `most` of
        theirs, or MOST of all. Raises OSError."""
        if now < self._full:
            return self._full - now
        name = hashlib.blake2b(who.encode(), digest_size=_NAME).digest()
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            self._catch_up()
            own = self._live[name] = [each for each in self._live.get(name, ()) if each > now]
            if len(own) >= most:
                return min(own) - now
            entries = (self._read - _HEAD) // _ENTRY
            if entries >= MOST or entries > 2 * sum(map(len, self._live.values())) + SPARE:
                self._tidy(now)
                if sum(map(len, self._live.values())) >= MOST:
                    self._full = min(map(min, self._live.values()))
                    return self._full - now
            self._append(name + until.to_bytes(8))
            self._live.setdefault(name, []).append(until)
            return 0
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # ---- the lock is held ----

    def _catch_up(self) -> None:
        """Read what other processes have written; all of it anew when the file was tidied up."""
        head = os.pread(self._descriptor, _HEAD, 0)
        if head[:8] != _MAGIC or len(head) < _HEAD:  # new
            head = _MAGIC + bytes(8)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, head, 0)
        tidied = int.from_bytes(head[8:])
        if tidied != self._tidied or not self._read:
            self._tidied, self._read = tidied, _HEAD
            self._live.clear()
        end = os.fstat(self._descriptor).st_size
        raw = os.pread(self._descriptor, max(end - self._read, 0), self._read)
        raw = raw[: len(raw) // _ENTRY * _ENTRY]  # the rest was never written whole, and is written over
        for at in range(0, len(raw), _ENTRY):
            self._live.setdefault(raw[at : at + _NAME], []).append(int.from_bytes(raw[at + _NAME : at + _ENTRY]))
        self._read += len(raw)

    def _append(self, entry: bytes) -> None:
        if os.pwrite(self._descriptor, entry, self._read) < _ENTRY:
            raise OSError("it could not be written down that a token lives")
        self._read += _ENTRY

    def _tidy(self, now: int) -> None:
        raw = os.pread(self._descriptor, self._read - _HEAD, _HEAD)
        entries: Iterable[bytes] = (raw[at : at + _ENTRY] for at in range(0, len(raw), _ENTRY))
        kept = b"".join(entry for entry in entries if int.from_bytes(entry[_NAME:]) > now)
        os.pwrite(self._descriptor, _MAGIC + (self._tidied + 1).to_bytes(8) + kept, 0)
        os.ftruncate(self._descriptor, _HEAD + len(kept))
        self._catch_up()
