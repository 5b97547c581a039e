"""`kill -9` under load, twenty times on one state directory: nothing that was acknowledged is lost, nothing is held for ever."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, models_toml, request_body, simulator_thread, until

from yett.model.key import Budget
from yett.simulator.server import Simulator
from yett.stores.journal_reader import entries

ROUNDS = 20
CALLERS = 6
WORST = 4096 + 200  # tokens, and so micro-USD, that one of these calls may cost
RAMBLING = "overrun+size=40k+pieces=24+latency.between_chunks=100ms"
SMALL = 'segment_bytes = "64KiB"\ncheckpoint_records = 40'
RICH, POOR = Budget(10**9, "month"), Budget(40_000, "month")


class Crowd:
    """Callers who send one call after the other while `going`, whatever becomes of them. `answered` are the ids of the calls
    whose reply was complete."""

    def __init__(self, gateway: Gateway, keys: list[str]) -> None:
        self.answered: list[str] = []
        self.statuses: set[int] = set()
        self._gateway = gateway
        self._keys = keys
        self._going = threading.Event()
        self._over = False
        self._threads = [threading.Thread(target=self._call, args=(number,)) for number in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    @contextmanager
    def going(self) -> Iterator[None]:
        self._going.set()
        yield
        self._going.clear()

    def await_answer(self) -> None:
        before = len(self.answered)
        until(lambda: len(self.answered) > before, what="an answer")

    def end(self) -> None:
        self._over = True
        self._going.set()
        for thread in self._threads:
            thread.join()

    def _call(self, number: int) -> None:
        key, stream = self._keys[number % len(self._keys)], number % 3 == 0
        body = request_body("slow" if number % 4 == 3 else "plain", f"caller {number}", stream=stream)
        headers = {"authorization": f"Bearer {key}"}
        connection = http.client.HTTPConnection("127.0.0.1", self._gateway.port, timeout=10)
        while self._going.wait() and not self._over:
            try:
                connection.request("POST", "/v1/chat/completions", body, headers)
                reply = connection.getresponse()
                text = reply.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                time.sleep(0.01)
                continue
            self.statuses.add(reply.status)
            if reply.status == 200 and (not stream or b"data: [DONE]" in text):
                self.answered.append(reply.headers["x-yett-request-id"])
        connection.close()


def test_twenty_crashes_under_load(build: Callable[..., Gateway]) -> None:
    with simulator_thread() as simulator:
        models = simulated({"plain": "", "slow": "latency.first_byte=60ms"})
        text = HEAD + provider_toml(simulator, "cloud") + models_toml(models)
        gateway = build(text)
        keys = {"rich": gateway.new_key("rich", budget=RICH, concurrency=50)}
        keys["poor"] = gateway.new_key("poor", budget=POOR, concurrency=50)
        crowd = Crowd(gateway, list(keys.values()))
        dice = random.Random(7)
        try:
            for number in range(ROUNDS):
                durability = "power" if number % 5 == 4 else "crash"
                content = "full" if number % 2 else "digest"
                gateway.configure(
                    text.replace("[audit]", f'[audit]\n{SMALL}\ndurability = "{durability}"\ncontent = "{content}"')
                )
                gateway.start()
                rested(gateway)
                with crowd.going():
                    crowd.await_answer()
                    time.sleep(dice.uniform(0.05, 0.3))
                    gateway.kill()
                gateway.verified()
        finally:
            crowd.end()
        gateway.start()
        rested(gateway)
        assert gateway.stop() == 0
        audited(gateway, crowd, simulator.service.recording.total)


def rested(gateway: Gateway) -> None:
    """After a restart nothing is in flight any more, and what is held or spent is within bounds."""
    assert gateway.ledger.figures().inflight == gateway.ledger.figures().unresolved == 0
    for name, budget in (("rich", RICH), ("poor", POOR)):
        account = gateway.account(f"key:{gateway.key_id(name)}")
        assert (account.inflight, account.held) == (0, 0)
        assert 0 <= account.spent_month <= budget.amount


def audited(gateway: Gateway, crowd: Crowd, sent: int) -> None:
    intents: dict[str, dict[str, object]] = {}
    outcomes: dict[str, dict[str, object]] = {}
    for entry in entries(gateway.audit):
        record = json.loads(entry.raw)
        if record["kind"] == "intent":
            assert intents.setdefault(record["call"], record) is record, "two intents of one call"
        elif record["kind"] == "outcome":
            assert outcomes.setdefault(record["call"], record) is record, "two outcomes of one call"
    answered = set(crowd.answered)
    assert len(answered) == len(crowd.answered) > ROUNDS
    assert answered <= intents.keys()
    assert {outcomes[call]["outcome"] for call in answered} == {"ok"}
    assert intents.keys() <= outcomes.keys(), "an intent without an outcome"
    assert sent <= len(intents), "something left without an intent"
    unknown = {call for call, record in outcomes.items() if record["outcome"] == "unknown"}
    assert unknown
    assert unknown <= intents.keys() - answered
    assert len(gateway.events("recovery")) >= ROUNDS
    assert gateway.log.count("took over from processes that died") >= ROUNDS
    assert crowd.statuses <= {200, 429}
    for name in ("rich", "poor"):
        own = [record for record in outcomes.values() if record["name"] == name]
        known = sum(record["usage"]["cost"] for record in own if "usage" in record)  # type: ignore[index, misc]
        lost = sum(record["outcome"] == "unknown" for record in own)
        spent = gateway.account(f"key:{gateway.key_id(name)}").spent_month
        assert known <= spent <= known + lost * WORST, "crashed calls are charged, each at most its worst case"
    assert gateway.verified().counts.get("orphan intents", 0) == 0


def test_a_long_call_keeps_what_it_holds_and_a_dead_one_does_not(
    build: Callable[..., Gateway], provider: Simulator
) -> None:
    models = simulated({"plain": "", "long": "chunks=250+latency.between_chunks=10ms", "rambling": RAMBLING})
    text = HEAD + '[limits]\nlease_seconds = "600ms"\n' + provider_toml(provider, "cloud") + models_toml(models)
    gateway = build(text).start()
    key = gateway.fresh_key("one", concurrency=1)
    stream = gateway.stream("long", key=key)
    for _ in range(3):
        time.sleep(0.6)
        assert gateway.chat("plain", key=key).code == "concurrency_exceeded"
    assert stream.events()[-1] == "data: [DONE]"
    assert gateway.chat("plain", key=key).status == 200
    assert gateway.metrics()["yett_expired_holds"] == 0
    gateway.configure(text.replace("600ms", "1h"))
    assert gateway.stop() == 0
    gateway.start()
    rich = gateway.fresh_key("rich", budget=RICH)
    # one that holds more than its intent says, since its answer is longer than what was held for it
    rambling = gateway.stream("rambling", key=rich, max_tokens=100)
    until(lambda: gateway.events("hold.extend"), what="more that is held")
    stream = gateway.stream("long", key=key)
    gateway.kill()
    scope = f"key:{gateway.key_id('rich')}"
    live = gateway.account(scope).held
    assert "2 calls not over" in gateway.yett("ledger", "rebuild", "--force")
    gateway.replaced_ledger()
    rebuilt = gateway.account(scope).held
    assert rebuilt >= live > 1000, "what the dead call may have cost is not forgotten with the ledger"
    gateway.start()
    assert gateway.account(scope).spent_month == rebuilt
    rambling.close()
    assert gateway.chat("plain", key=key).status == 200, "the dead call's lease would have run for an hour"
    assert gateway.outcome(stream.id)["outcome"] == "unknown"
    assert gateway.metrics()["yett_expired_holds"] == 2
