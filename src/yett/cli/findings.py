"""`yett findings`: what was found in calls of the past, whether it was true, and how to stop seeing what was not."""

from __future__ import annotations

import contextlib
import getpass
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import click

from yett.cli.common import FINDINGS, json_option, print_json, told
from yett.cli.findings_table import Refused, add_table, table
from yett.cli.journal import Moment, places
from yett.cli.past import past_of
from yett.cli.sightings import Scope, Sighting, as_object, effect
from yett.config.snapshot import TENANT
from yett.config.suppressions import LONGEST
from yett.model.segment import ORIGINS
from yett.stores.journal_reader import Filter

Command = TypeVar("Command", bound=Callable[..., Any])
_COLOURS = {"blocked": "red", "redacted": "yellow"}


@click.group("findings")
def command() -> None:
    """Review what was found in calls of the past, and suppress what does not count.

    The journal knows the detector, place, score and a keyed hash of each finding. What was found can be shown, masked, only where
    audit.content keeps texts.
    """


# ---- where it comes from --------------------------------------------------------------------------------------------


def _chosen(function: Command) -> Command:
    """Which findings."""
    for option in (
        click.option(
            "-n", "--limit", type=click.IntRange(1), default=100, show_default=True, help="The newest so many."
        ),
        click.option("--until", type=Moment(), default=0, show_default="now", help="Likewise."),
        click.option("--since", type=Moment(), default=0, show_default="the beginning", help="A time, or an age: 7d."),
        click.option("--team", default=""),
        click.option("--call", default="", help="Only of the call with this id."),
        click.option("--kind", default="", help="A kind or a family, like pii."),
    ):
        function = option(function)
    return places(json_option(function))


def _filter(kind: str, call: str, team: str, since: int, until: int) -> Filter:
    return Filter(kind="outcome", finding=kind, call=call, team=team, since=since, until=until)


# ---- commands -------------------------------------------------------------------------------------------------------


@command.command("list")
@click.option("--unreviewed", is_flag=True, help="Only what nobody has judged yet.")
@_chosen
def list_(*, unreviewed: bool, limit: int, folder: Path | None, config: Path, as_json: bool, **wanted: Any) -> None:
    """List findings, the newest call first, with what was said of them."""
    with told(as_json=as_json), past_of(folder, config) as (past, reviews):
        known = {each.key: each.verdict for each in reviews.all()}
        found = (each for each in past.sightings(_filter(**wanted)) if not (unreviewed and each.key in known))
        shown = list(islice(found, limit))
    if as_json:
        print_json([as_object(each, known.get(each.key)) for each in shown])
        return
    for each in shown:
        click.echo(_line(each, known.get(each.key)))
    if not shown:
        click.echo("yett: nothing was found in the calls that are meant", err=True)


@command.command()
@click.option("--verdict", type=click.Choice(["true", "false"]), help="Judge all that match without asking.")
@click.option("--note", default="", help="Why, for whoever reads it later.")
@_chosen
def review(
    *, verdict: str | None, note: str, limit: int, folder: Path | None, config: Path, as_json: bool, **wanted: Any
) -> None:
    """Mark findings as true or false, one after the other.

    What is marked changes nothing by itself: `yett detectors tune` makes proposals of it.
    """
    if verdict and not (wanted["kind"] or wanted["call"]):
        raise click.UsageError("--verdict judges without asking: say of which --kind or --call")
    done: Counter[str] = Counter()
    with told(as_json=as_json), past_of(folder, config) as (past, reviews):
        known = {each.key for each in reviews.all()}
        waiting = [
            each for each in islice(past.sightings(_filter(**wanted)), limit) if verdict or each.key not in known
        ]
        for number, each in enumerate(waiting, 1):
            answer = verdict or _asked(each, number, len(waiting))
            if answer == "quit":
                break
            done[answer] += 1
            if answer != "skip":
                who, now = getpass.getuser(), int(time.time())
                reviews.put(each.judged(verdict=answer == "true", reviewer=who, ts=now, note=note))
    if as_json:
        print_json({"true": done["true"], "false": done["false"], "skipped": done["skip"]})
    else:
        click.echo(f"yett: {done['true']} marked as true, {done['false']} as false, {done['skip']} skipped", err=True)


def _asked(each: Sighting, number: int, of: int) -> str:
    click.echo(f"\n{number}/{of}  {_line(each, None)}")
    answers = {"t": "true", "f": "false", "s": "skip", "q": "quit"}
    return answers[
        click.prompt("[t]rue, [f]alse, [s]kip, [q]uit", type=click.Choice(list(answers)), show_choices=False)
    ]


@command.command()
@click.argument("name")
@click.option(
    "--finding", "selectors", multiple=True, required=True, help="A kind, a family or a detector. Repeatable."
)
@click.option("--until", "until", default="", help="The last day, like 2026-12-31.")
@click.option("--days", type=click.IntRange(1, LONGEST.days), help="Or: for so many days.")
@click.option("--reason", required=True, help="Why, for whoever reads it later.")
@click.option("--team", "teams", multiple=True, help="Only calls of this team. Repeatable.")
@click.option(
    "--on", "parts", type=click.Choice(["request", "reply"]), multiple=True, help="Only on this side of a call."
)
@click.option(
    "--role", "roles", type=click.Choice(ORIGINS), multiple=True, metavar="ROLE", help="Only in texts of this role."
)
@click.option(
    "--value", "values", multiple=True, help='Only this value, "-" for standard input; it is kept as a keyed hash.'
)
@click.option("--tenant", default=TENANT, show_default=True, help="Whose value that is.")
@click.option(
    "--hash", "hashes", multiple=True, help="Only the value of this keyed hash, as yett findings list shows it."
)
@click.option("--since", type=Moment(), default="30d", show_default=True, help="How far back the effect is looked at.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@places
@json_option
def suppress(
    *, name: str, until: str, days: int | None, reason: str, values: tuple[str, ...], hashes: tuple[str, ...], since: int, tenant: str,
    yes: bool, folder: Path | None, config: Path, as_json: bool, **scope: tuple[str, ...],
) -> None:  # fmt: skip
    """Write a suppression into yett.toml, once you have seen what it would have done to the calls of the past.

    A running gateway takes it up like any other change of the file, and forgets it when its last day is over.
    """
    if bool(until) is bool(days):
        raise click.UsageError("say when it ends: --until DATE or --days N")
    today = datetime.now(UTC).date()
    last = until or (today + timedelta(days=days or 0)).isoformat()
    with contextlib.suppress(ValueError):  # what is no date is told with its place in the file
        if date.fromisoformat(last) < today:
            raise click.UsageError(f"{last} is over: nothing would be suppressed")
    with told(as_json=as_json), past_of(folder, config) as (past, reviews):
        kept = [sys.stdin.read().rstrip("\n") if value == "-" else value for value in values]
        about = {**scope, "values": (*hashes, *(past.fingerprint(tenant, value) for value in kept))}
        text = table(name, findings=about.pop("selectors"), until=last, reason=reason, on=about.pop("parts"), **about)
        seen = effect(
            past,
            reviews.all(),
            since,
            Scope(scope["selectors"], scope["teams"], scope["parts"], scope["roles"], about["values"]),
        )
        if not as_json:
            _tell_effect(seen)
            click.echo(f"\n{text}")
        if not yes and not as_json and not click.confirm(f"Write this into {config}?"):
            sys.exit(FINDINGS)
        try:
            if yes or not as_json:
                add_table(config, text, os.environ)
        except Refused as error:
            raise click.UsageError(str(error)) from None
    if as_json:
        print_json({"table": text, "written": yes, "effect": seen})
    else:
        click.echo(f"yett: written into {config}", err=True)


def _tell_effect(effect: dict[str, Any]) -> None:
    actions = ", ".join(f"{count} {action}" for action, count in sorted(effect["findings"].items())) or "nothing"
    click.echo(
        f"It would have taken away, in {effect['calls']} call{'' if effect['calls'] == 1 else 's'} of the past: {actions}."
    )
    if effect["reviewed_true"] or effect["reviewed_false"]:
        line = f"Of these {effect['reviewed_false']} were marked as false and {effect['reviewed_true']} as true."
        click.secho(line, fg="red" if effect["reviewed_true"] else None)
    if effect["unknown"]:
        click.echo(f"Of {effect['unknown']} more it cannot be told: they were only counted.")


def _line(each: Sighting, verdict: bool | None) -> str:
    record = each.record
    when = datetime.fromtimestamp(record.ts / 1e6, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    count = f" ×{each.count}" if each.count > 1 else ""
    score = f" {each.score:.2f}" if each.score < 1.0 else ""
    action = click.style(each.action, fg=_COLOURS.get(each.action))
    said = {True: click.style("  true", fg="green"), False: click.style("  false", dim=True), None: ""}[verdict]
    line = f"{when}  {record.call}  {record.team}/{record.name}  {each.part}  {each.kind}{count}{score}  {action}{said}"
    known = [click.style(part, dim=True) for part in (each.detector, each.role, each.last, each.value) if part]
    if each.excerpt is not None:
        known.insert(0, f"{each.excerpt.before}{click.style(each.excerpt.span, reverse=True)}{each.excerpt.after}")
    return f"{line}\n    {'  '.join(known)}" if known else line
