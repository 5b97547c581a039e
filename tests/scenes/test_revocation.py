"""A key that ends while its calls run: they end with it, within a second, and each caller is told why."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from tests.scenes.harness import Gateway, Reply, arrived, error_of, request_body, said, until

from yett.cli.system import SystemClock
from yett.model.key import Budget
from yett.simulator.server import Simulator

RICH = Budget(10**12, "month")
SOON = 2.5  # seconds: the promise is one, the machine may be busy


def cut(gateway: Gateway, reply: Reply, code: str) -> dict[str, Any]:
    """Read a stream to its end, which has to be this error; its record."""
    assert error_of(reply.events()) == code
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["code"], record["status"]) == ("cut", code, 401)
    return record


def test_a_revoked_key_loses_its_stream_within_a_second(gateway: Gateway, provider: Simulator) -> None:
    text = "goes on and on until the key is gone"
    key = gateway.fresh_key("revoked-midway", budget=RICH)
    id = gateway.key_id("revoked-midway")
    reply = gateway.stream("drip", text, key=key)
    assert said([reply.event() for _ in range(10)])
    gateway.yett("keys", "revoke", "revoked-midway")
    began = time.monotonic()
    record = cut(gateway, reply, "revoked_key")
    assert time.monotonic() - began < SOON
    usage = record["usage"]
    assert usage["estimated"]
    assert usage["output"] > 0
    account = gateway.account(f"key:{id}")
    assert (account.spent_month, account.inflight, account.held) == (usage["cost"], 0, 0)
    upstream = arrived(provider, text)
    until(lambda: upstream.outcome == "disconnected", what="an end of the provider's side")
    after = gateway.chat("plain", key=key)
    assert (after.status, after.code) == (401, "revoked_key")
    assert gateway.outcome(after.id)["outcome"] == "refused"


@pytest.mark.parametrize("stream", [False, True])
def test_a_revoked_key_waits_no_longer_for_its_reply(gateway: Gateway, provider: Simulator, stream: bool) -> None:
    name = f"revoked-waiting-{stream}"
    key = gateway.fresh_key(name)
    connection = gateway.send(request_body("asleep", name, stream=stream), key=key)
    arrived(provider, name)
    gateway.revoke(name)
    began = time.monotonic()
    reply = Reply(connection)
    assert (reply.status, reply.code) == (401, "revoked_key")
    assert time.monotonic() - began < SOON
    assert gateway.outcome(reply.id)["outcome"] == "cut"


def test_a_revoked_key_that_reads_nothing_is_cut_as_well(gateway: Gateway) -> None:
    key = gateway.fresh_key("revoked-deaf")
    reply = gateway.ask(request_body("flood", stream=True), key=key, receive_buffer=65_536)
    gateway.revoke("revoked-deaf")
    assert gateway.outcome(reply.id)["code"] == "revoked_key"


def test_all_streams_of_a_key_are_cut_and_nobody_elses(gateway: Gateway) -> None:
    key = gateway.fresh_key("revoked-many")
    own = [gateway.stream("drip", "among many", key=key) for _ in range(8)]
    other = gateway.stream("brook", "of another key")
    gateway.revoke("revoked-many")
    for reply in own:
        cut(gateway, reply, "revoked_key")
    events = other.events()
    assert events[-1] == "data: [DONE]"
    assert gateway.outcome(other.id)["outcome"] == "ok"


def test_a_key_that_expires_loses_its_stream(gateway: Gateway) -> None:
    key = gateway.fresh_key("expiring", expires=int(SystemClock.now()) + 2)
    reply = gateway.stream("drip", key=key)
    assert reply.status == 200
    cut(gateway, reply, "expired_key")
    assert gateway.listed(key) == 401


def test_a_rotated_key_works_on_during_the_overlap(gateway: Gateway) -> None:
    old = gateway.fresh_key("rotated")
    reply = gateway.stream("brook", key=old)
    new = gateway.rotate("rotated", 60)
    until(lambda: gateway.listed(new) == 200, what="the new key")
    assert gateway.listed(old) == 200
    assert reply.events()[-1] == "data: [DONE]"
    reply = gateway.stream("drip", key=new)
    gateway.rotate("rotated", 0)  # now the second one ends; the first keeps what it was promised
    cut(gateway, reply, "expired_key")
    assert gateway.listed(new) == 401


def test_a_fence_cuts_the_streams_of_a_tenant_until_it_is_lifted(gateway: Gateway) -> None:
    key = gateway.fresh_key("of-acme", tenant="acme")
    own = [gateway.stream("drip", key=key) for _ in range(3)]
    other = gateway.stream("brook", "of another tenant")
    gateway.yett("revoke", "tenant", "acme", "--reason", "an incident")
    began = time.monotonic()
    for reply in own:
        assert error_of(reply.events()) == "fenced"
        record = gateway.outcome(reply.id)
        assert (record["outcome"], record["code"], record["tenant"]) == ("cut", "fenced", "acme")
        assert record["fence"].startswith("tenant:acme#")
    assert time.monotonic() - began < SOON
    assert other.events()[-1] == "data: [DONE]"
    refused = gateway.chat("plain", key=key)
    assert (refused.status, refused.code) == (403, "fenced")
    assert b"incident" not in refused.body
    assert gateway.outcome(refused.id)["name"] == "of-acme"
    assert gateway.metrics()["yett_fences"] == 1
    gateway.yett("fences", "lift", "tenant:acme")
    until(lambda: gateway.listed(key) == 200, what="the key's return")


def test_whose_sessions_were_ended_is_good_again_with_a_new_secret(gateway: Gateway) -> None:
    key = gateway.fresh_key("signed-in")
    gateway.yett("revoke", "key", "signed-in", "--sessions")
    until(lambda: gateway.listed(key) == 401, what="the end of the session")
    assert gateway.chat("plain", key=key).code == "session_revoked"
    time.sleep(1.05)  # a secret of the same second may be older than the fence
    new = gateway.rotate("signed-in", 60)
    until(lambda: gateway.listed(new) == 200, what="the new secret")
    assert gateway.listed(key) == 401, "the old one is older, whatever overlap it was promised"


def test_revocations_during_a_storm_of_calls(gateway: Gateway) -> None:
    """Whatever a key's calls are doing when it ends, each has one outcome, and none is answered afterwards."""
    keys = [gateway.fresh_key(f"storm-{number}") for number in range(6)]
    before = len(gateway.outcomes())
    over = threading.Event()
    late: list[int] = []

    def call(key: str) -> None:
        while True:
            closing = over.is_set()
            reply = gateway.ask(request_body("plain"), key=key)
            assert reply.body
            if closing:
                late.append(reply.status)
                return

    threads = [threading.Thread(target=call, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for number in range(len(keys)):
        time.sleep(0.05)
        gateway.revoke(f"storm-{number}")
    time.sleep(0.6)
    over.set()
    for thread in threads:
        thread.join()
    assert late == [401] * len(keys)
    records = gateway.outcomes()[before:]
    assert len({record["call"] for record in records}) == len(records)
    assert {record["outcome"] for record in records} <= {"ok", "refused", "cut"}
