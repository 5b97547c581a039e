"""`--workers N`: one process that starts the workers, restarts those that die, and answers for all of them on the admin port.

What the configuration takes from variables is not in a worker's environment, where others could read it (/proc/PID/environ): it is
the first line on the control socket.

Workers share the gateway's port (SO_REUSEPORT) and the limits (one ledger file). Each has a control socket on which it tells
its state when asked; when that socket closes the supervisor is gone, and the worker drains and ends: no orphan keeps serving.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from yett.config.reader import read
from yett.config.secrets import secret_references
from yett.edge.admin import Report
from yett.edge.metrics import State
from yett.edge.tasks import spawn

log = logging.getLogger("yett")

ASK_SECONDS = 2.0
LOOK_SECONDS = 0.1
SHORT_LIFE = 5.0  # seconds; a worker that dies sooner is restarted with growing pauses
LONGEST_PAUSE = 30.0
_decode = msgspec.json.Decoder(Report).decode


class _Child:
    """One worker process and its control socket."""

    def __init__(self, path: Path, environment: Mapping[str, str], secret: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "yett.cli", "serve", "--config", str(path), "--control", str(theirs.fileno())]
        self.process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=dict(environment)
        )
        theirs.close()
        with contextlib.suppress(OSError):  # it has ended already, which is found out like any other end
            ours.sendall(msgspec.json.encode(secret) + b"\n")
        self._socket = ours
        self._lock = asyncio.Lock()
        self._unanswered = 0  # a late answer to an earlier question is not the answer to this one
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ended(self) -> int:
        """Its exit status, once it has one. Asked for, not waited for in a thread: asyncio has few of those."""
        while (status := self.process.poll()) is None:  # noqa: ASYNC110 - a child's end is no event of this loop
            await asyncio.sleep(LOOK_SECONDS)
        return status

    async def report(self) -> Report | None:
        """None when the worker does not answer."""
        async with self._lock:
            try:
                if self._writer is None or self._reader is None:
                    self._reader, self._writer = await asyncio.open_connection(sock=self._socket, limit=16 << 20)
                self._writer.write(b"\n")
                self._unanswered += 1
                async with asyncio.timeout(ASK_SECONDS):
                    while self._unanswered:
                        line = await self._reader.readline()
                        self._unanswered -= 1
                return _decode(line) if line else None
            except (OSError, TimeoutError, msgspec.DecodeError, ValueError):
                return None

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        else:
            self._socket.close()


class Supervisor:
    """Keeps `count` workers running until `stop`."""

    def __init__(self, path: Path, count: int, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._named: set[str] = set()  # variables that secrets are taken from, or were
        self._count = count
        self._children: list[_Child | None] = [None] * count
        self._keepers: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        self._keepers = [spawn(self._keep(place), f"worker {place}") for place in range(self._count)]

    async def _keep(self, place: int) -> None:
        pause = 0.5
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            child = self._children[place] = self._born()
            code = await child.ended()
            child.close()
            self._children[place] = None
            if self._stopping.is_set():
                return
            log.error("worker ended", extra={"fields": {"worker": place, "pid": child.process.pid, "code": code}})
            pause = 0.5 if loop.time() - began > SHORT_LIFE else min(pause * 2, LONGEST_PAUSE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    def _born(self) -> _Child:
        for _, reference in secret_references(read(self._path, None).settings):
            kind, _, name = reference.partition(":")
            if kind == "env":
                self._named.add(name)
        secret = {name: value for name, value in self._environment.items() if name in self._named}
        return _Child(
            self._path, {name: value for name, value in self._environment.items() if name not in secret}, secret
        )

    async def reports(self) -> list[Report]:
        """One per worker; a worker that does not answer is reported as trouble, never left out."""
        found = await asyncio.gather(*(self._report(place) for place in range(self._count)))
        return list(found)

    async def _report(self, place: int) -> Report:
        child = self._children[place]
        report = await child.report() if child is not None else None
        if report is not None:
            return report
        pid = child.process.pid if child is not None else 0
        return Report(pid, ["the worker does not answer"], 0, "", "", "", [], {}, _NOTHING)

    def signal(self, number: signal.Signals) -> None:
        for child in self._children:
            if child is not None and child.process.poll() is None:
                child.process.send_signal(number)

    async def stop(self, seconds: float) -> None:
        """Drain all workers; those that take longer than `seconds` are killed."""
        self._stopping.set()
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*self._keepers)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await asyncio.gather(*self._keepers, return_exceptions=True)


_NOTHING = State()


def received(control: socket.socket) -> dict[str, str]:
    """In a worker: what its supervisor keeps out of its environment. Reads no further than that line."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = control.recv(1)
        if not piece:
            return {}
        line += piece
    return msgspec.json.decode(line, type=dict[str, str])
