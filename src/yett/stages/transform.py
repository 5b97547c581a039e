"""transform: carry the obligations of a decision out on the body, for each target that may get it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.config.snapshot import ModelRoute
from yett.detectors.mask import mask, select
from yett.dialects import openai_chat
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.decision import Obligation, Verdict
from yett.model.finding import Finding
from yett.model.route import Target
from yett.model.segment import Segment
from yett.providers.shelf import KINDS
from yett.stages import inspect


class Duties(Struct, frozen=True):
    """Obligations by what has to be done. `cap` is a number of output tokens, 0 for none."""

    redact: tuple[str, ...] = ()
    cap: int = 0
    tags: tuple[str, ...] = ()


_NONE = Duties()


def duties_of(obligations: Sequence[Obligation]) -> Duties:
    """`route` is not here: it has done its work when the targets were chosen."""
    if not obligations:
        return _NONE
    caps = [int(o.argument.removeprefix("max_tokens=")) for o in obligations if o.verb == "cap"]
    return Duties(
        redact=tuple(o.argument for o in obligations if o.verb == "redact"),
        cap=min(caps, default=0),
        tags=tuple(o.argument for o in obligations if o.verb == "tag"),
    )


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
    """The bodies that may leave, one per permitted target; targets that ask for the same edits share one.

    `obligations` are all that were carried out, `counted` what became of each kind of finding, for the record.
    Raises Refusal("content_blocked").
    """

    __slots__ = ("_bodies", "counted", "obligations")

    def __init__(
        self, call: Call, permitted: Sequence[tuple[Target, Verdict]], findings: Sequence[Finding], route: ModelRoute
    ) -> None:
        self._bodies: dict[str, bytes] = {}
        redacted: set[str] = set()
        obligations: set[str] = set()
        made: dict[tuple[object, ...], bytes] = {}
        for target, verdict in permitted:
            duties = duties_of(verdict.obligations)
            usage = call.stream and not call.include_usage and KINDS[target.provider.kind].stream_usage
            edits = (target.model, duties, usage)
            if edits not in made:
                redact = select(findings, duties.redact)
                redacted.update(f.kind for f in redact)
                made[edits] = openai_chat.prepare(
                    call.body,
                    model=target.model,
                    cap=_cap(call, duties.cap, route.sent_cap),
                    include_usage=usage,
                    texts=masked(call.segments, redact) if redact else None,
                )
            self._bodies[target.id] = made[edits]
            obligations.update(map(str, verdict.obligations))
        self.obligations = tuple(sorted(obligations))
        self.counted = inspect.counted(findings, "request", frozenset(redacted), blocked=False)

    def of(self, target: Target) -> bytes:
        return self._bodies[target.id]


def _cap(call: Call, duty: int, default: int) -> int:
    """The output limit to write into the body, 0 to leave it as it is."""
    wanted = call.max_tokens or default
    limit = min(wanted, duty) if wanted and duty else wanted or duty
    return 0 if limit == call.max_tokens else limit
