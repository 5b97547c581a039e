"""Train the injection model, measure it and write it into the package: `make train-injection DATA=folder`.

With `--hold NAME` the sources whose name contains NAME, and one in five packages, are not learned from, no model is written,
and what is measured is an honest estimate: how such a model does on sources that it has never seen.
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
from injection_data.network import FILTERS, HIDDEN, VERDICTS, WIDTH, train
from injection_data.sample import read

from yett.detectors.injection.features import BITS, blocks, words
from yett.detectors.injection.model import FILE, FORMAT, REACH, Header, InjectionModel, Part, Surface

PACKAGE = Path(__file__).parents[1] / "src" / "yett" / "data"
TABLE = Path(__file__).parents[1] / "docs" / "injection-accuracy.json"
BENIGN_SOURCES = ("mitre_frr", "generated (this project)")  # held out with any source: what false alarms are counted on
UNSET = {"user": Surface(0, 0.0, 1.0)}
SEEN = (2 * REACH + 1) * WIDTH
PARTS = (
    Part("words", (1 << BITS, WIDTH), "int8", 0.01),  # but for a few in a million, vectors are within +-1.27
    Part("filters", (SEEN, FILTERS), "float16"),
    Part("filters.bias", (FILTERS,), "float16"),
    Part("hidden", (2 * FILTERS, HIDDEN), "float16"),
    Part("hidden.bias", (HIDDEN,), "float16"),
    Part("verdict", (HIDDEN, VERDICTS), "float16"),
    Part("verdict.bias", (VERDICTS,), "float16"),
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "data", type=Path, help="folder with injection_train.jsonl.gz and injection_measure_only.jsonl.gz"
    )
    arguments.add_argument("--corpus", type=Path, default=Path("build/corpus"), help="folder of downloaded packages")
    arguments.add_argument("--out", type=Path, default=PACKAGE / FILE)
    arguments.add_argument(
        "--table", type=Path, default=PACKAGE / "injection-accuracy.json", help="where thresholds and accuracy go"
    )
    arguments.add_argument(
        "--hold", action="append", default=[], help="sources to measure on instead of learning from them"
    )
    arguments.add_argument("--epochs", type=int, default=4)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--save", type=Path, help="also write the samples there")
    arguments.add_argument(
        "--thresholds", action="store_true", help="set the thresholds of the model at --out anew, without training"
    )
    options = arguments.parse_args()
    measured = [("measured", sample) for sample in read(options.data / "injection_measure_only.jsonl.gz")]
    if options.thresholds:
        old = options.out.read_bytes()
        return ship(options.out, options.table, InjectionModel(old).header.parts, old.partition(b"\n")[2], measured)
    source = random.Random(options.seed)
    samples = list(mixture(options.data, options.corpus, source, keep_unseen=True))
    if options.save:
        save(options.save, samples)

    def held(part: str, family: str) -> bool:
        if part.endswith(".unseen"):
            return True
        return bool(options.hold) and any(name in family for name in (*options.hold, *BENIGN_SOURCES))

    learned = [(part, sample) for part, sample in samples if not held(part, sample.family)]
    kept = [(part, sample) for part, sample in samples if held(part, sample.family)] + measured
    if (
        not options.hold
    ):  # what ships learns from everything that it may; its thresholds come from what is only measured
        learned, kept = [(part.removesuffix(".unseen"), sample) for part, sample in samples], measured
    texts = [np.concatenate([words(block) for block in blocks(sample.text[:20_000])]) for _, sample in learned]
    print(f"{len(texts)} texts, {sum(map(len, texts)) / 1e6:.1f} million words", flush=True)
    labels = np.array([sample.attack for _, sample in learned], np.float32)
    shares = np.array([weights(part, sample) for part, sample in learned], np.float32)
    arrays = train(texts, labels, shares, options.epochs, options.seed)
    body = packed(arrays)
    if not options.hold:
        return ship(options.out, options.table, PARTS, body, kept)
    found, _ = measure.table(InjectionModel(header(PARTS, UNSET) + body), kept)
    write_down(options.table, "without " + ", ".join(options.hold), found)
    return 0


def ship(out: Path, table: Path, parts: tuple[Part, ...], body: bytes, measured: list[measure.Row]) -> int:
    """Write the model with thresholds from what is only measured, and what it reaches at them."""
    published, surfaces = measure.table(InjectionModel(header(parts, UNSET) + body), measured)
    write_down(table, "shipped", published)
    out.write_bytes(header(parts, surfaces) + body)
    print(f"{out}: {out.stat().st_size} bytes")
    return 0


def write_down(table: Path, key: str, published: dict[str, Any]) -> None:
    """Put one measurement beside the others: the shipped model, or one that learned without some sources."""
    known = json.loads(table.read_text()) if table.exists() else {}
    table.write_text(json.dumps(known | {key: published}, indent=1) + "\n")
    print(json.dumps(published, indent=1))


def header(parts: tuple[Part, ...], surfaces: dict[str, Surface]) -> bytes:
    """The first line of the file."""
    return msgspec.json.encode(Header(FORMAT, BITS, parts, surfaces)) + b"\n"


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
