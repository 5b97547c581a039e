"""Many callers, several gateways, one budget, and everything goes wrong: callers leave, gateways are killed, both stores are
restarted. Nothing is overshot, nothing is held in the end, and ledger and journals say the same.

    python -m tests.storm --callers 400 --gateways 4 --seconds 60        (make cluster)
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from msgspec import Struct, field
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, models_toml, request_body, simulator_thread, until
from tests.servers import Postgres, Valkey

from yett.config.store_address import limits_address
from yett.errors import YettError
from yett.model.key import Limits
from yett.ports import Scope
from yett.stores.limits import Account
from yett.stores.redis_ledger import RedisLedger
from yett.stores.redis_link import RedisLink

CONFIGURATION = """
[stores]
state = "env:STATE"
pepper = "env:PEPPER"
limits = "{limits}"
deployment = "{deployment}"
timeout = "5s"

[limits]
lease_seconds = "4s"

[teams.poor]
limits = {{ budget = "{budget}usd/month" }}
"""
POOR = Scope("team:poor", Limits())
# What a caller may be told: an answer, that the money is gone, that limits cannot be counted, and what a shutdown or an overload is.
DEFINED = {"200", "budget_exceeded", "ledger_unavailable", "draining", "overloaded", "left", "no gateway"}
_CODE = re.compile(rb'"code": ?"([a-z_]+)"')


class Report(Struct):
    """`most` is the highest that spent and held came to, micro-USD; `answers` by code."""

    cap: int
    most: int = 0
    looks: int = 0
    killed: int = 0
    restarted: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    spent: int = 0
    seconds: float = 0.0


class Storm:
    """The gateways and their stores, between `up` and `down`."""

    def __init__(self, gateways: int, budget: str, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.deployment = uuid4().hex
        self.report = Report(int(float(budget) * 1_000_000))
        self._budget = budget
        self._count = gateways

    @contextlib.contextmanager
    def up(self) -> Iterator[Storm]:
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yett-storm-")))
            self.valkey = Valkey(folder, keep=True).start()
            stack.callback(self.valkey.stop)
            self.postgres = Postgres().start()
            stack.callback(self.postgres.close)
            provider = stack.enter_context(simulator_thread())
            text = HEAD + CONFIGURATION.format(limits=self.valkey.url, deployment=self.deployment, budget=self._budget)
            text += provider_toml(provider, "cloud")
            text += models_toml(
                simulated({"plain": "latency.first_byte=20ms", "drip": "chunks=20+latency.between_chunks=10ms"})
            )
            self.gateways = []
            for number in range(self._count):
                (place := folder / f"gateway-{number}").mkdir()
                self.gateways.append(Gateway(place, text, STATE=self.postgres.url, PEPPER="5a" * 32))
                stack.callback(self.gateways[-1].close)
            made = json.loads(self.gateways[0].yett("keys", "create", "--name", "all", "--team", "poor", "--json"))
            self.key = made["key"]
            self.gateways[0].start()  # it compiles the patterns for all of them
            for gateway in self.gateways[1:]:
                gateway.start(ready=False)
            for gateway in self.gateways:
                gateway.await_ready()
            yield self

    async def rage(self, callers: int, seconds: float) -> None:
        """Everybody calls until the time is over, while gateways are killed and stores restarted."""
        began = time.monotonic()
        over = asyncio.Event()
        watching = asyncio.ensure_future(self._watch(over))
        calling = [asyncio.ensure_future(self._caller(number, over)) for number in range(callers)]
        turn = 0
        while time.monotonic() - began < seconds:
            await asyncio.sleep(seconds / 8)
            await asyncio.to_thread(self._disturb, turn)
            turn += 1
        over.set()
        await asyncio.gather(*calling, watching)
        self.report.seconds = time.monotonic() - began

    def _disturb(self, turn: int) -> None:
        if turn % 4 == 1:
            self.valkey.stop(hard=True)
            time.sleep(0.3)
            self.valkey.start()
            self.report.restarted += 1
        elif turn % 4 == 3:
            self.postgres.stop()
            time.sleep(0.3)
            self.postgres.start()
            self.report.restarted += 1
        else:
            gateway = self.gateways[self.report.killed % len(self.gateways)]
            gateway.kill()
            gateway.start(ready=False)
            self.report.killed += 1

    async def _caller(self, number: int, over: asyncio.Event) -> None:
        while not over.is_set():
            answer = await self._call(self.chance.choice(self.gateways).port)
            self.report.answers[answer] += 1
            await asyncio.sleep(0.01 if answer == "200" else 0.1 + self.chance.random() * 0.2)

    async def _call(self, port: int) -> str:
        stream = self.chance.random() < 0.3
        body = request_body("drip" if stream else "plain", stream=stream, max_tokens=200)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.key}\r\nconnection: close\r\n"
        patience = self.chance.random() * 0.15 if self.chance.random() < 0.25 else 30.0
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return "no gateway"
        try:
            writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
            async with asyncio.timeout(patience):
                answer = await reader.read(-1)
        except TimeoutError:
            return "left" if patience < 1 else "hung"
        except OSError:
            return "no gateway"
        finally:
            writer.close()
        found = _CODE.search(answer)
        if found:
            return found[1].decode()
        return answer[9:12].decode() if answer else "no gateway"

    async def _watch(self, over: asyncio.Event) -> None:
        """Spent and held, as often as it can be seen."""
        ledger = await self._ledger()
        while not over.is_set():
            with contextlib.suppress(YettError):
                account = await ledger.account(POOR)
                self.report.most = max(self.report.most, account.spent_month + account.held)
                self.report.looks += 1
            await asyncio.sleep(0.01)
        await ledger.close()

    async def _ledger(self) -> RedisLedger:
        ledger = RedisLedger(RedisLink(limits_address(self.valkey.url), timeout=5.0), self.deployment)
        await ledger.start(patient=True)
        return ledger

    async def account(self) -> Account:
        ledger = await self._ledger()
        assert ledger.id == (self.gateways[-1].state / "ledger.id").read_text()
        account = await ledger.account(POOR)
        await ledger.close()
        return account

    def calm(self) -> None:
        """When the last lease is over: nothing is held, ledger and journals agree, and what is made anew says the same."""
        for gateway in self.gateways:
            if (
                gateway.process is None or gateway.process.poll() is not None
            ):  # it came back while its database was away
                gateway.start(ready=False)
        for gateway in self.gateways:
            gateway.await_ready()
        account = until(self._rested, 30, "the end of all leases")
        first, others = self.gateways[0], [word for each in self.gateways[1:] for word in ("--audit", str(each.audit))]
        assert "ledger and journal agree" in first.yett("ledger", "check", *others)
        for gateway in self.gateways:
            assert gateway.stop() == 0
        (first.state / "ledger.id").unlink()  # the database remembers it, too
        first.yett("ledger", "rebuild", "--force", *others)
        rebuilt = asyncio.run(self.account())
        spent = (account.spent_day, account.spent_week, account.spent_month)
        assert (rebuilt.spent_day, rebuilt.spent_week, rebuilt.spent_month) == spent
        assert (rebuilt.inflight, rebuilt.held) == (0, 0)
        for gateway in self.gateways:
            gateway.verified()
        report = self.report
        report.spent = account.spent_month
        assert 0 < report.spent <= report.cap
        assert report.most <= report.cap
        assert set(report.answers) <= DEFINED, report.answers
        assert report.answers["200"]

    def _rested(self) -> Account | None:
        account = asyncio.run(self.account())
        return account if account.inflight == account.held == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--callers", type=int, default=400)
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--budget", default="0.2", help="USD; small enough to be used up")
    options = parser.parse_args()
    with Storm(options.gateways, options.budget).up() as storm:
        asyncio.run(storm.rage(options.callers, options.seconds))
        storm.calm()
    report = storm.report
    print(
        f"{options.callers} callers, {options.gateways} gateways, {report.seconds:.0f} s: "
        f"{report.killed} gateways killed, {report.restarted} restarts of stores"
    )
    print(
        f"budget {report.cap} micro-USD: spent {report.spent}, at most {report.most} spent and held in {report.looks} looks"
    )
    print("answers: " + ", ".join(f"{code} {count}" for code, count in report.answers.most_common()))


if __name__ == "__main__":
    main()
