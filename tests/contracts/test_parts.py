"""What processes tell each other of tasks, in a file of their machine and in a database that several share; and what is left of one that died."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.contracts.conftest import new_database
from tests.scene import Clock
from tests.servers import Postgres

from yett.config.task_settings import TaskSettings
from yett.errors import IntegrityError
from yett.model.caller import Caller, Credential
from yett.model.task import TaskName
from yett.stages.tasks import Tasks
from yett.stores.database import Database, FileDatabase
from yett.stores.parts import APART_SECONDS, FILE, GONE_SECONDS, TaskExchange
from yett.stores.postgres import PostgresDatabase
from yett.stores.process import boot_id
from yett.stores.sqlite import StoreUnavailable

FREE = TaskSettings()
ADA = Caller("key_ada", "ada", "research", "default", (), Credential("key", "key_ada"), "key_ada")
Open = Callable[[], Database]


class Machine:
    """A process with its own tasks, of a machine of its own unless it says otherwise."""

    def __init__(self, open: Open, clock: Clock, name: str, ttl: float = 60.0, most: int = 100) -> None:
        self.tasks = Tasks(b"pepper")
        self.exchange = TaskExchange(open, clock, writer=name)
        self._clock, self._ttl, self._most = clock, ttl, most

    async def round(self, *, counts: bool = True) -> None:
        await self.exchange.round(self.tasks, self._ttl, self._most, counts=counts)

    def begin(self, name: str = "run-17", caller: Caller = ADA, depth: int = 0) -> Any:
        return self.tasks.begin(FREE, caller, TaskName(name, depth), self._clock.now())

    def step(self, name: str = "run-17", caller: Caller = ADA, labels: tuple[str, ...] = ()) -> Any:
        step = self.begin(name, caller)
        step.task.learn(labels=labels)
        step.end(1, self._clock.now())
        return step.task.facts()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> str:
    return new_database(postgres) if request.param == "postgres" else str(tmp_path)


def opened(place: str) -> Database:
    return PostgresDatabase(place) if "://" in place else FileDatabase(Path(place), FILE)


@pytest.fixture
def machine(place: str, clock: Clock) -> Iterator[Callable[..., Machine]]:
    made: list[Machine] = []

    def make(name: str, clock: Clock = clock, **options: Any) -> Machine:
        made.append(Machine(lambda: opened(place), clock, name, **options))
        return made[-1]

    yield make
    for each in made:
        each.exchange.close()
        if each.exchange.remote:
            each.exchange._database.close()


def rows(place: str, sql: str) -> list[tuple[Any, ...]]:
    database = opened(place)
    try:
        return database.rows(sql)
    finally:
        database.close()


async def test_what_one_machine_sees_binds_the_next_call_at_another(
    machine: Callable[..., Machine], clock: Clock
) -> None:
    a, b = machine("a"), machine("b")
    a.step(labels=("restricted",))
    held = a.begin(depth=2)
    held.hold(50, None)
    await a.round()
    await b.round()
    facts = b.step()
    assert (facts.labels, facts.steps, facts.fanout, facts.spend, facts.depth) == (("restricted",), 3, 1, 52, 2)
    await b.round(counts=False)
    held.end(20, clock.now())
    await a.round()
    assert a.step().steps == 3, "what is only counted was not worth telling"
    b.step()
    await b.round()
    await a.round()
    facts = a.step()
    assert (facts.steps, facts.fanout, facts.spend) == (6, 0, 25)
    assert b.step(caller=msgspec.structs.replace(ADA, tenant="acme")).labels == (), "another tenant's"


async def test_who_is_silent_has_died_and_leaves_no_calls(
    machine: Callable[..., Machine], clock: Clock, place: str
) -> None:
    a, b = machine("a", ttl=100.0), machine("b", ttl=100.0)
    step = a.begin()
    step.hold(50, None)
    step.task.learn(labels=["restricted"])
    await a.round()
    await b.round()
    b.step()
    for _ in range(2):
        clock.time += GONE_SECONDS - 1
        b.step()
        await a.round()
        await b.round()
    assert b.step().fanout == 1, "it says that it is there"
    clock.time += GONE_SECONDS + 1
    b.step()
    await b.round()
    facts = b.step()
    assert (facts.fanout, facts.spend, facts.labels) == (0, 56, ("restricted",)), "charged at its worst"
    for _ in range(4):
        clock.time += 40.0
        b.step()
        await b.round()
    assert b.step().labels == ("restricted",), "the task goes on, so it is not forgotten"
    clock.time += 101.0
    b.tasks.sweep(100.0, clock.now())
    await b.round()
    assert b.step().labels == (), "idle for longer than is remembered"
    assert rows(place, "SELECT writer FROM task_writers") == [("b",)]
    assert rows(place, "SELECT count(*) FROM task_parts") == [(0,)], "rows end with their task"


async def test_clocks_that_differ_do_not_make_a_task_old(machine: Callable[..., Machine]) -> None:
    behind, ahead = Clock(), Clock()
    ahead.time += 3600.0
    a, b = machine("a", behind), machine("b", ahead)
    await b.round()
    a.step(labels=("restricted",))
    await a.round()
    await b.round()
    assert b.step().labels == ("restricted",)
    b.step(labels=("secret",))
    await b.round()
    await a.round()
    assert a.step().labels == ("restricted", "secret")
    behind.time += 61.0
    a.tasks.sweep(60.0, behind.now())
    await a.round()
    assert a.step().labels == (), "nor does it last for the hour that the other is ahead"


async def test_a_restart_goes_on_where_it_was(machine: Callable[..., Machine]) -> None:
    a = machine("a")
    a.step(labels=("restricted",))
    await a.round()
    again = machine(f"{boot_id().decode()}/2000000000/1/1")
    await again.round()
    assert again.step().labels == ("restricted",)


async def test_a_storm_of_names_leaves_few_rows_and_harms_no_other_tenant(
    machine: Callable[..., Machine], place: str
) -> None:
    a, b = machine("a", most=50), machine("b", most=50)
    acme = msgspec.structs.replace(ADA, tenant="acme")
    a.step(caller=acme, labels=("restricted",))
    few = TaskSettings(max_tasks=50)
    for number in range(400):
        a.tasks.begin(few, ADA, TaskName(f"name-{number}"), 1.0).end(0, 1.0)
        if not number % 100:
            await a.round()
            await b.round()
    await a.round()
    await b.round()
    assert rows(place, "SELECT tenant, count(*) FROM task_parts GROUP BY tenant ORDER BY tenant") == [
        ("acme", 1),
        ("default", 50),
    ]
    assert len(b.tasks._known) == 51
    assert b.step(caller=acme).labels == ("restricted",)


async def test_what_cannot_be_told_is_told_later(
    place: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, machine: Callable[..., Machine]
) -> None:
    a, b = machine("a"), machine("b")
    await a.round()
    await b.round()
    a.step(labels=("restricted",))

    def away(*_: object) -> Any:
        raise StoreUnavailable("away")

    with monkeypatch.context() as outage:
        outage.setattr(type(a.exchange._database), "rows", away)
        await a.round()
        assert (a.exchange.trouble, a.tasks.apart) == ("away", False), "not at once"
        clock.time += max(APART_SECONDS, GONE_SECONDS + 1)
        await a.round()
        await b.round()
        assert (a.exchange.trouble, a.tasks.apart) == ("away", True)
        assert a.step().labels == ("restricted",), "what is known stays"
    await a.round()
    await b.round()
    assert (a.exchange.trouble, a.tasks.apart, b.tasks.apart) == ("", False, False)
    assert b.step().labels == ("restricted",)


async def test_what_is_damaged_is_not_believed(machine: Callable[..., Machine], place: str) -> None:
    a, b = machine("a"), machine("b")
    a.step()
    await a.round()
    database = opened(place)
    database.run("UPDATE task_parts SET part = $1", "{")
    database.close()
    await b.round()
    assert "damaged" in b.exchange.trouble


OTHER = """
import asyncio, sys
from pathlib import Path
from tests.contracts.test_parts import Clock, Machine, opened

async def play():
    machine = Machine(lambda: opened(sys.argv[1]), Clock(), "")
    step = machine.begin()
    step.hold(50, None)
    await machine.round()
    print("told", flush=True)
    sys.stdin.readline()

asyncio.run(play())
"""


async def test_a_neighbour_that_was_killed_is_missed_at_once(tmp_path: Path, clock: Clock) -> None:
    here = Machine(lambda: FileDatabase(tmp_path, FILE), clock, "")
    other = subprocess.Popen(  # noqa: ASYNC220 - it is to live beside this one
        [sys.executable, "-c", OTHER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert other.stdin is not None
    assert other.stdout is not None
    with other.stdin, other.stdout:
        assert other.stdout.readline() == "told\n"
        await here.round()
        assert here.step().fanout == 1
        other.kill()
        other.wait()
    clock.time += 6.0
    await here.round()
    facts = here.step()
    assert (facts.fanout, facts.spend) == (0, 52)
    here.exchange.close()


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("x" * 5000)
    with pytest.raises(IntegrityError, match="damaged"):
        TaskExchange(lambda: FileDatabase(tmp_path, FILE), Clock())
