"""A configuration in which every setting is set, for tests that nothing is forgotten when one more is added."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import inspect

from yett.config.settings import Settings

Path = tuple[str | int, ...]


def settings(text: str) -> Settings:
    """`text` stands wherever a string can. It is made, not read: nobody has checked it."""
    made: Settings = _sample(inspect.type_info(Settings), text)
    return made


def strings(kind: inspect.Type | None = None, path: Path = (), unit: str = "") -> Iterator[tuple[Path, str]]:
    """Where they are in it, each with its unit, as in "secret"."""
    match kind or inspect.type_info(Settings):
        case inspect.Metadata(type=inner, extra=extra):
            yield from strings(inner, path, (extra or {}).get("unit", ""))
        case inspect.UnionType(types=types):
            yield from strings(types[0], path, unit)
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from strings(field.type, (*path, field.encode_name))
        case inspect.DictType(value_type=inner):
            yield from strings(inner, (*path, "some"))
        case inspect.VarTupleType(item_type=inner):
            yield from strings(inner, (*path, 0))
        case inspect.StrType():
            yield path, unit


def _sample(kind: inspect.Type, text: str) -> Any:
    sample: Any = 1  # of a number
    match kind:
        case inspect.Metadata(type=inner) | inspect.UnionType(types=(inner, *_)):
            sample = _sample(inner, text)
        case inspect.StructType(cls=cls, fields=fields):
            sample = cls(**{field.name: _sample(field.type, text) for field in fields})
        case inspect.DictType(value_type=inner):
            sample = {"some": _sample(inner, text)}
        case inspect.VarTupleType(item_type=inner):
            sample = (_sample(inner, text),)
        case inspect.LiteralType(values=values):
            sample = values[0]
        case inspect.StrType():
            sample = text
    return sample
