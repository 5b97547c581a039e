"""Values that went out as tokens, in the whole of a call: what the provider sees, what the caller sees, what is on the record."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.scene import (
    CONFIGURATION,
    DONE,
    END,
    EVENTS,
    MAIL,
    SECRET,
    USAGE,
    Answer,
    Reply,
    Scene,
    chat,
    event,
    key,
    post,
    stream,
    whole,
)

from yett.model.call import Inbound
from yett.model.record import Record

BASE = '@id("everything") permit (principal, action, resource);'
AWAY = '@id("away") @obligation("tokenize:pii, redact:secret") permit (principal, action == Action::"InvokeModel", resource);'
NO_CARDS = (
    '@id("cards") @obligation("withhold:pii.card") permit (principal, action == Action::"ReleaseReply", resource);'
)
NAMES = (
    '@id("names") @obligation("redact:pii.person") permit (principal, action == Action::"InvokeModel", resource);',
    '@id("places") @obligation("redact:pii") permit (principal, action == Action::"ReleaseReply", resource);',
)
TOOL = '@id("tool") @obligation("restore:pii.email@send_mail") permit (principal, action == Action::"ReleaseReply", resource);'
CARD = "4111 1111 1111 1111"
Answering = Callable[[str], Answer]


def scene_of(folder: Path, *policies: str, **settings: str) -> Scene:
    return Scene(folder, policies="\n".join((BASE, AWAY, *policies)), settings=settings)


def sent(scene: Scene, place: int = -1) -> str:
    """The text of the last message that the provider got."""
    return str(json.loads(scene.upstream.sent[place].body)["messages"][-1]["content"])


def answering(scene: Scene, answer: Answering) -> None:
    """Have the provider make its answer of what it was sent."""
    scene.upstream.on_send = lambda outgoing: scene.upstream.will(
        answer(str(json.loads(outgoing.body)["messages"][-1]["content"]))
    )


def echo(text: str) -> Answer:
    return whole(f"You said {text}.")


def drip(text: str) -> Answer:
    return stream("You said ", *text, ".")


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def findings(record: Record) -> list[tuple[str, str, str, int]]:
    return [(found.where, found.kind, found.action, found.count) for found in record.findings]


def text_of(reply: Reply) -> str:
    return reply.text if reply.body.startswith(b"data") else str(reply.json["choices"][0]["message"]["content"])


@pytest.mark.parametrize(("streamed", "answer"), [(False, echo), (True, drip)])
async def test_the_provider_sees_tokens_and_the_caller_values(
    tmp_path: Path, streamed: bool, answer: Answering
) -> None:
    with scene_of(tmp_path, NO_CARDS) as scene:
        answering(scene, answer)
        reply = await scene.call(chat(f"{MAIL}, {CARD}; {SECRET}", stream=streamed))
        text = sent(scene)
        mail, card, secret = text.replace(",", "").replace(";", "").split()
        assert (mail[:6], card[:5], secret) == ("EMAIL_", "CARD_", "[REDACTED:secret.github-token]")
        assert text_of(reply) == f"You said {MAIL}, {card}; {secret}."
        record = scene.outcome(reply)
        assert findings(record) == [
            ("request", "pii.card", "tokenized", 1),
            ("request", "pii.email", "tokenized", 1),
            ("request", "secret.github-token", "redacted", 1),
            ("reply", "pii.email", "restored", 1),
        ]
        assert "withhold:pii.card" in record.obligations
        assert MAIL.encode() not in on_disk(tmp_path)


async def test_names_are_looked_for_where_a_policy_asks(tmp_path: Path) -> None:
    with Scene(tmp_path / "asked", policies="\n".join((BASE, *NAMES))) as scene:
        answering(scene, lambda text: whole(f"{text} Kevin Miller, 12 Oak Street, sk 4"))
        reply = await scene.call(chat("who is Jennifer Miller?"))
        assert sent(scene) == "who is [REDACTED:pii.person]?"
        assert text_of(reply) == "who is [REDACTED:pii.person]? [REDACTED:pii.person], [REDACTED:pii.address], sk 4"
        answering(scene, lambda _text: whole("Nobody."))
        assert text_of(await scene.call(chat("who?"))) == "Nobody."
    with Scene(tmp_path / "not", policies=BASE) as scene:
        assert not scene.live.current.inspector.asks
        answering(scene, echo)
        assert text_of(await scene.call(chat("who is Jennifer Miller?"))) == "You said who is Jennifer Miller?."


async def test_topics_and_sizes_are_looked_for_in_answers(tmp_path: Path) -> None:
    settings = (
        "[inspection]\nmax_segment_chars = 100\n[inspection.topics.games]\nkeywords = ['poker']\n[teams.research]"
    )
    forbid = (
        '@id("f") forbid (principal, action, resource) when '
        '{ context.findings.containsAny(["topic@assistant", "limit.segment-size"]) };'
    )
    with Scene(tmp_path, policies=BASE + forbid, settings={"[teams.research]": settings}) as scene:
        for text, status in {"Play p\u043eker": 403, "words " * 20: 403, "Play chess": 200}.items():
            scene.upstream.will(whole(text))
            assert (await scene.call(chat("which game of poker?"))).status == status


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(f"the token is {SECRET}, yes".encode()).decode(),
        base64.b64encode(base64.b64encode(f"the token is {SECRET}, yes".encode())).decode(),
        SECRET.encode().hex(),
        f"\\u0067{SECRET[1:]}",
        f"&#103;{SECRET[1:]}",
        f"{SECRET} and {SECRET.encode().hex()}",
    ],
    ids=["base64", "twice", "hex", "escape", "entity", "both"],
)
@pytest.mark.parametrize("text", ["{}", "as I said: {} " + "and so on, " * 500], ids=["short", "long"])
async def test_what_is_encoded_in_a_whole_answer_is_found(tmp_path: Path, written: str, text: str) -> None:
    policy = '@id("s") @obligation("redact:secret") permit (principal, action == Action::"ReleaseReply", resource);'
    with Scene(tmp_path, policies=BASE + policy) as scene:
        scene.upstream.will(whole(text.format(written)))
        reply = await scene.call(chat())
        assert "[REDACTED:secret." in text_of(reply)
        assert not any(part in text_of(reply) for part in (written, SECRET[4:], SECRET.encode().hex()[8:]))
        assert {(f.where, f.action) for f in scene.outcome(reply).findings} == {("reply", "redacted")}


@pytest.mark.parametrize("policies", [(), (TOOL,)], ids=["no tool", "send_mail"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_arguments_go_on_to_somewhere_else(tmp_path: Path, streamed: bool, policies: tuple[str, ...]) -> None:
    def call(text: str) -> Answer:
        arguments = json.dumps({"to": text})
        function = {"name": "send_mail", "arguments": arguments}
        if not streamed:
            message = {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c", "type": "function", "function": function}],
            }
            return Answer(
                json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}).encode()
            )
        calls: list[dict[str, Any]] = [{"id": "c", "function": {**function, "arguments": ""}}]
        calls += [{"function": {"arguments": letter}} for letter in arguments]
        deltas = [{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, **each}]}}]} for each in calls]
        return Answer(*[b"data: %b\n\n" % json.dumps(delta).encode() for delta in deltas], END, DONE, headers=EVENTS)

    with scene_of(tmp_path, *policies) as scene:
        answering(scene, call)
        reply = await scene.call(chat(MAIL, stream=streamed))
        token = sent(scene)
        if streamed:
            events = [json.loads(part[6:]) for part in reply.body.split(b"\n\n") if part.startswith(b"data: {")]
            calls = [c for e in events for choice in e["choices"] for c in choice["delta"].get("tool_calls", ())]
            arguments = "".join(each["function"].get("arguments", "") for each in calls)
        else:
            arguments = reply.json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        assert json.loads(arguments) == {"to": MAIL if policies else token}


def said(*messages: tuple[str, str]) -> Inbound:
    return post(
        json.dumps({"model": "fast", "messages": [{"role": role, "content": text} for role, text in messages]}).encode()
    )


async def test_the_prompt_of_a_later_turn_begins_as_the_one_before(tmp_path: Path) -> None:
    """So that the provider's cache knows it: although the history now has the values that were put back."""
    with scene_of(tmp_path) as scene:
        answering(scene, echo)
        first = await scene.call(said(("user", f"I am {MAIL}")))
        await scene.call(said(("user", f"I am {MAIL}"), ("assistant", text_of(first)), ("user", "And now?")))
        before, after = (json.loads(outgoing.body)["messages"] for outgoing in scene.upstream.sent)
        assert after[0] == before[0]
        assert after[1]["content"] == f"You said {before[0]['content']}."


async def test_nobody_else_can_resolve_a_token(tmp_path: Path) -> None:
    """Not another caller, not in another task, and not the caller itself by writing it."""
    with scene_of(tmp_path) as scene:
        scene.issue("bob", key())
        answering(scene, echo)
        await scene.call(chat(MAIL))
        token = sent(scene)
        for inbound, who in ((chat(token), "ada"), (chat(token), "bob"), (chat(f"{token} {CARD}"), "ada")):
            reply = await scene.call(inbound, who)
            assert token in text_of(reply)
            assert MAIL not in text_of(reply)
        # As the words of an assistant, it is recalled for the caller that it was issued to, in its task.
        history = said(("assistant", token), ("user", "Who?"))
        scene.upstream.on_send = lambda _: scene.upstream.will(whole(f"It is {token}"))
        assert text_of(await scene.call(history)) == f"It is {MAIL}"
        assert text_of(await scene.call(history, "bob")) == f"It is {token}"
        elsewhere = Inbound("POST", history.path, "", {b"x-yett-task": b"another"}, history.body, history.peer, 0.0)
        assert text_of(await scene.call(elsewhere)) == f"It is {token}"


async def test_a_caller_that_writes_a_token_and_its_value(tmp_path: Path) -> None:
    with scene_of(tmp_path) as scene:
        answering(scene, echo)
        await scene.call(chat(MAIL))
        token = sent(scene)
        reply = await scene.call(chat(f"{token} is {MAIL}"))
        literal, _, value = sent(scene).split()
        assert literal.startswith("TEXT_")
        assert value == token
        assert text_of(reply) == f"You said {token} is {MAIL}."


async def test_a_target_that_got_the_value_gives_nothing_back(tmp_path: Path) -> None:
    """On failover to a target that may see the values, tokens in its answer are its own words."""
    external = AWAY.replace("resource);", 'resource) when { resource.provider.labels.contains("external") };')
    with Scene(tmp_path, policies=BASE + external) as scene:
        await scene.call(chat(MAIL))
        token = sent(scene)
        scene.upstream.will(Answer(b"{}", status=503), whole(f"{token} {MAIL}"))
        reply = await scene.call(chat(MAIL))
        assert [sent(scene, -2), sent(scene)] == [token, MAIL]
        assert text_of(reply) == f"{token} {MAIL}"


@pytest.mark.parametrize("keep", ["full", "redacted"])
@pytest.mark.parametrize(("streamed", "answer"), [(False, echo), (True, drip)])
async def test_what_is_kept_of_a_reply_has_the_tokens(
    tmp_path: Path, keep: str, streamed: bool, answer: Answering
) -> None:
    with scene_of(tmp_path, **{'content = "digest"': f'content = "{keep}"'}) as scene:
        answering(scene, answer)
        kept: list[bytes] = []
        journal = scene.journal

        class Watched:
            def __getattr__(self, name: str) -> Any:
                return getattr(journal, name)

            def keep(self, call: str, part: str, text: bytes) -> str:
                kept.extend([text] if part == "reply" else [])
                return journal.keep(call, part, text)

        scene.withhold(journal=Watched())
        reply = await scene.call(chat(MAIL, stream=streamed))
        assert MAIL in text_of(reply)
        assert len(kept) == 1
        assert MAIL.encode() not in kept[0]
        assert sent(scene).encode() in kept[0]


async def test_in_observe_mode_nothing_is_exchanged(tmp_path: Path) -> None:
    with Scene(tmp_path, configuration='mode = "observe"\n' + CONFIGURATION, policies=BASE + AWAY) as scene:
        answering(scene, echo)
        await scene.call(chat(MAIL))
        assert sent(scene) == MAIL


async def test_an_answer_that_two_parsers_read_differently_is_none(tmp_path: Path) -> None:
    twice = b'{"choices":[{"message":{"content":"a"},"index":0}],"x":1,"x":2}'
    with scene_of(tmp_path) as scene:
        scene.upstream.will(Answer(twice), whole("Hello"))
        reply = await scene.call(chat(MAIL))
        assert text_of(reply) == "Hello"
        assert [attempt.outcome for attempt in scene.outcome(reply).attempts] == ["garbage", "ok"]


async def test_a_refused_reply_puts_nothing_back(tmp_path: Path) -> None:
    forbid = '@id("no") forbid (principal, action == Action::"ReleaseReply", resource) when { context.findings.contains("pii") };'
    with scene_of(tmp_path, forbid) as scene:
        answering(scene, echo)
        reply = await scene.call(chat(MAIL))
        assert text_of(reply) == f"You said {sent(scene)}."


async def test_a_stream_that_needs_no_change_leaves_as_it_came(tmp_path: Path) -> None:
    events = [event("Some words. "), event("And more. ")]
    with scene_of(tmp_path) as scene:
        scene.upstream.will(Answer(*events, END, USAGE, DONE, headers=EVENTS))
        reply = await scene.call(chat(MAIL, stream=True))
        assert reply.body.startswith(b"".join(events))
