"""`yett credentials`: seal what providers are called with, list, rotate and remove it, and change the key that everything is under.

A value is never an argument: arguments are in the shell's history and in every process list.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users
from yett.cli.common import INTEGRITY, configuration_option, json_option, print_json, told
from yett.cli.sealed import kek_of, place_of
from yett.cli.state import open_shared
from yett.cli.system import SystemClock
from yett.config.reading import Reading
from yett.config.sealed import Place
from yett.config.secrets import secret_at, secret_references
from yett.model.record import Record
from yett.stores.credentials import Credential, CredentialMistake, CredentialStore, Rewrapped, all_agree
from yett.stores.database import Database
from yett.stores.envelope import KEY_BYTES
from yett.stores.kek import Either, Kek, KekTrouble, fresh, keep_newest, put_in_front, ring
from yett.stores.replicas import SAY_SECONDS, Replicas
from yett.stores.sealed_signing import SealedSeeds
from yett.stores.transit import Transit

RENEWED_SECONDS = 2 * SAY_SECONDS + 2  # until gateways have read a new key, and said so
_SOON = "running gateways take it up within a second or two"

_from_option = click.option(
    "--from", "origin", default="", help="Take the value from env:NAME or file:PATH instead of standard input."
)
_owner_option = click.option("--owner", default="", help="Whose it is: a person or a team to ask. Else who adds it.")


@click.group("credentials")
def command() -> None:
    """Seal provider credentials, which yett.toml then names as "sealed:NAME".

    They are kept encrypted, under keys that are themselves under a key-encryption key (see [credentials] in yett.toml). A value is
    read from a prompt, standard input or --from; it cannot be shown again.
    """


@command.command()
@click.argument("name")
@_owner_option
@_from_option
@configuration_option
@json_option
def add(*, name: str, owner: str, origin: str, config: Path, as_json: bool) -> None:
    """Seal a value under a new NAME."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        place = place_of(reading, os.environ)
        value = value_of(origin, reading)
        with store_of(reading) as store:
            kek = kek_of(place, make=not store.change())
            added = store.add(name, value, owner or operator(), _now(), kek)
    _show(added, f'sealed; write "sealed:{name}" where yett.toml wants the secret', reading, as_json=as_json)


@command.command("list")
@configuration_option
@json_option
def list_(*, config: Path, as_json: bool) -> None:
    """List the sealed credentials, with whose they are, how old they are and what uses them. Needs no key."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with open_credentials(reading) as store:
            found = store.list()
    now = _now()
    if as_json:
        print_json({"credentials": [described(one, reading, now) for one in found]})
    elif found:
        _table([_row(one, reading, now) for one in found])
    else:
        click.echo("no sealed credentials; `yett credentials add NAME` seals one")


@command.command()
@click.argument("name")
@_owner_option
@_from_option
@configuration_option
@json_option
def rotate(*, name: str, owner: str, origin: str, config: Path, as_json: bool) -> None:
    """Replace the value of NAME. The one before is gone; revoke it at the provider once nothing uses it."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        kek = kek_of(place_of(reading, os.environ))
        value = value_of(origin, reading)
        with store_of(reading) as store:
            rotated = store.rotate(name, value, _now(), kek, owner)
    _show(rotated, f"version {rotated.version}; {_SOON}", reading, as_json=as_json)


@command.command()
@click.argument("name")
@configuration_option
@json_option
def remove(*, name: str, config: Path, as_json: bool) -> None:
    """Forget NAME. Refused while yett.toml refers to it."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        if users := used_by(name, reading):
            raise CredentialMistake(f'"{name}" is in use: {", ".join(users)} in {reading.file}')
        kek = kek_of(place_of(reading, os.environ))
        with store_of(reading) as store:
            removed = store.remove(name, kek)
    _show(removed, "removed", reading, as_json=as_json)


@command.command()
@click.option("--new", is_flag=True, help="Make a new key-encryption key first: in its file, or in the transit engine.")
@click.option(
    "--old",
    default="",
    metavar="REFERENCE",
    help="Where the former key is, when yett.toml names another one now: file:PATH, env:NAME.",
)
@configuration_option
@json_option
def rewrap(*, new: bool, old: str, config: Path, as_json: bool) -> None:
    """Put all data keys under the newest key-encryption key; the credentials themselves stay as they are."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        outcome = rewrapped(reading, new=new, old=old)
    if as_json:
        print_json({"rewrapped": outcome.done, "already": outcome.already, "failed": dict(outcome.troubles)})
    else:
        click.echo(f"{outcome.done} under the newest key-encryption key now, {outcome.already} were already")
        for name, why in outcome.troubles.items():
            click.echo(f"{name}: {why}", err=True)
    if outcome.troubles:
        sys.exit(INTEGRITY)


# ---- what `yett drill` shares ---------------------------------------------------------------------------------------


def rewrapped(reading: Reading, *, new: bool = False, old: str = "") -> Rewrapped:
    """Wrap everything anew. At every moment of it all credentials can be opened with what the settings name: a new key is put in
    front of the old one, which is taken out when nothing is under it any more. (Not of a file that the settings name: what else is
    under that key, only its owner knows.)"""
    place = place_of(reading, os.environ)
    file = _kek_file(place)
    with store_of(reading) as store, _signing(reading) as signing:
        if not (store.change() or signing is not None):
            return Rewrapped(0, 0, {})
        kek = kek_of(place)
        if new:
            kek = _renewed(kek, file)
        either = Either(kek, _former(old, reading)) if old else kek
        if signing is not None:
            newest = either.wrap([bytes(KEY_BYTES)])[0].kek
            Agreement(signing, RENEWED_SECONDS if new else 0.0)(frozenset((newest,)))
        outcome = store.rewrap(either) if store.change() else Rewrapped(0, 0, {})
        if signing is not None:
            SealedSeeds(signing, lambda: either).rewrap()
    if file == place.state / "kek" and not outcome.troubles:
        keep_newest(file)
    return outcome


@contextmanager
def _signing(reading: Reading) -> Iterator[Database | None]:
    """The database in which the keys that task tokens are signed with are sealed as well, where there is one."""
    database = open_shared(reading)
    try:
        yield database
    finally:
        if database is not None:
            database.close()


def used_by(name: str, reading: Reading) -> list[str]:
    """The settings that refer to a sealed credential."""
    named = [path for path, reference in secret_references(reading.settings) if reference == f"sealed:{name}"]
    return [".".join(map(str, path)) for path in named]


def described(one: Credential, reading: Reading, now: int) -> dict[str, object]:
    return {
        "name": one.id,
        "version": one.version,
        "owner": one.owner,
        "last4": one.last4,
        "created": _when(one.created),
        "rotated": _when(one.rotated),
        "age_seconds": max(0, now - one.rotated),
        "kek": one.kek,
        "used_by": used_by(one.id, reading),
    }


@contextmanager
def store_of(reading: Reading) -> Iterator[CredentialStore]:
    """The store of sealed credentials, with each change recorded in the audit journal before it is committed. Of those that several
    machines share, nothing is sealed under a key that one of them does not have."""
    refuse_other_users(reading)
    with recorded(reading) as write:

        def witness(event: str, one: Credential) -> None:
            detail: dict[str, object] = {"user": operator(), "owner": one.owner, "version": one.version, "kek": one.kek}
            ts = int(SystemClock().now() * 1e6)
            write(Record(kind="event", call=one.id, ts=ts, name=one.id, event=event, detail=detail))

        database = open_shared(reading)
        agree = all_agree if database is None else Agreement(database)
        with CredentialStore.open(reading.state, database=database, witness=witness, agree=agree) as store:
            yield store


def open_credentials(reading: Reading) -> CredentialStore:
    """To read what does not need a key."""
    return CredentialStore.open(reading.state, database=open_shared(reading))


class Agreement:
    """Asks whether all gateways that share a database have the keys that something is to be sealed under; those that run are given a
    while to read one that has just been written. Raises CredentialMistake."""

    def __init__(self, database: Database, patience: float = 0.0) -> None:
        self._replicas = Replicas(database)
        self.patience = patience

    def __call__(self, keks: frozenset[str]) -> None:
        deadline = time.monotonic() + self.patience
        while lacking := self._replicas.without(keks, _now()):
            if time.monotonic() >= deadline:
                raise CredentialMistake(
                    f"these gateways do not have the key-encryption key {', '.join(sorted(keks))}, and could not open what is under "
                    f"it: {', '.join(lacking)}. Give it to them, in front of the old one, and try again; nothing is under it yet"
                )
            time.sleep(0.25)


# ---- the parts ------------------------------------------------------------------------------------------------------


def _kek_file(place: Place) -> Path | None:
    """The file that the key-encryption key is in, if it is in one."""
    settings = place.settings
    if settings.transit.address or settings.kek.startswith("env:"):
        return None
    return place.root / Path(settings.kek.partition(":")[2]).expanduser() if settings.kek else place.state / "kek"


def _renewed(kek: Kek, file: Path | None) -> Kek:
    if isinstance(kek, Transit):
        kek.rotate()
        return kek
    if file is None:
        raise CredentialMistake(
            "the key-encryption key is in a variable: put a new one in front of it there (NEW,OLD), and run this without --new"
        )
    return ring(put_in_front(file, fresh()), str(file))


def _former(old: str, reading: Reading) -> Kek:
    if not old.startswith(("env:", "file:")):
        raise CredentialMistake('--old is a reference: "file:PATH" or "env:NAME"')
    value, trouble = secret_at(old, reading.root, os.environ)
    if trouble:
        raise KekTrouble(trouble)
    return ring(value, old)


def value_of(origin: str, reading: Reading) -> str:
    """What is to be sealed. Raises CredentialMistake: here a mistake can still be put right."""
    if not origin:
        text = (
            click.prompt("Value", hide_input=True, confirmation_prompt=True, err=True)
            if sys.stdin.isatty()
            else sys.stdin.read()
        )
    elif origin.startswith("env:"):
        text = os.environ.get(origin[4:], "")
    elif origin.startswith("file:"):
        try:
            text = reading.own(origin[5:]).read_text("utf-8")
        except OSError as error:
            raise CredentialMistake(f"{origin[5:]} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CredentialMistake(f"{origin[5:]} is not UTF-8 text") from error
    else:
        raise CredentialMistake('--from is a reference: "env:NAME" or "file:PATH"')
    text = text.strip()
    if not text:
        raise CredentialMistake(f"{origin or 'standard input'} is empty")
    if not text.startswith("-----BEGIN ") and not (text.isascii() and text.isprintable() and " " not in text):
        raise CredentialMistake("the value contains a blank or a character that cannot go into a header")
    return text


def _show(one: Credential, what: str, reading: Reading, *, as_json: bool) -> None:
    if as_json:
        print_json(described(one, reading, _now()))
    else:
        click.echo(f"{one.id} ({one.owner}{f', …{one.last4}' if one.last4 else ''}): {what}")


def _row(one: Credential, reading: Reading, now: int) -> tuple[str, ...]:
    return (
        one.id,
        one.owner,
        str(one.version),
        f"…{one.last4}" if one.last4 else "",
        age(max(0, now - one.rotated)),
        one.kek,
        ", ".join(used_by(one.id, reading)) or "nothing",
    )


def age(seconds: int) -> str:
    """Roughly, in the largest unit that fits."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _table(rows: list[tuple[str, ...]]) -> None:
    heading = ("NAME", "OWNER", "VERSION", "VALUE", "AGE", "KEK", "USED BY")
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    for row in [heading, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if row is heading else line)


def _now() -> int:
    return int(SystemClock().now())


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
