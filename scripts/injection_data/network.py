"""The network of `InjectionModel` in JAX, to be trained: the same layers, with dropout of words and a batch of texts at once."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from yett.detectors.injection.features import BITS, COLUMNS, Words
from yett.detectors.injection.model import CHUNK, FEWEST, REACH

WIDTH, FILTERS, HIDDEN, VERDICTS = 24, 96, 32, 2
LENGTHS = (16, 32, 64, 128, 256)  # words to which the texts of a batch are padded; what is longer is cut in training
BATCH = 12_288  # words
RATE = 2e-3
DECAY = 1e-5

Parameters = dict[str, jax.Array]


def beginning(source: np.random.Generator) -> Parameters:
    """Parameters before training."""
    seen = (2 * REACH + 1) * WIDTH

    def normal(deviation: float, *shape: int) -> jax.Array:
        return jnp.asarray(source.normal(0, deviation, shape), jnp.float32)

    return {
        "words": normal(0.3, 1 << BITS, WIDTH),
        "filters": normal((2 / seen) ** 0.5, seen, FILTERS),
        "filters.bias": jnp.zeros(FILTERS),
        "hidden": normal(FILTERS**-0.5, 2 * FILTERS, HIDDEN),
        "hidden.bias": jnp.zeros(HIDDEN),
        "verdict": normal(HIDDEN**-0.5, HIDDEN, VERDICTS),
        "verdict.bias": jnp.full(VERDICTS, -1.0),
    }


def verdicts(parameters: Parameters, words: jax.Array, present: jax.Array, kept: jax.Array) -> jax.Array:
    """Texts x verdicts, the worst window of each. `words` is texts x words x columns, `present` marks what is not padding,
    `kept` what dropout left."""
    length = words.shape[1]
    vectors = (parameters["words"][words] * kept[..., None]).sum(2) * present[..., None]
    padded = jnp.pad(vectors, ((0, 0), (REACH, REACH), (0, 0)))
    fives = jnp.concatenate([padded[:, place : place + length] for place in range(2 * REACH + 1)], -1)
    active = jax.nn.relu(fives @ parameters["filters"] + parameters["filters.bias"]) * present[..., None]
    chunk = CHUNK if length > 2 * CHUNK else length
    count = length // chunk
    shape = (len(words), count, chunk)
    strongest, total = active.reshape(*shape, -1).max(2), active.reshape(*shape, -1).sum(2)
    sizes = present.reshape(shape).sum(2)
    if count > 1:
        real = (jnp.arange(count - 1) == 0) | (sizes[:, 1:] > 0)
        strongest, total = jnp.maximum(strongest[:, :-1], strongest[:, 1:]), total[:, :-1] + total[:, 1:]
        sizes = (sizes[:, :-1] + sizes[:, 1:]) * real
    average = total / jnp.maximum(sizes, FEWEST)[..., None]
    hidden = jax.nn.relu(jnp.concatenate([strongest, average], -1) @ parameters["hidden"] + parameters["hidden.bias"])
    values = hidden @ parameters["verdict"] + parameters["verdict.bias"]
    return jnp.where((sizes > 0)[..., None], values, -30.0).max(1)


def _loss(
    parameters: Parameters, words: jax.Array, present: jax.Array, kept: jax.Array, labels: jax.Array, weights: jax.Array
) -> jax.Array:
    values = verdicts(parameters, words, present, kept)
    losses = jnp.logaddexp(0, values) - values * labels[:, None]
    large = (parameters["filters"] ** 2).sum() + (parameters["hidden"] ** 2).sum()
    return (losses * weights).sum() / weights.sum() + DECAY * large


@jax.jit
def _step(parameters, first, second, count, rate, batch):
    """Adam."""
    loss, slopes = jax.value_and_grad(_loss)(parameters, *batch)
    first = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, first, slopes)
    second = jax.tree.map(lambda old, new: 0.99 * old + 0.01 * new * new, second, slopes)
    parameters = jax.tree.map(
        lambda value, mean, square: value - rate * mean / (1 - 0.9**count) / (jnp.sqrt(square / (1 - 0.99**count)) + 1e-6),
        parameters, first, second,
    )  # fmt: skip
    return parameters, first, second, loss


def train(
    texts: Sequence[Words], labels: np.ndarray, weights: np.ndarray, epochs: int, seed: int
) -> dict[str, np.ndarray]:
    """Parameters after training; the same for the same data, seed and machine."""
    source = np.random.default_rng(seed)
    parameters = beginning(source)
    first, second = jax.tree.map(jnp.zeros_like, parameters), jax.tree.map(jnp.zeros_like, parameters)
    count = 0
    for epoch in range(epochs):
        plan = _batches(texts, source)
        total = 0.0
        for place, (length, chosen) in enumerate(plan):
            count += 1
            words, present = _padded(texts, chosen, length)
            kept = (source.random((*present.shape, 1)) > 0.08) & (
                source.random((*present.shape, COLUMNS)) > (0.15, 0.1, 0.1)
            )
            done = (epoch + place / len(plan)) / epochs
            rate = RATE * min(1.0, count / 100) * (1 - done) ** 0.7 + RATE / 100
            batch = (words, present, kept.astype(np.float32), labels[chosen], weights[chosen])
            parameters, first, second, loss = _step(parameters, first, second, count, rate, batch)
            total += float(loss)
        print(f"epoch {epoch + 1} of {epochs}: loss {total / len(plan):.4f}", flush=True)
    return {name: np.asarray(value) for name, value in parameters.items()}


def _batches(texts: Sequence[Words], source: np.random.Generator) -> list[tuple[int, np.ndarray]]:
    lengths = np.minimum([len(text) for text in texts], LENGTHS[-1])
    plan: list[tuple[int, np.ndarray]] = []
    shorter = 0
    for length in LENGTHS:
        chosen = source.permutation(np.flatnonzero((lengths > shorter) & (lengths <= length)))
        size = BATCH // length
        plan += [(length, np.resize(chosen[place : place + size], size)) for place in range(0, len(chosen), size)]
        shorter = length
    source.shuffle(plan)
    return plan


def _padded(texts: Sequence[Words], chosen: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    words = np.zeros((len(chosen), length, COLUMNS), np.int32)
    present = np.zeros((len(chosen), length), np.float32)
    for row, place in enumerate(chosen):
        text = texts[place][:length]
        words[row, : len(text)], present[row, : len(text)] = text, 1
    return words, present
