"""What may be in a text: secrets never pass, neither way, personal data stays in the house, restricted prompts as well; and in
observe mode nothing is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, Target, arrived, encoded, models_toml, request_body, said

from yett.simulator.server import Simulator

AWS = "AKIAQ3EGT4WX7LHPM5ZN"
GITHUB = "ghp_" + "9aB3kLm7Qx2ZtR5vYw8NcD4eFgH6jKpS1uTi"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "MIIEowIBAAKCAQEAx7Qd1kJ9fZpL2mNvB8tYhG5sR3wE6cUa\n" * 6
    + "-----END RSA PRIVATE KEY-----"
)
CARD, MAIL = "4111 1111 1111 1111", "jane.roe@acme-corp.com"
POLICIES = """
@id("everything") permit (principal, action, resource);

@id("secrets") @obligation("redact:secret")
permit (principal, action in [Action::"InvokeModel", Action::"ReleaseReply"], resource) unless {
  action == Action::"InvokeModel" && resource.provider.labels.contains("vault")
};

@id("pii-to-external") @obligation("redact:pii")
permit (principal, action == Action::"InvokeModel", resource) when {
  resource.provider.labels.contains("external") && context.findings.contains("pii")
};

@id("restricted") @obligation("route:on-prem") @advice("It is restricted.")
permit (principal, action == Action::"InvokeModel", resource) when { context.labels.contains("restricted") };
"""
MODELS = {
    **simulated({"plain": ""}),
    "either": (Target("cloud", "either"), Target("house", "either", 1)),
    "house": (Target("house", "house"),),
    "vault": (Target("vault", "vault"),),
}


def configuration(simulator: Simulator, mode: str) -> str:
    house = provider_toml(simulator, "house", labels='["on-prem"]')
    house += provider_toml(simulator, "vault", labels='["vault"]')
    more = dict.fromkeys(MODELS, "attempts = 3\n")
    return f'mode = "{mode}"\n' + HEAD + provider_toml(simulator, "cloud") + house + models_toml(MODELS, more)


@pytest.fixture(scope="module")
def enforcing(provider: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("content")
    gateway = Gateway(folder, configuration(provider, "enforce"), POLICIES).start()
    yield gateway
    gateway.close()
    gateway.verified()


@pytest.fixture
def gateway(enforcing: Gateway, provider: Simulator) -> Iterator[Gateway]:
    yield enforcing
    provider.reset()
    enforcing.hang_up()
    enforcing.rests()


# ---- on the way back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [AWS, GITHUB, PEM], ids=["aws", "github", "pem"])
@pytest.mark.parametrize("at", [0, 1, 3, 99])
def test_a_secret_in_a_stream_never_passes(gateway: Gateway, provider: Simulator, secret: str, at: int) -> None:
    """However it is cut: into deltas, and these into segments."""
    for pieces in (0, 1, 2, 3, 7, 16, 19):
        for frame in (0, 1, 50):
            if frame == 1 and (len(secret) > 100 or pieces not in {0, 3}):
                continue
            words = f"secret={encoded(secret)}+secret.at={at}+secret.pieces={pieces}+frame={frame}"
            provider.behave(
                "+".join(word for word in words.split("+") if not word.endswith("=0")) or "", provider="cloud"
            )
            reply = gateway.stream("plain", "one two three four")
            events = reply.events()
            assert events[-1] == "data: [DONE]", (pieces, frame)
            text = said(events)
            assert not leaked(secret, "\n".join(events), text), (pieces, frame)
            assert "one two three four"[:3] in text
            record = gateway.outcome(reply.id)
            assert [f["action"] for f in record["findings"] if f["where"] == "reply"] == ["redacted"]
            assert record["findings"][0]["kind"].startswith("secret.")


def leaked(secret: str, *texts: str) -> bool:
    """Whether any telling part of it is there."""
    parts = (
        [secret[start : start + 8] for start in range(4, len(secret) - 8)] if "BEGIN" not in secret else [secret[40:60]]
    )
    return any(part in text for part in parts for text in texts)


@pytest.mark.parametrize("secret", [AWS, GITHUB, PEM], ids=["aws", "github", "pem"])
def test_a_secret_in_a_whole_reply_never_passes(gateway: Gateway, provider: Simulator, secret: str) -> None:
    provider.behave(f"secret={encoded(secret)}+secret.at=2", provider="cloud")
    reply = gateway.chat("plain", "one two three four")
    assert reply.status == 200
    assert not leaked(secret, reply.body.decode(), reply.text)
    assert "one" in reply.text
    assert "secret." in reply.headers["x-yett-findings"]
    assert gateway.outcome(reply.id)["findings"][0]["action"] == "redacted"


@pytest.mark.parametrize("stream", [False, True])
def test_a_secret_in_a_tool_call_never_passes(gateway: Gateway, provider: Simulator, stream: bool) -> None:
    """Of a provider that is trusted with the secret, but not with giving it back."""
    tools = [{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}]
    for pieces in (1, 2, 5, 13, 100):
        provider.behave(f"pieces={pieces}", provider="vault")
        asked = f'Use run({{"command": "export KEY={AWS}; echo done"}}) please'
        reply = gateway.ask(request_body("vault", asked, tools=tools, stream=stream))
        answer = "\n".join(reply.events()) if stream else reply.body.decode()
        assert AWS in arrived(provider, "echo done").text
        assert "run" in answer
        assert not leaked(AWS, answer, "".join(arguments_in(answer))), pieces
        finding = gateway.outcome(reply.id)["findings"][-1]
        assert (finding["where"], finding["action"]) == ("reply", "redacted")


def arguments_in(answer: str) -> list[str]:
    return [json.loads(f'"{found}"') for found in re.findall(r'"arguments":"((?:[^"\\]|\\.)*)"', answer)]


# ---- on the way out -------------------------------------------------------------------------------------------------


def everything_received(provider: Simulator, mark: str) -> str:
    received = arrived(provider, mark)
    return received.text + json.dumps(received.headers) + json.dumps(json.loads(received.body), ensure_ascii=False)


@pytest.mark.parametrize("stream", [False, True])
def test_personal_data_stays_in_the_house(gateway: Gateway, provider: Simulator, stream: bool) -> None:
    text = f"a letter {stream}: my card is {CARD}, write to {MAIL}; the key is {AWS}"
    reply = gateway.chat("plain", text, stream=stream)
    assert reply.status == 200
    assert (said(reply.events()) if stream else reply.text).startswith("You said")
    seen = everything_received(provider, f"a letter {stream}")
    assert not [part for part in (CARD, MAIL, "jane", "4111", AWS) if part in seen]
    record = gateway.outcome(reply.id)
    assert {f["kind"]: f["action"] for f in record["findings"] if f["where"] == "request"} == {
        "pii.card": "redacted",
        "pii.email": "redacted",
        "secret.aws-access-key": "redacted",
    }
    inside = gateway.chat("house", text.replace("letter", "note"), stream=stream)
    assert inside.status == 200
    seen = arrived(provider, f"a note {stream}").text
    assert CARD in seen
    assert MAIL in seen
    assert AWS not in seen, "secrets never leave, not even there"


def test_it_does_not_matter_where_and_how_it_is_written(gateway: Gateway, provider: Simulator) -> None:
    mail = "".join(f"\\u{ord(c):04x}" for c in MAIL)
    places = {
        "escaped": f'{{"model":"plain","messages":[{{"role":"user","content":"escaped {mail}"}}]}}',
        "in parts": json.dumps(
            {
                "model": "plain",
                "messages": [{"role": "user", "content": [{"type": "text", "text": f"in parts {MAIL}"}]}],
            }
        ),
        "a system prompt": json.dumps(
            {
                "model": "plain",
                "messages": [
                    {"role": "system", "content": f"a system prompt {MAIL}"},
                    {"role": "user", "content": "x"},
                ],
            }
        ),
        "the name of a user": json.dumps(
            {"model": "plain", "user": MAIL, "messages": [{"role": "user", "content": "the name of a user"}]}
        ),
        "an unknown field": json.dumps(
            {
                "model": "plain",
                "messages": [{"role": "user", "content": "an unknown field"}],
                "x": {"y": [1, {"z": MAIL}]},
            }
        ),
        "a tool": json.dumps(
            {
                "model": "plain",
                "messages": [{"role": "user", "content": "a tool"}],
                "tools": [
                    {"type": "function", "function": {"name": "f", "description": f"mails {MAIL}", "parameters": {}}}
                ],
            }
        ),
    }
    for mark, body in places.items():
        reply = gateway.ask(body.encode())
        assert reply.status == 200, mark
        assert "jane" not in everything_received(provider, mark), mark
        assert gateway.outcome(reply.id)["findings"][0]["kind"] == "pii.email"


def test_what_cannot_be_redacted_is_refused(gateway: Gateway, provider: Simulator) -> None:
    before = len(provider.requests)
    body = json.dumps({"model": "plain", "messages": [{"role": "user", "content": "x"}], "metadata": {AWS: 1}})
    reply = gateway.ask(body.encode())
    assert (reply.status, reply.code) == (403, "content_blocked")
    assert AWS not in reply.body.decode()
    assert len(provider.requests) == before
    record = gateway.outcome(reply.id)
    assert record["outcome"] == "refused"
    assert not gateway.book(reply.id).intents


@pytest.mark.parametrize("stream", [False, True])
def test_a_restricted_prompt_goes_to_the_house_or_nowhere(gateway: Gateway, provider: Simulator, stream: bool) -> None:
    body = request_body("either", f"for our eyes {stream}", stream=stream)
    reply = gateway.ask(body, **{"x-yett-labels": "restricted"})
    assert reply.status == 200
    assert reply.headers["x-yett-provider"] == "house"
    assert arrived(provider, f"for our eyes {stream}").request.target.startswith("/house/")
    provider.behave("status=500", provider="house")
    reply = gateway.ask(
        request_body("either", f"still ours {stream}", stream=stream), **{"x-yett-labels": "restricted"}
    )
    assert (reply.status, reply.code) == (502, "upstream_error")
    assert {a["target"] for a in gateway.outcome(reply.id)["attempts"]} == {"house/either"}
    assert not any("still ours" in r.text and r.request.target.startswith("/cloud/") for r in provider.requests)
    reply = gateway.ask(request_body("plain", "nowhere to go"), **{"x-yett-labels": "restricted"})
    assert (reply.status, reply.code) == (403, "content_blocked")
    assert reply.json["error"]["message"] == "It is restricted."


# ---- observe --------------------------------------------------------------------------------------------------------


def test_observing_touches_nothing_and_records_everything(build: Callable[..., Gateway], provider: Simulator) -> None:
    forbid = '@id("never") forbid (principal, action == Action::"InvokeModel", resource) when { resource in Model::"either" };'
    gateway = build(configuration(provider, "observe"), POLICIES + forbid).start()
    provider.behave(f"secret={AWS}", provider="cloud")
    cases = {
        ("plain", ""): {"pii-to-external", "secrets"},
        ("plain", "restricted"): {"restricted", "secrets"},
        ("either", ""): {"never", "secrets"},
    }
    for (model, labels), policies in cases.items():
        mark = f"watched {model} {labels}"
        text = f"{mark} {MAIL} \\u0041KIAQ3EGT4WX7LHPM5ZN"
        body = f'{{ "model" : "{model}",  "messages":[{{"role":"user","content":"{text}"}}],"temperature":1.0e0 }}'
        reply = gateway.ask(body.encode(), **{"x-yett-labels": labels})
        assert reply.status == 200
        received = arrived(provider, mark)
        assert received.body == body.encode()
        assert received.request.target.startswith("/cloud/")
        assert AWS in reply.text
        assert reply.headers["x-yett-decision"] == "observe"
        record = gateway.outcome(reply.id)
        assert record["decision"] == "observe"
        assert set(record["observed"]) == policies
        assert {(f["where"], f["action"]) for f in record["findings"]} == {("request", "noted"), ("reply", "noted")}
    stream = gateway.stream("plain", "watched as well")
    assert AWS in said(stream.events())
    provider.reset()
