"""Values leave as tokens and come back in the answer: over real sockets, whole and streamed, in words and in tool calls, across
workers and restarts, and without a trace in the books."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, Target, arrived, encoded, models_toml, request_body, said, until

from yett.simulator.server import Simulator

MAIL, CARD, IBAN = "jane.roe@acme-corp.com", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
TOKEN = re.compile(r"[A-Z]{2,16}_[A-Z2-7]{8}")
POLICIES = """
@id("everything") permit (principal, action, resource);

@id("pii-to-external") @obligation("tokenize:pii, surrogate:pii.iban, redact:secret")
permit (principal, action == Action::"InvokeModel", resource) when { resource.provider.labels.contains("external") };

@id("cards-stay-away") @obligation("withhold:pii.card")
permit (principal, action == Action::"ReleaseReply", resource);

@id("mail-needs-addresses") @obligation("restore:pii.email@send_mail")
permit (principal, action == Action::"ReleaseReply", resource);
"""
MODELS = {**simulated({"plain": ""}), "house": (Target("house", "house"),)}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("send_mail", "post_online")
]


@pytest.fixture(scope="module")
def exchanging(provider: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("reversible")
    house = provider_toml(provider, "house", labels='["on-prem"]')
    head = HEAD.replace("[audit]", '[audit]\ncontent = "redacted"')
    gateway = Gateway(folder, head + provider_toml(provider, "cloud") + house + models_toml(MODELS), POLICIES).start()
    yield gateway
    gateway.close()
    gateway.verified()
    leaks = [path for path in folder.rglob("*") if path.is_file() and MAIL.encode() in path.read_bytes()]
    assert leaks == []


@pytest.fixture
def gateway(exchanging: Gateway, provider: Simulator) -> Iterator[Gateway]:
    yield exchanging
    provider.reset()
    exchanging.hang_up()
    exchanging.rests()


def words(reply: Any, stream: bool) -> str:
    return said(reply.events()) if stream else reply.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("pieces", [0, 1, 3, 7])
def test_the_provider_sees_tokens_only(gateway: Gateway, provider: Simulator, stream: bool, pieces: int) -> None:
    if pieces:
        provider.behave(f"pieces={pieces}", provider="cloud")
    mark = f"letter {stream} {pieces}"
    reply = gateway.chat("plain", f"{mark} to {MAIL}, iban {IBAN}, card {CARD}", stream=stream)
    received = arrived(provider, mark).text
    assert not [value for value in (MAIL, IBAN, CARD) if value in received]
    mail, card = TOKEN.findall(received)
    assert re.search(r"iban DE\d\d 0000 [0-9 ]{17}", received)
    told = words(reply, stream)
    assert f"{mark} to {MAIL}, iban {IBAN}, card {card}" in told
    assert mail not in told
    record = gateway.outcome(reply.id)
    done = {(found["where"], found["kind"]): found["action"] for found in record["findings"]}
    assert done["request", "pii.email"] == done["request", "pii.card"] == "tokenized"
    assert done["request", "pii.iban"] == "replaced"
    assert done["reply", "pii.email"] == done["reply", "pii.iban"] == "restored"
    assert ("reply", "pii.card") not in done


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("tool", ["send_mail", "post_online"])
def test_tool_calls_have_values_only_where_policy_says_so(
    gateway: Gateway, provider: Simulator, stream: bool, tool: str
) -> None:
    for pieces in (1, 4, 100):
        provider.behave(f"pieces={pieces}", provider="cloud")
        asked = f'Use {tool}({{"to": "{MAIL}", "card": "{CARD}"}}) please'
        reply = gateway.ask(request_body("plain", asked, tools=TOOLS, stream=stream))
        answer = "\n".join(reply.events()) if stream else reply.body.decode()
        parts = [json.loads(f'"{found}"') for found in re.findall(r'"arguments":"((?:[^"\\]|\\.)*)"', answer)]
        arguments = json.loads("".join(parts))
        mail, card = TOKEN.findall(arrived(provider, tool).text)
        assert arguments == {"to": MAIL if tool == "send_mail" else mail, "card": card}


def test_a_target_that_may_see_it_sees_it(gateway: Gateway, provider: Simulator) -> None:
    reply = gateway.chat("house", f"at home {MAIL}")
    assert MAIL in arrived(provider, "at home").text
    assert MAIL in reply.text


def test_a_token_that_somebody_writes_is_nobody_s_value(gateway: Gateway, provider: Simulator) -> None:
    gateway.chat("plain", f"first {MAIL}")
    (token,) = TOKEN.findall(arrived(provider, "first").text)
    reply = gateway.chat("plain", f"second {token}")
    assert token in reply.text
    assert MAIL not in reply.text
    both = gateway.chat("plain", f"third {token} {MAIL}")
    literal, again = TOKEN.findall(arrived(provider, "third").text)
    assert again == token
    assert literal.startswith("TEXT_")
    assert f"third {token} {MAIL}" in both.text


def test_after_a_kill_the_words_of_a_model_are_understood(gateway: Gateway, provider: Simulator) -> None:
    """What has left is kept by then, also when the process has no time for anything more."""
    gateway.chat("plain", f"before {MAIL}")
    (token,) = TOKEN.findall(arrived(provider, "before").text)
    gateway.kill()
    gateway.start()
    provider.behave(f"answer={encoded(f'It was {token}')}", provider="cloud")
    messages = [{"role": "assistant", "content": f"I wrote to {token}"}, {"role": "user", "content": "To whom?"}]
    reply = gateway.ask(json.dumps({"model": "plain", "messages": messages}).encode())
    assert reply.text == f"It was {MAIL}"


def test_a_vault_that_cannot_be_written_shows_and_calls_are_taken(gateway: Gateway, provider: Simulator) -> None:
    with contextlib.closing(sqlite3.connect(gateway.state / "vault.db", isolation_level=None)) as holding:
        holding.execute("BEGIN EXCLUSIVE")
        reply = gateway.chat("plain", "for somebody new: kim.lee@acme-corp.com")
        assert "kim.lee@acme-corp.com" in reply.text, "its own answer is put right"
        assert "vault: not kept" in gateway.outcome(reply.id)["notes"]
        status, body = gateway.readiness()
        assert (status, body["ready"]) == (200, True)
        assert ["vault.db" in what for what in body["degraded"]] == [True]
        assert gateway.counted("yett_vault_healthy") == len(body["workers"]) - 1
        assert gateway.counted("yett_vault_failures_total") > 0
        holding.execute("COMMIT")
    until(lambda: gateway.readiness()[1]["degraded"] == [], what="the recovery of the vault")
