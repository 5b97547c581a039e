"""Proofs of possession that were used, for all workers of a machine: one that is good once is not good once on each of them.

    slot: 12 bytes of a hash of tenant, key and id · 4 bytes until when, seconds          2**20 slots, a mapped file

A proof has its place among the PROBES slots from where its hash says; a slot whose time is over is free. The lock is held for some microseconds. Where
all places are taken the proof is refused: no more than MOST of one tenant are remembered by each worker, so it takes many tenants at once. The
file is made when the first proof comes, and outlives a restart.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from pathlib import Path

from yett.identity.dpop import WINDOW, Proof, Seen

SLOTS = 1 << 20
PROBES = 64
_NAME, _SLOT = 12, 16  # bytes
_PIECE = 1 << 20


class UsedProofs:
    """Implements stages.identify_tokens.Once."""

    def __init__(self, path: Path, slots: int = SLOTS) -> None:
        self._path = path
        self._slots = slots
        self._own = Seen()
        self._descriptor = -1
        self._table: mmap.mmap | None = None

    def first(self, tenant: str, proof: Proof, now: float) -> bool:
        """Whether this one has not been used, by whichever worker. Raises OSError."""
        if not self._own.first(tenant, proof, now):
            return False
        table = self._table or self._open()
        digest = hashlib.sha256(f"{tenant}\0{proof.key} {proof.id}".encode()).digest()
        name, start = digest[:_NAME], int.from_bytes(digest[_NAME:16])
        until = int(now + 2 * WINDOW) + 1  # one that is a minute ahead is good for as long as that
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            return self._put(table, name, start, until, int(now))
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _put(self, table: mmap.mmap, name: bytes, start: int, until: int, now: int) -> bool:
        at = start % self._slots * _SLOT
        places = table[at : at + PROBES * _SLOT]
        found = places.find(name)
        while found >= 0:
            if found % _SLOT == 0 and _alive(places, found, now):
                return False
            found = places.find(name, found + 1)
        for place in range(0, len(places), _SLOT):
            if not _alive(places, place, now):
                table[at + place : at + place + _SLOT] = name + until.to_bytes(4)
                return True
        return False

    def _open(self) -> mmap.mmap:
        self.close()
        size = (self._slots + PROBES - 1) * _SLOT  # places do not begin anew at the end
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:  # written, not only made so long: a mapped page that the disk has no room for would end the process
            while (length := os.fstat(self._descriptor).st_size) < size:
                os.pwrite(self._descriptor, bytes(min(size - length, _PIECE)), length)
            self._table = mmap.mmap(self._descriptor, size)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return self._table

    def close(self) -> None:
        if self._table is not None:
            self._table.close()
            self._table = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _alive(places: bytes, at: int, now: int) -> bool:
    return int.from_bytes(places[at + _NAME : at + _SLOT]) >= now
