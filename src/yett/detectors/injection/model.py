"""The injection model: how much a text reads like an attack on a language model, 0.0 to 1.0, by a small convolution over words.

Each word is a vector; filters look at five words at a time. What a user writes is judged in windows, by what each filter saw at
its strongest and on average. What arrives as a tool result, a document or a definition is judged sentence by sentence, because
there an order to the reader is the attack, however it is worded: beside what the filters saw in the sentence and how it is
written counts what they saw around it, for a data sheet that suddenly asks for something is not a manual that does so all the
time. The worst window, or sentence, counts: an attack does not get weaker by the harmless text around it. Each surface has its
own threshold, set so that 0.5 is where 1 % of benign texts of that kind lie above.

The file is a line of JSON (`Header`), then the arrays in its order. `make train-injection` writes it.
"""

from __future__ import annotations

import math
from importlib.resources import files

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from yett.detectors.injection.features import BITS, COLUMNS, Block, Places, Words, blocks, seen
from yett.detectors.injection.novelty import NOVEL, novelty
from yett.detectors.injection.sentences import SHAPE, shapes, starts

FILE = "injection-model.bin"
FORMAT = 4
CHUNK = 32  # words; a window is two chunks, and begins at each chunk
REACH = 2  # words that a filter sees on each side of its own
FEWEST = 8  # an average over fewer words counts as one over so many: a single word is not a whole text
AROUND = 48  # words on each side of a sentence that count as what stands around it
BESIDE = 4  # sentences on each side of one that its words are compared with
READERS = ("window", "sentence")
_SMALL = np.float32(1e-6)
_CERTAIN = 30.0
_BELOW = np.tri(CHUNK, dtype=np.float32)  # sums are products with rows of this, which take less time
_WHOLE = np.int32  # numbers that are not below zero are in the same order as their bits are, which are compared sooner

Floats = NDArray[np.float32]


class Surface(Struct, frozen=True):
    """How one surface is judged: by which of READERS; `margin` is the raw score that becomes 0.5, plus `growth` per doubling of
    the windows or sentences; `slope` turns raw scores into probabilities."""

    reader: str
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
            self._words, self._filters, floor = arrays["words"], arrays["filters"], arrays["filters.bias"]
            self._rarity = arrays["rarity"]
            self._heads = {
                reader: tuple(
                    arrays[f"{reader}.{part}"] for part in ("hidden", "hidden.bias", "verdict", "verdict.bias")
                )
                for reader in READERS
            }
        except KeyError as error:
            raise ValueError(f"the injection model has no part {error}") from error
        _check_shapes(arrays)
        scale = next(np.float32(part.scale) for part in header.parts if part.name == "words")
        self._filters = _with_floor(self._filters * scale, floor)
        if any(surface.reader not in READERS for surface in header.surfaces.values()):
            raise ValueError("a surface of the injection model has none of its readers")

    @classmethod
    def load(cls) -> InjectionModel:
        """The model that is shipped in the package."""
        return cls((files("yett") / "data" / FILE).read_bytes())

    def score(self, text: str, surface: str = "user") -> float:
        """0.0 to 1.0 for a text that has been normalised; 0.5 is the shipped threshold. Raises KeyError for an unknown surface."""
        place = self.header.surfaces[surface]
        judged = self.windows if place.reader == "window" else self.sentences
        values = [judged(block) for block in map(seen, blocks(text)) if len(block.words)]
        if not values:
            return 0.0
        margin = place.margin + place.growth * math.log2(sum(map(len, values)))
        raw = place.slope * (max(float(each.max()) for each in values) - margin)
        return 1.0 / (1.0 + math.exp(-max(-_CERTAIN, min(_CERTAIN, raw))))

    def windows(self, block: Block) -> Floats:
        """The raw verdict on each window of a block with at least one word."""
        count = len(block.words)
        active = self._activity(self._vectors(block.words))
        chunks = len(active)
        strongest = np.maximum.reduce(active.view(_WHOLE), axis=1).view(np.float32)
        total: Floats = (_BELOW[-1:] @ active)[:, 0]
        if chunks > 1:
            strongest, total = np.maximum(strongest[:-1], strongest[1:]), total[:-1] + total[1:]
            total[:-1] *= np.float32(1 / (2 * CHUNK))
            count -= (chunks - 2) * CHUNK  # words of the last window
        total[-1] *= np.float32(1 / max(count, FEWEST))
        return self._verdicts("window", strongest, total)

    def sentences(self, block: Block) -> Floats:
        """The raw verdict on each sentence of a block with at least one word."""
        count = len(block.words)
        vectors = self._vectors(block.words)
        active = self._activity(vectors)
        first = starts(block)
        last = np.append(first[1:], count)
        strongest = _strongest(active.reshape(-1, active.shape[2])[:count], first)
        sums = _sums(active)  # over any stretch they are differences
        total = sums[last] - sums[first]
        average: Floats = np.divide(total, np.maximum(last - first, FEWEST)[:, None], dtype=np.float32)
        left, right = np.maximum(first - AROUND, 0), np.minimum(last + AROUND, count)
        outside = np.maximum((right - left) - (last - first), FEWEST)
        around: Floats = np.divide(sums[right] - sums[left] - total, outside[:, None], dtype=np.float32)
        near = _nearness(vectors, first)
        new = novelty(block, first, self._rarity)
        return self._verdicts("sentence", strongest, average, around, shapes(block, first), new, near)

    def _vectors(self, found: Words) -> Floats:
        """The vector of each word, with a one behind it, and REACH vectors of no word before the first and after the last."""
        count, width = len(found), self._words.shape[1]
        # Between two words lies a one for the filters' floor, which only that of the word itself is multiplied with.
        padded = np.zeros((count + 2 * REACH, width + 1), np.float32)
        padded[:, width] = 1.0
        vectors = self._words.take(found.T.ravel(), axis=0).reshape(COLUMNS, count, width)
        np.add.reduce(vectors, axis=0, dtype=np.float32, out=padded[REACH : REACH + count, :width])
        return padded

    def _activity(self, padded: Floats) -> Floats:
        """What each filter sees at each word, in chunks of CHUNK words; after the last word, nothing."""
        count, width = len(padded) - 2 * REACH, padded.shape[1]
        # A row of five words is where they lie one after the other; the product would copy such rows at more cost.
        step, five = padded.strides[0], (2 * REACH + 1) * width
        fives = np.ndarray((count, five), np.float32, padded, 0, (step, padded.itemsize)).copy()
        chunks = -(-count // CHUNK)
        active = np.empty((chunks * CHUNK, self._filters.shape[1]), np.float32)
        np.matmul(fives, self._filters, out=active[:count])
        active[count:] = 0.0
        np.maximum(active.view(_WHOLE), 0, out=active.view(_WHOLE))
        return active.reshape(chunks, CHUNK, -1)

    def _verdicts(self, reader: str, *sights: Floats) -> Floats:
        hidden, hidden_floor, verdict, floor = self._heads[reader]
        seen: Floats = np.concatenate(sights, axis=1) @ hidden
        seen += hidden_floor
        np.maximum(seen, np.float32(0.0), out=seen)
        values: Floats = (seen @ verdict)[:, 0]
        values += floor
        return values


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


def _strongest(active: Floats, first: Places) -> Floats:
    """The most of each filter from each of the places `first` to the next."""
    found: Floats = np.maximum.reduceat(active.view(_WHOLE), first).view(np.float32)
    return found


def _nearness(padded: Floats, first: Places) -> Floats:
    """How much the words of each sentence, on average, have the direction of those of the BESIDE sentences on each side: a
    cosine. Without any other it is 0."""
    own = np.add.reduceat(padded[REACH:-REACH], first)[:, :-1]
    count, width = own.shape
    beside = np.zeros((BESIDE + 1 + count + BESIDE, width), np.float32)
    beside[BESIDE + 1 :][:count] = own
    sums = np.add.accumulate(beside)
    others = sums[2 * BESIDE + 1 :] - sums[:count] - own
    sizes = np.sqrt(_products(own, own) * _products(others, others))
    near: Floats = (_products(own, others) / (sizes + _SMALL))[:, None]
    return near


def _products(some: Floats, others: Floats) -> Floats:
    """The product of each vector with the other in its place."""
    found: Floats = np.einsum("ij,ij->i", some, others)
    return found


def _sums(active: Floats) -> Floats:
    """The sums before each word and after the last, of each filter."""
    chunks, size, filters = active.shape
    sums = np.zeros((chunks * size + 1, filters), np.float32)
    inside = sums[1:].reshape(active.shape)
    np.matmul(_BELOW, active, out=inside)
    inside[1:] += np.add.accumulate(inside[:-1, -1])[:, None]
    return sums


def _with_floor(filters: Floats, floor: Floats) -> Floats:
    """Filters for vectors that end with a one each: that of the word in the middle gives the floor."""
    vectors = filters.reshape(2 * REACH + 1, -1, filters.shape[1])
    wide = np.zeros((vectors.shape[0], vectors.shape[1] + 1, vectors.shape[2]), np.float32)
    wide[:, :-1] = vectors
    wide[REACH, -1] = floor
    return wide.reshape(-1, filters.shape[1])


def _check_shapes(arrays: dict[str, Floats]) -> None:
    """Raises ValueError when the layers do not fit each other."""
    width, filters = arrays["words"].shape[-1], arrays["filters"].shape[-1]
    due: dict[str, tuple[int, ...]] = {
        "words": (1 << BITS, width),
        "rarity": (1 << BITS,),
        "filters": ((2 * REACH + 1) * width, filters),
        "filters.bias": (filters,),
    }
    for reader, sights in (("window", 2 * filters), ("sentence", 3 * filters + SHAPE + NOVEL + 1)):
        hidden = arrays[f"{reader}.hidden"].shape[-1]
        due |= {
            f"{reader}.hidden": (sights, hidden),
            f"{reader}.hidden.bias": (hidden,),
            f"{reader}.verdict": (hidden, 1),
            f"{reader}.verdict.bias": (1,),
        }
    for name, shape in due.items():
        if arrays[name].shape != shape:
            raise ValueError(f"the injection model's {name} has the shape {arrays[name].shape}, not {shape}")
