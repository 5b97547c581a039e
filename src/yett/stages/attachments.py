"""attachments: what is in the files that a request carries joins what was found in its texts.

The text of a file is data, whoever attached it: it is inspected as an `attachment`, and cannot be rewritten, so what a policy
wants redacted in it is refused. Nothing is fetched: a file that is only named has not been read.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.detectors.inspector import Inspector
from yett.detectors.traits import Traits, united
from yett.dialects import openai_chat
from yett.dialects.attached import attached
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.attachment import Extracted
from yett.model.call import Call
from yett.model.caller import Caller
from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.ports import Files
from yett.stages.inspect import Examine, Seen, Verdict, in_steps, merged
from yett.stages.record import Trail

MOST = 32  # files of one call
ROLE, UNREAD = "attachment", "attachment.unread"
_PICTURES = frozenset(("png", "jpeg", "gif", "webp", "tiff"))


async def on_request(files: Files, examine: Examine, trail: Trail, caller: Caller, call: Call, seen: Seen) -> Seen:
    """What is in a request, its files included. Raises Refusal("attachment_unread")."""
    snapshot = trail.snapshot
    settings = snapshot.settings.inspection.attachments
    carried = attached(call.body) if call.action == "InvokeModel" else ()
    if not carried:
        return seen
    recognise = settings.pictures == "read"
    read = await files.read(caller.tenant, carried[:MOST], settings.deadline, recognise=recognise)
    read += [Extracted("", whole=False, failure="one file too many")] * (len(carried) - len(read))
    texts = _within(read, settings.max_chars)
    unread = [why for one, text in zip(read, texts, strict=True) if (why := _unread(one, text, recognise=recognise))]
    trail.notes = (*trail.notes, *_notes(len(read), unread))
    if unread and settings.unread == "refuse" and not snapshot.observing:
        raise Refusal("attachment_unread", f"An attached file could not be inspected: {unread[0]}.")
    own = seen.segments or openai_chat.segments(call.body)
    segments = [*own, *(Segment(text, ROLE, UNPATCHABLE) for text in texts)]
    findings, injection, traits = await _found(examine, snapshot, caller.tenant, read, texts, len(own))
    if unread:
        findings.append(Finding(UNREAD, len(own), 0, 0, "attachments"))
    return seen._replace(
        findings=merged(seen.findings, findings),
        segments=tuple(segments),
        injection=max(seen.injection, in_steps(injection)),
        traits=united((seen.traits, *traits)),
    )


def _within(read: list[Extracted], most: int) -> list[str]:
    texts = []
    for one in read:
        texts.append(one.text[:most])
        most -= len(texts[-1])
    return texts


def _unread(one: Extracted, text: str, *, recognise: bool) -> str:
    """Why a file does not count as read, "" when it does."""
    if one.failure:
        return f"{one.kind}: {one.failure}" if one.kind else one.failure
    if len(text) < len(one.text) or (not one.whole and one.kind not in _PICTURES):
        return f"{one.kind}: not read to its end"
    return f"{one.kind}: what is written on it was not read" if recognise and not one.whole else ""


def _notes(number: int, unread: list[str]) -> tuple[str, ...]:
    """For the record: what was attached, and what of it nobody has looked into."""
    told = f"attachments: {number - len(unread)} of {number} read"
    return (told, *(f"attachment unread: {why}" for why in sorted(set(unread))))


async def _found(
    examine: Examine, snapshot: Snapshot, tenant: str, read: list[Extracted], texts: list[str], base: int
) -> tuple[list[Finding], float, list[Traits]]:
    """Findings in the texts, of which the first is segment `base`, the highest score, and what the texts are. A text that was seen before is not
    looked at again."""
    keys = [(tenant, (ROLE,), sha256(text.encode("utf-8", "surrogatepass")).digest()) for text in texts]
    verdicts: dict[object, Verdict] = {}
    for key in keys:
        if (verdict := snapshot.verdicts.get(key)) is not None:
            verdicts[key] = verdict
    unknown = {key: text for key, text in zip(keys, texts, strict=True) if key not in verdicts}
    if unknown:
        work = list(unknown.values())
        fresh = await examine(snapshot, tenant, work, [len(text) for text in work], _look)
        for key, verdict in zip(unknown, fresh, strict=True):
            verdicts[key] = verdict
            snapshot.verdicts.put(key, verdict)
    findings: list[Finding] = []
    injection = 0.0
    for place, (key, one) in enumerate(zip(keys, read, strict=True), base):
        seen = verdicts[key]
        injection = max(injection, seen.injection)
        findings += [replace(each, segment=place, detector=f"{one.kind}>{each.detector}") for each in seen.findings]
    return findings, injection, [verdict.traits for verdict in verdicts.values()]


def _look(inspector: Inspector, text: str) -> Verdict:
    found = inspector.inspect((Segment(text, ROLE, UNPATCHABLE),))
    return Verdict(1, found.findings, found.scores["injection"], found.traits)
