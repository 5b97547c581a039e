"""The load: wrk for buffered calls, a raw uvloop client for streams, a blocking client for latencies at one connection."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import cast

import uvloop

from bench.workloads import STAMP, stamped

_BEGINNINGS = count(0, 1_000_000)  # no two rounds send the same prompt
LUA = Path(__file__).with_name("wrk.lua")
_TERMINATOR = b"\r\n0\r\n\r\n"


class LoadFailed(Exception):
    """Answers other than 2xx, or broken connections: what was measured is not the workload."""


@dataclass(frozen=True)
class Load:
    """What one round achieved. `requests` finished within `seconds`."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float


def request_bytes(port: int, key: str, body: bytes) -> bytes:
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %b\r\n"
        b"User-Agent: bench\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (port, key.encode(), len(body), body)
    )


def buffered(
    port: int, key: str, bodies: list[bytes], *, connections: int, seconds: float, core: int | str, folder: Path
) -> Load:
    """wrk with keep-alive connections, one thread, rotating through `bodies`; on `core`, or on several ("0,1")."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, body in enumerate(bodies, 1):
        (folder / f"{number}.json").write_bytes(body)
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["--timeout", "30s", "-s", str(LUA), f"http://127.0.0.1:{port}/v1/chat/completions"]
    command += ["--", str(folder), str(len(bodies)), key, STAMP, str(next(_BEGINNINGS))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60)
    marker = done.stdout.rfind("SUMMARY ")
    if done.returncode or marker < 0:
        raise LoadFailed(f"wrk failed: {done.stdout[-500:]} {done.stderr[-500:]}")
    summary = json.loads(done.stdout[marker + 8 :].splitlines()[0])
    if summary["not_2xx"] or summary["socket_errors"] or not summary["requests"]:
        raise LoadFailed(f"port {port}: {summary}")
    return Load(summary["requests"], summary["seconds"], summary["p50_ms"], summary["p99_ms"])


# ---- streams --------------------------------------------------------------------------------------------------------


@dataclass
class _Tally:
    """What the stream connections add up. No stream begins after `until`; those under way are read to their end."""

    until: float
    running: int
    finished: asyncio.Future[None]
    numbers: count[int] = field(default_factory=lambda: count(next(_BEGINNINGS)))
    times: list[float] = field(default_factory=list)

    def leave(self) -> None:
        self.running -= 1
        if self.running == 0 and not self.finished.done():
            self.finished.set_result(None)

    def fail(self, message: str) -> None:
        if not self.finished.done():
            self.finished.set_exception(LoadFailed(message))


class _Streams(asyncio.Protocol):
    """One connection that reads stream after stream, and checks that each ends with its terminator."""

    def __init__(self, requests: list[bytes], tally: _Tally) -> None:
        self._requests = requests
        self._position = 0
        self._tally = tally
        self._tail = b""
        self._begun = 0.0
        self._left = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's does not inherit from it
        self._next()

    def _next(self) -> None:
        now = time.monotonic()
        if now >= self._tally.until:
            self._left = True
            self._transport.close()
            self._tally.leave()
            return
        self._tail = b""
        self._begun = now
        request = self._requests[self._position % len(self._requests)]
        self._transport.write(stamped(request, next(self._tally.numbers)))
        self._position += 1

    def data_received(self, data: bytes) -> None:
        if not self._tail and not data.startswith(b"HTTP/1.1 200"):
            self._tally.fail(f"a stream was answered with {data[:300]!r}")
            return
        tail = self._tail = data if len(data) > 100 else self._tail[-100:] + data
        if tail.endswith(_TERMINATOR):
            if b"[DONE]" not in tail:
                self._tally.fail(f"a stream ended without [DONE]: {tail[-200:]!r}")
                return
            self._tally.times.append(time.monotonic() - self._begun)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._left:
            self._tally.fail(f"the gateway closed a stream's connection: {exc}")


def streams(port: int, key: str, bodies: list[bytes], connections: int, seconds: float) -> Load:
    """Read 50-chunk streams one after the other on each of `connections` keep-alive connections."""
    requests = [request_bytes(port, key, body) for body in bodies]
    return uvloop.run(_streams(port, requests, connections, seconds))


async def _streams(port: int, requests: list[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    began = time.monotonic()
    tally = _Tally(began + seconds, connections, loop.create_future())
    transports = []
    for number in range(connections):
        rotated = requests[number % len(requests) :] + requests[: number % len(requests)]
        transport, _ = await loop.create_connection(lambda given=rotated: _Streams(given, tally), "127.0.0.1", port)
        transports.append(transport)
    try:
        await asyncio.wait_for(tally.finished, seconds + 60)
    finally:
        for transport in transports:
            transport.abort()
    times = sorted(tally.times)
    return Load(len(times), time.monotonic() - began, percentile(times, 50) * 1e3, percentile(times, 99) * 1e3)


# ---- latency --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LatencyProbe:
    """Who is asked, with what."""

    name: str
    port: int
    key: str
    bodies: list[bytes]


def latencies(probes: list[LatencyProbe], turns: int, core: int) -> dict[str, list[float]]:
    """Seconds per call, one connection each, asked in turn so that all of them see the same disturbances."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    gc.collect()
    gc.disable()
    connections = {probe.name: socket.create_connection(("127.0.0.1", probe.port), 30) for probe in probes}
    try:
        prepared = {
            probe.name: [request_bytes(probe.port, probe.key, body) for body in probe.bodies] for probe in probes
        }
        times: dict[str, list[float]] = {probe.name: [] for probe in probes}
        for each in connections.values():
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        numbers = count(next(_BEGINNINGS))
        for turn in range(-20, turns):
            for probe in probes:
                request = stamped(prepared[probe.name][turn % len(probe.bodies)], next(numbers))
                began = time.perf_counter_ns()
                _exchange(connections[probe.name], request)
                if turn >= 0:  # the first turns warm the connections up
                    times[probe.name].append((time.perf_counter_ns() - began) / 1e9)
        return times
    finally:
        for each in connections.values():
            each.close()
        gc.enable()
        os.sched_setaffinity(0, allowed)


def _exchange(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    data = b""
    while not _complete(data):
        piece = connection.recv(65536)
        if not piece:
            raise LoadFailed(f"the connection closed after {data[:200]!r}")
        data += piece
    if not data.startswith(b"HTTP/1.1 200"):
        raise LoadFailed(f"unexpected answer {data[:300]!r}")


def _complete(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = data[:end].lower()
    mark = head.find(b"content-length:")
    if mark < 0:
        return data.endswith(_TERMINATOR)
    length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
    return len(data) >= end + 4 + length


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0
