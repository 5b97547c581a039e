"""`yett revoke`: keep a tenant, team, caller or task out, at once and on every worker."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from yett.cli.changes import lenient_reading
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.fences import described, store_of, told_of
from yett.cli.fencing import check_reason, end_of, fence_named
from yett.cli.state import open_keys
from yett.cli.system import SystemClock
from yett.config.reading import Reading
from yett.config.snapshot import TENANT
from yett.model.fence import KINDS


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
        check_reason(reason)
        name = fence_named(kind, whom, tenant, reading, partial(_key_id, reading))
        end = end_of(until, now)
        with store_of(reading) as store:
            (fence,) = store.draw((name,), now, until=end, sessions=sessions, reason=reason)
    if as_json:
        print_json(described(fence))
    else:
        click.echo(f"{told_of(fence)}: running gateways keep them out within a second")


def _key_id(reading: Reading, reference: str) -> str:
    with open_keys(reading) as keys:
        return keys.find(reference).key.id
