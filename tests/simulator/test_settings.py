"""The configuration file: the same vocabulary in tables, and mistakes with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.errors import ConfigurationError
from yett.simulator.settings import MODELS, load

FILE = """
keys = ["sk-sim-1", "sk-sim-2"]
models = ["sim-gpt"]
seed = 7

[default]
latency.first_byte = "5ms"

[provider.onprem]
chunks = 3

[model."gpt-4o"]
status = 429
retry_after = 1
fail.first = 2
gzip = true
header.X-Region = "eu"
"""


def write(path: Path, text: str) -> Path:
    file = path / "simulator.toml"
    file.write_text(text)
    return file


def test_layers_override_each_other(tmp_path: Path) -> None:
    settings = load(write(tmp_path, FILE))
    assert settings.keys == ("sk-sim-1", "sk-sim-2")
    assert settings.models == ("sim-gpt", "gpt-4o")
    assert settings.seed == 7
    behaviour = settings.layers.behaviour("onprem", "gpt-4o+latency.first_byte=1ms+header.X-Zone=b")
    assert behaviour.latency_first_byte == 0.001
    assert (behaviour.chunks, behaviour.status, behaviour.retry_after, behaviour.gzip) == (3, 429, "1", True)
    assert behaviour.header == (("X-Region", "eu"), ("X-Zone", "b"))
    assert settings.layers.behaviour("", "other").latency_first_byte == 0.005
    assert settings.layers.behaviour("", "other").chunks == 0


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    assert load(write(tmp_path, "")).models == MODELS


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(
            write(
                tmp_path,
                '[default]\nsize = "big"\n\n[model.a]\nfail.frist = 1\n\n[provider.b]\nlatency.end = 3.5\nhang = "never"\n',
            )
        )
    lines = [(mistake.line, mistake.message) for mistake in raised.value.mistakes]
    assert [line for line, _ in lines] == [2, 9, 5]
    assert 'did you mean "fail.first"?' in lines[2][1]


@pytest.mark.parametrize("text", ["keys = 3", "[default", "unknown = 1", "model = 3"])
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError):
        load(write(tmp_path, text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load(tmp_path / "absent.toml")
