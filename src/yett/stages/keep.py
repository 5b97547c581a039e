"""keep: what the record keeps of a call's texts, as `audit.content` says."""

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
