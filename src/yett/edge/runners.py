"""Runners: tasks that serve one call after another, because to make a task for each costs as much as a stage of the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from yett.edge.http1 import Http1Connection
from yett.model.call import Inbound

KEPT = 256  # that wait for a call

Run: TypeAlias = "Callable[[Inbound, Http1Connection], Coroutine[Any, Any, None]]"
_Next: TypeAlias = "asyncio.Future[tuple[Inbound, Http1Connection]]"


class Runners:
    """`run` never raises, and takes a cancellation as the end of its call. Use on one event loop."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._idle: list[tuple[_Next, asyncio.Task[None]]] = []

    def serve(self, inbound: Inbound, connection: Http1Connection) -> asyncio.Task[None]:
        """Run this call. The task returned is at nothing else until the call has ended."""
        while self._idle:
            following, task = self._idle.pop()
            if not following.done():  # else the task was cancelled while it waited
                following.set_result((inbound, connection))
                return task
        # asyncio keeps only weak references; the call's flight keeps the connection, which keeps the task.
        return self._loop.create_task(self._work(inbound, connection))

    async def _work(self, inbound: Inbound, connection: Http1Connection) -> None:
        run, idle = self._run, self._idle
        task = asyncio.current_task()
        while task is not None:
            await run(inbound, connection)
            while task.cancelling():  # what ended that call is no concern of the next one
                task.uncancel()
            if len(idle) >= KEPT:
                return
            del inbound, connection  # nothing of a call is kept for longer than it takes
            following: _Next = self._loop.create_future()
            idle.append((following, task))
            inbound, connection = await following

    def close(self) -> None:
        """Let go of the tasks that wait."""
        for following, _ in self._idle:
            following.cancel()
        self._idle.clear()
