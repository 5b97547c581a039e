"""`--workers 2`: one gateway to its callers. Limits are exact, a revocation reaches every worker, and each one's end is mended."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.desk import Desk
from tests.scenes.harness import PROVIDER_KEY, Gateway, Reply, error_of, models_toml, request_body, until

from yett.model.key import Budget
from yett.simulator.server import Simulator

MODELS = {
    "plain": "",
    "slow": "latency.first_byte=2s",
    "brook": "chunks=150+latency.between_chunks=10ms",
    "river": "chunks=600+latency.between_chunks=50ms",  # lasts until somebody ends it
}


@pytest.fixture(scope="module")
def pair(provider: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    text = HEAD + provider_toml(provider, "cloud") + models_toml(simulated(MODELS))
    gateway = Gateway(tmp_path_factory.mktemp("workers"), text).start("--workers", "2")
    gateway.spread = 12
    yield gateway
    gateway.close()
    gateway.verified()


@pytest.fixture
def gateway(pair: Gateway) -> Iterator[Gateway]:
    yield pair
    pair.hang_up()
    pair.rests()


def crowd(gateway: Gateway, number: int, key: str, body: bytes) -> list[tuple[int, str]]:
    """Statuses and codes of as many calls at once, each on a connection of its own."""

    def ask(_: int) -> tuple[int, str]:
        reply = gateway.ask(body, key=key)
        return reply.status, reply.code

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(ask, range(number)))


def writers(gateway: Gateway, name: str) -> set[str]:
    return {record["w"] for record in gateway.outcomes(name=name)}


def pids(gateway: Gateway) -> list[int]:
    return [worker["pid"] for worker in gateway.readiness()[1].get("workers", [])]


def environ(pid: int) -> bytes:
    """What others could read of a process's environment; nothing where they may not."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        return b""


def test_no_worker_has_a_credential_in_its_environment_and_none_writes_a_core_file(gateway: Gateway) -> None:
    assert gateway.chat("plain").status == 200  # so that they have it all the same
    for pid in pids(gateway):
        assert PROVIDER_KEY.encode() not in environ(pid)
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        assert next(line for line in limits if "core file" in line).split()[4:6] == ["0", "0"]


def test_requests_per_minute_are_exact(gateway: Gateway) -> None:
    key = gateway.new_key("exact-rpm", rpm=20)
    until(lambda: gateway.listed(gateway.key) == 200)
    time.sleep(0.6)  # both workers know the key, and none of its requests is used up by asking
    began = time.monotonic()
    found = Counter(crowd(gateway, 60, key, request_body("plain")))
    refilled = (time.monotonic() - began) * 20 / 60
    assert 20 <= found[200, ""] <= 20 + refilled
    assert found[200, ""] + found[429, "rate_limit_exceeded"] == 60
    assert len(writers(gateway, "exact-rpm")) == 2, "both workers took part"


def test_a_budget_is_exact(gateway: Gateway) -> None:
    body = request_body("slow", max_tokens=100)
    worst = len(body) // 3 + 1 + 100  # tokens at a dollar per million
    key = gateway.fresh_key("exact-budget", budget=Budget(10 * worst, "month"))
    found = Counter(crowd(gateway, 30, key, body))
    assert found == {(200, ""): 10, (429, "budget_exceeded"): 20}
    records = gateway.outcomes(name="exact-budget", model="slow")
    account = gateway.account(f"key:{gateway.key_id('exact-budget')}")
    assert account.spent_month == sum(record["usage"]["cost"] for record in records)
    assert account.held == 0
    assert len(writers(gateway, "exact-budget")) == 2


def test_calls_in_flight_are_exact(gateway: Gateway) -> None:
    key = gateway.fresh_key("exact-concurrency", concurrency=7)
    found = Counter(crowd(gateway, 30, key, request_body("slow")))
    assert found == {(200, ""): 7, (429, "concurrency_exceeded"): 23}


def test_a_revocation_reaches_every_worker(gateway: Gateway) -> None:
    key = gateway.fresh_key("revoked-everywhere")
    streams = [gateway.stream("river", key=key) for _ in range(12)]
    assert len({stream.id[16:24] for stream in streams}) == 2, "both workers have some"
    gateway.revoke("revoked-everywhere")
    assert {error_of(stream.events()) for stream in streams} == {"revoked_key"}
    assert {gateway.listed(key) for _ in range(12)} == {401}


def test_a_fence_reaches_every_worker(gateway: Gateway) -> None:
    key = gateway.fresh_key("fenced-everywhere")
    streams = [gateway.stream("river", key=key) for _ in range(12)]
    gateway.yett("revoke", "key", "fenced-everywhere")
    drawn = time.monotonic()
    assert {error_of(stream.events()) for stream in streams} == {"fenced"}
    assert {gateway.listed(key) for _ in range(12)} == {403}
    assert time.monotonic() - drawn < 2.5, "the promise is one second, the machine may be busy"
    figures = gateway.metrics()
    assert figures["yett_fences"] == 1
    assert figures["yett_snapshot_epoch"] == 1
    assert figures["yett_ready"] == 2


def test_what_one_worker_knows_of_a_task_the_other_soon_does(gateway: Gateway) -> None:
    key = gateway.fresh_key("of-a-task")
    body = request_body("plain")
    first = [gateway.ask(body, key=key, x_yett_task="run-17") for _ in range(12)]
    assert len({reply.id[16:24] for reply in first}) == 2, "both workers have some"
    assert len({reply.headers["x-yett-task"] for reply in first}) == 1
    time.sleep(1.0)
    assert gateway.outcome(gateway.ask(body, key=key, x_yett_task="run-17").id)["step"] == 13


def test_metrics_are_those_of_all_workers(gateway: Gateway) -> None:
    before = gateway.counted("yett_calls_total", model="plain")
    for _ in range(25):
        assert gateway.chat("plain").status == 200
    assert gateway.counted("yett_calls_total", model="plain") == before + 25


def test_every_worker_knows_every_call(gateway: Gateway) -> None:
    reply = gateway.chat("plain")
    for _ in range(12):
        found = gateway.ask(b"", method="GET", path=f"/yett/v1/calls/{reply.id}")
        assert found.status == 200
        assert found.json["complete"]
        assert found.json["outcome"] == "ok"


def test_a_reload_reaches_every_worker(gateway: Gateway) -> None:
    original = (gateway.folder / "yett.toml").read_text()
    gateway.configure(original + models_toml(simulated({"another": ""})))
    gateway.signal(signal.SIGHUP)
    until(lambda: all(gateway.chat("another").status == 200 for _ in range(10)), what="the change everywhere")
    until(lambda: len({worker["digest"] for worker in gateway.readiness()[1]["workers"]}) == 1)


def test_a_worker_that_dies_is_replaced_and_its_calls_are_closed(gateway: Gateway) -> None:
    key = gateway.fresh_key("survivors", concurrency=12)
    streams = [gateway.stream("brook", key=key) for _ in range(12)]
    victim, other = pids(gateway)
    os.kill(victim, signal.SIGKILL)
    ended: dict[str, list[Reply]] = {"ok": [], "unknown": []}
    for stream in streams:
        try:
            assert stream.events()[-1] == "data: [DONE]"
            ended["ok"].append(stream)
        except (OSError, http.client.IncompleteRead):
            ended["unknown"].append(stream)
    assert ended["ok"], "the other worker's calls go on"
    assert ended["unknown"]
    until(lambda: gateway.readiness()[0] == 200 and victim not in pids(gateway), what="a new worker")
    assert other in pids(gateway)
    for outcome, those in ended.items():
        assert {gateway.outcome(stream.id)["outcome"] for stream in those} == {outcome}
    assert all(gateway.book(stream.id).intents for stream in streams)
    lost = gateway.ask(b"", method="GET", path=f"/yett/v1/calls/{ended['unknown'][0].id}", key=key)
    assert (lost.json["outcome"], lost.json["model"], lost.json["decision"]) == ("unknown", "brook", "allow")
    assert all(gateway.chat("plain", key=key).status == 200 for _ in range(12)), "nothing of the dead is in flight"
    gateway.verified()


def test_no_worker_survives_its_supervisor(build: Callable[..., Gateway], provider: Simulator) -> None:
    gateway = build(HEAD + provider_toml(provider, "cloud") + models_toml(simulated(MODELS)))
    gateway.start("--workers", "2", ready=False)
    until(lambda: "yett: gateway on " in gateway.log, what="the announcement")
    assert gateway.chat("plain").status == 200, "who waits for that line may call"
    workers = pids(gateway)
    stream = gateway.stream("brook")
    gateway.kill()
    assert stream.events()[-1] == "data: [DONE]", "they finish what they have begun"
    until(lambda: not any(alive(pid) for pid in workers), what="the end of the workers")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", gateway.port), 1)
    assert gateway.outcome(stream.id)["outcome"] == "ok"
    report = gateway.verified()
    assert not [note for note in report.notes if "unclosed" in note]
    gateway.start("--workers", "2")
    assert gateway.chat("plain").status == 200


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_somebody_changes_at_the_console_is_in_force_on_every_worker(gateway: Gateway) -> None:
    """Who comes in by the emergency's way issues a key, and fences it off while it is used."""
    desk = Desk(gateway)
    assert desk.ask("/api/v1/me")[0] == 401
    code = json.loads(gateway.yett("operators", "break-glass", "--reason", "the provider is away", "--json"))["code"]
    assert desk.ask("/console/break-glass", form={"code": code})[0] == 303
    me = desk.ask("/api/v1/me")[1]
    desk.csrf = me["csrf"]
    status, issued = desk.ask("/api/v1/keys", {"name": "of the console", "team": "research"})
    assert status == 200, issued
    key = issued["secret"]
    until(lambda: all(gateway.listed(key) == 200 for _ in range(12)), what="the new key")  # whichever worker is asked
    stream = gateway.stream("river", key=key)
    assert stream.event()
    status, fence = desk.ask("/api/v1/fences", {"kind": "key", "id": issued["key"]["id"], "reason": "an incident"})
    assert (status, fence["source"]) == (200, "console")
    assert error_of(stream.events()) == "fenced"
    status, shown = desk.ask("/api/v1/calls?outcome=cut&caller=of+the+console")
    assert [each["call"] for each in shown["calls"]] == [stream.id]
    assert desk.ask(f"/api/v1/calls/{stream.id}")[1]["records"][-1]["fence"] == f"{fence['fence']}#{fence['serial']}"
    assert len(desk.ask("/api/v1/overview")[1]["workers"]) == 2
    assert "break-glass" in str(until(lambda: gateway.readiness()[1]["degraded"], what="being shown"))
    assert gateway.counted("yett_operator_sessions", means="break-glass") == 1
    assert gateway.counted("yett_operator_sign_ins_total", outcome="ok") == 1
    assert desk.ask(f"/api/v1/sessions/{me['session']}/end", {})[0] == 200
    assert desk.ask("/api/v1/me")[1]["error"]["code"] == "session_over"
    by = [event["detail"].get("operator") for event in gateway.events("fence.draw")]  # None for the command line
    said = [operator["session"] for operator in by if operator]
    assert said == [me["session"]]
