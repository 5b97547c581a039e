"""Callers who take their replies slowly, or not at all: memory stays bounded, and nobody's reply is spoilt."""

from __future__ import annotations

import http.client
import time

import pytest
from tests.scenes.harness import Gateway, arrived, request_body, resident, said, until

from yett.simulator.server import Simulator

MB = 1 << 20


def test_a_stream_waits_for_its_reader(gateway: Gateway, provider: Simulator) -> None:
    """24 MB that nobody reads for a second are neither lost nor held in memory."""
    assert gateway.process is not None
    text = "takes her time"
    quiet = resident(gateway.process.pid)
    reply = gateway.ask(request_body("flood", text, stream=True), receive_buffer=65_536)
    upstream = arrived(provider, text)
    pieces = [reply.event() for _ in range(3)]

    def stalled() -> bool:
        before = upstream.writes
        time.sleep(0.15)
        return upstream.writes == before

    until(stalled, what="a pause of the provider")
    time.sleep(0.3)
    assert stalled()
    assert upstream.outcome == "open"
    assert upstream.writes < 2500, "of the 3000 events most wait at the provider"
    assert resident(gateway.process.pid) - quiet < 30 * MB
    events = pieces + reply.events()
    assert events[-1] == "data: [DONE]"
    assert len(said(events)) == 24_000_000
    record = gateway.outcome(reply.id)
    assert (record["outcome"], record["finish"]) == ("ok", ["stop"])


def test_a_stream_that_nobody_reads_is_cut(gateway: Gateway, provider: Simulator) -> None:
    text = "never reads"
    reply = gateway.ask(request_body("flood", text, stream=True), receive_buffer=65_536)
    record = gateway.outcome(reply.id)
    assert record["outcome"] == "disconnected"
    upstream = arrived(provider, text)
    until(lambda: upstream.outcome == "disconnected")
    with pytest.raises((OSError, http.client.IncompleteRead)):
        reply.events()


@pytest.mark.parametrize("version", ["keep-alive", "close"])
def test_a_whole_reply_that_nobody_reads_is_dropped(gateway: Gateway, version: str) -> None:
    until(lambda: gateway.metrics()["yett_connections"] == 0)
    connection = gateway.send(request_body("page"), receive_buffer=65_536, connection=version)
    until(lambda: gateway.metrics()["yett_connections"] == 1)
    until(lambda: gateway.metrics()["yett_connections"] == 0, what="an end of the connection")
    connection.close()


@pytest.mark.parametrize(("version", "seconds"), [("keep-alive", 1.3), ("close", 2.3)])
def test_a_whole_reply_is_waited_for_as_long_as_it_is_being_read(
    gateway: Gateway, version: str, seconds: float
) -> None:
    """Longer than any of the time-outs, but never without a sign of life."""
    reply = gateway.ask(request_body("page"), receive_buffer=65_536, connection=version)
    size = 0
    began = time.monotonic()
    while piece := reply.piece(65_536):
        size += len(piece)
        time.sleep(max(0.0, began + seconds * size / 4_000_000 - time.monotonic()))
    assert size == int(reply.headers["content-length"]) > 4_000_000
    assert gateway.outcome(reply.id)["outcome"] == "ok"
    reply.close()


def test_pipelined_calls_wait_until_the_reply_before_is_read(gateway: Gateway, provider: Simulator) -> None:
    """Else a caller could fill our memory with replies it does not read."""
    marks = [f"pipelined {number}" for number in range(5)]
    connection = gateway.send(request_body("page", marks[0]), receive_buffer=65_536)
    raw = connection.sock
    assert raw is not None
    arrived(provider, marks[0])
    for mark in marks[1:]:
        body = request_body("page", mark)
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: yett\r\nauthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
            % (gateway.key.encode(), len(body), body)
        )
    time.sleep(0.6)
    assert not any(marks[2].encode() in received.body for received in provider.requests)
    raw.settimeout(10)
    total = 0
    while total < 5 * 4_000_000:
        total += len(raw.recv(1 << 20))
    arrived(provider, marks[4])
    connection.close()
