"""SIGTERM with calls under way: they finish, or are cut when the time is over; either way with their records, and exit status 0."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections.abc import Callable

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, Reply, arrived, error_of, models_toml, request_body, until

from yett.simulator.server import Simulator
from yett.stores.keys import KeyStore

MODELS = {
    "plain": "",
    "brook": "chunks=100+latency.between_chunks=10ms",
    "river": "chunks=2000+latency.between_chunks=10ms",
    "late": "latency.first_byte=700ms",
    "asleep": "latency.first_byte=9s",
}


@pytest.fixture
def own(build: Callable[..., Gateway], provider: Simulator) -> Callable[..., Gateway]:
    def start(drain: str, *options: str) -> Gateway:
        text = HEAD.replace('drain_seconds = "5s"', f'drain_seconds = "{drain}"')
        gateway = build(text + provider_toml(provider, "cloud") + models_toml(simulated(MODELS)))
        return gateway.start(*options)

    return start


def listening(gateway: Gateway) -> bool:
    try:
        socket.create_connection(("127.0.0.1", gateway.port), 1).close()
    except OSError:
        return False
    return True


def closed_well(gateway: Gateway, seconds: float) -> None:
    began = time.monotonic()
    assert gateway.wait() == 0
    assert time.monotonic() - began < seconds
    report = gateway.verified()
    assert report.counts.get("orphan intents", 0) == 0
    assert not [note for note in report.notes if "unclosed" in note]
    assert gateway.ledger.figures().inflight == 0


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_calls_under_way_finish(own: Callable[..., Gateway], provider: Simulator, options: tuple[str, ...]) -> None:
    gateway = own("20s", *options)
    idle = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    idle.connect()
    stream = gateway.stream("brook", "still talking")
    late = gateway.send(request_body("late", f"still thinking {options}"))
    arrived(provider, f"still thinking {options}")
    gateway.signal(signal.SIGTERM)
    until(lambda: not listening(gateway), what="an end of listening")
    assert idle.sock.recv(1) == b"", "a connection that waits for nothing is closed"
    idle.close()
    if not options:  # supervised workers are stopped together with the port that says so
        assert gateway.readiness()[0] in {0, 503}
    events = stream.events()
    assert events[-1] == "data: [DONE]"
    reply = Reply(late)
    assert reply.status == 200
    assert reply.headers["connection"] == "close"
    assert reply.text
    closed_well(gateway, 12)
    assert gateway.outcome(stream.id)["outcome"] == gateway.outcome(reply.id)["outcome"] == "ok"
    assert len(gateway.events("stop")) == (2 if options else 1)
    with KeyStore.open(gateway.state) as store:
        assert store.find("main").last_used >= store.find("main").key.created


def test_a_connection_that_is_kept_takes_no_new_call_while_draining(own: Callable[..., Gateway]) -> None:
    gateway = own("20s")
    connection = gateway.send(request_body("brook", stream=True))
    reply = Reply(connection)
    reply.event()
    gateway.signal(signal.SIGTERM)
    while reply.event():
        pass
    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()
    closed_well(gateway, 12)


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_calls_that_take_too_long_are_cut(
    own: Callable[..., Gateway], provider: Simulator, options: tuple[str, ...]
) -> None:
    gateway = own("500ms", *options)
    stream = gateway.stream("river", f"talks and talks {options}")
    waiting = gateway.send(request_body("asleep", f"sleeps {options}"))
    arrived(provider, f"sleeps {options}")
    assert stream.event()
    gateway.signal(signal.SIGTERM)
    assert error_of(stream.events()) == "draining"
    reply = Reply(waiting)
    assert (reply.status, reply.code) == (503, "draining")
    closed_well(gateway, 12)
    for id in (stream.id, reply.id):
        record = gateway.outcome(id)
        assert (record["outcome"], record["code"], record["usage"]["estimated"]) == ("cut", "draining", True)


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_does_not_wait(
    own: Callable[..., Gateway], options: tuple[str, ...], second: signal.Signals
) -> None:
    gateway = own("60s", *options)
    stream = gateway.stream("river")
    assert stream.event()
    gateway.signal(signal.SIGTERM)
    until(lambda: not listening(gateway), what="an end of listening")
    gateway.signal(second)
    assert error_of(stream.events()) == "draining"
    closed_well(gateway, 15)
    assert gateway.outcome(stream.id)["outcome"] == "cut"


def test_workers_drain_for_as_long_as_is_in_force(own: Callable[..., Gateway]) -> None:
    gateway = own("0s", "--workers", "2")
    settings = gateway.folder / "yett.toml"
    settings.write_text(settings.read_text().replace('drain_seconds = "0s"', 'drain_seconds = "60s"'))
    gateway.signal(signal.SIGHUP)
    until(lambda: gateway.metrics()["yett_snapshot_epoch"] == 2, what="the longer drain")
    time.sleep(1.5)  # until the process above the workers has looked as well
    stream = gateway.stream("river")
    gateway.signal(signal.SIGTERM)
    time.sleep(5.5)  # when it would have killed what is still running
    gateway.signal(signal.SIGTERM)
    assert error_of(stream.events()) == "draining", "cut by the second signal, and told so"
    closed_well(gateway, 12)


def test_a_caller_that_reads_nothing_does_not_hold_up_the_end(own: Callable[..., Gateway]) -> None:
    gateway = own("300ms")
    stream = gateway.ask(request_body("river", stream=True), receive_buffer=4096)
    gateway.signal(signal.SIGTERM)
    closed_well(gateway, 12)
    assert gateway.outcome(stream.id)["outcome"] == "cut"


def test_an_end_right_after_the_beginning(build: Callable[..., Gateway], provider: Simulator) -> None:
    """Whenever it comes, the journal can be continued."""
    gateway = build(HEAD + provider_toml(provider, "cloud") + models_toml(simulated(MODELS)))
    for delay in (0.25, 0.35, 0.4, 0.45):
        gateway.start(ready=False)
        time.sleep(delay)
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() in {0, -signal.SIGTERM}
    gateway.start()
    assert gateway.chat("plain").status == 200
