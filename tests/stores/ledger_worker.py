"""A worker process for the ledger's tests: `python ledger_worker.py PATH JOB …`."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from yett.errors import Refusal
from yett.model.key import Budget, Limits
from yett.ports import Hold, Scope
from yett.stores.shared_ledger import SharedLedger

STILL = 1_795_003_200.0
SCOPES = (
    Scope("key:k", Limits(rpm=60, tpm=100_000, concurrency=50, budget=Budget(1_000_000, "day"))),
    Scope("team:t", Limits(concurrency=60, budget=Budget(2_000_000, "month"))),
    Scope("model:m", Limits(tpm=1_000_000)),
)


class Still:
    def now(self) -> float:
        return STILL

    def monotonic(self) -> float:
        return STILL


class Running:
    def now(self) -> float:
        return time.time()  # noqa: TID251 - the composition root of this process

    def monotonic(self) -> float:
        return time.monotonic()


def finish(coroutine: Any) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a ledger suspended")


class Deadly:
    """Memory that kills the process at its n-th write."""

    def __init__(self, target: Any, counter: list[int]) -> None:
        self.target, self.counter = target, counter

    def __getitem__(self, place: Any) -> Any:
        return self.target[place]

    def __setitem__(self, place: Any, value: Any) -> None:
        self.counter[0] -= 1
        if self.counter[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.target[place] = value

    def __len__(self) -> int:
        return len(self.target)


def grab(path: Path, limit: str, number: int) -> None:
    """Reserve as often as it goes, under one limit only, with a clock that stands still; print how many were granted."""
    limits = {
        "rpm": Limits(rpm=60),
        "tpm": Limits(tpm=600),
        "concurrency": Limits(concurrency=60),
        "budget": Limits(budget=Budget(600, "day")),
    }[limit]
    ledger = SharedLedger(path, Still(), lease=3600)
    granted = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for index in range(number):
        try:
            finish(
                ledger.reserve(
                    f"{os.getpid()}-{index}", (Scope("team:all", limits), Scope(f"key:{os.getpid()}", Limits())), 10, 10
                )
            )
            granted += 1
        except Refusal:
            pass
    sys.stdout.write(f"{granted}\n")
    sys.stdout.flush()
    sys.stdin.readline()  # stay alive, so that nothing is released


def hammer(path: Path) -> None:
    """Reserve and settle until killed."""
    ledger = SharedLedger(path, Running(), lease=3600)
    open_holds: list[Hold] = []
    number = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        number += 1
        with contextlib.suppress(Refusal):
            open_holds.append(finish(ledger.reserve(f"{os.getpid()}-{number}", SCOPES[1:], 100, 5)))
        while open_holds and random.random() < 0.6:
            hold = open_holds.pop(random.randrange(len(open_holds)))
            finish(ledger.settle(hold, random.randrange(120), random.randrange(6)))


def die(path: Path, operation: str) -> None:
    """Kill a child at each write of an operation in turn, and print what the next one finds, until a child survives."""
    step = 0
    while True:
        step += 1
        path.unlink(missing_ok=True)
        ledger = SharedLedger(path, Still(), scopes=16, holds=8)
        first = finish(ledger.reserve("first", SCOPES, 100, 1000))
        if operation == "abandon":
            ledger._words[first.row // 8 + 2] = 1  # its lease has run out
            ledger._words[1024 // 8 + 1] = 0
        child = os.fork()
        if child == 0:
            try:
                operate(ledger, first, operation, step)
                os._exit(0)
            finally:
                os._exit(3)
        status = os.waitpid(child, 0)[1]
        survived = status == 0
        if not survived and os.WTERMSIG(status) != signal.SIGKILL:
            raise AssertionError(f"the child failed with {status}")
        other = SharedLedger(path, Still())  # raises IntegrityError when the file is not whole
        account, figures = other.account(SCOPES[0]), other.figures()
        queued = account.queued // 60_000_000
        sys.stdout.write(
            f"{int(survived)} {account.inflight} {account.held} {account.spent_day} {queued} {figures.inflight} {figures.scopes}\n"
        )
        other.close()
        ledger.close()
        if survived:
            return


def operate(ledger: SharedLedger, first: Hold, operation: str, step: int) -> None:
    """Do it, dying at the given write."""
    counter = [step]
    ledger._memory = ledger._file.memory = ledger._table._memory = Deadly(ledger._memory, counter)  # type: ignore[assignment]
    ledger._words = ledger._file.words = ledger._table._words = Deadly(ledger._words, counter)  # type: ignore[assignment]
    if operation in {"reserve", "abandon"}:
        finish(ledger.reserve("second", SCOPES, 200, 2000))
    elif operation == "claim":
        finish(ledger.reserve("second", (Scope("key:new", Limits(rpm=1)),), 200, 2000))
    elif operation == "resolve":
        ledger.resolve("first", 50, 500)
    else:
        finish(ledger.settle(first, 50, 500))


if __name__ == "__main__":
    jobs = {"grab": grab, "hammer": hammer, "die": die}
    file, job, *rest = sys.argv[1:]
    jobs[job](Path(file), *(int(word) if word.isdigit() else word for word in rest))  # type: ignore[operator]
