"""InjectionModel: how much a text reads like an attack on a language model, 0.0 to 1.0, by a linear model over hashes.

A text is scored in windows that overlap, and the worst window is the verdict: an attack does not get weaker by the harmless
text around it. What arrives as a tool result or a document is weighed by another head than what a user writes, because an
order to the assistant is normal in the one place and an attack in the other. Each surface has its own threshold, set so that
0.5 is where 1 % of benign texts of that kind lie above.

The file is a line of JSON (`Header`), then the weights of each head as int8 arrays. `make train-injection` writes it.
"""

from __future__ import annotations

import math
from importlib.resources import files

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from yett.detectors.injection.features import BITS, blocks, features, spans

FILE = "injection-model.bin"
FORMAT = 1
_CERTAIN = 30.0


class Surface(Struct, frozen=True):
    """The threshold of one surface: `margin` is the raw score that becomes 0.5, plus `growth` per doubling of the windows;
    `slope` turns raw scores into probabilities."""

    head: int
    margin: float
    slope: float
    growth: float = 0.0


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """`scales` and `biases` are one per head: raw score = bias + scale * sum of int8 weights / sqrt(number of features)."""

    format: int
    bits: int
    width: int  # code points of a window
    stride: int
    scales: tuple[float, ...]
    biases: tuple[float, ...]
    surfaces: dict[str, Surface]


class InjectionModel:
    """Read once, shared by all threads: nothing in it changes. Raises ValueError for a file that is not such a model."""

    def __init__(self, data: bytes) -> None:
        line, _, body = data.partition(b"\n")
        try:
            self.header = header = msgspec.json.decode(line, type=Header)
        except msgspec.MsgspecError as error:
            raise ValueError(f"the injection model has no header: {error}") from error
        if header.format != FORMAT or header.bits != BITS:
            raise ValueError(
                f"the injection model has format {header.format} with {header.bits} bits, not {FORMAT} with {BITS}"
            )
        heads, size = len(header.scales), 1 << BITS
        if len(body) != heads * size or len(header.biases) != heads:
            raise ValueError(f"the injection model has {len(body)} bytes of weights for {heads} heads of {size}")
        if any(not 0 <= surface.head < heads for surface in header.surfaces.values()):
            raise ValueError(f"a surface of the injection model has none of its {heads} heads")
        weights = np.frombuffer(body, np.int8).reshape(heads, size)
        self._weights = [weights[head].astype(np.float32) * np.float32(header.scales[head]) for head in range(heads)]

    @classmethod
    def load(cls) -> InjectionModel:
        """The model that is shipped in the package."""
        return cls((files("yett") / "data" / FILE).read_bytes())

    def score(self, text: str, surface: str = "user") -> float:
        """0.0 to 1.0 for a text that has been normalised; 0.5 is the shipped threshold. Raises KeyError for an unknown surface."""
        place = self.header.surfaces[surface]
        windows = self.windows(text, place.head)
        if not len(windows):
            return 0.0
        margin = place.margin + place.growth * math.log2(len(windows))
        raw = place.slope * (float(windows.max()) - margin)
        return 1.0 / (1.0 + math.exp(-max(-_CERTAIN, min(_CERTAIN, raw))))

    def windows(self, text: str, head: int) -> NDArray[np.float64]:
        """The raw score of each window of a text; empty for a text of white space only."""
        return np.concatenate([self._block(block, head) for block in blocks(text, self.header.width)])

    def _block(self, text: str, head: int) -> NDArray[np.float64]:
        found, weights = features(text), self._weights[head]
        sums, counts = np.zeros(found.length + 1), np.zeros(found.length + 1)
        for buckets, places in zip(found.buckets, found.places, strict=True):
            sums[places + 1] += weights[buckets]  # a kind has at most one feature per place
            counts[places + 1] += 1
        if not len(found.places[0]):
            return np.zeros(0)
        np.cumsum(sums, out=sums)
        np.cumsum(counts, out=counts)
        starts, ends = spans(found.length, self.header.width, self.header.stride)
        values: NDArray[np.float64] = (sums[ends] - sums[starts]) / np.sqrt(
            np.maximum(counts[ends] - counts[starts], 1.0)
        )
        return values + self.header.biases[head]
