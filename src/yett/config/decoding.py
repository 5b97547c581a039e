"""From a TOML document to a typed value, collecting every mistake: msgspec's own conversion stops at the first one.

The types are msgspec's (`msgspec.inspect`), so that one declaration serves the decoder, the JSON Schema and the docs.
Where something is wrong, the default (or an empty value) takes its place, so that everything else is still checked.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET, UnsetType, inspect

from yett.config import units
from yett.config.lines import KeyPath

T = TypeVar("T", bound=msgspec.Struct)
Problem = tuple[KeyPath, str]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:[^\s].*|sealed:[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", re.ASCII)


def decode(kind: type[T], document: dict[str, Any]) -> tuple[T, list[Problem]]:
    """`document` as a `kind`, and everything that is wrong with it, in document order of the settings."""
    problems: list[Problem] = []
    decoder = _Decoder(problems)
    return cast("T", decoder.struct(_described(kind), document, ())), problems


def dotted(path: KeyPath) -> str:
    """A path as one would write it: `models.fast.targets[1]`, `prices."openai/gpt".input_usd_per_mtok`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else f'"{shown(part)}"')
    return text


def shown(text: str, most: int = 60) -> str:
    """`text` made safe for one line of a terminal: no control characters, not too long."""
    clean = _CONTROL.sub("?", text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def suggestion(wrong: str, right: Iterable[str]) -> str:
    """`; did you mean "openai"?` when something similar exists, else what there is, when it is little."""
    names = sorted(set(right))
    if close := difflib.get_close_matches(wrong[:80], names, n=1):
        return f'; did you mean "{close[0]}"?'
    if 0 < len(names) <= 8:
        return "; there is " + ", ".join(f'"{name}"' for name in names)
    return ""


@cache
def _described(kind: type[msgspec.Struct]) -> inspect.StructType:
    return cast("inspect.StructType", inspect.type_info(kind))


class _Decoder:
    """One walk over a document. A method returns UNSET where it has reported that there is nothing usable."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def wrong(self, path: KeyPath, message: str) -> UnsetType:
        self.problems.append((path, message))
        return UNSET

    def expected(self, what: str, value: object, path: KeyPath) -> UnsetType:
        return self.wrong(path, f"expected {what}, not {_as_written(value)}")

    def value(self, kind: inspect.Type, value: object, path: KeyPath) -> Any:
        return _BY_KIND[type(kind)](self, kind, value, path)

    def described(self, kind: inspect.Metadata, value: object, path: KeyPath) -> Any:
        unit = (kind.extra or {}).get("unit")
        return self.value(kind.type, value, path) if unit is None else _BY_UNIT[unit](self, kind.type, value, path)

    def optional(self, kind: inspect.UnionType, value: object, path: KeyPath) -> Any:
        """Only "T | None" occurs, and TOML cannot write None."""
        return self.value(next(one for one in kind.types if not isinstance(one, inspect.NoneType)), value, path)

    def struct(self, kind: inspect.StructType, value: object, path: KeyPath) -> Any:
        given: dict[str, Any] = {}
        whole = isinstance(value, dict)
        if isinstance(value, dict):
            given = value
        else:
            self.expected("a table", value, path)
        names = [field.encode_name for field in kind.fields]
        found: dict[str, Any] = {}
        for field in kind.fields:
            name = field.encode_name
            decoded: Any = UNSET
            if name in given:
                decoded = self.value(field.type, given[name], (*path, name))
            elif field.required and whole:
                self.wrong((*path, name), "is missing")
            if decoded is not UNSET:
                found[name] = decoded
            elif field.required:
                found[name] = _empty(field.type)
        for name in given:
            if name not in names:
                self.wrong((*path, name), f"no such setting{suggestion(name, names)}")
        return kind.cls(**found)

    def table(self, kind: inspect.DictType, value: object, path: KeyPath) -> Any:
        if not isinstance(value, dict):
            return self.expected("a table", value, path)
        decoded: dict[str, Any] = {}
        for name, item in value.items():
            if _CONTROL.search(name):  # names go into messages, logs and headers
                self.wrong((*path, name), "a control character does not belong into a name")
            else:
                decoded[name] = self.value(kind.value_type, item, (*path, name))
        return {name: item for name, item in decoded.items() if item is not UNSET}

    def array(self, kind: inspect.VarTupleType, value: object, path: KeyPath) -> Any:
        if not isinstance(value, list):
            return self.expected("an array", value, path)
        decoded = [self.value(kind.item_type, item, (*path, index)) for index, item in enumerate(value)]
        return tuple(_empty(kind.item_type) if item is UNSET else item for item in decoded)  # positions are kept

    def choice(self, kind: inspect.LiteralType, value: object, path: KeyPath) -> Any:
        values = [str(one) for one in kind.values]
        if isinstance(value, str) and value in values:
            return value
        close = difflib.get_close_matches(value[:80], values, n=1) if isinstance(value, str) else []
        hint = f'; did you mean "{close[0]}"?' if close else ""
        what = " or ".join(f'"{one}"' for one in values)
        return self.wrong(path, f"expected {what}, not {_as_written(value)}{hint}")

    def boolean(self, _: inspect.BoolType, value: object, path: KeyPath) -> Any:
        return value if isinstance(value, bool) else self.expected("true or false", value, path)

    def integer(self, kind: inspect.IntType, value: object, path: KeyPath) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return self.expected("a whole number", value, path)
        return self.bounded(kind, value, path, str)

    def real(self, kind: inspect.FloatType, value: object, path: KeyPath) -> Any:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self.expected("a number", value, path)
        return self.bounded(kind, value, path, "{:g}".format)

    def bounded(self, kind: _Numeric, value: float, path: KeyPath, form: Callable[[Any], str]) -> Any:
        if not math.isfinite(value):
            return self.wrong(path, f"expected a finite number, not {value}")
        if kind.ge is not None and value < kind.ge:
            return self.wrong(path, f"must be at least {form(kind.ge)}, not {form(value)}")
        if kind.gt is not None and value <= kind.gt:
            return self.wrong(path, f"must be more than {form(kind.gt)}, not {form(value)}")
        if kind.le is not None and value > kind.le:
            return self.wrong(path, f"must be at most {form(kind.le)}, not {form(value)}")
        return float(value) if isinstance(kind, inspect.FloatType) else value

    def text(self, kind: inspect.StrType, value: object, path: KeyPath) -> Any:
        if not isinstance(value, str):
            return self.expected("a string", value, path)
        if _CONTROL.search(value):
            return self.wrong(path, "a control character does not belong here")
        if kind.min_length is not None and len(value) < kind.min_length:
            return self.wrong(path, "must not be empty")
        if kind.pattern is not None and not re.search(kind.pattern, value):
            return self.wrong(path, f"{_as_written(value)} is not of the form {kind.pattern}")
        return value

    def duration(self, kind: inspect.FloatType, value: object, path: KeyPath) -> Any:
        if isinstance(value, str):
            return self.measured(kind, value, path, (units.parse_duration, units.format_duration))
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self.expected('something like "30s"', value, path)
        return self.bounded(kind, value, path, units.format_duration)

    def size(self, kind: inspect.IntType, value: object, path: KeyPath) -> Any:
        if isinstance(value, str):
            return self.measured(kind, value, path, (units.parse_size, units.format_size))
        if isinstance(value, bool) or not isinstance(value, int):
            return self.expected('something like "8MiB"', value, path)
        return self.bounded(kind, value, path, units.format_size)

    def measured(
        self, kind: _Numeric, value: str, path: KeyPath, unit: tuple[Callable[[str], float], Callable[[Any], str]]
    ) -> Any:
        parse, form = unit
        try:
            number = parse(value)
        except ValueError as error:
            return self.wrong(path, f"{_as_written(value)}: {error}")
        return self.bounded(kind, number, path, form)

    def budget(self, _: inspect.StrType, value: object, path: KeyPath) -> Any:
        if not isinstance(value, str):
            return self.expected('something like "50usd/month"', value, path)
        try:
            units.parse_budget(value)
        except ValueError as error:
            return self.wrong(path, f"{_as_written(value)}: {error}")
        return value

    def secret(self, _: inspect.StrType, value: object, path: KeyPath) -> Any:
        # whatever stands here may be a secret, so it is never repeated in the message
        if isinstance(value, str) and _REFERENCE.fullmatch(value) and not _CONTROL.search(value):
            return value
        owner = str(path[1]) if path[0] in {"providers", "guardrails"} else "yett"
        name = re.sub(r"[^A-Z0-9]+", "_", owner.upper()).strip("_") + ("_TOKEN" if owner == "yett" else "_API_KEY")
        return self.wrong(
            path,
            f'a secret must not be written here: put it into an environment variable and write "env:{name}", '
            'into a file and write "file:PATH", or seal it with "yett credentials add NAME" and write "sealed:NAME"',
        )


_Numeric = inspect.IntType | inspect.FloatType

_BY_KIND: dict[type[inspect.Type], Callable[..., Any]] = {
    inspect.Metadata: _Decoder.described,
    inspect.UnionType: _Decoder.optional,
    inspect.StructType: _Decoder.struct,
    inspect.DictType: _Decoder.table,
    inspect.VarTupleType: _Decoder.array,
    inspect.LiteralType: _Decoder.choice,
    inspect.BoolType: _Decoder.boolean,
    inspect.IntType: _Decoder.integer,
    inspect.FloatType: _Decoder.real,
    inspect.StrType: _Decoder.text,
}
_BY_UNIT: dict[str, Callable[..., Any]] = {
    "duration": _Decoder.duration,
    "size": _Decoder.size,
    "budget": _Decoder.budget,
    "secret": _Decoder.secret,
}


def _empty(kind: inspect.Type) -> object:
    """What stands in for a required value that is missing or wrong."""
    match kind:
        case inspect.Metadata(type=inner):
            return _empty(inner)
        case inspect.StrType():
            return ""
        case inspect.StructType():
            return kind.cls()
        case inspect.DictType():
            return {}
        case inspect.VarTupleType():
            return ()
        case _:
            return 0


def _as_written(value: object) -> str:
    """A value roughly as TOML would write it, short enough for a message."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{shown(value)}"'
        case dict():
            return "a table"
        case list():
            return "an array"
        case _:
            return shown(str(value))
