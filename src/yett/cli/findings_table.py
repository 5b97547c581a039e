"""A suppression as a table of yett.toml, and how it is added to the file: whole, or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from yett.config.reader import parse
from yett.config.suppressions import suppressions
from yett.errors import Mistake, YettError


class Refused(YettError):
    """A table does not fit into the file."""


def table(name: str, **settings: str | tuple[str, ...]) -> str:
    """The text of `[inspection.suppressions.NAME]`; what is empty is left out."""
    lines = [f"[inspection.suppressions.{_quoted(name)}]"]
    for key, value in settings.items():
        if value:
            written = [_quoted(each) for each in value] if isinstance(value, tuple) else _quoted(value)
            lines.append(f"{key} = [{', '.join(written)}]" if isinstance(written, list) else f"{key} = {written}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A basic string of TOML, which is written like one of JSON."""
    return json.dumps(text, ensure_ascii=False)


def add_table(config: Path, text: str, environment: Mapping[str, str]) -> None:
    """Append a table to a configuration, if that then has no more mistakes than before. Raises Refused.

    The file is replaced in one step: a gateway that is watching it sees the one or the other.
    """
    try:
        before = config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{config} cannot be read: {error}") from None
    after = f"{before.rstrip()}\n\n{text}"
    old, new = _mistakes(before, config, environment), _mistakes(after, config, environment)
    if fresh := [mistake for mistake in new if mistake not in old]:
        raise Refused(f"this cannot be added to {config}: {fresh[0]}")
    with tempfile.NamedTemporaryFile("w", dir=config.parent, delete=False, encoding="utf-8") as file:
        file.write(after)
        file.flush()
        os.fsync(file.fileno())
    fresh_file = Path(file.name)
    fresh_file.chmod(config.stat().st_mode & 0o777)
    fresh_file.replace(config)


def _mistakes(text: str, config: Path, environment: Mapping[str, str]) -> list[str]:
    reading = parse(text, config, environment)
    mistakes: list[Mistake] = list(reading.mistakes)
    suppressions(reading, mistakes)
    return [mistake.message for mistake in mistakes]
