"""`yett scim`: the users and groups that an identity provider has provisioned, and the tokens that it does so with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users, strict_reading
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.keys import DURATION
from yett.cli.state import open_database, open_directories, open_keys
from yett.cli.system import SystemClock
from yett.config.decoding import suggestion
from yett.config.reading import Reading
from yett.config.scim_settings import rules
from yett.model.record import Record
from yett.scim.directory import person
from yett.scim.listing import Query
from yett.scim.schema import GROUPS, MOST_RESULTS, USERS, Kind
from yett.scim.service import Entry
from yett.stores.keys import KeyMistake
from yett.stores.scim_resources import StoredResources
from yett.stores.scim_tokens import ScimToken, ScimTokens


@click.group("scim")
def command() -> None:
    """See provisioned users and groups, and issue tokens to provision them with.

    A directory is a [scim.NAME] of yett.toml. A running gateway notices every change within a second.
    """


@command.command()
@click.argument("name", metavar="NAME")
@configuration_option
@json_option
def users(*, name: str, config: Path, as_json: bool) -> None:
    """List the users of a directory: id, name, team, and whether they are active."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        _check(name, reading)
        rule = rules(name, reading.settings.scim[name])
        found = []
        for entry in _entries(name, USERS, reading):
            groups = frozenset(group.casefold() for group in entry.links.values())
            who = person(rule, entry.stamp.id, entry.kept, groups)
            found.append(
                {
                    "id": who.id,
                    "userName": str(entry.kept["userName"]),
                    "active": who.active,
                    "team": who.team,
                    "groups": sorted(entry.links.values()),
                    "labels": dict(who.labels),
                    "changed": entry.stamp.modified,
                }
            )
    if as_json:
        print_json({"users": found})
    for one in () if as_json else found:
        state = "active" if one["active"] else "deactivated"
        click.echo(f"{one['id']}  {state:11}  {one['team'] or '(no team)':20}  {one['userName']}")
    if not as_json and not found:
        click.echo(f"no users in {name}")


@command.command()
@click.argument("name", metavar="NAME")
@configuration_option
@json_option
def groups(*, name: str, config: Path, as_json: bool) -> None:
    """List the groups of a directory, the team of each, and how many are in it."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        _check(name, reading)
        teams = dict(rules(name, reading.settings.scim[name]).teams)
        found = []
        for entry in _entries(name, GROUPS, reading):
            display = str(entry.kept["displayName"])
            team = teams.get(display.casefold(), "")
            found.append({"id": entry.stamp.id, "displayName": display, "team": team, "members": len(entry.links)})
    if as_json:
        print_json({"groups": found})
    for one in () if as_json else found:
        click.echo(f"{one['id']}  {one['members']:7}  {one['team'] or '(no team)':20}  {one['displayName']}")
    if not as_json and not found:
        click.echo(f"no groups in {name}")


@command.group("token")
def token() -> None:
    """Issue, list and revoke the tokens that an identity provider provisions with."""


@token.command()
@click.argument("name", metavar="NAME")
@click.option("--expires", type=DURATION, help='For how long it works, as in "365d"; else until it is revoked.')
@configuration_option
@json_option
def create(*, name: str, expires: int | None, config: Path, as_json: bool) -> None:
    """Issue a token for a directory. It is shown once; others that there are go on working."""
    with told(as_json=as_json):
        reading = strict_reading(config)
        _check(name, reading)
        if expires == 0:
            raise KeyMistake("--expires must be at least a second")
        now = int(SystemClock().now())
        with _tokens(reading) as tokens:
            made, text = tokens.create(name, now, now + expires if expires else 0)
    if as_json:
        print_json({**_described(made, now), "token": text})
    else:
        click.echo(text)
        click.echo(f"{made.id} for {name}; it is not shown again", err=True)


@token.command("list")
@click.option("--all", "everything", is_flag=True, help="Revoked and expired ones, too.")
@configuration_option
@json_option
def list_(*, everything: bool, config: Path, as_json: bool) -> None:
    """List the tokens: by default those that work."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with _tokens(reading) as tokens:
            found = tokens.all()
    now = int(SystemClock().now())
    rows = [_described(one, now) for one in found if everything or one.state(now) == "active"]
    if as_json:
        print_json({"tokens": rows})
    for row in () if as_json else rows:
        words = (row["id"], row["directory"], f"…{row['last4']}", row["state"], f"created {row['created']}")
        click.echo("  ".join([*map(str, words), *([f"expires {row['expires']}"] if row["expires"] else [])]))
    if not as_json and not rows:
        click.echo("no tokens; `yett scim token create` issues one")


@token.command()
@click.argument("id", metavar="ID")
@configuration_option
@json_option
def revoke(*, id: str, config: Path, as_json: bool) -> None:
    """Revoke a token, at once and for good."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        now = int(SystemClock().now())
        with _tokens(reading) as tokens:
            gone = tokens.revoke(id, now)
    if as_json:
        print_json(_described(gone, now))
    else:
        click.echo(f"revoked {gone.id}; it is refused within a second")


# ---- what they share -----------------------------------------------------------------------------------------------


def _check(name: str, reading: Reading) -> None:
    known = reading.settings.scim
    if name not in known:
        raise KeyMistake(f'no [scim."{name}"] in {reading.file}{suggestion(name, known)}')


def _entries(name: str, kind: Kind, reading: Reading) -> Iterator[Entry]:
    """A page at a time."""
    with open_directories(reading) as store:
        resources = StoredResources(store, name, 0, 0)
        start, more = 1, True
        while more:
            page, _ = resources.find(kind, Query(start=start, count=MOST_RESULTS if kind is USERS else 1))
            yield from page
            start, more = start + len(page), bool(page)


@contextmanager
def _tokens(reading: Reading) -> Iterator[ScimTokens]:
    """The tokens, with each change recorded in the audit journal before it is committed."""
    refuse_other_users(reading)
    with recorded(reading) as write:

        def witness(event: str, token: ScimToken) -> None:
            about = reading.settings.scim.get(token.directory)
            detail: dict[str, object] = {"user": operator(), "directory": token.directory, "expires": token.expires}
            write(
                Record(
                    kind="event",
                    call=token.id,
                    ts=int(SystemClock().now() * 1e6),
                    tenant=about.tenant if about is not None else "",
                    event=event,
                    detail=detail,
                )
            )

        database = open_database(reading)
        with open_keys(reading, database) as keys:
            open_directories(reading, database)  # its tables
            yield ScimTokens(database, keys.pepper, witness)


def _described(token: ScimToken, now: int) -> dict[str, object]:
    return {
        "id": token.id,
        "directory": token.directory,
        "last4": token.last4,
        "state": token.state(now),
        "created": _when(token.created),
        "expires": _when(token.expires),
    }


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
