"""Labelled texts, and how often inspection is right on them.

Labelled texts are JSON Lines, `FAMILY_NAME.jsonl` or `.jsonl.gz`, with {"text", "label": 0 or 1, "source", "kind"?, "role"?}, or,
for personal data, {"text", "spans": [[start, end, TYPE]], "source"}. Files with "train" in their name are passed over: what
has been learnt from proves nothing. The texts in tests/data/accuracy are always measured; they guard against regressions.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path
from typing import Any

from yett.cli.inspection import Look
from yett.detectors.inspector import Inspected
from yett.detectors.mask import matches

FAMILIES = ("secrets", "pii", "injection")
Z = 1.96  # of a two-sided 95 % interval
# What public sets call a span, and the kinds of ours that mean the same; what stands for nothing here is not looked for by
# patterns (organisations, ages, …) and no false alarm either.
SPANS = {
    "CREDIT_CARD": "pii.card", "IBAN_CODE": "pii.iban", "EMAIL_ADDRESS": "pii.email", "PHONE_NUMBER": "pii.phone",
    "US_SSN": "pii", "NATIONAL_ID": "pii", "IP_ADDRESS": "pii", "US_DRIVER_LICENSE": "pii", "PERSON": "pii.person", "ADDRESS": "pii.address",
    "STREET_ADDRESS": "pii.address",
}  # fmt: skip
STRUCTURED = (
    "CREDIT_CARD",
    "IBAN_CODE",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "US_SSN",
    "NATIONAL_ID",
    "IP_ADDRESS",
    "US_DRIVER_LICENSE",
)
_HOLE = re.compile(r"<(hex|HEX|alnum|upper|digits|b64):(\d+)>")
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "alnum": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
    "digits": "0123456789",
}


# ---- texts ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A text and what is in it: `label` says whether anything is, `spans` what, where that is known."""

    text: str
    role: str
    source: str
    label: bool
    spans: tuple[tuple[int, int, str], ...] | None = None


def rows(path: Path) -> Iterator[Row]:
    """The rows of one file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        for number, line in enumerate(file):
            yield row(json.loads(line), f"{path.name}:{number}")


def row(given: dict[str, Any], seed: str) -> Row:
    """One row as it is measured."""
    spans = given.get("spans")
    return Row(
        text=filled(given["text"], seed),
        role=given.get("role") or _role(given.get("kind", "")),
        source=given.get("source", "Yett"),
        label=bool(given["label"]) if spans is None else bool(spans),
        spans=None if spans is None else tuple((start, end, kind) for start, end, kind in spans),
    )


def _role(kind: str) -> str:
    """Where a text stands in a conversation, when it does not say: attacks on readers of documents stand in documents."""
    return "document" if "document" in kind or "indirect" in kind else "user"


def filled(text: str, seed: str) -> str:
    """`<hex:32>` and the like as random characters that depend on the seed alone, so that no file of ours holds what looks
    like a credential."""

    def fill(hole: re.Match[str]) -> str:
        size = int(hole[2])
        noise = hashlib.shake_256(f"{seed}:{hole.start()}".encode()).digest(size)
        if hole[1] == "b64":
            return b64encode(noise).decode()[:size]
        letters = _ALPHABETS[hole[1]]
        return "".join(letters[byte % len(letters)] for byte in noise)

    return _HOLE.sub(fill, text)


def files(folder: Path) -> list[Path]:
    """What can be measured in a folder."""
    found = [path for path in sorted(folder.glob("*.jsonl*")) if path.suffix in {".jsonl", ".gz"}]
    return [path for path in found if path.name.startswith(FAMILIES) and "train" not in path.name]


# ---- counting -------------------------------------------------------------------------------------------------------


@dataclass
class Share:
    """So many of so many."""

    hits: int = 0
    total: int = 0

    def add(self, hit: bool) -> None:
        self.hits += hit
        self.total += 1

    @property
    def value(self) -> float:
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval, 95 %."""
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.value
        middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
        reach = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass
class Figures:
    """Of one source: how much of what is there was found, and how often something was found where nothing is."""

    recall: Share = field(default_factory=Share)
    alarms: Share = field(default_factory=Share)


@dataclass
class Measured:
    """Of one file. `by_type` is recall by type of span; `auc` and `recall_at_1_percent` are of scores, for injection."""

    family: str
    name: str
    sources: dict[str, Figures] = field(default_factory=dict)
    by_type: dict[str, Share] = field(default_factory=dict)
    auc: float | None = None
    recall_at_1_percent: float | None = None

    @property
    def total(self) -> Figures:
        return summed(self.sources.values())

    @property
    def precision(self) -> Share:
        total = self.total
        return Share(total.recall.hits, total.recall.hits + total.alarms.hits)


def summed(figures: Iterable[Figures]) -> Figures:
    """The figures of several sources as if they were one."""
    every = list(figures)
    return Figures(_sum(each.recall for each in every), _sum(each.alarms for each in every))


def _sum(shares: Iterable[Share]) -> Share:
    every = list(shares)
    return Share(sum(share.hits for share in every), sum(share.total for share in every))


def measure(look: Look, path: Path, given: Iterable[Row]) -> Measured:
    """How inspection does on the rows of one file."""
    family = path.name.split("_")[0].removesuffix(".gz").removesuffix(".jsonl")
    found = Measured(family, path.name)
    scores: list[tuple[float, bool]] = []
    for each in given:
        seen = look.at(each.text, each.role)
        figures = found.sources.setdefault(each.source, Figures())
        if each.spans is not None:
            _count_spans(found, figures, each, seen)
        else:
            (figures.recall if each.label else figures.alarms).add(_found(family, seen))
            scores.append((seen.scores.get("injection", 0.0), each.label))
    if family == "injection":
        found.auc, found.recall_at_1_percent = auc(scores), recall_at(scores, 0.01)
    return found


def _found(family: str, seen: Inspected) -> bool:
    name = {"secrets": "secret"}.get(family, family)
    return any(finding.family == name for finding in seen.findings)


def _count_spans(found: Measured, figures: Figures, row: Row, seen: Inspected) -> None:
    """Structured data decides the recall of a source; a text with a finding where no span is, of any type, is a false alarm."""
    personal = [finding for finding in seen.findings if finding.family == "pii"]
    for start, end, kind in row.spans or ():
        if kind in SPANS:
            hit = any(f.start < end and start < f.end and matches(f.kind, SPANS[kind]) for f in personal)
            found.by_type.setdefault(kind, Share()).add(hit)
            if kind in STRUCTURED:
                figures.recall.add(hit)
    figures.alarms.add(
        any(not any(f.start < end and start < f.end for start, end, _ in row.spans or ()) for f in personal)
    )


def auc(scores: Sequence[tuple[float, bool]]) -> float | None:
    """The chance that an attack scores higher than a harmless text, ties counted half; None without both."""
    ranked = sorted(scores)
    positives = sum(label for _, label in ranked)
    negatives = len(ranked) - positives
    if not positives or not negatives:
        return None
    total, at = 0.0, 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        total += sum(label for _, label in ranked[at:end]) * (at + 1 + end) / 2
        at = end
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def recall_at(scores: Sequence[tuple[float, bool]], alarms: float) -> float | None:
    """The share of attacks above the threshold that this share of harmless texts is above."""
    harmless = sorted((score for score, label in scores if not label), reverse=True)
    attacks = [score for score, label in scores if label]
    if not harmless or not attacks:
        return None
    threshold = harmless[min(int(len(harmless) * alarms), len(harmless) - 1)]
    return sum(score > threshold for score in attacks) / len(attacks)


def load(path: Path) -> list[Measured]:
    """What was measured last and is published."""
    found = []
    for given in json.loads(path.read_text())["files"]:
        sources = {
            source: Figures(Share(**figures["recall"]), Share(**figures["alarms"]))
            for source, figures in given.pop("sources").items()
        }
        by_type = {kind: Share(**share) for kind, share in given.pop("by_type").items()}
        found.append(Measured(**given, sources=sources, by_type=by_type))
    return found
