"""The ledger in Valkey: what it does when the store, the line or the caller goes away. Its arithmetic is in the contract."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.servers import Valkey, free_port

from yett.config.store_address import limits_address
from yett.errors import Refusal
from yett.model.key import Budget, Limits
from yett.ports import Hold, Scope
from yett.stores.redis_ledger import LedgerDown, RedisLedger
from yett.stores.redis_link import RedisLink, command

CAP = (Scope("team:t", Limits(budget=Budget(1000, "month"))),)


def ledger_at(url: str, deployment: str, **options: float) -> RedisLedger:
    return RedisLedger(RedisLink(limits_address(url), timeout=5.0), deployment, owner="me", **options)


async def until_up(ledger: RedisLedger) -> None:
    async with asyncio.timeout(10):
        while ledger.link.trouble:
            await asyncio.sleep(0.01)


@pytest_asyncio.fixture
async def ledger(valkey: Valkey) -> AsyncIterator[RedisLedger]:
    ledger = ledger_at(valkey.url, uuid4().hex)
    await ledger.start()
    yield ledger
    await ledger.close()


async def test_four_hundred_callers_never_overshoot_whatever_becomes_of_them(valkey: Valkey) -> None:
    deployment, chance = uuid4().hex, random.Random(4)
    replicas = [ledger_at(valkey.url, deployment, lease=0.4) for _ in range(4)]
    for replica in replicas:
        await replica.start()
    spent, most = [0], [0]

    async def call(number: int) -> None:
        replica = replicas[number % 4]
        hold = await replica.reserve(f"call{number}", CAP, 0, 30)
        most[0] = max(most[0], (account := await replica.account(CAP[0])).spent_month + account.held)
        if chance.random() < 0.2:
            return  # it dies, and never settles
        cost = chance.randrange(31)
        spent[0] += cost
        await replica.settle(hold, 0, cost)

    async def caller(number: int) -> None:
        try:
            async with asyncio.timeout(None if number % 3 else chance.random() * 0.02):
                await call(number)
        except (Refusal, TimeoutError):
            pass

    await asyncio.gather(*(caller(number) for number in range(400)))
    assert 0 < most[0] <= 1000
    await asyncio.sleep(0.45)
    await replicas[0].sweep()
    account, charged = await replicas[0].account(CAP[0]), await replicas[0].left()
    assert (account.inflight, account.held) == (0, 0)
    assert account.spent_month == spent[0] + sum(left.cost for left in charged) <= 1000
    for left in charged:  # what the journal of the dead would say
        assert await replicas[0].resolve(left.id, 0, 0)
    assert (await replicas[0].account(CAP[0])).spent_month == spent[0]
    for replica in replicas:
        await replica.close()


async def test_a_call_that_goes_away_while_it_asks_holds_nothing(ledger: RedisLedger) -> None:
    asking = asyncio.ensure_future(ledger.reserve("gone", CAP, 0, 600))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await ledger.reserve("next", CAP, 0, 600)


async def test_a_call_is_one_command(ledger: RedisLedger) -> None:
    async def asked() -> int:
        stats = await ledger.link.ask(command("INFO", "commandstats"))
        return int(stats.partition(b"cmdstat_evalsha:calls=")[2].partition(b",")[0])

    await ledger.reserve("first", CAP, 0, 1)
    before = await asked()
    for number in range(10):
        await ledger.settle(await ledger.reserve(f"call{number}", CAP, 0, 1), 0, 1)
    assert await asked() == before + 20


async def test_a_store_that_forgot_the_scripts_gets_them_again(ledger: RedisLedger) -> None:
    hold = await ledger.reserve("a", CAP, 0, 600)
    await ledger.link.ask(command("SCRIPT", "FLUSH"))
    await ledger.settle(hold, 0, 10)
    await ledger.reserve("b", CAP, 0, 900)
    await ledger.refresh()
    assert (await ledger.account(CAP[0])).spent_month == 10
    assert ledger.figures.pending == 0


async def test_what_was_settled_while_the_store_was_away_is_settled_when_it_is_back(tmp_path: Path) -> None:
    server = Valkey(tmp_path, keep=True).start()
    ledger = ledger_at(server.url, "d")
    await ledger.start()
    hold = await ledger.reserve("a", CAP, 0, 600)
    server.stop(hard=True)
    await asyncio.sleep(0.05)
    await ledger.settle(hold, 0, 10)
    with pytest.raises(LedgerDown) as refused:
        await ledger.reserve("b", CAP, 0, 1)
    assert refused.value.code == "ledger_unavailable"
    assert ledger.broken
    server.start()
    await until_up(ledger)
    assert (await ledger.account(CAP[0])).spent_month == 10
    assert ledger.link.outages == 1
    assert not ledger.broken
    await ledger.close()
    server.stop()


async def test_a_store_without_its_memory_is_not_taken_for_one_where_nothing_was_spent(tmp_path: Path) -> None:
    server = Valkey(tmp_path).start()
    ledger = ledger_at(server.url, "d")
    await ledger.start()
    hold = await ledger.reserve("a", CAP, 0, 600)
    await ledger.link.ask(command("FLUSHALL"))  # under its feet
    with pytest.raises(LedgerDown):
        await ledger.reserve("b", CAP, 0, 1)
    assert "lost its counters" in ledger.broken
    await ledger.settle(hold, 0, 10)
    server.stop()
    server.start()
    await asyncio.sleep(0.1)
    await until_up(ledger)
    with pytest.raises(LedgerDown):
        await ledger.reserve("c", CAP, 0, 1)
    other = ledger_at(server.url, "d")
    await other.start()  # one that knows of nothing begins a ledger, which is another one
    with pytest.raises(LedgerDown):
        await ledger.reserve("d", CAP, 0, 1)
    await other.close()
    await ledger.close()
    server.stop()


async def test_a_node_of_a_cluster_keeps_all_of_a_deployment(tmp_path: Path) -> None:
    server = Valkey(tmp_path, "--cluster-enabled", "yes", "--cluster-port", str(free_port())).start()
    ledger = ledger_at(server.url, "d")
    plain = RedisLink(limits_address(server.url))
    await plain.start()
    await plain.ask(command("CLUSTER", "ADDSLOTSRANGE", 0, 16383))
    async with asyncio.timeout(10):
        while b"cluster_state:ok" not in await plain.ask(command("CLUSTER", "INFO")):
            await asyncio.sleep(0.02)
    await ledger.start()
    await ledger.settle(await ledger.reserve("a", CAP, 0, 600), 0, 10)
    await ledger.reserve("b", CAP, 0, 990)
    await ledger.close()
    await plain.close()
    server.stop()


async def test_a_full_store_takes_nothing_more_and_lets_go(tmp_path: Path) -> None:
    server = Valkey(tmp_path).start()
    ledger = ledger_at(server.url, "d")
    await ledger.start()
    hold = await ledger.reserve("a", CAP, 0, 600)
    await ledger.link.ask(command("CONFIG", "SET", "maxmemory", 1))
    with pytest.raises(LedgerDown):
        await ledger.reserve("b", CAP, 0, 1)
    await ledger.settle(hold, 0, 10)
    assert (await ledger.account(CAP[0])).spent_month == 10
    await ledger.close()
    server.stop()


async def test_reservations_that_stand_are_listed(ledger: RedisLedger) -> None:
    await ledger.reserve("a", CAP, 7, 600)
    (left,) = await ledger.left()
    assert (left.id, left.owner, left.tokens, left.cost, left.scopes) == ("a", "me", 7, 600, ("team:t",))
    assert not left.abandoned


async def test_many_scopes_and_long_ids_are_refused(ledger: RedisLedger) -> None:
    for id, scopes in (("", CAP), ("x" * 65, CAP), ("a", CAP * 9)):
        with pytest.raises(ValueError, match="at most"):
            await ledger.reserve(id, scopes, 0, 0)


async def test_no_more_settlements_wait_than_there_is_room_for(
    ledger: RedisLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yett.stores.redis_ledger.MOST_PENDING", 2)
    ledger.link.leave("gone")
    for number in range(4):
        await ledger.settle(Hold(f"call{number}", CAP, 0, 0, 0.0, None), 0, 1)  # type: ignore[arg-type]
    await until_up(ledger)
    await ledger.refresh()
    assert (ledger.figures.pending, ledger.figures.dropped) == (0, 2)
