"""`yett drill rotate`: replace secrets as one would on the day that one leaks, and measure until when the old ones were used.

What is to be replaced is named on the command line; nothing else is touched. Everything that could go wrong before the first
change is looked at before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users
from yett.cli.common import FINDINGS, configuration_option, json_option, told
from yett.cli.credentials import open_credentials, rewrapped, store_of, used_by, value_of
from yett.cli.drill_inventory import inventory
from yett.cli.drill_measure import Use, of_credential, of_key
from yett.cli.drill_report import markdown
from yett.cli.keys import DURATION, key_store
from yett.cli.sealed import kek_of, place_of
from yett.cli.state import open_keys, open_shared
from yett.cli.system import SystemClock
from yett.config.reading import Reading
from yett.config.secrets import secret_references
from yett.errors import YettError
from yett.model.record import Record
from yett.stores.credentials import CredentialMistake
from yett.stores.replicas import Replicas

_LOOK = 0.25  # seconds between two looks into the journal


@click.group("drill")
def command() -> None:
    """Rehearse what has to work on a bad day."""


class Replaced(Struct):
    """One secret that was replaced, or was not. `at` is microseconds since the Unix epoch; `measure` looks into the journal."""

    kind: str
    name: str
    at: int
    old: str = ""
    new: str = ""
    until: int = 0  # seconds since the epoch that the old one still works, 0 when it does not
    failure: str = ""
    measure: Callable[[], Use] | None = None
    use: Use | None = None

    @property
    def settled(self) -> bool:
        """Whether all workers have it, and no call uses the old one."""
        if self.measure is None or self.kind == "virtual key":  # who calls with a key is up to its holder
            return True
        return self.use is not None and self.use.taken_up is not None and not self.use.running

    def described(self) -> dict[str, object]:
        use = self.use
        return {
            "kind": self.kind,
            "name": self.name,
            "at": self.at / 1e6,
            "old": self.old,
            "new": self.new,
            "old_works_until": self.until or None,
            "taken_up_seconds": use.taken_up if use else None,
            "last_use_seconds": use.last if use else None,
            "still_running": use.running if use else 0,
            "workers": use.workers if use else 0,
            "failure": self.failure,
        }


@command.command()
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    metavar="NAME=REFERENCE",
    help="A sealed credential, and where its new value is: env:NAME, file:PATH (repeat).",
)
@click.option("--key", "keys", multiple=True, metavar="ID|NAME", help="A virtual key (repeat).")
@click.option(
    "--overlap", type=DURATION, default="1h", show_default=True, help="For how long replaced virtual keys still work."
)
@click.option(
    "--keys-to", type=click.Path(path_type=Path), help="New file for the new virtual keys, which are in no report."
)
@click.option("--kek", is_flag=True, help="The key-encryption key: everything is wrapped anew.")
@click.option(
    "--wait", type=DURATION, default="10s", show_default=True, help="How long to watch for uses of the old ones."
)
@click.option("--report", type=click.Path(path_type=Path), help="Also write the report to this file, in Markdown.")
@configuration_option
@json_option
def rotate(
    *,
    credentials: tuple[str, ...],
    keys: tuple[str, ...],
    overlap: int,
    keys_to: Path | None,
    kek: bool,
    wait: int,
    report: Path | None,
    config: Path,
    as_json: bool,
) -> None:
    """List every secret with its owner and age, replace those that are named, and measure how long the old ones were used.

    Without --credential, --key or --kek nothing is changed. Exits with 1 when something could not be replaced, or a worker has not
    taken it up in time.
    """
    with told(as_json=as_json):
        reading = lenient_reading(config)
        began = _micros()
        values = [(name, _new_value(name, reference, reading)) for name, reference in map(_pair, credentials)]
        steps = [_key_step(reading, key, overlap, keys_to) for key in keys]
        steps += [_credential_step(reading, name, value) for name, value in values]
        steps += [_kek_step(reading)] if kek else []
        if report is not None:
            _open(report, os.O_APPEND)
        if keys and keys_to is not None:
            _open(keys_to, os.O_EXCL)
        replaced = [step() for step in steps]
        _watch(replaced, wait)
        held = inventory(reading, int(began / 1e6))
        if replaced:
            _record(reading, replaced)
    now = int(began / 1e6)
    whole: dict[str, Any] = {
        "began": began / 1e6,
        "ended": _micros() / 1e6,
        "operator": operator(),
        "inventory": [one.described(now) for one in held],
        "replaced": [one.described() for one in replaced],
    }
    text = markdown(whole)
    click.echo(json.dumps(whole, indent=2, ensure_ascii=False) if as_json else text, nl=as_json)
    if report is not None:
        report.write_text(text, encoding="utf-8")
    if any(one.failure or not one.settled for one in replaced):
        sys.exit(FINDINGS)


# ---- what is looked at before the first change ----------------------------------------------------------------------


def _pair(text: str) -> tuple[str, str]:
    name, equals, reference = text.partition("=")
    if not equals:
        raise CredentialMistake(f'"{text}" is not of the form NAME=REFERENCE')
    return name, reference


def _new_value(name: str, reference: str, reading: Reading) -> str:
    if not reference.startswith(("env:", "file:")):
        raise CredentialMistake(f'{name}: the new value is a reference: "env:NAME" or "file:PATH"')
    with open_credentials(reading) as store:
        if name not in {one.id for one in store.list()}:
            raise CredentialMistake(f'there is no sealed credential "{name}"; `yett credentials list` shows them')
    return value_of(reference, reading)


def _open(file: Path, how: int) -> None:
    """See that the file can be written: what is to go into it is worth nothing if it is lost."""
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | how, 0o600))
    except OSError as error:
        raise CredentialMistake(f"{file} cannot be written: {error.strerror}") from error


# ---- the steps ------------------------------------------------------------------------------------------------------


def _key_step(reading: Reading, key: str, overlap: int, keys_to: Path | None) -> Callable[[], Replaced]:
    if keys_to is None:
        raise CredentialMistake("--key needs --keys-to: the new keys cannot be shown again")
    file = keys_to
    if not file.parent.is_dir() or file.exists():
        raise CredentialMistake(f"{file} is there already, or its folder is not")
    with open_keys(reading) as known:
        found = known.find(key).key

    def step() -> Replaced:
        at = _micros()
        one = Replaced("virtual key", f"{found.team}/{found.name}", at, old=f"…{found.last4}")
        with _told_in(one), key_store(reading) as store:
            renewed, text = store.rotate(found.id, at // 1_000_000, overlap)
            _keep(file, {"id": renewed.id, "team": renewed.team, "name": renewed.name, "key": text})
            one.new, one.until = f"…{renewed.last4}", at // 1_000_000 + overlap if overlap else 0
            one.measure = lambda: of_key(reading.audit, found.id, one.old, one.new, at)
        return one

    return step


def _credential_step(reading: Reading, name: str, value: str) -> Callable[[], Replaced]:
    providers = frozenset(path.split(".")[1] for path in used_by(name, reading) if path.startswith("providers."))

    def step() -> Replaced:
        at = _micros()
        one = Replaced("sealed credential", name, at)
        with _told_in(one), store_of(reading) as store:
            rotated = store.rotate(name, value, at // 1_000_000, kek_of(place_of(reading, os.environ)))
            one.old, one.new = f"version {rotated.version - 1}", f"version {rotated.version}"
            change = store.change()
            if providers:
                one.measure = lambda: _everywhere(
                    reading, of_credential(reading.audit, change, at, providers), change, at
                )
        return one

    return step


def _kek_step(reading: Reading) -> Callable[[], Replaced]:
    def step() -> Replaced:
        at = _micros()
        one = Replaced("KEK", "key-encryption key", at)
        with _told_in(one):
            one.old = _keks(reading)
            outcome = rewrapped(reading, new=True)
            one.new = _keks(reading)
            one.failure = "; ".join(f"{name}: {why}" for name, why in outcome.troubles.items())
            with open_credentials(reading) as store:
                change = store.change()
            if any(reference.startswith("sealed:") for _, reference in secret_references(reading.settings)):
                one.measure = lambda: _everywhere(
                    reading, of_credential(reading.audit, change, at, frozenset()), change, at
                )
        return one

    return step


def _everywhere(reading: Reading, use: Use, change: int, at: int) -> Use:
    """What this machine's journal tells, and what the gateways of other machines say themselves: only that, of theirs."""
    if (database := open_shared(reading)) is None:
        return use
    try:
        living = Replicas(database).living(at // 1_000_000)
    finally:
        database.close()
    behind = [one for one in living.values() if 0 < one.sealed < change]
    others = max(0, len([one for one in living.values() if one.sealed]) - use.workers)
    if behind:
        return replace(use, taken_up=None, workers=use.workers + others)
    return replace(use, taken_up=(_micros() - at) / 1e6 if others else use.taken_up, workers=use.workers + others)


@contextlib.contextmanager
def _told_in(one: Replaced) -> Iterator[None]:
    """What one step fails of is said of it; the others go on."""
    try:
        yield
    except (YettError, OSError) as error:
        one.failure = str(error)


def _keks(reading: Reading) -> str:
    with open_credentials(reading) as store:
        return ", ".join(sorted({one.kek for one in store.list()}))


def _keep(file: Path, line: dict[str, str]) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


# ---- afterwards -----------------------------------------------------------------------------------------------------


def _watch(replaced: list[Replaced], seconds: int) -> None:
    """Until nothing more can come of it, or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        for one in replaced:
            if one.measure is not None:
                one.use = one.measure()
        now = time.monotonic()
        left = deadline - now
        # of a virtual key that still works, only time tells
        if left <= 0 or all(one.settled and not one.until for one in replaced):
            return
        time.sleep(min(max(_LOOK, 3 * (now - began)), left))  # a large journal is not read all the time


def _record(reading: Reading, replaced: list[Replaced]) -> None:
    refuse_other_users(reading)
    detail: dict[str, object] = {"user": operator(), "replaced": [one.described() for one in replaced]}
    with recorded(reading) as write:
        write(Record(kind="event", call="drill.rotate", ts=_micros(), event="drill.rotate", detail=detail))


def _micros() -> int:
    return int(SystemClock().now() * 1e6)
