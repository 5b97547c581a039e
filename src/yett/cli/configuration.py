"""`yett config`: the configuration that several gateways share: push it, look at what was pushed, and go back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from yett.cli.bundle import checked, collected
from yett.cli.changes import operator, recorded, refuse_other_users
from yett.cli.common import configuration_option, json_option, print_json, told
from yett.cli.state import open_keys, open_shared
from yett.cli.system import SystemClock
from yett.config.reader import read
from yett.config.reading import Reading
from yett.config.shared import FILE
from yett.errors import ConfigurationError, IntegrityError, Mistake
from yett.model.record import Record
from yett.stores.database import FileDatabase
from yett.stores.replicas import Replica, Replicas
from yett.stores.revisions import Revision, RevisionMistake, Revisions, nobody, take_up, write
from yett.stores.sqlite import StoreUnavailable

_NONE = "no revisions; `yett config push` makes one"
_SOON = "running gateways take it up within a second, each after checking it for itself"

_why_option = click.option("--why", default="", help="What it is for; shown in the history and in the journal.")
_expect_option = click.option(
    "--expect",
    type=click.IntRange(0),
    metavar="REVISION",
    help="Only if this is the latest revision now; 0: only if there is none. Else the one that was the latest when this began.",
)


@click.group("config")
def command() -> None:
    """Share a configuration between gateways, as numbered revisions in their database.

    Needs `stores.configuration = "shared"` in the yett.toml of each machine, which then keeps what is the machine's own.
    """


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path("shared"))
@_why_option
@_expect_option
@configuration_option
@json_option
def push(*, folder: Path, why: str, expect: int | None, config: Path, as_json: bool) -> None:
    """Check FOLDER (its yett.toml, policies, and the files that it names) and make it the latest revision.

    What is in it may refer to secrets, and holds none: a file with one is refused.
    """
    with told(as_json=as_json):
        reading = _reading(config)
        with revisions_of(reading, record=True) as revisions:
            before = revisions.latest() if expect is None else expect
            files = collected(folder)
            checked(config, folder, files)
            pushed = revisions.push(files, _now(), operator(), why, expect=before)
    _show(pushed, as_json=as_json)


@command.command()
@click.argument("number", type=click.IntRange(1), metavar="REVISION")
@_why_option
@_expect_option
@configuration_option
@json_option
def rollback(*, number: int, why: str, expect: int | None, config: Path, as_json: bool) -> None:
    """Make what REVISION said the latest revision, checked as if it were pushed."""
    with told(as_json=as_json):
        reading = _reading(config)
        with revisions_of(reading, record=True) as revisions:
            before = revisions.latest() if expect is None else expect
            _, files = revisions.get(number)
            checked(config, None, files)
            pushed = revisions.push(files, _now(), operator(), why, expect=before, restores=number)
    _show(pushed, as_json=as_json)


@command.command()
@configuration_option
@json_option
def history(*, config: Path, as_json: bool) -> None:
    """List the revisions, and which of the gateways run which."""
    with told(as_json=as_json):
        reading = _reading(config)
        with revisions_of(reading) as revisions:
            found = revisions.all()
        running = _running(reading)
    if as_json:
        rows = [described(one) for one in found]
        gateways = {id: {"revision": one.revision, "refused": one.refused} for id, one in running.items()}
        print_json({"revisions": rows, "gateways": gateways})
        return
    for one in found:
        click.echo(_line(one))
    for id, replica in running.items():
        refused = f", and refuses {found[-1].number}: {replica.refused}" if replica.refused and found else ""
        click.echo(f"{id} runs {replica.revision or 'none of them'}{refused}")
    if not found:
        click.echo(_NONE)


@command.command()
@click.argument("number", type=click.IntRange(1), metavar="[REVISION]", required=False)
@click.option("--to", type=click.Path(path_type=Path), help="Write its files to this new folder.")
@configuration_option
@json_option
def show(*, number: int | None, to: Path | None, config: Path, as_json: bool) -> None:
    """Print a revision's yett.toml and the names of its files. Without REVISION, the latest."""
    with told(as_json=as_json):
        with revisions_of(_reading(config)) as revisions:
            if not (wanted := number or revisions.latest()):
                raise RevisionMistake(_NONE)
            revision, files = revisions.get(wanted)
        if to is not None:
            if to.exists():
                raise RevisionMistake(f"{to} exists; name a new folder")
            write(files, to)
    sizes = {name: len(content) for name, content in files.items()}
    if as_json:
        print_json({**described(revision), "files": sizes})
        return
    click.echo(_line(revision))
    for name, size in sizes.items():
        click.echo(f"  {name} ({size} bytes)")
    if to is None:
        click.echo()
        click.echo(files[FILE].decode(), nl=False)


@command.command()
@configuration_option
@json_option
def pull(*, config: Path, as_json: bool) -> None:
    """Get the latest revision, for commands on a machine where no gateway runs; gateways do so by themselves."""
    with told(as_json=as_json):
        reading = _reading(config)
        with revisions_of(reading) as revisions:
            revision = taken(revisions, reading.state)
    if revision is None:
        raise SystemExit(_nothing(as_json=as_json))
    _show(revision, as_json=as_json, what="is in force here")


# ---- what `yett serve` shares ---------------------------------------------------------------------------------------


def taken(revisions: Revisions, state: Path, known: int = 0) -> Revision | None:
    """The latest revision, put in force in a state directory; None when there is none. Raises StoreUnavailable; IntegrityError also
    when it is an earlier one than is `known`."""
    number = revisions.latest()
    if number < known:
        raise IntegrityError(
            f"the latest revision is {number} now, and was {known}; `yett config push` makes a later one"
        )
    if not number:
        return None
    revision, files = revisions.get(number)
    try:
        take_up(revision, files, state)
    except OSError as error:
        raise StoreUnavailable(f"{state} cannot be written: {error.strerror}") from error
    return revision


def synchronise(config: Path, environment: Mapping[str, str]) -> None:
    """Have the latest revision in force on this machine, if its configuration is shared. Raises YettError."""
    reading = read(config, environment)
    if reading.settings.stores.configuration == "shared":
        with revisions_of(reading) as revisions:
            taken(revisions, reading.state)


@contextmanager
def revisions_of(reading: Reading, *, record: bool = False) -> Iterator[Revisions]:
    """The revisions; with `record`, each push is in the audit journal before it counts."""
    witness = nobody
    if not record:
        with open_keys(reading) as keys:
            yield Revisions(keys.database, keys.pepper, witness)
        return
    refuse_other_users(reading)
    with recorded(reading) as write_record:

        def told_of(revision: Revision) -> None:
            detail: dict[str, object] = {"user": operator(), **described(revision)}
            event = "configuration.rollback" if revision.restores else "configuration.push"
            ts = int(SystemClock().now() * 1e6)
            write_record(Record(kind="event", call=f"revision {revision.number}", ts=ts, event=event, detail=detail))

        with open_keys(reading) as keys:
            yield Revisions(keys.database, keys.pepper, told_of)


# ---- the parts ------------------------------------------------------------------------------------------------------


def _reading(config: Path) -> Reading:
    """The machine's own part, which has to say that there is a shared one."""
    reading = read(config, None)
    if not reading.parsed:
        raise ConfigurationError(reading.mistakes)
    stores = tuple(
        one for one in reading.mistakes if "stores." in one.message and "stores.configuration" not in one.message
    )
    if stores:
        raise ConfigurationError(stores)
    if reading.settings.stores.configuration != "shared":
        message = 'stores.configuration: is "file"; write configuration = "shared" under [stores] to share one'
        raise ConfigurationError((Mistake(str(config), 0, message),))
    return reading


def _running(reading: Reading) -> dict[str, Replica]:
    database = open_shared(reading) or FileDatabase(reading.state)
    try:
        return Replicas(database).living(_now())
    finally:
        database.close()


def described(revision: Revision) -> dict[str, object]:
    return {
        "revision": revision.number,
        "digest": revision.digest,
        "pushed": datetime.fromtimestamp(revision.pushed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "author": revision.author,
        "why": revision.reason,
        "restores": revision.restores or None,
    }


def _line(revision: Revision) -> str:
    shown = described(revision)
    words = [click.style(f"{revision.number}", bold=True), str(shown["pushed"]), revision.author or "somebody"]
    words += [f"restores {revision.restores}"] if revision.restores else []
    return "  ".join([*words, revision.digest[:12], *([f"({revision.reason})"] if revision.reason else [])])


def _show(revision: Revision, *, as_json: bool, what: str = f"pushed; {_SOON}") -> None:
    if as_json:
        print_json(described(revision))
    else:
        click.echo(f"revision {revision.number} ({revision.digest[:12]}): {what}")


def _nothing(*, as_json: bool) -> int:
    if as_json:
        print_json({"revision": 0})
    else:
        click.echo(_NONE)
    return 0


def _now() -> int:
    return int(SystemClock().now())
