"""One round: drive one contender with one workload, and read what its processes used meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bench import load
from bench.contenders import Contender, Field
from bench.machine import core_seconds, cores
from bench.workloads import BUFFERED_MODEL, CHUNKS, SIZES, STREAM_MODEL, request_bodies

STREAM = "stream"
WORKLOADS = (*SIZES, STREAM)


@dataclass(frozen=True)
class Round:
    """CPU is user + system microseconds of the contender's processes per request, and per chunk for streams."""

    contender: str
    workload: str
    connections: int
    requests: int
    seconds: float
    cpu_us: float
    per_second: float
    busy: float  # share of the gateway's core that the contender used
    disturbed: float  # share of it that went to others: caches and clock are then not the contender's own
    p50_ms: float
    p99_ms: float


def bodies(workload: str) -> list[bytes]:
    if workload == STREAM:
        return request_bodies(STREAM_MODEL, SIZES["1 kB"], stream=True)
    return request_bodies(BUFFERED_MODEL, SIZES[workload], stream=False)


def measure(contender: Contender, workload: str, connections: int, *, seconds: float, core: int, folder: Path) -> Round:
    """Drive `contender` for about `seconds` with the load generator on `core`."""
    service = contender.service
    gateway_core, _ = cores()
    cpu = service.cpu_seconds() if service else 0.0
    whole = core_seconds(gateway_core)
    began = time.monotonic()
    if workload == STREAM:
        done = load.streams(contender.stream_port, contender.key, bodies(workload), connections, seconds)
        per_unit = CHUNKS
    else:
        scripts = folder / "bodies" / workload.replace(" ", "")
        done = load.buffered(
            contender.buffered_port,
            contender.key,
            bodies(workload),
            connections=connections,
            seconds=seconds,
            core=core,
            folder=scripts,
        )
        per_unit = 1
    used = (service.cpu_seconds() - cpu) if service else 0.0
    elapsed = time.monotonic() - began
    return Round(
        contender=contender.name,
        workload=workload,
        connections=connections,
        requests=done.requests,
        seconds=done.seconds,
        cpu_us=used * 1e6 / (done.requests * per_unit),
        per_second=done.requests / done.seconds,
        busy=used / elapsed,
        disturbed=max(0.0, core_seconds(gateway_core) - whole - used) / elapsed,
        p50_ms=done.p50_ms,
        p99_ms=done.p99_ms,
    )


def added_latencies(field: Field, workload: str, turns: int, core: int) -> dict[str, tuple[float, float]]:
    """Milliseconds (p50, p99) at one connection: for "direct" as they are, for the others what they add to it.

    Slow contenders are asked in a series of their own, a tenth as often: what they do in the background after a call would
    otherwise show up in everybody's p99.
    """
    direct, *others = field.contenders
    series = [([direct, *(each for each in others if not each.slow)], turns)]
    series += [([direct, each], turns // 10) for each in others if each.slow]
    added = {}
    for asked, count in series:
        with field.only(asked[-1]):
            found = _latencies(asked, workload, count, core)
        base = found.pop(direct.name)
        added.setdefault(direct.name, base)
        added |= {name: (p50 - base[0], p99 - base[1]) for name, (p50, p99) in found.items()}
    return added


def _latencies(asked: list[Contender], workload: str, turns: int, core: int) -> dict[str, tuple[float, float]]:
    probes = [
        load.LatencyProbe(
            contender.name,
            contender.stream_port if workload == STREAM else contender.buffered_port,
            contender.key,
            bodies(workload),
        )
        for contender in asked
    ]
    found = {name: sorted(times) for name, times in load.latencies(probes, turns, core).items()}
    return {name: (load.percentile(times, 50) * 1e3, load.percentile(times, 99) * 1e3) for name, times in found.items()}
