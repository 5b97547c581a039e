"""`yett operators`: who is signed in at the console, and coming in without the identity provider."""

from __future__ import annotations

from pathlib import Path

import click

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.fencing import check_reason
from yett.cli.issuing import when
from yett.cli.keys import DURATION
from yett.cli.state import open_database, open_keys
from yett.cli.system import SystemClock
from yett.config.operators import rules
from yett.config.reading import Reading
from yett.model.operator import EMERGENCY, Session
from yett.model.record import Record
from yett.stores.keys import KeyMistake
from yett.stores.operators import CODE_SECONDS, Emergency, OperatorStore

SHORTEST, LONGEST = 60, 3600  # seconds that an emergency's session may last


@click.group("operators")
def command() -> None:
    """See who is signed in at the console, end sessions, and come in when the identity provider is away.

    A running gateway notices every change with the next request.
    """


@command.command("break-glass")
@click.option("--reason", required=True, help="Why; it is on the record, and beside the session.")
@click.option("--ttl", type=DURATION, default="15m", show_default=True, help="How long the session lasts, 1m to 1h.")
@configuration_option
@json_option
def break_glass(*, reason: str, ttl: int, config: Path, as_json: bool) -> None:
    """Print a code that lets one person in as admin, once, within ten minutes.

    It takes what the gateway itself has: its state directory, or its database. It is recorded, shown in /readyz and counted.
    """
    with told(as_json=as_json):
        reading = lenient_reading(config)
        check_reason(reason)
        if not reason.strip():
            raise KeyMistake("say why: --reason is on the record")
        if not SHORTEST <= ttl <= LONGEST:
            raise KeyMistake("--ttl is between 1m and 1h")
        refuse_other_users(reading)
        now, who = int(SystemClock().now()), operator()
        detail: dict[str, object] = {"user": who, "reason": reason, "seconds": ttl}
        with recorded(reading) as write, _store(reading) as store:
            write(_event("operator.break_glass", EMERGENCY, detail))  # first: a code that is on no record is none
            code = store.issue(Emergency(who, reason, ttl), now)
    url = f"{rules(reading).origin}/console/break-glass"
    if as_json:
        print_json({"code": code, "url": url, "until": when(now + CODE_SECONDS), "seconds": ttl})
        return
    click.echo(code)  # alone on standard output
    click.echo(f"Type it at {url} before {when(now + CODE_SECONDS)}. It works once.", err=True)


@command.group()
def sessions() -> None:
    """Who is signed in at the console."""


@sessions.command("list")
@configuration_option
@json_option
def list_(*, config: Path, as_json: bool) -> None:
    """List the sessions that go on, oldest first."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        now = int(SystemClock().now())
        with _store(reading) as store:
            found = [one for one in store.all(now) if not one.over(now, reading.settings.operators.idle)]
    if as_json:
        print_json({"sessions": [_described(one) for one in found]})
    elif found:
        for one in found:
            words = [click.style(one.id, bold=True), one.kind, one.identity.name, f"until {when(one.expires)}"]
            click.echo("  ".join([*words, f"from {one.address}", *([f"({one.reason})"] if one.reason else [])]))
    else:
        click.echo("nobody is signed in")


@sessions.command()
@click.argument("session", metavar="ID")
@configuration_option
@json_option
def end(*, session: str, config: Path, as_json: bool) -> None:
    """End a session at once; `yett revoke user operators/SUBJECT` keeps somebody from signing in again."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        refuse_other_users(reading)
        now = int(SystemClock().now())
        with recorded(reading) as write, _store(reading) as store:
            if not any(one.id == session for one in store.all(now)):
                raise KeyMistake(f'there is no session "{session}"; "yett operators sessions list" shows them')
            write(_event("operator.session_end", session, {"user": operator()}))
            ended = store.end(session, now)
    if as_json:
        print_json({"ended": [_described(ended)] if ended else []})
    else:
        click.echo(f"ended {session}")


def _store(reading: Reading) -> OperatorStore:
    database = open_database(reading)
    pepper = open_keys(reading, database).pepper  # the store of keys has it checked
    return OperatorStore.open(reading.state, pepper, database)


def _event(event: str, about: str, detail: dict[str, object]) -> Record:
    return Record(kind="event", call=about, ts=int(SystemClock().now() * 1e6), event=event, detail=detail)


def _described(session: Session) -> dict[str, object]:
    who = session.identity
    return {
        "id": session.id,
        "means": session.kind,
        "issuer": who.issuer,
        "subject": who.subject,
        "name": who.name,
        "email": who.email,
        "begun": when(session.begun),
        "seen": when(session.seen),
        "until": when(session.expires),
        "address": session.address,
        "reason": session.reason,
    }
