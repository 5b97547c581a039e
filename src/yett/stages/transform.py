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
from yett.providers.shelf import KINDS
from yett.stages import inspect
from yett.stages.decide import Plan
from yett.stages.duties import Duties


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


class Bodies:
    """The bodies that may leave, one per permitted target, made when one is asked for; but what must be redacted is worked out
    for all of them at once, so that a text that cannot be redacted is refused before anything is held or sent.

    `counted` is what becomes of each kind of finding, for the record. Raises Refusal("content_blocked").
    """

    __slots__ = ("_call", "_made", "_plan", "_texts", "counted")

    def __init__(self, call: Call, plan: Plan, findings: Sequence[Finding]) -> None:
        self._call = call
        self._plan = plan
        self._made: dict[tuple[object, ...], bytes] = {}
        self._texts: dict[tuple[str, ...], dict[int, str]] = {}
        self.counted: list[FindingCount] = []
        if findings:
            redacted: set[str] = set()
            for _, duties in plan.permitted:
                if duties.redact not in self._texts:
                    redact = select(findings, duties.redact)
                    redacted.update(f.kind for f in redact)
                    self._texts[duties.redact] = masked(call.segments, redact)
            self.counted = inspect.counted(findings, "request", frozenset(redacted), blocked=False)

    def of(self, target: Target) -> bytes:
        """The body for this target; targets that ask for the same edits share one."""
        call, plan = self._call, self._plan
        duties = next(duties for permitted, duties in plan.permitted if permitted is target)
        usage = call.stream and not call.include_usage and KINDS[target.provider.kind].stream_usage
        edits = (target.model, duties, usage)
        body = self._made.get(edits)
        if body is None:
            body = self._made[edits] = openai_chat.prepare(
                call.body,
                model=target.model,
                cap=cap_to_send(call, duties, plan.route.sent_cap),
                include_usage=usage,
                texts=self._texts.get(duties.redact),
            )
        return body


def cap_to_send(call: Call, duties: Duties, default: int) -> int:
    """The output limit to write into the body, 0 to leave it as it is."""
    wanted = call.max_tokens or default
    limit = min(wanted, duties.cap) if wanted and duties.cap else wanted or duties.cap
    return 0 if limit == call.max_tokens else limit
