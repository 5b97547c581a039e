"""What is learned from: the data sets of a folder, harvested packages, generated prompts, and prompts that tools return."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from injection_data.carriers import CARRIERS, Filler, localised
from injection_data.grammar import Grammar
from injection_data.harvest import harvest
from injection_data.records import RECORDS
from injection_data.sample import FROM, TO, Sample, read

# How much of each kind of harvested text, as shares of the whole.
SHARES = {"code": 0.18, "definition": 0.13, "catalogue": 0.38, "prompt": 0.12, "docs": 0.16, "chat": 0.03}
HARVESTED = 40_000
HARD = {"docs", "code", "definition", "catalogue"}
CANDIDATES = 400  # texts of a package, at most
HARDEST = 30
PIECE = 3_000  # characters of them
GENERATED = 1_200  # texts of a family, at most; a family of few lines has fewer
PER_LINE = 40
PER_SWITCHED = 12  # of those that change the language within a text, of which each language has some
PER_NEW_LINE = 5  # of what is only measured
COMPOSED = 54_000  # attacks in tool results; harmless ones are a fifth more
MEASURED = 3_000  # of each, that are only measured
BOTH = 0.1  # of the attacks say two things
EXCERPTS = (
    0.45  # of what is composed: an order between two sentences of a text as it was found, or nothing between them
)
UNTOUCHED = 0.75  # of the harmless excerpts
FOUND = 0.8  # of the excerpts are of packages
EXERCISED = 0.2  # of the excerpts are exercises
EXERCISES = (
    "<task>\n\n<given>\n\n<answer>",
    "<task>\n<given>",
    "<task> <answer>",
    "Instruction: <task>\nInput: <given>\nOutput: <answer>",
    "Instruction: <task>\nOutput: <answer>",
    "### Instruction:\n<task>\n\n### Input:\n<given>\n\n### Response:\n<answer>",
    "### Instruction:\n<task>\n\n### Response:\n<answer>",
    "Q: <task>\nA: <answer>",
    "Question: <task>\n\n<given>\n\nAnswer: <answer>",
    "Task: <task>\nText: <given>\nSolution: <answer>",
    "prompt: <task>\ncompletion: <answer>",
    "User: <task>\n\nAssistant: <answer>",
)
PLAIN_CARRIERS = 0.45  # of the rest; what then remains are records
BARE = 0.3  # of the tasks are put without a word around them
PAYLOADS = {
    "attack_tool/addressed": 2.0,
    "attack_tool/override": 3.0,
    "attack_tool/system": 1.0,
    "attack_tool/bare": 4.0,
    "attack_tool/indirect": 2.5,
    "attack_tool/scene": 2.0,
    "attack_tool/returned": 1.2,
    "attack_tool/pages": 1.2,
    "attack_tool/inboxes": 1.2,
    "attack_tool/argued": 1.0,
    "attack_tool/answer": 1.5,
    "attack_tool/definition": 1.5,
    "attack_tool/languages": 0.8,
    "attack_languages/override": 0.3,
    "attack_user/override": 1.0,
    "attack_user/authority": 0.5,
    "attack_user/hijack": 0.5,
    "attack_user/extraction": 0.6,
    "attack_free/plain": 0.4,
}
# Of which families the harmless texts in tool results are that are neither prose of packages nor chat.
FILLERS = {
    "benign_tool": 2.0,
    "benign_order/": 3.0,
    "benign_document/": 3.0,
    "benign_prose/": 3.0,
    "benign_reference/": 2.0,
    "benign_order_languages/": 3.0,
    "benign_record/": 3.0,
}
_SLOT = re.compile(r"\{[a-z_]+\}")
_MARKS = re.compile("[⟪⟫]")
_TWICE = re.compile(f"{TO}(.*){FROM}", re.DOTALL)
_BETWEEN = re.compile(r"[.!?。] |\n")
# Attacks that hold for what a user writes even when they arrive in the middle of a document.
EVERYWHERE = {
    "attack_tool/addressed",
    "attack_tool/override",
    "attack_tool/system",
    "attack_user/override",
    "attack_user/authority",
}
LANGUAGES = 3.0  # how much a prompt in another language counts: of each language there are few
HARMLESS = 1.5  # how much another harmless prompt counts beside an attack: there are fewer of them
ERRANDS = "errand"  # in the name of families of what people ask of each other, or of their agents, as an order to an agent would
SYNTHETIC = ("neuralchemy", "S-Labs")  # merely harmful or too short to be an order in a document


def unseen(family: str) -> bool:
    """Whether a package is kept for measuring: one in five."""
    return zlib.crc32(family.rsplit("/", 1)[-1].encode()) % 5 == 0


def unseen_line(line: str) -> bool:
    """The same of a line of the grammar, unless it stands for many others."""
    return zlib.crc32(line.encode()) % 5 == 0 and not _SLOT.fullmatch(line)


def mixture(
    data: Path, corpus: Path, source: random.Random, share: float, judged: Callable[[str], float]
) -> Iterator[tuple[str, Sample]]:
    """Samples with the part that they come from: sets, generated, harvested, composed; and what is for measuring only, each of
    them with `.unseen` behind it: from packages and lines that are in no other part. `share` is how much of what there could be,
    `judged` how much an earlier model takes a text for an attack."""
    sets = list(read(data / "injection_train.jsonl.gz"))
    found = harvested(corpus)
    packages = chosen(found, int(share * HARVESTED), source)
    every = Grammar()
    grammar, new = every.part(lambda line: not unseen_line(line)), every.part(unseen_line)
    known = [sample for sample in packages if not unseen(sample.family)]
    yield from (("sets", sample) for sample in sets)
    yield from (("generated", sample) for sample in generated(grammar, source))
    yield from (("harvested", sample) for sample in known)
    yield from (("harvested", sample) for sample in hardest(found, judged))
    yield from (("composed", sample) for sample in composed(grammar, sets, known, int(share * COMPOSED), source))
    other = [sample for sample in packages if unseen(sample.family)]
    yield from (("harvested.unseen", sample) for sample in other)
    yield from (("generated.unseen", sample) for sample in generated(new, source, PER_NEW_LINE))
    yield from (("composed.unseen", sample) for sample in composed(new, sets, other, MEASURED, source))


def harvested(corpus: Path) -> list[Sample]:
    """What the packages in a folder say. Reading them takes minutes, so it is kept beside the folder."""
    kept = corpus.with_suffix(".jsonl.gz")
    if not kept.exists():
        half = kept.with_suffix(".part")
        with gzip.open(half, "wt", encoding="utf-8", compresslevel=3) as lines:
            lines.writelines(json.dumps(sample) + "\n" for sample in harvest(corpus, random.Random(7)))
        half.replace(kept)
    with gzip.open(kept, "rt", encoding="utf-8") as lines:
        return [Sample(*json.loads(line)) for line in lines]


def chosen(samples: Sequence[Sample], count: int, source: random.Random) -> list[Sample]:
    """A part of each kind, no package with more than a few times its share."""
    kept: list[Sample] = []
    for kind, share in SHARES.items():
        families: dict[str, list[Sample]] = {}
        for sample in samples:
            if sample.family.startswith(f"{kind}/"):
                families.setdefault(sample.family, []).append(sample)
        most = max(40, int((6 if kind == "catalogue" else 3) * count * share / max(1, len(families))))
        pool = [sample for each in families.values() for sample in source.sample(each, min(most, len(each)))]
        kept += source.sample(pool, min(len(pool), int(count * share)))
    return kept


def hardest(samples: Sequence[Sample], judged: Callable[[str], float]) -> Iterator[Sample]:
    """Of each package that is learned from, what an earlier model took for an attack, or nearly did."""
    families: dict[str, list[str]] = {}
    for sample in samples:
        if sample.family.split("/")[0] in HARD and not unseen(sample.family):
            families.setdefault(sample.family, []).append(sample.text[:PIECE])
    for family, texts in families.items():
        different = sorted(set(texts))
        some = different[:: 1 + len(different) // CANDIDATES]
        for text in sorted(some, key=judged, reverse=True)[: min(HARDEST, 1 + len(some) // 10)]:
            yield Sample(text, attack=False, family=family, surface="both")


def generated(grammar: Grammar, source: random.Random, per_line: int = PER_LINE) -> Iterator[Sample]:
    """Prompts as users write them, each once."""
    seen: set[str] = set()
    for family, lines in grammar.families.items():
        if not family.startswith(
            (
                "attack_user",
                "attack_languages",
                "attack_free",
                "benign_user",
                "benign_languages",
                "benign_free",
                "benign_roles",
            )
        ):
            continue
        often = min(per_line, PER_SWITCHED) if "_switch/" in family else per_line
        for text in grammar.texts(family, max(5 * often, min(GENERATED, len(lines) * often)), source):
            if text.lower() not in seen:
                seen.add(text.lower())
                yield Sample(localised(text, source), family.startswith("attack"), f"generated:{family}")


def composed(
    grammar: Grammar, sets: Sequence[Sample], packages: Sequence[Sample], count: int, source: random.Random
) -> Iterator[Sample]:
    """Tool results with an attack in them, and without. The families of both name all that they are made of."""
    attacks = [sample for sample in sets if sample.attack and len(sample.text) < 400]
    short = [
        [sample for sample in attacks if "S-Labs" in sample.family],
        [sample for sample in attacks if not any(name in sample.family for name in SYNTHETIC)],
    ]
    filler = _filler(grammar, sets, packages, source)
    excerpt = _excerpt(grammar, packages, filler, source)
    for _ in range(count):
        family, payload = _payload(grammar, short, source)
        if source.random() < BOTH:
            payload = _MARKS.sub("", " ".join(source.sample([payload, _payload(grammar, short, source)[1]], 2)))
        if source.random() < EXCERPTS:
            yield excerpt(family, payload, True)
        else:
            yield _in_place(family, localised(payload, source), lambda: filler()[1], True, source)
    for _ in range(count * 12 // 10):
        family, text = filler()
        if source.random() < EXCERPTS:
            yield excerpt(family, "" if source.random() < UNTOUCHED else text, False)
        else:
            yield _in_place(family, text, lambda: filler()[1], False, source)


def _in_place(family: str, text: str, filler: Filler, attack: bool, source: random.Random) -> Sample:
    carrier = source.choice(CARRIERS if source.random() < PLAIN_CARRIERS else RECORDS)
    marked = carrier(_marked(text), filler, source)
    return Sample(
        localised(_unescaped(marked), source), attack, f"composed:{family}:{carrier.__name__.lstrip('_')}", "tool"
    )


def _excerpt(
    grammar: Grammar, packages: Sequence[Sample], filler: Callable[[], tuple[str, str]], source: random.Random
) -> Callable[[str, str, bool], Sample]:
    """Stretches of harvested texts, or of what is written about work, with a text between two of their sentences or lines."""
    found = [[sample for sample in packages if sample.family.startswith(f"{kind}/")] for kind in ("docs", "code", "definition", "catalogue")]  # fmt: skip
    found = [kind for kind in found if kind]
    about: dict[str, list[str]] = {}
    for sample in itertools.chain(*found):
        about.setdefault(sample.family, []).append(sample.text)
    tasks = [family for family in grammar.families if family.startswith("benign_user_task/") and ERRANDS not in family]

    def text(length: int) -> str:
        """Of one package, mostly, so that what stands beside each other speaks of the same."""
        if source.random() < FOUND:
            sample = source.choice(source.choice(found))
            whole = sample.text
            while len(whole) < length:
                whole += source.choice(["\n", "\n\n", " "]) + source.choice(about[sample.family])
        else:
            whole = ""
            while len(whole) < length:
                whole += filler()[1][:400] + source.choice(["\n", "\n\n", " "])
        return whole[:length].strip()

    def exercise() -> str:
        """A task, what it is about, and an answer, as sets of such hold them."""
        task = grammar.expand(source.choice(grammar.families[source.choice(tasks)]), source)
        whole = text(int(source.choice([150, 300, 600]) * source.uniform(0.7, 1.3)))
        middle = source.choice([match.end() for match in _BETWEEN.finditer(whole)] or [len(whole)])
        given, answer = whole[:middle].strip(), whole[middle:].strip() or whole
        return source.choice(EXERCISES).replace("<task>", task).replace("<given>", given).replace("<answer>", answer)

    def excerpt(family: str, payload: str, attack: bool) -> Sample:
        if tasks and source.random() < EXERCISED:
            whole = exercise()
        else:
            whole = text(int(source.choice([250, 500, 900, 1400]) * source.uniform(0.7, 1.3)))
        place = source.choice([0, len(whole), *(match.end() for match in _BETWEEN.finditer(whole))])
        gap = source.choice([" ", " ", "\n", "\n\n"]) if payload else ""
        marked = _marked(payload) if payload else ""
        whole = f"{whole[:place]}{gap}{marked}{gap}{whole[place:]}"
        return Sample(localised(whole, source), attack, f"composed:{family}:excerpt", "tool")

    return excerpt


def _marked(text: str) -> str:
    """With the marks of an attack around all of it, or around what its line says is the order in it."""
    return text.replace("⟪", FROM).replace("⟫", TO) if "⟪" in text else f"{FROM}{text}{TO}"


def _unescaped(text: str) -> str:
    for mark in (FROM, TO):
        text = text.replace(f"\\u{ord(mark):04x}", mark)
    return _TWICE.sub(lambda between: between[1].replace(FROM, "").replace(TO, ""), text)


def _payload(grammar: Grammar, short: Sequence[Sequence[Sample]], source: random.Random) -> tuple[str, str]:
    kind = source.random()
    if kind < 0.1:
        sample = source.choice(source.choice(short))
        return f"sets/{sample.family.split('/')[0]}", sample.text
    if kind < 0.24:
        return "agent_languages", grammar.expand(source.choice(_lines(grammar, "agent_languages/")), source)
    if kind < 0.46:
        [family] = source.choices(
            list(PAYLOADS), [share * (name in grammar.families) for name, share in PAYLOADS.items()]
        )
        return family, grammar.expand(source.choice(grammar.families[family]), source)
    task, phrase = (
        source.choice([family for family in grammar.families if family.startswith(f"{file}/")])
        for file in ("agent_task", "agent_phrase")
    )
    if source.random() < BARE:
        phrase = "agent_phrase/bare"
    return f"{task}:{phrase}", grammar.filled(phrase, task, source)


def _lines(grammar: Grammar, start: str) -> list[str]:
    return [line for family, lines in grammar.families.items() if family.startswith(start) for line in lines]


def _filler(
    grammar: Grammar, sets: Sequence[Sample], packages: Sequence[Sample], source: random.Random
) -> Callable[[], tuple[str, str]]:
    prose = [
        sample.text for sample in packages if sample.family.split("/")[0] in {"docs", "code", "definition", "catalogue"}
    ]
    chat = [sample.text for sample in sets if not sample.attack and len(sample.text) > 20]
    groups = [
        [family for family in grammar.families if family.startswith(start) and ERRANDS not in family]
        for start in FILLERS
    ]

    def filler() -> tuple[str, str]:
        kind = source.random()
        if kind < 0.25:
            text = source.choice(prose)
            length = source.choice([80, 200, 400, 900])
            start = source.randrange(max(1, len(text) - length))
            return "prose", text[start : start + length].strip() or "-"
        if kind < 0.28:
            return "chat", source.choice(chat)[:700]
        [families] = source.choices(groups, list(FILLERS.values()))
        family = source.choice(families)
        lines = grammar.families[family]
        text = " ".join(grammar.expand(source.choice(lines), source) for _ in range(source.choice([1, 1, 2, 3])))
        return family, localised(text, source)

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
        alone = LANGUAGES if "languages" in family else 1.0 if sample.attack else HARMLESS
        return alone, 0.2 if sample.attack else 0.5 if "security" in family else 0.0
    if part == "harvested":
        return 0.7, 0.15 if family.startswith("prompt") else 0.7
    if sample.attack:
        return (0.3 if family.split(":")[1] in EVERYWHERE else 0.0), 1.0
    return 0.2, 1.0


def save(path: Path, samples: Sequence[tuple[str, Sample]]) -> None:
    """What was learned from, for people to look at: JSON Lines."""
    with path.open("w", encoding="utf-8") as lines:
        for part, sample in samples:
            lines.write(json.dumps({"part": part, **sample._asdict()}, ensure_ascii=False) + "\n")
