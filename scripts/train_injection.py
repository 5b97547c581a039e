"""Train the injection model and write it into the package: `make train-injection DATA=folder`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
import numpy as np
from injection_data.matrix import STRIDE, WIDTH, windows
from injection_data.sample import read
from sklearn.linear_model import LogisticRegression

from yett.detectors.injection.features import BITS
from yett.detectors.injection.model import FILE, FORMAT, Header, Surface

PACKAGE = Path(__file__).parents[1] / "src" / "yett" / "data"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path, help="folder with injection_train.jsonl.gz")
    arguments.add_argument("--out", type=Path, default=PACKAGE / FILE)
    options = arguments.parse_args()
    samples = list(read(options.data / "injection_train.jsonl.gz"))
    found = windows([sample.text for sample in samples])
    labels = np.array([sample.attack for sample in samples])
    line = LogisticRegression(C=1.0, max_iter=100, tol=1e-3).fit(found.rows, labels[found.owners])
    weights, bias = line.coef_[0], float(line.intercept_[0])
    benign = found.worst(found.rows @ weights + bias)[~labels]
    margin, strict = np.quantile(benign, [0.99, 0.997])
    surface = Surface(0, float(margin), float(np.log(4) / max(strict - margin, 0.1)))
    write(options.out, weights[None], [bias], dict.fromkeys(("user", "tool", "document", "definition"), surface))
    return 0


def write(path: Path, weights: np.ndarray, biases: list[float], surfaces: dict[str, Surface]) -> None:
    """The header and the weights, each head scaled so that its largest weight (but for a few outliers) is 127."""
    scales = np.quantile(np.abs(weights), 0.99999, axis=1) / 127
    whole = np.clip(np.rint(weights / scales[:, None]), -127, 127).astype(np.int8)
    header = Header(FORMAT, BITS, WIDTH, STRIDE, tuple(map(float, scales)), tuple(biases), surfaces)
    path.write_bytes(msgspec.json.encode(header) + b"\n" + whole.tobytes())
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    sys.exit(main())
