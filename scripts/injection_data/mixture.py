"""What is learned from: the data sets of a folder, harvested packages, generated prompts, and prompts that tools return."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from injection_data.carriers import Filler, carried, localised
from injection_data.grammar import Grammar
from injection_data.harvest import harvest
from injection_data.sample import Sample, read

# How much of each kind of harvested text, as shares of the whole.
SHARES = {"code": 0.18, "definition": 0.13, "catalogue": 0.38, "prompt": 0.12, "docs": 0.16, "chat": 0.03}
HARVESTED = 48_000
GENERATED = 1_900  # texts of a family, at most; a family of few lines has fewer
PER_LINE = 60
COMPOSED = 26_000  # attacks in tool results; harmless ones are a tenth more
PAYLOADS = {
    "attack_tool/addressed": 2.0,
    "attack_tool/override": 2.0,
    "attack_tool/system": 1.0,
    "attack_tool/bare": 4.0,
    "attack_tool/answer": 1.5,
    "attack_tool/definition": 0.4,
    "attack_tool/languages": 0.8,
    "attack_languages/override": 0.3,
    "attack_user/override": 1.0,
    "attack_user/authority": 0.5,
    "attack_user/hijack": 0.5,
    "attack_user/extraction": 0.6,
    "attack_free/plain": 0.4,
}
# Attacks that hold for what a user writes even when they arrive in the middle of a document.
EVERYWHERE = {
    "attack_tool/addressed",
    "attack_tool/override",
    "attack_tool/system",
    "attack_user/override",
    "attack_user/authority",
}
SYNTHETIC = ("neuralchemy", "S-Labs")  # merely harmful or too short to be an order in a document


def unseen(family: str) -> bool:
    """Whether a package is kept for measuring: one in five."""
    return zlib.crc32(family.rsplit("/", 1)[-1].encode()) % 5 == 0


def mixture(data: Path, corpus: Path, source: random.Random, keep_unseen: bool) -> Iterator[tuple[str, Sample]]:
    """Samples with the part that they come from: sets, generated, harvested, composed; and, when `keep_unseen`, what is for
    measuring only: harvested.unseen and composed.unseen, from packages that are in no other part."""
    sets = list(read(data / "injection_train.jsonl.gz"))
    packages = chosen(harvested(corpus), source)
    grammar = Grammar()
    known = [sample for sample in packages if not (keep_unseen and unseen(sample.family))]
    yield from (("sets", sample) for sample in sets)
    yield from (("generated", sample) for sample in generated(grammar, source))
    yield from (("harvested", sample) for sample in known)
    yield from (("composed", sample) for sample in composed(grammar, sets, known, COMPOSED, source))
    if keep_unseen:
        other = [sample for sample in packages if unseen(sample.family)]
        yield from (("harvested.unseen", sample) for sample in other)
        yield from (("composed.unseen", sample) for sample in composed(grammar, sets, other, 1_500, source))


def harvested(corpus: Path) -> list[Sample]:
    """What the packages in a folder say. Reading them takes minutes, so it is kept beside the folder."""
    kept = corpus.with_suffix(".jsonl.gz")
    if not kept.exists():
        with gzip.open(kept, "wt", encoding="utf-8", compresslevel=3) as lines:
            lines.writelines(json.dumps(sample) + "\n" for sample in harvest(corpus, random.Random(7)))
    with gzip.open(kept, "rt", encoding="utf-8") as lines:
        return [Sample(*json.loads(line)) for line in lines]


def chosen(samples: Sequence[Sample], source: random.Random) -> list[Sample]:
    """A part of each kind, no package with more than a few times its share."""
    kept: list[Sample] = []
    for kind, share in SHARES.items():
        families: dict[str, list[Sample]] = {}
        for sample in samples:
            if sample.family.startswith(f"{kind}/"):
                families.setdefault(sample.family, []).append(sample)
        most = max(40, int((6 if kind == "catalogue" else 3) * HARVESTED * share / max(1, len(families))))
        pool = [sample for each in families.values() for sample in source.sample(each, min(most, len(each)))]
        kept += source.sample(pool, min(len(pool), int(HARVESTED * share)))
    return kept


def generated(grammar: Grammar, source: random.Random) -> Iterator[Sample]:
    """Prompts as users write them, each once."""
    seen: set[str] = set()
    for family, lines in grammar.families.items():
        if not family.startswith(
            ("attack_user", "attack_languages", "attack_free", "benign_user", "benign_languages", "benign_free")
        ):
            continue
        for text in grammar.texts(family, max(300, min(GENERATED, len(lines) * PER_LINE)), source):
            if text.lower() not in seen:
                seen.add(text.lower())
                yield Sample(localised(text, source), family.startswith("attack"), f"generated:{family}")


def composed(
    grammar: Grammar, sets: Sequence[Sample], packages: Sequence[Sample], count: int, source: random.Random
) -> Iterator[Sample]:
    """Tool results with an attack in them, and without."""
    short = [
        sample.text
        for sample in sets
        if sample.attack and len(sample.text) < 400 and not any(name in sample.family for name in SYNTHETIC)
    ]
    filler = _filler(grammar, sets, packages, source)
    for _ in range(count):
        if source.random() < 0.2:
            family, payload = "sets", source.choice(short)
        else:
            [family] = source.choices(list(PAYLOADS), list(PAYLOADS.values()))
            payload = grammar.expand(source.choice(grammar.families[family]), source)
        yield Sample(
            localised(carried(localised(payload, source), filler, source), source), True, f"composed:{family}", "tool"
        )
    for _ in range(count * 11 // 10):
        yield Sample(localised(carried(filler(), filler, source), source), False, "composed:benign", "tool")


def _filler(grammar: Grammar, sets: Sequence[Sample], packages: Sequence[Sample], source: random.Random) -> Filler:
    prose = [
        sample.text for sample in packages if sample.family.split("/")[0] in {"docs", "code", "definition", "catalogue"}
    ]
    chat = [sample.text for sample in sets if not sample.attack and len(sample.text) > 20]
    tools = [lines for family, lines in grammar.families.items() if family.startswith("benign_tool")]

    def filler() -> str:
        kind = source.random()
        if kind < 0.48:
            text = source.choice(prose)
            length = source.choice([80, 200, 400, 900])
            start = source.randrange(max(1, len(text) - length))
            return text[start : start + length].strip() or "-"
        if kind < 0.56:
            return source.choice(chat)[:700]
        if kind < 0.6:
            return grammar.expand("{paragraph} {sentence}", source)
        return " ".join(
            grammar.expand(source.choice(source.choice(tools)), source) for _ in range(source.choice([1, 1, 2, 4]))
        )

    return filler


def weights(part: str, sample: Sample) -> tuple[float, float]:
    """How much a sample counts for the verdict on users' texts, and for the one on what tools return."""
    family = sample.family
    if part == "sets":
        prose = "stdlib" in family or (
            "/" in family and not any(name in family for name in (*SYNTHETIC, "hinglish", "mitre"))
        )
        if sample.attack:
            return (0.5 if "neuralchemy" in family else 1.0), 0.3
        return 1.0, 0.5 if prose else 0.0
    if part == "generated":
        return 1.0, 0.2 if sample.attack else 0.5 if "security" in family else 0.0
    if part == "harvested":
        return 0.7, 0.15 if family.startswith("prompt") else 0.7
    if sample.attack:
        return (0.3 if family.removeprefix("composed:") in EVERYWHERE else 0.0), 1.0
    return 0.2, 1.0


def save(path: Path, samples: Sequence[tuple[str, Sample]]) -> None:
    """What was learned from, for people to look at: JSON Lines."""
    with path.open("w", encoding="utf-8") as lines:
        for part, sample in samples:
            lines.write(json.dumps({"part": part, **sample._asdict()}, ensure_ascii=False) + "\n")
