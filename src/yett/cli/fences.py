"""`yett fences`: who is kept out now, and letting them in again. `yett revoke` draws fences; both record what they do first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from yett.cli.changes import lenient_reading, operator, recorded, refuse_other_users
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.state import open_fences
from yett.cli.system import SystemClock
from yett.config.reading import Reading
from yett.model.fence import Fence
from yett.model.record import Record
from yett.stores.fences import FenceStore
from yett.stores.keys import KeyMistake


@click.group("fences")
def command() -> None:
    """See who is kept out by `yett revoke` or by an identity provider, and let them in again.

    A running gateway notices every change within a second.
    """


@command.command("list")
@configuration_option
@json_option
def list_(*, config: Path, as_json: bool) -> None:
    """List the fences in force, oldest first."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with open_fences(reading) as store:
            found = store.all()
    now = int(SystemClock().now())
    standing = [fence for fence in found if not fence.until or fence.until > now]
    if as_json:
        print_json({"fences": [described(fence) for fence in standing]})
    elif standing:
        for fence in standing:
            click.echo(told_of(fence))
    else:
        click.echo("no fences; `yett revoke` draws one")


@command.command()
@click.argument("name", metavar="FENCE")
@configuration_option
@json_option
def lift(*, name: str, config: Path, as_json: bool) -> None:
    """Let in again whom FENCE keeps out, by its name in `yett fences list`."""
    with told(as_json=as_json):
        reading = lenient_reading(config)
        with store_of(reading) as store:
            lifted = store.lift(name.partition("#")[0], int(SystemClock().now()))
        if not lifted:
            raise KeyMistake(f'there is no fence "{name}"; "yett fences list" shows them')
    if as_json:
        print_json({"lifted": [described(fence) for fence in lifted]})
    else:
        click.echo(f"lifted {lifted[0].name}; running gateways let them in within a second")


# ---- what `yett revoke` shares --------------------------------------------------------------------------------------


@contextmanager
def store_of(reading: Reading) -> Iterator[FenceStore]:
    """The store of fences, for who is at the command line."""
    refuse_other_users(reading)
    with drawing(reading, {"user": operator()}) as store:
        yield store


@contextmanager
def drawing(reading: Reading, detail: dict[str, object]) -> Iterator[FenceStore]:
    """The store of fences, with each change recorded in the audit journal, with this detail, before it is committed."""
    with (
        recorded(reading) as write,
        open_fences(reading, witness=lambda event, fence: write(event_of(event, fence, detail))) as store,
    ):
        yield store


def event_of(event: str, fence: Fence, more: dict[str, object]) -> Record:
    """What the journal keeps of a change of fences."""
    detail: dict[str, object] = {"since": fence.since, "sessions": fence.sessions, "source": fence.source, **more}
    if fence.until:
        detail["until"] = fence.until
    if fence.reason:
        detail["reason"] = fence.reason
    return Record(
        kind="event",
        call=fence.name,
        ts=int(SystemClock().now() * 1e6),
        tenant=tenant_of(fence.name),
        event=event,
        fence=fence.label,
        detail=detail,
    )


def tenant_of(name: str) -> str:
    """Whose matter a fence is; "" for that of a key, whose id says it to the key store only."""
    kind, _, whom = name.partition(":")
    return "" if kind == "key" else whom.partition("/")[0]


def described(fence: Fence) -> dict[str, object]:
    return {
        "fence": fence.name,
        "serial": fence.serial,
        "since": _when(fence.since),
        "until": _when(fence.until),
        "only": "sessions begun before" if fence.sessions else "",
        "reason": fence.reason,
        "source": fence.source,
    }


def told_of(fence: Fence) -> str:
    """One line about a fence."""
    words = [click.style(fence.label, bold=True), f"since {_when(fence.since)}"]
    words += [f"until {_when(fence.until)}"] if fence.until else []
    words += ["sessions begun before"] if fence.sessions else []
    words += [f"by {fence.source}"] if fence.source != "operator" else []
    return "  ".join([*words, *([f"({fence.reason})"] if fence.reason else [])])


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else ""
