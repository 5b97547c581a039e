"""`python -m bench`: bring up what is measured, interleave the rounds, print the table, keep the figures."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import machine, sharing, tools
from bench.contenders import ROOT, Contender, Field
from bench.load import LoadFailed
from bench.measure import STREAM, WORKLOADS, added_latencies, measure
from bench.report import Results, render, save
from bench.workloads import CONNECTIONS

OUT = Path(__file__).parent / "out"
CONTENDERS = ("direct", "nginx", "yardstick", "yett", "litellm", "sharing")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short round of each: about a minute, for a first look"
    )
    parser.add_argument("--rounds", type=int, default=0, help="rounds per cell (default 3; 1 with --quick)")
    parser.add_argument("--seconds", type=float, default=0.0, help="seconds per round (default 3; 1 with --quick)")
    parser.add_argument("--soak", action="store_true", help="also send 200,000 requests to Yett and watch its memory")
    parser.add_argument("--soak-requests", type=int, default=200_000, help="how many for --soak")
    parser.add_argument("--without", action="append", default=[], choices=CONTENDERS[1:], help="leave one out")
    parser.add_argument("--workload", action="append", default=[], choices=WORKLOADS, help="only these (default all)")
    parser.add_argument("--connections", action="append", default=[], type=int, help="only these (default 1, 16, 64)")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (1.0 if chosen.quick else 3.0)
    chosen.pairs = 4 if chosen.quick else 8
    chosen.turns = 300 if chosen.quick else 2_000
    chosen.workload = chosen.workload or list(WORKLOADS)
    chosen.connections = chosen.connections or list(CONNECTIONS)
    return chosen


class Progress:
    """One line that is rewritten on a terminal, and one line per step in a log file."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._done = 0
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        self._done += 1
        elapsed = time.monotonic() - self._began
        line = f"bench: {self._done}/{self._steps} · {elapsed:.0f} s · {text}"
        if sys.stderr.isatty():
            print(f"\r\033[K{line}", end="" if self._done < self._steps else "\n", file=sys.stderr, flush=True)
        else:
            print(line, file=sys.stderr, flush=True)


def run(chosen: argparse.Namespace, folder: Path) -> tuple[Results, list[str]]:
    gateway_core, load_core = machine.cores()
    results = Results()
    with Field(folder, gateway_core, load_core) as field:
        print(
            f"bench: starting; gateways on core {gateway_core}, load and mock upstream on core {load_core}", flush=True
        )
        bring_up(chosen, field)
        for contender in field.contenders:
            if contender.service:
                results.memory_before[contender.name] = contender.service.resident_bytes()
        latency_turns(chosen, field, results, load_core)
        rounds(chosen, field, results, load_core)
        for contender in field.contenders:
            if contender.service:
                results.memory_after[contender.name] = contender.service.resident_bytes()
        if chosen.soak:
            soak(chosen, field, results, load_core)
        if "sharing" not in chosen.without:
            shared(chosen, field, results)
        return results, [contender.name for contender in field.contenders]


def bring_up(chosen: argparse.Namespace, field: Field) -> None:
    field.start_upstreams()
    if "nginx" not in chosen.without:
        field.start_nginx()
    if "yardstick" not in chosen.without:
        field.start_yardstick()
    if "yett" not in chosen.without:
        field.start_yett()
    if "litellm" not in chosen.without:
        command = tools.litellm_environment(ROOT / ".yett" / "bench" / "litellm")
        if command:
            print("bench: starting LiteLLM …", flush=True)
            field.start_litellm(command)


def latency_turns(chosen: argparse.Namespace, field: Field, results: Results, core: int) -> None:
    for workload in chosen.workload:
        print(f"bench: latency at one connection, {workload} …", flush=True)
        turns = chosen.turns // 5 if workload == STREAM else chosen.turns
        results.added[workload] = added_latencies(field, workload, turns, core)


def rounds(chosen: argparse.Namespace, field: Field, results: Results, core: int) -> None:
    cells = [(workload, count) for workload in chosen.workload for count in chosen.connections]
    progress = Progress(len(cells) * chosen.rounds * len(field.contenders))
    for number in range(chosen.rounds):
        for workload, connections in cells:
            for contender in field.contenders:
                progress.step(f"round {number + 1}, {workload}, {connections} connections, {contender.name}")
                one_round(chosen, field, results, (contender, workload, connections, core))


def one_round(
    chosen: argparse.Namespace, field: Field, results: Results, cell: tuple[Contender, str, int, int]
) -> None:
    contender, workload, connections, core = cell
    with field.only(contender):
        try:
            results.rounds.append(
                measure(contender, workload, connections, seconds=chosen.seconds, core=core, folder=field.folder)
            )
        except LoadFailed as failure:
            results.failures.append(f"  {contender.name}, {workload}, {connections} connections: {failure}")


def shared(chosen: argparse.Namespace, field: Field, results: Results) -> None:
    """What was measured before rests meanwhile; two workers need both cores."""
    for contender in field.contenders:
        if contender.service:
            contender.service.freeze()
    valkey = tools.valkey_server(ROOT / ".yett" / "bench" / "valkey")
    try:
        results.sharing = sharing.measure(
            field, valkey, chosen.pairs, chosen.seconds, lambda text: print(f"bench: {text} …", flush=True)
        )
    except LoadFailed as failure:
        results.failures.append(f"  sharing: {failure}")


def soak(chosen: argparse.Namespace, field: Field, results: Results, core: int) -> None:
    """Send many requests to Yett and note its memory every so often; it must not grow."""
    yett = next((each for each in field.contenders if each.name == "Yett"), None)
    if yett is None or yett.service is None:
        return
    sent = 0
    results.soak.append((0, yett.service.resident_bytes()))
    while sent < chosen.soak_requests:
        with field.only(yett):
            sent += measure(yett, "1 kB", 16, seconds=2.0, core=core, folder=field.folder).requests
        results.soak.append((sent, yett.service.resident_bytes()))
        print(f"bench: soak, {sent:,} requests, {results.soak[-1][1] / 2**20:.1f} MiB", file=sys.stderr, flush=True)


def main() -> int:
    chosen = options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop everything that was started, as for Ctrl-C
    began = datetime.now(UTC)
    described = machine.describe()
    try:
        tools.require_system_tools()
        with tempfile.TemporaryDirectory(prefix="yett-bench-") as folder:
            results, names = run(chosen, Path(folder))
    except machine.CannotRun as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbench: stopped, and with it everything it had started", file=sys.stderr)
        return 130
    print("\n" + render(results, names, chosen.workload, chosen.connections) + "\n")
    path = OUT / f"{began:%Y-%m-%dT%H%M%SZ}.json"
    save(path, results, described, tools.versions())
    print(
        f"bench: figures in {path.relative_to(ROOT)}; one-minute load before the run {described['load_average_before']}"
    )
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
