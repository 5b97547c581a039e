"""Counters made from outcome records, and their Prometheus text. Every name is in docs/metrics.md.

Counting is a handful of dictionary updates on the loop; text is made only when somebody asks. Labels come from the
configuration, never from callers: a model name that is not configured counts as "other", so no caller can create series.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from yett.model.record import Record

Labels = tuple[str, ...]
DURATION = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
OVERHEAD = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0)

NO_TOTALS: Mapping[str, float] = MappingProxyType({})
_DURATION_MS = tuple(bound * 1000 for bound in DURATION)
_OVERHEAD_MS = tuple(bound * 1000 for bound in OVERHEAD)

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
    "yett_guardrail_asked": ("Questions to guardrails by what came of them.", ("guardrail", "outcome")),
    "yett_provider_token_fetches": ("Requests for providers' tokens by what came of them.", ("provider", "outcome")),
    "yett_attachments": ("Attached files by what came of reading them.", ("outcome",)),
    "yett_issuer_fetches": ("Attempts to fetch the keys of an issuer, by what came of them.", ("issuer", "outcome")),
    "yett_operator_requests": ("Requests to the console by what came of them: ok, or an error's code.", ("outcome",)),
    "yett_operator_sign_ins": ("Sign-ins at the console by what came of them.", ("outcome",)),
    "yett_scim_requests": ("Requests that provision users and groups, by what came of them.", ("directory", "outcome")),
    "yett_vault_failures": ("Times that the vault could not be written or read.", ()),
    "yett_ledger_outages": ("Times that the store of limits was lost.", ()),
    "yett_ledger_local_calls": (
        "Calls that went on within this machine's share of their rates, without the store.",
        (),
    ),
    "yett_vault_expired": ("Rows of the vault whose time was over, or that made room for others.", ()),
}
HISTOGRAMS: dict[str, tuple[str, Labels, tuple[float, ...]]] = {
    "yett_call_duration_seconds": ("From a request's last byte to its reply's last.", ("surface", "model"), DURATION),
    "yett_overhead_seconds": ("Time spent in Yett, waiting for upstreams excluded.", ("surface",), OVERHEAD),
    "yett_guardrail_duration_seconds": ("Until a guardrail had answered, or failed.", ("guardrail",), DURATION),
    "yett_first_byte_seconds": ("Until the first byte of a streamed reply.", ("model",), DURATION),
}
GAUGES: dict[str, tuple[str, Labels]] = {
    "yett_calls_in_flight": ("Calls in progress.", ()),
    "yett_connections": ("Open connections of callers.", ()),
    "yett_upstream_connections": ("Open connections to providers.", ("state",)),
    "yett_target_available": ("1 when a target may be tried, 0 while it is set aside.", ("target",)),
    "yett_provider_key_available": ("1 when a provider key may be used, 0 while it is set aside.", ("provider", "key")),
    "yett_provider_token_seconds": ("Seconds that a provider's token still lives.", ("provider",)),
    "yett_snapshot_epoch": ("Configurations loaded since the start.", ()),
    "yett_configuration_revision": ("Revision of the shared configuration in force, 0 where it is in files.", ()),
    "yett_reload_failures": ("Configurations refused since the start; the one before stayed in force.", ()),
    "yett_ready": ("1 when the gateway takes calls.", ()),
    "yett_audit_healthy": ("1 when the audit journal can be written.", ()),
    "yett_guardrail_available": ("1 when a guardrail is asked, 0 while it is set aside.", ("guardrail",)),
    "yett_vault_healthy": ("1 when the vault could be written and read the last time.", ()),
    "yett_ledger_available": ("1 when limits can be counted.", ()),
    "yett_vault_rows": ("Values that the vault keeps.", ()),
    "yett_vault_bytes": ("Size of the vault's file, or of what is sealed in the shared database.", ()),
    "yett_tasks": ("Tasks that are remembered.", ()),
    "yett_directory_users": ("Users that a directory has.", ("directory",)),
    "yett_fences": ("Fences that keep somebody out.", ()),
    "yett_operator_sessions": ("Operators who are signed in, by how they came in.", ("means",)),
    "yett_expired_holds": ("Holds of crashed calls whose estimate became a charge.", ()),
}


# Of something that all workers share: the highest counts, not the sum.
SHARED = frozenset(
    (
        "yett_vault_rows",
        "yett_vault_bytes",
        "yett_expired_holds",
        "yett_operator_sessions",
        "yett_directory_users",
        "yett_configuration_revision",
        "yett_snapshot_epoch",
        "yett_reload_failures",
        "yett_fences",
    )
)
# Of something that each worker has for itself, and that is worth what the worst of them is worth.
WORST = frozenset(("yett_provider_token_seconds",))


class Histogram(msgspec.Struct):
    buckets: list[int]
    total: float = 0.0


class State(msgspec.Struct):
    """What one worker has counted: travels as JSON to the process that serves /metrics."""

    counters: dict[str, list[tuple[Labels, float]]] = {}
    histograms: dict[str, list[tuple[Labels, Histogram]]] = {}
    gauges: dict[str, list[tuple[Labels, float]]] = {}


class _Count:
    """Everything counted about calls of one sort; milliseconds, tokens and micro-USD."""

    __slots__ = (
        "calls", "cost", "duration", "estimated", "input", "milliseconds", "output", "overhead", "overheads"
    )  # fmt: skip

    def __init__(self) -> None:
        self.calls = self.input = self.output = self.cost = self.estimated = 0
        self.duration = self.overhead = 0.0
        self.milliseconds = [0] * (len(DURATION) + 1)
        self.overheads = [0] * (len(OVERHEAD) + 1)


_FIRST = ("default", "")  # the tenant whose teams need no other name


class Metrics:
    """Implements the `Meter` port. `known` are the model names that may be labels."""

    def __init__(self) -> None:
        self._counters: dict[str, dict[Labels, float]] = {name: {} for name in COUNTERS}
        self._histograms: dict[str, dict[Labels, Histogram]] = {name: {} for name in HISTOGRAMS}
        self._attempts = self._counters["yett_attempts"]
        self._findings = self._counters["yett_findings"]
        self._first_bytes = self._histograms["yett_first_byte_seconds"]
        self._series: dict[tuple[str, ...], _Count] = {}  # since the last settle, by what a call was
        self.known: frozenset[str] = frozenset()

    def observe(self, outcome: Record) -> None:
        model = outcome.model
        key = (
            outcome.surface,
            model if model in self.known else self._model(model),
            outcome.target,
            outcome.team if outcome.tenant in _FIRST else f"{outcome.tenant}/{outcome.team}",
            outcome.decision,
            outcome.outcome,
            outcome.code,
        )
        count = self._series.get(key)
        if count is None:
            count = self._series[key] = _Count()
        count.calls += 1
        count.milliseconds[bisect_left(_DURATION_MS, outcome.ms)] += 1
        count.duration += outcome.ms
        count.overheads[bisect_left(_OVERHEAD_MS, outcome.overhead_ms)] += 1
        count.overhead += outcome.overhead_ms
        usage = outcome.usage
        if usage is not None:
            count.input += usage.input
            count.output += usage.output
            count.cost += usage.cost
            count.estimated += usage.estimated
        if outcome.first_byte_ms:
            self._first_byte(outcome)
        for attempt in outcome.attempts:
            where = (attempt.target, attempt.outcome)
            self._attempts[where] = self._attempts.get(where, 0) + 1
        for finding in outcome.findings:
            what = (finding.kind, finding.where, finding.action)
            self._findings[what] = self._findings.get(what, 0) + finding.count

    def count(self, name: str, *labels: str) -> None:
        """One more of what is no call."""
        _add(self._counters[name], labels, 1)

    def time(self, name: str, seconds: float, *labels: str) -> None:
        """How long something took that is no call."""
        bounds = HISTOGRAMS[name][2]
        histogram = self._histograms[name].get(labels)
        if histogram is None:
            histogram = self._histograms[name][labels] = Histogram([0] * (len(bounds) + 1))
        histogram.buckets[bisect_left(bounds, seconds)] += 1
        histogram.total += seconds

    def _first_byte(self, outcome: Record) -> None:
        model = self._model(outcome.model)
        histogram = self._first_bytes.get((model,))
        if histogram is None:
            histogram = self._first_bytes[model,] = Histogram([0] * (len(DURATION) + 1))
        histogram.buckets[bisect_left(_DURATION_MS, outcome.first_byte_ms)] += 1
        histogram.total += outcome.first_byte_ms / 1000

    def _model(self, name: str) -> str:
        return name if not name or name in self.known else "other"

    def _settle(self) -> None:
        """Add what was counted by call to what is told by metric."""
        counters, histograms = self._counters, self._histograms
        for (named, model, target, team, decision, outcome, code), count in self._series.items():
            surface = named or "none"
            provider = target.partition("/")[0]
            _add(counters["yett_calls"], (surface, model, provider, team, decision, outcome, code), count.calls)
            if count.input or count.output:
                _add(counters["yett_tokens"], (model, provider, team, "input"), count.input)
                _add(counters["yett_tokens"], (model, provider, team, "output"), count.output)
                _add(counters["yett_cost_microusd"], (model, provider, team), count.cost)
                _add(counters["yett_estimated_usage"], (model, provider), count.estimated)
            _merge(histograms["yett_call_duration_seconds"], (surface, model), count.milliseconds, count.duration)
            _merge(histograms["yett_overhead_seconds"], (surface,), count.overheads, count.overhead)
        self._series.clear()

    def state(
        self, gauges: Mapping[str, Iterable[tuple[Labels, float]]], totals: Mapping[str, float] = NO_TOTALS
    ) -> State:
        """What has been counted, with these gauges beside it, and `totals` that others have counted."""
        self._settle()
        for name, total in totals.items():
            self._counters[name][()] = total
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
            together = _highest if name in SHARED else _lowest if name in WORST else _summed
            for values, amount in together(state.gauges.get(name, []) for state in self._states).items():
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


def _add(series: dict[Labels, float], labels: Labels, amount: float) -> None:
    series[labels] = series.get(labels, 0) + amount


def _merge(series: dict[Labels, Histogram], labels: Labels, buckets: list[int], milliseconds: float) -> None:
    histogram = series.setdefault(labels, Histogram([0] * len(buckets)))
    histogram.buckets = [a + b for a, b in zip(histogram.buckets, buckets, strict=True)]
    histogram.total += milliseconds / 1000


def _summed(series: Iterable[Iterable[tuple[Labels, float]]]) -> dict[Labels, float]:
    total: dict[Labels, float] = {}
    for one in series:
        for labels, amount in one:
            total[tuple(labels)] = total.get(tuple(labels), 0) + amount
    return total


def _highest(series: Iterable[Iterable[tuple[Labels, float]]]) -> dict[Labels, float]:
    most: dict[Labels, float] = {}
    for one in series:
        for labels, amount in one:
            most[tuple(labels)] = max(most.get(tuple(labels), amount), amount)
    return most


def _lowest(series: Iterable[Iterable[tuple[Labels, float]]]) -> dict[Labels, float]:
    least: dict[Labels, float] = {}
    for one in series:
        for labels, amount in one:
            least[tuple(labels)] = min(least.get(tuple(labels), amount), amount)
    return least


def exposition(states: list[State]) -> bytes:
    """The Prometheus text of all workers together."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_States(states))
    return generate_latest(registry)
