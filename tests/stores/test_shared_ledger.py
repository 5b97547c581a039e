"""The shared ledger between processes: exact under contention, whole after kill -9, closed when its file goes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from yett.errors import IntegrityError, Refusal
from yett.model.key import Budget, Limits
from yett.ports import Hold, Scope
from yett.stores.ledger_file import LedgerFile
from yett.stores.shared_ledger import SharedLedger

WORKER = Path(__file__).parent / "ledger_worker.py"
NOW = 1_795_003_200.0  # 2026-11-18 12:00 UTC


class Dial:
    def __init__(self, time: float = NOW) -> None:
        self.time = time

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


def worker(path: Path, *job: str | int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), str(path), *map(str, job)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def ledger(path: Path) -> Iterator[SharedLedger]:
    ledger = SharedLedger(path, Dial(), scopes=64, holds=16)
    yield ledger
    ledger.close()


@pytest.mark.parametrize("limit", ["rpm", "tpm", "concurrency", "budget"])
def test_four_processes_together_get_exactly_the_limit(path: Path, limit: str) -> None:
    workers = [worker(path, "grab", limit, 100) for _ in range(4)]
    try:
        assert [line(process) for process in workers] == ["ready"] * 4
        for process in workers:
            tell(process)
        assert sum(int(line(process)) for process in workers) == 60
    finally:
        for process in workers:
            end(process)


@pytest.mark.parametrize("operation", ["reserve", "settle", "resolve", "claim", "abandon"])
def test_killed_at_any_write_it_leaves_all_or_nothing(path: Path, operation: str) -> None:
    done = subprocess.run(
        [sys.executable, str(WORKER), str(path), "die", operation],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = [tuple(map(int, row.split())) for row in done.stdout.splitlines()]
    before, after = found[0][1:], found[-1][1:]
    assert found[-1][0] == 1
    assert all(row[0] == 0 for row in found[:-1])
    assert len(found) > 8
    states = [row[1:] for row in found]
    if operation == "abandon":  # the sweep and the reservation are two steps, and each is whole
        assert set(states) <= {before, (0, 0, 1000, 100, 0, 3), after}
    elif operation == "claim":  # so are the new row and the reservation
        assert set(states) <= {before, (*before[:5], 4), after}
    else:
        assert set(states) == {before, after}
    assert states.index(after) > states.index(before)


def test_kill_9_under_load_twenty_times(path: Path) -> None:
    """Whoever dies, whenever: the file is whole, the limits are kept, and nothing stays held."""
    chance = random.Random(20)
    workers = [worker(path, "hammer") for _ in range(3)]
    try:
        for process in workers:
            assert line(process) == "ready"
        for _ in range(20):
            threading.Event().wait(chance.random() * 0.05)
            victim = chance.randrange(3)
            end(workers[victim])
            workers[victim] = worker(path, "hammer")
            if chance.random() < 0.3:
                assert line(workers[victim]) == "ready"
            look = SharedLedger(path, Dial())  # checks every count against the holds
            account = look.account(Scope("team:t", Limits(concurrency=60, budget=Budget(2_000_000, "month"))))
            assert account.inflight <= 60
            assert account.held <= 300
            look.close()
    finally:
        for process in workers:
            end(process)
    clock = Dial(NOW + 400 * 86_400)
    look = SharedLedger(path, clock)
    assert len(look.expired(NOW)) == look.figures().inflight + look.figures().unresolved
    scope = Scope("team:t", Limits(concurrency=60))
    account = look.account(scope)
    before, inflight, held = account.spent_month, account.inflight, account.held
    hold = finish(look.reserve("after", (scope,), 0, 0))
    assert look.account(scope).inflight == 1
    assert look.account(scope).held == 0
    figures = look.figures()
    assert figures.abandoned >= inflight
    assert look.account(scope).spent_month == held  # in a later month than `before` was spent
    assert before >= 0
    finish(look.settle(hold, 0, 0))
    look.close()


def finish(coroutine: object) -> Hold:
    try:
        coroutine.send(None)  # type: ignore[attr-defined]
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a ledger suspended")


def test_a_dead_process_is_noticed_before_its_leases_end(path: Path) -> None:
    process = worker(path, "grab", "concurrency", 60)
    assert line(process) == "ready"
    tell(process)
    assert line(process) == "60"
    clock = Dial()
    ledger = SharedLedger(path, clock, lease=3600)
    scopes = (Scope("team:all", Limits(concurrency=60)),)
    with pytest.raises(Refusal):
        finish(ledger.reserve("a", scopes, 0, 0))
    assert ledger.expired(NOW) == []
    end(process)
    assert len(ledger.expired(NOW)) == 60
    clock.time += 6
    finish(ledger.reserve("a", scopes, 0, 0))
    assert ledger.figures().abandoned == 60
    ledger.close()


def test_what_dead_processes_held_is_found_at_once_and_can_be_closed(path: Path) -> None:
    process = worker(path, "grab", "concurrency", 5)
    assert line(process) == "ready"
    tell(process)
    assert line(process) == "5"
    ledger = SharedLedger(path, Dial(), lease=3600)
    scopes = (Scope("team:all", Limits(concurrency=6)),)
    own = finish(ledger.reserve("own", scopes, 7, 9))
    assert ledger.lost() == []
    end(process)
    lost = ledger.lost()
    assert len(lost) == 5
    assert ledger.account(scopes[0]).inflight == 1
    assert {call.id for call in ledger.lost()} == {call.id for call in lost}
    assert all(ledger.resolve(call.id, call.tokens, call.cost) for call in lost)
    assert ledger.lost() == []
    finish(ledger.settle(own, 7, 9))
    assert ledger.figures().inflight == ledger.figures().unresolved == 0
    ledger.close()


def test_a_forked_child_excludes_its_parent(ledger: SharedLedger, path: Path) -> None:
    scopes = (Scope("key:k", Limits(rpm=1000)),)
    finish(ledger.reserve("parent", scopes, 0, 0))
    parents = ledger._file.descriptor
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.fstat(ledger._file.descriptor)
            with SharedLedgerLocked(ledger):
                other = SharedLedgerProbe(path)
                code = 0 if other.is_locked() else 2
            finish(ledger.reserve("child", scopes, 0, 0))
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger._file.descriptor == parents
    assert ledger.account(scopes[0]).requests == 2 * 60_000_000
    assert ledger.expired(NOW) == ["child"]


class SharedLedgerLocked:
    def __init__(self, ledger: SharedLedger) -> None:
        self.file = ledger._file

    def __enter__(self) -> None:
        self.file.lock()

    def __exit__(self, *_: object) -> None:
        self.file.unlock()


class SharedLedgerProbe:
    """Whether somebody else holds the lock of a ledger."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_locked(self) -> bool:
        import fcntl

        descriptor = os.open(self.path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def test_two_ledgers_in_one_process_exclude_each_other(ledger: SharedLedger, path: Path) -> None:
    other = SharedLedger(path, Dial())
    with SharedLedgerLocked(ledger):
        assert SharedLedgerProbe(path).is_locked()
    other.close()  # closing one must not drop the other's lock
    with SharedLedgerLocked(ledger):
        assert SharedLedgerProbe(path).is_locked()
    assert not SharedLedgerProbe(path).is_locked()


def test_everything_survives_a_restart(path: Path) -> None:
    clock = Dial()
    scopes = (Scope("key:k", Limits(rpm=10, tpm=1000, concurrency=5, budget=Budget(1000, "month"))),)
    first = SharedLedger(path, clock)
    hold = finish(first.reserve("a", scopes, 300, 300))
    finish(first.settle(finish(first.reserve("b", scopes, 100, 100)), 100, 100))
    account = first.account(scopes[0])
    first.close()
    second = SharedLedger(path, clock)
    assert second.account(scopes[0]) == account
    finish(second.settle(hold, 0, 0))
    finish(second.settle(hold, 0, 0))
    assert second.account(scopes[0]).inflight == 0
    second.close()


def test_a_hold_without_its_place_is_found_by_its_id(ledger: SharedLedger) -> None:
    scopes = (Scope("key:k", Limits(concurrency=1)),)
    given = finish(ledger.reserve("a", scopes, 0, 0))
    plain = Hold(given.id, given.scopes, given.tokens, given.cost, given.expires, given.standing)
    assert finish(ledger.extend(plain)) is True
    finish(ledger.settle(plain, 0, 0))
    assert finish(ledger.extend(plain)) is False
    finish(ledger.settle(given, 0, 0))
    finish(ledger.reserve("b", scopes, 0, 0))


def test_the_row_of_a_settled_hold_is_used_again_without_confusion(ledger: SharedLedger) -> None:
    scopes = (Scope("key:k", Limits(concurrency=1)),)
    old = finish(ledger.reserve("a", scopes, 0, 0))
    finish(ledger.settle(old, 0, 0))
    new = finish(ledger.reserve("b", scopes, 0, 0))
    assert new.row == old.row  # type: ignore[attr-defined]
    finish(ledger.settle(old, 0, 0))
    assert finish(ledger.extend(old)) is False
    with pytest.raises(Refusal, match="calls in flight"):
        finish(ledger.reserve("c", scopes, 0, 0))


# ---- full ----------------------------------------------------------------------------------------------------------


def test_when_no_hold_is_free_calls_are_refused(ledger: SharedLedger) -> None:
    holds = [finish(ledger.reserve(f"call{number}", (), 0, 0)) for number in range(16)]
    with pytest.raises(Refusal) as caught:
        finish(ledger.reserve("one more", (Scope("key:k", Limits(rpm=5)),), 0, 0))
    assert caught.value.code == "ledger_unavailable"
    finish(ledger.settle(holds[3], 0, 0))
    assert finish(ledger.reserve("now", (Scope("key:k", Limits(rpm=5)),), 0, 0)).standing.remaining_requests == 4


def test_when_no_scope_is_free_new_ones_are_refused_and_known_ones_go_on(ledger: SharedLedger) -> None:
    for number in range(64):
        finish(ledger.settle(finish(ledger.reserve("a", (Scope(f"key:{number}", Limits()),), 0, 1)), 0, 1))
    with pytest.raises(Refusal) as caught:
        finish(ledger.reserve("a", (Scope("key:64", Limits()),), 0, 0))
    assert caught.value.code == "ledger_unavailable"
    finish(ledger.settle(finish(ledger.reserve("a", (Scope("key:5", Limits()),), 0, 1)), 0, 1))
    assert ledger.account(Scope("key:5", Limits())).spent_month == 2


def test_rows_of_an_earlier_month_are_given_to_new_scopes(path: Path) -> None:
    clock = Dial()
    ledger, other = SharedLedger(path, clock, scopes=8, holds=16), SharedLedger(path, clock)
    for number in range(8):
        for each in (ledger, other):
            finish(each.settle(finish(each.reserve("a", (Scope(f"key:{number}", Limits()),), 0, 7)), 0, 7))
    held = finish(ledger.reserve("held", (Scope("key:3", Limits()),), 0, 9))
    clock.time += 30 * 86_400
    finish(ledger.extend(held))
    for number in range(100, 107):
        finish(ledger.settle(finish(ledger.reserve("b", (Scope(f"key:{number}", Limits()),), 0, 5)), 0, 5))
    with pytest.raises(Refusal):
        finish(ledger.reserve("c", (Scope("key:999", Limits()),), 0, 5))
    for each in (ledger, other):  # the other one's notes of where things are have become wrong
        assert [each.account(Scope(f"key:{number}", Limits())).spent_month for number in range(100, 107)] == [5] * 7
        finish(each.settle(finish(each.reserve("d", (Scope("key:103", Limits()),), 0, 5)), 0, 0))
        assert each.account(Scope("key:3", Limits())).held == 9
    finish(ledger.settle(held, 0, 9))
    other.close()
    ledger.close()


def test_scopes_of_one_call_do_not_take_each_others_rows(path: Path) -> None:
    clock = Dial()
    ledger = SharedLedger(path, clock, scopes=4, holds=16)
    old = [Scope(f"key:{number}", Limits(rpm=100)) for number in range(4)]
    for scope in old:
        finish(ledger.settle(finish(ledger.reserve("a", (scope,), 0, 0)), 0, 0))
    clock.time += 40 * 86_400
    together = (old[0], old[1], Scope("team:new", Limits(rpm=100)), Scope("model:new", Limits(rpm=100)))
    hold = finish(ledger.reserve("b", together, 0, 1))
    assert [ledger.account(scope).held for scope in together] == [1, 1, 1, 1]
    finish(ledger.settle(hold, 0, 1))
    assert [ledger.account(scope).spent_day for scope in together] == [1, 1, 1, 1]
    ledger.close()


# ---- the file goes wrong while in use ------------------------------------------------------------------------------


def test_a_ledger_whose_file_was_deleted_or_replaced_refuses(ledger: SharedLedger, path: Path) -> None:
    hold = finish(ledger.reserve("a", (), 0, 0))
    path.unlink()
    SharedLedger(path, Dial()).close()
    ledger._file.synchronise()
    assert "replaced" in ledger.broken
    with pytest.raises(Refusal) as caught:
        finish(ledger.reserve("b", (), 0, 0))
    assert caught.value.code == "ledger_unavailable"
    finish(ledger.settle(hold, 0, 0))


def test_bad_calls_are_errors_of_the_gateway(ledger: SharedLedger) -> None:
    scopes = tuple(Scope(f"key:{number}", Limits()) for number in range(9))
    for id, given in (("", ()), ("x" * 65, ()), ("a", scopes)):
        with pytest.raises(ValueError, match="at most"):
            finish(ledger.reserve(id, given, 0, 0))


def test_workers_that_start_together_share_one_new_file(path: Path) -> None:
    workers = [worker(path, "grab", "budget", 30) for _ in range(4)]
    try:
        for process in workers:
            assert line(process) == "ready"
        for process in workers:
            tell(process)
        assert sum(int(line(process)) for process in workers) == 60
        assert [file.name for file in path.parent.iterdir()] == ["ledger"]
    finally:
        for process in workers:
            end(process)


def test_a_stopped_process_in_the_critical_section_only_delays(ledger: SharedLedger, path: Path) -> None:
    """The lock is the kernel's: it goes when its owner goes, however that is."""
    child = os.fork()
    if child == 0:
        ledger._file.lock()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    finish(ledger.reserve("a", (), 0, 0))


def test_a_mark_left_by_a_dead_process_is_rolled_back_by_the_next_call(ledger: SharedLedger) -> None:
    scopes = (Scope("key:k", Limits(rpm=10)),)
    hold = finish(ledger.reserve("a", scopes, 0, 0))
    file: LedgerFile = ledger._file
    place = hold.places.slices[0]  # type: ignore[attr-defined]
    block = file.memory[place]
    file.commit([place.start], [place], [block], [block[:24] + bytes(8) + block[32:]], 65, 0, 0)
    file.words[2048 // 8] = 2
    assert finish(ledger.reserve("b", scopes, 0, 0)).standing.remaining_requests == 8
    file.words[2048 // 8] = 99
    with pytest.raises(IntegrityError, match="undo log"):
        finish(ledger.reserve("c", scopes, 0, 0))
    file.words[2048 // 8] = 0
