"""Counting calls, and telling Prometheus about them."""

from __future__ import annotations

from yett.edge.metrics import Metrics, exposition
from yett.model.record import Attempt, FindingCount, Record
from yett.model.usage import Usage

OUTCOME = Record(
    kind="outcome",
    call="call_1",
    ts=1,
    team="research",
    surface="openai_chat",
    model="fast",
    decision="allow",
    outcome="ok",
    status=200,
    target="openai/gpt-5-mini",
    usage=Usage(170, 0, 120, 410, estimated=True, prices="own"),
    attempts=(Attempt("openai/gpt-5-mini", "timeout.connect"), Attempt("openai/gpt-5-mini", "ok", 200)),
    findings=(FindingCount("pii.email", 2, "request", "redacted"),),
    ms=12.5,
    overhead_ms=0.25,
    first_byte_ms=7.0,
)


def counted(*outcomes: Record, known: frozenset[str] = frozenset(("fast",))) -> Metrics:
    metrics = Metrics()
    metrics.known = known
    for outcome in outcomes:
        metrics.observe(outcome)
    return metrics


def text_of(*workers: Metrics) -> str:
    return exposition([worker.state({}) for worker in workers]).decode()


def test_everything_about_a_call_is_counted_once_over_all_workers_and_scrapes() -> None:
    one, other = counted(OUTCOME), counted(OUTCOME)
    text_of(one)
    text = text_of(one, other)
    labels = 'model="fast",provider="openai",team="research"'
    for line in (
        'yett_calls_total{code="",decision="allow",model="fast",outcome="ok",provider="openai",surface="openai_chat",team="research"} 2.0',
        'yett_findings_total{action="redacted",kind="pii.email",where="request"} 4.0',
        f'yett_tokens_total{{direction="input",{labels}}} 340.0',
        f'yett_tokens_total{{direction="output",{labels}}} 240.0',
        f"yett_cost_microusd_total{{{labels}}} 820.0",
        'yett_attempts_total{outcome="timeout.connect",target="openai/gpt-5-mini"} 2.0',
        'yett_estimated_usage_total{model="fast",provider="openai"} 2.0',
        'yett_call_duration_seconds_bucket{le="0.01",model="fast",surface="openai_chat"} 0.0',
        'yett_call_duration_seconds_bucket{le="0.025",model="fast",surface="openai_chat"} 2.0',
        'yett_overhead_seconds_bucket{le="0.00025",surface="openai_chat"} 2.0',
        'yett_first_byte_seconds_count{model="fast"} 2.0',
    ):
        assert line in text.splitlines(), line


def test_a_caller_cannot_create_series_or_fill_the_memory_with_names() -> None:
    invented = [
        Record(kind="outcome", call="c", ts=1, surface="openai_chat", model=f"{n}" * 1000, first_byte_ms=1.0)
        for n in range(50)
    ]
    metrics = counted(*invented, OUTCOME)
    assert len(metrics._series) == 2
    text = text_of(metrics)
    assert 'yett_first_byte_seconds_count{model="other"} 50.0' in text
    assert "000" * 100 not in text


def test_a_model_that_is_configured_later_has_a_series_from_then_on() -> None:
    metrics = counted(OUTCOME, known=frozenset())
    metrics.known = frozenset(("fast",))
    metrics.observe(OUTCOME)
    text = text_of(metrics)
    assert 'yett_call_duration_seconds_count{model="other",surface="openai_chat"} 1.0' in text
    assert 'yett_call_duration_seconds_count{model="fast",surface="openai_chat"} 1.0' in text


def test_a_call_without_a_name_for_its_surface_or_usage() -> None:
    text = text_of(counted(Record(kind="outcome", call="c", ts=1, outcome="refused", code="missing_key", ms=1.0)))
    assert 'yett_call_duration_seconds_count{model="",surface="none"} 1.0' in text
    assert "yett_tokens_total{" not in text


def test_gauges_of_workers_add_up() -> None:
    states = [Metrics().state({"yett_calls_in_flight": [((), float(n))]}) for n in (1, 2)]
    assert "yett_calls_in_flight 3.0" in exposition(states).decode()


def test_what_is_no_call_is_counted_and_timed_too() -> None:
    metrics = Metrics()
    for outcome, seconds in (("ok", 0.004), ("ok", 0.2), ("timeout", 400.0)):
        metrics.count("yett_guardrail_asked", "judge", outcome)
        metrics.time("yett_guardrail_duration_seconds", seconds, "judge")
    states = [metrics.state({}, {"yett_vault_failures": 3}), Metrics().state({}, {"yett_vault_failures": 1})]
    lines = exposition(states).decode().splitlines()
    for line in (
        'yett_guardrail_asked_total{guardrail="judge",outcome="ok"} 2.0',
        'yett_guardrail_duration_seconds_bucket{guardrail="judge",le="0.005"} 1.0',
        'yett_guardrail_duration_seconds_bucket{guardrail="judge",le="300.0"} 2.0',
        'yett_guardrail_duration_seconds_count{guardrail="judge"} 3.0',
        "yett_vault_failures_total 4.0",
    ):
        assert line in lines, line


def test_of_what_workers_share_there_is_one() -> None:
    states = [Metrics().state({"yett_vault_rows": [((), float(n))], "yett_vault_healthy": [((), 1.0)]}) for n in (7, 9)]
    text = exposition(states).decode()
    assert "yett_vault_rows 9.0" in text
    assert "yett_vault_healthy 2.0" in text


def test_of_the_tokens_that_workers_have_the_one_that_ends_first_counts() -> None:
    left = [Metrics().state({"yett_provider_token_seconds": [(("cloud",), n)]}) for n in (3000.0, 0.0, 2900.0)]
    assert 'yett_provider_token_seconds{provider="cloud"} 0.0' in exposition(left).decode()
