"""Sightings: the findings that the journal knows of, each with its place in the text where the text was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from yett.cli.inspection import Look, inspector
from yett.detectors.locate import Excerpt, Lines
from yett.detectors.mask import marker, matches
from yett.dialects import openai_chat
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.record import Evidence, FindingCount, Record
from yett.model.segment import Segment
from yett.stores.journal_reader import Entry, Filter, entries
from yett.stores.reviews import Review

# What takes a body apart expects one that was accepted; what was refused may be anything.
_NO_BODY = (Refusal, ValueError, TypeError, AttributeError, KeyError, msgspec.MsgspecError)
Opener = Callable[[Entry], dict[str, object]]


class Sighting(Struct, frozen=True):
    """A finding of a call in the past. What is empty is not known: the value's keyed hash and the detector of findings that were
    only counted, the excerpt where the text was not kept."""

    record: Record
    part: str  # request | reply
    kind: str
    count: int
    action: str
    value: str = ""
    detector: str = ""
    role: str = ""
    score: float = 1.0
    last: str = ""
    excerpt: Excerpt | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As a review of it is known by."""
        return self.record.call, self.part, self.kind, self.value

    def judged(self, *, verdict: bool, reviewer: str, ts: int, note: str = "") -> Review:
        """A review of it."""
        return Review(
            call=self.record.call,
            part=self.part,
            kind=self.kind,
            value=self.value,
            verdict=verdict,
            detector=self.detector,
            role=self.role,
            score=self.score,
            team=self.record.team,
            reviewer=reviewer,
            ts=ts,
            note=note,
        )


class Past(Struct, frozen=True):
    """Where sightings come from. `opener` opens what was kept of texts (None: nothing is), `fingerprint` hashes a tenant's value."""

    folder: Path
    look: Look
    fingerprint: Callable[[str, str], str]
    opener: Opener | None = None

    def sightings(self, wanted: Filter) -> Iterator[Sighting]:
        """Newest call first. Findings of one kind and one value in a call are one."""
        for each in entries(self.folder, wanted, newest_first=True):
            if each.record.kind == "outcome" and each.record.findings:
                yield from self._of_call(each, wanted.finding)

    def _of_call(self, each: Entry, selector: str) -> Iterator[Sighting]:
        texts = self.opener(each) if self.opener else {}
        listed = list(each.record.evidence)
        for counted in each.record.findings:
            if selector and not matches(counted.kind, selector):
                continue
            kept = texts.get(f"{counted.where}_text")
            text = kept if isinstance(kept, str) else None
            found = list(self._of_evidence(each.record, counted, listed, text))
            if not found and text is not None:
                found = list(self._in_text(each.record, counted, text))
            yield from found or [Sighting(each.record, counted.where, counted.kind, counted.count, counted.action)]

    def _of_evidence(
        self, record: Record, counted: FindingCount, listed: list[Evidence], text: str | None
    ) -> Iterator[Sighting]:
        """Those of `listed` that were counted here, which takes them from it; what was only counted comes last, as one."""
        groups: dict[tuple[str, str, str], list[Evidence]] = {}
        if counted.action == "restored":
            return  # this was put back, not found
        about = [each for each in listed if (each.where, each.kind) == (counted.where, counted.kind)][: counted.count]
        for each in about:
            listed.remove(each)
            groups.setdefault((each.value, each.detector, each.role), []).append(each)
        if not groups:
            return
        shown = _Shown(self, text, counted.where) if text is not None else None
        for group in groups.values():
            first = max(group, key=lambda each: each.score)
            yield Sighting(
                record, counted.where, counted.kind, len(group), counted.action, first.value, first.detector, first.role,
                first.score, first.last, shown.excerpt(record.tenant, group[0]) if shown else None,
            )  # fmt: skip
        if (left := counted.count - sum(map(len, groups.values()))) > 0:
            yield Sighting(record, counted.where, counted.kind, left, counted.action)

    def _in_text(self, record: Record, counted: FindingCount, text: str) -> Iterator[Sighting]:
        segments = _segments(text, counted.where)
        seen = inspector(self.look.config).inspect(segments).findings
        values: dict[str, tuple[Finding, int]] = {}
        for finding in seen:
            if finding.kind == counted.kind:
                value = self.fingerprint(record.tenant, segments[finding.segment].text[finding.start : finding.end])
                values[value] = (values.get(value, (finding, 0))[0], values.get(value, (finding, 0))[1] + 1)
        for value, (finding, count) in values.items():
            segment = segments[finding.segment]
            lines = Lines(segment.text, [other for other in seen if other.segment == finding.segment])
            yield Sighting(
                record, counted.where, counted.kind, count, counted.action, value, finding.detector, segment.role,
                finding.score, excerpt=lines.excerpt(finding),
            )  # fmt: skip
        if not values:  # it was redacted before it was kept: where it stood can still be shown
            for segment in segments:
                if excerpt := _redacted(segment, counted.kind):
                    yield Sighting(
                        record,
                        counted.where,
                        counted.kind,
                        counted.count,
                        counted.action,
                        role=segment.role,
                        excerpt=excerpt,
                    )
                    return


class _Shown:
    """A text that was kept, to show where in it findings stand: only where their keyed hashes say that it is they."""

    def __init__(self, past: Past, text: str, part: str) -> None:
        self._fingerprint = past.fingerprint
        self._segments = _segments(text, part)
        self._seen = inspector(past.look.config).inspect(self._segments).findings

    def excerpt(self, tenant: str, each: Evidence) -> Excerpt | None:
        for number, segment in enumerate(self._segments):
            if not each.value or each.end > len(segment.text):
                continue
            if self._fingerprint(tenant, segment.text[each.start : each.end]) == each.value:
                finding = Finding(each.kind, number, each.start, each.end, each.detector)
                others = [other for other in self._seen if other.segment == number]  # they are hidden, too
                return Lines(segment.text, [*others, finding]).excerpt(finding)
        return next(filter(None, (_redacted(segment, each.kind) for segment in self._segments)), None)


def _redacted(segment: Segment, kind: str) -> Excerpt | None:
    """Where a finding of this kind stood, in a text that was redacted before it was kept."""
    at = segment.text.find(marker(kind))
    return Lines(segment.text, ()).excerpt(Finding(kind, 0, at, at + len(marker(kind)), "")) if at >= 0 else None


def _segments(text: str, part: str) -> tuple[Segment, ...]:
    """The texts of a body that was kept; what is no body of a known form is one text."""
    read: Callable[[bytes], tuple[Segment, ...]] = (
        openai_chat.segments if part == "request" else openai_chat.reply_segments
    )
    try:
        found = read(text.encode("utf-8", "surrogatepass"))
    except _NO_BODY:
        found = ()
    return found or (Segment(text, "user" if part == "request" else "assistant", 0),)


def as_object(each: Sighting, verdict: bool | None) -> dict[str, Any]:
    """For --json. An excerpt is masked; the value is a keyed hash."""
    record = each.record
    excerpt = each.excerpt
    return {
        "call": record.call,
        "ts": record.ts,
        "team": record.team,
        "name": record.name,
        "model": record.model,
        "part": each.part,
        "kind": each.kind,
        "count": each.count,
        "action": each.action,
        "detector": each.detector,
        "role": each.role,
        "score": each.score,
        "value": each.value,
        "last": each.last,
        "excerpt": excerpt.before + excerpt.span + excerpt.after if excerpt else "",
        "verdict": verdict,
    }


# ---- what a suppression would have done -----------------------------------------------------------------------------


class Scope(Struct, frozen=True):
    """What a suppression is about, as in `yett.detectors.suppress`, or a threshold: what is empty means any, but for the
    selectors. `below` is a score in percent."""

    selectors: tuple[str, ...]
    teams: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    below: int = 0

    def means(self, each: Sighting) -> bool:
        """Whatever its value is; a role that is not known may be any."""
        return (
            any(name == each.detector or matches(each.kind, name) for name in self.selectors)
            and (not self.teams or each.record.team in self.teams)
            and (not self.parts or each.part in self.parts)
            and (not self.roles or not each.role or each.role in self.roles)
        )


def effect(past: Past, reviews: Iterable[Review], since: int, scope: Scope) -> dict[str, Any]:
    """What would have been taken away. Of findings that were only counted it cannot be told whether their value, or their score,
    is meant: `unknown`."""
    said = {each.key: each.verdict for each in reviews}
    actions: Counter[str] = Counter()
    calls: set[str] = set()
    judged: Counter[bool] = Counter()
    unknown = 0
    for each in past.sightings(Filter(kind="outcome", since=since)):
        if not scope.means(each):
            continue
        if (scope.values and not each.value) or (scope.below and not each.detector):
            unknown += 1
        elif (not scope.values or each.value in scope.values) and (not scope.below or each.score * 100 < scope.below):
            calls.add(each.record.call)
            actions[each.action] += each.count
            if each.key in said:
                judged[said[each.key]] += 1
    return {
        "calls": len(calls),
        "findings": dict(actions),
        "reviewed_true": judged[True],
        "reviewed_false": judged[False],
        "unknown": unknown,
    }
