"""`yett audit`: look at the journal, find calls in it, export it, verify it. Content is shown only when asked for."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from yett import verify as verifier
from yett.cli.audit_lines import as_details, as_line
from yett.cli.common import FINDINGS, INTEGRITY, json_option, print_json, told
from yett.cli.journal import Moment, folder_of, opener, places
from yett.stores.journal_reader import Entry, Filter, Follower, entries, entry, find, last

LOOK_SECONDS = 0.25


@click.group("audit")
def command() -> None:
    """Read, search, export and verify the audit journal.

    Any of these may run while the gateway writes. Prompts and replies are shown with --content only, and only when
    audit.content keeps them.
    """


_content_option = click.option("--content", is_flag=True, help="Also open what was kept of prompts and replies.")


# ---- commands -----------------------------------------------------------------------------------------------------------------


@command.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option(
    "-n", "--lines", type=click.IntRange(0), default=20, show_default=True, help="How many entries to begin with."
)
@places
@json_option
def tail(*, follow: bool, lines: int, folder: Path | None, config: Path, as_json: bool) -> None:
    """Print the newest entries, one line each; with --json as they are stored."""
    with told(as_json=as_json):
        folder = folder_of(folder, config)
        following = Follower(folder)
        newest = last(folder, lines)
        _print(newest, as_json=as_json)
        if follow:
            with suppress(KeyboardInterrupt):
                _follow(following, {(each.writer, each.n) for each in newest}, as_json=as_json)


def _follow(following: Follower, shown: set[tuple[str, int]], *, as_json: bool) -> NoReturn:
    """For ever. What was written between the two first looks was seen by both."""
    while True:
        _print([each for each in following.poll() if (each.writer, each.n) not in shown], as_json=as_json)
        shown = set()
        time.sleep(LOOK_SECONDS)


@command.command()
@click.argument("call_id", metavar="ID")
@_content_option
@places
@json_option
def show(*, call_id: str, content: bool, folder: Path | None, config: Path, as_json: bool) -> None:
    """Print everything that is recorded of one call (or of the events about ID)."""
    with told(as_json=as_json):
        folder = folder_of(folder, config)
        found = [entry(raw) for raw in find(folder, call_id)]
        if call_id and not found:  # a filter that says nothing lets everything through
            found = list(entries(folder, Filter(call=call_id)))
        open_content = opener(folder, config) if content else None
        told_of = [(each, open_content(each) if open_content else {}) for each in found]
    if as_json:
        print_json([_object(each) | texts for each, texts in told_of])
    elif found:
        click.echo("\n\n".join(as_details(each, texts) for each, texts in told_of))
    if not found:
        click.echo(f"yett: nothing is recorded of {call_id} in {folder}", err=True)
        sys.exit(FINDINGS)


@command.command()
@click.option("--caller", default="", help="The id or the name of a key.")
@click.option("--tenant", default="")
@click.option("--team", default="")
@click.option("--task", default="", help="The id of a task, like task_….")
@click.option("--model", default="", help="As the caller named it.")
@click.option("--outcome", type=click.Choice(["ok", "refused", "failed", "disconnected", "cut", "unknown"]))
@click.option("--code", default="", help="An error code, like policy_denied.")
@click.option("--policy", default="", help="The id of a policy that decided, or would have.")
@click.option("--finding", default="", help="A kind of finding, like pii.email, or a family, like pii.")
@click.option("--event", default="", help="An event, like key.create or recovery.")
@click.option("--kind", type=click.Choice(["intent", "outcome", "event"]), default=None)
@click.option(
    "--since", type=Moment(), default=0, show_default="the beginning", help="2026-11-21T08:30 (UTC), or an age: 2h."
)
@click.option("--until", type=Moment(), default=0, show_default="now", help="Likewise.")
@click.option("-n", "--limit", type=click.IntRange(1), default=100, show_default=True, help="The newest so many.")
@places
@json_option
def search(
    *,
    limit: int,
    kind: str | None,
    outcome: str | None,
    folder: Path | None,
    config: Path,
    as_json: bool,
    **wanted: Any,
) -> None:
    """Print the entries that match all of the options, oldest first."""
    with told(as_json=as_json):
        chosen = Filter(kind=kind or "", outcome=outcome or "", **wanted)
        found = list(islice(entries(folder_of(folder, config), chosen, newest_first=True), limit))
        _print(found[::-1], as_json=as_json)
    if not found:
        click.echo("yett: nothing matches", err=True)
    elif len(found) == limit:
        click.echo(f"yett: the newest {limit}; there may be more (--limit)", err=True)


@command.command()
@click.option("--jsonl", is_flag=True, required=True, help="JSON Lines: the only format there is so far.")
@_content_option
@click.option("--tenant", default="", help="Only what is about this one: to hand it out to its people.")
@click.option("--since", type=Moment(), default=0, show_default="the beginning")
@click.option("--until", type=Moment(), default=0, show_default="now")
@places
def export(
    *, jsonl: bool, content: bool, tenant: str, since: int, until: int, folder: Path | None, config: Path
) -> None:
    """Print all entries by time, exactly as they are stored.

    With --content each gets `request_text` and `reply_text` where they were kept, and is then no longer the stored line.
    """
    with told():
        folder = folder_of(folder, config)
        open_content = opener(folder, config) if content else None
        out = sys.stdout.buffer
        for each in entries(folder, Filter(tenant=tenant, since=since, until=until)):
            line = msgspec.json.encode(_object(each) | open_content(each)) if open_content else each.raw
            out.write(line + b"\n")
        out.flush()


@command.command()
@click.option("--key", default=None, help="The public key to trust: a copy of key.pub kept elsewhere, or its text.")
@click.option("--anchor", multiple=True, help='A checkpoint kept elsewhere: FILE or "ORIGIN SIZE ROOT".')
@click.option("--without-content", is_flag=True, help="The sealed content was left out of this copy.")
@places
@json_option
def verify(
    *, key: str | None, anchor: tuple[str, ...], without_content: bool, folder: Path | None, config: Path, as_json: bool
) -> None:
    """Prove that the journal is whole, or say what is wrong and where.

    The same as `python -m yett.verify DIR`, which runs anywhere without Yett. Exit code 4 when the journal is not intact.
    """
    with told(as_json=as_json):
        folder = folder_of(folder, config)
    try:
        pinned = verifier.read_key(key) if key else None
        anchors = [verifier.read_anchor(each) for each in anchor]
        report = verifier.verify(folder, pinned, anchors, content=not without_content)
    except verifier.UsageError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(verifier.as_json(report))
    else:
        for line in verifier.as_text(report).splitlines():
            colour = {"PROBLEM": "red", "NOT": "red", "note": "yellow", "OK": "green"}.get(line.split(" ", 1)[0])
            click.secho(line, fg=colour)
    if not report.ok:
        sys.exit(INTEGRITY)


# ---- shared -------------------------------------------------------------------------------------------------------------------


def _print(found: list[Entry], *, as_json: bool) -> None:
    for each in found:
        click.echo(each.raw.decode(errors="replace") if as_json else as_line(each))


def _object(each: Entry) -> dict[str, object]:
    try:
        value = json.loads(each.raw)
    except ValueError:
        return {"kind": "unreadable", "raw": each.raw.decode(errors="replace")}
    return value if isinstance(value, dict) else {"kind": "unreadable", "raw": value}
