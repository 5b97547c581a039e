"""Which process this is, and whether another one still runs: a pid alone is used again by the next process."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct


class Process(Struct, frozen=True):
    """A process of this machine. `started` is clock ticks since boot, `namespace` the inode of its pid namespace; both 0
    where the system does not tell (not Linux)."""

    pid: int
    started: int
    namespace: int


def this_process() -> Process:
    pid = os.getpid()
    started = _started(pid)
    try:
        namespace = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return Process(pid, started or 0, namespace)


def is_running(process: Process, observer: Process) -> bool:
    """False only when it is certain that the process is gone. `observer` is this process; a pid of another container's
    namespace says nothing here, so such a process counts as running."""
    if process.namespace != observer.namespace or process == observer:
        return True
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it exists and belongs to someone else
    started = _started(process.pid)
    return started is None or started == process.started


def _started(pid: int) -> int | None:
    """Start time in ticks (proc(5), /proc/pid/stat field 22); -1 for one that has ended and was not yet reaped; None when
    the system does not tell. The name in field 2 may contain anything, so fields count from the last parenthesis."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    return -1 if fields[0] in {b"Z", b"X"} else int(fields[19])


def boot_id() -> bytes:
    """Differs after each start of the machine; b"" where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    except OSError:
        return b""
