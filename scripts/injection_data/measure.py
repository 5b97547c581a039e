"""How good a model is: recall per source at the thresholds that let 1 %, 0.5 % and 0.1 % of benign texts be false alarms."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from injection_data.sample import Sample
from yett.detectors.injection.features import blocks, words
from yett.detectors.injection.model import InjectionModel, Surface

RATES = (0.05, 0.01, 0.005, 0.003, 0.001)
# The share of the measured benign texts that may lie above 0.5. What users write is measured on texts without near misses and
# talk of attacks, on which twice as many false alarms are to be expected.
SHIPPED = {"user": 0.005, "tool": 0.01}
PER_KIND = 1_200  # benign texts of one kind that count, so that no kind outweighs the others
Row = tuple[str, Sample]

BENIGN: dict[str, Callable[[str, str], bool]] = {
    "instructions to assistants": lambda part, family: (
        part == "measured" and "alpaca" in family and "composed" not in family
    ),
    "manual pages in many languages": lambda part, family: "manpages" in family,
    "documents": lambda part, family: family == "composed: clean documents",
    "security questions": lambda part, family: "mitre_frr" in family,
    "package documentation": lambda part, family: (
        part == "harvested.unseen" and family.startswith(("docs", "prompt", "definition"))
    ),
    "code": lambda part, family: part == "harvested.unseen" and family.startswith("code"),
    "messages in many languages": lambda part, family: (
        part == "harvested.unseen" and family.startswith(("catalogue", "chat"))
    ),
    "tool results": lambda part, family: part == "composed.unseen",
}
FOR_USERS = tuple(kind for kind in BENIGN if kind != "tool results")
FOR_TOOLS = (
    "manual pages in many languages",
    "documents",
    "package documentation",
    "code",
    "messages in many languages",
    "tool results",
)


def table(model: InjectionModel, rows: Sequence[Row]) -> tuple[dict[str, Any], dict[str, Surface]]:
    """Thresholds and accuracy as they are published, and the surfaces with these thresholds."""
    source = random.Random(1)
    chosen = _chosen(rows, source)
    values = np.array([_raw(model, sample.text) for _, sample in chosen])
    attacks = np.array([sample.attack for _, sample in chosen])
    kinds = np.array([_kind(part, sample) for part, sample in chosen])
    published: dict[str, Any] = {}
    surfaces: dict[str, Surface] = {}
    for surface, verdict, benign in (("user", 0, FOR_USERS), ("tool", 1, FOR_TOOLS)):
        clean = ~attacks & np.isin(kinds, benign)
        thresholds = {rate: float(np.quantile(values[clean, verdict], 1 - rate)) for rate in RATES}
        margin, strict = (
            float(np.quantile(values[clean, verdict], 1 - rate)) for rate in (SHIPPED[surface], SHIPPED[surface] / 4)
        )
        slope = math.log(4) / max(strict - margin, 0.2)
        surfaces[surface] = Surface(verdict, margin, slope)
        published[surface] = [
            {
                "false alarms": rate,
                "score": round(1 / (1 + math.exp(-slope * (threshold - margin))), 4),
                "recall": {
                    kind: _share(values[attacks & (kinds == kind), verdict] > threshold)
                    for kind in sorted(set(kinds[attacks]))
                },
                "false alarms by kind": {
                    kind: _share(values[~attacks & (kinds == kind), verdict] > threshold) for kind in benign
                },
            }
            for rate, threshold in thresholds.items()
        ]
        published[surface + " area under the curve"] = {
            kind: _area(values[attacks & (kinds == kind), verdict], values[clean, verdict])
            for kind in sorted(set(kinds[attacks]))
        }
    surfaces["document"] = surfaces["definition"] = surfaces["tool"]
    return published, surfaces


def _chosen(rows: Sequence[Row], source: random.Random) -> list[Row]:
    by_kind: dict[tuple[str, bool], list[Row]] = {}
    for part, sample in rows:
        by_kind.setdefault((_kind(part, sample), sample.attack), []).append((part, sample))
    return [row for each in by_kind.values() for row in source.sample(each, min(PER_KIND, len(each)))]


def _kind(part: str, sample: Sample) -> str:
    if sample.attack:
        return (
            "composed, other packages"
            if part == "composed.unseen"
            else sample.family.split("/")[0]
            if "Purple" in sample.family
            else sample.family
        )
    return next((kind for kind, fits in BENIGN.items() if fits(part, sample.family)), "other")


def _raw(model: InjectionModel, text: str) -> tuple[float, float]:
    found = [model.windows(each).max(axis=0) for block in blocks(text) if len(each := words(block))]
    worst = np.max(found, axis=0) if found else np.full(2, -30.0)
    return float(worst[0]), float(worst[1])


def _share(hits: np.ndarray) -> float | None:
    return round(float(hits.mean()), 4) if len(hits) else None


def _area(attacks: np.ndarray, benign: np.ndarray) -> float | None:
    if not len(attacks) or not len(benign):
        return None
    ordered = np.sort(benign)
    below, above = np.searchsorted(ordered, attacks, "left"), np.searchsorted(ordered, attacks, "right")
    return round(float((below + above).mean() / 2 / len(benign)), 4)
