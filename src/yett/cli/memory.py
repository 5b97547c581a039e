"""What a process holds on to after it has started, or has taken up another configuration; and who else may look at it."""

from __future__ import annotations

import ctypes
import gc
import resource

# Objects that stay: the collector need not walk the configuration, the automaton's tables and the modules again and again. A
# call leaves no cycles, so young generations may grow before they are looked at.
COLLECT = (20_000, 20, 100)
_SET_DUMPABLE = 4  # prctl(2)


def settle() -> None:
    """Let the collector forget what is there now, and give the system back what only building it needed."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)
    trim()


def trim() -> None:
    """Give back free memory, where the C library knows how (glibc: malloc_trim(3)); elsewhere nothing happens."""
    release = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if release is not None:
        release(0)


def keep_private() -> None:
    """Provider credentials are in this memory: no core file is written of it (setrlimit(2)), and, on Linux, no other process of
    the same user may read it or /proc/PID/environ, or trace it (prctl(2), PR_SET_DUMPABLE). Processes that are started from here
    by exec are as others again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    control = getattr(ctypes.CDLL(None), "prctl", None)
    if control is not None:
        control(_SET_DUMPABLE, 0, 0, 0, 0)
