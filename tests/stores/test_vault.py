"""The vault: what was kept comes back to its own task, for its time, from a file that says nothing by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.scene import Clock

from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.stores.vault import Vault

TASK, OTHER = b"a" * 32, b"b" * 32
MAIL = Substitute("pii.email", "EMAIL_7Q2MKDB3", Secret("ada@example.org"))
HALF = Substitute("pii.name", "NAME_7Q2MKDB4", Secret("half \ud83d a\0pair"))


def shown(found: list[Substitute]) -> dict[str, str]:
    return {each.shown: each.value.reveal() for each in found}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    made = Vault(tmp_path / "vault.db", clock)
    yield made
    made.close()


async def test_what_was_kept_comes_back_in_any_case(vault: Vault) -> None:
    await vault.keep(TASK, [MAIL, HALF], 60)
    assert await vault.recall(TASK, [MAIL.shown.lower(), HALF.shown, "CARD_22222222"]) == [
        MAIL,
        HALF,
    ] or await vault.recall(TASK, [MAIL.shown, HALF.shown]) == [HALF, MAIL]
    assert shown(await vault.recall(TASK, [HALF.shown])) == {HALF.shown: "half \ud83d a\0pair"}
    assert await vault.recall(TASK, []) == []


async def test_other_tasks_do_not_have_it(vault: Vault) -> None:
    await vault.keep(TASK, [MAIL], 60)
    assert await vault.recall(OTHER, [MAIL.shown]) == []


async def test_workers_share_it_and_a_restart_keeps_it(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    await vault.keep(TASK, [MAIL], 60)
    assert shown(await Vault(tmp_path / "vault.db", clock).recall(TASK, [MAIL.shown])) == {
        MAIL.shown: "ada@example.org"
    }


async def test_it_expires_unless_it_is_used(vault: Vault, clock: Clock) -> None:
    await vault.keep(TASK, [MAIL, HALF], 60)
    clock.time += 31
    await vault.keep(TASK, [MAIL], 60)
    clock.time += 30
    assert shown(await vault.recall(TASK, [MAIL.shown, HALF.shown])) == {MAIL.shown: "ada@example.org"}
    clock.time += 31
    assert await vault.recall(TASK, [MAIL.shown]) == []


def rows(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM substitutes").fetchone()
    connection.close()
    return int(count)


async def test_what_has_expired_is_deleted(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    await vault.keep(TASK, [MAIL, HALF], 60)
    clock.time += 61
    await vault.keep(OTHER, [MAIL], 60)
    assert rows(tmp_path / "vault.db") == 1


async def test_what_is_known_to_be_there_is_not_written_again(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    await vault.keep(TASK, [MAIL], 60)
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        connection.execute("DELETE FROM substitutes")
    connection.close()
    await vault.keep(TASK, [MAIL], 60)
    assert rows(tmp_path / "vault.db") == 0
    clock.time += 31
    await vault.keep(TASK, [MAIL], 60)
    assert rows(tmp_path / "vault.db") == 1


async def test_it_is_bounded(tmp_path: Path, clock: Clock) -> None:
    vault = Vault(tmp_path / "vault.db", clock, most=3)
    many = [Substitute("pii.email", f"EMAIL_2222222{n}", Secret(str(n))) for n in range(2, 8)]
    for number, each in enumerate(many):
        await vault.keep(TASK, [each], 600 + number)
        clock.time += 60
    assert rows(tmp_path / "vault.db") == 4  # three, and what came since
    assert await vault.recall(TASK, [each.shown for each in many[:2]]) == []


async def test_the_file_says_nothing_by_itself(vault: Vault, tmp_path: Path) -> None:
    await vault.keep(TASK, [MAIL], 60)
    await vault.keep(OTHER, [MAIL], 60)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs
    for word in (b"ada@example", b"EMAIL_", b"7Q2MKDB3", b"pii.email", TASK):
        assert word not in raw
    assert (tmp_path / "vault.db").stat().st_mode & 0o077 == 0
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        found = connection.execute("SELECT task, name, sealed FROM substitutes").fetchall()
    connection.close()
    assert len({value for row in found for value in row}) == 6
    assert "ada@" not in repr(vault) + repr(vars(vault))


@pytest.mark.parametrize("change", ["sealed = x'00'", "sealed = zeroblob(60)"])
async def test_a_row_that_was_changed_is_not_believed(vault: Vault, tmp_path: Path, change: str) -> None:
    await vault.keep(TASK, [MAIL], 60)
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        connection.execute(f"UPDATE substitutes SET {change}")
    connection.close()
    assert await vault.recall(TASK, [MAIL.shown]) is None
    assert "not written by this gateway" in vault.trouble
    assert vault.figures().failures == 1


async def test_a_row_that_was_moved_is_not_believed(vault: Vault, tmp_path: Path) -> None:
    await vault.keep(TASK, [MAIL, HALF], 60)
    with sqlite3.connect(tmp_path / "vault.db") as connection:
        first, second = connection.execute("SELECT name, sealed FROM substitutes").fetchall()
        connection.execute("UPDATE substitutes SET sealed = ? WHERE name = ?", (first[1], second[0]))
    connection.close()
    assert await vault.recall(TASK, [MAIL.shown, HALF.shown]) is None
    assert vault.trouble


async def test_a_call_goes_on_without_it(vault: Vault, tmp_path: Path) -> None:
    """Nothing is put back that cannot be recalled; and once it works again, it does."""
    blocking = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    blocking.execute("BEGIN EXCLUSIVE")
    assert await vault.keep(TASK, [MAIL], 60) is False
    assert "locked" in vault.trouble
    assert await vault.keep(TASK, [MAIL], 60) is False
    blocking.execute("COMMIT")
    blocking.close()
    assert await vault.recall(TASK, [MAIL.shown]) == []
    assert vault.trouble == ""
    await vault.keep(TASK, [MAIL], 60)
    assert shown(await vault.recall(TASK, [MAIL.shown])) == {MAIL.shown: "ada@example.org"}


async def test_the_loop_goes_on_while_another_worker_holds_the_file(vault: Vault, tmp_path: Path) -> None:
    blocking = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    blocking.execute("BEGIN EXCLUSIVE")
    keeping = [asyncio.ensure_future(vault.keep(TASK, [each], 60)) for each in (MAIL, HALF)]
    beats = 0
    while not keeping[0].done():
        await asyncio.sleep(0.001)
        beats += 1
    assert beats > 10, "it waits for a tenth of a second, and nobody else does"
    blocking.execute("COMMIT")
    blocking.close()
    assert await asyncio.gather(*keeping) == [False, True]


async def test_calls_that_come_together_share_a_commit_and_one_that_leaves_is_no_trouble(vault: Vault) -> None:
    keeping = [asyncio.ensure_future(vault.keep(TASK, [each], 60)) for each in (MAIL, HALF, MAIL)]
    await asyncio.sleep(0)
    keeping[1].cancel()
    assert await keeping[0]
    assert await keeping[2]
    assert len(await vault.recall(TASK, [MAIL.shown, HALF.shown]) or ()) == 2


async def test_trouble_that_is_over_is_found_out_without_a_call(vault: Vault, tmp_path: Path) -> None:
    blocking = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    blocking.execute("BEGIN EXCLUSIVE")
    await vault.probe()
    assert "locked" in vault.trouble
    blocking.execute("COMMIT")
    blocking.close()
    await vault.probe()
    assert vault.trouble == ""


async def test_what_it_tells_of_itself(vault: Vault, tmp_path: Path, clock: Clock) -> None:
    await vault.keep(TASK, [MAIL, HALF], 60)
    assert vault.figures().rows == 2
    clock.time += 61
    await vault.keep(TASK, [MAIL], 60)
    figures = vault.figures()
    assert (figures.rows, figures.expired, figures.failures) == (1, 2, 0)
    assert figures.bytes > 0
    (tmp_path / "vault.db").unlink()
    assert vault.figures().bytes == 0


async def test_many_at_once(vault: Vault) -> None:
    many = [Substitute("pii.email", f"EMAIL_{n:07d}2", Secret(str(n))) for n in range(1200)]
    await vault.keep(TASK, many, 60)
    assert len(await vault.recall(TASK, [each.shown for each in many]) or ()) == 1200
