"""What is found in a streamed reply, put to policy as soon as it is of a new kind: the stream cannot wait for the last of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from yett.config.snapshot import Snapshot
from yett.config.suppressions import fingerprint
from yett.detectors import suppress
from yett.detectors.mask import matches
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.stages.evidence import Witness
from yett.stages.record import Trail
from yett.stages.watch import TAINT

Judge = Callable[[frozenset[str]], tuple[str, ...]]  # kinds found so far -> selectors to redact; raises Refusal
Suppressed = Callable[[Finding, str, str], str]  # a finding in a text of a role -> what suppresses it, "" for nothing


class StreamFindings:
    """`kinds` are the kinds and families that were found, and the families by what they were found in: `pii@arguments`."""

    def __init__(self, judge: Judge, suppressed: Suppressed | None = None, witness: Witness | None = None) -> None:
        self._judge = judge
        self._suppressed = suppressed
        self._witness = witness
        self._selectors: tuple[str, ...] = ()
        self.kinds: frozenset[str] = frozenset()
        self.counted: Counter[tuple[str, str]] = Counter()  # (kind, action)
        self.suppressed: Counter[str] = Counter()  # that the operator does not want to see, by what says so

    def to_redact(self, finding: Finding, text: str, role: str, at: int) -> bool:
        """Count a finding in `text`, which is written by `role` and begins at character `at` of its channel. Raises Refusal."""
        if self._suppressed is not None and (name := self._suppressed(finding, text, role)):
            self.suppressed[name] += 1
            return False
        if self._witness is not None:
            self._witness.note(finding, text, role, at=at)
        redact = self._redacts(finding.kind, role)
        self.counted[finding.kind, "redacted" if redact else "noted"] += 1
        return redact

    def notice(self, kinds: Iterable[str]) -> None:
        """Count what is said by the answer as a whole. It has no place from which it could be cut, so to redact it is to end it.
        Raises Refusal."""
        for kind in kinds:
            if self._witness is not None:
                self._witness.note(Finding(kind, 0, 0, 0, kind.partition(".")[2]), "", "assistant", at=0)
            if self._redacts(kind, "arguments" if kind == TAINT else "assistant"):
                self.counted[kind, "blocked"] += 1
                raise Refusal("reply_blocked", f"{kind} cannot be cut out of a stream.")
            self.counted[kind, "noted"] += 1

    def _redacts(self, kind: str, role: str) -> bool:
        """Whether policy has this kind redacted; a new one, or one in another place, is put before it first. Raises Refusal; then it is
        counted."""
        family = kind.partition(".")[0]
        if kind not in self.kinds or f"{family}@{role}" not in self.kinds:
            self.kinds |= {kind, family, f"{family}@{role}"}
            try:
                self._selectors = self._judge(self.kinds)
            except Refusal:
                self.counted[kind, "blocked"] += 1
                raise
        return any(matches(kind, selector) for selector in self._selectors)


def suppressed_by(snapshot: Snapshot, trail: Trail) -> Suppressed | None:
    """Which suppression means a finding in a piece of text; None where there are none."""
    team, tenant = (trail.caller.team, trail.caller.tenant) if trail.caller else ("", "")
    active = suppress.in_force(snapshot.suppressions, tenant, team, "reply", trail.now)
    if not active:
        return None
    mark = partial(fingerprint, snapshot.pepper, tenant)

    def suppressed(finding: Finding, text: str, role: str) -> str:
        segments = (Segment(text, role, UNPATCHABLE),)
        means = (each.id for each in active if not suppress.standing((finding,), segments, (each,), mark))
        return next(means, "")

    return suppressed
