"""Two gateways that share their stores: what is spent or revoked at one is at the other, whatever becomes of them or of those."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tests.contracts.conftest import new_database
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, Reply, arrived, encoded, error_of, models_toml, request_body, until
from tests.servers import Postgres, Valkey
from tests.storm import Storm

from yett.model.key import Budget
from yett.simulator.server import Simulator
from yett.stores.kek import fresh
from yett.stores.replicas import SAY_SECONDS

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


@pytest.fixture
def server() -> Iterator[Postgres]:
    server = Postgres().start()
    yield server
    server.close()


OUTPOURING = "overrun+size=40k+pieces=24+eof"  # more than it is told to, all of it at once


def test_two_gateways_spend_one_budget(build: Callable[..., Gateway], provider: Simulator, store: Valkey) -> None:
    text = HEAD + CONFIGURATION.format(url=store.url, deployment=uuid4().hex) + provider_toml(provider, "cloud")
    text += models_toml(simulated({"plain": "", "asleep": "latency.first_byte=8s", "outpouring": OUTPOURING}))
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

    # an answer that has come while the store is asked for more is cut where the budget ends, not where the read does
    greedy = second.new_key("greedy", budget=Budget(1500, "day"))
    until(lambda: second.listed(greedy) == 200, what="the key")
    reply = second.stream("outpouring", key=greedy, max_tokens=500)
    assert error_of(reply.events()) == "budget_exceeded"
    assert 1400 < second.outcome(reply.id)["usage"]["cost"] <= 1500 + 8

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
    # what the store says was spent is what the journals of both say, and what it is given anew when it has lost it
    both = ("--audit", str(second.audit))
    assert "ledger and journal agree" in first.yett("ledger", "check", *both)
    flush(store)
    assert second.chat("plain", key=keys[1], max_tokens=10).code == "ledger_unavailable"
    assert "lost its counters" in str(second.readiness())
    first.yett("ledger", "rebuild", *both)
    until(
        lambda: second.chat("plain", key=keys[1], max_tokens=8000).code == "budget_exceeded", what="the rebuilt ledger"
    )
    assert second.chat("plain", key=keys[1], max_tokens=10).status == 200
    assert "ledger and journal agree" in first.yett("ledger", "check", *both)
    assert (second.metrics()["yett_ledger_outages_total"], second.metrics()["yett_ledger_local_calls_total"]) == (1, 1)


def flush(store: Valkey) -> None:
    with socket.create_connection(("127.0.0.1", store.port)) as connection:
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(100) == b"+OK\r\n"


SHARED = """
[stores]
state = "env:STATE"
pepper = "env:PEPPER"
"""


def test_two_gateways_know_the_same_keys(build: Callable[..., Gateway], provider: Simulator, server: Postgres) -> None:
    text = HEAD + SHARED + provider_toml(provider, "cloud") + models_toml(simulated({"plain": ""}))
    first, second = (build(text, STATE=server.url, PEPPER="5a" * 32) for _ in range(2))
    first.start(ready=False)
    second.start()
    first.await_ready()

    # issued at one machine, good at the other; revoked, fenced off, and neither takes a second
    made = json.loads(first.yett("keys", "create", "--name", "app", "--team", "research", "--json"))
    key, began = made["key"], time.monotonic()
    until(lambda: second.listed(key) == 200, 1.0, "the key")
    second.yett("revoke", "team", "research")
    until(lambda: first.listed(key) != 200, 1.0, "the fence")
    second.yett("fences", "lift", json.loads(first.yett("fences", "list", "--json"))["fences"][0]["fence"])
    until(lambda: first.listed(key) == 200, 1.0, "its end")
    assert time.monotonic() - began < 60

    # calls ask the database nothing: what is in its log comes from looking for changes
    time.sleep(1.2)
    before, began = len(statements(server)), time.monotonic()
    for _ in range(60):
        assert second.chat("plain", key=key).status == 200
    asked = statements(server)[before:]
    assert all(line.startswith(("SELECT (SELECT version", "INSERT INTO replicas")) for line in asked), asked
    looks = (time.monotonic() - began) / 1.0 + 1
    assert len(asked) <= 2 * (looks + looks / SAY_SECONDS + 1), (
        "two gateways look each second, and say that they are there"
    )

    # without the database, what was read last is in force, and the operator is told
    server.stop()
    until(lambda: "what was read last is in force" in str(second.readiness()), what="the news")
    assert second.readiness()[0] == 200
    assert second.chat("plain", key=key).status == 200
    server.start()
    until(lambda: "what was read last" not in str(second.readiness()), what="the recovery")
    first.yett("keys", "revoke", "app")
    until(lambda: second.listed(key) == 401, 1.0, "the revocation")
    assert first.stop() == second.stop() == 0
    assert any(line.startswith("UPDATE virtual_keys SET last_used") for line in statements(server))


STAYS = """
@id("everything") permit (principal, action, resource);
@id("restricted-stays")
forbid (principal, action == Action::"InvokeModel", resource)
when { context has task && context.task.labels.contains("restricted") };
"""


def test_what_a_task_has_seen_at_one_gateway_binds_its_next_call_at_another(
    build: Callable[..., Gateway], provider: Simulator, server: Postgres
) -> None:
    text = HEAD + SHARED + provider_toml(provider, "cloud") + models_toml(simulated({"plain": ""}))
    first, second = (build(text, STAYS, STATE=server.url, PEPPER="5a" * 32) for _ in range(2))
    first.start()  # it compiles the patterns for all
    second.start()
    key = json.loads(first.yett("keys", "create", "--name", "app", "--team", "research", "--json"))["key"]
    until(lambda: first.listed(key) == second.listed(key) == 200, what="the key")

    def step(gateway: Gateway, task: str, labels: str = "") -> str:
        headers = {"x_yett_task": task} | ({"x_yett_labels": labels} if labels else {})
        reply = gateway.ask(request_body("plain"), key=key, **headers)
        return reply.code if reply.status != 200 else ""

    assert step(second, "run-1") == ""
    assert step(first, "run-1", "restricted") == ""
    until(lambda: step(second, "run-1") == "policy_denied", 1.0, "what the other has seen")
    assert step(second, "run-2") == "", "another task"

    # calls ask the database nothing: what is in its log comes from telling and hearing, four times a second
    time.sleep(0.5)
    before, began = len(statements(server)), time.monotonic()
    for number in range(60):
        assert step(second, f"run-{number}-of-many") == ""
    asked = statements(server)[before:]
    rounds = 4 * (time.monotonic() - began) + 1
    assert len([line for line in asked if "task_" in line]) <= 2 * 4 * rounds
    assert not [line for line in asked if "INSERT INTO task_parts" in line], "they have seen nothing worth telling"

    # without the database, what others have seen cannot be known: refused, and what is told later is not lost
    server.stop()
    until(lambda: step(second, "run-3", "restricted") == "tasks_unavailable", what="the refusal")
    assert "tasks are not shared" in str(second.readiness())
    server.start()
    until(lambda: step(second, "run-4") == "", what="the recovery")
    until(lambda: step(first, "run-3") == "policy_denied", what="what was seen meanwhile")

    # killed, and back: it has not forgotten, nor has the other
    second.kill()
    second.start()
    assert step(second, "run-1") == step(first, "run-1") == "policy_denied"
    assert first.stop() == second.stop() == 0


FIRST, SECOND = "sk-shared-first-0001", "sk-shared-second-0002"
SEALED = """
[credentials]
kek = "env:KEK"

[identity.tasks]
issuer = "https://yett.example"
"""


def test_two_gateways_share_what_is_sealed(
    build: Callable[..., Gateway], provider: Simulator, postgres: Postgres
) -> None:
    text = HEAD + SHARED + SEALED + provider_toml(provider, "cloud").replace("env:PROVIDER_KEY", "sealed:cloud")
    text += models_toml(simulated({"plain": ""}))
    old, new = fresh(), fresh()
    database = {"STATE": new_database(postgres), "PEPPER": "5a" * 32}
    first, second = (build(text, KEK=old, **database) for _ in range(2))

    def seal(gateway: Gateway, verb: str, value: str) -> None:
        gateway.yett("credentials", verb, "cloud", "--from", f"file:{put(gateway.folder / 'value', value)}")

    def used(gateway: Gateway, key: str, prompt: str) -> str:
        assert gateway.chat("plain", prompt, key=key).status == 200
        return arrived(provider, prompt).bearer

    # sealed at one machine, used at the other
    seal(first, "add", FIRST)
    first.start()  # it compiles the patterns for all
    second.start("--workers", "2")  # which are handed the variables that secrets are in
    key = json.loads(first.yett("keys", "create", "--name", "app", "--team", "research", "--json"))["key"]
    until(lambda: first.listed(key) == 200, what="the key")
    until(lambda: {second.listed(key) for _ in range(12)} == {200}, what="the key, at both workers")
    assert used(second, key, "scene: shared, one") == FIRST
    seal(second, "rotate", SECOND)
    until(lambda: used(first, key, f"scene: one, {time.monotonic()}") == SECOND, 20.0, "the rotated credential")
    until(lambda: used(second, key, f"scene: two, {time.monotonic()}") == SECOND, 20.0, "the rotated credential")

    # a task token of one is good at the other, and both publish the same keys
    token = second.exchange(key)
    assert first.listed(token) == 200
    assert first.published() == second.published() != b'{"keys":[]}'

    # nothing is put under a key that one of them lacks
    with pytest.raises(AssertionError, match=re.escape(f"could not open what is under it: {socket.gethostname()}/")):
        first.yett("credentials", "rewrap", KEK=f"{new},{old}")
    assert [gateway.stop() for gateway in (first, second)] == [0, 0]
    assert "1 under the newest" in first.yett("credentials", "rewrap", KEK=f"{new},{old}")
    database_of = asyncio.run(everything(database["STATE"]))
    assert [text for text in (FIRST, SECOND, old, new) if text in database_of] == []


def test_two_gateways_run_what_was_pushed(
    build: Callable[..., Gateway], provider: Simulator, postgres: Postgres
) -> None:
    own, shared = HEAD[: HEAD.index("[teams.research]")], HEAD[HEAD.index("[teams.research]") :]
    own += SHARED.replace("[stores]", '[stores]\nconfiguration = "shared"')
    shared += provider_toml(provider, "cloud").replace("PROVIDER_KEY", "{variable}")

    def push(*models: str, variable: str = "PROVIDER_KEY") -> None:
        text = shared.replace("{variable}", variable) + models_toml(simulated(dict.fromkeys(models, "")))
        put(first.folder / "shared/yett.toml", text)
        first.yett("config", "push")

    database = {"STATE": new_database(postgres), "PEPPER": "5a" * 32}
    first, second = (build(own, **database, ONLY_HERE="sk-1") for _ in range(2))
    del second.environment["ONLY_HERE"]
    (first.folder / "shared").mkdir()
    (first.folder / "policies").rename(first.folder / "shared/policies")
    push("plain")
    first.start()  # it compiles the patterns for all
    second.start("--workers", "2")
    key = json.loads(first.yett("keys", "create", "--name", "app", "--team", "research", "--json"))["key"]
    until(lambda: {second.listed(key) for _ in range(12)} == {200}, what="the key")
    assert second.chat("plain", key=key).status == 200

    # pushed at one machine, in force at both; what one of them cannot run, that one does not
    push("plain", "other")
    for gateway in (first, second):
        until(lambda: known(gateway, key, "other"), 20.0, "the second revision")  # noqa: B023 - it is called at once
    push("plain", variable="ONLY_HERE")
    until(lambda: not known(first, key, "other"), 20.0, "the third revision")
    until(lambda: second.readiness()[1]["configuration"] == "refused", 20.0, "its refusal")
    assert second.chat("other", key=key).status == 200, "the one before stays in force"
    assert (first.metrics()[REVISION], second.metrics()[REVISION]) == (3, 2)
    assert "the environment variable ONLY_HERE is not set" in first.yett("config", "history")
    first.yett("config", "rollback", "2")
    until(lambda: (first.metrics()[REVISION], second.metrics()[REVISION]) == (4, 4), 20.0, "the way back")
    until(lambda: second.readiness()[1]["configuration"] == "current", 20.0, "the word of its other worker")
    assert second.chat("other", key=key).status == 200
    assert [event["detail"]["revision"] for event in first.events("configuration.push")] == [1, 2, 3]


REVISION = "yett_configuration_revision"


def known(gateway: Gateway, key: str, model: str) -> bool:
    """Whether every worker has a model of this name."""
    return all(gateway.chat(model, key=key).status == 200 for _ in range(6))


def put(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


TOKENS = """
@id("everything") permit (principal, action, resource);

@id("away") @obligation("tokenize:pii") permit (principal, action == Action::"InvokeModel", resource);
"""
WRITTEN = ("INSERT INTO substitutes", "SELECT name, sealed, expires FROM substitutes")


def test_what_one_gateway_has_redacted_another_restores(
    build: Callable[..., Gateway], provider: Simulator, server: Postgres
) -> None:
    text = HEAD + SHARED + provider_toml(provider, "cloud")
    text += models_toml(simulated({"plain": "", "asleep": "latency.first_byte=8s"}))
    mails = [f"{name}@acme-corp.com" for name in ("jane.roe", "kim.lee", "lou.poe", "max.moe")]
    first, second = (build(text, TOKENS, STATE=server.url, PEPPER="5a" * 32) for _ in range(2))
    first.start(ready=False)
    second.start()
    first.await_ready()
    keys = [json.loads(first.yett("keys", "create", "--name", n, "--team", "research", "--json"))["key"] for n in "ab"]
    until(lambda: second.listed(keys[1]) == 200, 1.0, "the keys")

    def token(mark: str) -> str:
        return re.findall(r"EMAIL_[A-Z2-7]{8}", arrived(provider, mark).text)[0]

    def later(gateway: Gateway, *tokens: str, key: str = keys[0]) -> Reply:
        """A later turn: the model's words of an earlier one come back, and it says them again."""
        answer = encoded("It was " + " ".join(tokens))
        provider.behave(f"answer={answer}", provider="cloud")
        messages = [{"role": "assistant", "content": f"To {each}"} for each in tokens]
        messages.append({"role": "user", "content": "To whom?"})
        reply = gateway.ask(json.dumps({"model": "plain", "messages": messages}).encode(), key=key)
        provider.behave("", provider="cloud")
        return reply

    def asked() -> list[str]:
        return [line for line in statements(server) if line.startswith(WRITTEN)]

    # one is killed when its call has left, and no answer has come
    first.send(
        f'{{"model":"asleep","messages":[{{"role":"user","content":"first-letter {mails[0]}"}}]}}'.encode(), key=keys[0]
    )
    one = token("first-letter")
    first.kill()
    assert later(second, one).text == f"It was {mails[0]}"

    # what has been asked once is not asked again: no call but the first one of a task here waits for the database
    before = asked()
    assert [later(second, one).text for _ in range(3)] == [f"It was {mails[0]}"] * 3
    assert second.chat("plain", f"first-again {mails[0]}", key=keys[0]).text.endswith(mails[0])
    assert (asked(), token("first-again")) == (before, one)

    # it is nobody else's
    assert later(second, one, key=keys[1]).text == f"It was {one}"

    # without the database no call is lost, and each answer has its own values
    first.start()
    server.stop()
    reply = second.chat("plain", f"second-letter {mails[1]}", key=keys[0])
    assert reply.text.endswith(mails[1])
    assert "vault: not kept" in second.outcome(reply.id)["notes"]
    two = token("second-letter")
    assert later(second, one, "EMAIL_BCDFGHJ2").text == f"It was {mails[0]} EMAIL_BCDFGHJ2", "what was here before"
    reply = later(first, one)
    assert (reply.status, reply.text) == (200, f"It was {one}")
    assert "vault: not recalled" in first.outcome(reply.id)["notes"]
    assert (second.readiness()[0], second.metrics()["yett_vault_healthy"]) == (200, 0)

    # when it is back, what could not be kept is
    server.start()
    until(lambda: second.metrics()["yett_vault_healthy"] == 1, what="the recovery")
    until(lambda: first.metrics()["yett_vault_healthy"] == 1, what="the recovery of the other")
    assert later(first, one, two).text == f"It was {mails[0]} {mails[1]}"
    assert [mail for mail in mails if mail in asyncio.run(everything(server.url))] == []
    assert "vault.db" not in {path.name for path in (*first.state.iterdir(), *second.state.iterdir())}
    found = json.loads(first.yett("doctor", "--json"))["findings"]
    told = next(each["message"] for each in found if each["check"] == "vault")
    assert told.endswith("2 values (0 past their time), 0.0 MiB")


async def everything(url: str) -> str:
    """What is in a database, as text."""
    connection = await asyncpg.connect(url)
    tables = await connection.fetch("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    rows = [str(await connection.fetch(f'SELECT * FROM "{name}"')) for (name,) in tables]
    await connection.close()
    return "".join(rows)


def statements(server: Postgres) -> list[str]:
    found = re.findall(r"LOG:  (?:statement|execute [^:]*): (.*)", server.log)
    return [line for line in found if not line.startswith(("LISTEN", "UNLISTEN", "SET", "BEGIN", "COMMIT", "RESET"))]


def test_nothing_is_overshot_held_or_lost_when_everything_goes_wrong() -> None:
    """`make cluster` is the same with 400 callers and 4 gateways."""
    with Storm(gateways=2, budget="0.02").up() as storm:
        asyncio.run(storm.rage(callers=40, seconds=4.0))
        storm.calm()
    assert storm.report.killed
    assert storm.report.restarted
