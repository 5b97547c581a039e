"""Changes of the configuration while calls run: good ones are taken up, bad ones are refused and told, nobody is disturbed."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from typing import BinaryIO

import pytest
from tests.certificates import Certifier, client
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import PERMIT, Gateway, models_toml, request_body, until

from yett.simulator.server import Simulator

MODELS = {"plain": "", "brook": "chunks=150+latency.between_chunks=10ms"}


@pytest.fixture(scope="module")
def text(provider: Simulator) -> str:
    return HEAD + provider_toml(provider, "cloud") + models_toml(simulated(MODELS))


@pytest.fixture(scope="module")
def changing(text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    yield (gateway := Gateway(tmp_path_factory.mktemp("reload"), text).start())
    gateway.close()
    gateway.verified()


@pytest.fixture(scope="module")
def original(changing: Gateway) -> str:
    return digest(changing)


@pytest.fixture
def gateway(changing: Gateway, text: str, original: str) -> Iterator[Gateway]:
    """As it was started, whatever the scene before has left."""
    changing.configure(text)
    (changing.folder / "policies" / "all.cedar").write_text(PERMIT)
    changing.signal(signal.SIGHUP)
    until(lambda: digest(changing) == original and current(changing), what="the original")
    yield changing
    changing.hang_up()
    changing.rests()


def current(gateway: Gateway) -> bool:
    return bool(gateway.readiness()[1]["configuration"] == "current")


def digest(gateway: Gateway) -> str:
    return str(gateway.readiness()[1]["workers"][0]["digest"])


def details(gateway: Gateway, token: str = "") -> bool:
    """Whether /readyz tells more than that."""
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.admin}/readyz")
    request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        return "workers" in json.load(answer)


def test_another_admin_token_is_asked_for_at_once(gateway: Gateway, text: str) -> None:
    token = gateway.folder / "token"
    token.write_text("the-first-token-of-this-port")
    gateway.configure(text.replace("[admin]", '[admin]\ntoken = "file:token"'))
    until(lambda: not details(gateway), what="a token")
    assert details(gateway, "the-first-token-of-this-port")
    token.write_text("the-second-token-of-this-port")
    until(lambda: details(gateway, "the-second-token-of-this-port"), what="another token")
    assert not details(gateway, "the-first-token-of-this-port")
    gateway.configure(text)
    until(lambda: details(gateway), what="a port that was opened without a token")


def test_limits_of_requests_hold_for_new_connections(gateway: Gateway, text: str, original: str) -> None:
    large = request_body("plain", "x" * 5000)
    assert gateway.ask(large).status == 200
    gateway.configure(text.replace("[gateway]", "[gateway]\nmax_body_bytes = 4096", 1))
    gateway.signal(signal.SIGHUP)
    until(lambda: digest(gateway) != original and current(gateway), what="the new configuration")
    gateway.hang_up()
    assert gateway.ask(large).code == "body_too_large"


def epoch(gateway: Gateway) -> float:
    return gateway.metrics()["yett_snapshot_epoch"]


def refusals(gateway: Gateway) -> float:
    return gateway.metrics()["yett_reload_failures"]


def test_a_good_change_is_taken_up_by_itself_and_at_once_on_a_signal(gateway: Gateway, text: str) -> None:
    before = epoch(gateway)
    assert gateway.chat("another").status == 404
    gateway.configure(text + models_toml(simulated({"another": ""})))
    until(lambda: gateway.chat("another").status == 200, what="the new model")
    assert epoch(gateway) == before + 1
    for number in range(3):
        gateway.configure(text + models_toml(simulated({f"third-{number}": ""})))
        gateway.signal(signal.SIGHUP)
        until(lambda name=f"third-{number}": gateway.chat(name).status == 200, 5, "the new model")
    assert gateway.chat("another").status == 404
    until(lambda: len(gateway.events("reload")) >= 4, what="the records of the reloads")
    digests = {event["detail"]["digest"] for event in gateway.events("reload")}
    assert digest(gateway) in digests
    served = gateway.outcomes(model="another", outcome="ok")
    assert served
    assert {record["snapshot"] for record in served} <= digests


BAD = {
    "a wrong value": ('write_timeout = "1s"', 'write_timeout = "soon"', "yett.toml:5:"),
    "an unknown provider": ('provider = "cloud", model = "plain"', 'provider = "clud", model = "plain"', "yett.toml:"),
    "half a file": ("[routing]", "[routing", "yett.toml:"),
    "a secret that is not there": ("env:PROVIDER_KEY", "env:NOT_THERE", "NOT_THERE"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_change_is_refused_and_told(gateway: Gateway, text: str, case: str) -> None:
    right, wrong, where = BAD[case]
    assert right in text
    before, number, told = epoch(gateway), refusals(gateway), len(gateway.events("reload.refused"))
    gateway.configure(text.replace(right, wrong))
    gateway.signal(signal.SIGHUP)
    until(lambda: refusals(gateway) == number + 1, what="the refusal")
    status, report = gateway.readiness()
    assert (status, report["configuration"]) == (200, "refused"), "the one before stays in force"
    assert where in report["workers"][0]["refused"]
    assert where in gateway.log
    assert gateway.chat("plain").status == 200
    assert epoch(gateway) == before
    until(lambda: len(gateway.events("reload.refused")) > told, what="the record of the refusal")
    assert where in gateway.events("reload.refused")[-1]["detail"]["mistakes"]
    gateway.configure(text + models_toml(simulated({"another": ""})))
    gateway.signal(signal.SIGHUP)
    until(lambda: gateway.chat("another").status == 200, what="the good one")
    assert current(gateway)


def test_policies_are_taken_up_and_refused_alike(gateway: Gateway) -> None:
    policies = gateway.folder / "policies" / "all.cedar"
    number = refusals(gateway)
    policies.write_text(PERMIT + '@id("no-more") forbid (principal, action, resource == Model::"plain"')
    gateway.signal(signal.SIGHUP)
    until(lambda: refusals(gateway) == number + 1, what="the refusal")
    assert "all.cedar:" in gateway.readiness()[1]["workers"][0]["refused"]
    assert gateway.chat("plain").status == 200
    forbid = '@id("no-more") forbid (principal, action == Action::"InvokeModel", resource) when { resource in Model::"plain" };'
    policies.write_text(PERMIT + forbid)
    gateway.signal(signal.SIGHUP)
    refused = until(lambda: (reply := gateway.chat("plain")).status == 403 and reply, what="the new policy")
    assert refused.code == "policy_denied"
    assert refused.headers["x-yett-policies"] == "no-more"
    record = gateway.outcome(refused.id)
    assert (record["outcome"], record["decision"], record["policies"]) == ("refused", "deny", ["no-more"])


def test_calls_under_way_keep_what_they_began_with(gateway: Gateway, text: str) -> None:
    stream = gateway.stream("brook")
    assert stream.event()
    before = digest(gateway)
    gateway.configure(text.replace('[models."brook"]', '[models."renamed"]'))
    gateway.signal(signal.SIGHUP)
    until(lambda: gateway.chat("brook").status == 404, what="the change")
    assert stream.events()[-1] == "data: [DONE]"
    record = gateway.outcome(stream.id)
    assert (record["outcome"], record["snapshot"]) == ("ok", before)
    assert record["usage"]["cost"] > 0, "also the prices are those of its beginning"


def test_changes_under_load_disturb_nobody(gateway: Gateway, text: str) -> None:
    """Reloads, good and bad, while calls run."""
    streams = [gateway.stream("brook") for _ in range(5)]
    for number in range(12):
        gateway.configure(text + ("oops" if number % 3 == 2 else models_toml(simulated({f"m-{number}": ""}))))
        gateway.signal(signal.SIGHUP)
        for _ in range(5):
            assert gateway.chat("plain").status == 200
            time.sleep(0.02)
    for stream in streams:
        assert stream.events()[-1] == "data: [DONE]"
    assert gateway.readiness()[0] == 200


TLS = '[gateway.tls]\ncertificate_file = "cert.pem"\nprivate_key = "file:key.pem"\n'
CLIENTS = """clients = "required"
[identity.client_cas.corp]
ca_file = "corp.pem"
clients = [{ name = "dns:*.jobs.example", team = "research" }]
"""


@contextlib.contextmanager
def line(gateway: Gateway, context: ssl.SSLContext, request: bytes) -> Iterator[BinaryIO]:
    """What comes back on a connection of its own."""
    with (
        socket.create_connection(("127.0.0.1", gateway.port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as encrypted,
        encrypted.makefile("rb") as reader,
    ):
        encrypted.sendall(request)
        yield reader


def certified(gateway: Gateway, by: Certifier) -> None:
    pair = by.host("localhost")
    (gateway.folder / "cert.pem").write_bytes(pair.pem)
    (gateway.folder / "key.pem").write_bytes(pair.key_pem)


def first_line(gateway: Gateway, context: ssl.SSLContext) -> bytes:
    try:
        with line(gateway, context, b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n") as reader:
            return reader.readline()
    except (ssl.SSLError, ConnectionError):
        return b""


def test_tls_and_a_renewed_certificate_are_taken_up(gateway: Gateway, text: str) -> None:
    first, second = Certifier("first"), Certifier("second")
    certified(gateway, first)
    gateway.configure(text + TLS)
    until(lambda: b" 401 " in first_line(gateway, client(first)), what="TLS")
    certified(gateway, second)
    until(lambda: b" 401 " in first_line(gateway, client(second)), what="the renewed certificate")
    assert first_line(gateway, client(first)) == b""


def test_a_fence_cuts_the_stream_of_a_certificate(gateway: Gateway, text: str) -> None:
    here, corp = Certifier("here"), Certifier("corp")
    (gateway.folder / "corp.pem").write_bytes(corp.pem)
    certified(gateway, here)
    gateway.configure(text + TLS + CLIENTS)
    own = client(here, corp.host("one.jobs.example"))
    until(lambda: b" 200 " in first_line(gateway, own), what="a caller's certificate")
    assert first_line(gateway, client(here)) == b""
    body = request_body("brook", stream=True)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    with line(gateway, own, head.encode() + body) as reader:
        while not reader.readline().startswith(b"data: "):
            pass
        gateway.yett("revoke", "service", "corp/dns:one.jobs.example")
        rest = reader.read()
    assert b'"fenced"' in rest
    assert b"[DONE]" not in rest
    assert b" 403 " in first_line(gateway, own)
    assert b" 200 " in first_line(gateway, client(here, corp.host("two.jobs.example")))
