"""Short texts are inspected on the loop, long ones beside it, each on the inspector of its thread, and tenants take turns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace
from tests.scene import Scene

from yett.config.snapshot import Snapshot
from yett.detectors.inspector import Inspector
from yett.edge.examiner import INLINE, STEP, WAITING, Examiner
from yett.errors import Refusal

LONG = (INLINE + 1,)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    scene = Scene(tmp_path_factory.mktemp("examiner"))
    yield scene.gate.live.current
    scene.close()


class Work:
    """Notes what it was given, and where; in the thread it waits until it may go on."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.inspectors: list[tuple[Inspector, bool]] = []
        self.began, self.free = threading.Event(), threading.Event()

    def __call__(self, inspector: Inspector, item: str) -> str:
        beside = threading.current_thread() is not threading.main_thread()
        self.inspectors.append((inspector, beside))
        self.seen.append(item)
        if beside:
            self.began.set()
            assert self.free.wait(10)
        return item.upper()


@asynccontextmanager
async def holding(snapshot: Snapshot) -> AsyncIterator[tuple[Examiner, Work, asyncio.Future[list[str]]]]:
    """An examiner whose thread is at the first of two steps for the tenant "a"."""
    examiner, work = Examiner(), Work()
    first = asyncio.ensure_future(examiner.examine(snapshot, "a", ("a1", "a2"), (STEP, STEP), work))
    await asyncio.to_thread(work.began.wait, 10)
    try:
        yield examiner, work, first
    finally:
        work.free.set()
        examiner.close()


async def test_a_long_text_does_not_hold_the_loop_up(snapshot: Snapshot) -> None:
    async with holding(snapshot) as (examiner, work, long):
        assert await examiner.examine(snapshot, "a", ("x", "y"), (INLINE - 1, 1), work) == ["X", "Y"]
        assert not long.done()
        work.free.set()
        assert await long == ["A1", "A2"]
        there, here = (snapshot.examiner, True), (snapshot.inspector, False)
        assert work.inspectors == [there, here, here, there]


async def test_tenants_take_turns_and_so_do_calls_of_one(snapshot: Snapshot) -> None:
    async with holding(snapshot) as (examiner, work, first):
        others = [
            asyncio.ensure_future(examiner.examine(snapshot, tenant, (tenant + "3",), LONG, work)) for tenant in "aabc"
        ]
        await asyncio.sleep(0)
        work.free.set()
        assert await first == ["A1", "A2"]
        assert await asyncio.gather(*others) == [["A3"], ["A3"], ["B3"], ["C3"]]
        assert work.seen == ["a1", "b3", "c3", "a3", "a3", "a2"]


async def test_short_items_are_inspected_several_in_a_step(snapshot: Snapshot) -> None:
    async with holding(snapshot) as (examiner, work, _):
        items = [str(number) for number in range(6)]
        many = asyncio.ensure_future(examiner.examine(snapshot, "b", items, [STEP // 2] * 6, work))
        work.free.set()
        assert await many == items
        assert work.seen[:4] == ["a1", "0", "1", "a2"]


async def test_a_tenant_that_floods_is_refused_and_no_other(snapshot: Snapshot) -> None:
    async with holding(snapshot) as (examiner, work, first):
        waiting = [
            asyncio.ensure_future(examiner.examine(snapshot, "a", ("x",), LONG, work)) for _ in range(WAITING - 1)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Refusal, match="Too many long texts"):
            await examiner.examine(snapshot, "a", ("x",), LONG, work)
        other = asyncio.ensure_future(examiner.examine(snapshot, "b", ("y",), LONG, work))
        work.free.set()
        assert await other == ["Y"]
        assert len(await asyncio.gather(first, *waiting)) == WAITING


async def test_who_waits_too_long_is_refused_and_forgotten(snapshot: Snapshot) -> None:
    settings = snapshot.settings
    hurried = replace(snapshot, settings=replace(settings, inspection=replace(settings.inspection, deadline=0.001)))
    async with holding(snapshot) as (examiner, work, first):
        with pytest.raises(Refusal, match="in time"):
            await examiner.examine(hurried, "b", ("late",), LONG, work)
        first.cancel()  # its caller has gone
        last = asyncio.ensure_future(examiner.examine(snapshot, "c", ("c",), LONG, work))
        await asyncio.sleep(0)
        work.free.set()
        assert await last == ["C"]
        assert work.seen == ["a1", "c"]


async def test_what_goes_wrong_is_told_to_whom_it_concerns(snapshot: Snapshot) -> None:
    def wrong(_: Inspector, item: str) -> str:
        raise ValueError(item)

    examiner = Examiner()
    with pytest.raises(ValueError, match="odd"):
        await examiner.examine(snapshot, "a", ("odd",), LONG, wrong)
    assert await examiner.examine(snapshot, "a", ("even",), LONG, lambda _, item: item) == ["even"]
    examiner.close()


async def test_who_waits_when_the_gateway_stops_is_let_go(snapshot: Snapshot) -> None:
    async with holding(snapshot) as (examiner, work, first):
        examiner.close()
        with pytest.raises(asyncio.CancelledError):
            await first
        work.free.set()
        await asyncio.sleep(0.01)
        assert work.seen == ["a1"]


async def test_who_has_been_answered_does_not_count_among_those_who_wait(snapshot: Snapshot) -> None:
    examiner, work = Examiner(), Work()
    work.free.set()

    async def call_again() -> None:
        for _ in range(3):
            assert await examiner.examine(snapshot, "a", ("x",), LONG, work) == ["X"]

    await asyncio.gather(*(call_again() for _ in range(WAITING)))
    examiner.close()
