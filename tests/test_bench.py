"""The benchmark's own arithmetic: figures that are wrong are worse than none."""

from __future__ import annotations

import json

import pytest
from bench.load import percentile
from bench.measure import STREAM, Round
from bench.report import Results, Target, render, targets
from bench.sharing import Figure, Sharing
from bench.workloads import BUFFERED_MODEL, CHUNKS, SIZES, STREAM_MODEL, answer, request_bodies, stream_chunks


def round_of(contender: str, cpu_us: float, workload: str = "1 kB", disturbed: float = 0.0) -> Round:
    return Round(contender, workload, 16, 1000, 1.0, cpu_us, 1000.0, 0.5, disturbed, 1.0, 2.0)


@pytest.mark.parametrize("size", SIZES.values())
def test_bodies_have_the_size_they_are_named_after_and_differ(size: int) -> None:
    bodies = request_bodies(BUFFERED_MODEL, size, stream=False)
    assert {len(body) for body in bodies} == {size}
    assert len(set(bodies)) == len(bodies)
    assert request_bodies(BUFFERED_MODEL, size, stream=False) == bodies, "every run sends the same"


def test_a_stream_request_asks_for_a_stream() -> None:
    request = json.loads(request_bodies(STREAM_MODEL, 1000, stream=True)[0])
    assert (request["model"], request["stream"]) == (STREAM_MODEL, True)


def test_the_mock_answers_what_the_workload_says() -> None:
    assert 700 <= len(answer()) <= 1000
    chunks = stream_chunks()
    assert len(chunks) == CHUNKS
    assert all(chunk.startswith(b"data: ") and chunk.endswith(b"\n\n") for chunk in chunks)
    assert chunks[-1].endswith(b"data: [DONE]\n\n")


def test_ratios_are_medians_over_rounds() -> None:
    results = Results(rounds=[round_of("Yett", us) for us in (80.0, 90.0, 500.0)])
    results.rounds += [round_of("nginx + key + log", us) for us in (20.0, 10.0, 30.0)]
    assert results.ratio("Yett", "1 kB", 16) == 4.5
    assert results.ratio("Yett", STREAM, 16) is None


def test_a_target_is_met_missed_or_not_measured() -> None:
    assert [Target("", 5.0, value).verdict for value in (5.0, 5.01, None)] == ["met", "MISSED", "not measured"]


def test_growth_counts_from_when_the_caches_are_warm() -> None:
    mib = 2**20
    results = Results(soak=[(0, 60 * mib), (100, 80 * mib), (200, 81 * mib), (300, 81 * mib), (400, 82 * mib)])
    growth = next(row for row in targets(results) if row.text.startswith("growth"))
    assert (growth.value, growth.verdict) == (2.0, "met")


def test_the_table_shows_what_was_measured() -> None:
    results = Results(rounds=[round_of("Yett", 80.0), round_of("nginx + key + log", 20.0)])
    text = render(results, ["Yett", "nginx + key + log"], ["1 kB"], [16])
    assert "4.00" in text
    assert "MISSED" not in text
    assert "quiet machine" not in text


def test_a_busy_machine_is_told() -> None:
    results = Results(rounds=[round_of("Yett", 80.0, disturbed=0.4)])
    assert "Other processes used 40% of the gateway's core" in render(results, ["Yett"], ["1 kB"], [16])


def test_percentiles_of_few_and_of_no_values() -> None:
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 3.0
    assert percentile([1.0], 99) == 1.0
    assert percentile([], 99) == 0.0


def test_what_two_workers_gain_does_not_depend_on_what_else_ran() -> None:
    one, two = Figure(rate=100.0, own_rate=200.0, cpu_us=1000.0), Figure(rate=90.0, own_rate=390.0, cpu_us=1010.0)
    sharing = Sharing(workers={"file": [(one, two)] * 3}, token=[(one, two)], limits_us={"file": 20.0, "Valkey": 50.0})
    results = Results(sharing=sharing)
    found = {row.text: (row.value, row.verdict) for row in targets(results)}
    assert found["requests/s of two workers ÷ one, a core each, file"] == (1.95, "met")
    assert found["requests/s of two workers ÷ one, a core each, Valkey"] == (None, "not measured")
    assert found["counters in Valkey: CPU of the gateway that they add per call, µs"] == (30.0, "met")
    assert found["CPU per buffered 1 kB request with a token ÷ with a key, 16 connections"] == (1.01, "met")
    assert "0.90" in render(results, [], [], [])
    sharing.workers["file"] = [(one, one)]
    assert next(row for row in targets(results) if row.text.endswith("each, file")).verdict == "MISSED"
