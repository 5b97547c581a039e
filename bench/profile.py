"""`python -m bench.profile [workload] [connections]`: where a call's CPU time goes, sampled once per millisecond of it.

Yett runs in this process as `yett serve` would run it, under the same load as in the benchmark. A sample belongs to the
innermost Python function at that moment, C code that it calls included. System calls of the event loop itself (accepting,
polling, reading) show up in the first function that runs after them: the `data_received` methods.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import uvloop

from bench import machine, tools, yett
from bench.contenders import ROOT, Contender, Field
from bench.measure import CHUNKS, STREAM, WORKLOADS, measure

SOURCE = str(ROOT / "src" / "yett") + "/"
INTERVAL = 0.001  # seconds of CPU time
SECONDS = 8.0


class Samples:
    """Counts by (file, function), and by the file's stage."""

    def __init__(self) -> None:
        self.functions: Counter[tuple[str, str]] = Counter()

    def take(self, _: int, frame: FrameType | None) -> None:
        if frame is not None:
            name = frame.f_code.co_filename
            self.functions[name.removeprefix(SOURCE), frame.f_code.co_name] += 1

    def table(self, per_unit: float) -> str:
        """The files and functions that used most, in µs of `per_unit` in all."""
        total = sum(self.functions.values())
        files: Counter[str] = Counter()
        for (file, _), count in self.functions.items():
            files[file] += count
        lines = [
            f"  {count / total * per_unit:7.1f} µs  {count / total:5.1%}  {file}"
            for file, count in files.most_common(28)
        ]
        lines += ["", "by function"]
        lines += [
            f"  {count / total * per_unit:7.1f} µs  {count / total:5.1%}  {file}  {function}"
            for (file, function), count in self.functions.most_common(30)
        ]
        return "\n".join(lines)


async def serve(folder: Path, port: int, drive: list[str]) -> tuple[Samples, float, str]:
    """Run the gateway while `drive` runs; (samples, CPU seconds, what `drive` printed)."""
    from yett.cli.worker import Worker
    from yett.edge.listener import bind

    worker = Worker(folder / "yett.toml", os.environ)  # noqa: TID251
    await worker.start(bind("127.0.0.1", port, shared=False))
    samples = Samples()
    signal.signal(signal.SIGPROF, samples.take)
    load = await asyncio.create_subprocess_exec(*drive, stdout=subprocess.PIPE, cwd=ROOT)
    used = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    printed, _ = await load.communicate()
    signal.setitimer(signal.ITIMER_PROF, 0)
    used = time.process_time() - used
    await worker.stop()
    return samples, used, printed.decode()


def drive(workload: str, connections: int, port: int, key: str, folder: Path) -> int:
    """The load, in a process of its own: prints how many requests were answered."""
    contender = Contender("Yett", port, port, key, None)
    _, core = machine.cores()
    print(measure(contender, workload, connections, seconds=SECONDS, core=core, folder=folder).requests)
    return 0


def main() -> int:
    workload = sys.argv[1] if len(sys.argv) > 1 else WORKLOADS[0]
    connections = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    if workload not in WORKLOADS:
        print(f"bench: workload is one of {', '.join(WORKLOADS)}", file=sys.stderr)
        return 2
    tools.require_system_tools()
    gateway_core, load_core = machine.cores()
    with tempfile.TemporaryDirectory(prefix="yett-bench-") as name, Field(Path(name), gateway_core, load_core) as field:
        field.start_upstreams()
        port, admin = machine.free_ports(2)
        key = yett.configure(Path(name) / "yett", port, admin, field.upstreams)
        command = [sys.executable, "-m", "bench.profile", "--drive", workload, str(connections), str(port), key, name]
        os.environ.update(yett.environment(Path(name)))  # noqa: TID251
        os.sched_setaffinity(0, {gateway_core})
        load = ["taskset", "-c", f"{gateway_core},{load_core}", *command]
        terminal = os.dup(2)
        os.dup2(os.open(Path(name) / "yett.log", os.O_WRONLY | os.O_CREAT), 2)  # where the access log is written
        try:
            samples, used, printed = uvloop.run(serve(Path(name) / "yett", port, load))
        finally:
            os.dup2(terminal, 2)
        if not printed:
            print((Path(name) / "yett.log").read_text(errors="replace")[-2000:], file=sys.stderr)
            return 1
    units = int(printed) * (CHUNKS if workload == STREAM else 1)
    per_unit = used * 1e6 / units
    unit = "chunk" if workload == STREAM else "request"
    print(f"{workload}, {connections} connections: {per_unit:.1f} µs of CPU per {unit} (the sampling included)\n")
    print(samples.table(per_unit))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--drive"]:
        sys.exit(drive(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], Path(sys.argv[6])))
    sys.exit(main())
