"""Examiner: where texts are inspected. A short one at once, on the loop; a long one beside it, so that other calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from yett.config.snapshot import Snapshot
from yett.detectors.inspector import Inspector

INLINE = 4_096  # bytes; inspecting so much takes a few milliseconds, tens of them when it is made to be slow

Result = TypeVar("Result")


class Examiner:
    """One thread, and one inspector for each thread: an inspector belongs to one. Use on one event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "yett-examiner")

    async def examine(self, snapshot: Snapshot, size: int, work: Callable[[Inspector], Result]) -> Result:
        """The result of `work` on a text of `size` bytes."""
        if size <= INLINE:
            return work(snapshot.inspector)
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, snapshot.examiner)

    def close(self) -> None:
        """Let go of the thread; what it is at, it finishes."""
        self._thread.shutdown(wait=False, cancel_futures=True)
