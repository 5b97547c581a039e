"""OpenAI's moderation endpoint (platform.openai.com/docs/api-reference/moderations): scores per category, no injection."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.guardrails.categories import MODERATION, OTHER, kind_of, slug
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, UnreadableError, Verdict, bounded, decoded, encoded
from yett.model.guardrail import Guardrail


class _Result(Struct, frozen=True):
    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]


class _Reply(Struct, frozen=True):
    results: list[_Result]


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    body = {"model": guardrail.model or "omni-moderation-latest", "input": [piece.text for piece in pieces]}
    return (Asked("/moderations", JSON, encoded(body), tuple(pieces)),)


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    results = decoded(body, _Reply).results
    if len(results) != len(asked.pieces):
        raise UnreadableError("there is not one result for each text")
    return Verdict(tuple([s for piece, result in enumerate(results) for s in _signals(guardrail, piece, result)]))


def _signals(guardrail: Guardrail, piece: int, result: _Result) -> list[Signal]:
    signals = []
    for name, score in result.category_scores.items():
        label, number = slug(name), bounded(score)
        kind = kind_of(guardrail, label)
        flagged = guardrail.flags(kind, number, result.categories.get(name, False))
        signals.append(Signal(kind, label, piece, number, flagged))
    if result.flagged and not any(result.categories.values()):
        signals.append(Signal(OTHER, "flagged", piece, 1.0, True))
    return signals


OPENAI_MODERATION = Kind(
    name="openai_moderation",
    base_url="https://api.openai.com/v1",
    needs=("key",),
    batch=32,
    longest=20_000,
    reports=(*MODERATION, OTHER),
    ask=ask,
    read=read,
)
