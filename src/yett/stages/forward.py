"""forward: one call to the first permitted target that answers, with retries, failover and every attempt on the record.

A try may be repeated only while nothing of the reply has gone to the caller. What the provider refuses because of the request
itself (400, 413, 422 …) is nobody else's business: it is handed back. Everything else (no connection, time-out, 429, 5xx, a key
that is not accepted, a stream that breaks off) moves on to the next target, then waits and comes round again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from yett.config.settings import RoutingSettings
from yett.errors import Refusal
from yett.model.record import Attempt
from yett.model.route import Target
from yett.ports import Clock, Exchange, Outgoing, Upstream, UpstreamFailure
from yett.providers.shelf import KINDS
from yett.stages.health import Health
from yett.stages.record import Trail
from yett.stages.stream import BrokenStreamError

CALLERS_FAULT = frozenset((400, 405, 409, 411, 413, 414, 415, 422))
KEYS_FAULT = frozenset((401, 403))
MAX_ERROR_BODY = 64 << 10

Deliver = Callable[[Exchange, Target], Awaitable[None]]


class Road(Struct):
    """What forwarding needs beside the call: the way out, the state of the targets, and the rules."""

    upstream: Upstream
    health: Health
    clock: Clock
    routing: RoutingSettings
    roll: float  # random in [0, 1), splits traffic between targets of equal priority


async def forward(
    road: Road,
    trail: Trail,
    targets: Sequence[Target],
    attempts: int,
    body_for: Callable[[Target], bytes],
    deliver: Deliver,
    committed: Callable[[], bool],
) -> None:
    """Try until `deliver` has taken a reply. Raises Refusal when no target gave one, or what `deliver` raises once
    `committed()` says that part of the reply has gone out."""
    delay = road.routing.backoff
    failures: list[Refusal] = []
    while len(trail.attempts) < attempts:
        tried = len(trail.attempts)
        for target in road.health.order(targets, road.roll, road.clock.monotonic()):
            if len(trail.attempts) >= attempts:
                break
            failure = await _attempt(road, trail, target, body_for(target), deliver, committed)
            if failure is None:
                return
            failures.append(failure)
        if len(trail.attempts) == tried:  # every target is set aside: asking again at once would change nothing
            break
        if len(trail.attempts) < attempts:
            # A Retry-After holds for the key or target that it was said of: another one need not wait for it.
            wait = max(delay, road.health.available_in(targets, road.clock.monotonic()))
            if wait > road.routing.max_backoff:
                break
            await road.clock.sleep(wait)
            delay = min(delay * 2, road.routing.max_backoff)
    raise _verdict(road, targets, failures)


def _verdict(road: Road, targets: Sequence[Target], failures: Sequence[Refusal]) -> Refusal:
    """The refusal that tells the caller most: what all failures agree on, else the last that was not about rates."""
    if not failures:
        now = road.clock.monotonic()
        code = "upstream_rate_limited" if road.health.throttled(targets, now) else "upstream_unavailable"
        return Refusal(code, retry_after=road.health.available_in(targets, now))
    return next((f for f in reversed(failures) if f.code != "upstream_rate_limited"), failures[-1])


async def _attempt(
    road: Road,
    trail: Trail,
    target: Target,
    body: bytes,
    deliver: Deliver,
    committed: Callable[[], bool],
) -> Refusal | None:
    """One try at one target. None: the reply was delivered. Otherwise why it failed in a way that another try may mend."""
    kind = KINDS[target.provider.kind]
    key = road.health.key(target.provider, road.clock.monotonic())
    if key is None and (target.provider.keys or (kind.needs_key and target.provider.grant is None)):
        return Refusal("upstream_unavailable", "Every key of the provider is set aside.")
    began = road.clock.monotonic()
    status = 0
    outcome = "cancelled"
    retry_after = 0.0
    try:
        exchange = await road.upstream.send(
            Outgoing(target.provider, "POST", kind.chat_path, kind.headers, body, key.secret if key else None)
        )
        status = exchange.status
        if 200 <= status < 300 or status in CALLERS_FAULT:
            await deliver(exchange, target)
            outcome = "ok" if status < 300 else "status"
            return None
        outcome = "status"
        retry_after = _retry_after(exchange)
        await _drain(exchange)
        return _status_refusal(status, retry_after)
    except (UpstreamFailure, BrokenStreamError) as failure:
        outcome = failure.outcome
        if committed():
            raise
        return refusal_for(outcome, streamed=trail.stream)
    except Refusal:
        outcome = "ok"  # the target did its part; the gateway refuses what it said
        raise
    finally:
        now = road.clock.monotonic()
        trail.upstream += now - began
        trail.target = target.id
        attempt = Attempt(target.id, outcome, status, int((now - began) * 1e6) / 1e3, key.label if key else "")
        trail.attempts = [*trail.attempts, attempt]
        road.health.report(target, key, outcome, status, retry_after, now)


def _retry_after(exchange: Exchange) -> float:
    """Seconds (RFC 9110 section 10.2.3; a date is not worth a clock comparison with a stranger)."""
    value = exchange.header(b"retry-after")
    try:
        return min(max(0.0, float(value)), 3600.0) if value else 0.0  # in this order "nan" becomes 0
    except ValueError:
        return 0.0


async def _drain(exchange: Exchange) -> None:
    """Read an error body nobody needs, so that the connection can be used again."""
    try:
        await exchange.read(MAX_ERROR_BODY)
    except UpstreamFailure:
        exchange.abort()


def _status_refusal(status: int, retry_after: float) -> Refusal:
    if status == 429:
        return Refusal("upstream_rate_limited", retry_after=retry_after)
    if status in KEYS_FAULT:
        return Refusal("upstream_error", "The provider does not accept the gateway's key.")
    return Refusal("upstream_error", f"The provider answered with status {status}.", retry_after=retry_after)


def refusal_for(outcome: str, *, streamed: bool = True) -> Refusal:
    """What the caller is told about an attempt that failed below HTTP."""
    if outcome.startswith("timeout."):
        return Refusal("upstream_timeout", f"The provider did not answer in time ({outcome.removeprefix('timeout.')}).")
    if outcome == "too_large":
        return Refusal("reply_too_large")
    if outcome == "no_token":
        return Refusal("upstream_unavailable", "The gateway has got no token for the provider.")
    if streamed and outcome in ("truncated", "missing_terminator"):
        return Refusal("stream_truncated")
    return Refusal("upstream_error", f"The provider failed ({outcome}).")
