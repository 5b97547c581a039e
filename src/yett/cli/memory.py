"""What a process holds on to after it has started, or has taken up another configuration."""

from __future__ import annotations

import ctypes
import gc

# Objects that stay: the collector need not walk the configuration, the automaton's tables and the modules again and again. A
# call leaves no cycles, so young generations may grow before they are looked at.
COLLECT = (20_000, 20, 100)


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
