"""transform: carry the obligations of a plan out on the body, for each target that may get it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from msgspec.structs import replace

from yett.detectors.mask import mask, select
from yett.dialects import openai_chat
from yett.dialects.escapes import bare
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.call import Call
from yett.model.finding import Finding
from yett.model.record import FindingCount
from yett.model.route import Target
from yett.model.segment import Segment
from yett.model.substitute import Substitute
from yett.ports import Vault
from yett.redaction.known import Known, has_tokens
from yett.redaction.mint import Mint, owner_name, task_key
from yett.redaction.tokenise import Recall, Tokeniser, mentioned
from yett.redaction.ways import Ways
from yett.stages import inspect
from yett.stages.decide import Edit, Plan
from yett.stages.duties import Duties
from yett.stages.plant import Addition, additions
from yett.stages.record import Trail

_MOST_TRIES = 5  # at something that stands for nothing else in the task yet


def masked(segments: Sequence[Segment], findings: Sequence[Finding]) -> dict[int, str]:
    """The new texts of the segments that `findings` are in, by ordinal.

    Raises Refusal("content_blocked") when one stands where it cannot be rewritten: in a field's name, in a number.
    """
    _rewritable(segments, findings)
    by_segment: dict[int, list[Finding]] = {}
    for finding in findings:
        by_segment.setdefault(finding.segment, []).append(finding)
    return {segments[position].index: _masked(segments[position], found) for position, found in by_segment.items()}


def _masked(segment: Segment, findings: Sequence[Finding]) -> str:
    """Arguments stay JSON: what reads them may fail at anything else, or take it for an empty call."""
    outside = bare(segment.text, {finding.start for finding in findings}) if segment.role == "arguments" else ()
    return mask(segment.text, findings, outside)


def _rewritable(segments: Sequence[Segment], findings: Iterable[Finding]) -> None:
    for finding in findings:
        segment = segments[finding.segment]
        if segment.index == UNPATCHABLE:
            place = "an attached file" if segment.role == "attachment" else "a name or number"
            raise Refusal("content_blocked", f"{finding.kind} stands in {place}, where it cannot be redacted.")


async def bodies_for(call: Call, plan: Plan, seen: inspect.Seen, trail: Trail, vault: Vault) -> Bodies:
    """The bodies that may leave; the findings are on the trail either way. Raises Refusal: content_blocked, vault_unavailable."""
    try:
        bodies = Bodies(call, plan, seen.findings, seen.segments)
        if plan.reversible:
            await _exchange(bodies, call, seen, trail, vault)
        if plan.marks:
            bodies.add(plan.marks, trail.snapshot.pepper, trail.caller.tenant if trail.caller else "")
    except Refusal:
        trail.findings = inspect.counted(seen.findings, "request", frozenset(), blocked=True)
        raise
    trail.findings = bodies.counted
    return bodies


async def _exchange(bodies: Bodies, call: Call, seen: inspect.Seen, trail: Trail, vault: Vault) -> None:
    """Put something that can be put back in the place of findings, and keep it for the later calls of this task: before anything
    leaves, so that what an upstream has seen can be understood when it comes back."""
    if not seen.findings and not has_tokens(call.body):
        return
    caller, snapshot = trail.caller, trail.snapshot
    tenant, id = (caller.tenant, caller.id) if caller else ("", "")
    owner, key = owner_name(snapshot.pepper, tenant, id), task_key(snapshot.pepper, tenant, id, call.task)
    segments = seen.segments or openai_chat.segments(call.body)
    asked = sorted({shown for ways in bodies.ways for shown in mentioned(ways, segments, seen.findings)})
    earlier, whole = await vault.recall(owner, key, asked) if asked else ([], True)
    taken: list[Substitute] = []
    for _ in range(_MOST_TRIES):
        bodies.exchange(seen.findings, segments, Mint(key), partial(_among, earlier), taken)
        others = await vault.keep(owner, key, bodies.issued(), snapshot.settings.redaction.ttl)
        if not others:
            break
        taken += others  # another call of this task was faster, or earlier: what it has issued stands for that
    kept = others == []
    if kept and whole:
        return
    trail.notes = (*trail.notes, "vault: not kept" if not kept else "vault: not recalled")
    if snapshot.settings.redaction.vault == "required" and not snapshot.observing:
        raise Refusal("vault_unavailable", retry_after=1.0)


def _among(earlier: Iterable[Substitute], shown: Iterable[str]) -> list[Substitute]:
    wanted = {each.lower() for each in shown}
    return [each for each in earlier if each.shown.lower() in wanted]


class Bodies:
    """The bodies that may leave, one per permitted target, made when one is asked for; but what must be redacted is worked out
    for all of them at once, so that a text that cannot be redacted is refused before anything is held or sent.

    `counted` is what becomes of each kind of finding, for the record. Raises Refusal("content_blocked").
    """

    __slots__ = ("_added", "_body", "_edits", "_known", "_made", "_permitted", "_texts", "counted")

    def __init__(self, call: Call, plan: Plan, findings: Sequence[Finding], segments: Sequence[Segment]) -> None:
        self._body = call.body
        self._edits = plan.edits
        self._permitted = plan.permitted
        self._made: dict[tuple[Edit, Ways | None], bytes] = {}
        self._texts: dict[tuple[str, ...] | Ways, dict[int, str]] = {}
        self._known: dict[str, tuple[Ways, Known]] = {}  # by target id, where something can be put back
        self._added: dict[frozenset[str], dict[int, Addition]] = {}
        self.counted: Sequence[FindingCount] = ()
        if findings:
            redacted: set[str] = set()
            for edit in plan.edits.values():
                if edit.redact not in self._texts:
                    redact = select(findings, edit.redact)
                    redacted.update(f.kind for f in redact)
                    self._texts[edit.redact] = masked(segments, redact)
            self.counted = inspect.counted(findings, "request", frozenset(redacted), blocked=False)

    def exchange(
        self,
        findings: Sequence[Finding],
        segments: Sequence[Segment],
        mint: Mint,
        recall: Recall,
        taken: Iterable[Substitute],
    ) -> None:
        """Work out what leaves for the targets where something can be put back, anew each time. Raises Refusal("content_blocked")."""
        done: dict[Ways, Known] = {}
        for target, duties in self._permitted:
            if not duties.reversible:
                continue
            ways = _ways(duties)
            if ways not in done:
                _rewritable(segments, [finding for finding in findings if ways.of(finding.kind)])
                tokeniser = Tokeniser(mint, ways, recall, taken)
                self._texts[ways] = tokeniser.texts(segments, findings)
                done[ways] = tokeniser.known
            self._known[target.id] = (ways, done[ways])
        self.counted = [_exchanged(count, done) for count in self.counted]

    def add(self, all_marks: Iterable[frozenset[str]], pepper: bytes, tenant: str) -> None:
        """Work out what is added to the texts for the targets where that is wanted."""
        for marks in all_marks:
            self._added[marks] = additions(self._body, marks, pepper, tenant)

    @property
    def added(self) -> int:
        """The most characters (ASCII) that are added to the texts for any target."""
        if not self._added:
            return 0
        return max(
            sum(len(before) + len(behind) for before, _, behind in found.values()) for found in self._added.values()
        )

    @property
    def ways(self) -> set[Ways]:
        """In which ways values are exchanged, for all targets where something can be put back."""
        return {_ways(duties) for _, duties in self._permitted if duties.reversible}

    def issued(self) -> list[Substitute]:
        """Everything that stands for something, in any of the bodies."""
        return [substitute for _, known in self._known.values() for substitute in known]

    def known(self, target: Target) -> Known | None:
        """What may be put back into this target's reply, if there is anything."""
        found = self._known.get(target.id)
        return found[1] if found is not None and len(found[1]) else None

    @property
    def wants_json(self) -> bool:
        """Whether the answer was asked for as JSON."""
        return openai_chat.wants_json(self._body)

    def of(self, target: Target) -> bytes:
        """The body for this target; targets that ask for the same edits share one."""
        edit = self._edits[target.id]
        ways = self._known[target.id][0] if target.id in self._known else None
        body = self._made.get((edit, ways))
        if body is None:
            texts = self._texts.get(ways or edit.redact)
            if edit.marks:  # around whatever stands for a text now
                texts = dict(texts or {})
                for ordinal, (before, text, behind) in self._added[edit.marks].items():
                    texts[ordinal] = f"{before}{texts.get(ordinal, text)}{behind}"
            body = self._made[edit, ways] = openai_chat.prepare(
                self._body,
                model=edit.model,
                cap=edit.cap,
                include_usage=edit.include_usage,
                texts=texts,
            )
        return body


def _ways(duties: Duties) -> Ways:
    return Ways(duties.redact, duties.tokenize, duties.surrogate)


def _exchanged(count: FindingCount, done: Iterable[Ways]) -> FindingCount:
    """The count with what was done for the target that is told the least, where that can be undone."""
    ways = {way.of(count.kind) for way in done} if count.action == "noted" else set()
    for way, action in (("redact", "redacted"), ("tokenize", "tokenized"), ("surrogate", "replaced")):
        if way in ways:
            return replace(count, action=action)
    return count
