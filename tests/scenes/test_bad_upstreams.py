"""Providers on their bad days: what the caller is told, what is on the record, and who is asked next."""

from __future__ import annotations

import time

import pytest
from tests.scenes.harness import Gateway, error_of, said

from yett.simulator.server import Simulator

TEXT = "one two three four five six"
ERROR, TIMEOUT, TRUNCATED = "upstream_error", "upstream_timeout", "stream_truncated"

# model -> HTTP status, the caller's code, what the attempt says
BUFFERED = {
    "refused": (502, ERROR, "refused"),
    "deaf": (504, TIMEOUT, "timeout.connect"),
    "hang-head": (504, TIMEOUT, "timeout.first_byte"),
    "hang-body": (504, TIMEOUT, "timeout.between_chunks"),
    "hang-half": (504, TIMEOUT, "timeout.between_chunks"),
    "reset-head": (502, ERROR, "reset"),
    "reset-body": (502, ERROR, "reset"),
    "reset-half": (502, ERROR, "reset"),
    "cut-head": (502, ERROR, "reset"),
    "cut-body": (502, ERROR, "truncated"),
    "cut-half": (502, ERROR, "truncated"),
    "bad-json": (502, ERROR, "garbage"),
    "bad-utf8": (502, ERROR, "garbage"),
    "bad-html": (502, ERROR, "garbage"),
    "bad-empty": (502, ERROR, "garbage"),
    "bad-http": (502, ERROR, "garbage"),
    "bad-huge_head": (502, ERROR, "garbage"),
    "bad-chunked": (502, ERROR, "garbage"),
    "bad-length_long": (502, ERROR, "truncated"),
    "bad-length_short": (502, ERROR, "garbage"),
    "bad-both_lengths": (502, ERROR, "garbage"),
    "bad-gzip": (502, ERROR, "garbage"),
    "status-403": (502, ERROR, "status"),
    "status-404": (502, ERROR, "status"),
    "status-500": (502, ERROR, "status"),
    "status-503": (502, ERROR, "status"),
    "status-529": (502, ERROR, "status"),
}
# The same before the first event of a stream.
UNBEGUN = {
    **{name: BUFFERED[name] for name in ("refused", "deaf", "hang-head", "hang-body", "reset-head", "reset-body")},
    **{name: BUFFERED[name] for name in ("cut-head", "bad-html", "bad-empty", "bad-http", "bad-huge_head")},
    **{name: BUFFERED[name] for name in ("bad-both_lengths", "bad-gzip", "status-403", "status-500", "status-529")},
    "cut-body": (502, TRUNCATED, "truncated"),
    "bad-length_short": (502, TRUNCATED, "missing_terminator"),
}
# After the first event: the code of the in-band error, what the attempt says.
BEGUN = {
    "hang-half": (TIMEOUT, "timeout.between_chunks"),
    "hang-end": (TIMEOUT, "timeout.between_chunks"),
    "endless": (TIMEOUT, "timeout.total"),
    "reset-half": (ERROR, "reset"),
    "cut-half": (TRUNCATED, "truncated"),
    "cut-end": (TRUNCATED, "truncated"),
    "error-half": (ERROR, "upstream_error"),
    "no-done": (TRUNCATED, "missing_terminator"),
    "no-finish": (TRUNCATED, "missing_terminator"),
    "bad-json": (ERROR, "garbage"),
    "bad-utf8": (ERROR, "garbage"),
    "bad-chunked": (ERROR, "garbage"),
}
ODD = ("gzip", "eof", "drop", "crlf", "comments", "bytewise")


def attempts(record: dict[str, object]) -> list[str]:
    return [attempt["outcome"] for attempt in record.get("attempts", [])]  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", BUFFERED)
def test_a_failure_of_a_buffered_call(gateway: Gateway, model: str) -> None:
    status, code, attempt = BUFFERED[model]
    reply = gateway.chat(model, TEXT)
    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["x-should-retry"] == "true"
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"], record["status"]) == ("failed", code, status)
    assert attempts(record) == [attempt]


@pytest.mark.parametrize("model", UNBEGUN)
def test_a_failure_before_a_stream_begins(gateway: Gateway, model: str) -> None:
    status, code, attempt = UNBEGUN[model]
    reply = gateway.stream(model, TEXT)
    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["content-type"] == "application/json"
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"], record["status"]) == ("failed", code, status)
    assert attempts(record) == [attempt]


@pytest.mark.parametrize("model", BEGUN)
def test_a_failure_in_the_middle_of_a_stream_is_told_in_it(gateway: Gateway, model: str) -> None:
    code, attempt = BEGUN[model]
    reply = gateway.stream(model, TEXT)
    assert reply.status == 200
    events = reply.events()
    assert error_of(events) == code
    assert said(events).startswith("You")
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"]) == ("failed", code)
    assert attempts(record) == [attempt]
    assert record["usage"]["output"] > 0, "what came is charged"


@pytest.mark.parametrize("model", ODD)
def test_odd_but_right_replies_are_passed_on(gateway: Gateway, model: str) -> None:
    reply = gateway.chat(model, TEXT)
    assert (reply.status, reply.text) == (200, f"You said: {TEXT}")
    events = gateway.stream(model, TEXT).events()
    assert said(events) == f"You said: {TEXT}"
    assert events[-1] == "data: [DONE]"
    assert gateway.outcome(reply.id)["outcome"] == "ok"


def test_a_stream_that_is_complete_may_end_badly(gateway: Gateway) -> None:
    """After [DONE] nothing counts any more, not even the announced length."""
    reply = gateway.stream("bad-length_long", TEXT)
    events = reply.events()
    assert events[-1] == "data: [DONE]"
    assert gateway.outcome(reply.id)["outcome"] == "ok"


@pytest.mark.parametrize("model", ["status-400", "status-413", "status-422"])
@pytest.mark.parametrize("stream", [False, True])
def test_what_the_provider_refuses_is_passed_on(gateway: Gateway, model: str, stream: bool) -> None:
    reply = gateway.chat(model, TEXT, stream=stream)
    assert f"status-{reply.status}" == model
    assert reply.json["error"]["message"] == "Invalid request."
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"], record["usage"]["cost"]) == ("failed", "provider_rejected", 0)
    assert attempts(record) == ["status"]


# ---- tries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_try_is_repeated(gateway: Gateway, provider: Simulator, stream: bool) -> None:
    provider.behave("", provider="cloud")  # its counters begin again
    reply = gateway.chat("third-time", TEXT, stream=stream)
    assert reply.status == 200
    assert TEXT in (said(reply.events()) if stream else reply.text)
    record = gateway.outcome(reply.id)
    assert attempts(record) == ["status", "status", "ok"]
    assert [attempt.get("status") for attempt in record["attempts"]] == [500, 500, 200]


def test_tries_come_to_an_end(gateway: Gateway) -> None:
    reply = gateway.chat("never", TEXT)
    assert (reply.status, reply.code) == (502, ERROR)
    assert attempts(gateway.outcome(reply.id)) == ["status"] * 3


def test_a_retry_after_is_waited_for(gateway: Gateway) -> None:
    began = time.monotonic()
    reply = gateway.chat("after-a-while", TEXT)
    assert reply.status == 200
    assert time.monotonic() - began >= 0.4
    assert attempts(gateway.outcome(reply.id)) == ["status", "ok"]


def test_a_long_retry_after_is_passed_on_instead(gateway: Gateway) -> None:
    began = time.monotonic()
    reply = gateway.chat("much-later", TEXT)
    assert reply.status in {502, 503}
    assert reply.headers["retry-after"] == "30"
    assert time.monotonic() - began < 10
    assert attempts(gateway.outcome(reply.id)) == ["status"]


def test_a_rate_limit_of_the_provider_is_told_as_one(gateway: Gateway) -> None:
    reply = gateway.chat("throttled", TEXT)
    assert (reply.status, reply.code) == (429, "upstream_rate_limited")
    assert reply.headers["retry-after"] == "7"
    again = gateway.chat("throttled", TEXT)
    assert again.status in {429, 503}, "its only key is set aside"
    assert int(again.headers["retry-after"]) <= 7
    assert attempts(gateway.outcome(again.id)) == []


@pytest.mark.parametrize("what", ["status", "refused", "reset", "garbage", "hung", "throttled"])
@pytest.mark.parametrize("stream", [False, True])
def test_another_target_makes_it_good(gateway: Gateway, what: str, stream: bool) -> None:
    reply = gateway.chat(f"spare-{what}", TEXT, stream=stream)
    assert reply.status == 200
    assert reply.headers["x-yett-provider"] == "spare"
    assert TEXT in (said(reply.events()) if stream else reply.text)
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["target"].partition("/")[0]) == ("ok", "spare")
    assert attempts(record)[-1] == "ok"
    assert record["attempts"][-1]["target"].startswith("spare/")
    if what != "throttled" or not stream:  # by then the throttled key is set aside, and that target is not asked
        assert len(attempts(record)) == 2


def test_what_the_provider_refuses_is_not_asked_elsewhere(gateway: Gateway) -> None:
    reply = gateway.chat("spare-rejected", TEXT)
    assert reply.status == 400
    assert attempts(gateway.outcome(reply.id)) == ["status"]


def test_nobody_else_is_asked_once_the_stream_has_begun(gateway: Gateway, provider: Simulator) -> None:
    reply = gateway.stream("spare-half", TEXT)
    events = reply.events()
    assert error_of(events) == ERROR
    record = gateway.outcome(reply.id)
    assert attempts(record) == ["reset"]
    assert not any("spare-8" in r.text and r.request.target.startswith("/spare/") for r in provider.requests)


def test_when_every_target_fails_the_last_word_counts(gateway: Gateway) -> None:
    reply = gateway.chat("spare-none", TEXT)
    assert (reply.status, reply.code) == (502, ERROR)
    record = gateway.outcome(reply.id)
    assert attempts(record) == ["status", "refused", "status"]
