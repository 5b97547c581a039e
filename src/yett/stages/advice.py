"""advice: what guardrails say of the same texts joins what was found, before policy decides."""

from __future__ import annotations

from yett.dialects import openai_chat
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.guardrail import Advice, Panel, Question
from yett.policy.engine import PolicyEngine
from yett.ports import Advisers
from yett.stages.inspect import Seen, in_steps, merged
from yett.stages.record import Trail


async def on_request(advisers: Advisers, trail: Trail, caller: Caller, call: Call, seen: Seen) -> Seen:
    """What is in a request by all accounts. Raises Refusal("guardrail_unavailable")."""
    panel = trail.snapshot.panel
    if panel is None or call.action != "InvokeModel" or not panel.on("request"):
        return seen
    segments = seen.segments or openai_chat.segments(call.body)
    scores = {"injection": seen.injection / 100}
    question = Question("request", caller.tenant, segments, seen.findings, scores, call.labels)
    advice = await _heard(advisers, panel, question, trail)
    if not advice.findings and not advice.scores:
        return seen
    percent = in_steps(advice.scores.get("injection", 0.0))
    return seen._replace(
        findings=merged(seen.findings, advice.findings),
        segments=segments,
        injection=max(seen.injection, percent),
        scores=_judged(advice, trail.snapshot.policy),
    )


async def on_reply(advisers: Advisers, panel: Panel, trail: Trail, seen: Seen) -> Seen:
    """What is in a reply by all accounts: `seen.segments` are all of its texts, found in or not. Raises
    Refusal("guardrail_unavailable")."""
    tenant = trail.caller.tenant if trail.caller else ""
    question = Question("reply", tenant, seen.segments, seen.findings, {}, trail.labels)
    advice = await _heard(advisers, panel, question, trail)
    return seen._replace(findings=merged(seen.findings, advice.findings), scores=_judged(advice, trail.snapshot.policy))


def _judged(advice: Advice, policy: PolicyEngine) -> tuple[tuple[str, int], ...]:
    """The scores that policies read: calls that differ only in others share their decision."""
    wanted = policy.reads & {"toxicity", "harm"}
    if "moderation" in policy.reads:
        wanted |= {name for name in advice.scores if name.startswith("moderation.")}
    return tuple(sorted((name, in_steps(advice.scores[name])) for name in wanted.intersection(advice.scores)))


async def _heard(advisers: Advisers, panel: Panel, question: Question, trail: Trail) -> Advice:
    """Who was asked, and who failed, is on the trail. Without the word of a guardrail that must be heard the call goes on only
    where policies are merely observed."""
    advice = await advisers.advise(panel, question)
    trail.notes = (*trail.notes, *advice.notes)
    if advice.unavailable and not trail.snapshot.observing:
        names = " and ".join(f'"{name}"' for name in advice.unavailable)
        raise Refusal("guardrail_unavailable", f"The guardrail {names} has not judged the whole call.", retry_after=1.0)
    return advice
