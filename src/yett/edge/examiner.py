"""Examiner: where texts are inspected. Short ones at once, on the loop; long ones beside it, so that other calls go on.

There is one thread, because inspection is work for a processor and not a wait for anything. It takes turns: a step for one tenant,
a step for the next, and within a tenant a step for each of its calls, so that nobody's long or hostile text holds up another's for
longer than a step takes. A tenant may have so many calls waiting, and each waits so long; then it is refused. What is not
inspected does not pass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from yett.config.snapshot import Snapshot
from yett.detectors.inspector import Inspector
from yett.errors import Refusal

INLINE = 4_096  # bytes; inspecting so much takes a few milliseconds, tens of them when it is made to be slow
STEP = 16_384  # bytes after which it is somebody else's turn; one item is never divided
WAITING = 64  # calls of one tenant

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Job:
    """What one call wants to know, as far as it is known."""

    __slots__ = ("_inspector", "_items", "_sizes", "_work", "answer", "results")

    def __init__(
        self,
        answer: asyncio.Future[list[Any]],
        inspector: Inspector,
        items: Sequence[Any],
        sizes: Sequence[int],
        work: Callable[[Inspector, Any], Any],
    ) -> None:
        self.answer = answer
        self.results: list[Any] = []
        self._inspector = inspector
        self._items = items
        self._sizes = sizes
        self._work = work

    @property
    def complete(self) -> bool:
        return len(self.results) == len(self._items)

    def step(self) -> None:
        """In the thread."""
        spent = 0
        while spent < STEP and not self.complete:
            at = len(self.results)
            spent += self._sizes[at]
            self.results.append(self._work(self._inspector, self._items[at]))


class Examiner:
    """One thread, and one inspector for each thread: an inspector belongs to one. Use on one event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "yett-examiner")
        self._busy = False
        self._lines: dict[str, deque[_Job]] = {}  # by tenant; whose turn it is comes first

    async def examine(
        self,
        snapshot: Snapshot,
        tenant: str,
        items: Sequence[Item],
        sizes: Sequence[int],
        work: Callable[[Inspector, Item], Result],
    ) -> list[Result]:
        """The result of `work` on each item, of so many bytes each. Raises Refusal("overloaded"), and what `work` raises."""
        if sum(sizes) <= INLINE:
            return [work(snapshot.inspector, item) for item in items]
        line = self._lines.setdefault(tenant, deque())
        if len(line) >= WAITING:
            raise Refusal("overloaded", "Too many long texts are waiting to be inspected.", retry_after=1.0)
        job = _Job(asyncio.get_running_loop().create_future(), snapshot.examiner, items, sizes, work)
        line.append(job)
        self._go_on()
        try:
            return await asyncio.wait_for(job.answer, snapshot.settings.inspection.deadline)
        except TimeoutError:
            raise Refusal("overloaded", "The text was not inspected in time.", retry_after=1.0) from None

    def _go_on(self) -> None:
        """Let the thread take the next step, if it is not at one."""
        while self._lines and not self._busy:
            tenant, line = next(iter(self._lines.items()))
            while line and line[0].answer.done():  # answered, or nobody waits any more
                line.popleft()
            if line:
                self._busy = True
                step = asyncio.get_running_loop().run_in_executor(self._thread, line[0].step)
                step.add_done_callback(partial(self._stepped, tenant))
            else:
                del self._lines[tenant]

    def _stepped(self, tenant: str, step: asyncio.Future[None]) -> None:
        self._busy = False
        if not self._lines:
            return  # closed meanwhile
        line = self._lines[tenant] = self._lines.pop(tenant)  # its next turn comes after everybody else's
        job = line.popleft()
        error = step.exception()
        if not job.answer.done():
            if error is not None:
                job.answer.set_exception(error)
            elif job.complete:
                job.answer.set_result(job.results)
            else:
                line.append(job)
        self._go_on()

    def close(self) -> None:
        """Let go of whoever waits, and of the thread; what it is at, it finishes."""
        for line in self._lines.values():
            for job in line:
                job.answer.cancel()
        self._lines.clear()
        self._thread.shutdown(wait=False, cancel_futures=True)
