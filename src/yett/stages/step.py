"""step: a call as part of a task, from where it joins to where it leaves. See `stages.tasks` for what a task is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from yett.dialects import openai_chat
from yett.errors import Refusal
from yett.model.call import Call, Inbound
from yett.model.caller import Caller, Delegation
from yett.model.record import FindingCount
from yett.model.task import TaskFacts, TaskName
from yett.ports import Scope
from yett.stages import fence, inspect
from yett.stages.inspect import Seen
from yett.stages.record import Trail
from yett.stages.tasks import Tasks

MOST_NAME = 128  # characters of a tool's name
# W3C Trace Context, section 3.2: version, trace id, parent id, flags; a version to come may have more behind them.
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


class Answer(Protocol):
    """What came back: see `stages.reply`."""

    @property
    def tools(self) -> Iterable[str]: ...


def join(tasks: Tasks, trail: Trail, inbound: Inbound, caller: Caller, call: Call) -> None:
    """Begin the step that this call is, and put it on the trail with the facts that policies ask for. Raises Refusal
    (task_limit_exceeded, task_fanout_exceeded; tasks_unavailable; fenced)."""
    handed = caller.credential.delegation
    if handed is None and not call.task and b"traceparent" not in inbound.headers:
        return
    snapshot = trail.snapshot
    name = _name(inbound, call, handed, traces=snapshot.settings.tasks.traces)
    if name is None:
        return
    step = trail.step = tasks.begin(snapshot.settings.tasks, caller, name, trail.now)
    if step.task.own.steps == 1:  # begun now, or here: the conversation tells which tools it has used
        step.task.learn(tools=openai_chat.tools_called(call.body))
    policy = snapshot.policy
    if "task" in policy.reads:
        if tasks.apart and policy.task_reads:
            if snapshot.settings.tasks.on_outage == "refuse":
                raise Refusal("tasks_unavailable")
            trail.notes = (*trail.notes, "tasks: what the other gateways know of it may be missing")
        facts = step.task.facts()
        trail.task = TaskFacts(**{fact: getattr(facts, fact) for fact in policy.task_reads})
    fence.check(snapshot.fences, caller.credential, trail.now, step.task.fence)


def learn(trail: Trail, call: Call, seen: Seen) -> None:
    """What is in a request counts for the calls that begin from now on, whatever becomes of this one."""
    if trail.step is not None:
        trail.step.task.learn(inspect.labels_with(call.labels, seen.findings), inspect.origins_of(seen))


def hold(trail: Trail, cost: int) -> None:
    """Raises Refusal("task_limit_exceeded") when the task may not spend the worst case of this call."""
    if trail.step is not None:
        most = trail.snapshot.settings.tasks.max_spend_usd
        trail.step.hold(cost, None if most is None else int(most * 1_000_000))


def scopes(trail: Trail, others: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """What limits the call: the `others`, and its task."""
    return others if trail.step is None else trail.step.task.scopes(trail.snapshot.settings.tasks, others)


def leave(trail: Trail, answer: Answer | None, now: float) -> None:
    """The call is over; what was in its reply counts for those that begin from now on."""
    if trail.step is not None:
        if trail.findings:
            trail.step.task.learn(findings=_in_reply(trail.findings))
        if answer is not None:
            trail.step.task.learn(tools=[name[:MOST_NAME] for name in answer.tools])
        trail.step.end(trail.usage.cost, now)


def _name(inbound: Inbound, call: Call, handed: Delegation | None, *, traces: bool) -> TaskName | None:
    if call.action != "InvokeModel":
        return None
    if handed is not None:  # whoever comes with a task token cannot leave the task
        return TaskName(handed.task, handed.depth, issued=True)
    if call.task:
        top, slash, below = call.task.partition("/")
        return TaskName(top, below.count("/") + 1 if slash else 0)
    if traces and (found := _TRACEPARENT.fullmatch(inbound.headers[b"traceparent"])):
        return TaskName(f"trace:{found[1].decode()}")
    return None


def _in_reply(counts: Iterable[FindingCount]) -> set[str]:
    """Kinds, families, and families as what the model says."""
    kinds = {count.kind for count in counts if count.where == "reply" and count.action != "restored"}
    families = {kind.partition(".")[0] for kind in kinds}
    return kinds | families | {f"{family}@assistant" for family in families}
