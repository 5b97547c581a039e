"""What Yett tells the caller about its call: the `x-yett-*` headers, and the same as a last comment on a stream."""

from __future__ import annotations

from yett.errors import Refusal
from yett.stages import inspect
from yett.stages.record import Trail
from yett.stages.standing import standing_headers

JSON = (b"content-type", b"application/json")
EVENT_STREAM = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))

Headers = tuple[tuple[bytes, bytes], ...]


def headers(trail: Trail) -> list[tuple[bytes, bytes]]:
    """What is known when the head of the reply leaves. The id is always told; the rest as `gateway.expose_metadata` says."""
    id = trail.id.encode()
    found = [(b"x-yett-request-id", id), (b"x-request-id", id)]
    if trail.hold is not None:
        found += [(name.encode(), value.encode()) for name, value in standing_headers(trail.hold.standing)]
    if not trail.snapshot.settings.gateway.expose_metadata:
        return found
    if trail.verdict:
        found.append((b"x-yett-decision", trail.verdict.encode()))
    if trail.decision is not None and trail.decision.policies:
        found.append((b"x-yett-policies", _ascii(", ".join(trail.decision.policies))))
    if trail.findings:
        found.append((b"x-yett-findings", inspect.summary(trail.findings).encode()))
    if trail.target:
        provider, _, model = trail.target.partition("/")
        found += [(b"x-yett-provider", _ascii(provider)), (b"x-yett-model", _ascii(model)), (b"x-yett-cache", b"none")]
    return found


def late(trail: Trail) -> list[tuple[bytes, bytes]]:
    """What is known only at the end."""
    found: list[tuple[bytes, bytes]] = []
    if trail.target and trail.usage.total and trail.snapshot.settings.gateway.expose_metadata:
        cost = b"%d.%06d" % divmod(trail.usage.cost, 1_000_000) if trail.usage.prices else b"unknown"
        found.append((b"x-yett-cost-usd", cost))
    return found


def comment(trail: Trail) -> bytes:
    """The late metadata as an SSE comment, which clients ignore (WHATWG HTML section 9.2.6)."""
    found = late(trail)
    if trail.findings and trail.snapshot.settings.gateway.expose_metadata:
        found.append((b"x-yett-findings", inspect.summary(trail.findings).encode()))
    return b"".join(b": %b: %b\n" % pair for pair in found) + b"\n" if found else b""


def refusal_headers(refusal: Refusal) -> list[tuple[bytes, bytes]]:
    """What the refusal itself adds. `retry-after` in whole seconds, rounded up (RFC 9110 section 10.2.3)."""
    found = [(name.encode(), value.encode()) for name, value in refusal.headers]
    if refusal.retry_after > 0:
        found.append((b"retry-after", b"%d" % -int(-refusal.retry_after // 1)))
    # SDKs retry on 429 and 5xx unless told otherwise: a retry that cannot help only costs.
    found.append((b"x-should-retry", b"true" if refusal.retry else b"false"))
    return found


def _ascii(text: str) -> bytes:
    """Names are the operator's and may be anything; a header may not (RFC 9110 section 5.5)."""
    return text.encode("ascii", "backslashreplace").replace(b"\r", b"").replace(b"\n", b"")
