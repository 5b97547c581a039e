"""The simulator's configuration file: which keys it takes, which models it has, and how each behaves from the start."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from yett.errors import ConfigurationError, Mistake
from yett.simulator.behaviour import BadBehaviour, Behaviour, read, split

MODELS = ("sim-gpt", "sim-gpt-mini", "sim-large")


class Layers(Struct, frozen=True):
    """Words (key -> value) per layer; a later layer overrides: default, provider (first path segment), model, model name."""

    default: dict[str, str] = {}
    providers: dict[str, dict[str, str]] = {}
    models: dict[str, dict[str, str]] = {}

    def behaviour(self, provider: str, model: str) -> Behaviour:
        """How `model` (a full name with its words) behaves when called below `/provider/v1`. Raises BadBehaviour."""
        base, words = split(model)
        behaviour = Behaviour()
        for layer in (self.default, self.providers.get(provider), self.models.get(base), words):
            if layer:
                behaviour = read(layer, behaviour)
        return behaviour


class Settings(Struct, frozen=True):
    """`keys`: accepted bearer keys, any when empty. `strict`: models that are not listed are not found. `seed` goes into the
    ids. The last `record_requests` requests of at most `record_bytes` bytes together are kept for inspection."""

    keys: tuple[str, ...] = ()
    models: tuple[str, ...] = MODELS
    strict: bool = False
    seed: int = 0
    record_requests: int = 1_000
    record_bytes: int = 64_000_000
    max_body_bytes: int = 256_000_000
    layers: Layers = Layers()


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[str, ...] = ()
    models: tuple[str, ...] = MODELS
    strict: bool = False
    seed: int = 0
    record_requests: int = 1_000
    record_bytes: int = 64_000_000
    default: dict[str, object] = {}
    provider: dict[str, dict[str, object]] = {}
    model: dict[str, dict[str, object]] = {}


def load(path: Path) -> Settings:
    """Read a configuration file. Raises ConfigurationError with every mistake that can be told apart."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        file = msgspec.convert(tomllib.loads(text), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ConfigurationError((Mistake(str(path), 0, reason),)) from error
    mistakes: list[Mistake] = []

    def layer(table: str, values: Mapping[str, object]) -> dict[str, str]:
        words = _flat(values)
        for key, value in words.items():
            try:
                read({key: value}, Behaviour())
            except BadBehaviour as error:
                mistakes.append(Mistake(str(path), _line(text, key), f"[{table}] {error}"))
        return words

    layers = Layers(
        layer("default", file.default),
        {name: layer(f"provider.{name}", values) for name, values in file.provider.items()},
        {name: layer(f"model.{name}", values) for name, values in file.model.items()},
    )
    if mistakes:
        raise ConfigurationError(tuple(mistakes))
    models = tuple(dict.fromkeys((*file.models, *file.model)))
    return Settings(file.keys, models, file.strict, file.seed, file.record_requests, file.record_bytes, layers=layers)


def _flat(values: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Dotted keys and their values as the words they would be in a model name."""
    words: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            words.update(_flat(value, f"{prefix}{key}."))
        else:
            words[prefix + key] = str(value).lower() if isinstance(value, bool) else str(value)
    return words


def _line(text: str, key: str) -> int:
    """The line that `key`, or its last part, is set on; 0 when it cannot be told."""
    for candidate in (key, key.rpartition(".")[2]):
        for number, line in enumerate(text.splitlines(), 1):
            if line.partition("=")[0].strip() == candidate:
                return number
    return 0
