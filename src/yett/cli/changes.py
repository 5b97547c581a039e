"""Changes that are made at the command line: each is in the audit journal before it counts, with who made it, or is not made."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from yett.cli.system import SystemClock
from yett.config.reader import read
from yett.config.reading import Reading
from yett.errors import ConfigurationError, Refusal
from yett.model.record import Record
from yett.stores.journal import open_journal
from yett.stores.pepper import state_directory
from yett.stores.sqlite import StoreUnavailable


def strict_reading(config: Path) -> Reading:
    """yett.toml without its secrets. Raises ConfigurationError."""
    return _reading(config, lenient=False)


def lenient_reading(config: Path) -> Reading:
    """The same as far as it can be read: who has to be kept out is kept out while the file has mistakes elsewhere."""
    return _reading(config, lenient=True)


def _reading(config: Path, *, lenient: bool) -> Reading:
    reading = read(config, None)
    if reading.mistakes and not (lenient and reading.parsed):
        raise ConfigurationError(reading.mistakes)
    for mistake in reading.mistakes:
        click.echo(f"warning: {mistake}", err=True)
    return reading


def operator() -> str:
    """Who is at the command line."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry for this user id, as in many containers
        return ""


def refuse_other_users(reading: Reading) -> None:
    """What another user (often root) writes here, the gateway could not read at its next start."""
    database = reading.state / "yett.db"
    try:
        owner = database.stat().st_uid
    except OSError:
        return  # there is none yet, or opening it will say why not
    if owner != os.geteuid():
        raise StoreUnavailable(f"{database} belongs to user {owner}; run this as that user, as the gateway does")


@contextmanager
def recorded(reading: Reading) -> Iterator[Callable[[Record], None]]:
    """The audit journal for changes: what writes a record to it, or raises StoreUnavailable, so that the change is not made."""
    state_directory(reading.state)  # before the journal, which would leave it open to others
    try:
        journal = open_journal(
            reading.audit, reading.state, SystemClock(), durability=reading.settings.audit.durability
        )
    except (OSError, Refusal) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise StoreUnavailable(f"the audit journal {reading.audit} cannot be written: {reason}") from error

    def write(record: Record) -> None:
        try:
            journal.write(record)
        except Refusal as refusal:
            raise StoreUnavailable(
                f"the audit journal {reading.audit} cannot be written: nothing was changed"
            ) from refusal

    try:
        yield write
    finally:
        journal.close()
