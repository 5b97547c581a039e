"""inspect: what is in the text, and what that makes of the call."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.config.suppressions import fingerprint
from yett.detectors import suppress
from yett.detectors.detector import SEPARATOR
from yett.detectors.engine import Scanner
from yett.detectors.injection.turns import ALL, TURNS, joined
from yett.detectors.inspector import THRESHOLD, Inspector
from yett.detectors.traits import NO_TRAITS, Traits, united
from yett.dialects import openai_chat, strict_json
from yett.dialects.leaves import UNPATCHABLE
from yett.model.caller import Caller
from yett.model.finding import Finding
from yett.model.record import FindingCount
from yett.model.segment import Segment

_SEPARATOR = SEPARATOR.encode()
_BETWEEN = b"\n\n"  # two texts, where encoded parts are looked for: none reaches over it
_MESSAGES = ("messages", None)  # the units that have messages in them
_STEP = 5  # percent; calls that differ by less share their decision
SPLIT = "injection.split"
CLEAN = 65_536  # bytes of a reply that are looked through on the loop: a millisecond or two, whatever they are
# Names of fields and ids, which read like something encoded. A quotation mark within a text has an escape before it.
_NAMES = re.compile(rb'"(?:(?:id|system_fingerprint)": ?"[A-Za-z0-9_-]{1,64}"|[a-z_]{1,32}":)')
_KEY = 32  # bytes that a unit is known by; a shorter one is known by itself, and no hash is so short


class Seen(NamedTuple):
    """Findings, the segments that they are in, how much a text reads like an injection, in percent, what the texts are, and what
    guardrails score them with, in percent by the name of the score, sorted."""

    findings: tuple[Finding, ...] = ()
    segments: tuple[Segment, ...] = ()
    injection: int = 0
    traits: Traits = NO_TRAITS
    scores: tuple[tuple[str, int], ...] = ()


class Verdict(Struct, frozen=True, gc=False):
    """What is in one unit of a body, which has `size` segments. Findings count segments from the beginning of the unit."""

    size: int
    findings: tuple[Finding, ...] = ()
    injection: float = 0.0
    traits: Traits = NO_TRAITS


Unit = tuple[str | None, bytes]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Examine(Protocol):
    """Runs the work for each item, of so many bytes, on an inspector of the snapshot: at once when all are short, else beside the
    loop, where tenants take turns. Raises Refusal("overloaded"), and what the work raises."""

    def __call__(
        self,
        snapshot: Snapshot,
        tenant: str,
        items: Sequence[Item],
        sizes: Sequence[int],
        work: Callable[[Inspector, Item], Result],
    ) -> Awaitable[list[Result]]: ...


NOTHING = Seen()
_EMPTY = Verdict(0)


async def look(examine: Examine, snapshot: Snapshot, tenant: str, body: bytes) -> Seen:
    """What is in a request's body. What was seen before is not looked at again: agents send their whole history every turn.

    Each unit (a message, another field) is remembered by its tenant, its name and a hash of its bytes, for as long as the snapshot
    and the number of other texts allow. What is no unit has a tuple in place of the name, which any caller may choose.
    """
    known = snapshot.verdicts
    units = openai_chat.units(body)
    keys = [(tenant, name, raw if len(raw) < _KEY else sha256(raw).digest()) for name, raw in units]
    judged: list[Any] = known.several(keys)
    if None in judged:
        places = [place for place, verdict in enumerate(judged) if verdict is None]
        unknown = [units[place] for place in places]
        fresh = await examine(snapshot, tenant, unknown, [len(raw) for _, raw in unknown], examined)
        for place, verdict in zip(places, fresh, strict=True):
            judged[place] = verdict
            known.put(keys[place], verdict)
    if snapshot.inspector.judges and (turns := _turns(units)):
        key = (tenant, ("turns",), sha256(b"\0".join([units[place][1] for place in turns])).digest())
        whole: Verdict | None = known.get(key)
        if whole is None:
            texts = [units[place] for place in turns]
            (whole,) = await examine(snapshot, tenant, (texts,), (ALL,), together)
            known.put(key, whole)
        judged = _with(judged, turns, whole)
    return _seen(body, judged)


def _turns(units: Sequence[Unit]) -> list[int]:
    """Where the last messages of users stand, when there are several, or one that may have several parts."""
    places: list[int] = []
    for place in range(len(units) - 1, -1, -1):
        name, raw = units[place]
        # The role may be spelt with escapes; else only what names it has to be taken apart.
        if name == "messages" and (b'"user"' in raw or b"\\u" in raw) and openai_chat.author(raw) == "user":
            places.append(place)
            if len(places) == TURNS:
                break
    # A message of two parts has three objects at least, and braces are never escaped.
    several = len(places) > 1 or (places and units[places[0]][1].count(b"{") > 2)
    return places[::-1] if several else []


def together(inspector: Inspector, turns: Sequence[Unit]) -> Verdict:
    """What the last texts of a user say as one, which is found in the last of them: `size` counts no segments here."""
    texts = []
    place, length = -1, 0
    for unit in turns:
        place = -1
        for number, segment in enumerate(openai_chat.unit_segments(*unit)):
            if segment.role == "user":
                texts.append(segment.text)
                place, length = number, len(segment.text)
    text = joined(texts) if place >= 0 else ""  # a last turn without words completes nothing
    score = inspector.text(text).scores["injection"] if text else 0.0
    if score < THRESHOLD:
        return _EMPTY
    return Verdict(0, (Finding(SPLIT, place, 0, length, "user-turns", score),), score)


def _with(judged: list[Verdict], turns: Sequence[int], whole: Verdict) -> list[Verdict]:
    """The verdicts, with that about the turns together where none of them is enough by itself."""
    if not whole.findings or any(judged[place].injection >= THRESHOLD for place in turns):
        return judged
    last = judged[turns[-1]]
    found = merged(last.findings, whole.findings)
    judged[turns[-1]] = Verdict(last.size, found, whole.injection, last.traits)
    return judged


def examined(inspector: Inspector, unit: Unit) -> Verdict:
    """What is in one unit."""
    segments = openai_chat.unit_segments(*unit)
    if not segments:
        return _EMPTY
    found = inspector.inspect(segments)
    findings = found.findings
    if unit[0] in _MESSAGES and (more := list(_across(inspector.scanner, segments, findings))):
        findings = merged(findings, more)
    return Verdict(len(segments), findings, found.scores["injection"], found.traits)


def _across(scanner: Scanner, segments: Sequence[Segment], known: Sequence[Finding]) -> Iterator[Finding]:
    """What begins in one part of a message and ends in another, a finding for the piece in each: a model is shown the parts as one
    text. What a part holds whole is not made longer by the next one, which in most messages begins something else."""
    own: dict[int, list[Finding]] = {}
    for finding in known:
        own.setdefault(finding.segment, []).append(finding)
    by_role: dict[str, list[int]] = {}
    for place, segment in enumerate(segments):
        if segment.role in openai_chat.ROLES and segment.index != UNPATCHABLE:
            by_role.setdefault(segment.role, []).append(place)
    for places in by_role.values():
        if len(places) > 1:
            texts = [segments[place].text for place in places]
            ends = list(accumulate(map(len, texts)))
            for finding in scanner.scan_text("".join(texts)):
                pieces = list(_pieces(finding, places, ends))
                if len(pieces) > 1 and not any(_known(piece, own.get(piece.segment, ())) for piece in pieces):
                    yield from pieces


def _pieces(finding: Finding, places: Sequence[int], ends: Sequence[int]) -> Iterator[Finding]:
    """What of a finding stands in which segment: those at `places` are one text, in which they end at `ends`."""
    number = bisect_right(ends, finding.start)
    while finding.start < finding.end:
        base = ends[number - 1] if number else 0
        end = min(finding.end, ends[number])
        yield replace(finding, segment=places[number], start=finding.start - base, end=end - base)
        finding = replace(finding, start=end)
        number += 1


def _known(piece: Finding, findings: Sequence[Finding]) -> bool:
    """Whether one of the findings in the same segment is of its kind and overlaps it."""
    return any(piece.kind == other.kind and piece.start < other.end and other.start < piece.end for other in findings)


def _seen(body: bytes, verdicts: list[Verdict]) -> Seen:
    injection = 0.0
    findings: list[Finding] = []
    several: list[Traits] = []
    base = 0
    for verdict in verdicts:
        if verdict.findings:
            findings += [replace(finding, segment=base + finding.segment) for finding in verdict.findings]
        injection = max(injection, verdict.injection)
        if verdict.traits is not NO_TRAITS:
            several.append(verdict.traits)
        base += verdict.size
    if not (findings or injection or several):
        return NOTHING
    percent, traits = in_steps(injection), united(several)
    if not findings:
        return Seen(injection=percent, traits=traits) if percent or several else NOTHING
    return Seen(tuple(findings), openai_chat.segments(body), percent, traits)


async def look_at_reply(examine: Examine, snapshot: Snapshot, tenant: str, body: bytes) -> Seen:
    """What is in a reply's body. A clean one of usual length is told at once; what is long or has to be looked at more closely may
    be made to take its time, so that is done where the other calls do not wait for it. Raises Refusal when the reply can be
    read in more than one way."""
    inspector = snapshot.inspector
    if not inspector.asks and len(body) <= CLEAN and _clean(inspector.scanner, body) and _plain(inspector, body):
        return NOTHING
    return (await examine(snapshot, tenant, (body,), (len(body),), _reply))[0]


def _reply(inspector: Inspector, body: bytes) -> Seen:
    seen = look_through(inspector.scanner, body, openai_chat.reply_segments)
    if not inspector.asks and _plain(inspector, body):
        return seen
    segments = seen.segments or openai_chat.reply_segments(body)
    found = [*inspector.hidden(segments, seen.findings), *inspector.asked(segments)]
    return Seen(merged(seen.findings, found), segments) if found else seen


def look_through(scanner: Scanner, body: bytes, segments: Callable[[bytes], tuple[Segment, ...]]) -> Seen:
    """What the patterns find in a body. It is taken apart by `segments` only when there is something in it, or when that cannot be
    told from its bytes."""
    if _clean(scanner, body):
        return NOTHING
    found = segments(body)
    return Seen(scanner.scan(found), found)


def _clean(scanner: Scanner, body: bytes) -> bool:
    flat = strict_json.flat(body, _SEPARATOR)
    return flat is not None and scanner.clean(flat)


def _plain(inspector: Inspector, body: bytes) -> bool:
    """Whether nothing can be hidden in encoded parts of a body, as far as that can be told from its bytes."""
    flat = strict_json.flat(_NAMES.sub(b"", body), _BETWEEN)
    return flat is not None and not inspector.hides(flat.decode())


def in_steps(score: float) -> int:
    """A score from 0 to 1 in percent, rounded down to the steps that policies see."""
    return int(score * 100) // _STEP * _STEP


def standing(
    snapshot: Snapshot, caller: Caller | None, part: str, now: float, seen: Seen
) -> tuple[Seen, tuple[str, ...]]:
    """What is left of the findings after the operator's suppressions, and for the record what each of them took away."""
    team, tenant = (caller.team, caller.tenant) if caller else ("", "")
    mark = partial(fingerprint, snapshot.pepper, tenant)
    left, notes = seen.findings, []
    for each in suppress.in_force(snapshot.suppressions, tenant, team, part, now):
        kept = suppress.standing(left, seen.segments, (each,), mark)
        if len(kept) < len(left):
            notes.append(suppressed(each.id, len(left) - len(kept), part))
            left = kept
    if not notes:
        return seen, ()
    judged = any(finding.family == "injection" for finding in left)
    return seen._replace(findings=left, injection=seen.injection if judged else 0), tuple(notes)


def suppressed(name: str, count: int, part: str) -> str:
    """What the record says of a suppression that has taken findings away."""
    return f"suppressed by {name}: {count} in the {part}"


def merged(findings: Sequence[Finding], more: Sequence[Finding]) -> tuple[Finding, ...]:
    """All of them in the order of their places."""
    return tuple(
        sorted((*findings, *more), key=lambda finding: (finding.segment, finding.start, finding.end, finding.kind))
    )


def facts_of(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The distinct kinds and families, sorted: what policies see as `context.findings`."""
    return tuple(sorted({f.kind for f in findings} | {f.family for f in findings}))


def origins_of(seen: Seen) -> tuple[str, ...]:
    """The same, and each family with who wrote it: `injection@tool`."""
    found = {f"{f.family}@{seen.segments[f.segment].role}" for f in seen.findings}
    return tuple(sorted(found.union(facts_of(seen.findings)))) if found else ()


def labels_with(labels: tuple[str, ...], findings: Sequence[Finding]) -> tuple[str, ...]:
    """`labels` and those that the text itself carries: a marking found as `label.restricted` is the label `restricted`."""
    found = {f.kind.partition(".")[2] for f in findings if f.family == "label"}
    return tuple(sorted(found.union(labels))) if found else labels


def counted(findings: Sequence[Finding], where: str, redacted: frozenset[str], *, blocked: bool) -> list[FindingCount]:
    """Findings by kind for the record; `redacted` are the kinds that were removed from the text."""
    counts = Counter(f.kind for f in findings)
    return [
        FindingCount(kind, count, where, "blocked" if blocked else "redacted" if kind in redacted else "noted")
        for kind, count in sorted(counts.items())
    ]


def summary(counts: Sequence[FindingCount]) -> str:
    """For the `x-yett-findings` header: `pii.email=2;redacted, secret.github-token=1;blocked`."""
    return ", ".join(f"{c.kind}={c.count};{c.action}" for c in counts)
