"""What a process holds on to after it has started, or has taken up another configuration; and who else may look at it."""

from __future__ import annotations

import ctypes
import gc
import re
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Objects that stay: the collector need not walk the configuration, the automaton's tables and the modules again and again. A
# call leaves no cycles, so young generations may grow before they are looked at.
COLLECT = (20_000, 20, 100)
_SET_DUMPABLE = 4  # prctl(2)
_DO_NOT_NEED = 4  # madvise(2)
_LIBRARY = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-[-x]p [0-9a-f]+ \S+ [1-9][0-9]* +/.*(?:\.so[.0-9]*|/python[.0-9]*)")


def settle() -> None:
    """Let the collector forget what is there now, and give the system back what only building it needed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    trim()
    forget_code()


def trim() -> None:
    """Give back free memory, where the C library knows how (glibc: malloc_trim(3)); elsewhere nothing happens."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)


def forget_code() -> None:
    """Unmap the pages of libraries that only loading them has touched (Linux): what is run comes back, from the system's cache."""
    with suppress(OSError, AttributeError):
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in list(unchanged(Path("/proc/self/smaps").read_text())):
            advise(start, end - start, _DO_NOT_NEED)


def unchanged(mappings: str) -> Iterator[tuple[int, int]]:
    """From where to where libraries are mapped (proc_pid_smaps(5)) that cannot be written to, and of which no page differs from
    the file: some the linker has written to (relocations), and these would be lost. Libraries stay where they are."""
    place = None
    for line in mappings.splitlines():
        if found := _LIBRARY.fullmatch(line):
            place = int(found[1], 16), int(found[2], 16)
        elif line.startswith("Anonymous:"):
            if place is not None and line.split()[1] == "0":
                yield place
            place = None


def keep_private() -> None:
    """Provider credentials are in this memory: no core file is written of it (setrlimit(2)), and, on Linux, no other process of
    the same user may read it or /proc/PID/environ, or trace it (prctl(2), PR_SET_DUMPABLE). Processes that are started from here
    by exec are as others again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:
        control(_SET_DUMPABLE, 0, 0, 0, 0)
