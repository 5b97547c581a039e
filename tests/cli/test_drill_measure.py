"""Until when an old secret was used, by what workers and calls have recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from yett.cli.drill_measure import Use, of_credential, of_key
from yett.cli.system import SystemClock
from yett.model.record import Attempt, Proof, Record
from yett.stores.journal import FileJournal, open_journal

SECOND = 1_000_000
REPLACED = 1_800_000_000 * SECOND
CLOUD = frozenset({"cloud"})


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[FileJournal]:
    journal = open_journal(tmp_path / "audit", tmp_path, SystemClock())
    yield journal
    journal.close()


def at(seconds: float) -> int:
    return REPLACED + int(seconds * SECOND)


def took_up(journal: FileJournal, change: int, seconds: float, event: str = "reload") -> None:
    journal.write(
        Record(kind="event", call=event, ts=at(seconds), event=event, detail={"digest": "d", "sealed": change})
    )


def call(journal: FileJournal, begun: float, ended: float | None, provider: str = "cloud", proof: str = "") -> None:
    name = f"call_{at(begun) // 1000:011x}{at(begun) % 97:014x}"
    target = f"{provider}/m"
    journal.write(Record(kind="intent", call=name, ts=at(begun) + 1, targets=(target,)))
    if ended is not None:
        tried = (Attempt(target, "ok", 200),)
        key = Proof("key", id=proof)
        journal.write(Record(kind="outcome", call=name, ts=at(ended), caller="key_1", attempts=tried, proof=key))


def credential(tmp_path: Path) -> Use:
    return of_credential(tmp_path / "audit", 2, REPLACED, CLOUD)


def test_while_a_worker_has_not_taken_it_up_nothing_is_over(worker: FileJournal, tmp_path: Path) -> None:
    took_up(worker, 1, -100, "start")
    call(worker, -50, -40)
    assert credential(tmp_path) == Use(None, None, workers=1)
    call(worker, 3, 5)
    assert credential(tmp_path) == Use(None, 5.0, workers=1)
    took_up(worker, 2, 6)
    assert credential(tmp_path) == Use(6.0, 5.0, workers=1)
    took_up(worker, 3, 9)  # a later change does not make it later
    assert credential(tmp_path) == Use(6.0, 5.0, workers=1)


def test_a_call_keeps_what_it_began_with(worker: FileJournal, tmp_path: Path) -> None:
    took_up(worker, 1, -100, "start")
    took_up(worker, 2, 1)
    call(worker, -20, 30)
    call(worker, 0.5, 12)
    call(worker, 2, 90)  # with the new one
    call(worker, -10, 99, provider="other")
    assert credential(tmp_path) == Use(1.0, 30.0, workers=1)
    call(worker, -5, None)
    assert credential(tmp_path) == Use(1.0, 30.0, running=1, workers=1)


def test_a_call_that_died_with_its_worker_is_over_when_it_was_found(worker: FileJournal, tmp_path: Path) -> None:
    dead = open_journal(tmp_path / "audit", tmp_path, SystemClock())
    took_up(dead, 1, -100, "start")
    call(dead, -5, None)
    dead.abandon()
    assert credential(tmp_path) == Use(0.0, None, running=1)
    name = f"call_{at(-5) // 1000:011x}{at(-5) % 97:014x}"
    worker.write(Record(kind="outcome", call=name, ts=at(9), event="recovery", outcome="unknown"))
    assert credential(tmp_path) == Use(0.0, 9.0)


def test_the_slowest_worker_counts_and_one_that_has_ended_does_not(worker: FileJournal, tmp_path: Path) -> None:
    other = open_journal(tmp_path / "audit", tmp_path, SystemClock())
    took_up(worker, 1, -100, "start")
    took_up(other, 1, -100, "start")
    took_up(worker, 2, 1)
    assert credential(tmp_path) == Use(None, None, workers=2)
    took_up(other, 2, 4)
    assert credential(tmp_path) == Use(4.0, None, workers=2)
    third = open_journal(tmp_path / "audit", tmp_path, SystemClock())
    took_up(third, 1, -100, "start")
    assert credential(tmp_path) == Use(None, None, workers=3)
    third.close()
    assert credential(tmp_path) == Use(4.0, None, workers=2)
    other.close()


def test_each_call_says_with_which_secret_of_a_key_it_came(worker: FileJournal, tmp_path: Path) -> None:
    call(worker, -5, -4, proof="…old")
    assert of_key(tmp_path / "audit", "key_1", "…old", "…new", REPLACED) == Use(None, None)
    for ended, proof in ((3, "…new"), (5, "…old"), (7, "…new"), (8, "…other"), (9, "")):
        call(worker, ended - 1, ended, proof=proof)
    assert of_key(tmp_path / "audit", "key_1", "…old", "…new", REPLACED) == Use(3.0, 5.0)
    assert of_key(tmp_path / "audit", "key_2", "…old", "…new", REPLACED) == Use(None, None)
