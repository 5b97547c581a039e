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

ALGS = 'algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 Ed25519"'


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


@pytest.mark.parametrize(
    ("refusal", "challenges"),
    [
        (Refusal("missing_key"), ['Bearer realm="yett"', f'DPoP realm="yett", {ALGS}']),
        (Refusal("untrusted_proxy"), ['Bearer realm="yett"', f'DPoP realm="yett", {ALGS}']),
        (
            Refusal("expired_token"),
            ['Bearer realm="yett", error="invalid_token", error_description="The token has expired."'],
        ),
        (
            Refusal("unacceptable_token", 'It says "é\\'),
            ['Bearer realm="yett", error="invalid_token", error_description="It says \'?/"'],
        ),
        (
            Refusal("replayed_proof", "Seen."),
            [f'DPoP realm="yett", error="invalid_dpop_proof", error_description="Seen.", {ALGS}'],
        ),
        (
            Refusal("proof_required", "Show it."),
            [f'DPoP realm="yett", error="invalid_token", error_description="Show it.", {ALGS}'],
        ),
        (Refusal("policy_denied"), []),
        (Refusal("issuer_unavailable"), []),
    ],
)
def test_who_is_not_known_is_told_what_to_come_with(refusal: Refusal, challenges: list[str]) -> None:
    found = [value for name, value in metadata.refusal_headers(refusal) if name == "www-authenticate"]
    assert found == challenges
