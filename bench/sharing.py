"""Two workers against one, and a token against a key, in pairs, one right after the other; and what counting takes, file or store.

What a machine does meanwhile moves whole rounds by half; two neighbouring ones it moves alike. So each pair gives a ratio or a
difference, every other pair is the other way round, and their median is what counts.

Two workers need both cores, and so do the load generator, the mock upstream and whatever else runs there: nothing is pinned, and
a worker waits for a core now and then. How long it did, the kernel says. Two rates are told: the one that was seen, and the one
without these waits, which is what workers reach that have a core each; waiting for each other's locks is not taken out of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from bench import load, yett
from bench.contenders import ROOT, Contender, Field
from bench.machine import Service, free_ports
from bench.measure import bodies
from yett.cli.system import SystemClock
from yett.config.store_address import limits_address
from yett.model.key import Budget, Limits
from yett.ports import Ledger, Scope
from yett.stores.redis_ledger import RedisLedger
from yett.stores.redis_link import RedisLink
from yett.stores.shared_ledger import SharedLedger

CONNECTIONS = 64
BATCHES, CALLERS, CALLS = 60, 16, 20  # callers at once, and how many calls of each, in a batch
FILE, VALKEY = "file", "Valkey"


@dataclass(frozen=True)
class Figure:
    """One round: requests per second, the same without the time that workers waited for a core, and CPU microseconds of the
    gateway's processes per request."""

    rate: float
    own_rate: float
    cpu_us: float


@dataclass
class Sharing:
    """Pairs as they were measured. `workers`: one and two, by ledger. `token`: key and token. `limits_us`: CPU microseconds of
    reserving and settling a call, by ledger. `commands`: that the store ran for each call."""

    workers: dict[str, list[tuple[Figure, Figure]]] = field(default_factory=dict)
    token: list[tuple[Figure, Figure]] = field(default_factory=list)
    limits_us: dict[str, float] = field(default_factory=dict)
    commands: float | None = None

    def gain(self, ledger: str) -> float | None:
        """How many times the requests per second of one worker two of them answer that have a core each."""
        return _middle(two.own_rate / one.own_rate for one, two in self.workers.get(ledger, []))

    def seen(self, ledger: str) -> float | None:
        """The same with the waits for a core."""
        return _middle(two.rate / one.rate for one, two in self.workers.get(ledger, []))

    def dearer(self, ledger: str) -> float | None:
        """How many times the CPU per request of one worker two of them need."""
        return _middle(two.cpu_us / one.cpu_us for one, two in self.workers.get(ledger, []))

    def added_us(self) -> float | None:
        """CPU microseconds of the gateway per call that the store adds."""
        return self.limits_us[VALKEY] - self.limits_us[FILE] if VALKEY in self.limits_us else None

    def token_ratio(self) -> float | None:
        return _middle(token.cpu_us / key.cpu_us for key, token in self.token)


def measure(field_: Field, valkey: Path | None, pairs: int, seconds: float, tell: Callable[[str], None]) -> Sharing:
    """Start one worker and two of each kind beside the mock upstreams of `field_`, and drive them in pairs."""
    sharing = Sharing()
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(_server(valkey, field_.folder)) if valkey else 0
        tell("what counting takes")
        sharing.limits_us = uvloop.run(_limits(field_.folder, store))
        sharing.commands = _commands(store) / (BATCHES * CALLERS * CALLS) if store else None
        extra = {FILE: "", **({VALKEY: f'\n[stores]\nlimits = "redis://127.0.0.1:{store}"\n'} if store else {})}
        for ledger, lines in extra.items():
            with contextlib.ExitStack() as gateways:
                one, two = (
                    gateways.enter_context(_gateway(field_, f"{ledger}-{number}", number, lines, cores))
                    for number in (1, 2)
                )
                tell(f"two workers against one, {ledger}")
                drive = _Driver(field_.folder, cores, seconds, CONNECTIONS)
                sharing.workers[ledger] = drive.pairs(one, two, pairs)
                if ledger == FILE:
                    access = yett.token(field_.folder / one.name)
                    token = Contender("token", one.buffered_port, one.stream_port, access, one.service)
                    tell("a token against a key")
                    sharing.token = _Driver(field_.folder, cores, seconds, 16).pairs(one, token, pairs)
    return sharing


class _Driver:
    """Sends the same load to one contender after the other."""

    def __init__(self, folder: Path, cores: str, seconds: float, connections: int) -> None:
        self._folder = folder / "bodies" / "shared"
        self._cores = cores
        self._seconds = seconds
        self._connections = connections

    def pairs(self, first: Contender, second: Contender, count: int) -> list[tuple[Figure, Figure]]:
        for each in (first, second):
            self._round(each)  # connections, caches
        found = []
        for number in range(count):
            if number % 2:
                later = self._round(second)
                found.append((self._round(first), later))
            else:
                found.append((self._round(first), self._round(second)))
        return found

    def _round(self, contender: Contender) -> Figure:
        assert contender.service is not None
        before, waited = contender.service.cpu_seconds(), contender.service.waited_seconds()
        done = load.buffered(
            contender.buffered_port,
            contender.key,
            bodies("1 kB"),
            connections=self._connections,
            seconds=self._seconds,
            core=self._cores,
            folder=self._folder,
        )
        used = contender.service.cpu_seconds() - before
        waited = min(contender.service.waited_seconds() - waited, 0.9 * done.seconds)
        return Figure(done.requests / done.seconds, done.requests / (done.seconds - waited), used * 1e6 / done.requests)


@contextlib.contextmanager
def _gateway(field_: Field, name: str, workers: int, extra: str, cores: str) -> Iterator[Contender]:
    port, admin = free_ports(2)
    folder = field_.folder / name
    key = yett.configure(folder, port, admin, field_.upstreams, extra)
    command = [str(yett.COMMAND), "serve", "--config", str(folder / "yett.toml"), "--workers", str(workers)]
    service = Service(
        name, command, cores, field_.folder / f"{name}.log", environment=yett.environment(folder), directory=ROOT
    )
    try:
        service.wait_for_port(port, 60)
        yield Contender(name, port, port, key, service)
    finally:
        service.stop()


@contextlib.contextmanager
def _server(binary: Path, folder: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]
    log = folder / "valkey.log"
    with log.open("wb") as output:
        process = subprocess.Popen([*command, "--dir", str(folder)], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _commands(port: int) -> int:
    """How many scripts the store has run so far: nothing else is asked for by a call."""
    with socket.create_connection(("127.0.0.1", port), 5) as connection:
        connection.sendall(b"INFO commandstats\r\n")
        answer = connection.makefile("rb")
        text = answer.read(int(answer.readline()[1:]))
    found = [line for line in text.decode().splitlines() if line.startswith("cmdstat_evalsha:calls=")]
    return int(found[0].partition("=")[2].partition(",")[0]) if found else 0


async def _limits(folder: Path, store: int) -> dict[str, float]:
    """Least CPU time of many batches of reservations and settlements, 16 at once, in microseconds per call; by ledger."""
    limits = Limits(rpm=10**9, tpm=10**11, concurrency=10_000, budget=Budget(10**12, "month"))
    scopes = tuple(Scope(name, limits) for name in ("key:bench", "team:research", "model:fast"))
    file = SharedLedger(folder / "limits", SystemClock())
    found = {FILE: await _least(file, scopes)}
    file.close()
    if store:
        shared = RedisLedger(RedisLink(limits_address(f"redis://127.0.0.1:{store}")), "parts")
        await shared.start()
        found[VALKEY] = await _least(shared, scopes)
        await shared.close()
    return found


async def _least(ledger: Ledger, scopes: tuple[Scope, ...]) -> float:
    async def calls(name: str) -> None:
        for number in range(CALLS):
            await ledger.settle(await ledger.reserve(f"{name}-{number}", scopes, 300, 200), 284, 120)

    least = float("inf")
    for batch in range(BATCHES):
        began = time.thread_time()
        await asyncio.gather(*(calls(f"{batch}-{one}") for one in range(CALLERS)))
        least = min(least, (time.thread_time() - began) * 1e6 / (CALLERS * CALLS))
    return least


def _middle(values: Iterator[float]) -> float | None:
    found = list(values)
    return median(found) if found else None
