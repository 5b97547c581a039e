"""`yett schema`: what editors and people get."""

from __future__ import annotations

import json

from click.testing import CliRunner

from yett.cli import schema


def test_it_prints_the_schema() -> None:
    result = CliRunner().invoke(schema.command, [])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["title"] == "yett.toml"
    assert found["$defs"]["GatewaySettings"]["properties"]["port"]["default"] == 8484


def test_it_prints_the_reference() -> None:
    result = CliRunner().invoke(schema.command, ["--markdown"])
    assert result.exit_code == 0
    assert "| `gateway.port` | whole number | `8484` | Port to listen on. |" in result.stdout
