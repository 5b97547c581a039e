"""The order of a call, top to bottom. Every route goes through here, and nothing else may start a stage.

A call can end early in three ways: a stage says no (a Refusal), it is cancelled (the caller went away, its key was revoked,
the gateway shuts down), or there is a bug. All end in `_conclude`, which settles the hold, writes the one outcome record and
only then lets go of the last byte: what a caller has seen completed is on the record.
"""

from __future__ import annotations

import asyncio
import logging

from yett.dialects import oauth, openai_chat
from yett.errors import Refusal, YettError
from yett.gate import Flight, Gate
from yett.model.call import Call, Inbound
from yett.model.route import Target
from yett.ports import Exchange, Outlet, UpstreamFailure
from yett.stages import advice, attachments, decide, fence, inspect, keep, local, metadata, record, settle, step
from yett.stages.forward import Road, forward, refusal_for
from yett.stages.headroom import headroom_of
from yett.stages.identify import identify
from yett.stages.reply import BufferedReply, StreamedReply
from yett.stages.reserve import worst_case
from yett.stages.stream import BrokenStreamError
from yett.stages.transform import Bodies, bodies_for
from yett.stages.understand import labels_of, surface_of
from yett.stages.watch import watch_for

log = logging.getLogger("yett")
Reply = BufferedReply | StreamedReply


async def run(inbound: Inbound, outlet: Outlet, gate: Gate) -> None:
    """Govern one call and answer it. Never raises: whatever happens is told to the caller and to the journal."""
    trail = record.Trail(gate.new_id(), inbound.received, gate.live.current)
    flight = Flight(trail, outlet)
    gate.flights.add(flight)
    refusal: Refusal | None = None
    try:
        await _govern(inbound, outlet, gate, flight)
    except Refusal as error:
        refusal = error
    except (UpstreamFailure, BrokenStreamError) as error:
        refusal = refusal_for(error.outcome)
    except asyncio.CancelledError:
        refusal = flight.reason or (None if outlet.gone else Refusal("draining"))
        trail.outcome = "cut" if refusal else "disconnected"
    except Exception:
        log.exception("call %s failed", trail.id)
        refusal = Refusal("internal_error")
    flight.ending = True
    try:
        await _conclude(outlet, gate, flight, refusal)
    except Exception:
        log.exception("call %s could not be concluded", trail.id)
        outlet.abandon()
    finally:
        gate.flights.discard(flight)
        step.leave(trail, flight.reply, gate.clock.now())


async def _govern(inbound: Inbound, outlet: Outlet, gate: Gate, flight: Flight) -> None:
    trail, clock = flight.trail, gate.clock
    snapshot = trail.snapshot
    outlet.watch(flight.gone, flight.pause)
    if outlet.gone:
        raise asyncio.CancelledError
    if (public := local.published(inbound, trail, gate.signer)) is not None:
        trail.answered(public)
        return
    # identify
    surface = surface_of(inbound)
    trail.surface = surface.id
    caller = trail.caller = await identify(inbound, snapshot, gate.trust, clock.now())
    fence.check(snapshot.fences, caller.credential, clock.now())
    if len(gate.flights) > snapshot.settings.gateway.max_in_flight:
        raise Refusal("overloaded", retry_after=1.0)
    # understand
    call = trail.call = surface.read(surface, inbound, labels_of(inbound, caller))
    trail.stream = call.stream
    now = trail.now = clock.now()
    step.join(gate.tasks, trail, inbound, caller, call)
    # decide what no finding can change, inspect, decide with what was found
    plan = decide.before_inspection(snapshot, caller, call, now, trail)
    trail.found = seen = await surface.look(gate.examine, snapshot, caller, call)
    if snapshot.settings.inspection.attachments.mode != "off":
        trail.found = seen = await attachments.on_request(gate.files, gate.examine, trail, caller, call, seen)
    if snapshot.suppressions:
        seen, notes = inspect.standing(snapshot, caller, "request", now, seen)
        trail.found, trail.notes = seen, (*trail.notes, *notes)
    if snapshot.panel is not None:
        trail.found = seen = await advice.on_request(gate.advisers, trail, caller, call, seen)
    await gate.abreast()
    step.learn(trail, call, seen)
    if plan is None or seen is not inspect.NOTHING:
        plan = decide.after_inspection(snapshot, caller, call, seen, now, trail)
    decide.follow(plan, trail)
    # transform: refuses what cannot be redacted, before it costs anything
    bodies = await bodies_for(call, plan, seen, trail, gate.vault)
    # reserve, then record the intent: nothing leaves before both have succeeded
    worst = worst_case(plan, caller, call, bodies.added)
    trail.input_tokens = worst.input
    step.hold(trail, worst.cost)
    trail.held(await gate.ledger.reserve(trail.id, step.scopes(trail, worst.scopes), worst.tokens, worst.cost))
    trail.request = keep.content(gate.journal, trail, "request", call.body)
    await gate.journal.append(record.intent(trail, _micros(gate)))
    trail.intended = True
    # route, forward, review
    if call.action == "InvokeModel":
        await _invoke(outlet, gate, flight, call, plan, bodies)
        await gate.abreast()
    else:
        trail.answered(await local.answer(call, caller, plan.listed, trail, gate))


async def _invoke(outlet: Outlet, gate: Gate, flight: Flight, call: Call, plan: decide.Plan, bodies: Bodies) -> None:
    trail = flight.trail
    watch = watch_for(trail.snapshot, trail.caller.tenant if trail.caller else "", call, trail.found or inspect.NOTHING)
    headroom = flight.headroom = headroom_of(trail, gate, flight)
    common = (plan, trail, bodies, gate.advisers, gate.examine, watch)
    reply = flight.reply = (
        StreamedReply(*common, headroom, call.include_usage, outlet, gate.clock.monotonic)
        if call.stream
        else BufferedReply(*common)
    )

    async def deliver(exchange: Exchange, target: Target) -> None:
        flight.exchange = exchange
        if outlet.paused:
            exchange.pause()
        trail.target, trail.told = target.id, decide.told(plan, call, target)
        await gate.abreast()
        await reply.deliver(exchange, target)

    road = Road(gate.upstream, gate.health, gate.clock, trail.snapshot.settings.routing, gate.roll())
    await forward(road, trail, plan.targets, plan.route.attempts, bodies.of, deliver, lambda: reply.begun)


async def _conclude(outlet: Outlet, gate: Gate, flight: Flight, refusal: Refusal | None) -> None:
    """Settle, record, answer; in this order."""
    trail, reply = flight.trail, flight.reply
    if refusal is not None:
        trail.refuse(refusal)
    if isinstance(reply, StreamedReply):
        reply.note()
    keep.evidence(trail)
    trail.usage = settle.used(trail, *reply.seen) if reply else settle.used(trail, None, 0, 0)
    if trail.hold is not None:
        try:
            await gate.ledger.settle(trail.hold, trail.usage.total, trail.usage.cost)
        except (YettError, OSError):  # the lease will end the hold; the record is owed all the same
            log.exception("the hold of call %s could not be settled", trail.id)
    try:
        if trail.call is not None and not trail.intended:
            trail.request = keep.refused(gate.journal, trail, trail.call.body)
        if reply is not None and reply.kept:
            trail.reply = keep.content(gate.journal, trail, "reply", reply.kept)
        outcome = record.outcome(trail, _micros(gate), gate.clock.monotonic())
        await gate.journal.append(outcome)
    except Refusal as error:  # an answer that cannot be recorded is not given
        refusal = error
        trail.refuse(error)
        outcome = record.outcome(trail, _micros(gate), gate.clock.monotonic())
    try:
        if not outlet.gone:
            _finish(outlet, trail, reply, refusal)
    finally:
        gate.meter.observe(outcome)  # after the answer: now and then it counts and logs for many calls at once


def _finish(outlet: Outlet, trail: record.Trail, reply: Reply | None, refusal: Refusal | None) -> None:
    if isinstance(reply, StreamedReply) and (
        reply.begun or (refusal is None and reply.status == 200 and not reply.body)
    ):
        if not reply.begun:
            reply.begin()  # a stream without a single event
        ending = openai_chat.DONE if refusal is None else openai_chat.error_event(refusal, trail.id)
        outlet.write(metadata.comment(trail) + ending)
        outlet.end()
        return
    head = metadata.headers(trail)
    if refusal is not None:
        body = (oauth if trail.surface == "oauth_token" else openai_chat).error_body(refusal, trail.id)
        head += metadata.refusal_headers(refusal)
        status = refusal.status
    else:
        body = trail.answer if reply is None else reply.body
        head += metadata.late(trail)
        status = trail.status
    outlet.head(status, (metadata.JSON, *head), len(body))
    outlet.write(body)
    outlet.end()


def _micros(gate: Gate) -> int:
    return int(gate.clock.now() * 1_000_000)
