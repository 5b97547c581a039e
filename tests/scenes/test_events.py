"""An identity provider says that somebody's sessions are over: their streams end, their token is refused, a new one is good."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.issuing import Authority
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, error_of, models_toml, until

from yett.cli.system import SystemClock
from yett.identity.events import SESSION_REVOKED
from yett.simulator.server import Simulator

IDP = Authority("https://idp.example")
SETTINGS = """
[identity.issuers.okta]
issuer = "https://idp.example"
jwks_file = "keys.json"
audiences = ["yett"]
algorithms = ["Ed25519"]
team = "research"

[receivers.okta]
issuer = "https://idp.example"
jwks_file = "keys.json"
audiences = ["https://yett.example/events"]
algorithms = ["Ed25519"]
identity = "okta"
token = "env:EVENTS"
"""


def event(jti: str, **claims: Any) -> bytes:
    now = int(SystemClock.now())
    usual = {
        "iss": IDP.url,
        "aud": "https://yett.example/events",
        "iat": now,
        "jti": jti,
        "sub_id": {"format": "iss_sub", "iss": IDP.url, "sub": "ada"},
        "events": {SESSION_REVOKED: {"event_timestamp": now}},
    }
    return IDP.sign({**usual, **claims}, typ="secevent+jwt")


def push(
    gateway: Gateway, body: bytes, *, name: str = "okta", bearer: str = "agreed", kind: str = "application/secevent+jwt"
) -> tuple[int, str]:
    """Status, and the code of the error."""
    headers = {"content-type": kind, "authorization": f"Bearer {bearer}", "accept": "application/json"}
    url = f"http://127.0.0.1:{gateway.admin}/events/{name}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            text = error.read()
            return error.code, json.loads(text)["err"] if text else ""


def token() -> str:
    return IDP.token(SystemClock.now()).decode()


def test_sessions_end(build: Callable[..., Gateway], provider: Simulator) -> None:
    models = models_toml(simulated({"plain": "", "drip": "chunks=400+latency.between_chunks=10ms"}))
    gateway = build(HEAD + SETTINGS + provider_toml(provider, "cloud") + models, EVENTS="agreed")
    (gateway.folder / "keys.json").write_bytes(IDP.document())
    gateway.start()
    old = token()
    streams = [gateway.stream("drip", key=old) for _ in range(4)]
    assert {reply.status for reply in streams} == {200}
    assert push(gateway, event("e1")) == (202, "")
    for reply in streams:
        assert error_of(reply.events()) == "session_revoked"
        assert gateway.outcome(reply.id)["fence"] == "user:default/okta/ada#1"
    assert gateway.chat("plain", key=old).code == "session_revoked"
    assert push(gateway, event("e1")) == (202, ""), "a second time it is taken, and changes nothing"
    (drawn,) = gateway.events("fence.draw")
    assert (drawn["fence"], drawn["detail"]["source"], drawn["detail"]["jti"]) == (
        "user:default/okta/ada#1",
        "caep:okta",
        "e1",
    )
    time.sleep(1.05)  # a token of the same second may be older
    new = token()
    until(lambda: gateway.listed(new) == 200, what="the new session")
    assert gateway.listed(gateway.key) == 200, "nobody else's"
    refused = [
        push(gateway, event("e2"), bearer="guessed"),
        push(gateway, event("e2"), name="nobody"),
        push(gateway, event("e2"), kind="application/json"),
        push(gateway, b"x" * 40_000),
        push(gateway, b"nonsense"),
        push(gateway, event("e2")[:-5] + b"AAAAA"),
        push(gateway, event("e2", iss="https://evil.example")),
        push(gateway, event("e2", aud="https://else.example")),
        push(gateway, event("e2", sub_id={"format": "opaque"})),
    ]
    assert refused == [
        (401, "authentication_failed"),
        (404, ""),
        (415, ""),
        (413, ""),
        (400, "invalid_request"),
        (400, "invalid_key"),
        (400, "invalid_issuer"),
        (400, "invalid_audience"),
        (400, "invalid_request"),
    ]
    assert len(gateway.events("fence.draw")) == 1
    assert gateway.listed(new) == 200
