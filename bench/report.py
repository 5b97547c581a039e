"""What is printed and kept: the table of medians, ratios to the yardstick, and the targets as met or missed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from bench.contenders import YARDSTICK
from bench.measure import STREAM, Round
from bench.sharing import CONNECTIONS as SHARED
from bench.sharing import FILE, VALKEY, Figure, Sharing

MIB = 1024 * 1024
QUIET = 0.03  # share of the gateway's core


@dataclass
class Results:
    """Everything measured in one run. Latencies are {workload: {contender: (p50 ms, p99 ms)}}, memory is bytes."""

    rounds: list[Round] = field(default_factory=list)
    added: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    memory_before: dict[str, int] = field(default_factory=dict)
    memory_after: dict[str, int] = field(default_factory=dict)
    soak: list[tuple[int, int]] = field(default_factory=list)  # (requests so far, resident bytes)
    failures: list[str] = field(default_factory=list)
    sharing: Sharing = field(default_factory=Sharing)

    def cell(self, contender: str, workload: str, connections: int, what: str) -> float | None:
        """The median over the rounds; None when this was not measured."""
        wanted = (contender, workload, connections)
        values = [
            getattr(each, what) for each in self.rounds if (each.contender, each.workload, each.connections) == wanted
        ]
        return median(values) if values else None

    def ratio(self, contender: str, workload: str, connections: int) -> float | None:
        own = self.cell(contender, workload, connections, "cpu_us")
        yardstick = self.cell(YARDSTICK, workload, connections, "cpu_us")
        return own / yardstick if own and yardstick else None


@dataclass(frozen=True)
class Target:
    """One figure that Yett has to reach with all controls on; `value` None when it was not measured."""

    text: str
    limit: float
    value: float | None
    least: bool = False  # the limit is what must be reached, not what must be kept

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        return "met" if (self.value >= self.limit if self.least else self.value <= self.limit) else "MISSED"


def targets(results: Results) -> list[Target]:
    added = results.added.get("1 kB", {}).get("Yett", (None, None))
    memory = results.memory_after.get("Yett")
    rows = [
        Target(
            f"CPU per buffered 1 kB request ÷ yardstick, {count} connections", 5.0, results.ratio("Yett", "1 kB", count)
        )
        for count in (1, 16, 64)
    ]
    rows += [
        Target(f"CPU per streamed chunk ÷ yardstick, {count} connections", 2.5, results.ratio("Yett", STREAM, count))
        for count in (1, 16, 64)
    ]
    shared = results.sharing
    rows += [
        Target("CPU per buffered 1 kB request with a token ÷ with a key, 16 connections", 1.1, shared.token_ratio()),
        *(
            Target(f"requests/s of two workers ÷ one, a core each, {ledger}", 1.8, shared.gain(ledger), least=True)
            for ledger in (FILE, VALKEY)
        ),
        Target("counters in Valkey: CPU of the gateway that they add per call, µs", 150.0, shared.added_us()),
        Target("counters in Valkey: commands per call, of which it waits for one", 2.1, shared.commands),
        Target("added p50 at one connection, 1 kB, ms", 0.5, added[0]),
        Target("added p99 at one connection, 1 kB, ms", 1.0, added[1]),
        Target("resident memory of one worker after the run, MiB", 120.0, memory / MIB if memory else None),
    ]
    if len(results.soak) > 2:
        # The first fifth warms caches and arenas up; what counts is whether it grows from there on.
        settled = results.soak[max(1, len(results.soak) // 5)][1]
        growth = (results.soak[-1][1] - settled) / MIB
        rows.append(Target(f"growth over the last 4/5 of {results.soak[-1][0]:,} requests, MiB", 4.0, growth))
    return rows


def render(results: Results, contenders: list[str], workloads: Iterable[str], connections: Iterable[int]) -> str:
    blocks = []
    for workload in workloads:
        unit = "chunk" if workload == STREAM else "request"
        header = [
            "",
            "connections",
            f"CPU µs/{unit}",
            "÷ yardstick",
            f"{workload}s/s" if unit == "chunk" else "requests/s",
        ]
        header += ["core busy", "p50 ms", "p99 ms"]
        rows = [
            _row(results, contender, workload, count)
            for count in connections
            for contender in contenders
            if results.cell(contender, workload, count, "per_second") is not None
        ]
        title = "50-chunk streams, 1 ms apart" if workload == STREAM else f"buffered, {workload} request"
        blocks.append(f"{title}\n{_table([header, *rows])}")
    blocks.append("one connection, asked in turn: added to direct\n" + _table(_latency_rows(results, contenders)))
    blocks.append("resident memory of all processes\n" + _table(_memory_rows(results, contenders)))
    if results.sharing.workers:
        blocks.append(
            f"two workers against one, {SHARED} connections, medians of pairs\n"
            + _table(_sharing_rows(results.sharing))
        )
    if results.soak:
        line = " · ".join(f"{count:,}: {size / MIB:.1f}" for count, size in results.soak)
        blocks.append(f"soak, MiB after so many requests\n{line}")
    rows = [
        [row.text, f"{'≥' if row.least else '≤'} {row.limit:g}", _number(row.value), row.verdict]
        for row in targets(results)
    ]
    blocks.append("targets, Yett with all controls on\n" + _table([["", "limit", "measured", ""], *rows]))
    others = median(each.disturbed for each in results.rounds) if results.rounds else 0.0
    if others > QUIET:
        blocks.append(
            f"Other processes used {others:.0%} of the gateway's core meanwhile: the figures are too high, and the ratios with\n"
            "them, because small processes suffer less. Measure on a quiet machine."
        )
    if results.failures:
        blocks.append("not measured because of failures\n" + "\n".join(results.failures))
    return "\n\n".join(blocks)


def _row(results: Results, contender: str, workload: str, connections: int) -> list[str]:
    def number(what: str) -> float | None:
        return results.cell(contender, workload, connections, what)

    measured = contender != "direct"
    return [
        contender,
        str(connections),
        _number(number("cpu_us")) if measured else "",
        _number(results.ratio(contender, workload, connections)),
        f"{number('per_second') or 0:,.0f}",
        f"{(number('busy') or 0) * 100:.0f} %" if measured else "",
        _number(number("p50_ms")),
        _number(number("p99_ms")),
    ]


def _latency_rows(results: Results, contenders: list[str]) -> list[list[str]]:
    header = ["", *(f"{workload} {what} ms" for workload in results.added for what in ("p50", "p99"))]
    rows = []
    for contender in contenders:
        pairs = [results.added[workload].get(contender) for workload in results.added]
        values = [value for pair in pairs for value in (pair or (None, None))]
        rows.append([contender, *(_signed(value, plain=contender == "direct") for value in values)])
    return [header, *rows]


def _sharing_rows(sharing: Sharing) -> list[list[str]]:
    def middle(figures: Iterable[Figure], what: str) -> str:
        return _number(median(getattr(figure, what) for figure in figures))

    rows = [
        [
            ledger,
            *(middle((pair[place] for pair in pairs), what) for what in ("rate", "cpu_us") for place in (0, 1)),
            *map(_number, (sharing.seen(ledger), sharing.gain(ledger), sharing.dearer(ledger))),
        ]
        for ledger, pairs in sharing.workers.items()
    ]
    header = ["ledger", "requests/s, one", "two", "CPU µs/request, one", "two", "rate ÷", "with a core each ÷", "CPU ÷"]
    return [header, *rows]


def _memory_rows(results: Results, contenders: list[str]) -> list[list[str]]:
    rows = [
        [name, f"{results.memory_before[name] / MIB:.0f}", f"{results.memory_after.get(name, 0) / MIB:.0f}"]
        for name in contenders
        if name in results.memory_before
    ]
    return [["", "before MiB", "after MiB"], *rows]


def _signed(value: float | None, *, plain: bool) -> str:
    return _number(value) if plain or value is None or value < 0 else f"+{_number(value)}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[0]) if not column else cell.rjust(widths[column]) for column, cell in enumerate(row)]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def save(path: Path, results: Results, machine: dict[str, object], versions: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "machine": machine,
        "versions": versions,
        "targets": [asdict(row) | {"verdict": row.verdict} for row in targets(results)],
        "added_ms": results.added,
        "memory_before_bytes": results.memory_before,
        "memory_after_bytes": results.memory_after,
        "soak": results.soak,
        "sharing": asdict(results.sharing),
        "failures": results.failures,
        "rounds": [asdict(each) for each in results.rounds],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
