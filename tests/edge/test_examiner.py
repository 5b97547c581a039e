"""A short text is inspected on the loop, a long one beside it, each on the inspector of its thread."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from tests.scene import Scene

from yett.detectors.inspector import Inspector
from yett.edge.examiner import INLINE, Examiner


async def test_a_long_text_does_not_hold_the_loop_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    snapshot, examiner = scene.gate.live.current, Examiner()
    started, free = threading.Event(), threading.Event()
    seen: list[tuple[Inspector, bool]] = []

    def work(inspector: Inspector) -> str:
        beside = threading.current_thread() is not threading.main_thread()
        seen.append((inspector, beside))
        if beside:
            started.set()
            assert free.wait(10)
        return "done"

    long = asyncio.ensure_future(examiner.examine(snapshot, INLINE + 1, work))
    await asyncio.to_thread(started.wait, 10)
    assert await examiner.examine(snapshot, INLINE, work) == "done"  # the loop goes on meanwhile
    assert not long.done()
    free.set()
    assert await long == "done"
    assert seen == [(snapshot.examiner, True), (snapshot.inspector, False)]
    examiner.close()
    scene.close()
