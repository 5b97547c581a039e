"""`yett keys`: issue virtual keys, list, rotate and revoke them. Every change is in the audit journal before it counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users, strict_reading
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.issuing import LABEL, check_new, described, event_of, when
from yett.cli.state import open_keys
from yett.cli.system import SystemClock
from yett.config import units
from yett.config.reading import Reading
from yett.config.snapshot import TENANT
from yett.model.key import Budget, Limits, VirtualKey
from yett.stores.keys import KeyMistake, KeyStore, NewKey, StoredKey


@click.group("keys")
def command() -> None:
    """Issue, list, rotate and revoke virtual keys.

    A running gateway notices every change within a second. Keys are kept as keyed hashes: what is printed once cannot be
    shown again.
    """


# ---- what is written on the command line ---------------------------------------------------------------------------


class _Duration(click.ParamType[Any]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            seconds = units.parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return int(seconds)


class _Budget(click.ParamType[Any]):
    name = "budget"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Budget:
        if isinstance(value, Budget):
            return value
        try:
            return units.parse_budget(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Label(click.ParamType[Any]):
    name = "name=value"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, text = str(value).partition("=")
        if not equals or not LABEL.fullmatch(name) or not LABEL.fullmatch(text):
            self.fail(f'"{value}" is not of the form name=value (letters, digits, ".", "_", "/" and "-")', param, ctx)
        return name, text


def _names(models: str) -> tuple[str, ...]:
    """Of the models of a key. Raises KeyMistake when there are none: a variable that is empty must not allow every model."""
    names = tuple(model for part in models.split(",") if (model := part.strip()))
    if not names:
        raise KeyMistake("--models names no model; leave it out for all that team and policy allow")
    return names


DURATION = _Duration()
_limit = click.IntRange(1, 10**12)
_team_option = click.option("--team", default="", help="When keys of several teams have this name.")


# ---- commands ------------------------------------------------------------------------------------------------------


@command.command()
@click.option("--name", required=True, help="What it is for; unique among the team's live keys.")
@click.option("--team", required=True, help="A [teams.NAME] of yett.toml.")
@click.option("--tenant", default=TENANT, show_default=True, help="One of `tenants` of yett.toml.")
@click.option("--models", help="Only these models, separated by commas; else what team and policy allow.")
@click.option("--budget", type=_Budget(), help='Money per period, as in "50usd/month".')
@click.option("--rpm", type=_limit, help="Requests per minute.")
@click.option("--tpm", type=_limit, help="Tokens per minute.")
@click.option("--concurrency", type=_limit, help="Calls in flight.")
@click.option("--expires", type=DURATION, help='For how long it works, as in "30d"; else until it is revoked.')
@click.option("--label", "labels", type=_Label(), multiple=True, help="A fact for policies, as in env=prod (repeat).")
@configuration_option
@json_option
def create(
    *,
    name: str,
    team: str,
    tenant: str,
    models: str | None,
    budget: Budget | None,
    rpm: int | None,
    tpm: int | None,
    concurrency: int | None,
    expires: int | None,
    labels: tuple[tuple[str, str], ...],
    config: Path,
    as_json: bool,
) -> None:
    """Issue a key. It is shown once."""
    with told(as_json=as_json):
        reading = strict_reading(config)
        now = _now()
        new = NewKey(
            name=name,
            team=team,
            tenant=tenant,
            expires=0 if expires is None else now + expires,
            models=() if models is None else _names(models),
            limits=Limits(rpm=rpm, tpm=tpm, concurrency=concurrency, budget=budget),
            labels=labels,
        )
        check_new(new, reading, now)
        with key_store(reading) as store:
            key, text = store.create(new, now)
    _show_once(key, text, as_json=as_json)


@command.command("list")
@click.option("--team", default="", help="Only this team's.")
@click.option("--all", "everything", is_flag=True, help="Revoked and expired ones, too.")
@configuration_option
@json_option
def list_(*, team: str, everything: bool, config: Path, as_json: bool) -> None:
    """List the keys: by default those that work."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with open_keys(reading) as store:
            stored = store.list()
    now = _now()
    rows = [one for one in stored if team in ("", one.key.team) and (everything or one.state(now) == "active")]
    if as_json:
        print_json({"keys": [described(one, now) for one in rows]})
    elif rows:
        _table([_row(one, now, reading) for one in rows])
    else:
        click.echo("no keys; `yett keys create` issues one")


@command.command()
@click.argument("key", metavar="ID|NAME")
@_team_option
@configuration_option
@json_option
def revoke(*, key: str, team: str, config: Path, as_json: bool) -> None:
    """Revoke a key, at once and for good. Calls in progress with it are cut."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with key_store(reading) as store:
            revoked = store.revoke(store.find(key, team).key.id, _now())
    if as_json:
        print_json({"id": revoked.id, "name": revoked.name, "team": revoked.team, "revoked": when(revoked.revoked)})
    else:
        click.echo(f"revoked {revoked.id} ({revoked.team}/{revoked.name}); running gateways refuse it within a second")


@command.command()
@click.argument("key", metavar="ID|NAME")
@_team_option
@click.option("--overlap", type=DURATION, default="0s", help='For how long the old key still works, as in "1h".')
@configuration_option
@json_option
def rotate(*, key: str, team: str, overlap: int, config: Path, as_json: bool) -> None:
    """Replace a key by a new one with the same id, name, limits and what is used of them. The new one is shown once."""
    with told(as_json=as_json):
        reading = strict_reading(config)
        now = _now()
        with key_store(reading) as store:
            rotated, text = store.rotate(store.find(key, team).key.id, now, overlap)
    _show_once(rotated, text, as_json=as_json)
    if not as_json:
        until = f"still works until {when(now + overlap)}" if overlap else "no longer works"
        click.echo(f"the old one {until}", err=True)


# ---- what they share -----------------------------------------------------------------------------------------------


@contextmanager
def key_store(reading: Reading) -> Iterator[KeyStore]:
    """The key store, with each change recorded in the audit journal before it is committed."""
    refuse_other_users(reading)
    with recorded(reading) as write:

        def witness(event: str, key: VirtualKey) -> None:
            write(event_of(event, key, {"user": operator()}))

        with open_keys(reading, witness=witness) as store:
            yield store


def _now() -> int:
    return int(SystemClock().now())


def _show_once(key: VirtualKey, text: str, *, as_json: bool) -> None:
    if as_json:
        one_key = described(StoredKey(key, 0), key.created)
        print_json({"key": text, **one_key})
        return
    click.echo(text)  # alone on standard output: KEY=$(yett keys create …)
    click.echo(f"{key.id}: {key.team}/{key.name}. Keep it now; it cannot be shown again.", err=True)


def _row(stored: StoredKey, now: int, reading: Reading) -> tuple[str, ...]:
    key = stored.key
    limits = [f"{name} {value}" for name in ("rpm", "tpm", "concurrency") if (value := getattr(key.limits, name))]
    limits += [units.format_budget(key.limits.budget)] if key.limits.budget else []
    state = stored.state(now)
    if state == "active" and key.team not in reading.settings.teams:
        state = "refused: its team is not in yett.toml"
    return (
        key.id,
        key.team if key.tenant == TENANT else f"{key.tenant}/{key.team}",
        key.name,
        f"…{key.last4}",
        state,
        ", ".join(key.models) or "any",
        ", ".join(limits) or "none",
        when(key.expires)[:16] or "never",
        when(stored.last_used)[:16] or "never",
    )


def _table(rows: list[tuple[str, ...]]) -> None:
    heading = ("ID", "TEAM", "NAME", "KEY", "STATE", "MODELS", "LIMITS", "EXPIRES", "USED")
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading))]
    for row in [heading, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, bold=True) if row is heading else line)
