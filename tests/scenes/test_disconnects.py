"""Callers who leave, at every stage of a call: the provider is let go, what was used is charged, the outcome is recorded once."""

from __future__ import annotations

import socket
import time

import pytest
from tests.scenes.harness import Gateway, arrived, request_body, said, until

from yett.model.key import Budget
from yett.simulator.server import Simulator

RICH = Budget(10**12, "month")  # a key without limits has no account


def left(simulator: Simulator, text: str) -> None:
    """Wait until the provider has seen that its client is gone."""
    received = arrived(simulator, text)
    until(lambda: received.outcome != "open", what="the end of the provider's side")
    assert received.outcome == "disconnected"


@pytest.mark.parametrize("how", ["close", "half-close"])
def test_a_caller_who_leaves_before_the_reply(gateway: Gateway, provider: Simulator, how: str) -> None:
    text = f"leaves before the reply, {how}"
    name = f"early-{how}"
    key = gateway.fresh_key(name, budget=RICH)
    before = len(gateway.outcomes())
    connection = gateway.send(request_body("late", text), key=key)
    arrived(provider, text)
    if how == "half-close":
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_WR)
    else:
        connection.close()
    left(provider, text)
    connection.close()
    until(lambda: len(gateway.outcomes()) > before, what="an outcome")
    (record,) = gateway.outcomes()[before:]
    assert (record["outcome"], record["model"]) == ("disconnected", "late")
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cancelled"]
    assert record["usage"]["estimated"]
    assert record["usage"]["input"] > 0
    assert gateway.account(f"key:{gateway.key_id(name)}").spent_month == record["usage"]["cost"] > 0
    assert gateway.outcome(record["call"]) == record


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_caller_who_leaves_during_a_stream(gateway: Gateway, provider: Simulator, how: str) -> None:
    text = f"leaves during the stream, {how} " + "and takes a lot of words with her " * 30
    name = f"midway-{how}"
    key = gateway.fresh_key(name, budget=RICH)
    reply = gateway.stream("drip", text, key=key)
    words = said([reply.event() for _ in range(40)])
    getattr(reply, how)()
    left(provider, text)
    record = gateway.outcome(reply.id)
    assert record["outcome"] == "disconnected"
    assert [attempt["outcome"] for attempt in record["attempts"]] == ["cancelled"]
    usage = record["usage"]
    assert usage["estimated"]
    assert len(words) // 4 <= usage["output"] <= len(text), "what came is charged, not what would have come"
    account = gateway.account(f"key:{gateway.key_id(name)}")
    assert (account.spent_month, account.held, account.inflight) == (usage["cost"], 0, 0)


def test_a_caller_who_leaves_right_after_the_last_byte(gateway: Gateway, provider: Simulator) -> None:
    reply = gateway.chat("plain", "leaves after the last byte")
    while reply.piece(65_536):
        pass
    reply.reset()
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["status"], record["usage"]["estimated"]) == ("ok", 200, False)
    assert arrived(provider, "leaves after the last byte").outcome == "answered"


def test_a_caller_who_leaves_with_the_done_of_a_stream(gateway: Gateway, provider: Simulator) -> None:
    reply = gateway.stream("plain", "leaves with the done")
    while reply.event() != "data: [DONE]":
        pass
    reply.reset()
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["usage"]["estimated"]) == ("ok", False)
    assert arrived(provider, "leaves with the done").outcome == "answered"


def test_many_who_leave_at_any_moment_leave_nothing_behind(gateway: Gateway, provider: Simulator) -> None:
    before = len(gateway.outcomes())
    replies = 0
    for number in range(40):
        model = ("drip", "plain", "late")[number % 3]
        connection = gateway.send(request_body(model, "comes and goes", stream=number % 2 == 0))
        time.sleep(number / 4000)
        connection.close()
        replies += 1
    until(lambda: gateway.metrics()["yett_calls_in_flight"] == 0)
    gateway.rests()
    records = gateway.outcomes()[before:]
    assert len({record["call"] for record in records}) == len(records), "no call has two outcomes"
    assert {record["outcome"] for record in records} <= {"ok", "disconnected"}
    assert len(records) <= replies
    until(lambda: gateway.metrics()['yett_upstream_connections{state="waiting"}'] == 0)
