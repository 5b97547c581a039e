"""evidence: what the record keeps of each finding by itself: detector, place, score and a keyed hash of the value, never the value.

Only calls in which something was found pay for it, and no more than `audit.findings` times for each of their sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from yett.config.snapshot import Snapshot
from yett.config.suppressions import fingerprint
from yett.model.finding import Finding
from yett.model.record import Evidence
from yett.model.segment import Segment

_LAST = 4  # characters, of a value
_LONG = 12  # that has at least so many


class Witness:
    """Takes down the findings in one side of a call. `unlisted` is how many there was no room for."""

    __slots__ = ("_hashes", "_last", "_most", "_pepper", "_tenant", "_where", "listed", "unlisted")

    def __init__(self, snapshot: Snapshot, tenant: str, where: str) -> None:
        settings = snapshot.settings.audit
        self._most = settings.findings
        self._hashes = settings.content != "none"
        self._last = settings.last4
        self._pepper = snapshot.pepper
        self._tenant = tenant
        self._where = where
        self.listed: list[Evidence] = []
        self.unlisted = 0

    def note(self, finding: Finding, text: str, role: str, *, index: int = -1, at: int = 0) -> None:
        """One finding in `text`, which is a piece of a longer one from its character `at` on."""
        if len(self.listed) >= self._most:
            self.unlisted += 1
            return
        value = text[finding.start : finding.end]
        self.listed.append(
            Evidence(
                kind=finding.kind,
                where=self._where,
                detector=finding.detector,
                role=role,
                text=index,
                start=at + finding.start,
                end=at + finding.end,
                score=round(finding.score, 4),
                value=fingerprint(self._pepper, self._tenant, value) if value and self._hashes else "",
                last=value[-_LAST:] if self._last and len(value) >= _LONG else "",
            )
        )

    def whole(self, findings: Sequence[Finding], segments: Sequence[Segment]) -> None:
        """The findings in texts that are there as a whole."""
        for finding in findings:
            segment = segments[finding.segment]
            self.note(finding, segment.text, segment.role, index=segment.index)
