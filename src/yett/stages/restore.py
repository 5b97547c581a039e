"""restore: what may be put back into a reply, and where: the last step of the review, after everything was inspected.

Values go back to the caller they came from. Into the arguments of a tool call they go for the tools that policy names, because
these go on to somewhere else. What policy keeps from the caller stays a token.
"""

from __future__ import annotations

from collections.abc import Iterable

from yett.detectors.mask import matches
from yett.dialects import openai_chat
from yett.model.decision import Effect
from yett.model.record import FindingCount
from yett.model.route import Target
from yett.model.substitute import Substitute
from yett.policy.decision import decide_call
from yett.redaction.known import LITERAL, Known
from yett.redaction.restore import Allowance, Restorer
from yett.stages.decide import Plan, reply_facts
from yett.stages.duties import Duties, duties_of
from yett.stages.record import Trail

_ANY_TOOL = "*"


def allowed(plan: Plan, trail: Trail, target: Target, known: Known) -> Duties | None:
    """Under which duties the values may be put back, which is put to policy as a reply in which they were found; None when it would
    not be released. The obligations are on the trail then."""
    kinds = {substitute.kind for substitute in known if substitute.kind != LITERAL}
    families = {kind.partition(".")[0] for kind in kinds}
    facts = reply_facts(plan, frozenset(kinds | families))
    decision = decide_call(plan.snapshot.policy, facts, (target,))
    if decision.effect is not Effect.ALLOW:
        return None
    obligations = decision.targets[0][1].obligations
    told = {str(obligation) for obligation in obligations if obligation.verb in ("withhold", "restore")}
    trail.obligations = tuple(sorted(told.union(trail.obligations)))
    return duties_of(obligations)


class Restoration:
    """What may be put back into one reply. Its readers share one allowance of `limit` characters."""

    def __init__(self, known: Known, duties: Duties | None, *, json: bool, limit: int) -> None:
        self._known = known
        self._duties = duties
        self._json = json  # the answer was asked for as JSON
        self._allowance = Allowance(limit)
        self._text = known.only(self._told)
        self._open: dict[tuple[str, ...], Known] = {}  # by selectors: what a tool may have

    def reader(self, place: str, tool: str = "") -> Restorer | None:
        """For one text of the reply, at one of the places of `openai_chat.place_of`; None where nothing is put back."""
        if place in ("text", "content"):
            return Restorer(self._text, self._allowance, json=self._json and place == "content")
        restore = () if self._duties is None else self._duties.restore
        opened = tuple(selector for selector, name in restore if name in (tool, _ANY_TOOL))
        if not place or not opened:
            return None
        known = self._open.get(opened)
        if known is None:  # a reply may have a thousand calls of one tool
            known = self._text.only(lambda substitute: substitute.kind == LITERAL or _any(substitute.kind, opened))
            self._open[opened] = known
        return Restorer(known, self._allowance, json=place == "arguments")

    def body(self, body: bytes) -> bytes:
        """A reply that is there as a whole."""

        def change(text: str, place: str, tool: str) -> str:
            reader = self.reader(place, tool)
            return text if reader is None else reader.whole(text)

        return openai_chat.change_words(body, change)

    @property
    def counted(self) -> list[FindingCount]:
        """What was put back, for the record."""
        return [
            FindingCount(kind, count, "reply", "restored") for kind, count in sorted(self._allowance.restored.items())
        ]

    def _told(self, substitute: Substitute) -> bool:
        kind = substitute.kind
        if kind == LITERAL or self._duties is None:
            return kind == LITERAL
        return not _any(kind, (*self._duties.withhold, *self._duties.redact))


def _any(kind: str, selectors: Iterable[str]) -> bool:
    return any(matches(kind, selector) for selector in selectors)
