"""`python -m bench.parts`: what each control of a call costs, without sockets, by leaving one out at a time.

The pipeline runs in a loop with an upstream that answers at once and a caller that takes everything: µs of CPU per buffered
1 kB call. In each round the whole and the whole without each part have their turn, and what a part costs in that round is their
difference; the median of the rounds counts, and behind it stands how far off it may be. What else the machine does falls on
neighbours alike. The parts do not add up to the whole exactly: they share caches.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from math import comb
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import uvloop

from bench import machine, yett
from bench.measure import bodies
from bench.workloads import SIZES, answer, stamped
from yett.cli.worker import Worker
from yett.config.snapshot import Snapshot
from yett.edge.listener import bind
from yett.gate import Gate
from yett.model.call import Inbound
from yett.model.record import Record
from yett.pipeline import run
from yett.ports import Exchange, Hold, Outgoing, Scope, Standing

CALLS = 400  # in each turn
ROUNDS = 40
SURE = 0.95  # that the true median is no farther off than is said
NEVER = 2.0**33


@dataclass(frozen=True)
class Cost:
    """µs per call, `noise` more or less."""

    middle: float
    noise: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> Cost:
        """The median, and the farther end of what it lies in for `SURE`, whatever the rounds' distribution (a sign test turned round)."""
        found, number = sorted(rounds), len(rounds)
        outside, left = 0.0, 0
        while left < (number - 1) // 2 and (outside := outside + comb(number, left) / 2 ** (number - 1)) <= 1 - SURE:
            left += 1
        least = max(left - 1, 0)
        middle = median(found)
        return cls(middle, max(middle - found[least], found[-1 - least] - middle))

    def __str__(self) -> str:
        if abs(self.middle) <= self.noise:
            return f"within the noise (± {self.noise:.1f} µs)"
        return f"{self.middle:7.1f} µs ± {self.noise:.1f}"


class Answer:
    """An upstream's reply that is here already."""

    status = 200
    headers = ((b"content-type", b"application/json"),)
    _body = answer()

    def header(self, name: bytes) -> bytes:
        return b"application/json" if name == b"content-type" else b""

    async def read(self, limit: int) -> bytes:
        return self._body

    async def stream(self, sink: Callable[[bytes], None]) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def unread(self, rest: bytes) -> None: ...
    def abort(self) -> None: ...


class Upstream:
    async def send(self, outgoing: Outgoing) -> Exchange:
        return Answer()


class Caller:
    """Takes everything at once, and remembers the status."""

    gone = paused = False
    status = 0

    def head(self, status: int, headers: object, length: int | None) -> None:
        self.status = status

    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def abandon(self) -> None: ...
    def watch(self, on_gone: object, on_pause: object) -> None: ...


class NoLedger:
    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:
        return Hold(id, scopes, tokens, cost, NEVER, Standing())

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None: ...
    async def add(self, hold: Hold, cost: int) -> Hold:
        return hold

    async def extend(self, hold: Hold) -> bool:
        return True


class NoJournal:
    """Writes nothing; fingerprints as the journal does, which is measured apart."""

    def __init__(self, journal: Any) -> None:
        self.keep = journal.keep
        self.fingerprint = journal.fingerprint

    async def append(self, record: Record) -> None: ...


class NoFingerprints:
    def __init__(self, journal: Any) -> None:
        self.keep = journal.keep
        self.append = journal.append

    def fingerprint(self, text: bytes) -> str:
        return ""


class NoMeter:
    def observe(self, outcome: Record) -> None: ...


class NoScanner:
    def clean(self, data: bytes) -> bool:
        return True

    def scan(self, segments: object) -> tuple[()]:
        return ()


class Fixed:
    def __init__(self, current: Snapshot) -> None:
        self.current = current


async def measure(gate: Gate, call: Inbound, numbers: count[int]) -> float:
    """µs of CPU per call of this thread, over `CALLS`; no prompt comes twice."""
    loop, caller = asyncio.get_running_loop(), Caller()
    prompts = bodies(next(iter(SIZES)))
    calls = [
        msgspec.structs.replace(call, body=stamped(prompts[number % len(prompts)], number))
        for number in islice(numbers, CALLS)
    ]
    began = time.thread_time()
    for each in calls:
        await loop.create_task(run(each, caller, gate))  # type: ignore[arg-type]
    used = time.thread_time() - began
    if caller.status != 200:
        raise machine.CannotRun(f"the calls were answered with {caller.status}")
    return used / CALLS * 1e6


def costs(rounds: Sequence[dict[str, float]], whole: str, without: Sequence[str]) -> list[tuple[str, Cost]]:
    """What the whole costs, each part that a round was measured `without`, and what is in none of them."""
    parts = {name: [each[whole] - each[name] for each in rounds] for name in without}
    rest = [each[whole] - sum(lost) for each, *lost in zip(rounds, *parts.values(), strict=True)]
    named = [(f"  {name}", Cost.of(lost)) for name, lost in parts.items()]
    return [(whole, Cost.of([each[whole] for each in rounds])), *named, ("  everything else", Cost.of(rest))]


async def compare(folder: Path, key: str, token: str, port: int) -> list[tuple[str, Cost]]:
    worker = Worker(folder / "yett.toml", os.environ)  # noqa: TID251
    await worker.start(bind("127.0.0.1", port, shared=False))
    gate = msgspec.structs.replace(worker.gate, upstream=Upstream())
    head = {b"host": b"yett", b"authorization": b"Bearer " + key.encode(), b"content-type": b"application/json"}
    call = Inbound("POST", "/v1/chat/completions", "", head, b"", "127.0.0.1:1", time.monotonic())
    numbers = count()
    bearing = msgspec.structs.replace(call, headers={**head, b"authorization": b"Bearer " + token.encode()})
    snapshot = msgspec.structs.replace(worker.live.current, scanner=NoScanner())
    without: dict[str, dict[str, Any]] = {
        "reserve, settle": {"ledger": NoLedger()},
        "journal: intent, outcome": {"journal": NoJournal(worker.gate.journal)},
        "fingerprints of prompt, answer": {"journal": NoFingerprints(worker.gate.journal)},
        "inspection of prompt, answer": {"live": Fixed(snapshot)},
        "metrics, access log": {"meter": NoMeter()},
    }
    whole, with_token = "the whole pipeline, no sockets", "the whole, with a token"
    turns = {whole: (gate, call), with_token: (gate, bearing)}
    turns |= {name: (msgspec.structs.replace(gate, **parts), call) for name, parts in without.items()}
    rounds: list[dict[str, float]] = []
    for number in range(ROUNDS + 2):
        names = list(turns) if number % 2 else list(reversed(turns))  # no part is always behind the same one
        rounds.append({name: await measure(*turns[name], numbers) for name in names})
    del rounds[:2]  # decisions, patterns and caches were not warm yet
    await worker.stop()
    return [*costs(rounds, whole, list(without)), (with_token, Cost.of([each[with_token] for each in rounds]))]


def main() -> int:
    core, _ = machine.cores()
    port, admin = machine.free_ports(2)
    with tempfile.TemporaryDirectory(prefix="yett-bench-") as name:
        folder = Path(name) / "yett"
        key = yett.configure(folder, port, admin, (9, 9))
        os.environ.update(yett.environment(Path(name)))  # noqa: TID251
        os.sched_setaffinity(0, {core})
        terminal = os.dup(2)
        os.dup2(os.open(Path(name) / "yett.log", os.O_WRONLY | os.O_CREAT), 2)  # where the access log is written
        try:
            rows = uvloop.run(compare(folder, key, yett.token(folder), port))
        finally:
            os.dup2(terminal, 2)
    for label, cost in rows:
        print(f"{label:34s} {cost}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
