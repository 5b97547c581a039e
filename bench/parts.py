"""`python -m bench.parts`: what each control of a call costs, without sockets, by leaving one out at a time.

The pipeline runs in a loop with an upstream that answers at once and a caller that takes everything: µs of CPU per buffered
1 kB call, best of several rounds. The parts do not add up to the whole exactly: they share caches.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count, islice
from pathlib import Path
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

CALLS = 3_000
ROUNDS = 3
NEVER = 2.0**33


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
    """µs of CPU per call of this thread, best of `ROUNDS`; no prompt comes twice."""
    loop, caller, best = asyncio.get_running_loop(), Caller(), float("inf")
    prompts = bodies(next(iter(SIZES)))
    for _ in range(ROUNDS):
        calls = [
            msgspec.structs.replace(call, body=stamped(prompts[number % len(prompts)], number))
            for number in islice(numbers, CALLS)
        ]
        began = time.thread_time()
        for each in calls:
            await loop.create_task(run(each, caller, gate))  # type: ignore[arg-type]
        best = min(best, (time.thread_time() - began) / CALLS * 1e6)
    if caller.status != 200:
        raise machine.CannotRun(f"the calls were answered with {caller.status}")
    return best


async def compare(folder: Path, key: str, token: str, port: int) -> list[tuple[str, float]]:
    worker = Worker(folder / "yett.toml", os.environ)  # noqa: TID251
    await worker.start(bind("127.0.0.1", port, shared=False))
    gate = msgspec.structs.replace(worker.gate, upstream=Upstream())
    head = {b"host": b"yett", b"authorization": b"Bearer " + key.encode(), b"content-type": b"application/json"}
    call = Inbound("POST", "/v1/chat/completions", "", head, b"", "127.0.0.1:1", time.monotonic())
    numbers = count()
    bearing = msgspec.structs.replace(call, headers={**head, b"authorization": b"Bearer " + token.encode()})
    snapshot = msgspec.structs.replace(worker.live.current, scanner=NoScanner())
    variants: list[tuple[str, dict[str, Any]]] = [
        ("reserve, settle", {"ledger": NoLedger()}),
        ("journal: intent, outcome", {"journal": NoJournal(worker.gate.journal)}),
        ("fingerprints of prompt, answer", {"journal": NoFingerprints(worker.gate.journal)}),
        ("inspection of prompt, answer", {"live": Fixed(snapshot)}),
        ("metrics, access log", {"meter": NoMeter()}),
    ]
    await measure(gate, call, numbers)  # decisions, patterns and caches are warm from here on
    whole = await measure(gate, call, numbers)
    await measure(gate, bearing, numbers)
    rows = [("the whole pipeline, no sockets", whole)]
    with_token = await measure(gate, bearing, numbers)
    for name, parts in variants:
        rows.append((f"  {name}", whole - await measure(msgspec.structs.replace(gate, **parts), call, numbers)))
    rest = whole - sum(cost for _, cost in rows[1:])
    await worker.stop()
    return [*rows, ("  everything else", rest), ("the whole, with a token", with_token)]


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
        print(f"{label:34s} {cost:7.1f} µs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
