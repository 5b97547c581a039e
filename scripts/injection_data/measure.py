"""How good a model is: recall per kind of attack, and false alarms per kind of harmless text, at thresholds for given rates.

Thresholds come from harmless texts that are not learned from: packages that are kept for measuring, alone, in tool results and
strung together to long documents, and the harmless texts of the development set.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from injection_data.sample import Sample
from yett.detectors.injection.features import Block, blocks, seen
from yett.detectors.injection.model import READERS, InjectionModel, Surface

RATES = (0.05, 0.01, 0.001)
# The share of the measured benign texts that may lie above 0.5; DOUBTED times as many lie above 0.2, where rules count in full.
SHIPPED = {"user": 0.009, "tool": 0.015}
DOUBTED = 6
PER_KIND = 400  # texts of one kind that count, so that no kind outweighs the others
LENGTHS = (5.0, 7.0)  # binary logarithms: up to 32 windows or sentences are few, from 128 on they are many
ENOUGH = 50  # texts, to tell what length does
LONG = (6_000, 12_000, 24_000)  # characters
Row = tuple[str, Sample]

_HARVESTED = {"docs": "documentation", "prompt": "documentation", "definition": "definitions", "code": "code"}


def table(
    model: InjectionModel, rows: Sequence[Row], held: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, Surface]]:
    """Thresholds and accuracy as they are published, and the surfaces with these thresholds. `held` are names in the
    families of what was not learned from: each is a kind of its own."""
    source = random.Random(1)
    kinds: dict[tuple[str, bool], list[Sample]] = {}
    for part, sample in [*rows, *long_documents(rows, source)]:
        for kind in _kinds(part, sample, held):
            kinds.setdefault((kind, sample.attack), []).append(sample)
    scored = {
        key: np.array([raw(model, each.text) for each in source.sample(kinds[key], min(PER_KIND, len(kinds[key])))])
        for key in sorted(kinds)
    }
    published: dict[str, Any] = {}
    surfaces: dict[str, Surface] = {}
    for surface, reader in zip(("user", "tool"), READERS, strict=True):
        here = {key: found[:, READERS.index(reader)] for key, found in scored.items() if _fits(surface, key[0])}
        growth = _growth([found for (_, attack), found in here.items() if not attack])
        benign, attacks = (
            {kind: found[:, 0] - growth * found[:, 1] for (kind, attack), found in here.items() if attack == wanted}
            for wanted in (False, True)
        )
        clean = np.concatenate(list(benign.values()))
        margin, doubted = (float(np.quantile(clean, 1 - SHIPPED[surface] * times)) for times in (1, DOUBTED))
        slope = math.log(4) / max(margin - doubted, 0.2)
        surfaces[surface] = Surface(reader, margin, slope, growth)
        published[surface] = [
            {
                "false alarms": rate,
                "score": round(1 / (1 + math.exp(-slope * (threshold - margin))), 4),
                "recall": {kind: _share(found > threshold) for kind, found in attacks.items()},
                "false alarms by kind": {kind: _share(found > threshold) for kind, found in benign.items()},
            }
            for rate in RATES
            for threshold in [float(np.quantile(clean, 1 - rate))]
        ]
    surfaces["document"] = surfaces["definition"] = surfaces["tool"]
    return published, surfaces


def long_documents(rows: Sequence[Row], source: random.Random) -> Iterator[Row]:
    """Harmless texts of packages that are kept for measuring, one after the other."""
    texts = [
        sample.text for part, sample in rows if part == "harvested.unseen" and not sample.family.startswith("prompt")
    ]
    for _ in range(min(200, len(texts) // 20)):
        length, whole = source.choice(LONG), ""
        while len(whole) < length:
            whole += source.choice(texts) + source.choice(["\n\n", "\n"])
        yield "long", Sample(whole, False, "long")


def _growth(found: Sequence[np.ndarray]) -> float:
    """By how much the worst of a harmless text gets worse with each doubling of its length."""
    values, lengths = np.concatenate(found).T
    short, long = lengths < LENGTHS[0], lengths > LENGTHS[1]
    if min(short.sum(), long.sum()) < ENOUGH:
        return 0.0
    higher = np.quantile(values[long], 0.98) - np.quantile(values[short], 0.98)
    return max(0.0, float(higher / (lengths[long].mean() - lengths[short].mean())))


def raw(model: InjectionModel, text: str) -> tuple[tuple[float, float], ...]:
    """The worst window and the worst sentence, each with the logarithm of how many there are."""
    return worst(model.windows, text), worst(model.sentences, text)


def worst(judged: Callable[[Block], np.ndarray], text: str) -> tuple[float, float]:
    """The highest verdict on any part of a text, and the logarithm of how many parts there are."""
    values = [judged(each) for each in map(seen, blocks(text)) if len(each.words)] or [np.full(1, -30.0)]
    return float(max(each.max() for each in values)), math.log2(sum(map(len, values)))


def _kinds(part: str, sample: Sample, held: Sequence[str]) -> list[str]:
    """A composed text is of as many kinds as it has families that were held out; of all of them where none was."""
    family = sample.family
    if family.startswith("composed:"):
        names = [name for name in held if name in family]
        return [f"tool: {name}" for name in names] or [f"tool: in {family.rsplit(':', 1)[-1]}"]
    if part == "long":
        return ["long documents"]
    if part.startswith("harvested"):
        return [_HARVESTED.get(family.split("/")[0], "messages in many languages")]
    if family.startswith("generated:") or ("Purple" in family and sample.attack):
        family = re.sub("(?<=_languages)_.*", "", family.split("/")[0])
    return [family]


def _fits(surface: str, kind: str) -> bool:
    """Whether such texts stand where this surface is."""
    known = kind in {*_HARVESTED.values(), "messages in many languages", "long documents"}
    return known or kind.startswith("tool: ") == (surface == "tool")


def _share(hits: np.ndarray) -> float:
    return round(float(hits.mean()), 4)
