"""What Yett tells the caller about its call: the `x-yett-*` headers, and the same as a last comment on a stream."""

from __future__ import annotations

from functools import lru_cache
from math import ceil

from yett.errors import Refusal
from yett.identity.jws import ALGORITHMS
from yett.stages import inspect
from yett.stages.record import Trail
from yett.stages.standing import standing_headers

Headers = tuple[tuple[str, str], ...]

JSON = ("content-type", "application/json")
# No token came: nothing is said of one.
_UNASKED = frozenset(
    (
        "missing_key", "invalid_certificate", "expired_certificate", "unacceptable_certificate", "untrusted_proxy", "malformed_forward",
    )
)  # fmt: skip
_PROOFS = {
    "proof_required": "invalid_token",
    "invalid_proof": "invalid_dpop_proof",
    "replayed_proof": "invalid_dpop_proof",
}
_QUOTED = str.maketrans('"\\', "'/")  # what a description may not have
_PUBLISHED = ("oauth_keys", "oauth_metadata")
_SCORES = (("x-yett-confidence", "confidence"), ("x-yett-groundedness", "groundedness"))
EVENT_STREAM: Headers = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))


def headers(trail: Trail) -> list[tuple[str, str]]:
    """What is known when the head of the reply leaves. The id is always told; the rest as `gateway.expose_metadata` says."""
    found = [("x-yett-request-id", trail.id), ("x-request-id", trail.id)]
    if trail.hold is not None:
        found += standing_headers(trail.hold.standing)
    if trail.surface == "oauth_token":
        found.append(("cache-control", "no-store"))  # RFC 6749 section 5.1
    elif trail.surface in _PUBLISHED:
        found.append(("cache-control", "public, max-age=300"))  # keys are published as long before they sign
    if not trail.snapshot.settings.gateway.expose_metadata:
        return found
    if trail.step is not None:
        found.append(("x-yett-task", trail.step.task.id))
    if trail.verdict:
        found.append(("x-yett-decision", trail.verdict))
    if trail.decision is not None and trail.decision.policies:
        found.append(("x-yett-policies", _policies(trail.decision.policies)))
    if trail.findings:
        found.append(("x-yett-findings", inspect.summary(trail.findings)))
    if trail.target:
        found += _target_headers(trail.target)
    return found


@lru_cache(maxsize=1024)
def _target_headers(target: str) -> Headers:
    provider, _, model = target.partition("/")
    return ("x-yett-provider", _ascii(provider)), ("x-yett-model", _ascii(model)), ("x-yett-cache", "none")


@lru_cache(maxsize=1024)
def _policies(names: tuple[str, ...]) -> str:
    return _ascii(", ".join(names))


def late(trail: Trail) -> list[tuple[str, str]]:
    """What is known only at the end."""
    usage = trail.usage
    if not trail.target or not trail.snapshot.settings.gateway.expose_metadata:
        return []
    found: list[tuple[str, str]] = []
    if trail.scores:
        found += [(header, f"{trail.scores[score]:.2f}") for header, score in _SCORES if score in trail.scores]
    if trail.obligations and (
        tags := [obligation[4:] for obligation in trail.obligations if obligation.startswith("tag:")]
    ):
        found.append(("x-yett-tags", ", ".join(tags)))
    if usage.total:
        cost = f"{usage.cost // 1_000_000}.{usage.cost % 1_000_000:06d}" if usage.prices else "unknown"
        found.append(("x-yett-cost-usd", cost))
    return found


def comment(trail: Trail) -> bytes:
    """The late metadata as an SSE comment, which clients ignore (WHATWG HTML section 9.2.6)."""
    found = late(trail)
    if trail.findings and trail.snapshot.settings.gateway.expose_metadata:
        found.append(("x-yett-findings", inspect.summary(trail.findings)))
    return "".join([f": {name}: {value}\n" for name, value in found] + ["\n"]).encode() if found else b""


def refusal_headers(refusal: Refusal) -> list[tuple[str, str]]:
    """What the refusal itself adds. `retry-after` in whole seconds, rounded up (RFC 9110 section 10.2.3)."""
    found = [*refusal.headers, *_challenges(refusal)]
    if refusal.retry_after > 0:
        found.append(("retry-after", str(ceil(refusal.retry_after))))
    # SDKs retry on 429 and 5xx unless told otherwise: a retry that cannot help only costs.
    found.append(("x-should-retry", "true" if refusal.retry else "false"))
    return found


def _challenges(refusal: Refusal) -> Headers:
    """What to prove oneself with, and what was wrong with the proof that came, if one did: RFC 6750 section 3, RFC 9449 section 7.1."""
    if refusal.status != 401:
        return ()
    algorithms = f'algs="{" ".join(ALGORITHMS)}"'
    if refusal.code in _UNASKED:
        return ("www-authenticate", 'Bearer realm="yett"'), ("www-authenticate", f'DPoP realm="yett", {algorithms}')
    described = f'error_description="{_ascii(str(refusal)).translate(_QUOTED)}"'
    if refusal.code in _PROOFS:
        error = f'error="{_PROOFS[refusal.code]}"'
        return (("www-authenticate", f'DPoP realm="yett", {error}, {described}, {algorithms}'),)
    return (("www-authenticate", f'Bearer realm="yett", error="invalid_token", {described}'),)


def _ascii(text: str) -> str:
    """Names are the operator's and may be anything; a header may not (RFC 9110 section 5.5)."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)
