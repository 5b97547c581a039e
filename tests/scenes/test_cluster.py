"""Two gateways that count in one store: what is spent at one is spent at the other, whatever becomes of them or of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, models_toml, until
from tests.servers import Valkey

from yett.simulator.server import Simulator

CONFIGURATION = """
[stores]
limits = "{url}"
deployment = "{deployment}"
timeout = "2s"
on_outage = "local_share"
replicas = 2

[limits]
lease_seconds = "1h"

[teams.poor]
limits = {{ budget = "0.009usd/month" }}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path, keep=True).start()
    yield server
    server.stop()


def test_two_gateways_spend_one_budget(build: Callable[..., Gateway], provider: Simulator, store: Valkey) -> None:
    text = HEAD + CONFIGURATION.format(url=store.url, deployment=uuid4().hex) + provider_toml(provider, "cloud")
    text += models_toml(simulated({"plain": "", "asleep": "latency.first_byte=8s"}))
    first, second = build(text), build(text)
    keys = [gateway.new_key("poor", team="poor") for gateway in (first, second)]
    first.start(ready=False)
    second.start(ready=False)
    first.await_ready()
    second.await_ready()

    # a call that one gateway has in flight holds the money that the other asks for
    first.send(b'{"model":"asleep","messages":[{"role":"user","content":"hi"}],"max_tokens":8000}', key=keys[0])
    refused = until(lambda: second.chat("plain", key=keys[1], max_tokens=8000).code, what="the refusal")
    assert refused == "budget_exceeded"
    assert second.chat("plain", key=keys[1], max_tokens=100).status == 200

    # killed with the call in flight, it charges on its return what it may have cost, although the lease is an hour
    first.kill()
    assert second.chat("plain", key=keys[1], max_tokens=8000).code == "budget_exceeded"
    first.start()
    reply = second.chat("plain", key=keys[1], max_tokens=8000)
    assert reply.code == "budget_exceeded"
    assert "used up" in reply.json["error"]["message"]
    assert first.metrics()["yett_expired_holds"] == 0, "it was resolved: no lease ran out"

    # without the store no budget is spent; what no budget holds goes on, and says so
    store.stop(hard=True)
    until(lambda: second.metrics()["yett_ledger_available"] == 0, what="the outage")
    assert second.chat("plain", key=keys[1]).code == "ledger_unavailable"
    reply = second.chat("plain")
    assert reply.status == 200
    assert second.outcome(reply.id)["notes"] == ["limits: the store is away: 1/2 of each rate, no budget"]
    status, seen = second.readiness()
    assert status == 200
    assert "rates are divided, budgets refuse" in str(seen)

    # it comes back, and knows what was spent
    store.start()
    until(lambda: second.metrics()["yett_ledger_available"] == 1, what="the recovery")
    assert second.chat("plain", key=keys[1], max_tokens=8000).code == "budget_exceeded"
    assert second.chat("plain", key=keys[1], max_tokens=10).status == 200
    assert (second.metrics()["yett_ledger_outages_total"], second.metrics()["yett_ledger_local_calls_total"]) == (1, 1)
