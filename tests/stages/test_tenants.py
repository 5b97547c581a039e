"""Two tenants with the same names for everything send the same traffic, and neither leaves a trace in the other.

The test is a difference: what tenant b is answered, what leaves for it and what is recorded of it must be the same, byte for byte, whether
tenant a was there before or not. Whatever one of them could use up, warm up, taint or leave lying about for the other shows here without
having been thought of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.scene import CONFIGURATION, MAIL, NOW, SECRET, Reply, Scene, chat, get, key, stream, whole

from yett.config.snapshot import with_fences
from yett.config.suppressions import fingerprint
from yett.model.call import Inbound
from yett.model.fence import Fence
from yett.model.key import Budget, Limits
from yett.model.record import Record
from yett.stores.journal_reader import Filter, entries

SETTINGS = f"""
tenants = ["alpha", "beta"]
{CONFIGURATION}
[tasks]
max_steps = 4
max_spend_usd = 1

[inspection]
quality = true

[inspection.suppressions.known]
findings = ["pii.email"]
tenants = ["alpha"]
teams = ["research"]
until = "2026-12-31"
reason = "of alpha only"
""".replace("[teams.research]", '[teams.research]\nlimits = { rpm = 12, budget = "5usd/day", concurrency = 3 }')
POLICIES = """
@id("everything") permit (principal, action, resource);
@id("tokens") @obligation("tokenize:pii") permit (principal, action, resource);
@id("no-secrets") @obligation("redact:secret") permit (principal, action, resource);
@id("free-for-alpha") forbid (principal, action, resource in Model::"free") unless { principal in Tenant::"alpha" };
@id("tainted") forbid (principal, action == Action::"InvokeModel", resource)
when { context has task && context.task.findings.contains("secret@user") };
@id("leaks") forbid (principal, action == Action::"ReleaseReply", resource) when { context.findings.contains("exfiltration") };
"""
PROMPT = "You are the assistant of a firm of clockmakers in the hills, and you speak of escapements, springs and of nothing else at all."


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    made: list[Scene] = []

    def scene() -> Scene:
        keys = {name: key(tenant=name, limits=Limits(rpm=100)) for name in ("alpha", "beta")}
        made.append(Scene(tmp_path / str(len(made)), configuration=SETTINGS, policies=POLICIES, keys=keys))
        return made[-1]

    yield scene
    for each in made:
        each.close()


def named(inbound: Inbound, task: str) -> Inbound:
    return replace(inbound, headers={**inbound.headers, b"x-yett-task": task.encode()})


def traffic() -> list[tuple[Inbound, str]]:
    """Calls, and what the model answers to each: to every memo, store and limit that there is."""
    system = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "What do you say?"}]
    instructed = replace(chat(), body=json.dumps({"model": "fast", "messages": system}).encode())
    return [
        (chat("hello"), "Hello."),
        (chat("hello", stream=True), "Hello."),
        (chat(f"write to {MAIL}"), "Done."),
        (named(chat(f"write to {MAIL}"), "run"), "Done."),
        (named(chat("and again", stream=True), "run"), "Done."),
        (named(chat(f"use {SECRET}"), "dirty"), "No."),
        (named(chat("go on"), "dirty"), "Never said."),
        (instructed, PROMPT),
        (chat("What is it?", model="free"), "Free."),
        (get("/v1/models"), ""),
        (get("/v1/models/free"), ""),
        *[(named(chat("on and on"), "loop"), "Yes.") for _ in range(5)],
    ]


async def play(scene: Scene, who: str) -> list[Reply]:
    replies = []
    for inbound, text in traffic():
        if inbound.method == "POST":
            scene.upstream.answers.clear()
            scene.upstream.will(stream(text) if b'"stream":true' in inbound.body else whole(text))
        replies.append(await scene.call(inbound, who))
    return replies


VARYING = ("x-yett-request-id", "x-request-id")


def told(replies: list[Reply]) -> list[object]:
    """What a caller learns, but for the ids of its calls."""
    return [
        (
            reply.status,
            {name: value for name, value in reply.headers.items() if name not in VARYING},
            reply.body.replace(reply.id.encode(), b"ID"),
        )
        for reply in replies
    ]


def written(records: list[Record]) -> list[dict[str, Any]]:
    """What is recorded, but for ids and times."""
    found = [json.loads(msgspec.json.encode(record)) for record in records]
    for record in found:
        for name in ("call", "hold", "ts", "ms", "overhead_ms", "first_byte_ms"):
            record.pop(name, None)
        for text in ("request", "reply"):  # each gateway has a key of its own for these
            record.get(text, {}).pop("hmac", None)
    return found


def of(scene: Scene, tenant: str) -> list[Record]:
    return [record for record in scene.records() if record.tenant == tenant]


async def test_one_tenant_is_the_same_whether_the_other_was_there_or_not(make: Callable[[], Scene]) -> None:
    alone, shared = make(), make()
    lonely = await play(alone, "beta")
    first = await play(shared, "alpha")
    sent = len(shared.upstream.sent)
    second = await play(shared, "beta")
    assert told(second) == told(lonely)
    assert [outgoing.body for outgoing in shared.upstream.sent[sent:]] == [o.body for o in alone.upstream.sent]
    assert written(of(shared, "beta")) == written(of(alone, "beta"))
    # and the traffic did meet what could have held a trace
    assert {reply.code for reply in second} >= {"task_limit_exceeded", "policy_denied", "reply_blocked"}
    assert b"EMAIL_" in alone.upstream.sent[2].body
    assert MAIL.encode() not in alone.upstream.sent[2].body
    assert any("suppressed" in note for record in of(shared, "alpha") for note in record.notes)
    assert [reply.status for reply in first] != [reply.status for reply in second], "policies do tell them apart"


async def test_neither_appears_in_what_the_other_sees_or_what_leaves_for_it(make: Callable[[], Scene]) -> None:
    scene = make()
    marks = {"alpha": "the otter of alpha", "beta": "the heron of beta"}
    seen: dict[str, bytes] = {}
    for who, words in marks.items():
        before = len(scene.upstream.sent)
        scene.upstream.will(whole(f"You said: {words}"), stream(f"You said: {words}"))
        replies = [await scene.call(chat(words), who), await scene.call(named(chat(words, stream=True), "run"), who)]
        seen[who] = b"".join(json.dumps(reply.headers).encode() + reply.body for reply in replies)
        seen[who] += b"".join(outgoing.body for outgoing in scene.upstream.sent[before:])
        seen[who] += b"".join(msgspec.json.encode(record) for record in of(scene, who))
    for who, other in (("alpha", "beta"), ("beta", "alpha")):
        assert marks[who].encode() in seen[who]
        assert marks[other].encode() not in seen[who]
        assert other.encode() not in seen[who]


async def test_nothing_remembered_is_remembered_for_both(make: Callable[[], Scene]) -> None:
    scene = make()
    await play(scene, "alpha")
    snapshot = scene.live.current

    def keys(memo: Any) -> set[Any]:
        return {*memo._young, *memo._old}

    before = {name: keys(getattr(snapshot, name)) for name in ("verdicts", "prompts", "plans", "together")}
    await play(scene, "beta")
    for name, known in before.items():
        later = keys(getattr(snapshot, name))
        assert known, name
        assert known < later, f"{name}: the second tenant asked the same and found it there"
        assert {str(each[0]).removeprefix("key_") for each in known} == {"alpha"}, name
        assert {str(each[0]).removeprefix("key_") for each in later - known} == {"beta"}, name
    assert fingerprint(b"pepper", "alpha", MAIL) != fingerprint(b"pepper", "beta", MAIL)


async def test_calls_of_the_other_are_as_if_they_were_not_there(make: Callable[[], Scene]) -> None:
    scene = make()
    reply = await scene.call(chat("hello"), "alpha")
    assert (await scene.call(get(f"/yett/v1/calls/{reply.id}"), "alpha")).status == 200
    theirs = await scene.call(get(f"/yett/v1/calls/{reply.id}"), "beta")
    nobodys = await scene.call(get(f"/yett/v1/calls/call_{'0' * 25}"), "beta")
    bodies = [each.body.replace(each.id.encode(), b"ID") for each in (theirs, nobodys)]
    assert (theirs.status, bodies[0]) == (nobodys.status, bodies[1])
    assert theirs.code == "call_not_found"


async def test_limits_of_teams_of_one_name(make: Callable[[], Scene]) -> None:
    scene = make()
    default = key(limits=Limits(budget=Budget(10**9, "day")))
    scene.issue("gamma", default)
    for who in ("alpha", "beta", "gamma"):
        statuses = [(await scene.call(get("/v1/models"), who)).status for _ in range(13)]
        assert statuses == [200] * 12 + [429]
    refused = await scene.call(get("/v1/models"), "alpha")
    assert "team limit of 12 requests per minute (research)" in refused.error["message"]


async def test_a_fence_keeps_out_one_of_them(make: Callable[[], Scene]) -> None:
    scene = make()
    for fence in (Fence("tenant:alpha", 1, since=1), Fence("team:alpha/research", 2, since=1)):
        scene.live.current = with_fences(scene.live.current, (fence,))
        assert (await scene.call(chat(), "alpha")).code == "fenced"
        assert (await scene.call(chat(), "beta")).status == 200
        assert (await scene.call(chat(), "ada")).status == 200


async def test_metrics_and_exports_tell_them_apart(make: Callable[[], Scene]) -> None:
    scene = make()
    for who in ("alpha", "beta", "ada"):
        await scene.call(chat(), who)
    assert {labels[3] for labels in scene.meters.counted()} == {"alpha/research", "beta/research", "research"}
    exported = [entry.record for entry in entries(scene.folder / "audit", Filter(tenant="beta"))]
    assert {(record.tenant, record.name) for record in exported} == {("beta", "beta")}
    assert len(exported) == 2
    assert scene.clock.now() >= NOW
