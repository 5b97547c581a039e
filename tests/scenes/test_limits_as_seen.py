"""Limits as an application sees them through the official SDK: the exception, its code, and the headers that say when."""

from __future__ import annotations

import time

import openai
import pytest
from tests.scenes.harness import Gateway, arrived, error_of, request_body, said, until

from yett.model.key import Budget
from yett.simulator.server import Simulator

HELLO = [{"role": "user", "content": "Hello there"}]


def ask(gateway: Gateway, key: str, model: str = "plain", retries: int = 0, **fields: object) -> object:
    with openai.OpenAI(
        base_url=f"http://127.0.0.1:{gateway.port}/v1", api_key=key, max_retries=retries, timeout=20
    ) as client:
        return client.chat.completions.with_raw_response.create(model=model, messages=HELLO, **fields)


def refused(gateway: Gateway, key: str, model: str = "plain", **fields: object) -> openai.RateLimitError:
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gateway, key, model, **fields)
    record = gateway.outcome(caught.value.response.headers["x-yett-request-id"])
    assert (record["outcome"], record["code"]) == ("refused", caught.value.code)
    assert "hold" not in record
    return caught.value


def test_requests_per_minute(gateway: Gateway) -> None:
    key = gateway.new_key("seen-rpm", rpm=4, tpm=1_000_000)
    time.sleep(0.6)
    left = []
    for _ in range(4):
        headers = ask(gateway, key).headers  # type: ignore[attr-defined]
        assert headers["x-ratelimit-limit-requests"] == "4"
        assert headers["x-ratelimit-limit-tokens"] == "1000000"
        assert int(headers["x-ratelimit-remaining-tokens"]) < 1_000_000
        left.append(int(headers["x-ratelimit-remaining-requests"]))
    assert left == [3, 2, 1, 0]
    error = refused(gateway, key)
    headers = error.response.headers
    assert (error.code, error.type) == ("rate_limit_exceeded", "rate_limit_error")
    assert 10 <= int(headers["retry-after"]) <= 15, "one request every fifteen seconds"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert headers["x-ratelimit-reset-requests"].endswith("s")
    assert headers["x-should-retry"] == "true"


def test_an_sdk_that_waits_as_told_gets_in(gateway: Gateway) -> None:
    key = gateway.new_key("seen-waiting", rpm=40)
    time.sleep(0.6)
    took = 0.0
    for _ in range(3):  # what remains may be nearly one
        while ask(gateway, key).headers["x-ratelimit-remaining-requests"] != "0":  # type: ignore[attr-defined]
            pass
        began = time.monotonic()
        assert ask(gateway, key, retries=1).status_code == 200  # type: ignore[attr-defined]
        if (took := time.monotonic() - began) > 0.5:
            break
    assert took > 0.5
    codes = [record.get("code", "") for record in gateway.outcomes(name="seen-waiting")]
    assert codes[-2:] == ["rate_limit_exceeded", ""]


def test_tokens_per_minute(gateway: Gateway) -> None:
    key = gateway.new_key("seen-tpm", tpm=500)
    time.sleep(0.6)
    assert ask(gateway, key, max_tokens=400).status_code == 200  # type: ignore[attr-defined]
    assert refused(gateway, key, max_tokens=480).code == "rate_limit_exceeded"
    never = refused(gateway, key, max_tokens=4000)
    assert "never" in str(never)
    assert never.response.headers["x-should-retry"] == "false"


def test_a_budget(gateway: Gateway) -> None:
    key = gateway.fresh_key("seen-budget", budget=Budget(600, "day"))
    spent = 0
    with pytest.raises(openai.RateLimitError) as caught:  # noqa: PT012 - one of these calls is too much
        for _ in range(30):
            reply = ask(gateway, key, max_tokens=500, retries=2)
            spent += int(float(reply.headers["x-yett-cost-usd"]) * 1e6 + 0.5)  # type: ignore[attr-defined]
    error = caught.value
    assert (error.code, error.type) == ("budget_exceeded", "insufficient_quota")
    assert error.response.headers["x-should-retry"] == "false"
    assert "0.0006 USD per day" in str(error)
    account = gateway.account(f"key:{gateway.key_id('seen-budget')}")
    assert (account.spent_day, account.held) == (spent, 0)
    assert len([r for r in gateway.outcomes(name="seen-budget") if r.get("code")]) == 1, "the SDK does not try again"


def test_calls_in_flight(gateway: Gateway, provider: Simulator) -> None:
    key = gateway.fresh_key("seen-concurrency", concurrency=2)
    waiting = [gateway.send(request_body("late", f"in flight {number}"), key=key) for number in range(2)]
    for number in range(2):
        arrived(provider, f"in flight {number}")
    error = refused(gateway, key)
    assert (error.code, error.type) == ("concurrency_exceeded", "rate_limit_error")
    assert error.response.headers["retry-after"] == "1"
    for connection in waiting:
        assert connection.getresponse().read()
    until(lambda: gateway.account(f"key:{gateway.key_id('seen-concurrency')}", concurrency=2).inflight == 0)
    assert ask(gateway, key).status_code == 200  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", ["rambling", "outpouring"])
def test_an_answer_without_end_is_cut_where_the_budget_ends(gateway: Gateway, provider: Simulator, model: str) -> None:
    name, text = f"seen-cut-{model}", f"go on and on, {model}"
    key = gateway.fresh_key(name, budget=Budget(1500, "day"))
    reply = gateway.stream(model, text, key=key, max_tokens=500)
    events = reply.events()
    assert error_of(events) == "budget_exceeded"
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"]) == ("cut", "budget_exceeded")
    assert any("more was held than at first" in note for note in record["notes"])
    assert 1400 < gateway.account(f"key:{gateway.key_id(name)}").spent_day <= 1500 + 8
    assert len(said(events)) < 12_000, "of 40,000"
    if model == "rambling":  # the other has said all of it by then, in a few reads
        until(lambda: arrived(provider, text).outcome == "disconnected", what="the end of the upstream's connection")
