"""transform: carry the obligations of a plan out on the body, for each target that may get it."""

from __future__ import annotations

from collections.abc import Sequence

from yett.detectors.mask import mask, select
from yett.dialects import openai_chat
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.finding import Finding
from yett.model.record import FindingCount
from yett.model.route import Target
from yett.model.segment import Segment
from yett.stages import inspect
from yett.stages.decide import Edit, Plan
from yett.stages.record import Trail


def masked(segments: Sequence[Segment], findings: Sequence[Finding]) -> dict[int, str]:
    """The new texts of the segments that `findings` are in, by ordinal.

    Raises Refusal("content_blocked") when one stands where it cannot be rewritten: in a field's name, in a number.
    """
    by_segment: dict[int, list[Finding]] = {}
    for finding in findings:
        by_segment.setdefault(finding.segment, []).append(finding)
    texts = {}
    for position, found in by_segment.items():
        segment = segments[position]
        if segment.index == UNPATCHABLE:
            raise Refusal(
                "content_blocked", f"{found[0].kind} stands in a name or number, where it cannot be redacted."
            )
        texts[segment.index] = mask(segment.text, found)
    return texts


def bodies_for(call: Call, plan: Plan, seen: inspect.Seen, trail: Trail) -> Bodies:
    """The bodies that may leave; the findings are on the trail either way. Raises Refusal("content_blocked")."""
    try:
        bodies = Bodies(call, plan, seen.findings, seen.segments)
    except Refusal:
        trail.findings = inspect.counted(seen.findings, "request", frozenset(), blocked=True)
        raise
    trail.findings = bodies.counted
    return bodies


class Bodies:
    """The bodies that may leave, one per permitted target, made when one is asked for; but what must be redacted is worked out
    for all of them at once, so that a text that cannot be redacted is refused before anything is held or sent.

    `counted` is what becomes of each kind of finding, for the record. Raises Refusal("content_blocked").
    """

    __slots__ = ("_body", "_edits", "_made", "_texts", "counted")

    def __init__(self, call: Call, plan: Plan, findings: Sequence[Finding], segments: Sequence[Segment]) -> None:
        self._body = call.body
        self._edits = plan.edits
        self._made: dict[Edit, bytes] = {}
        self._texts: dict[tuple[str, ...], dict[int, str]] = {}
        self.counted: Sequence[FindingCount] = ()
        if findings:
            redacted: set[str] = set()
            for edit in plan.edits.values():
                if edit.redact not in self._texts:
                    redact = select(findings, edit.redact)
                    redacted.update(f.kind for f in redact)
                    self._texts[edit.redact] = masked(segments, redact)
            self.counted = inspect.counted(findings, "request", frozenset(redacted), blocked=False)

    def of(self, target: Target) -> bytes:
        """The body for this target; targets that ask for the same edits share one."""
        edit = self._edits[target.id]
        body = self._made.get(edit)
        if body is None:
            body = self._made[edit] = openai_chat.prepare(
                self._body,
                model=edit.model,
                cap=edit.cap,
                include_usage=edit.include_usage,
                texts=self._texts.get(edit.redact),
            )
        return body
