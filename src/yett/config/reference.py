"""The settings described: as JSON Schema for editors, as Markdown for docs/configuration.md. Both from `settings` alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from msgspec import inspect

from yett.config import units
from yett.config.settings import Settings


class Setting(msgspec.Struct, frozen=True):
    """One row of the reference. `path` is as written in a message, with NAME for a name of your choice."""

    path: str
    type: str
    default: str
    description: str


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of yett.toml."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "yett.toml",
        **msgspec.json.schema(Settings),
    }


def settings_reference() -> list[tuple[str, str, list[Setting]]]:
    """Every table of yett.toml with what it is for and its settings, in the order they are declared."""
    top = cast("inspect.StructType", inspect.type_info(Settings))
    return list(_tables("", top))


def markdown() -> str:
    """The reference part of docs/configuration.md."""
    parts = []
    for path, meaning, settings in settings_reference():
        title = f"`{_header(path)}`" if path else "At the top"
        parts.append(f"### {title}\n\n{meaning}\n\n| Setting | Type | Default | Meaning |\n|---|---|---|---|")
        for setting in settings:
            cells = (f"`{setting.path}`", setting.type, setting.default, setting.description)
            parts[-1] += "\n| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    return "\n\n".join(parts) + "\n"


def _header(path: str) -> str:
    """How a table begins in the file: an array of tables is written in place, as one of its elements."""
    return path if path.endswith("]") else f"[{path}]"


def _tables(path: str, kind: inspect.StructType) -> Iterator[tuple[str, str, list[Setting]]]:
    rows: list[Setting] = []
    inner: list[tuple[str, inspect.StructType]] = []
    for field in kind.fields:
        name = f"{path}.{field.encode_name}" if path else field.encode_name
        plain, description, unit = _plain(field.type)
        match plain:
            case inspect.StructType():
                inner.append((name, plain))
            case inspect.DictType(value_type=inspect.StructType() as value):
                inner.append((f'{name}."PROVIDER/MODEL"' if field.encode_name == "prices" else f"{name}.NAME", value))
            case inspect.VarTupleType(item_type=inspect.StructType() as item):
                rows.append(Setting(name, "array of tables", "required", description))
                inner.append((f"{name}[]", item))
            case _:
                rows.append(Setting(name, _type(plain, unit), _default(field, unit), description))
    meaning = textwrap.dedent(kind.cls.__doc__ or "").strip()
    if rows:
        yield path, meaning, rows
    for name, struct in inner:
        yield from _tables(name, struct)


def _plain(kind: inspect.Type) -> tuple[inspect.Type, str, str]:
    """A setting's type without its wrappers, its description and its unit."""
    description, unit = "", ""
    while True:
        match kind:
            case inspect.Metadata():
                description = description or (kind.extra_json_schema or {}).get("description", "")
                unit = unit or (kind.extra or {}).get("unit", "")
                kind = kind.type
            case inspect.UnionType():
                kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
            case _:
                return kind, description, unit


_NAMES: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "whole number",
    inspect.FloatType: "number",
    inspect.StrType: "string",
}


def _type(kind: inspect.Type, unit: str) -> str:
    if unit:
        return "secret reference" if unit == "secret" else unit
    match kind:
        case inspect.LiteralType(values=values):
            return " or ".join(f'`"{value}"`' for value in values)
        case inspect.VarTupleType(item_type=item):
            inner, _, inner_unit = _plain(item)
            return f"array of {_type(inner, inner_unit)}{'' if isinstance(inner, inspect.LiteralType) else 's'}"
        case inspect.DictType(value_type=value):
            return f"table of {_type(_plain(value)[0], '')}s"
        case _:
            return _NAMES[type(kind)]


def _default(field: inspect.Field, unit: str) -> str:
    if field.required:
        return "required"
    value = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
    if value is None:
        return "none"
    if unit == "duration":
        return f'`"{units.format_duration(value)}"`'
    if unit == "size":
        return f'`"{units.format_size(value)}"`'
    return f"`{msgspec.json.encode(value).decode().replace(',', ', ')}`"
