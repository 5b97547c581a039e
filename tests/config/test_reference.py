"""docs/configuration.md says what settings.py says, and the JSON Schema agrees with the decoder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from yett.config.live import AT_START
from yett.config.reference import json_schema, markdown, settings_reference
from yett.config.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()


def test_every_setting_is_on_the_page() -> None:
    assert markdown() in PAGE, "run: yett schema --markdown, and put its output at the end of docs/configuration.md"


def test_every_setting_is_described() -> None:
    tables = settings_reference()
    for path, meaning, rows in tables:
        assert meaning.endswith("."), path
        for row in rows:
            assert row.description.endswith("."), row.path
    paths = [row.path for _, _, rows in tables for row in rows]
    assert len(paths) == len(set(paths)) > 60
    assert {"mode", "gateway.port", "models.NAME.targets[].weight", "teams.NAME.limits.budget"} <= set(paths)


def test_what_needs_a_restart_is_on_the_page() -> None:
    known = {row.path for _, _, rows in settings_reference() for row in rows}
    for section, name in AT_START:
        assert f"`{section}.{name}`" in PAGE
        assert f"{section}.{name}" in known


def resolve(schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    optional = next((one for one in schema.get("anyOf", ()) if "$ref" in one), schema)  # a table that may be left out
    reference = optional.get("$ref")
    return whole["$defs"][reference.rpartition("/")[2]] if reference else schema


def test_the_schema_describes_every_setting() -> None:
    whole = json_schema()
    assert whole["$schema"].endswith("2020-12/schema")
    for _, _, rows in settings_reference():
        for row in rows:
            schema = resolve(whole, whole)
            for part in re.findall(r'"[^"]*"|[^.\[\]]+|\[\]', row.path):
                if part == "[]":
                    schema = resolve(schema["items"], whole)
                elif part == "NAME" or part.startswith('"'):
                    schema = resolve(schema["additionalProperties"], whole)
                else:
                    assert schema["additionalProperties"] is False
                    description = schema["properties"][part].get("description")
                    schema = resolve(schema["properties"][part], whole)
            assert description == row.description


@pytest.mark.parametrize(
    ("table", "name", "good", "bad"),
    [
        ("GatewaySettings", "idle_timeout", ["30s", "1.5h", "500ms"], ["30", "30 s", "3w"]),
        ("GatewaySettings", "max_body_bytes", ["8MiB", "512B"], ["8", "8mb"]),
        ("LimitSettings", "budget", ["50usd/month", "0.5usd/day"], ["50", "50usd", "50usd/year"]),
        ("AdminSettings", "token", ["env:A", "file:/x", "sealed:a"], ["sk-1", "env:"]),
    ],
)
def test_an_editor_accepts_what_yett_accepts(table: str, name: str, good: list[str], bad: list[str]) -> None:
    pattern = json_schema()["$defs"][table]["properties"][name]["pattern"]
    assert all(re.search(pattern, text) for text in good)
    assert not any(re.search(pattern, text) for text in bad)


def test_defaults_survive_a_round_trip() -> None:
    assert msgspec.convert(msgspec.to_builtins(Settings()), Settings) == Settings()
