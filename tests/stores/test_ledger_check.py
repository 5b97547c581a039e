"""A ledger is checked against itself before it is used: damage is refused, a power cut is made good."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from yett.errors import IntegrityError
from yett.model.key import Budget, Limits
from yett.ports import Hold, Scope
from yett.stores.ledger_file import BOOT, HOLD_BYTES, SCOPES, TOTALS
from yett.stores.shared_ledger import SharedLedger

NOW = 1_795_003_200.0
KEY = Scope("key:k", Limits(concurrency=10, budget=Budget(10_000, "month")))
TEAM = Scope("team:t", Limits())


class Still:
    def now(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return NOW


def finish(coroutine: object) -> Hold:
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a ledger suspended")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two calls in flight, one settled."""
    path = tmp_path / "ledger"
    ledger = SharedLedger(path, Still(), scopes=16, holds=8)
    finish(ledger.reserve("a", (KEY, TEAM), 10, 100))
    finish(ledger.reserve("b", (KEY,), 10, 200))
    finish(ledger.settle(finish(ledger.reserve("c", (TEAM,), 10, 300)), 5, 30))
    ledger.close()
    return path


def words_of(ledger: SharedLedger) -> memoryview:
    return ledger._file.words


def damaged(path: Path, reboot: bool, *changes: tuple[int, int]) -> None:
    ledger = SharedLedger(path, Still())
    for word, value in changes:
        words_of(ledger)[word] = value
    if reboot:
        words_of(ledger)[BOOT // 8] = 1
    ledger.close()


def row_of(path: Path, scope: Scope) -> int:
    ledger = SharedLedger(path, Still())
    offset, taken = ledger._table.probe(scope.id, frozenset(), 0)
    ledger.close()
    assert taken
    return offset // 8


def hold_word(index: int, field: int) -> int:
    return (SCOPES + 16 * 128 + HOLD_BYTES * index) // 8 + field


def test_a_sound_file_passes(path: Path) -> None:
    SharedLedger(path, Still()).close()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ((TOTALS // 8, 99), "totals"),
        ((TOTALS // 8, -1), "totals"),
        ((TOTALS // 8 + 4, 3), "totals"),
        ((hold_word(0, 0), 7), "hold 0"),
        ((hold_word(1, 6), -1), "hold 1"),
        ((hold_word(1, 7), 2**60), "hold 1"),
        ((hold_word(0, 8), 9), "hold 0"),
        ((hold_word(0, 9), 0), "hold 0"),
        ((hold_word(0, 16), 4096 + 8), "hold 0"),
        ((hold_word(0, 0), 0), "does not fit the holds"),
        ((hold_word(1, 7), 201), "does not fit the holds"),
    ],
)
def test_a_contradiction_is_refused_until_the_machine_has_been_restarted(
    path: Path, change: tuple[int, int], problem: str
) -> None:
    damaged(path, False, change)
    with pytest.raises(IntegrityError, match=problem) as caught:
        SharedLedger(path, Still())
    assert "move the file away" in str(caught.value)
    with pytest.raises(IntegrityError):
        SharedLedger(path, Still())


@pytest.mark.parametrize(("field", "value"), [(2, -5), (3, -1), (4, 2**61), (5, -1), (8, -1), (9, -1), (11, -(2**62))])
def test_impossible_amounts_are_refused_even_after_a_power_cut(path: Path, field: int, value: int) -> None:
    row = row_of(path, KEY)
    for reboot in (False, True):
        damaged_once = (row + field, value)
        ledger = None
        try:
            damaged(path, reboot, damaged_once)
        except IntegrityError:
            ledger = "refused already"
        with pytest.raises(IntegrityError, match="impossible amounts"):
            SharedLedger(path, Still())
        assert ledger in {None, "refused already"}


def test_after_a_power_cut_what_can_be_derived_is(path: Path) -> None:
    row = row_of(path, KEY)
    damaged(
        path,
        True,
        (row + 6, 77),
        (row + 7, -5),
        (TOTALS // 8, 0),
        (TOTALS // 8 + 4, 9),
        (hold_word(0, 6), -3),
        (hold_word(5, 0), 9),
    )
    ledger = SharedLedger(path, Still())
    account = ledger.account(KEY)
    assert (account.inflight, account.held) == (1, 200)  # hold "a" no longer makes sense, "b" does
    assert ledger.account(TEAM).inflight == 0
    assert ledger.account(TEAM).spent_month == 30
    assert ledger.figures().inflight == 1
    for number in range(7):
        finish(ledger.reserve(f"new{number}", (KEY,), 0, 0))
    ledger.close()
    SharedLedger(path, Still()).close()


def test_no_damage_crashes_anything(path: Path) -> None:
    """Random words anywhere: refused, made good, or harmless, but never another error and never a broken account."""
    chance = random.Random(1)
    whole = path.read_bytes()
    for _ in range(300):
        path.write_bytes(whole)
        raw = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            word = chance.choice([chance.randrange(64, 520), chance.randrange(512, len(raw) // 8)])
            value = chance.choice([-1, 0, 1, 2, 2**62, -(2**63), 2**63 - 1, chance.randrange(4096, 9000), 4096, 1024])
            raw[word * 8 : word * 8 + 8] = value.to_bytes(8, "little", signed=True)
        path.write_bytes(bytes(raw))
        try:
            ledger = SharedLedger(path, Still())
        except IntegrityError:
            continue
        account = ledger.account(KEY)
        assert account.inflight >= 0
        assert account.held >= 0
        ledger.close()
