"""Tasks serve one call after another, and what ended one call does not reach the next."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from typing import Any, cast

from yett.edge import runners
from yett.edge.http1 import Http1Connection
from yett.edge.runners import Runners
from yett.model.call import Inbound

INBOUND = Inbound("GET", "/", "", {}, b"", "", 0.0)


class Connection:
    """Stands where a caller's connection would; only its identity counts."""


def connection() -> Http1Connection:
    return cast("Http1Connection", Connection())


class Calls:
    """What was served, and the gate that calls wait at."""

    def __init__(self) -> None:
        self.served: list[Any] = []
        self.ended: list[str] = []
        self.open = asyncio.Event()

    async def run(self, _: Inbound, outlet: Http1Connection) -> None:
        self.served.append(weakref.ref(outlet))
        try:
            await self.open.wait()
            self.ended.append("whole")
        except asyncio.CancelledError:
            self.ended.append("cut")


async def turns(number: int = 3) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_task_serves_the_next_call() -> None:
    calls = Calls()
    calls.open.set()
    served = Runners(calls.run)
    first = served.serve(INBOUND, connection())
    await turns()
    assert served.serve(INBOUND, connection()) is first
    await turns()
    assert calls.ended == ["whole", "whole"]
    gc.collect()
    assert [each() for each in calls.served] == [None, None]  # nothing of a call is kept
    served.close()
    await turns()
    assert first.done()


async def test_a_call_that_was_cut_leaves_the_next_one_alone() -> None:
    calls = Calls()
    served = Runners(calls.run)
    task = served.serve(INBOUND, connection())
    await turns()
    task.cancel()
    task.cancel()
    await turns()
    calls.open.set()
    assert served.serve(INBOUND, connection()) is task
    await turns()
    assert calls.ended == ["cut", "whole"]
    assert not task.cancelling()
    served.close()


async def test_calls_at_the_same_time_have_a_task_each() -> None:
    calls = Calls()
    served = Runners(calls.run)
    tasks = {served.serve(INBOUND, connection()) for _ in range(runners.KEPT + 3)}
    assert len(tasks) == runners.KEPT + 3
    await turns()
    calls.open.set()
    await turns()
    assert sum(task.done() for task in tasks) == 3  # no more wait than are kept
    served.close()
    await turns()
    assert all(task.done() for task in tasks)


async def test_a_task_that_was_cancelled_while_it_waited_is_given_no_call() -> None:
    calls = Calls()
    calls.open.set()
    served = Runners(calls.run)
    task = served.serve(INBOUND, connection())
    await turns()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert served.serve(INBOUND, connection()) is not task
    await turns()
    assert calls.ended == ["whole", "whole"]
    served.close()
