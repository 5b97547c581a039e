"""Lakera Guard (docs.lakera.ai, POST /v2/guard): prompt attacks, moderated content, personal data, unknown links.

`resource` is the project whose policy applies; without one it is the account's default. One message per request: with several
the service judges the last exchange, and this gateway remembers verdicts message by message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from yett.guardrails.categories import INJECTION, LINK, MODERATION, OTHER, PERSONAL, kind_of, slug
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, Verdict, decoded, encoded, located
from yett.model.guardrail import Guardrail

# How sure a detector is, where the answer says so (docs.lakera.ai, "Results").
_LEVELS = {"l1": 0.99, "l2": 0.95, "l3": 0.8, "l4": 0.5, "l5": 0.1}


class _Detector(Struct, frozen=True):
    detected: bool
    detector_type: str = ""
    result: str = ""


class _Found(Struct, frozen=True):
    detector_type: str = ""
    text: str = ""
    start: int = 0
    end: int = 0


class _Reply(Struct, frozen=True):
    flagged: bool
    breakdown: list[_Detector] = field(default_factory=list)
    payload: list[_Found] = field(default_factory=list)


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    role = "user" if side == "request" else "assistant"
    project = {"project_id": guardrail.resource} if guardrail.resource else {}
    return tuple(
        [
            Asked(
                "/v2/guard",
                JSON,
                encoded(
                    {"messages": [{"role": role, "content": piece.text}], **project, "breakdown": True, "payload": True}
                ),
                (piece,),
            )
            for piece in pieces
        ]
    )


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    reply = decoded(body, _Reply)
    placed = [signal for found in dict.fromkeys(reply.payload) for signal in _placed(guardrail, asked.pieces[0], found)]
    signals = [*_judged(guardrail, reply.breakdown, {signal.label for signal in placed}), *placed]
    if reply.flagged and not any(signal.flagged for signal in signals):
        signals.append(Signal(OTHER, "flagged", 0, 1.0, True))
    return Verdict(tuple(signals))


def _judged(guardrail: Guardrail, detectors: Sequence[_Detector], placed: set[str]) -> Iterator[Signal]:
    for detector in detectors:
        kind, label = _named(guardrail, detector.detector_type)
        if label not in placed:
            level = _LEVELS.get(detector.result[:2].lower(), 0.0)
            score = max(level, 1.0 if detector.detected and not level else 0.0)
            yield Signal(kind, label, 0, score, guardrail.flags(kind, score, detector.detected))


def _placed(guardrail: Guardrail, piece: Piece, found: _Found) -> Iterator[Signal]:
    """What the service says it found, where it is; its own offsets only when they fit what it quotes."""
    kind, label = _named(guardrail, found.detector_type)
    said = (found.start, found.end)
    fits = 0 <= found.start < found.end <= len(piece.text)
    if fits and (not found.text or piece.text[found.start : found.end] == found.text):
        yield Signal(kind, label, 0, 1.0, True, *said)
        return
    for start, end in located(piece, found.text) or ((0, 0),):
        yield Signal(kind, label, 0, 1.0, True, start, end)


def _named(guardrail: Guardrail, detector_type: str) -> tuple[str, str]:
    """The kind of finding and the label for `prompt_attack`, `moderated_content/hate`, `pii/email`, `unknown_links`."""
    group, _, name = detector_type.partition("/")
    label = slug(name or group)
    otherwise = {"pii": PERSONAL, "unknown_links": LINK}.get(group, OTHER)
    kind = guardrail.kinds.get(label, otherwise) if group in {"pii", "unknown_links"} else kind_of(guardrail, label)
    return kind, label


LAKERA = Kind(
    name="lakera",
    base_url="https://api.lakera.ai",
    needs=("key",),
    batch=1,
    longest=20_000,
    reports=(*MODERATION, OTHER, INJECTION, PERSONAL, LINK),
    ask=ask,
    read=read,
)
