"""What a classifier's numbers mean: its labels, as its `config.json` has them, and the signals that its outputs are.

The model itself runs outside (`edge/transformer.py`); here is what can be said without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from yett.guardrails.categories import INJECTION, LOCAL_INJECTION, MODERATION, kind_of, slug
from yett.guardrails.kind import Signal
from yett.model.guardrail import Guardrail

NAME = "transformer"
LONGEST = 40_000  # characters of one piece
REPORTS = (LOCAL_INJECTION, *MODERATION)

# What classifiers call a text in which there is nothing. `label-0` is what those say that were never given names.
_BENIGN = frozenset(
    "benign safe legit legitimate normal negative neutral none ok clean label-0 no-injection not-injection".split()
)
_MULTI = "multi_label_classification"


class Labels(Struct, frozen=True):
    """The classifier's outputs in order. `several`: each stands for itself (sigmoid); else one excludes the others (softmax).
    `window` is the most tokens that it takes at once."""

    names: tuple[str, ...]
    several: bool = False
    window: int = 512


class _Config(Struct, frozen=True):
    id2label: dict[int, str] = field(default_factory=dict)
    problem_type: str | None = None
    max_position_embeddings: Annotated[int, Meta(ge=8)] = 512


BINARY = Labels(("benign", "injection"))
_MOST_WINDOW = 512  # a longer window costs more than two short ones, and dilutes what is in it


def labels(config: bytes) -> Labels:
    """From a Transformers `config.json`. Raises ValueError."""
    try:
        found = msgspec.json.decode(config, type=_Config, strict=False)
    except msgspec.MsgspecError as error:
        raise ValueError(f"config.json: {error}") from None
    if sorted(found.id2label) != list(range(len(found.id2label))):
        raise ValueError("config.json: the labels of id2label are not numbered from 0")
    names = tuple([slug(found.id2label[position]) for position in range(len(found.id2label))])
    return Labels(names or BINARY.names, found.problem_type == _MULTI, min(found.max_position_embeddings, _MOST_WINDOW))


def signals(
    guardrail: Guardrail,
    known: Labels,
    piece: int,
    windows: Sequence[tuple[int, int]],
    logits: Sequence[Sequence[float]],
) -> list[Signal]:
    """What the outputs for the windows of one piece say; each window is a span of characters. Of a label that several windows
    have, each finding stands where it was found."""
    found: list[Signal] = []
    for (start, end), row in zip(windows, logits, strict=True):
        for label, score in zip(known.names, _shares(row, several=known.several or len(row) == 1), strict=True):
            if label not in _BENIGN:
                kind = kind_of(guardrail, label, LOCAL_INJECTION)
                kind = LOCAL_INJECTION if kind == INJECTION else kind
                flagged = guardrail.flags(kind, score, score >= 0.5)
                found.append(Signal(kind, label, piece, score, flagged, start, end))
    return found


def _shares(row: Sequence[float], *, several: bool) -> list[float]:
    """Logits as probabilities."""
    if several:
        return [_sigmoid(value) for value in row]
    top = max(row)
    powers = [math.exp(value - top) for value in row]
    total = sum(powers)
    return [power / total for power in powers]


def _sigmoid(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value)) if value >= 0 else 1.0 - 1.0 / (1.0 + math.exp(value))
