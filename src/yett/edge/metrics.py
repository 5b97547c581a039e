"""Counters made from outcome records, and their Prometheus text. Every name is in docs/metrics.md.

Counting is a handful of dictionary updates on the loop; text is made only when somebody asks. Labels come from the
configuration, never from callers: a model name that is not configured counts as "other", so no caller can create series.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from yett.model.record import Record

Labels = tuple[str, ...]
DURATION = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)

# name -> (help, labels)
COUNTERS: dict[str, tuple[str, Labels]] = {
    "yett_calls": (
        "Governed calls by how they ended.",
        ("surface", "model", "provider", "team", "decision", "outcome", "code"),
    ),
    "yett_findings": ("Findings by what was done about them.", ("kind", "where", "action")),
    "yett_tokens": ("Tokens used.", ("model", "provider", "team", "direction")),
    "yett_cost_microusd": ("Money spent, in millionths of a US dollar.", ("model", "provider", "team")),
    "yett_attempts": ("Tries at upstreams by how they ended.", ("target", "outcome")),
    "yett_estimated_usage": (
        "Calls whose provider reported no usage, so that it was estimated.",
        ("model", "provider"),
    ),
}
HISTOGRAMS: dict[str, tuple[str, Labels, tuple[float, ...]]] = {
    "yett_call_duration_seconds": ("From a request's last byte to its reply's last.", ("surface", "model"), DURATION),
    "yett_overhead_seconds": ("Time spent in Yett, waiting for upstreams excluded.", ("surface",), OVERHEAD),
    "yett_first_byte_seconds": ("Until the first byte of a streamed reply.", ("model",), DURATION),
}
GAUGES: dict[str, tuple[str, Labels]] = {
    "yett_calls_in_flight": ("Calls in progress.", ()),
    "yett_connections": ("Open connections of callers.", ()),
    "yett_upstream_connections": ("Open connections to providers.", ("state",)),
    "yett_target_available": ("1 when a target may be tried, 0 while it is set aside.", ("target",)),
    "yett_provider_key_available": ("1 when a provider key may be used, 0 while it is set aside.", ("provider", "key")),
    "yett_snapshot_epoch": ("Configurations loaded since the start.", ()),
    "yett_reload_failures": ("Configurations refused since the start; the one before stayed in force.", ()),
    "yett_ready": ("1 when the gateway takes calls.", ()),
    "yett_audit_healthy": ("1 when the audit journal can be written.", ()),
    "yett_expired_holds": ("Holds of crashed calls whose estimate became a charge.", ()),
}


class Histogram(msgspec.Struct):
    buckets: list[int]
    total: float = 0.0


class State(msgspec.Struct):
    """What one worker has counted: travels as JSON to the process that serves /metrics."""

    counters: dict[str, list[tuple[Labels, float]]] = {}
    histograms: dict[str, list[tuple[Labels, Histogram]]] = {}
    gauges: dict[str, list[tuple[Labels, float]]] = {}


class Metrics:
    """Implements the `Meter` port. `known` are the model names that may be labels."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, float]] = {name: {} for name in COUNTERS}
        self._histograms: dict[str, dict[Labels, Histogram]] = {name: {} for name in HISTOGRAMS}
        self.known: frozenset[str] = frozenset()

    def observe(self, outcome: Record) -> None:
        model = outcome.model if outcome.model in self.known else "other" if outcome.model else ""
        provider = outcome.target.partition("/")[0]
        team = outcome.team
        surface = outcome.surface or "none"
        self._count("yett_calls", (surface, model, provider, team, outcome.decision, outcome.outcome, outcome.code), 1)
        self._time("yett_call_duration_seconds", (surface, model), outcome.ms / 1000, DURATION)
        self._time("yett_overhead_seconds", (surface,), outcome.overhead_ms / 1000, OVERHEAD)
        if outcome.first_byte_ms:
            self._time("yett_first_byte_seconds", (model,), outcome.first_byte_ms / 1000, DURATION)
        usage = outcome.usage
        if usage is not None and usage.total:
            self._count("yett_tokens", (model, provider, team, "input"), usage.input)
            self._count("yett_tokens", (model, provider, team, "output"), usage.output)
            self._count("yett_cost_microusd", (model, provider, team), usage.cost)
            if usage.estimated:
                self._count("yett_estimated_usage", (model, provider), 1)
        for attempt in outcome.attempts:
            self._count("yett_attempts", (attempt.target, attempt.outcome), 1)
        for finding in outcome.findings:
            self._count("yett_findings", (finding.kind, finding.where, finding.action), finding.count)

    def _count(self, name: str, labels: Labels, amount: float) -> None:
        series = self._counters[name]
        series[labels] = series.get(labels, 0) + amount

    def _time(self, name: str, labels: Labels, seconds: float, bounds: tuple[float, ...]) -> None:
        histogram = self._histograms[name].get(labels)
        if histogram is None:
            histogram = self._histograms[name][labels] = Histogram([0] * (len(bounds) + 1))
        histogram.buckets[bisect.bisect_left(bounds, seconds)] += 1
        histogram.total += seconds

    def state(self, gauges: Mapping[str, Iterable[tuple[Labels, float]]]) -> State:
        """What has been counted, with these gauges beside it."""
        return State(
            {name: list(series.items()) for name, series in self._counters.items()},
            {name: list(series.items()) for name, series in self._histograms.items()},
            {name: list(series) for name, series in gauges.items()},
        )


class _States(Collector):
    def __init__(self, states: list[State]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        for name, (text, labels) in COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=labels)
            for values, amount in _summed(state.counters.get(name, []) for state in self._states).items():
                counter.add_metric(values, amount)
            yield counter
        for name, (text, labels, bounds) in HISTOGRAMS.items():
            yield self._histogram(name, text, labels, bounds)
        for name, (text, labels) in GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=labels)
            for values, amount in _summed(state.gauges.get(name, []) for state in self._states).items():
                gauge.add_metric(values, amount)
            yield gauge

    def _histogram(self, name: str, text: str, labels: Labels, bounds: tuple[float, ...]) -> Metric:
        family = HistogramMetricFamily(name, text, labels=labels)
        merged: dict[Labels, Histogram] = {}
        for state in self._states:
            for values, histogram in state.histograms.get(name, []):
                into = merged.setdefault(tuple(values), Histogram([0] * len(histogram.buckets)))
                into.buckets = [a + b for a, b in zip(into.buckets, histogram.buckets, strict=True)]
                into.total += histogram.total
        for values, histogram in merged.items():
            running = 0
            buckets = []
            for bound, count in zip((*map(str, bounds), "+Inf"), histogram.buckets, strict=True):
                running += count
                buckets.append((bound, running))
            family.add_metric(values, buckets, histogram.total)
        return family


def _summed(series: Iterable[Iterable[tuple[Labels, float]]]) -> dict[Labels, float]:
    total: dict[Labels, float] = {}
    for one in series:
        for labels, amount in one:
            total[tuple(labels)] = total.get(tuple(labels), 0) + amount
    return total


def exposition(states: list[State]) -> bytes:
    """The Prometheus text of all workers together."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_States(states))
    return generate_latest(registry)
