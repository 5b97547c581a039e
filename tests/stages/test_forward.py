"""Retries and failover: what is tried again, where, after how long, and what the caller is told in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from tests.scene import CONFIGURATION, Answer, Clock, Upstream, whole
from tests.stages.conftest import Compiled, trail_of

from yett.config.settings import RoutingSettings
from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.route import Grant, Secret, Target
from yett.ports import Exchange, UpstreamFailure
from yett.stages.forward import MAX_ERROR_BODY, Road, forward, refusal_for
from yett.stages.health import Health
from yett.stages.record import Trail
from yett.stages.stream import BrokenStreamError


class Drive:
    """One call on its way: scripted answers, and what became of them."""

    def __init__(self, snapshot: Snapshot, *answers: Exchange | Exception, model: str = "fast") -> None:
        self.upstream, self.clock = Upstream(), Clock()
        self.upstream.will(*answers)
        self.targets = snapshot.models[model].targets
        self.trail: Trail = trail_of(snapshot)
        self.health = Health(RoutingSettings())
        self.delivered: list[str] = []
        self.raises: Exception | None = None
        self.begun = False

    async def deliver(self, exchange: Exchange, target: Target) -> None:
        self.delivered.append(target.id)
        if self.raises is not None:
            raise self.raises

    async def go(self, attempts: int = 3, routing: RoutingSettings | None = None) -> None:
        road = Road(self.upstream, self.health, self.clock, routing or RoutingSettings(), 0.5)
        await forward(
            road,
            self.trail,
            self.targets,
            attempts,
            lambda target: target.id.encode(),
            self.deliver,
            lambda: self.begun,
        )

    async def refused(self, attempts: int = 3, routing: RoutingSettings | None = None) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.go(attempts, routing)
        return caught.value

    @property
    def tried(self) -> list[str]:
        return [
            f"{attempt.target} {attempt.outcome} {attempt.status}".removesuffix(" 0") for attempt in self.trail.attempts
        ]


def error(status: int, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(b"oh", status=status, headers=headers)


async def test_the_first_target_that_answers_has_it(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, whole("hi"))
    await drive.go()
    assert drive.delivered == ["sim/sim-gpt"]
    assert drive.tried == ["sim/sim-gpt ok 200"]
    (sent,) = drive.upstream.sent
    assert (sent.method, sent.path, sent.body, sent.secret) == ("POST", "/chat/completions", b"sim/sim-gpt", None)


@pytest.mark.parametrize("status", [400, 405, 409, 411, 413, 414, 415, 422])
async def test_what_is_the_callers_fault_is_nobody_elses_business(snapshot: Snapshot, status: int) -> None:
    drive = Drive(snapshot, error(status))
    await drive.go()
    assert drive.tried == [f"sim/sim-gpt status {status}"]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500, 503])
async def test_everything_else_moves_on(snapshot: Snapshot, status: int) -> None:
    drive = Drive(snapshot, error(status), whole("hi"))
    await drive.go()
    assert drive.tried == [f"sim/sim-gpt status {status}", "local/llama ok 200"]
    assert drive.clock.time == Clock().time, "another target need not be waited for"


async def test_round_again_after_a_wait_that_doubles(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, *(UpstreamFailure("reset") for _ in range(6)))
    began = drive.clock.time
    refusal = await drive.refused(6, RoutingSettings(backoff=1.0, max_backoff=1.5))
    assert refusal.code == "upstream_error"
    assert [attempt.outcome for attempt in drive.trail.attempts] == ["reset"] * 6
    assert drive.clock.time - began == 1.0 + 1.5


async def test_no_more_attempts_than_allowed(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, *(UpstreamFailure("refused") for _ in range(9)))
    await drive.refused(1)
    assert drive.tried == ["sim/sim-gpt refused"]


async def test_a_longer_wait_than_we_would_is_handed_on(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, *(error(503, (b"retry-after", b"30")) for _ in range(2)))
    refusal = await drive.refused()
    assert (refusal.code, refusal.retry_after) == ("upstream_error", 30.0)
    assert len(drive.tried) == 2


async def test_a_short_wait_is_waited(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, error(503, (b"retry-after", b"2")), error(503, (b"retry-after", b"3")), whole("hi"))
    began = drive.clock.time
    await drive.go()
    assert drive.clock.time - began == 2.0
    assert drive.tried[-1] == "sim/sim-gpt ok 200"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"", 0), (b"7", 7), (b"-7", 0), (b"Wed, 21 Oct 2026 07:28:00 GMT", 0), (b"99999", 3600), (b"nan", 0)],
)
async def test_retry_after_is_seconds_or_nothing(snapshot: Snapshot, value: bytes, seconds: float) -> None:
    headers = ((b"retry-after", value),) if value else ()
    refusal = await Drive(snapshot, *(error(503, *headers) for _ in range(2))).refused(2)
    assert refusal.retry_after == seconds


async def test_the_last_failure_is_told_unless_it_was_only_about_rates(snapshot: Snapshot) -> None:
    assert (await Drive(snapshot, error(500), error(429)).refused(2)).code == "upstream_error"
    assert (await Drive(snapshot, error(429), error(429)).refused(2)).code == "upstream_rate_limited"
    assert (await Drive(snapshot, error(429), UpstreamFailure("timeout.connect")).refused(2)).code == "upstream_timeout"


async def test_an_error_body_that_does_not_end_costs_the_connection(snapshot: Snapshot) -> None:
    answer = Answer(b"x" * (MAX_ERROR_BODY + 1), status=500)
    drive = Drive(snapshot, answer, whole("hi"))
    await drive.go()
    assert answer.log == ["abort"]


async def test_a_target_that_is_set_aside_is_left_alone(snapshot: Snapshot) -> None:
    drive = Drive(snapshot)
    now = drive.clock.monotonic()
    for target in drive.targets:
        for _ in range(RoutingSettings().breaker_failures):
            drive.health.report(target, None, "reset", 0, 0.0, now)
    refusal = await drive.refused()
    assert (refusal.code, drive.tried) == ("upstream_unavailable", [])
    assert refusal.retry_after == RoutingSettings().cooldown


KEYED = CONFIGURATION.replace(
    'kind = "simulator"\nbase_url = "http://127.0.0.1:9/v1"',
    'kind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nkeys = ["env:K1", "env:K2"]',
)


async def test_keys_are_taken_in_turn_and_named_by_their_place(compiled: Compiled) -> None:
    drive = Drive(compiled(configuration=KEYED), error(401), error(401), error(500), model="free")
    drive.targets = drive.targets[:1]
    refusal = await drive.refused(4, RoutingSettings(backoff=0.01))
    assert [attempt.key for attempt in drive.trail.attempts] == ["1/2", "2/2"]
    assert [sent.secret.reveal() for sent in drive.upstream.sent if sent.secret] == ["sk-1", "sk-2"]
    assert refusal.code == "upstream_error"
    assert "key" in str(refusal)


async def test_without_a_key_nothing_is_sent(compiled: Compiled) -> None:
    drive = Drive(compiled(configuration=KEYED), whole("hi"), model="free")
    (target,) = drive.targets
    drive.targets = (replace(target, provider=replace(target.provider, keys=())),)
    assert (await drive.refused()).code == "upstream_unavailable"
    assert drive.upstream.sent == []


async def test_what_we_refuse_is_not_the_targets_failure(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, whole("hi"))
    drive.raises = Refusal("reply_blocked")
    assert (await drive.refused()).code == "reply_blocked"
    assert drive.tried == ["sim/sim-gpt ok 200"]


@pytest.mark.parametrize("failure", [UpstreamFailure("reset"), BrokenStreamError("missing_terminator")])
async def test_what_has_begun_is_not_tried_again(snapshot: Snapshot, failure: Exception) -> None:
    drive = Drive(snapshot, whole("hi"))
    drive.raises, drive.begun = failure, True
    with pytest.raises(type(failure)):
        await drive.go()
    assert len(drive.tried) == 1


async def test_what_has_not_begun_is(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, whole("hi"), whole("hi"))
    drive.raises = BrokenStreamError("garbage")
    await drive.refused(2)
    assert drive.tried == ["sim/sim-gpt garbage 200", "local/llama garbage 200"]


@pytest.mark.parametrize("where", ["send", "deliver"])
async def test_a_call_that_is_cancelled_has_its_attempt_on_the_record(snapshot: Snapshot, where: str) -> None:
    drive = Drive(snapshot, whole("hi"))
    reached = asyncio.Event()

    async def never(*_: object) -> None:
        reached.set()
        await asyncio.Event().wait()

    wait: Callable[..., Awaitable[None]] = never
    if where == "deliver":
        drive.deliver = wait  # type: ignore[method-assign, assignment]
    else:
        drive.upstream.send = wait  # type: ignore[method-assign, assignment]
    task = asyncio.ensure_future(drive.go())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [attempt.outcome for attempt in drive.trail.attempts] == ["cancelled"]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ("timeout.connect", "upstream_timeout"),
        ("timeout.total", "upstream_timeout"),
        ("too_large", "reply_too_large"),
        ("truncated", "stream_truncated"),
        ("missing_terminator", "stream_truncated"),
        ("reset", "upstream_error"),
        ("garbage", "upstream_error"),
    ],
)
def test_what_the_caller_is_told(outcome: str, code: str) -> None:
    assert refusal_for(outcome).code == code


async def test_a_provider_with_a_grant_needs_no_key(snapshot: Snapshot) -> None:
    drive = Drive(snapshot, UpstreamFailure("no_token", "status 401"), whole("hi"))
    grant = Grant("client_credentials", "https://x/token", "me", "basic", Secret("s"))
    (first, *others) = drive.targets
    keyless = replace(first, provider=replace(first.provider, kind="openai", keys=(), grant=grant))
    drive.targets = (keyless, *others)
    refusal = await drive.refused(attempts=1)
    assert (refusal.code, str(refusal)) == ("upstream_unavailable", "The gateway has got no token for the provider.")
    await drive.go(attempts=2)
    assert drive.tried == ["sim/sim-gpt no_token", "sim/sim-gpt ok 200"]
    assert [sent.secret for sent in drive.upstream.sent] == [None, None]
    drive.targets = (replace(keyless, provider=replace(keyless.provider, grant=None)),)
    drive.trail = trail_of(snapshot)
    assert str(await drive.refused()) == "Every key of the provider is set aside."
