"""Suppress: findings that an operator has looked at and does not want to see again: of whom, where, and until when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from yett.detectors.mask import matches
from yett.model.finding import Finding
from yett.model.segment import Segment


class Suppression(Struct, frozen=True):
    """`selectors` are kinds, families and ids of detectors; what is empty means any. `parts` are request and reply, `values`
    keyed hashes of what was found. It ends at `until`, in seconds since the Unix epoch."""

    id: str
    selectors: tuple[str, ...]
    until: float
    teams: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()
    tenants: tuple[str, ...] = ()

    def covers(self, finding: Finding, role: str) -> bool:
        """Whether it means a finding in a text that `role` wrote, whatever its value is."""
        return (not self.roles or role in self.roles) and any(
            selector == finding.detector or matches(finding.kind, selector) for selector in self.selectors
        )


def in_force(
    suppressions: Sequence[Suppression], tenant: str, team: str, part: str, now: float
) -> tuple[Suppression, ...]:
    """Those that apply to one side of a call; nearly always none, and then nothing else has to be asked."""
    return tuple(
        each
        for each in suppressions
        if now < each.until
        and (not each.tenants or tenant in each.tenants)
        and (not each.teams or team in each.teams)
        and (not each.parts or part in each.parts)
    )


def standing(
    findings: Sequence[Finding],
    segments: Sequence[Segment],
    suppressions: Sequence[Suppression],
    fingerprint: Callable[[str], str],
) -> tuple[Finding, ...]:
    """The findings that none of the suppressions, which are in force, takes away. `fingerprint` is asked only of a value that
    would be taken away for what it is."""

    def suppressed(finding: Finding) -> bool:
        segment = segments[finding.segment]
        named = [each for each in suppressions if each.covers(finding, segment.role)]
        if any(not each.values for each in named):
            return True
        return bool(named) and any(
            fingerprint(segment.text[finding.start : finding.end]) in each.values for each in named
        )

    return tuple(finding for finding in findings if not suppressed(finding))
