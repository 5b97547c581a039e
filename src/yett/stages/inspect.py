"""inspect: what is in the text, and what that makes of the call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from yett.detectors.detector import SEPARATOR
from yett.detectors.engine import Scanner
from yett.dialects import strict_json
from yett.model.finding import Finding
from yett.model.record import FindingCount
from yett.model.segment import Segment

Seen = tuple[tuple[Finding, ...], tuple[Segment, ...]]  # findings, and the segments that they are in
_NOTHING: Seen = ((), ())
_SEPARATOR = SEPARATOR.encode()


def look(scanner: Scanner, body: bytes, segments: Callable[[bytes], tuple[Segment, ...]]) -> Seen:
    """What is in a JSON body. It is taken apart by `segments` only when there is something in it, or when that cannot be told
    from its bytes."""
    flat = strict_json.flat(body, _SEPARATOR)
    if flat is not None and scanner.clean(flat):
        return _NOTHING
    found = segments(body)
    return scanner.scan(found), found


def facts_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The distinct kinds and families, sorted: what policies see as `context.findings`."""
    if not findings:
        return ()
    return tuple(sorted({f.kind for f in findings} | {f.family for f in findings}))


def labels_with(labels: tuple[str, ...], findings: Sequence[Finding]) -> tuple[str, ...]:
    """`labels` and those that the text itself carries: a marking found as `label.restricted` is the label `restricted`."""
    found = {f.kind.partition(".")[2] for f in findings if f.family == "label"}
    return tuple(sorted(found.union(labels))) if found else labels


def counted(findings: Sequence[Finding], where: str, redacted: frozenset[str], *, blocked: bool) -> list[FindingCount]:
    """Findings by kind for the record; `redacted` are the kinds that were removed from the text."""
    counts = Counter(f.kind for f in findings)
    return [
        FindingCount(kind, count, where, "blocked" if blocked else "redacted" if kind in redacted else "noted")
        for kind, count in sorted(counts.items())
    ]


def summary(counts: Sequence[FindingCount]) -> str:
    """For the `x-yett-findings` header: `pii.email=2;redacted, secret.github-token=1;blocked`."""
    return ", ".join(f"{c.kind}={c.count};{c.action}" for c in counts)
