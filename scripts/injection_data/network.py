"""The network of `InjectionModel` in JAX, to be trained: the same layers, with dropout of words and a batch of texts at once.

Of the vectors of words, nearly all that there is to learn, only those that a batch has are in a step: the table stays outside.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from yett.detectors.injection.features import BITS, COLUMNS, Words, seen
from yett.detectors.injection.model import AROUND, BESIDE, CHUNK, FEWEST, REACH
from yett.detectors.injection.novelty import BEGINNING, NOVEL, novelty
from yett.detectors.injection.sentences import SHAPE, shapes, starts

WIDTH, FILTERS, HIDDEN = 24, 96, 64
LENGTHS = (16, 32, 64, 128, 256)  # words to which the texts of a batch are padded; what is longer is cut in training
SENTENCES = {16: 5, 32: 9, 64: 17, 128: 33, 256: 65}  # as many as there can be in so many words
BATCH = 8_192  # words
RATE = 1e-3
DECAY = 1e-5
OTHERS = 0.5  # how much the harmless sentences beside an attack count
NEVER = -30.0
SIGHTS = 3 * FILTERS + SHAPE + NOVEL + 1  # what is known of a sentence
ANEW = 0.5  # of what ships is what was learned now, the rest what was known before: between the two lies what is good at both
EARLIER = Path(__file__).parent / "beginning.bin"
RAREST = 127
TOGETHER = 8_192  # different words of a step are a multiple of this, so that few shapes are compiled
STYLE_KEPT = 0.8  # of the sentences: how something is written must not be all that is learned

Parameters = dict[str, jax.Array]


class Text(NamedTuple):
    """What is learned from one text: its words, where its sentences begin, how they are written, and how new they are."""

    words: Words
    starts: np.ndarray
    shapes: np.ndarray
    novel: np.ndarray  # how new they are beside the others
    orders: np.ndarray  # which sentences are part of what makes the text an attack


def text(content: str, begin: int, end: int, rarity: np.ndarray) -> Text | None:
    """The beginning of a text as the network sees it, of which content[begin:end] is the attack; None when it says nothing."""
    block = seen(content)
    if not len(block.words):
        return None
    first = starts(block)
    style, new = shapes(block, first), novelty(block, first, rarity)
    within = first < LENGTHS[-1]
    places = [0, *block.first[first[1:]].tolist(), len(content)]
    orders = np.array([a < end and b > begin for a, b in itertools.pairwise(places)])
    return Text(
        block.words[: LENGTHS[-1]],
        first[within].astype(np.int16),
        style[within].astype(np.float16),
        new[within].astype(np.float16),
        orders[within],
    )


def beginning(source: np.random.Generator, fresh: bool) -> Parameters:
    """Parameters before training: what an earlier network of this kind learned, unless it shall be `fresh`."""
    wide = (2 * REACH + 1) * WIDTH

    def normal(deviation: float, *shape: int) -> jax.Array:
        return jnp.asarray(source.normal(0, deviation, shape), jnp.float32)

    parameters = {
        "words": normal(0.3, 1 << BITS, WIDTH),
        "filters": normal((2 / wide) ** 0.5, wide, FILTERS),
        "filters.bias": jnp.zeros(FILTERS),
    }
    for reader, sights in (("window", 2 * FILTERS), ("sentence", SIGHTS)):
        parameters |= {
            f"{reader}.hidden": normal(FILTERS**-0.5, sights, HIDDEN),
            f"{reader}.hidden.bias": jnp.zeros(HIDDEN),
            f"{reader}.verdict": normal(HIDDEN**-0.5, HIDDEN, 1),
            f"{reader}.verdict.bias": jnp.full(1, -1.0),
        }
    return parameters if fresh else parameters | _earlier(parameters)


def _earlier(parameters: Parameters) -> Parameters:
    """What the network before this one knew."""
    line, _, body = EARLIER.read_bytes().partition(b"\n")
    known = {}
    for part in json.loads(line)["parts"]:
        kind = np.dtype(part["type"]).newbyteorder("<")
        size = int(np.prod(part["shape"])) * kind.itemsize
        known[part["name"]] = np.frombuffer(body[:size], kind).reshape(part["shape"]).astype(np.float32) * part["scale"]
        body = body[size:]
    return {name: jnp.asarray(known[name]) for name in parameters}


def rarities(texts: Iterable[Words]) -> np.ndarray:
    """How rare the words of each beginning are, from 0.0 (in all texts) to 1.0 (in one, or in none), in steps of a byte."""
    among, count = np.zeros(1 << BITS), 1
    for words in texts:
        among[np.unique(words[:, BEGINNING])] += 1
        count += 1
    rarity = 1 - np.log(np.maximum(among, 1)) / np.log(count)
    return (np.rint(rarity * RAREST) / RAREST).astype(np.float32)


class Batch(NamedTuple):
    """Texts x words and texts x sentences. `present` marks what is no padding, `kept` what dropout left, `number` the sentence
    of each word."""

    words: np.ndarray
    present: np.ndarray
    kept: np.ndarray
    number: np.ndarray
    starts: np.ndarray
    shapes: np.ndarray
    novel: np.ndarray
    real: np.ndarray
    orders: np.ndarray


def verdicts(parameters: Parameters, batch: Batch) -> tuple[jax.Array, jax.Array]:
    """The worst window of each text, and each of its sentences."""
    length = batch.words.shape[1]
    present = batch.present[..., None]
    vectors = (parameters["words"][batch.words] * batch.kept[..., None]).sum(2) * present
    padded = jnp.pad(vectors, ((0, 0), (REACH, REACH), (0, 0)))
    fives = jnp.concatenate([padded[:, place : place + length] for place in range(2 * REACH + 1)], -1)
    active = jax.nn.relu(fives @ parameters["filters"] + parameters["filters.bias"]) * present
    return _windows(parameters, active, batch), _sentences(parameters, vectors, active, batch)


def _windows(parameters: Parameters, active: jax.Array, batch: Batch) -> jax.Array:
    rows, length = batch.words.shape[:2]
    chunk = CHUNK if length > 2 * CHUNK else length
    count = length // chunk
    chunked = active.reshape(rows, count, chunk, -1)
    strongest, total = chunked.max(2), chunked.sum(2)
    sizes = batch.present.reshape(rows, count, chunk).sum(2)
    if count > 1:
        real = (jnp.arange(count - 1) == 0) | (sizes[:, 1:] > 0)
        strongest, total = jnp.maximum(strongest[:, :-1], strongest[:, 1:]), total[:, :-1] + total[:, 1:]
        sizes = (sizes[:, :-1] + sizes[:, 1:]) * real
    average = total / jnp.maximum(sizes, FEWEST)[..., None]
    values = _head(parameters, "window", strongest, average)
    return jnp.where(sizes > 0, values, -30.0).max(1)


def _sentences(parameters: Parameters, vectors: jax.Array, active: jax.Array, batch: Batch) -> jax.Array:
    rows, length = batch.words.shape[:2]
    most = batch.starts.shape[1]
    number = (jnp.arange(rows)[:, None] * most + batch.number).reshape(-1)
    flat = active.reshape(rows * length, -1)
    strongest = jnp.maximum(jax.ops.segment_max(flat, number, rows * most, indices_are_sorted=True), 0.0)
    counts = batch.present.sum(1, keepdims=True).astype(jnp.int32)
    last = jnp.concatenate([batch.starts[:, 1:], jnp.full((rows, 1), length)], 1)
    first, last = jnp.minimum(batch.starts, counts), jnp.minimum(last, counts)

    def mean(begin: jax.Array, end: jax.Array, but: jax.Array | float = 0.0) -> tuple[jax.Array, jax.Array]:
        places = jnp.arange(length)
        inside = ((places >= begin[..., None]) & (places < end[..., None])) * (1.0 - but)
        return inside @ active / jnp.maximum(inside.sum(-1), FEWEST)[..., None], inside

    average, own = mean(first, last)
    around, _ = mean(first - AROUND, jnp.minimum(last + AROUND, counts), own)
    near = _nearness(
        jax.ops.segment_sum(vectors.reshape(rows * length, -1), number, rows * most).reshape(rows, most, -1)
    )
    return _head(
        parameters, "sentence", strongest.reshape(rows, most, -1), average, around, batch.shapes, batch.novel, near
    )


def _nearness(own: jax.Array) -> jax.Array:
    """The cosine of each sentence's words with those of the sentences beside it."""
    most = own.shape[1]
    sums = jnp.pad(jnp.cumsum(own, 1), ((0, 0), (1, 0), (0, 0)))
    places = jnp.arange(most)
    others = sums[:, jnp.minimum(places + BESIDE + 1, most)] - sums[:, jnp.maximum(places - BESIDE, 0)] - own
    sizes = jnp.sqrt((own * own).sum(-1) * (others * others).sum(-1) + 1e-12)
    return ((own * others).sum(-1) / (sizes + 1e-6))[..., None]


def _head(parameters: Parameters, reader: str, *sights: jax.Array) -> jax.Array:
    hidden = jax.nn.relu(
        jnp.concatenate(sights, -1) @ parameters[f"{reader}.hidden"] + parameters[f"{reader}.hidden.bias"]
    )
    return (hidden @ parameters[f"{reader}.verdict"] + parameters[f"{reader}.verdict.bias"])[..., 0]


def _loss(parameters: Parameters, batch: Batch, labels: jax.Array, weights: jax.Array) -> jax.Array:
    """Of the sentences that make a text an attack, one has to be found; of all others, none."""
    windows, sentences = verdicts(parameters, batch)
    losses = (jnp.logaddexp(0, windows) - windows * labels) * weights[:, 0]
    order = jnp.where(batch.orders > 0, sentences, NEVER).max(1)
    other = jax.nn.logsumexp(jnp.where((batch.real > 0) & (batch.orders == 0), sentences, NEVER), 1)
    share = jnp.where(labels > 0, OTHERS, 1.0)
    losses += (jnp.logaddexp(0, -order) * labels + jnp.logaddexp(0, other) * share) * weights[:, 1]
    large = sum((parameters[name] ** 2).sum() for name in ("filters", "window.hidden", "sentence.hidden"))
    return losses.sum() / weights.sum() + DECAY * large


@jax.jit
def _step(parameters, first, second, count, rate, batch, labels, weights):
    """Adam."""
    loss, slopes = jax.value_and_grad(_loss)(parameters, batch, labels, weights)
    first = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, first, slopes)
    second = jax.tree.map(lambda old, new: 0.99 * old + 0.01 * new * new, second, slopes)
    parameters = {
        name: value - rate * first[name] / (1 - 0.9**count)
        / (jnp.sqrt(second[name] / (1 - 0.99**count)) + 1e-6)
        for name, value in parameters.items()
    }  # fmt: skip
    return parameters, first, second, loss


def train(
    texts: Sequence[Text], labels: np.ndarray, weights: np.ndarray, epochs: float, seed: int, fresh: bool
) -> dict[str, np.ndarray]:
    """Parameters after training; the same for the same data, seed and machine. `epochs` may end within one."""
    source = np.random.default_rng(seed)
    parameters = beginning(source, fresh)
    before = {name: np.array(value) for name, value in parameters.items()}
    first, second = ({name: jnp.zeros_like(value) for name, value in parameters.items()} for _ in range(2))
    tables = [np.array(each.pop("words")) for each in (parameters, first, second)]
    plan = [each for _ in range(int(np.ceil(epochs))) for each in _batches(texts, source)]
    plan = plan[: int(len(plan) * epochs / np.ceil(epochs))]
    total = 0.0
    for count, (length, chosen) in enumerate(plan, 1):
        batch = _batch([texts[place] for place in chosen], length, source)
        there, numbers = np.unique(batch.words, return_inverse=True)
        batch = batch._replace(words=numbers.reshape(batch.words.shape).astype(np.int32))
        spare = np.zeros((-len(there) % TOGETHER, WIDTH), np.float32)
        rate = RATE * min(1.0, count / 100) * (1 - count / len(plan)) ** 0.7 + RATE / 100
        given = [
            {**each, "words": np.concatenate([table[there], spare])}
            for each, table in zip((parameters, first, second), tables, strict=True)
        ]
        parameters, first, second, loss = _step(*given, count, rate, batch, labels[chosen], weights[chosen])
        for each, table in zip((parameters, first, second), tables, strict=True):
            table[there] = each.pop("words")[: len(there)]
        total += float(loss)
        if count % 250 == 0 or count == len(plan):
            print(f"{count} of {len(plan)} batches: loss {total / (count % 250 or 250):.4f}", flush=True)
            total = 0.0
    learned = {name: np.asarray(value) for name, value in parameters.items()} | {"words": tables[0]}
    return {name: ANEW * value + (1 - ANEW) * before[name] for name, value in learned.items()}


def _batches(texts: Sequence[Text], source: np.random.Generator) -> list[tuple[int, np.ndarray]]:
    lengths = np.array([len(each.words) for each in texts])
    plan: list[tuple[int, np.ndarray]] = []
    shorter = 0
    for length in LENGTHS:
        chosen = source.permutation(np.flatnonzero((lengths > shorter) & (lengths <= length)))
        size = BATCH // length
        plan += [(length, np.resize(chosen[place : place + size], size)) for place in range(0, len(chosen), size)]
        shorter = length
    source.shuffle(plan)
    return plan


def _batch(texts: Sequence[Text], length: int, source: np.random.Generator) -> Batch:
    rows, most = len(texts), SENTENCES[length]
    words = np.zeros((rows, length, COLUMNS), np.int32)
    present = np.zeros((rows, length), np.float32)
    number = np.zeros((rows, length), np.int32)
    begins = np.full((rows, most), length, np.int32)
    style = np.zeros((rows, most, SHAPE), np.float32)
    novel = np.zeros((rows, most, NOVEL), np.float32)
    real, orders = np.zeros((2, rows, most), np.float32)
    for row, each in enumerate(texts):
        count, sentences = len(each.words), min(len(each.starts), most)
        words[row, :count], present[row, :count] = each.words, 1
        begins[row, :sentences], real[row, :sentences] = each.starts[:sentences], 1
        style[row, :sentences], orders[row, :sentences] = each.shapes[:sentences], each.orders[:sentences]
        novel[row, :sentences] = each.novel[:sentences]
        number[row] = np.searchsorted(begins[row], np.arange(length), "right") - 1
    style *= source.random((rows, most, 1)) < STYLE_KEPT
    kept = (source.random((rows, length, 1)) > 0.08) & (source.random((rows, length, COLUMNS)) > (0.15, 0.1, 0.1))
    return Batch(words, present, kept.astype(np.float32), number, begins, style, novel, real, orders)
