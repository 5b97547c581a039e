"""A suppression as a table of yett.toml, and how it is added to the file: whole, or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from yett.config.reader import parse
from yett.config.reading import Reading
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

    The file is replaced in one step, with its owner and mode: a gateway that is watching it sees the one or the other. What somebody else
    has written meanwhile stays.
    """
    config = config.resolve()  # what a link leads to is replaced, not the link
    try:
        folder = os.open(config.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # one such command at a time
            while not _added(config, text, environment):
                pass
        finally:
            os.close(folder)
    except OSError as error:
        raise Refused(f"{config} cannot be written: {error.strerror}") from None


def _added(config: Path, text: str, environment: Mapping[str, str]) -> bool:
    """False: somebody else was writing, in an editor, say. Raises Refused, OSError."""
    before = _content(config)
    ends = "\r\n" if "\r\n" in before else "\n"
    after = before.rstrip() + f"\n\n{text}".replace("\n", ends)
    old, new = parse(before, config, environment), parse(after, config, environment)
    if not old.parsed:
        raise Refused(f"nothing can be added to a file with such a mistake: {old.mistakes[0]}")
    known = _mistakes(old)
    if fresh := [mistake for mistake in _mistakes(new) if mistake not in known]:
        raise Refused(f"this cannot be added to {config}: {fresh[0]}")
    place = config.stat()
    with tempfile.NamedTemporaryFile(dir=config.parent, prefix=".yett-", delete=False) as file:
        fresh_file = Path(file.name)
        try:
            os.fchown(file.fileno(), place.st_uid, place.st_gid)  # who serves has to be able to read it
            os.fchmod(file.fileno(), place.st_mode & 0o777)
            file.write(after.encode())
            file.flush()
            os.fsync(file.fileno())
            unchanged = _content(config) == before
            if unchanged:
                fresh_file.replace(config)
        finally:
            fresh_file.unlink(missing_ok=True)
    return unchanged


def _content(config: Path) -> str:
    try:
        return config.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{config} cannot be read: {error}") from None


def _mistakes(reading: Reading) -> list[str]:
    mistakes: list[Mistake] = list(reading.mistakes)
    suppressions(reading, mistakes)
    return [mistake.message for mistake in mistakes]
