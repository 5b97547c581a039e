"""The headers that tell a caller about its call: visible ASCII, and no more than the configuration allows."""

from __future__ import annotations

import pytest
from tests.scene import CONFIGURATION
from tests.stages.conftest import Compiled, trail_of

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.model.decision import Decision, Effect
from yett.model.record import FindingCount
from yett.model.usage import Usage
from yett.ports import Hold, Standing
from yett.stages import metadata
from yett.stages.record import Trail


def full(snapshot: Snapshot) -> Trail:
    trail = trail_of(snapshot)
    trail.verdict = "allow"
    trail.decision = Decision(Effect.ALLOW, policies=("a", "bé"))
    trail.findings = [FindingCount("pii.email", 2, "request", "redacted")]
    trail.target = "sim/sim gpt\n"
    trail.hold = Hold("call_1", (), 1, 1, 0.0, Standing(limit_requests=5, remaining_requests=4))
    trail.usage = Usage(input=1, output=1, cost=1_000_017, prices="own")
    return trail


def test_what_is_told(snapshot: Snapshot) -> None:
    found = dict(metadata.headers(full(snapshot)))
    assert found["x-yett-request-id"] == found["x-request-id"] == "call_1"
    assert found["x-yett-policies"] == "a, b?"
    assert (found["x-yett-provider"], found["x-yett-model"]) == ("sim", "sim gpt?")
    assert found["x-yett-findings"] == "pii.email=2;redacted"
    assert found["x-ratelimit-remaining-requests"] == "4"
    assert all(" " <= c <= "~" for value in found.values() for c in value)
    assert metadata.late(full(snapshot)) == [("x-yett-cost-usd", "1.000017")]
    assert (
        metadata.comment(full(snapshot)) == b": x-yett-cost-usd: 1.000017\n: x-yett-findings: pii.email=2;redacted\n\n"
    )


def test_little_is_told_of_a_call_that_did_not_get_far(snapshot: Snapshot) -> None:
    trail = trail_of(snapshot)
    assert [name for name, _ in metadata.headers(trail)] == ["x-yett-request-id", "x-request-id"]
    assert metadata.late(trail) == []
    assert metadata.comment(trail) == b""


def test_an_unknown_cost_says_so(snapshot: Snapshot) -> None:
    trail = full(snapshot)
    trail.usage = Usage(input=1)
    assert metadata.late(trail) == [("x-yett-cost-usd", "unknown")]


def test_an_operator_may_keep_it_to_himself(compiled: Compiled) -> None:
    quiet = compiled(configuration=CONFIGURATION.replace("[gateway]", "[gateway]\nexpose_metadata = false"))
    trail = full(quiet)
    assert {name for name, _ in metadata.headers(trail)} <= {
        "x-yett-request-id", "x-request-id", "x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"
    }  # fmt: skip
    assert metadata.late(trail) == []
    assert metadata.comment(trail) == b""


@pytest.mark.parametrize(("seconds", "told"), [(0.0, None), (0.2, "1"), (7.0, "7"), (7.01, "8")])
def test_retry_after_is_never_too_early(seconds: float, told: str | None) -> None:
    found = dict(metadata.refusal_headers(Refusal("rate_limit_exceeded", retry_after=seconds)))
    assert found.get("retry-after") == told
    assert found["x-should-retry"] == "true"
    assert dict(metadata.refusal_headers(Refusal("policy_denied")))["x-should-retry"] == "false"
