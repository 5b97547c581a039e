"""Disk space set aside, to be given up when the disk is full, so that what must still be written can be."""

from __future__ import annotations

import os
from pathlib import Path


class Reserve:
    """A file of `size` bytes of allocated zeros. Losing it is a state, not an error: see `restore`."""

    def __init__(self, path: Path, size: int) -> None:
        """Raises OSError when there is no room for it."""
        self._path = path
        self._size = size
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        self._allocate(size)

    def _allocate(self, size: int) -> None:
        if size == 0:
            return
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, 0, size)
        else:  # macOS: allocated by being written
            os.pwrite(self._descriptor, bytes(size), 0)

    def release(self) -> None:
        os.ftruncate(self._descriptor, 0)

    def restore(self) -> bool:
        """Whether the disk has room again: for the reserve itself and as much besides. The reserve is then whole."""
        before = os.fstat(self._descriptor).st_size
        try:
            self._allocate(2 * self._size)
            os.ftruncate(self._descriptor, self._size)
        except OSError:
            os.ftruncate(self._descriptor, before)
            return False
        return True

    def close(self) -> None:
        """Give the space back and remove the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._path.unlink(missing_ok=True)
