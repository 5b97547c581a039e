"""The vault, in the file of one machine and in the database of several: what was kept comes back to its own task, wherever its next
call lands, for its time, and from a place that says nothing by itself."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.conftest import new_database
from tests.scene import Clock
from tests.servers import Postgres

from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.redaction.mint import owner_name, task_key
from yett.stores import vault_rows
from yett.stores.postgres import PostgresDatabase
from yett.stores.vault import Vault
from yett.stores.vault_seal import TaskSeal

PEPPER = b"p" * 32
OWNER, TASK = owner_name(PEPPER, "acme", "ada"), task_key(PEPPER, "acme", "ada", "trip")
MAIL = Substitute("pii.email", "EMAIL_7Q2MKDB3", Secret("ada@example.org"))
HALF = Substitute("pii.name", "NAME_7Q2MKDB4", Secret("half \ud83d a\0pair"))


def shown(recalled: tuple[list[Substitute], bool]) -> dict[str, str]:
    """When nothing is missing."""
    found, whole = recalled
    assert whole
    return {each.shown: each.value.reveal() for each in found}


class Place:
    """Where gateways keep it. `open` is another gateway, on the same."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clock = Clock()
        self.path = folder / "vault.db"
        self.url = url
        self.vaults: list[Vault] = []

    def open(self, most: int | None = None) -> Vault:
        shared = (lambda: PostgresDatabase(self.url)) if self.url else None
        self.vaults.append(Vault(self.path, self.clock, shared, most))
        return self.vaults[-1]

    def close(self, vault: Vault) -> None:
        self.vaults.remove(vault)
        vault.close()

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """As somebody who can write there."""
        if not self.url:
            with sqlite3.connect(self.path) as connection:
                rows = connection.execute(statement.replace("$", "?"), values).fetchall()
            connection.close()
            return rows
        database = PostgresDatabase(self.url)
        found = database.rows(statement, *values)
        database.close()
        return found

    def rows(self) -> int:
        return int(self.sql("SELECT count(*) FROM substitutes")[0][0])


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Place]:
    made = Place(tmp_path, new_database(postgres) if request.param == "postgres" else "")
    yield made
    for vault in tuple(made.vaults):
        made.close(vault)


def test_what_was_kept_comes_back_at_another_gateway_and_after_a_restart(place: Place) -> None:
    async def scene() -> None:
        first, second = place.open(), place.open()
        assert await first.keep(OWNER, TASK, [MAIL, HALF], 60) == []
        place.close(first)
        wanted = {MAIL.shown: "ada@example.org", HALF.shown: "half \ud83d a\0pair"}
        for vault in (second, place.open()):
            found = await vault.recall(OWNER, TASK, [MAIL.shown.lower(), HALF.shown, "CARD_22222222"])
            assert shown(found) == wanted
        assert await second.recall(OWNER, TASK, []) == ([], True)

    asyncio.run(scene())


@pytest.mark.parametrize(
    "whose", [("other", "ada", "trip"), ("acme", "bob", "trip"), ("acme", "ada", "tour"), ("acmea", "da", "trip")]
)
def test_nobody_else_has_it(place: Place, whose: tuple[str, str, str]) -> None:
    """Neither another tenant, nor another caller of the same task, nor another task; not even if a row is put in the place of theirs."""

    async def scene() -> None:
        await place.open().keep(OWNER, TASK, [MAIL], 60)
        owner, task = owner_name(PEPPER, *whose[:2]), task_key(PEPPER, *whose)
        theirs = place.open()
        assert await theirs.recall(owner, task, [MAIL.shown]) == ([], True)
        await theirs.keep(owner, task, [Substitute("pii.email", MAIL.shown, Secret("eve@example.org"))], 60)
        (sealed,) = place.sql("SELECT sealed FROM substitutes WHERE substr(task, 17) = $1", TaskSeal(OWNER, TASK).alone)
        place.sql("UPDATE substitutes SET sealed = $1 RETURNING name", sealed[0])
        caught = place.open()
        assert await caught.recall(owner, task, [MAIL.shown]) == ([], False)
        assert "not written by this gateway" in caught.trouble
        assert shown(await caught.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}

    asyncio.run(scene())


async def kept_and_changed(place: Place, change: Callable[[list[tuple[Any, ...]]], None]) -> None:
    await place.open().keep(OWNER, TASK, [MAIL, HALF], 60)
    change(place.sql("SELECT name, sealed FROM substitutes ORDER BY name"))
    vault = place.open()
    assert await vault.recall(OWNER, TASK, [MAIL.shown, HALF.shown]) == ([], False)
    assert "not written by this gateway" in vault.trouble
    assert vault.figures().failures == 2
    assert await vault.keep(OWNER, TASK, [MAIL, HALF], 60) is None


def test_a_row_that_was_changed_or_moved_is_not_believed(place: Place) -> None:
    def zeros(rows: list[tuple[Any, ...]]) -> None:
        place.sql("UPDATE substitutes SET sealed = $1 RETURNING name", b"\0" * 60)

    def swapped(rows: list[tuple[Any, ...]]) -> None:
        for (name, _), (_, sealed) in zip(rows, reversed(rows), strict=True):
            place.sql("UPDATE substitutes SET sealed = $1 WHERE name = $2 RETURNING name", sealed, name)

    for change in (zeros, swapped):
        asyncio.run(kept_and_changed(place, change))
        place.sql("DELETE FROM substitutes RETURNING name")


def test_it_expires_unless_it_is_used(place: Place) -> None:
    async def scene() -> None:
        vault, other = place.open(), place.open()
        await vault.keep(OWNER, TASK, [MAIL, HALF], 60)
        place.clock.time += 31
        await other.keep(OWNER, TASK, [MAIL], 60)
        place.clock.time += 30
        for each in (vault, other, place.open()):
            assert shown(await each.recall(OWNER, TASK, [MAIL.shown, HALF.shown])) == {MAIL.shown: "ada@example.org"}
        place.clock.time += 31
        assert await vault.recall(OWNER, TASK, [MAIL.shown]) == ([], True)
        place.clock.time += 31
        anew = Substitute("pii.email", MAIL.shown, Secret("bob@example.org"))
        assert await other.keep(OWNER, TASK, [anew], 60) == [], "its time is over: it may stand for another"
        assert shown(await vault.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "bob@example.org"}

    asyncio.run(scene())


def test_a_call_asks_only_about_what_is_new(place: Place) -> None:
    async def scene() -> None:
        vault = place.open()
        unknown = "CARD_22222222"
        await vault.keep(OWNER, TASK, [MAIL], 60)
        await vault.recall(OWNER, TASK, [MAIL.shown, unknown])
        asked, vault._database.rows = [], lambda sql, *values: asked.append(sql) or []  # type: ignore[method-assign,func-returns-value]
        for _ in range(3):
            assert await vault.keep(OWNER, TASK, [MAIL], 60) == []
            assert shown(await vault.recall(OWNER, TASK, [MAIL.shown, unknown])) == {MAIL.shown: "ada@example.org"}
        assert asked == []
        place.clock.time += 31
        await vault.recall(OWNER, TASK, [MAIL.shown, unknown])
        assert len(asked) == 1, "somebody may have issued it meanwhile"

    asyncio.run(scene())


def test_one_thing_stands_for_one_value(place: Place) -> None:
    """Whoever comes second is told, at the same gateway, at another, in one call, and at once."""

    async def scene() -> None:
        first, second = place.open(), place.open()
        other = Substitute("pii.phone", MAIL.shown, Secret("bob@example.org"))
        assert await first.keep(OWNER, TASK, [MAIL], 60) == []
        for vault in (first, second, second):
            assert await vault.keep(OWNER, TASK, [HALF, other], 60) == [MAIL]
            assert await vault.keep(OWNER, TASK, [MAIL], 60) == []
        await first.keep(OWNER, TASK, [HALF], 60)
        assert shown(await second.recall(OWNER, TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}
        mine = Substitute("pii.phone", "202-555-0123", Secret("+1 303 444 1234"))
        theirs = Substitute("pii.phone", "202-555-0123", Secret("+1 303 444 4321"))
        assert await first.keep(OWNER, TASK, [mine, theirs], 60) == [mine], "two targets of one call"
        at_once = [(vault, each) for vault in (first, second) for each in (mine, theirs)]
        told = await asyncio.gather(*(vault.keep(OWNER, TASK, [each], 60) for vault, each in at_once))
        (stays,) = {each.value.reveal() for found in told for each in found or ()}
        assert [found == [] for found in told] == [each.value.reveal() == stays for _, each in at_once]

    asyncio.run(scene())


def test_gateways_that_write_the_same_at_once_agree(place: Place) -> None:
    """In whatever order each of them comes to it: none waits for another that waits for it."""

    async def scene() -> None:
        vaults = [place.open() for _ in range(3)]
        many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(700)]
        for _ in range(2):
            told = await asyncio.gather(
                *(vault.keep(OWNER, TASK, random.sample(many, len(many)), 60) for vault in vaults)
            )
            if place.url:
                assert told == [[], [], []]
        for vault in (*vaults, place.open()):
            await vault.keep(OWNER, TASK, many, 60)
            assert shown(await vault.recall(OWNER, TASK, [each.shown for each in many])) == {
                each.shown: each.value.reveal() for each in many
            }
        assert place.rows() == 700

    asyncio.run(scene())


async def swept(place: Place, vault: Vault, rows: int) -> None:
    end = time.monotonic() + 10
    while (place.rows(), vault.figures().rows) != (rows, rows):
        assert time.monotonic() < end, (place.rows(), vault.figures())
        await asyncio.sleep(0.01)


def test_a_flood_takes_nothing_from_others(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has the most makes room, whatever would expire first."""
    monkeypatch.setattr(vault_rows, "_DELETED", 100)

    async def scene() -> None:
        vault = place.open(most=700)
        await vault.keep(OWNER, TASK, [MAIL, HALF], 90)
        flooder = owner_name(PEPPER, "acme", "eve")
        for call in range(4):
            task = task_key(PEPPER, "acme", "eve", f"task {call}")
            many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(400)]
            place.clock.time += 1
            await vault.keep(flooder, task, many, 3600)
        place.clock.time += 60
        await vault.keep(flooder, task, [MAIL], 3600)
        await swept(place, vault, 700)
        assert vault.figures().bytes > 0
        assert len(shown(await place.open().recall(OWNER, TASK, [MAIL.shown, HALF.shown]))) == 2
        place.clock.time += 61
        await vault.keep(flooder, task, [HALF], 3600)
        await swept(place, vault, 699)
        assert vault.figures().expired == 400 * 4 + 4 - 699

    asyncio.run(scene())


def test_it_says_nothing_by_itself(place: Place) -> None:
    async def scene() -> None:
        vault = place.open()
        other = task_key(PEPPER, "acme", "ada", "tour")
        await vault.keep(OWNER, TASK, [MAIL], 60)
        await vault.keep(OWNER, other, [MAIL], 60)
        rows = place.sql("SELECT task, name, sealed FROM substitutes")
        assert len({value for row in rows for value in row}) == 6, "not even that they are about the same"
        raw = b"".join(value for row in rows for value in row)
        for word in (b"ada@example", b"EMAIL_", b"7Q2MKDB3", b"pii.email", TASK, b"acme"):
            assert word not in raw
        assert "ada@" not in repr(vault) + repr(vars(vault))

    asyncio.run(scene())


def test_the_longest_and_the_most_that_a_call_can_have(place: Place) -> None:
    async def scene() -> None:
        vault = place.open()
        most = [Substitute("pii.name", f"NAME_{n:07d}2", Secret("é" * 512)) for n in range(3000)]
        assert await vault.keep(OWNER, TASK, most, 60) == []
        found = shown(await place.open().recall(OWNER, TASK, [each.shown for each in most[:2000]]))
        assert (len(found), set(found.values())) == (2000, {"é" * 512})

    asyncio.run(scene())
