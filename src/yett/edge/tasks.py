"""Background tasks that are neither lost nor silent: the one place where asyncio tasks are made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_alive: set[asyncio.Task[Any]] = set()
log = logging.getLogger("yett")


def spawn(coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start `coroutine` as a task, keep it referenced until it ends, and log what it dies of."""
    task = asyncio.get_running_loop().create_task(coroutine, name=name)
    _alive.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _alive.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task %s died: %s", task.get_name(), type(error).__name__, exc_info=error)
