"""Train the injection model, measure it and write it into the package: `make train-injection DATA=folder`.

With `--hold NAME` whatever has NAME in the name of its source, or of one of the families that it was composed of, is not
learned from, no model is written (but for `--out`), and what is measured is an honest estimate: how such a model does on what it
has never seen. One in five packages, and one in five lines of the grammar, are never learned from: thresholds come from those.
Training goes on from what an earlier network learned (`injection_data/beginning.bin`); that one had seen all sources of the data
sets, so an estimate for one of them needs `--fresh`, and more epochs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from injection_data import measure
from injection_data.mixture import mixture, save, weights
from injection_data.network import EARLIER, FILTERS, HIDDEN, LENGTHS, RAREST, SIGHTS, WIDTH, rarities, text, train
from injection_data.sample import FROM, TO, Sample, read

from yett.detectors.injection.features import BITS, seen, words
from yett.detectors.injection.model import FILE, FORMAT, REACH, READERS, Header, InjectionModel, Part, Surface

PACKAGE = Path(__file__).parents[1] / "src" / "yett" / "data"
TABLE = Path(__file__).parents[1] / "docs" / "injection-accuracy.json"
UNSET = {"user": Surface(READERS[0], 0.0, 1.0)}
WIDE = (2 * REACH + 1) * WIDTH
PARTS = (
    Part("words", (1 << BITS, WIDTH), "int8", 0.01),  # but for a few in a million, vectors are within +-1.27
    Part("rarity", (1 << BITS,), "int8", 1 / RAREST),
    Part("filters", (WIDE, FILTERS), "float16"),
    Part("filters.bias", (FILTERS,), "float16"),
    *(
        Part(f"{reader}.{name}", shape, "float16")
        for reader, sights in (("window", 2 * FILTERS), ("sentence", SIGHTS))
        for name, shape in (
            ("hidden", (sights, HIDDEN)),
            ("hidden.bias", (HIDDEN,)),
            ("verdict", (HIDDEN, 1)),
            ("verdict.bias", (1,)),
        )
    ),
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder with injection_train.jsonl.gz and injection_dev.jsonl.gz")
    arguments.add_argument("--corpus", type=Path, default=Path("build/corpus"), help="folder of downloaded packages")
    arguments.add_argument("--out", type=Path, help="where the model goes; without --hold, into the package")
    arguments.add_argument("--table", type=Path, default=TABLE, help="where accuracy goes")
    arguments.add_argument(
        "--hold", action="append", default=[], help="sources and families to measure on instead of learning from them"
    )
    arguments.add_argument("--share", type=float, default=0.5, help="how much of what could be generated and harvested")
    arguments.add_argument(
        "--fresh", action="store_true", help="begin with nothing, not with what an earlier model learned of all sources"
    )
    arguments.add_argument("--epochs", type=float, default=0.8)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--save", type=Path, help="also write the samples there")
    arguments.add_argument(
        "--thresholds", action="store_true", help="set the thresholds of the model at --out anew, without training"
    )
    options = arguments.parse_args()
    out = options.out or (None if options.hold else PACKAGE / FILE)
    source = random.Random(options.seed)
    earlier = InjectionModel(EARLIER.read_bytes())
    samples = list(
        mixture(
            options.data, options.corpus, source, options.share, lambda text: measure.worst(earlier.sentences, text)[0]
        )
    )
    if options.save:
        save(options.save, samples)

    def held(part: str, sample: Sample) -> bool:
        return part.endswith(".unseen") or any(name in sample.family for name in options.hold)

    dev = [("dev", sample) for sample in read(options.data / "injection_dev.jsonl.gz")]
    if options.hold:  # the same sources as those that are learned from
        dev = [row for row in dev if held(*row)]
    kept = [(part, unmarked(sample)) for part, sample in samples if held(part, sample)] + dev
    if options.thresholds:
        body = out.read_bytes().partition(b"\n")[2]
    else:
        body = learned([row for row in samples if not held(*row)], options.epochs, options.seed, options.fresh)
        if out:  # what took long to learn is kept, whatever happens while it is measured
            out.write_bytes(header(UNSET) + body)
    found, surfaces = measure.table(InjectionModel(header(UNSET) + body), kept, options.hold)
    write_down(options.table, "without " + ", ".join(options.hold) if options.hold else "shipped", found)
    if out:
        out.write_bytes(header(surfaces) + body)
        print(f"{out}: {out.stat().st_size} bytes")
    return 0


def learned(rows: list[measure.Row], epochs: float, seed: int, fresh: bool) -> bytes:
    """The arrays after training."""
    source = random.Random(seed)
    texts, kept = [], []
    pieces = [cropped(sample, source) for _, sample in rows]
    rarity = rarities(words(content) for content, _, _ in pieces)
    for (part, sample), piece in zip(rows, pieces, strict=True):
        content = text(*piece, rarity)
        if content:
            texts.append(content)
            kept.append((part, sample))
    print(f"{len(texts)} texts, {sum(len(each.words) for each in texts) / 1e6:.1f} million words", flush=True)
    labels = np.array([sample.attack for _, sample in kept], np.float32)
    shares = np.array([weights(part, sample) for part, sample in kept], np.float32)
    return packed(train(texts, labels, shares, epochs, seed, fresh) | {"rarity": rarity})


def cropped(sample: Sample, source: random.Random) -> tuple[str, int, int]:
    """As much of a text as is learned from, around what stands between the marks or anywhere; and where the attack in it is."""
    before, _, rest = sample.text.partition(FROM)
    inside, _, after = rest.partition(TO)
    whole = before + inside + after
    begin, end = (len(before), len(before + inside)) if inside else (0, len(whole))
    first = seen(whole).first
    spare = len(first) - LENGTHS[-1]
    place = 0
    if spare > 0 and inside:
        left, right = (int(np.searchsorted(first, at)) for at in (begin, end))
        latest = min(left, spare)
        start = source.randint(min(max(0, right - LENGTHS[-1]), latest), latest)
        place = int(first[start])
    elif spare > 0:
        place = int(first[source.choice([0, source.randint(0, spare)])])
    if not sample.attack:
        return whole[place:], 0, 0
    return whole[place:], max(0, begin - place), end - place


def unmarked(sample: Sample) -> Sample:
    """A sample as it is read."""
    return sample._replace(text=sample.text.replace(FROM, "").replace(TO, ""))


def write_down(table: Path, key: str, published: dict[str, Any]) -> None:
    """Put one measurement beside the others: the shipped model, or one that learned without some sources."""
    known = json.loads(table.read_text()) if table.exists() else {}
    table.write_text(json.dumps(known | {key: published}, indent=1) + "\n")
    print(json.dumps(published, indent=1))


def header(surfaces: dict[str, Surface]) -> bytes:
    """The first line of the file."""
    return msgspec.json.encode(Header(FORMAT, BITS, PARTS, surfaces)) + b"\n"


def packed(arrays: dict[str, np.ndarray]) -> bytes:
    """The arrays: word vectors as int8, everything else as float16."""
    body = b""
    for part in PARTS:
        scaled = arrays[part.name] / part.scale
        if part.type == "int8":
            body += np.clip(np.rint(scaled), -127, 127).astype(np.int8).tobytes()
        else:
            body += scaled.astype("<f2").tobytes()
    return body


if __name__ == "__main__":
    sys.exit(main())
