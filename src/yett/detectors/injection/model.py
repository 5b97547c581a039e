"""InjectionModel: how much a text reads like an attack on a language model, 0.0 to 1.0, by a small convolution over words.

Each word is a vector; filters look at five words at a time; what each filter saw at its strongest and on average within a
window goes through a hidden layer to two verdicts. The windows overlap and the worst one counts: an attack does not get
weaker by the harmless text around it. What arrives as a tool result or a document has another verdict than what a user
writes, because an order to the assistant is normal in the one place and an attack in the other. Each surface has its own
threshold, set so that 0.5 is where 1 % of benign texts of that kind lie above.

The file is a line of JSON (`Header`), then the arrays in its order. `make train-injection` writes it.
"""

from __future__ import annotations

import math
from importlib.resources import files

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from yett.detectors.injection.features import BITS, COLUMNS, Words, blocks, words

FILE = "injection-model.bin"
FORMAT = 2
CHUNK = 32  # words; a window is two chunks, and begins at each chunk
REACH = 2  # words that a filter sees on each side of its own
FEWEST = 8  # an average over fewer words counts as one over so many: a single word is not a whole text
_CERTAIN = 30.0

Floats = NDArray[np.float32]


class Surface(Struct, frozen=True):
    """The threshold of one surface: `margin` is the raw score that becomes 0.5, plus `growth` per doubling of the windows;
    `slope` turns raw scores into probabilities."""

    verdict: int
    margin: float
    slope: float
    growth: float = 0.0


class Part(Struct, frozen=True):
    """One array: int8 or float16, row by row; its values are multiplied by `scale`."""

    name: str
    shape: tuple[int, ...]
    type: str
    scale: float = 1.0


class Header(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    format: int
    bits: int
    parts: tuple[Part, ...]
    surfaces: dict[str, Surface]


class InjectionModel:
    """Read once, shared by all threads: nothing in it changes. Raises ValueError for a file that is not such a model."""

    def __init__(self, data: bytes) -> None:
        line, _, body = data.partition(b"\n")
        try:
            self.header = header = msgspec.json.decode(line, type=Header)
        except msgspec.MsgspecError as error:
            raise ValueError(f"the injection model has no header: {error}") from error
        if (header.format, header.bits) != (FORMAT, BITS):
            raise ValueError(
                f"the injection model has format {header.format}, {header.bits} bits: not {FORMAT}, {BITS}"
            )
        arrays = _arrays(header.parts, body)
        try:
            self._words, self._filters, self._floor = arrays["words"], arrays["filters"], arrays["filters.bias"]
            self._hidden, self._hidden_floor = arrays["hidden"], arrays["hidden.bias"]
            self._verdict, self._verdict_floor = arrays["verdict"], arrays["verdict.bias"]
        except KeyError as error:
            raise ValueError(f"the injection model has no part {error}") from error
        _check_shapes(arrays)
        self._scale = next(np.float32(part.scale) for part in header.parts if part.name == "words")
        if any(not 0 <= surface.verdict < self._verdict.shape[1] for surface in header.surfaces.values()):
            raise ValueError("a surface of the injection model has none of its verdicts")

    @classmethod
    def load(cls) -> InjectionModel:
        """The model that is shipped in the package."""
        return cls((files("yett") / "data" / FILE).read_bytes())

    def score(self, text: str, surface: str = "user") -> float:
        """0.0 to 1.0 for a text that has been normalised; 0.5 is the shipped threshold. Raises KeyError for an unknown surface."""
        place = self.header.surfaces[surface]
        windows = [self.windows(found)[:, place.verdict] for block in blocks(text) if len(found := words(block))]
        if not windows:
            return 0.0
        margin = place.margin + place.growth * math.log2(sum(map(len, windows)))
        raw = place.slope * (max(float(values.max()) for values in windows) - margin)
        return 1.0 / (1.0 + math.exp(-max(-_CERTAIN, min(_CERTAIN, raw))))

    def windows(self, found: Words) -> Floats:
        """The raw verdicts on each window of some words, at least one: one row per window."""
        count, width = len(found), self._words.shape[1]
        padded = np.zeros((count + 2 * REACH, width), np.float32)
        seen = padded[REACH : REACH + count]
        for column in range(COLUMNS):
            seen += self._words[found[:, column]]
        seen *= self._scale
        fives = np.concatenate([padded[place : place + count] for place in range(2 * REACH + 1)], axis=1)
        chunks = -(-count // CHUNK)
        active = np.zeros((chunks * CHUNK, self._filters.shape[1]), np.float32)
        np.maximum(fives @ self._filters + self._floor, 0.0, out=active[:count])
        chunked = active.reshape(chunks, CHUNK, -1)
        strongest, total = chunked.max(axis=1), chunked.sum(axis=1)
        sizes = np.full(chunks, CHUNK, np.float32)
        sizes[-1] = count - (chunks - 1) * CHUNK
        if chunks > 1:
            strongest, total = np.maximum(strongest[:-1], strongest[1:]), total[:-1] + total[1:]
            sizes = sizes[:-1] + sizes[1:]
        average = total / np.maximum(sizes, FEWEST)[:, None]
        hidden = np.maximum(np.concatenate([strongest, average], axis=1) @ self._hidden + self._hidden_floor, 0.0)
        verdicts: Floats = hidden @ self._verdict + self._verdict_floor
        return verdicts


def _arrays(parts: tuple[Part, ...], body: bytes) -> dict[str, Floats]:
    arrays: dict[str, Floats] = {}
    place = 0
    for part in parts:
        if part.type not in {"int8", "float16"}:
            raise ValueError(f"the injection model has a part of type {part.type}")
        kind = np.dtype(part.type).newbyteorder("<")
        size = math.prod(part.shape) * kind.itemsize
        if min(part.shape, default=0) < 1:
            raise ValueError(f"the injection model's {part.name} has the shape {part.shape}")
        if place + size > len(body):
            raise ValueError(f"the injection model ends within {part.name}")
        array = np.frombuffer(body[place : place + size], kind).reshape(part.shape)
        # Of the words, nearly all that there is, few are looked up at a time: they stay as they are in the file.
        arrays[part.name] = array if part.name == "words" else array.astype(np.float32) * np.float32(part.scale)
        place += size
    if place != len(body):
        raise ValueError(f"the injection model goes on for {len(body) - place} bytes after its parts")
    return arrays


def _check_shapes(arrays: dict[str, Floats]) -> None:
    """Raises ValueError when the layers do not fit each other."""
    width = arrays["words"].shape[-1]
    filters, hidden = arrays["filters"].shape[-1], arrays["hidden"].shape[-1]
    verdicts = arrays["verdict"].shape[-1]
    due = {
        "words": (1 << BITS, width),
        "filters": ((2 * REACH + 1) * width, filters),
        "filters.bias": (filters,),
        "hidden": (2 * filters, hidden),
        "hidden.bias": (hidden,),
        "verdict": (hidden, verdicts),
        "verdict.bias": (verdicts,),
    }
    for name, shape in due.items():
        if arrays[name].shape != shape:
            raise ValueError(f"the injection model's {name} has the shape {arrays[name].shape}, not {shape}")
