"""The vault when what it is in cannot be used: calls go on, soon, and what could not be kept is kept when it can be.
What it does otherwise is in tests/contracts."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scene import Clock

from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.stores import vault as module
from yett.stores.database import FileDatabase
from yett.stores.sqlite import StoreUnavailable
from yett.stores.vault import Vault
from yett.stores.vault_rows import excess

OWNER, TASK, OTHER = b"o" * 16, b"a" * 32, b"b" * 32
MAIL = Substitute("pii.email", "EMAIL_7Q2MKDB3", Secret("ada@example.org"))
HALF = Substitute("pii.name", "NAME_7Q2MKDB4", Secret("half \ud83d a\0pair"))


def shown(recalled: tuple[list[Substitute], bool]) -> dict[str, str]:
    """When nothing is missing."""
    found, whole = recalled
    assert whole
    return {each.shown: each.value.reveal() for each in found}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    made = Vault(tmp_path / "vault.db", clock)
    yield made
    made.close()


# ---- in a file ------------------------------------------------------------------------------------------------------


@pytest.fixture
def blocking(vault: Vault, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another worker that holds the file."""
    connection = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    yield connection
    connection.close()


def test_nobody_else_reads_the_file(vault: Vault, tmp_path: Path) -> None:
    assert (tmp_path / "vault.db").stat().st_mode & 0o077 == 0


async def test_a_call_goes_on_without_it(vault: Vault, blocking: sqlite3.Connection) -> None:
    """Nothing is put back that cannot be recalled; and once it works again, it does."""
    assert await vault.keep(OWNER, TASK, [MAIL], 60) is None
    assert "locked" in vault.trouble
    assert await vault.keep(OWNER, TASK, [MAIL], 60) is None
    blocking.execute("COMMIT")
    assert await vault.recall(OWNER, TASK, [MAIL.shown]) == ([], True)
    assert vault.trouble == ""
    await vault.keep(OWNER, TASK, [MAIL], 60)
    assert shown(await vault.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}


async def test_the_loop_goes_on_while_another_worker_holds_the_file(vault: Vault, blocking: sqlite3.Connection) -> None:
    keeping = [asyncio.ensure_future(vault.keep(OWNER, TASK, [each], 60)) for each in (MAIL, HALF)]
    beats = 0
    while not keeping[0].done():
        await asyncio.sleep(0.001)
        beats += 1
    assert beats > 10, "it waits for a tenth of a second, and nobody else does"
    blocking.execute("COMMIT")
    assert await asyncio.gather(*keeping) == [None, []]


async def test_calls_that_come_together_share_a_commit_and_one_that_leaves_is_no_trouble(vault: Vault) -> None:
    keeping = [asyncio.ensure_future(vault.keep(OWNER, TASK, [each], 60)) for each in (MAIL, HALF, MAIL)]
    await asyncio.sleep(0)
    keeping[1].cancel()
    assert await keeping[0] == await keeping[2] == []
    assert len(shown(await vault.recall(OWNER, TASK, [MAIL.shown, HALF.shown]))) == 2


async def test_trouble_that_is_over_is_found_out_without_a_call(
    vault: Vault, blocking: sqlite3.Connection, tmp_path: Path, clock: Clock
) -> None:
    await vault.keep(OWNER, TASK, [MAIL], 60)
    await vault.keep(OWNER, TASK, [HALF], 1)
    clock.time += 2
    await vault.probe()
    assert "locked" in vault.trouble
    blocking.execute("COMMIT")
    await vault.probe()
    assert vault.trouble == ""
    other = Vault(tmp_path / "vault.db", clock)
    assert shown(await other.recall(OWNER, TASK, [MAIL.shown, HALF.shown])) == {MAIL.shown: "ada@example.org"}
    other.close()


async def test_what_it_tells_of_itself(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    for seconds in (0, 61):
        clock.time += seconds
        await vault.keep(OWNER, TASK, [MAIL, HALF][: 2 if not seconds else 1], 60)
        await vault.recall(OWNER, TASK, ["ANY_22222222"])  # behind what counts
    figures = vault.figures()
    assert (figures.rows, figures.expired, figures.failures) == (1, 1, 0)
    assert figures.bytes > 0
    (tmp_path / "vault.db").unlink()
    assert vault.figures().bytes == 0


async def test_what_is_remembered_is_bounded(
    vault: Vault, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_REMEMBERED", 8)
    many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(100)]
    for each in many:
        await vault.keep(OWNER, TASK, [each], 60)
    assert len(vault._remembered) <= 8
    assert len(shown(await vault.recall(OWNER, TASK, [each.shown for each in many]))) == 100


async def test_what_the_version_before_has_kept_is_found(vault: Vault, tmp_path: Path) -> None:
    """It did not say whose a row is."""
    await vault.keep(OWNER, TASK, [MAIL], 60)
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        connection.execute("UPDATE substitutes SET task = substr(task, 17)")
    connection.close()
    later = Vault(tmp_path / "vault.db", Clock())
    assert shown(await later.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}
    later.close()


# ---- in a database elsewhere ----------------------------------------------------------------------------------------


class Server:
    """A database that does not answer, or that is away, when a test says so."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.away = False
        self.answers = threading.Event()
        self.answers.set()

    def open(self) -> FileDatabase:
        return Elsewhere(self)


class Elsewhere(FileDatabase):
    def __init__(self, server: Server) -> None:
        self.server = server
        super().__init__(server.folder, "elsewhere.db")

    def rows(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        self._ask()
        return super().rows(sql, *arguments)

    def run(self, sql: str, *arguments: object) -> int:
        self._ask()
        return super().run(sql, *arguments)

    def _ask(self) -> None:
        self.server.answers.wait(10)
        if self.server.away:
            raise StoreUnavailable("it is away")


def elsewhere(folder: Path, clock: Clock) -> tuple[Vault, Server]:
    server = Server(folder)
    return Vault(folder / "vault.db", clock, server.open), server


async def counted(vault: Vault) -> int:
    """How many rows there are, when they have been counted."""
    end = time.monotonic() + 10
    while not vault.figures().rows:
        assert time.monotonic() < end
        await asyncio.sleep(0.005)
    return vault.figures().rows


async def test_without_a_database_elsewhere_nobody_waits(tmp_path: Path, clock: Clock) -> None:
    vault, server = elsewhere(tmp_path, clock)
    assert await vault.keep(OWNER, TASK, [MAIL], 60) == []
    server.away = True
    assert await vault.keep(OWNER, TASK, [HALF], 60) is None
    assert vault.trouble == "it is away"
    assert shown(await vault.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}, "it was here"
    assert await vault.recall(OWNER, TASK, [MAIL.shown, HALF.shown]) == ([MAIL], False)
    assert await vault.keep(OWNER, TASK, [MAIL], 60) == []
    server.answers.clear()  # now nobody could ask it at all
    assert await vault.keep(OWNER, OTHER, [MAIL, HALF], 60) is None
    assert await vault.recall(OWNER, OTHER, [MAIL.shown]) == ([], False)
    server.answers.set()
    await vault.probe()
    assert vault.trouble == "it is away"
    server.away = False
    await vault.probe()
    assert vault.trouble == ""
    other, _ = elsewhere(tmp_path, clock)
    assert len(shown(await other.recall(OWNER, OTHER, [MAIL.shown, HALF.shown]))) == 2, "nothing of it is lost"
    assert len(shown(await other.recall(OWNER, TASK, [MAIL.shown, HALF.shown]))) == 2
    vault.close()
    other.close()


async def test_a_database_that_does_not_answer_is_not_waited_for(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    vault, server = elsewhere(tmp_path, clock)
    server.answers.clear()
    began = time.monotonic()
    both = [vault.keep(OWNER, TASK, [MAIL], 60), vault.recall(OWNER, TASK, [HALF.shown])]
    assert await asyncio.gather(*both) == [None, ([], False)]
    assert "does not answer" in vault.trouble
    assert await vault.recall(OWNER, TASK, [HALF.shown]) == ([], False)
    assert time.monotonic() - began < 5.0
    monkeypatch.undo()
    server.answers.set()
    await vault.probe()
    assert vault.trouble == ""
    assert len(shown(await vault.recall(OWNER, TASK, [MAIL.shown]))) == 1
    vault.close()


async def test_what_cannot_be_swept_is_no_trouble_of_calls(tmp_path: Path, clock: Clock) -> None:
    vault, server = elsewhere(tmp_path, clock)
    opened = server.open()
    server.open = lambda: opened  # type: ignore[method-assign]
    broken, _ = elsewhere(tmp_path, clock)
    broken._shared = lambda: (_ for _ in ()).throw(StoreUnavailable("no more connections"))
    assert await broken.keep(OWNER, TASK, [MAIL], 60) == []
    while not broken.figures().failures:
        await asyncio.sleep(0.005)
    assert broken.trouble == ""
    assert await broken.keep(OWNER, TASK, [HALF], 60) == []
    for each in (vault, broken, opened):
        each.close()


async def test_what_it_owes_is_bounded(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_OWED", 10)
    vault, server = elsewhere(tmp_path, clock)
    server.away = True
    many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(100)]
    assert await vault.keep(OWNER, TASK, many, 60) is None
    server.away = False
    await vault.probe()
    await vault.keep(OWNER, TASK, [MAIL], 60)
    assert await counted(vault) == 11
    assert vault.figures().bytes > 0
    vault.close()


async def test_what_a_machine_had_by_itself_is_moved(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(1200)]
    await vault.keep(OWNER, TASK, many, 60)
    await vault.keep(OWNER, TASK, [MAIL], 1)
    clock.time += 2
    shared, server = elsewhere(tmp_path, clock)
    server.away = True
    await shared.move()
    assert await shared.recall(OWNER, TASK, [many[0].shown]) == ([], False)
    server.away = False
    await shared.probe()
    await shared.move()
    found = shown(await shared.recall(OWNER, TASK, [MAIL.shown, *(each.shown for each in many)]))
    assert len(found) == 1200
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        assert connection.execute("SELECT count(*) FROM substitutes").fetchone() == (0,)
    connection.close()
    (tmp_path / "vault.db").unlink()
    (tmp_path / "vault.db").write_bytes(b"no database at all" * 100)
    await shared.move()
    assert shared.trouble == "", "which is not the trouble of the shared one"
    shared.close()


def test_who_has_the_most_gives() -> None:
    assert excess([900, 100, 10], 100) == [100]
    assert excess([900, 800, 10], 200) == [150, 50]
    assert excess([5, 5, 5], 3) == [1, 1, 1]
    assert excess([3, 1], 4) == [3, 1]
    assert excess([9, 5], 50, floor=5) == [4, 0], (
        "of those who are not listed nobody has more: they give the rest together"
    )
