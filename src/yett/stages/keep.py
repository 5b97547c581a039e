"""keep: what the record keeps of a call's texts, as `audit.content` says, and of what was found in them."""

from __future__ import annotations

from collections.abc import Sequence

from yett.detectors.mask import marker, mask
from yett.dialects import openai_chat, patch
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.record import Content
from yett.model.segment import Segment
from yett.ports import Journal
from yett.stages.evidence import Witness
from yett.stages.record import Trail


def content(journal: Journal, trail: Trail, part: str, text: bytes) -> Content | None:
    """Of a request or a reply: its size, a keyed hash, a sealed copy. Raises Refusal when there is no room for a copy."""
    keep = trail.snapshot.settings.audit.content
    if keep == "none" or not text:
        return None
    if keep == "redacted" and part == "request" and trail.call is not None:
        if trail.found is None:  # nobody knows what would have to be redacted
            return Content(len(text), journal.fingerprint(text))
        text = kept_text(keep, text, trail.found.segments, trail.found.findings)
    blob = journal.keep(trail.id, part, text) if keep != "digest" else ""
    return Content(len(text), journal.fingerprint(text), blob)


def refused(journal: Journal, trail: Trail, body: bytes) -> Content | None:
    """Of the request of a call that was refused; when there is no room for a copy, the outcome is still worth recording."""
    try:
        return trail.request or content(journal, trail, "request", body)
    except Refusal:
        return Content(len(body), journal.fingerprint(body))


def witness(trail: Trail, where: str) -> Witness:
    """Who takes down the findings in one side of this call."""
    return Witness(trail.snapshot, trail.caller.tenant if trail.caller else "", where)


def evidence(trail: Trail) -> None:
    """Put the findings of a call that is over on its trail, each by itself."""
    if trail.found is not None and trail.found.findings:
        asked = witness(trail, "request")
        asked.whole(trail.found.findings, trail.found.segments)
        trail.evidence, trail.unlisted = asked.listed, asked.unlisted
    if trail.witness is not None:
        trail.evidence = [*trail.evidence, *trail.witness.listed]
        trail.unlisted += trail.witness.unlisted


def kept_text(keep: str, body: bytes, segments: Sequence[Segment], findings: Sequence[Finding]) -> bytes:
    """What the record keeps of a body: as it is, or with every finding masked, also those that policy lets pass. Where one
    cannot be rewritten, nothing else is kept either."""
    findings = [finding for finding in findings if finding.start < finding.end]  # the others are about the whole call
    if keep != "redacted" or not findings:
        return body
    texts = {}
    for position in {f.segment for f in findings}:
        segment = segments[position]
        if segment.index == UNPATCHABLE:
            return patch.quote(marker(next(f.kind for f in findings if f.segment == position)))
        texts[segment.index] = mask(segment.text, [f for f in findings if f.segment == position])
    return openai_chat.redact_reply(body, texts)
