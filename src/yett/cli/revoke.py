"""`yett revoke`: keep a tenant, team, caller or task out, at once and on every worker."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from yett.cli.changes import lenient_reading
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.fences import described, store_of, told_of
from yett.cli.state import open_keys
from yett.cli.system import SystemClock
from yett.config import units
from yett.config.decoding import suggestion
from yett.config.reader import Reading
from yett.config.snapshot import TENANT
from yett.model.fence import KINDS, fence_name
from yett.stores.keys import KeyMistake

_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")


@click.command("revoke")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("whom", metavar="ID|NAME")
@click.option("--tenant", default=TENANT, show_default=True, help="Whose team, user, agent, service or task it is.")
@click.option("--reason", default="", help="For the record; callers are not told.")
@click.option("--until", "until", default="", help='When it ends by itself: "2h" from now, or "2026-12-01T08:00:00Z".')
@click.option("--sessions", is_flag=True, help="Only what was issued before now: who signs in again is let in.")
@configuration_option
@json_option
def command(
    *, kind: str, whom: str, tenant: str, reason: str, until: str, sessions: bool, config: Path, as_json: bool
) -> None:
    """Revoke the access of a tenant, team, key, agent, user, service or task.

    Within a second new calls are refused on every worker, and answers that are being streamed are cut. `yett fences list`
    shows what is in force, `yett fences lift` takes it back.
    """
    with told(as_json=as_json):
        reading = lenient_reading(config)
        now = int(SystemClock().now())
        if reason and not _LINE.fullmatch(reason):
            raise KeyMistake("a reason is one line of at most 200 characters")
        name = _name(kind, whom, tenant, reading)
        end = _end(until, now)
        with store_of(reading) as store:
            (fence,) = store.draw((name,), now, until=end, sessions=sessions, reason=reason)
    if as_json:
        print_json(described(fence))
    else:
        click.echo(f"{told_of(fence)}: running gateways keep them out within a second")


def _name(kind: str, whom: str, tenant: str, reading: Reading) -> str:
    """Of the fence. A name that nobody has would keep nobody out, so what can be checked is."""
    if not _LINE.fullmatch(whom) or not _LINE.fullmatch(tenant) or "/" in tenant or (kind == "tenant" and "/" in whom):
        raise KeyMistake("an id is one line of at most 200 characters, and a tenant's has no slash")
    if kind == "team" and whom not in reading.settings.teams:
        raise KeyMistake(f'no team "{whom}" in {reading.file}{suggestion(whom, reading.settings.teams)}')
    if kind == "task" and not whom.startswith("task_"):
        raise KeyMistake(f'"{whom}" is no task\'s id; records have it as "task_…"')
    if kind in ("user", "agent", "service") and whom.startswith("key_"):
        raise KeyMistake(f'"{whom}" is a key: "yett revoke key {whom}"')
    if kind == "key":
        with open_keys(reading) as keys:
            return fence_name(kind, tenant, keys.find(whom).key.id)
    return fence_name(kind, tenant, whom)


def _end(until: str, now: int) -> int:
    if not until:
        return 0
    try:
        end = now + int(units.parse_duration(until))
    except ValueError:
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            raise KeyMistake(
                f'"{until}" is neither a duration, such as "2h", nor a time, such as "2026-12-01T08:00:00Z"'
            ) from None
        end = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    if end <= now:
        raise KeyMistake(f'"{until}" is over already')
    return end
