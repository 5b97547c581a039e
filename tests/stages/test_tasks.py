"""What a task is: whose, what it counts, when it is bounded, when it is forgotten, and what processes tell each other of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from yett.config.task_settings import TaskSettings
from yett.errors import Refusal
from yett.model.caller import Caller, Credential
from yett.model.task import TaskFacts, TaskName
from yett.stages.tasks import MOST_WORDS, Part, Step, Tasks, together

FREE = TaskSettings()
ADA = Caller("key_ada", "ada", "research", "default", (), Credential("key", "key_ada"), "key_ada")
NAME = TaskName("run-17")


@pytest.fixture
def tasks() -> Tasks:
    return Tasks(b"pepper")


def refused(tasks: Tasks, settings: TaskSettings, name: TaskName = NAME, now: float = 2.0) -> str:
    with pytest.raises(Refusal) as caught:
        tasks.begin(settings, ADA, name, now)
    return caught.value.code


def finished(tasks: Tasks, name: str = "run-17", now: float = 1.0, caller: Caller = ADA) -> Step:
    step = tasks.begin(FREE, caller, TaskName(name), now)
    step.end(0, now)
    return step


def test_calls_of_one_name_are_steps_of_one_task(tasks: Tasks) -> None:
    first = tasks.begin(FREE, ADA, NAME, 1.0)
    second = tasks.begin(FREE, ADA, TaskName("run-17", 2), 2.0)
    assert first.task is second.task
    assert (first.number, second.number) == (1, 2)
    assert second.task.facts() == TaskFacts(depth=2, steps=2, fanout=2)
    second.hold(40, None)
    assert first.task.spend == 40
    second.end(30, 3.0)
    first.end(5, 3.0)
    assert first.task.facts() == TaskFacts(depth=2, steps=2, spend=35)


def test_nobody_joins_anothers_task(tasks: Tasks) -> None:
    others = [
        replace(ADA, id="key_bob"),
        replace(ADA, tenant="acme"),
        replace(ADA, tenant="defaultk", id="ey_ada"),
    ]
    ids = {finished(tasks, caller=caller).task.id for caller in (ADA, *others)}
    assert len(ids) == 4
    assert finished(tasks).task.own.steps == 2
    assert finished(Tasks(b"pepper")).task.id in ids, "another process of the deployment knows it by the same name"
    assert finished(Tasks(b"salt")).task.id not in ids
    assert tasks.begin(FREE, others[1], NAME, 1.0).task.fence.startswith("task:acme/task_")


def test_a_task_that_was_issued_is_the_same_for_all_who_come_with_its_token(tasks: Tasks) -> None:
    issued = TaskName("task_1", 1, issued=True)
    first = tasks.begin(FREE, ADA, issued, 1.0)
    assert (first.task.id, first.task.fence) == ("task_1", "task:default/task_1")
    assert tasks.begin(FREE, replace(ADA, id="okta/bob"), replace(issued, depth=2), 1.0).task is first.task
    assert tasks.begin(FREE, replace(ADA, tenant="acme"), issued, 1.0).task is not first.task
    assert tasks.begin(FREE, ADA, TaskName("task_1"), 1.0).task is not first.task, "a word is no token"


def test_what_was_seen_stays(tasks: Tasks) -> None:
    task = finished(tasks).task
    task.learn(labels=["restricted"], findings=["pii", "pii@tool"])
    task.learn(labels=["restricted"], tools=["send_mail"])
    assert task.facts() == TaskFacts(
        steps=1, labels=("restricted",), findings=("pii", "pii@tool"), tools=("send_mail",)
    )
    task.learn(tools=[f"tool-{number}" for number in range(2 * MOST_WORDS)])
    assert len(task.facts().tools) == MOST_WORDS
    task.learn(tools=["one more"])
    assert len(task.facts().tools) == MOST_WORDS


def test_limits(tasks: Tasks) -> None:
    step = tasks.begin(FREE, ADA, NAME, 1.0)
    assert refused(tasks, TaskSettings(max_fanout=1)) == "task_fanout_exceeded"
    step.hold(60, 100)
    with pytest.raises(Refusal, match="may spend"):
        tasks.begin(FREE, ADA, NAME, 1.0).hold(41, 100)
    tasks.begin(FREE, ADA, NAME, 1.0).hold(40, 100)
    assert refused(tasks, TaskSettings(max_steps=3)) == "task_limit_exceeded"
    assert refused(tasks, TaskSettings(max_depth=1), TaskName("run-17", 2)) == "task_limit_exceeded"
    assert step.task.facts().steps == 3, "who was refused took no step"
    tasks.begin(TaskSettings(max_depth=1, max_fanout=4, max_steps=4), ADA, TaskName("run-17", 1), 1.0)


def test_a_task_is_forgotten_when_it_was_idle_for_long(tasks: Tasks) -> None:
    settings = TaskSettings(ttl=10.0)
    running = tasks.begin(settings, ADA, TaskName("runs"), 0.0)
    idle = finished(tasks, now=5.0)
    assert tasks.begin(settings, ADA, NAME, 14.9).task is idle.task
    tasks.sweep(10.0, 30.0)
    assert len(tasks) == 2, "both have a call in progress"
    running.end(0, 20.0)
    tasks.sweep(10.0, 29.0)
    assert len(tasks) == 2
    anew = tasks.begin(settings, ADA, TaskName("runs"), 30.0)
    assert (anew.task is running.task, anew.number) == (False, 1)
    anew.end(0, 30.0)
    tasks.begin(settings, ADA, NAME, 30.0)
    tasks.sweep(10.0, 40.0)
    assert len(tasks) == 1
    other = Tasks(b"pepper")
    finished(other)
    other.sweep(10.0, 11.0)
    assert len(other) == 0


def test_a_tenant_makes_room_among_its_own(tasks: Tasks) -> None:
    few = TaskSettings(max_tasks=2, ttl=1000.0)
    acme = replace(ADA, tenant="acme")
    kept = finished(tasks, caller=acme)
    running = tasks.begin(few, ADA, TaskName("a"), 1.0)
    tasks.begin(few, ADA, TaskName("b"), 2.0).end(0, 2.0)
    again = tasks.begin(few, ADA, TaskName("c"), 3.0)
    assert len(tasks) == 3, "b went"
    assert refused(tasks, few, TaskName("d")) == "task_fanout_exceeded"
    assert tasks.begin(few, ADA, TaskName("a"), 3.0).task is running.task
    again.end(0, 4.0)
    tasks.begin(few, ADA, TaskName("d"), 2000.0)
    assert tasks.begin(few, acme, NAME, 5.0).task is kept.task


def test_a_storm_of_names_does_not_make_another_caller_forget(tasks: Tasks) -> None:
    few, bob, carol = TaskSettings(max_tasks=10), replace(ADA, id="key_bob"), replace(ADA, id="key_carol")
    seen = finished(tasks, caller=bob).task
    seen.learn(labels=["restricted"])
    for number in range(100):
        tasks.begin(few, ADA, TaskName(f"name-{number}"), 2.0).end(0, 2.0)
    assert len(tasks) == 10
    assert tasks.begin(few, carol, NAME, 3.0).task.own.steps == 1, "there is room for who has few"
    assert len(tasks) == 10
    assert tasks.begin(few, bob, NAME, 4.0).task is seen
    issued = tasks.begin(few, bob, TaskName("task_1", issued=True), 5.0)
    issued.end(0, 5.0)
    for number in range(7):
        tasks.begin(few, ADA, TaskName(f"again-{number}"), 6.0)
    assert refused(tasks, few, TaskName("one more")) == "task_fanout_exceeded", "all of its own are in progress"
    assert tasks.begin(few, bob, TaskName("task_1", issued=True), 7.0).task is issued.task
    issued.task.own.fanout = 0
    assert tasks.begin(few, carol, TaskName("a second"), 8.0).number == 1, "what is idle, whosever it is"


def test_what_processes_tell_each_other(tasks: Tasks) -> None:
    other = Tasks(b"pepper")
    step = tasks.begin(FREE, ADA, TaskName("run-17", 1), 1.0)
    step.hold(7, None)
    step.task.learn(labels=["restricted"], findings=["pii"], tools=["send_mail"])
    ((key, part),) = tasks.parts(60.0)
    assert (key, tasks.parts(60.0)) == (("default", step.task.id), [])
    tasks.keep([key, ("default", "task_0")])
    assert tasks.parts(60.0, counts=False) == [(key, part)], "it could not be told"
    whole = together([part, Part(depth=3, steps=1, spent=5, last=9.0)])
    assert (whole.depth, whole.steps, whole.fanout, whole.spent, whole.held, whole.last) == (3, 2, 1, 5, 7, 9.0)
    other.merge({key: whole})
    there = other.begin(FREE, ADA, NAME, 10.0)
    assert there.number == 3
    assert there.task.facts() == TaskFacts(
        depth=3, steps=3, fanout=2, spend=12, labels=("restricted",), findings=("pii",), tools=("send_mail",)
    )
    assert refused(other, TaskSettings(max_steps=3), now=10.0) == "task_limit_exceeded"
    other.merge({key: None, ("acme", step.task.id): Part(steps=9), ("default", "task_1"): None})
    assert there.task.facts().steps == 1, "and what is said of another tenant's task is said of another task"
    old = Tasks(b"pepper")
    old.merge({key: whole})
    assert old.begin(TaskSettings(ttl=10.0), ADA, NAME, 19.0).number == 3, "a call of it is in progress elsewhere"
    old, whole.fanout = Tasks(b"pepper"), 0
    old.merge({key: whole})
    assert old.begin(TaskSettings(ttl=10.0), ADA, NAME, 19.0).number == 1, "idle for too long, wherever that was"


def test_what_is_only_counted_is_told_now_and_then(tasks: Tasks) -> None:
    first = finished(tasks, now=1.0)
    assert tasks.parts(60.0, counts=False) == [], "it has seen nothing"
    first.task.learn(labels=["restricted"])
    assert len(tasks.parts(60.0, counts=False)) == 1
    finished(tasks, now=10.0)
    assert tasks.parts(60.0, counts=False) == []
    finished(tasks, now=16.0)
    assert len(tasks.parts(60.0, counts=False)) == 1, "others would forget a task that goes on"
    tasks.begin(FREE, ADA, TaskName("run-17", 2), 17.0)
    assert len(tasks.parts(60.0, counts=False)) == 1, "deeper than before"


def test_what_others_know_goes_on_while_a_task_goes_on_anywhere(tasks: Tasks) -> None:
    step = finished(tasks, now=1.0)
    step.task.learn(labels=["restricted"])
    ((key, _),) = tasks.parts(10.0)
    tasks.merge({key: Part(steps=1, last=9.0)})
    tasks.sweep(10.0, 12.0)
    assert (len(tasks), tasks.gone()) == (1, []), "it goes on elsewhere"
    assert (tasks.active(10.0, 10.9), tasks.active(10.0, 12.0)) == ({key}, set())
    tasks.sweep(10.0, 19.0)
    assert (len(tasks), tasks.gone(), tasks.gone()) == (0, [key], [])
    tasks.keep([], [key])
    assert tasks.gone() == [key]
    finished(tasks, now=20.0).task.learn(labels=["restricted"])
    assert tasks.parts(10.0) != []
    tasks.merge({key: None})
    assert tasks.begin(replace(FREE, ttl=10.0), ADA, NAME, 31.0).task.own.labels == frozenset()
    assert tasks.gone() == [key], "what it was before it began anew"
