"""`yett ledger`: hold the limits against the journal, and make them anew from it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Protocol, TypeVar

import click
from msgspec import to_builtins

from yett.cli.common import FINDINGS, configuration_option, json_option, print_json, told
from yett.cli.state import open_database
from yett.cli.system import SystemClock
from yett.config.reader import read
from yett.config.reading import Reading
from yett.errors import ConfigurationError, YettError
from yett.model.key import Limits
from yett.ports import Scope
from yett.stores.books import Abandoned, Books, Dial, Difference, compare, read_books, replay
from yett.stores.facts import Facts
from yett.stores.limits import DAY, Account, usd
from yett.stores.notary import lives
from yett.stores.shared_ledger import SharedLedger

T = TypeVar("T")
MACHINE = "ledger"
Look = tuple[Books, dict[str, Account], list[Abandoned]]

journals_option = click.option(
    "--audit",
    "audits",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    multiple=True,
    help="The journal of another machine that counts in the same store; may be given several times.",
)


class LedgerMistake(YettError):
    """What was asked for would lose something, or cannot be done here."""


class Ledgers(Protocol):
    """Where limits are counted."""

    async def look(self, read: Callable[[list[Abandoned]], Books]) -> Look:
        """What the journal says, what the ledger does, and what dead gateways have left in it."""
        ...

    async def rebuild(self, books: Books, force: bool) -> None:
        """Replace the ledger by one that says what `books` do; one that is there only with `force`."""
        ...


@click.group("ledger")
def command() -> None:
    """Limits and what was spent: what the ledger says of it, and what the journal says.

    With a store that several machines share (`stores.limits`), give the journals of all of them.
    """


@command.command("check")
@journals_option
@configuration_option
@json_option
def check(*, audits: tuple[Path, ...], config: Path, as_json: bool) -> None:
    """Compare what was spent this month by the ledger and by the journal. Exits with 1 when they differ."""
    with told(as_json=as_json):
        reading = _reading(config)
        now = SystemClock().now()

        def books_of(abandoned: list[Abandoned]) -> Books:
            return read_books([reading.audit, *audits], now, frozenset(call for call, _, _ in abandoned))

        books, accounts, abandoned = _run(_store(reading).look(books_of))
        differences = compare(books, accounts, abandoned, int(now * 1e6) // DAY)
    wrong = [each for each in differences if each.unexplained]
    if as_json:
        print_json(
            {
                "ok": not wrong,
                "scopes": len(books.spent),
                "open": len(books.open),
                "differences": [_row(d) for d in differences],
            }
        )
    else:
        for each in differences:
            click.echo(
                f"{each.scope}: ledger {usd_of(each.ledger)}, journal {usd_of(each.journal)} USD this month"
                + (
                    f"; {usd_of(each.unresolved)} of it are worst cases that can still be put right"
                    if each.unresolved
                    else ""
                )
            )
        calls = f", {len(books.open)} calls not over" if books.open else ""
        click.echo(
            f"{len(books.spent)} scopes{calls}: " + (f"{len(wrong)} differ" if wrong else "ledger and journal agree")
        )
    if wrong:
        sys.exit(FINDINGS)


@command.command("rebuild")
@journals_option
@click.option("--force", is_flag=True, help="Also when there is a ledger; gateways that use it have to be stopped.")
@configuration_option
@json_option
def rebuild(*, audits: tuple[Path, ...], force: bool, config: Path, as_json: bool) -> None:
    """Make the ledger anew from the journal: what was spent this month and week. Rates begin empty.

    A shared store that has lost its counters refuses calls until this is done; gateways that wait for it go on by themselves.
    """
    with told(as_json=as_json):
        reading = _reading(config)
        books = read_books([reading.audit, *audits], SystemClock().now())
        _run(_store(reading).rebuild(books, force))
    if as_json:
        print_json({"ok": True, "scopes": len(books.spent), "open": len(books.open)})
    else:
        click.echo(f"rebuilt {len(books.spent)} scopes, {len(books.open)} calls not over")


def _run(work: Coroutine[None, None, T]) -> T:
    return asyncio.run(work)


def _reading(config: Path) -> Reading:
    reading = read(config, os.environ)
    if not reading.parsed:
        raise ConfigurationError(reading.mistakes)
    mistakes = tuple(
        mistake for mistake in reading.mistakes if mistake.message.startswith(("stores.", "state.", "audit."))
    )
    if mistakes:
        raise ConfigurationError(mistakes)
    return reading


def _store(reading: Reading) -> Ledgers:
    if not reading.limits:
        return _Machine(reading)
    try:
        from yett.cli.cluster_limits import ClusterBooks
    except ModuleNotFoundError as error:
        message = f'needs {error.name}; install the extra: pip install "yett[cluster]"'
        raise ConfigurationError((reading.mistake(("stores", "limits"), message),)) from error
    if not reading.settings.stores.state:
        return ClusterBooks(reading)
    database = open_database(reading)
    try:
        return ClusterBooks(reading, Facts(database))
    finally:
        database.close()


class _Machine:
    """The file of this machine."""

    def __init__(self, reading: Reading) -> None:
        self._path = reading.state / MACHINE
        self._audit = reading.audit
        self._lease = reading.settings.limits.lease_seconds

    async def look(self, read: Callable[[list[Abandoned]], Books]) -> Look:
        """Of the scopes that the journal knows: the file keeps no names. What the dead have left, the next start puts right."""
        books = read([])
        if not self._path.exists():
            return books, {}, []
        ledger = SharedLedger(self._path, SystemClock(), self._lease)
        try:
            return books, {scope: ledger.account(Scope(scope, Limits())) for scope in books.spent}, []
        finally:
            ledger.close()

    async def rebuild(self, books: Books, force: bool) -> None:
        if self._path.exists() and not force:
            raise LedgerMistake(f"{self._path} exists; stop the gateway and use --force to replace it")
        if any(lives(folder) for folder in self._audit.glob("w-*")):  # it would go on counting in the file before
            raise LedgerMistake(f"a gateway is running that writes {self._audit}; stop it first")
        fresh = self._path.with_name(f"{MACHINE}.rebuilt")
        fresh.unlink(missing_ok=True)
        dial = Dial()
        ledger = SharedLedger(fresh, dial, self._lease)
        try:
            await replay(books, ledger, dial)
        finally:
            ledger.close()
        fresh.replace(self._path)


def _row(difference: Difference) -> dict[str, object]:
    return {**to_builtins(difference), "unexplained": difference.unexplained}


def usd_of(amount: int) -> str:
    return ("-" if amount < 0 else "") + usd(abs(amount))
