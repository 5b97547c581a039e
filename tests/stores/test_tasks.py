"""What workers tell each other of tasks, and what is left of one that died."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.scene import Clock

from yett.config.task_settings import TaskSettings
from yett.errors import IntegrityError
from yett.model.caller import Caller, Credential
from yett.model.task import TaskName
from yett.stages.tasks import Tasks
from yett.stores.tasks import TaskExchange

ADA = Caller("key_ada", "ada", "research", "default", (), Credential("key", "key_ada"), "key_ada")
OTHER = """
import asyncio, sys
from pathlib import Path
from tests.stores.test_tasks import ADA, Clock, Tasks, TaskExchange, TaskName, TaskSettings

async def play():
    store, tasks, clock = TaskExchange(Path(sys.argv[1]), Clock()), Tasks(b"pepper"), Clock()
    step = tasks.begin(TaskSettings(), ADA, TaskName("run-17", 1), clock.now())
    step.hold(50, None)
    step.task.learn(labels=["restricted"], tools=["read_mail"])
    await store.round(tasks, 60.0)
    print("told", flush=True)
    sys.stdin.readline()

asyncio.run(play())
"""


def begin(tasks: Tasks, clock: Clock) -> tuple[int, int, int, tuple[str, ...]]:
    facts = tasks.begin(TaskSettings(), ADA, TaskName("run-17"), clock.now()).task.facts()
    return facts.steps, facts.fanout, facts.spend, facts.labels


async def test_workers_know_of_each_other_and_of_those_who_died(tmp_path: Path) -> None:
    clock, path, root = Clock(), tmp_path / "tasks.db", Path(__file__).parents[2]
    store, tasks = TaskExchange(path, clock), Tasks(b"pepper")
    other = subprocess.Popen(  # noqa: ASYNC220 - it is to live beside this one
        [sys.executable, "-c", OTHER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, text=True
    )
    assert other.stdout is not None
    assert other.stdin is not None
    assert other.stdout.readline() == "told\n"
    await store.round(tasks, 60.0)
    assert begin(tasks, clock) == (2, 2, 50, ("restricted",))
    await store.round(tasks, 60.0)
    other.kill()
    other.wait()
    other.stdin.close()
    other.stdout.close()
    clock.time += 10.0
    await store.round(tasks, 60.0)
    assert begin(tasks, clock) == (3, 2, 50, ("restricted",)), "its call is over, and charged at its worst"
    clock.time += 55.0
    await store.round(tasks, 60.0)
    assert begin(tasks, clock)[3] == (), "idle for longer than is remembered"
    store.close()


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "tasks.db"
    store, tasks = TaskExchange(path, clock), Tasks(b"pepper")
    begin(tasks, clock)
    await store.round(tasks, 60.0)
    store.close()
    with sqlite3.connect(path) as connection:  # as another process that is over would have left it
        connection.execute("UPDATE tasks SET pid = 2000000000")
    connection.close()
    store, tasks = TaskExchange(path, clock), Tasks(b"pepper")
    await store.round(tasks, 60.0)
    assert begin(tasks, clock)[:2] == (2, 1)
    store.close()


async def test_what_cannot_be_told_is_told_later(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "tasks.db"
    store, tasks = TaskExchange(path, clock), Tasks(b"pepper")
    await store.round(tasks, 60.0)
    begin(tasks, clock)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    await store.round(tasks, 60.0)
    assert "locked" in store.trouble
    blocker.execute("ROLLBACK")
    blocker.close()
    await store.round(tasks, 60.0)
    assert store.trouble == ""
    assert tasks.parts() == []
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
    connection.close()


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").write_text("x" * 5000)
    with pytest.raises(IntegrityError, match="damaged"):
        TaskExchange(tmp_path / "tasks.db", Clock())
