"""A file that only grows by whole appends: each is written completely, or the file is put back as it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class AppendFile:
    """One open file with one writer. `size` is bytes; nothing past it is ever kept.

    A write that the disk cuts short (no space, a quota, a file-size limit) would leave half a line that the next append
    would glue itself to: it is cut off again before the error is raised.
    """

    __slots__ = ("_descriptor", "_doubtful", "_ragged", "path", "size", "synced")

    def __init__(self, path: Path) -> None:
        """Open or create. Raises OSError."""
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        self.size = os.fstat(self._descriptor).st_size
        self.synced = 0
        self._ragged = False
        self._doubtful = False

    def fileno(self) -> int:
        return self._descriptor

    def append(self, data: bytes) -> None:
        """Hand `data` to the operating system, all of it. Raises OSError: then the file is as it was before."""
        if self._ragged:
            self.cut(self.size)
        try:
            written = os.write(self._descriptor, data)
        except OSError:
            self._mend()
            raise
        if written != len(data):
            self._mend()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self.size += written

    def _mend(self) -> None:
        self._ragged = True
        try:
            self.cut(self.size)
        except OSError:
            return  # still ragged: the next append must succeed in cutting first

    def cut(self, size: int) -> None:
        """Drop everything past `size` bytes. Raises OSError."""
        os.ftruncate(self._descriptor, size)
        self.size = size
        self._ragged = False

    def read(self, offset: int, count: int) -> bytes:
        return os.pread(self._descriptor, count, offset)

    def sync(self) -> None:
        """Have the disk confirm what is written so far. Raises OSError, from then on always: after one failure the kernel
        takes the lost pages for clean, so a second fdatasync would report success for data that is not there."""
        if self._doubtful:
            raise OSError(errno.EIO, "an earlier fdatasync failed", str(self.path))
        size = self.size
        if size != self.synced:
            try:
                os.fdatasync(self._descriptor)
            except OSError:
                self._doubtful = True
                raise
            self.synced = size

    def doubt(self) -> None:
        """Let no later sync succeed: something that this file continues was not confirmed."""
        self._doubtful = True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def sync_folder(folder: Path) -> None:
    """Make created and removed names durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
