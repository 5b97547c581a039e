"""Processes on pinned cores: start, stop by id, and read what they have used."""

from __future__ import annotations

import contextlib
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


class CannotRun(Exception):
    """The machine lacks something the benchmark needs; the message says what to do."""


def cores() -> tuple[int, int]:
    """(core of the gateway, core of the load generator and the mock)."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise CannotRun("the benchmark needs two cores: one for the gateway, one for load and mock upstream")
    return allowed[-1], allowed[0]


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def describe() -> dict[str, object]:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average_before": round(os.getloadavg()[0], 2),
    }


class Service:
    """A process tree that the benchmark started; `log` receives what it prints."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        core: int | str,
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as output:
            # Its own session: a Ctrl-C at the terminal reaches the benchmark, which then stops each service in order.
            self._process = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=directory,
                start_new_session=True,
            )

    def wait_for_port(self, port: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                return
            time.sleep(0.05)
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        raise CannotRun(f"{self.name} did not listen on port {port} within {seconds:.0f} s; its last words:\n{tail}")

    def tree(self) -> list[int]:
        """The process and all its descendants that are alive."""
        found = [self._process.pid]
        for pid in found:
            found += _children(pid)
        return found

    def cpu_seconds(self) -> float:
        """User + system time of the tree so far."""
        return sum(_cpu_seconds(pid) for pid in self.tree())

    def waited_seconds(self) -> float:
        """How long a worker (what has no child) was ready to run and had no core so far: its main thread, the mean of all."""
        leaves = [pid for pid in self.tree() if not _children(pid)]
        return sum(map(_waited_seconds, leaves)) / len(leaves)

    def resident_bytes(self) -> int:
        return sum(_resident_bytes(pid) for pid in self.tree())

    def freeze(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL to whatever of the tree is still there five seconds later."""
        tree = self.tree()
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._signal_all(signal.SIGKILL)
            self._process.wait()
        for pid in tree[1:]:
            with contextlib.suppress(OSError):
                if os.getsid(pid) == self._process.pid:  # still ours, not a recycled id
                    os.kill(pid, signal.SIGKILL)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self.tree():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def core_seconds(core: int) -> float:
    """Busy time of a core since the machine started, whoever used it, time stolen by a hypervisor included."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, irq, softirq, steal = (int(field) for field in line.split()[1:9])
            return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def _waited_seconds(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    return 0.0


def _cpu_seconds(pid: int) -> float:
    """All threads of the process, ended ones too, in nanosecond steps: /proc/PID/stat counts in ticks of 10 ms, too coarse
    for a second of one stream. The clock's id is built as clock_getcpuclockid(3) does, which Python does not offer."""
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)
    return 0.0


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0
