"""Provider keys that are refused or throttled, targets that fail again and again: set aside, told, and tried again later."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from tests.scenes.conftest import HEAD, provider_toml
from tests.scenes.harness import Gateway, Target, models_toml, until

from yett.simulator.server import Simulator

KEYS = {f"POOL_{number}": f"sk-pool-000{number}" for number in (1, 2, 3)}


@pytest.fixture
def gateway(build: Callable[..., Gateway], provider: Simulator) -> Iterator[Gateway]:
    head = HEAD.replace("breaker_failures = 10000", 'breaker_failures = 2\nkey_cooldown = "1s"').replace(
        'cooldown = "200ms"', 'cooldown = "600ms"'
    )
    pool = provider_toml(provider, "pool").replace(
        'key = "env:PROVIDER_KEY"', 'keys = ["env:POOL_1", "env:POOL_2", "env:POOL_3"]'
    )
    models = {"pooled": (Target("pool", "pooled"),), "weak": (Target("cloud", "weak"),)}
    text = head + pool + provider_toml(provider, "cloud") + models_toml(models, {"pooled": "attempts = 3\n"})
    gateway = build(text, **KEYS).start()
    provider.reset()
    yield gateway
    gateway.hang_up()
    gateway.rests()
    provider.reset()
    assert not [key for key in KEYS.values() if key in gateway.log]


def bearers(provider: Simulator) -> Counter[str]:
    return Counter(received.bearer for received in provider.requests)


def available(gateway: Gateway, key: str) -> float:
    return gateway.counted("yett_provider_key_available", provider="pool", key=key)


def test_a_key_that_is_refused_is_set_aside(gateway: Gateway, provider: Simulator) -> None:
    provider.behave("status=401+fail.key=0001", provider="pool")
    reply = gateway.chat("pooled")
    assert reply.status == 200
    record = gateway.outcome(reply.id)
    tries = [(a["outcome"], a.get("status"), a["key"]) for a in record["attempts"]]
    assert tries == [("status", 401, "1/3"), ("ok", 200, "2/3")]
    assert available(gateway, "1/3") == 0
    for _ in range(8):
        assert len(gateway.outcome(gateway.chat("pooled").id)["attempts"]) == 1
    assert bearers(provider) == {"sk-pool-0001": 1, "sk-pool-0002": 5, "sk-pool-0003": 4}
    provider.behave("", provider="pool")  # somebody has put it right
    until(lambda: gateway.chat("pooled").status == 200 and available(gateway, "1/3"), what="another chance")
    assert all(gateway.chat("pooled").status == 200 for _ in range(3))
    assert bearers(provider)["sk-pool-0001"] > 1


def test_a_key_that_is_throttled_waits_as_long_as_it_is_told(gateway: Gateway, provider: Simulator) -> None:
    provider.behave("status=429+retry_after=1+fail.key=0002", provider="pool")
    assert all(gateway.chat("pooled").status == 200 for _ in range(6))
    assert bearers(provider)["sk-pool-0002"] == 1
    assert available(gateway, "2/3") == 0
    provider.behave("", provider="pool")
    until(lambda: available(gateway, "2/3") == 1, what="the end of its time")
    assert all(gateway.chat("pooled").status == 200 for _ in range(6))
    assert bearers(provider)["sk-pool-0002"] > 1


def test_when_no_key_is_left_the_provider_is_not_asked(gateway: Gateway, provider: Simulator) -> None:
    provider.behave("status=401", provider="pool")
    first = gateway.chat("pooled")
    assert (first.status, first.code) == (502, "upstream_error")
    assert [a["key"] for a in gateway.outcome(first.id)["attempts"]] == ["1/3", "2/3", "3/3"]
    then = gateway.chat("pooled")
    assert (then.status, then.code) == (503, "upstream_unavailable")
    assert int(then.headers["retry-after"]) >= 1
    assert "attempts" not in gateway.outcome(then.id)
    assert sum(bearers(provider).values()) == 3
    for reply in (first, then):
        assert not [key for key in KEYS.values() if key in reply.body.decode() or key in str(reply.headers)]


def test_keys_stay_on_their_side(gateway: Gateway, provider: Simulator) -> None:
    reply = gateway.chat("pooled", "whose keys are these")
    assert reply.status == 200
    received = provider.requests[-1]
    assert received.bearer in KEYS.values()
    assert "ytk_" not in received.text + str(received.headers)
    assert "sk-pool" not in reply.body.decode() + str(reply.headers)


def test_a_target_that_fails_again_and_again_is_left_alone_for_a_while(gateway: Gateway, provider: Simulator) -> None:
    provider.behave("status=500", provider="cloud")
    assert [gateway.chat("weak").status for _ in range(2)] == [502, 502]
    asked = len(provider.requests)
    began = time.monotonic()
    refused = gateway.chat("weak")
    assert (refused.status, refused.code) == (503, "upstream_unavailable")
    assert refused.headers["retry-after"] == "1"
    assert len(provider.requests) == asked or time.monotonic() - began > 0.5
    assert gateway.counted("yett_target_available", target="cloud/weak") == 0
    provider.behave("", provider="cloud")
    until(lambda: gateway.chat("weak").status == 200, what="the recovery")
    assert gateway.counted("yett_target_available", target="cloud/weak") == 1
    assert all(gateway.chat("weak").status == 200 for _ in range(5))
