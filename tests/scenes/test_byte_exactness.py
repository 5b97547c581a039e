"""What is not edited is not touched: the provider receives the caller's bytes, save the model's name, and the other way round."""

from __future__ import annotations

import http.client

import pytest
from tests.scenes.harness import Gateway, arrived, said

from yett.simulator.server import Simulator

MESSAGES = '"messages":[{"role":"user","content":"%s"}]'
ODD = {
    "spacing": '\n{ \t"model"  :\r\n "%s" ,' + MESSAGES + '  ,"n" : 1 }\n\n',
    "key order": "{" + MESSAGES + ',"zeta":1,"temperature":0,"alpha":2,"model":"%s","max_tokens":5}',
    "numbers": '{"model":"%s",'
    + MESSAGES
    + ',"temperature":1.0000e0,"x":-0.0,"y":1E+2,"z":123456789012345678901234567890}',
    "escapes": '{"model":"%s",' + MESSAGES + ',"x":"\\u00e9\\/\\ud83d\\ude00\\u0000 é 😀"}',
    "unknown fields": '{"model":"%s",' + MESSAGES + ',"reasoning":{"effort":"low"},"vendor":[[],{},[{}],null,true]}',
    "an escaped model": '{"model":"\\u0072enamed","x":"%s",' + MESSAGES + "}",
    "the model's name elsewhere": '{"x":"renamed","model":"%s","y":{"model":"renamed"},' + MESSAGES + "}",
    "nothing to the right": '{"model":"%s",' + MESSAGES + "}",
}


def body_of(case: str, mark: str, model: str) -> tuple[bytes, bytes]:
    """What is sent, and what has to arrive."""
    template = ODD[case]
    first, second = (mark, model) if template.index("messages") < template.index('"model"') else (model, mark)
    sent = template % (first, second)
    if case == "an escaped model":
        return sent.encode(), sent.replace("\\u0072enamed", "by-another-name").encode()
    return sent.encode(), sent.replace(f'"{model}"', '"by-another-name"', 1 if "elsewhere" not in case else 0).encode()


@pytest.mark.parametrize("case", [case for case in ODD if "elsewhere" not in case])
def test_only_the_name_of_the_model_changes(gateway: Gateway, provider: Simulator, case: str) -> None:
    sent, expected = body_of(case, f"exactly: {case}", "renamed")
    reply = gateway.ask(sent)
    assert reply.status == 200, reply.body
    received = arrived(provider, f"exactly: {case}")
    assert received.body == expected
    assert received.request.header("content-length") == str(len(expected))


def test_only_the_models_own_field_is_the_model(gateway: Gateway, provider: Simulator) -> None:
    sent = b'{"x":"renamed","model":"renamed","y":{"model":"renamed"},"messages":[{"role":"user","content":"say renamed"}]}'
    assert gateway.ask(sent).status == 200
    received = arrived(provider, "say renamed")
    assert received.body == sent.replace(b'"model":"renamed"', b'"model":"by-another-name"', 1)


@pytest.mark.parametrize("case", ["spacing", "key order", "numbers", "escapes", "unknown fields"])
def test_an_untouched_body_is_not_touched_at_all(gateway: Gateway, provider: Simulator, case: str) -> None:
    sent, _ = body_of(case, f"untouched: {case}", "plain")
    assert gateway.ask(sent).status == 200
    assert arrived(provider, f"untouched: {case}").body == sent


@pytest.mark.parametrize("case", ["spacing", "numbers", "escapes", "unknown fields"])
def test_a_stream_that_asks_for_its_usage_is_not_touched_either(
    gateway: Gateway, provider: Simulator, case: str
) -> None:
    sent, _ = body_of(case, f"streamed: {case}", "plain")
    end = sent.rindex(b"}")
    sent = sent[:end] + b' ,"stream" : true, "stream_options":{ "include_usage" : true,"x":1e0 } ' + sent[end:]
    reply = gateway.ask(sent)
    assert reply.status == 200
    assert reply.events()[-1] == "data: [DONE]"
    assert arrived(provider, f"streamed: {case}").body == sent


def test_a_stream_that_does_not_is_asked_for_it_and_nothing_else(gateway: Gateway, provider: Simulator) -> None:
    sent = b'{"model":"plain","stream":true,  "messages":[{"role":"user","content":"usage is added"}]}'
    events = gateway.ask(sent).events()
    received = arrived(provider, "usage is added").body
    assert (
        received.replace(b'"stream_options":{"include_usage":true}', b"").replace(b",,", b",").replace(b",}", b"}")
        == sent
    )
    assert not any('"usage":{' in event for event in events), "the caller did not ask for it"


def direct(provider: Simulator, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    connection.request("POST", "/cloud/v1/chat/completions", body, {"authorization": "Bearer sk-provider-0001"})
    answer = connection.getresponse().read()
    connection.close()
    return answer


def test_a_reply_comes_back_as_it_is(gateway: Gateway, provider: Simulator) -> None:
    body = b'{"model":"plain","messages":[{"role":"user","content":"as it is: \\u00e9 \\ud83d\\ude00"}],"n":3}'
    assert gateway.ask(body).body == direct(provider, body)


def test_a_stream_comes_back_as_it_is(gateway: Gateway, provider: Simulator) -> None:
    body = (
        b'{"model":"plain","messages":[{"role":"user","content":"event by event and word by word"}],"stream":true,'
        b'"stream_options":{"include_usage":true}}'
    )
    expected = [event for event in direct(provider, body).decode().split("\n\n") if event]
    events = [event for event in gateway.ask(body).events() if not event.startswith(":")]
    assert said(events) == said(expected)
    assert events[-3:] == expected[-3:], "finish, usage and [DONE]"
