"""Calls of one task, through the whole pipeline: recognised, counted, decided with what came before, bounded, recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.scene import (
    CONFIGURATION,
    DONE,
    END,
    EVENTS,
    MAIL,
    PEPPER,
    SECRET,
    Answer,
    Reply,
    Scene,
    chat,
    event,
    get,
    key,
    stream,
    until,
    whole,
)

from yett.config.snapshot import with_fences
from yett.model.call import Inbound
from yett.model.caller import Delegation
from yett.model.fence import Fence
from yett.model.record import Record
from yett.stages.tasks import Tasks

GRANT = '@id("everything") permit (principal, action, resource);'
TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Make = Callable[..., Scene]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Scene] = []

    def scene(*policies: str, tasks: str = "") -> Scene:
        folder = tmp_path / str(len(made))
        settings = f"{CONFIGURATION}\n[tasks]\n{tasks}\n"
        keys = {"bob": key(), "acme": key(tenant="acme")}
        made.append(Scene(folder, configuration=settings, policies="\n".join((GRANT, *policies)), keys=keys))
        return made[-1]

    yield scene
    for each in made:
        each.close()


def step(content: object = "hello", task: bytes = b"run-17", **fields: Any) -> Inbound:
    inbound = chat(content, **fields)
    return replace(inbound, headers={**inbound.headers, b"x-yett-task": task})


def traced(trace: bytes) -> Inbound:
    inbound = chat("hello")
    return replace(inbound, headers={**inbound.headers, b"traceparent": trace})


def of(record: Record) -> tuple[str, int]:
    return record.task, record.step


async def test_calls_of_one_name_are_numbered_and_named_in_record_and_answer(make: Make) -> None:
    scene = make()
    first, second = await scene.call(step()), await scene.call(step())
    records = [scene.outcome(reply) for reply in (first, second)]
    assert [record.step for record in records] == [1, 2]
    assert {record.task for record in records} == {first.headers["x-yett-task"]}
    assert [of(record) for record in scene.intents()] == [of(record) for record in records]
    shown = (await scene.call(get(f"/yett/v1/calls/{second.id}"))).json
    assert (shown["task"], shown["step"]) == of(records[1])
    without = await scene.call(chat("hello"))
    assert "x-yett-task" not in without.headers
    assert of(scene.outcome(without)) == ("", 0)


async def test_a_trace_is_a_task_where_traces_are(make: Make) -> None:
    scene = make()
    same = [await scene.call(traced(trace)) for trace in (TRACE, TRACE[:-2] + b"00", b"01" + TRACE[2:] + b"-more")]
    assert [scene.outcome(reply).step for reply in same] == [1, 2, 3]
    for broken in (b"", b"ff" + TRACE[2:], TRACE.upper(), TRACE[:-3], b"00-" + b"0" * 32 + TRACE[35:]):
        assert of(scene.outcome(await scene.call(traced(broken)))) == ("", 0)
    scene = make(tasks="traces = false")
    assert of(scene.outcome(await scene.call(traced(TRACE)))) == ("", 0)


async def test_a_name_says_nothing_about_the_tasks_of_others(make: Make) -> None:
    scene = make(tasks="max_steps = 1")
    for who in ("ada", "bob", "acme"):
        assert (await scene.call(step(), who)).status == 200
        refused = await scene.call(step(), who)
        assert (refused.status, refused.code) == (429, "task_limit_exceeded")
    assert (await scene.call(step(task=b"run-18"))).status == 200
    assert len({record.task for record in scene.outcomes() if record.task}) == 4


async def test_levels_below_a_task_are_its_own(make: Make) -> None:
    scene = make(
        '@id("shallow") forbid (principal, action == Action::"InvokeModel", resource)'
        " when { context has task && context.task.depth > 1 };",
        tasks="max_depth = 2",
    )
    assert (await scene.call(step())).status == 200
    assert (await scene.call(step(task=b"run-17/research"))).status == 200
    deep = await scene.call(step(task=b"run-17/research/fetch"))
    assert deep.error["yett"]["policies"] == ["shallow"]
    assert (await scene.call(step())).code == "policy_denied", "the task has been down there"
    assert (await scene.call(step(task=b"run-17/a/b/c"))).code == "task_limit_exceeded"
    assert len({record.task for record in scene.outcomes() if record.task}) == 1


RESTRICTED = '@id("stays") forbid (principal, action == Action::"InvokeModel", resource in Model::"free") when'


async def test_what_a_task_has_seen_bounds_its_next_call(make: Make) -> None:
    scene = make(
        f'{RESTRICTED} {{ context has task && context.task.labels.contains("restricted") }};',
        f'{RESTRICTED.replace("stays", "found")} {{ context has task && context.task.findings.contains("pii@user") }};',
    )
    labelled = replace(step(), headers={**step().headers, b"x-yett-labels": b"restricted"})
    assert (await scene.call(step(model="free"))).status == 200
    assert (await scene.call(replace(labelled, body=step(model="free").body))).status == 200, "the label is its own"
    refused = await scene.call(step(model="free"))
    assert (refused.code, refused.error["yett"]["policies"]) == ("policy_denied", ["stays"])
    assert (await scene.call(chat(model="free"))).status == 200, "another call is no part of it"
    assert (await scene.call(step(f"I am {MAIL}", b"other"))).status == 200
    assert (await scene.call(step(model="free", task=b"other"))).error["yett"]["policies"] == ["found"]
    facts = msgspec.json.decode(bytes(scene.outcomes()[-1].facts))
    assert facts["task"]["findings"] == ["pii", "pii.email", "pii@user"]
    assert "steps" not in facts["task"], "no policy reads it"


@pytest.mark.parametrize("outage", ["refuse", "local"])
async def test_a_policy_does_not_judge_by_half_of_what_a_task_has_seen(make: Make, outage: str) -> None:
    restricted = f'{RESTRICTED} {{ context has task && context.task.labels.contains("restricted") }};'
    scene, other = (make(policy, tasks=f'on_outage = "{outage}"') for policy in (restricted, ""))
    scene.gate.tasks.apart = other.gate.tasks.apart = True
    reply = await scene.call(step(model="free"))
    if outage == "refuse":
        assert (reply.code, scene.upstream.sent) == ("tasks_unavailable", [])
    else:
        assert scene.outcome(reply).notes == ("tasks: what the other gateways know of it may be missing",)
    assert (await scene.call(chat(model="free"))).status == 200, "a call of no task"
    assert (await other.call(step(model="free"))).status == 200, "where nobody asks"


async def test_what_was_refused_was_seen_all_the_same(make: Make) -> None:
    scene = make(
        '@id("none") forbid (principal, action == Action::"InvokeModel", resource) when { context.findings.contains("secret") };',
        '@id("after") forbid (principal, action == Action::"InvokeModel", resource)'
        ' when { context has task && context.task.findings.contains("secret") };',
    )
    assert (await scene.call(step(f"use {SECRET}"))).error["yett"]["policies"] == ["none"]
    assert (await scene.call(step())).error["yett"]["policies"] == ["after"]


def calling(tool: str) -> dict[str, Any]:
    return {"id": "c1", "type": "function", "function": {"name": tool, "arguments": "{}"}}


def streamed(tool: str) -> Answer:
    half = len(tool) // 2
    pieces = [{"index": 0, "id": "c1", "function": {"name": tool[:half], "arguments": ""}}]
    pieces += [{"index": 0, "function": {"name": tool[half:], "arguments": "{}"}}]
    events = [
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]}).encode() + b"\n\n"
        for piece in pieces
    ]
    return Answer(*events, event("x", name="not a tool"), END, DONE, headers=EVENTS)


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_tool_that_the_model_called_and_what_it_said(make: Make, streaming: bool) -> None:
    scene = make(
        '@id("closed") forbid (principal, action == Action::"InvokeModel", resource)'
        ' when { context has task && context.task.tools.contains("read_mail") && context.task.findings.contains("pii@assistant") };'
    )
    said = {"index": 1, "message": {"role": "assistant", "content": f"It is {MAIL}."}, "finish_reason": "stop"}
    called = {"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [calling("read_mail")]}}
    buffered = Answer(json.dumps({"choices": [called, said]}).encode())
    if streaming:
        scene.upstream.will(streamed("read_mail"), stream(f"It is {MAIL}. "))
    else:
        scene.upstream.will(buffered, whole("nothing"))
    for _ in range(2):
        assert (await scene.call(step(stream=streaming))).status == 200
        if not streaming:
            break
    assert (await scene.call(step())).error["yett"]["policies"] == ["closed"]


async def test_the_tools_of_a_conversation_that_began_elsewhere(make: Make) -> None:
    scene = make(
        '@id("closed") forbid (principal, action == Action::"InvokeModel", resource)'
        ' when { context has task && context.task.tools.contains("read_mail") };'
    )
    document = json.loads(chat().body)
    document["messages"] += [{"role": "assistant", "content": None, "tool_calls": [calling("read_mail")]}]
    assert (await scene.call(replace(step(), body=json.dumps(document).encode()))).code == "policy_denied"


async def test_calls_at_once(make: Make) -> None:
    scene = make(tasks="max_fanout = 1")
    never = asyncio.Event()
    scene.upstream.will(stream("One ", never))
    running = scene.begin(step(stream=True))
    await until(lambda: bool(running.body))
    refused = await scene_call(scene, step())
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "task_fanout_exceeded", "1")
    running.disconnect()
    assert running.task is not None
    await asyncio.wait_for(running.task, 20)
    assert (await scene.call(step())).status == 200


async def scene_call(scene: Scene, inbound: Inbound) -> Reply:
    reply = scene.begin(inbound)
    assert reply.task is not None
    await asyncio.wait_for(reply.task, 20)
    return reply


async def test_money(make: Make) -> None:
    scene = make(
        '@id("dear") @obligation("tag:dear") permit (principal, action == Action::"InvokeModel", resource)'
        " when { context has task && context.task.spend > 10 };",
        tasks="max_spend_usd = 0.0003",
    )
    first = await scene.call(step(max_tokens=100))
    assert (first.status, scene.outcome(first).obligations) == (200, ())
    second = await scene.call(step(max_tokens=100))
    assert scene.outcome(second).obligations == ("tag:dear",)
    refused = await scene.call(step(max_tokens=200))
    assert (refused.code, refused.error["message"]) == (
        "task_limit_exceeded",
        "The task has used up what it may spend.",
    )
    assert (await scene.call(step(max_tokens=100))).status == 200, "what was refused is not held"


async def test_a_task_is_fenced_off_alone(make: Make) -> None:
    scene = make()
    task = (await scene.call(step())).headers["x-yett-task"]
    fence = Fence(f"task:default/{task}", 4, since=1)
    scene.live.current = with_fences(scene.live.current, (fence,))
    refused = await scene.call(step())
    assert (refused.code, scene.outcome(refused).fence) == ("fenced", fence.label)
    assert (await scene.call(step(task=b"another"))).status == 200
    assert (await scene.call(step(), "bob")).status == 200


async def test_a_task_token_says_which_task_it_is(make: Make) -> None:
    scene = make(tasks="max_steps = 3")
    snapshot = scene.live.current
    digest, ada = next((digest, caller) for digest, caller in snapshot.callers.items() if caller.id == "key_ada")
    handed = replace(ada.credential, delegation=Delegation("task_7", depth=1))
    with_token = {**snapshot.callers, digest: replace(ada, credential=handed)}
    scene.live.current = replace(snapshot, callers=with_token)
    for number, inbound in enumerate((chat(), step(task=b"another"), traced(TRACE)), 1):
        assert of(scene.outcome(await scene.call(inbound))) == ("task_7", number), "whatever the caller says besides"
    assert (await scene.call(step(task=b"another"))).code == "task_limit_exceeded"
    assert (await scene.call(get("/v1/models"))).status == 200


async def test_a_policy_can_ask_for_a_task(make: Make) -> None:
    scene = make(
        '@id("named") forbid (principal, action == Action::"InvokeModel", resource) unless { context has task };'
    )
    assert (await scene.call(chat())).error["yett"]["policies"] == ["named"]
    assert (await scene.call(step())).status == 200
    assert (await scene.call(get("/v1/models"))).status == 200


@pytest.mark.parametrize(
    ("tasks", "code", "most"),
    [
        ("max_steps = 5", "task_limit_exceeded", 5),
        ("max_fanout = 3", "task_fanout_exceeded", 3),
        ("max_spend_usd = 0.01", "task_limit_exceeded", 4),
    ],
)
async def test_workers_that_have_told_each_other_nothing_keep_to_the_limits_of_a_task(
    make: Make, tasks: str, code: str, most: int
) -> None:
    """Four of them, which share a ledger; a call holds 0.0021 USD."""
    scene = make(tasks=tasks)
    workers = [replace(scene.gate, tasks=Tasks(PEPPER), flights=set()) for _ in range(4)]
    go = asyncio.Event()
    replies = []
    for number in range(24):
        scene.upstream.will(Answer(go, *whole("Hello there.")._pieces))
        scene.gate = workers[number % 4]
        replies.append(scene.begin(step(max_tokens=1000)))
    running = [reply for reply in replies if not await ended(reply)]
    assert len(running) == most
    go.set()
    for reply in running:
        assert reply.task is not None
        await reply.task
        assert reply.status == 200
    assert {reply.code for reply in replies if reply not in running} == {code}
    for worker in workers:
        scene.gate = worker
        again = await scene.call(step(max_tokens=1000))
        assert again.code == ("" if "steps" not in tasks else code)


async def ended(reply: Reply) -> bool:
    assert reply.task is not None
    for _ in range(60):
        await asyncio.sleep(0)
        if reply.task.done():
            return True
    return False
