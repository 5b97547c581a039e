"""Rates while the store of limits is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers import Valkey
from tests.stores.test_shared_ledger import Dial

from yett.config.store_address import Address, limits_address
from yett.errors import Refusal
from yett.model.key import Budget, Limits
from yett.ports import Scope
from yett.stores.local_share import LocalShare
from yett.stores.redis_ledger import RedisLedger
from yett.stores.redis_link import RedisLink
from yett.stores.shared_ledger import SharedLedger


@pytest.fixture
def local(tmp_path: Path) -> Iterator[SharedLedger]:
    ledger = SharedLedger(tmp_path / "local", Dial(), scopes=64, holds=64)
    yield ledger
    ledger.close()


def scopes(**limits: object) -> tuple[Scope, ...]:
    return (Scope("team:t", Limits(**limits)),)  # type: ignore[arg-type]


async def test_each_machine_goes_on_within_its_part(local: SharedLedger) -> None:
    share = LocalShare(RedisLedger(RedisLink(Address())), local, 4)
    wanted = scopes(rpm=8, concurrency=9)
    holds = [await share.reserve(f"call{number}", wanted, 10, 0) for number in range(2)]
    assert holds[0].standing.share == 4
    with pytest.raises(Refusal, match="2 requests per minute"):
        await share.reserve("third", wanted, 10, 0)
    assert await share.extend(holds[0])
    await share.settle(holds[0], 5, 0)
    assert local.account(Scope("team:t", Limits(rpm=2))).inflight == 1
    assert share.calls == 2


@pytest.mark.parametrize("limits", [{"budget": Budget(10**9, "month"), "rpm": 100}, {"rpm": 3}, {"concurrency": 1}])
async def test_budgets_refuse_and_so_does_what_cannot_be_divided(
    local: SharedLedger, limits: dict[str, object]
) -> None:
    share = LocalShare(RedisLedger(RedisLink(Address())), local, 4)
    wanted = scopes(**limits)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            await share.reserve("a", wanted, 0, 0)
        assert refused.value.code == "ledger_unavailable"
    assert local.figures().inflight == 0


async def test_what_a_task_may_do_at_once_is_divided_and_its_steps_are_not(local: SharedLedger) -> None:
    share = LocalShare(RedisLedger(RedisLink(Address())), local, 4)
    await share.reserve("a", (Scope("task:t/a", Limits(concurrency=4), 60),), 0, 0)
    with pytest.raises(Refusal) as refused:
        await share.reserve("b", (Scope("task:t/a", Limits(concurrency=4), 60),), 0, 0)
    assert refused.value.code == "task_fanout_exceeded"
    with pytest.raises(Refusal) as refused:
        await share.reserve("c", (Scope("task:t/a", Limits(), 60, 100),), 0, 0)
    assert refused.value.code == "ledger_unavailable"


async def test_with_the_store_there_nothing_is_divided(local: SharedLedger, valkey: Valkey, tmp_path: Path) -> None:
    store = RedisLedger(RedisLink(limits_address(valkey.url)), tmp_path.name)
    await store.start()
    share = LocalShare(store, local, 4)
    holds = [await share.reserve(f"call{number}", scopes(rpm=8), 0, 0) for number in range(8)]
    assert holds[0].standing.share == 1
    await share.settle(holds[0], 0, 0)
    assert await share.extend(holds[1])
    assert local.figures().inflight == 0
    await store.close()
