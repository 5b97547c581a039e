"""Where the audit journal is, the times that are asked for, and what it has kept of prompts and replies."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from yett.cli.common import configuration_option
from yett.config import units
from yett.config.reader import read
from yett.errors import ConfigurationError, IntegrityError, Mistake
from yett.model.record import Content
from yett.stores.blobs import NAME, ContentKey, open_blob
from yett.stores.journal import CONTENT_KEY
from yett.stores.journal_reader import Entry

Command = TypeVar("Command", bound=Callable[..., Any])


def places(function: Command) -> Command:
    kind = click.Path(path_type=Path, exists=True, file_okay=False)
    folder = click.option("--dir", "folder", type=kind, help="The audit journal; by default that of yett.toml.")
    return folder(configuration_option(function))


def folder_of(folder: Path | None, config: Path) -> Path:
    """Raises UsageError when there is no journal."""
    folder = folder or read(config, os.environ).audit
    if not folder.is_dir():
        raise click.UsageError(f"{folder}: there is no audit journal here yet; --dir says where another one is")
    return folder


class Moment(click.ParamType[Any]):
    """A time in UTC, or how long ago: microseconds since the epoch."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value)
        try:
            if re.fullmatch(r"\d{4}-.*", text):
                moment = datetime.fromisoformat(text)
                return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
            return int((datetime.now(UTC).timestamp() - units.parse_duration(text)) * 1_000_000)
        except (ValueError, OverflowError):
            self.fail(
                f'"{text}" is neither a time like 2026-11-21T08:30 (UTC) nor an age like 90s, 2h or 7d', param, ctx
            )


def opener(folder: Path, config: Path) -> Callable[[Entry], dict[str, object]]:
    """Opens what an entry has kept. Raises ConfigurationError when the key is not there: it is never made by reading."""
    path = read(config, os.environ).state / CONTENT_KEY
    if not path.is_file():
        raise ConfigurationError((Mistake(str(path), 0, "is not there, and content cannot be opened without it"),))
    key = ContentKey.load(path)

    return lambda each: contents(folder, each, key)


def contents(folder: Path, each: Entry, key: ContentKey) -> dict[str, object]:
    """What an entry has kept, by `request_text` and `reply_text`."""
    parts = (("request", each.record.request), ("reply", each.record.reply))
    return {f"{part}_text": text for part, kept in parts for text in _text(folder, each, part, kept, key)}


def _text(folder: Path, each: Entry, part: str, kept: Content | None, key: ContentKey) -> Iterator[str]:
    if kept is None or not NAME.fullmatch(kept.blob):
        return
    try:
        yield open_blob(folder, kept.blob, each.record.call, part, key).decode(errors="replace")
    except IntegrityError as error:
        yield f"(cannot be opened: {error})"
