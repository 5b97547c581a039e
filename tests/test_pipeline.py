"""Whole calls on the real pipeline: given a caller, a request and an upstream's answer, what is told, recorded and charged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scene import (
    CONFIGURATION,
    DONE,
    END,
    EVENTS,
    MAIL,
    POLICIES,
    SECRET,
    USAGE,
    Answer,
    BrokenLedger,
    Scene,
    chat,
    event,
    get,
    key,
    post,
    stream,
    until,
    whole,
)

from yett.errors import Refusal
from yett.model.attachment import Extracted
from yett.model.finding import Finding
from yett.model.guardrail import FAILED_OPEN, Advice
from yett.model.key import Budget, Limits
from yett.model.record import Content, Record
from yett.ports import Exchange, Outgoing, UpstreamFailure
from yett.stores.blobs import ContentKey, open_blob
from yett.stores.journal import CONTENT_KEY


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path / "gateway") as made:
        yield made


def made(tmp_path: Path, content: str = "digest", policies: str = POLICIES, **replaced: str) -> Scene:
    """A scene with another `audit.content`, other policies, other settings."""
    return Scene(
        tmp_path / "gateway",
        policies=policies,
        settings={'content = "digest"': f'content = "{content}"', **replaced},
    )


def opened(scene: Scene, content: Content | None, call: str, part: str) -> bytes:
    """What the record keeps of a text, unsealed."""
    assert content is not None
    master = ContentKey.load(scene.folder / CONTENT_KEY)
    return open_blob(scene.folder / "audit", content.blob, call, part, master)


# ---- an answer ----------------------------------------------------------------------------------------------------------


async def test_an_answer_is_recorded_settled_and_told(scene: Scene) -> None:
    reply = await scene.call(chat("hello"))
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "Hello there.")
    assert reply.headers["x-yett-decision"] == "allow"
    assert reply.headers["x-yett-cost-usd"] == "0.000017"
    assert reply.length == len(reply.body)
    assert reply.ended == 1
    intent, outcome = (record for record in scene.records() if record.call == reply.id)
    assert (intent.kind, outcome.kind) == ("intent", "outcome")
    assert intent.hold == outcome.hold == reply.id
    assert (outcome.outcome, outcome.status, outcome.code, outcome.finish) == ("ok", 200, "", ("stop",))
    assert outcome.usage is not None
    assert (outcome.usage.total, outcome.usage.cost, outcome.usage.estimated) == (12, 17, False)
    assert scene.in_flight() == 0


async def test_an_untouched_body_leaves_byte_for_byte_save_the_model(scene: Scene) -> None:
    body = b'{ "messages" :[ {"role":"user","content":"\\u00e9 x"} ],"z":1.0e0,  "model": "fast" , "a":[1,2 ]}'
    await scene.call(post(body))
    assert scene.upstream.sent[0].body == body.replace(b'"fast"', b'"sim-gpt"')


async def test_a_stream_is_passed_on_as_it_comes(scene: Scene) -> None:
    more = asyncio.Event()
    scene.upstream.will(stream("One two ", more, "three four"))
    reply = scene.begin(chat("count", stream=True, stream_options={"include_usage": True}))
    await reply.arrived.wait()
    assert b"One two" in reply.body
    assert not reply.ended
    more.set()
    assert reply.task is not None
    await reply.task
    assert reply.text == "One two three four"
    assert reply.body.endswith(DONE)
    assert b'"usage"' in reply.body
    assert reply.length is None
    record = scene.outcome(reply)
    assert (record.outcome, record.status, record.finish) == ("ok", 200, ("stop",))
    assert record.usage is not None
    assert record.usage.total == 12


async def test_usage_that_only_yett_asked_for_is_not_told(scene: Scene) -> None:
    reply = await scene.call(chat("count", stream=True))
    assert b'"usage"' not in reply.body
    assert b"x-yett-cost-usd: 0.000017" in reply.body
    assert b'"stream_options":{"include_usage":true}' in scene.upstream.sent[0].body


async def test_a_stream_without_an_event_is_a_stream_all_the_same(scene: Scene) -> None:
    scene.upstream.will(Answer(DONE, headers=EVENTS))
    reply = await scene.call(chat("count", stream=True))
    assert (reply.status, reply.length) == (200, None)
    assert reply.body.endswith(DONE)
    assert scene.outcome(reply).outcome == "ok"


# ---- ends ---------------------------------------------------------------------------------------------------------------


async def test_a_caller_who_leaves_ends_the_call_and_is_recorded(scene: Scene) -> None:
    never = asyncio.Event()
    scene.upstream.will(stream("One two ", never))
    reply = scene.begin(chat("count", stream=True))
    await reply.arrived.wait()
    reply.disconnect()
    assert reply.task is not None
    await reply.task
    record = scene.outcome()
    assert (record.outcome, record.code) == ("disconnected", "")
    assert record.usage is not None
    assert record.usage.estimated
    assert [attempt.outcome for attempt in record.attempts] == ["cancelled"]
    assert scene.in_flight() == 0
    assert not reply.ended


@pytest.mark.parametrize("durability", ["crash", "power"])
async def test_a_caller_who_left_before_the_call_began_is_recorded_too(tmp_path: Path, durability: str) -> None:
    settings = {"[audit]": f'[audit]\ndurability = "{durability}"'}
    with Scene(tmp_path / "gateway", settings=settings) as scene:
        for who in ("ada", ""):
            reply = scene.begin(chat("hello"), who)
            reply.gone = True
            assert reply.task is not None
            await reply.task
            assert not reply.task.cancelled()
        assert [record.outcome for record in scene.outcomes()] == ["disconnected", "disconnected"]
        assert len(scene.meters.told) == 2
        assert scene.upstream.sent == []


async def test_a_revoked_key_cuts_its_calls_and_says_so(scene: Scene) -> None:
    never = asyncio.Event()
    scene.upstream.will(stream("One two ", never), whole("late"))
    begun = scene.begin(chat("count", stream=True))
    await begun.arrived.wait()
    (flight,) = scene.gate.flights
    flight.cut(Refusal("revoked_key"))
    flight.cut(Refusal("expired_key"))  # the first reason counts
    flight.gone()
    assert begun.task is not None
    await begun.task
    assert begun.code == "revoked_key"
    assert b"[DONE]" not in begun.body
    record = scene.outcome(begun)
    assert (record.outcome, record.code) == ("cut", "revoked_key")
    assert scene.in_flight() == 0


async def test_a_call_whose_caller_left_first_was_not_cut(scene: Scene) -> None:
    never = asyncio.Event()
    scene.upstream.will(stream("One two ", never))
    reply = scene.begin(chat("count", stream=True))
    await reply.arrived.wait()
    (flight,) = scene.gate.flights
    reply.disconnect()
    flight.cut(Refusal("revoked_key"))
    assert reply.task is not None
    await reply.task
    assert scene.outcome().outcome == "disconnected"


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_shutdown_is_told_to_the_caller_as_one(scene: Scene, streamed: bool, said: bool) -> None:
    """What is cut when the gateway stops must not look like a whole answer."""
    never = asyncio.Event()
    scene.upstream.will(stream("One two ", never) if streamed else Answer(never))
    reply = scene.begin(chat("count", stream=streamed))
    await until(lambda: bool(scene.upstream.sent) and (bool(reply.body) or not streamed))
    (flight,) = scene.gate.flights
    if said:
        flight.cut(Refusal("draining"))
    else:
        reply.cancel()  # as when the loop itself is stopped
    assert reply.task is not None
    await reply.task
    assert reply.code == "draining"
    assert reply.status == (200 if streamed else 503)
    assert b"[DONE]" not in reply.body
    record = scene.outcome(reply)
    assert (record.outcome, record.code) == ("cut", "draining")


async def test_a_bug_is_a_refusal_and_a_record(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Outgoing) -> None:
        raise ZeroDivisionError

    scene.upstream.on_send = broken
    reply = await scene.call(chat("hello " + SECRET))
    assert (reply.status, reply.code) == (500, "internal_error")
    record = scene.outcome(reply)
    assert (record.outcome, record.code) == ("failed", "internal_error")
    assert "ZeroDivisionError" in caplog.text
    assert SECRET not in caplog.text
    assert scene.in_flight() == 0


async def test_a_ledger_that_cannot_settle_costs_no_record(scene: Scene) -> None:
    ledger = scene.ledger

    class Failing(BrokenLedger):
        reserve = staticmethod(ledger.reserve)

    scene.withhold(ledger=Failing())
    reply = await scene.call(chat("hello"))
    assert reply.status == 200
    assert scene.outcome(reply).outcome == "ok"


class FailsLater:
    """Implements `ports.Journal`: takes intents and then no outcomes."""

    def __init__(self, scene: Scene) -> None:
        self._journal = scene.journal
        self.keep = scene.journal.keep
        self.fingerprint = scene.journal.fingerprint

    async def append(self, record: Record) -> None:
        if record.kind == "outcome":
            raise Refusal("audit_unavailable")
        await self._journal.append(record)


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_answer_that_cannot_be_recorded_is_not_given(scene: Scene, streamed: bool) -> None:
    scene.withhold(journal=FailsLater(scene))
    reply = await scene.call(chat("hello", stream=streamed))
    assert reply.code == "audit_unavailable"
    assert b"[DONE]" not in reply.body
    assert reply.status == (200 if streamed else 503)
    assert [(each.outcome, each.code) for each in scene.meters.told] == [("failed", "audit_unavailable")]


async def test_a_journal_that_raises_leaves_nobody_waiting(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    class Raises(FailsLater):
        async def append(self, record: Record) -> None:
            raise ZeroDivisionError

    scene.withhold(journal=Raises(scene))
    reply = await scene.call(chat("hello"))
    assert reply.abandoned
    assert not reply.body
    assert "ZeroDivisionError" in caplog.text


async def test_calls_at_the_same_time_take_each_stage_one_after_the_other(scene: Scene) -> None:
    scene.upstream.will(whole("one"), whole("two"), whole("three"))
    calls = [scene.begin(chat("hello")) for _ in range(3)]
    for call in calls:
        assert call.task is not None
        await call.task
    assert [call.status for call in calls] == [200, 200, 200]
    assert [record.kind for record in scene.records()] == ["intent"] * 3 + ["outcome"] * 3


async def test_a_caller_that_leaves_between_two_stages_is_on_the_record(scene: Scene) -> None:
    scene.upstream.will(whole("one"), whole("two"))
    leaving, staying = scene.begin(chat("hello")), scene.begin(chat("hello"))
    await until(lambda: len(scene.upstream.sent) == 2)
    leaving.disconnect()
    for call in (leaving, staying):
        assert call.task is not None
        await call.task
    assert sorted(record.outcome for record in scene.outcomes()) == ["disconnected", "ok"]


async def test_more_calls_than_may_be_in_flight_are_refused(tmp_path: Path) -> None:
    with Scene(tmp_path / "gateway", settings={"[gateway]": "[gateway]\nmax_in_flight = 1"}) as scene:
        wait = asyncio.Event()
        scene.upstream.will(Answer(wait, b"{}"))
        first = scene.begin(chat("hello"))
        await until(lambda: bool(scene.upstream.sent))
        second = scene.begin(chat("hello"))
        assert second.task is not None
        await second.task
        assert (second.status, second.code) == (503, "overloaded")
        assert second.headers["retry-after"] == "1"
        wait.set()
        assert first.task is not None
        await first.task
        assert first.status == 200


async def test_a_slow_reader_pauses_the_upstream(scene: Scene) -> None:
    more = asyncio.Event()
    answer = stream("One two ", more, "three")
    scene.upstream.will(answer)
    reply = scene.begin(chat("count", stream=True))
    reply.paused = True  # since before there was an exchange
    await reply.arrived.wait()
    assert answer.log == ["pause"]
    reply.read_slowly(False)
    reply.read_slowly(True)
    assert answer.log == ["pause", "resume", "pause"]
    more.set()
    assert reply.task is not None
    await reply.task
    assert reply.text == "One two three"


async def test_pausing_before_there_is_an_upstream_does_nothing(scene: Scene) -> None:
    scene.calls.held = asyncio.Event()
    reply = scene.begin(get("/yett/v1/calls/call_1"))
    await scene.calls.asked.wait()
    reply.read_slowly(True)
    scene.calls.held.set()
    assert reply.task is not None
    await reply.task
    assert reply.code == "call_not_found"


# ---- failures of the upstream -------------------------------------------------------------------------------------------


async def test_failover_goes_to_what_is_permitted(scene: Scene) -> None:
    scene.upstream.will(UpstreamFailure("refused"))
    reply = await scene.call(chat("hello"))
    assert reply.status == 200
    assert reply.headers["x-yett-provider"] == "local"
    record = scene.outcome(reply)
    assert [(attempt.target, attempt.outcome) for attempt in record.attempts] == [
        ("sim/sim-gpt", "refused"),
        ("local/llama", "ok"),
    ]
    assert [json.loads(sent.body)["model"] for sent in scene.upstream.sent] == ["sim-gpt", "llama"]


async def test_a_stream_that_breaks_before_its_first_byte_fails_over(scene: Scene) -> None:
    """Neither a reset nor a missing terminator costs the call while nothing has gone out, also when text was held back."""
    scene.upstream.will(stream("half-a-word", tail=()), stream("half-a-word", UpstreamFailure("reset")))
    reply = await scene.call(chat("count", stream=True))
    assert reply.status == 200
    assert reply.text == "Hello there."
    outcomes = [attempt.outcome for attempt in scene.outcome(reply).attempts]
    assert outcomes == ["missing_terminator", "reset", "ok"]


async def test_a_stream_that_breaks_off_is_told_as_broken(scene: Scene) -> None:
    scene.upstream.will(stream("One two ", UpstreamFailure("reset")))
    reply = await scene.call(chat("count", stream=True))
    assert reply.code == "upstream_error"
    assert b"[DONE]" not in reply.body
    record = scene.outcome(reply)
    assert (record.outcome, record.status, record.code) == ("failed", 502, "upstream_error")
    assert record.usage is not None
    assert record.usage.estimated
    assert record.usage.output > 0


async def test_a_stream_without_its_terminator_is_told_as_truncated(scene: Scene) -> None:
    scene.upstream.will(stream("One two ", "three", tail=(END, USAGE)))
    reply = await scene.call(chat("count", stream=True))
    assert reply.code == "stream_truncated"
    assert reply.text == "One two three"
    assert b"[DONE]" not in reply.body
    record = scene.outcome(reply)
    assert (record.outcome, record.code) == ("failed", "stream_truncated")
    assert record.usage is not None
    assert record.usage.total == 12


async def test_an_error_in_the_stream_is_not_a_truncation(scene: Scene) -> None:
    scene.upstream.will(stream("One two ", tail=(b'data: {"error":{"message":"out of memory"}}\n\n',)))
    reply = await scene.call(chat("count", stream=True))
    assert reply.code == "upstream_error"
    assert scene.outcome(reply).code == "upstream_error"


async def test_what_comes_after_the_terminator_does_not_count(scene: Scene) -> None:
    scene.upstream.will(stream("One two", tail=(END, USAGE, DONE, event("more"))), stream("x", tail=(END, DONE)))
    reply = await scene.call(chat("count", stream=True))
    assert reply.text == "One two"
    scene.upstream.will(
        Answer(event("One"), END, DONE, UpstreamFailure("truncated"), headers=EVENTS),
    )
    scene.upstream.answers.popleft()
    reply = await scene.call(chat("count", stream=True))
    assert (reply.text, scene.outcome(reply).outcome) == ("One", "ok")


async def test_a_stream_that_is_none_is_garbage(scene: Scene) -> None:
    scene.upstream.will(whole("x"), whole("x"), whole("x"))
    reply = await scene.call(chat("count", stream=True))
    assert (reply.status, reply.code) == (502, "upstream_error")


@pytest.mark.parametrize("mime", [b"text/event-stream", b"text/event-stream; charset=utf-8", b"Text/Event-Stream"])
async def test_media_types_are_compared_as_such(scene: Scene, mime: bytes) -> None:
    scene.upstream.will(Answer(event("One two"), END, DONE, headers=((b"content-type", mime),)))
    assert (await scene.call(chat("count", stream=True))).text == "One two"


@pytest.mark.parametrize("streamed", [True, False])
async def test_the_providers_own_refusal_is_handed_on_and_costs_nothing(scene: Scene, streamed: bool) -> None:
    error = b'{"error":{"message":"context too long","type":"invalid_request_error","param":null,"code":"x"}}'
    scene.upstream.will(Answer(error, status=400))
    reply = await scene.call(chat("hello", stream=streamed))
    assert (reply.status, reply.body) == (400, error)
    record = scene.outcome(reply)
    assert (record.outcome, record.code, record.status) == ("failed", "provider_rejected", 400)
    assert record.usage is not None
    assert (record.usage.total, record.usage.cost) == (0, 0)


async def test_the_providers_refusal_is_reviewed_like_an_answer(scene: Scene) -> None:
    error = json.dumps({"error": {"message": f"you said {SECRET}"}}).encode()
    scene.upstream.will(Answer(error, status=400))
    reply = await scene.call(chat("hello"))
    assert SECRET.encode() not in reply.body
    assert scene.outcome(reply).findings[0].action == "redacted"


async def test_a_refusal_that_no_client_can_read_is_told_in_our_words(scene: Scene) -> None:
    scene.upstream.will(Answer(b"<html>", status=413))
    reply = await scene.call(chat("hello"))
    assert (reply.status, reply.code) == (400, "provider_rejected")
    record = scene.outcome(reply)
    assert record.code == "provider_rejected"
    assert record.outcome == "failed"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff", b"{" * 5000])
async def test_garbage_is_tried_elsewhere_and_then_told(scene: Scene, body: bytes) -> None:
    scene.upstream.will(*(Answer(body) for _ in range(3)))
    reply = await scene.call(chat("hello"))
    assert (reply.status, reply.code) == (502, "upstream_error")
    assert [attempt.outcome for attempt in scene.outcome(reply).attempts] == ["garbage"] * 3


async def test_a_reply_that_can_be_read_in_two_ways_is_garbage_when_there_is_something_in_it(scene: Scene) -> None:
    clean, found = b'{"a":"one","a":"two"}', b'{"a":"one","a":"ada@example.org"}'
    scene.upstream.will(Answer(clean), *(Answer(found) for _ in range(3)))
    assert (
        await scene.call(chat("hello"))
    ).status == 200  # every string of it was looked at, whichever the caller reads
    assert (await scene.call(chat("hello"))).code == "upstream_error"


async def test_a_reply_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with Scene(tmp_path / "gateway", settings={"[gateway]": "[gateway]\nmax_reply_bytes = 1000"}) as scene:
        scene.upstream.will(*(whole("x" * 2000) for _ in range(3)))
        reply = await scene.call(chat("hello"))
        assert (reply.status, reply.code) == (502, "reply_too_large")
        scene.upstream.will(*(stream("one ", "x " * 1000) for _ in range(3)))
        reply = await scene.call(chat("hello", stream=True))
        assert reply.code == "reply_too_large"


async def test_a_long_reply_that_is_not_inspected_in_time_is_not_given(tmp_path: Path) -> None:
    hurried = CONFIGURATION + '\n[inspection]\ndeadline = "1ms"\n'
    with Scene(tmp_path / "gateway", configuration=hurried) as scene:
        scene.upstream.will(whole("mail ada@mail.example.org " * 20_000), whole("x"))
        reply = await scene.call(chat("hello"))
        assert (reply.status, reply.code) == (503, "overloaded")
        assert (await scene.call(chat("hello"))).status == 200


# ---- what is kept -------------------------------------------------------------------------------------------------------

NO_REDACTION = '@id("everything") permit (principal, action, resource);'
DENY_FIRST = '@id("no-research") forbid (principal in Team::"research", action, resource);' + NO_REDACTION


async def test_nothing_is_kept_when_nothing_is_wanted(tmp_path: Path) -> None:
    with made(tmp_path, "none") as scene:
        reply = await scene.call(chat("hello"))
        assert (scene.outcome(reply).request, scene.outcome(reply).reply) == (None, None)


async def test_a_digest_is_of_what_came(tmp_path: Path) -> None:
    with made(tmp_path, "digest") as scene:
        inbound = chat("hello " + SECRET)
        record = scene.outcome(await scene.call(inbound))
        assert record.request == Content(len(inbound.body), scene.journal.fingerprint(inbound.body))
        assert record.reply is not None
        assert record.reply.blob == ""


async def test_the_whole_text_is_kept_when_that_is_wanted(tmp_path: Path) -> None:
    with made(tmp_path, "full") as scene:
        inbound = chat("hello " + SECRET)
        scene.upstream.will(whole("the key is " + SECRET))
        reply = await scene.call(inbound)
        record = scene.outcome(reply)
        assert opened(scene, record.request, reply.id, "request") == inbound.body
        assert SECRET.encode() in opened(scene, record.reply, reply.id, "reply")
        assert SECRET.encode() not in reply.body


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_redacted_copy_has_no_finding_in_it_even_if_policy_lets_it_pass(tmp_path: Path, streamed: bool) -> None:
    with made(tmp_path, "redacted", NO_REDACTION) as scene:
        scene.upstream.will(stream("mail ", MAIL, " now") if streamed else whole(f"mail {MAIL} now"))
        reply = await scene.call(chat("hello " + SECRET, stream=streamed))
        assert MAIL in (reply.text if streamed else reply.body.decode())
        assert SECRET.encode() in scene.upstream.sent[0].body
        record = scene.outcome(reply)
        request = opened(scene, record.request, reply.id, "request")
        answer = opened(scene, record.reply, reply.id, "reply")
        assert b"hello [REDACTED:secret.github-token]" in request
        assert b"mail [REDACTED:pii.email] now" in answer


@pytest.mark.parametrize(
    ("content", "why"),
    [({SECRET: 1}, "a name"), (4111111111111111, "a number")],
)
async def test_what_cannot_be_rewritten_is_not_kept_at_all(tmp_path: Path, content: object, why: str) -> None:
    with made(tmp_path, "redacted", NO_REDACTION) as scene:
        reply = await scene.call(chat("hello", metadata=content))
        assert reply.status == 200, why
        kept = opened(scene, scene.outcome(reply).request, reply.id, "request")
        assert SECRET.encode() not in kept
        assert b"4111111111111111" not in kept


async def test_a_call_refused_before_it_was_inspected_keeps_no_raw_text(tmp_path: Path) -> None:
    with made(tmp_path, "redacted", DENY_FIRST) as scene:
        reply = await scene.call(chat("hello " + SECRET))
        assert reply.code == "policy_denied"
        request = scene.outcome(reply).request
        assert request is not None
        assert request.hmac
        assert not request.blob or SECRET.encode() not in opened(scene, request, reply.id, "request")


async def test_a_stream_that_is_not_inspected_is_not_kept_as_if_it_were(tmp_path: Path) -> None:
    off = {"[routing]": "[inspection]\nstream = false\n\n[routing]"}
    with made(tmp_path, "redacted", NO_REDACTION, **off) as scene:
        scene.upstream.will(stream("key ", SECRET))
        reply = await scene.call(chat("hello", stream=True))
        assert SECRET in reply.text
        record = scene.outcome(reply)
        if record.reply is not None and record.reply.blob:
            assert SECRET.encode() not in opened(scene, record.reply, reply.id, "reply")


async def test_a_full_disk_costs_the_copy_of_a_refused_call_only(tmp_path: Path) -> None:
    with made(tmp_path, "full", DENY_FIRST) as scene:

        class NoRoom(FailsLater):
            append = staticmethod(scene.journal.append)

            def __init__(self) -> None:
                self.fingerprint = scene.journal.fingerprint

            def keep(self, call: str, part: str, text: bytes) -> str:
                raise Refusal("audit_unavailable")

        scene.withhold(journal=NoRoom())
        reply = await scene.call(chat("hello"))
        assert reply.code == "policy_denied"
        assert scene.outcome(reply).request == Content(
            len(chat("hello").body), scene.journal.fingerprint(chat("hello").body)
        )


# ---- redaction ----------------------------------------------------------------------------------------------------------

escapes = st.sampled_from(
    [
        SECRET,
        "".join(f"\\u{ord(c):04x}" for c in SECRET),
        SECRET.replace("g", "\\u0067"),
        SECRET.replace("_", "\\u005F"),
    ]
)
PLACES = [
    '{"model":"fast","messages":[{"role":"user","content":"%s"}]}',
    '{"messages":[{"role":"user","content":[{"type":"text","text":"a \\ud83d\\ude00 %s é"}]}],"model":"fast"}',
    '{"model":"fast","stream":true,"stream_options":{"x":"%s"},"messages":[{"role":"user","content":"x"}]}',
    '{"model":"fast","stream":true,"stream_options":{"include_usage":false,"x":["%s"]},"messages":[{"role":"user","content":"x"}]}',
    '{"model":"fast","max_tokens":5,"messages":[{"role":"user","content":"x"}],"metadata":{"model":"%s"}}',
    '{"model":"fast","messages":[{"role":"%s","content":"x"}]}',
    '{"model":"fast","messages":[{"role":"user","content":"x","name":"\\"%s"}],"tools":[{"function":{"description":"%s"}}]}',
    '{"model":"fast","messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":"{\\"k\\":\\"%s\\"}"}}]}]}',
    '{"user":"\\ud83d\\ude00%s","model":"fast","messages":[{"role":"user","content":"🙂 %s 🙂 %s"}]}',
]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), escapes, st.sampled_from(["", "cap"]))
async def test_no_secret_leaves_wherever_it_stands_and_however_it_is_spelt(
    redacting: Scene, place: str, spelt: str, team: str
) -> None:
    scene = redacting
    scene.upstream.sent.clear()
    reply = await scene.call(post(place.replace("%s", spelt).encode()), team or "ada")
    assert reply.status == 200, reply.body
    (sent,) = scene.upstream.sent
    assert SECRET not in json.dumps(json.loads(sent.body), ensure_ascii=False)
    assert spelt.encode() not in sent.body
    assert b"[REDACTED:secret.github-token]" in sent.body
    assert json.loads(sent.body)["model"] == "sim-gpt"


@pytest.fixture(scope="module")
def redacting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    policies = (
        POLICIES + '@id("cap") @obligation("cap:max_tokens=3") permit (principal in Team::"capped", action, resource);'
    )
    configuration = CONFIGURATION + "\n[teams.capped]\n"
    folder = tmp_path_factory.mktemp("redacting") / "gateway"
    with Scene(folder, configuration=configuration, policies=policies, keys={"cap": key(team="capped")}) as scene:
        yield scene


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"fast","messages":[{"role":"user","content":"x"}],"%s":1}',
        b'{"model":"fast","messages":[{"role":"user","content":"x","%s":"y"}]}',
    ],
)
async def test_a_secret_in_a_name_is_refused_because_it_cannot_be_redacted(scene: Scene, body: bytes) -> None:
    reply = await scene.call(post(body.replace(b"%s", SECRET.encode())))
    assert (reply.status, reply.code) == (403, "content_blocked")
    assert SECRET.encode() not in reply.body
    assert scene.upstream.sent == []
    record = scene.outcome(reply)
    assert (record.outcome, record.hold) == ("refused", "")
    assert [(each.kind, each.action) for each in record.findings] == [("secret.github-token", "blocked")]


@pytest.mark.parametrize(
    "reply_body",
    [
        {"choices": [{"message": {"content": "%s"}, "logprobs": {"content": [{"token": "%s"}]}}]},
        {"choices": 5, "logprobs": None, "x": "%s"},
        {"choices": [7, {"logprobs": 1}], "x": "%s"},
    ],
)
async def test_a_secret_in_a_reply_is_redacted_whatever_form_the_reply_has(scene: Scene, reply_body: object) -> None:
    scene.upstream.will(Answer(json.dumps(reply_body).replace("%s", SECRET).encode()))
    reply = await scene.call(chat("hello"))
    assert reply.status == 200
    assert SECRET.encode() not in reply.body
    assert b"[REDACTED:secret.github-token]" in reply.body


async def test_a_secret_in_a_name_of_a_reply_blocks_it(scene: Scene) -> None:
    scene.upstream.will(Answer(json.dumps({"choices": [], SECRET: 1}).encode()))
    reply = await scene.call(chat("hello"))
    assert (reply.status, reply.code) == (403, "reply_blocked")
    assert SECRET.encode() not in reply.body
    record = scene.outcome(reply)
    assert [(each.where, each.action) for each in record.findings] == [("reply", "blocked")]
    assert record.attempts[0].outcome == "ok"


@pytest.mark.parametrize("choices", [5, {"a": 1}, "text", [3, None], None])
async def test_a_strange_stream_is_redacted_without_a_stumble(scene: Scene, choices: object) -> None:
    odd = b"data: " + json.dumps({"choices": choices, "x": f"key {SECRET} and "}).encode() + b"\n\n"
    scene.upstream.will(Answer(odd, END, DONE, headers=EVENTS))
    reply = await scene.call(chat("hello", stream=True))
    assert reply.code == ""
    assert SECRET.encode() not in reply.body
    assert b"[REDACTED:secret.github-token]" in reply.body


BLOCKED = '@id("no-mail") @advice("No addresses.") forbid (principal, action == Action::"ReleaseReply", resource) when { context.findings.contains("pii.email") };'


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_reply_that_policy_does_not_release(tmp_path: Path, streamed: bool) -> None:
    with made(tmp_path, policies=POLICIES + BLOCKED) as scene:
        scene.upstream.will(stream("Write to ", MAIL, " now") if streamed else whole(f"Write to {MAIL} now"))
        reply = await scene.call(chat("hello", stream=streamed))
        assert reply.code == "reply_blocked"
        assert reply.error["message"] == "No addresses."
        assert reply.error["yett"]["policies"] == ["no-mail"]
        assert MAIL.encode() not in reply.body
        record = scene.outcome(reply)
        assert (record.outcome, record.decision, record.code) == ("refused", "deny", "reply_blocked")
        assert "no-mail" in record.policies
        assert [(each.kind, each.where, each.action) for each in record.findings] == [("pii.email", "reply", "blocked")]
        assert record.usage is not None
        assert record.usage.total > 0
        assert [attempt.outcome for attempt in record.attempts] == ["ok"]


@pytest.mark.parametrize("streamed", [True, False])
async def test_a_reply_is_decided_on_without_findings_too(tmp_path: Path, streamed: bool) -> None:
    policy = '@id("invoke") permit (principal, action == Action::"InvokeModel", resource);'
    with made(tmp_path, policies=policy) as scene:
        reply = await scene.call(chat("hello", stream=streamed))
        assert (reply.status, reply.code) == (403, "reply_blocked")


# ---- limits -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(rpm=1), "rate_limit_exceeded"),
        (Limits(tpm=5000), "rate_limit_exceeded"),
        (Limits(budget=Budget(9000, "day")), "budget_exceeded"),
    ],
)
async def test_a_limit_that_is_used_up_refuses(tmp_path: Path, limits: Limits, code: str) -> None:
    with Scene(tmp_path / "gateway", keys={"limited": key(limits=limits)}) as scene:
        scene.upstream.will(whole("x", usage=(2000, 1000)))
        first = await scene.call(chat("hello"), "limited")
        assert first.status == 200
        scene.upstream.will(whole("x", usage=(2000, 1000)))
        reply = await scene.call(chat("hello"), "limited")
        assert (reply.status, reply.code) == (429, code)
        assert int(reply.headers["retry-after"]) > 0
        assert len(scene.upstream.sent) == 1


@pytest.mark.parametrize("fields", [{"n": 10**9, "max_tokens": 10**9}, {"n": 10**9}, {"max_completion_tokens": 10**9}])
async def test_absurd_wishes_are_refused_and_not_a_bug(tmp_path: Path, fields: dict[str, int]) -> None:
    with Scene(tmp_path / "gateway", keys={"limited": key(limits=Limits(budget=Budget(10**6, "day")))}) as scene:
        reply = await scene.call(chat("hello", **fields), "limited")
        assert reply.status in (400, 429)
        assert reply.code in ("invalid_request", "budget_exceeded")
        assert scene.upstream.sent == []


async def test_a_price_that_is_not_known_is_refused_or_flagged(tmp_path: Path) -> None:
    strict = {'unknown_price = "flag"': 'unknown_price = "refuse"'}
    with Scene(tmp_path / "strict", settings=strict) as scene:
        reply = await scene.call(chat("hello", model="free"))
        assert (reply.status, reply.code) == (403, "unknown_price")
    with Scene(tmp_path / "flagged") as scene:
        reply = await scene.call(chat("hello", model="free"))
        assert reply.status == 200
        assert reply.headers["x-yett-cost-usd"] == "unknown"


# ---- observing ----------------------------------------------------------------------------------------------------------


async def test_observing_touches_nothing_and_records_what_it_would_have_done(tmp_path: Path) -> None:
    observing = {"[gateway]": 'mode = "observe"\n[gateway]'}
    with Scene(tmp_path / "gateway", policies=DENY_FIRST + BLOCKED, settings=observing) as scene:
        scene.upstream.will(whole(f"mail {MAIL}"))
        reply = await scene.call(chat("hello " + SECRET))
        assert reply.status == 200
        assert MAIL.encode() in reply.body
        assert SECRET.encode() in scene.upstream.sent[0].body
        record = scene.outcome(reply)
        assert (record.decision, record.observed) == ("observe", ("no-mail", "no-research"))
        assert [(each.kind, each.action) for each in record.findings] == [
            ("secret.github-token", "noted"),
            ("pii.email", "noted"),
        ]


# ---- odd bytes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"[]", "invalid_request"),
        (b'{"model":"fast"}', "invalid_request"),
        (b'{"model":"' + b"m" * 257 + b'","messages":[{"role":"user"}]}', "invalid_request"),
        (b'{"model":"nope","messages":[{"role":"user"}]}', "model_not_found"),
        (b'{"model":"fast","messages":[{"role":"user","content":"x"}],"x":' + b"9" * 4400 + b"}", "invalid_json"),
        (b'{"model":"fast","model":"fast","messages":[{"role":"user","content":"x"}]}', "duplicate_key"),
        (b'{"model":"fast","messages":[{"role":"user","content":"\\ud800"}]}', "invalid_json"),
        (b'{"model":"fast","messages":' + b"[" * 200 + b"]" * 200 + b"}", "json_too_deep"),
        (b'{"model":"fast","messages":[{"role":"u","content":' + b"[" * 200 + b"]" * 200 + b"}]}", "json_too_deep"),
    ],
)
async def test_bad_bodies_are_refused_with_their_code(scene: Scene, body: bytes, code: str) -> None:
    reply = await scene.call(post(body))
    assert (reply.status, reply.code) == (404 if code == "model_not_found" else 400, code)
    assert scene.upstream.sent == []
    assert scene.outcome(reply).code == code


# ---- exactly one outcome ------------------------------------------------------------------------------------------------

ends = st.sampled_from(
    ["reply", "gone", "cut", "stop", "refused", "bug", "garbage", "reset", "timeout", "no-journal", "status"]
)


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends, st.booleans(), st.integers(0, 25), st.sampled_from(["", "gone", "cut", "stop"]), st.booleans(), st.booleans()
)
async def test_whatever_happens_there_is_one_outcome(
    busy: Scene, end: str, streamed: bool, steps: int, interruption: str, known: bool, power: bool
) -> None:
    """Something goes wrong upstream, and at any step somebody interrupts: one intent at most, one outcome, no hold."""
    scene = busy
    failure: dict[str, Exchange | Exception] = {
        "refused": UpstreamFailure("refused"),
        "reset": stream("One two ", UpstreamFailure("reset")) if streamed else Answer(b"{", UpstreamFailure("reset")),
        "timeout": UpstreamFailure("timeout.first_byte"),
        "garbage": Answer(b"<html>"),
        "status": Answer(b"no", status=503),
        "bug": ZeroDivisionError(),
    }
    scene.upstream.answers.clear()
    if end in failure:
        scene.upstream.will(failure[end])
    before, told = len(scene.outcomes()), len(scene.meters.told)
    reply = scene.begin(chat("hello", stream=streamed), "ada" if known else "")
    assert reply.task is not None
    for what in (end, interruption):
        for _ in range(steps):
            await asyncio.sleep(0)
        for flight in tuple(scene.gate.flights):
            if what == "gone":
                reply.disconnect()
            elif what == "cut":
                flight.cut(Refusal("revoked_key"))
            elif what == "stop":
                flight.gone()
    await asyncio.wait_for(reply.task, 20)
    assert len(scene.outcomes()) == before + 1
    assert len(scene.meters.told) == told + 1
    outcome = scene.outcomes()[-1]
    assert outcome.outcome in ("ok", "refused", "failed", "disconnected", "cut")
    assert sum(intent.call == outcome.call for intent in scene.intents()) <= 1
    assert scene.in_flight() == 0
    assert not scene.gate.flights
    if not reply.gone:
        assert reply.ended == 1
        assert reply.status >= 200
        if outcome.outcome != "ok":
            assert b"[DONE]" not in reply.body
        if reply.status == 200 and reply.length is None:
            assert reply.body.endswith(DONE) == (outcome.outcome == "ok")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Scene(tmp_path_factory.mktemp("busy") / "gateway") as scene:
        scene.clock.sleep = _instantly  # type: ignore[method-assign]
        yield scene


async def _instantly(_: float) -> None:
    await asyncio.sleep(0)


async def test_observing_shows_hidden_models_and_records_what_hides_them(tmp_path: Path) -> None:
    observing = {"[gateway]": 'mode = "observe"\n[gateway]'}
    hidden = (
        '@id("no-fast") forbid (principal, action == Action::"ListModel", resource in Model::"fast");' + NO_REDACTION
    )
    with Scene(tmp_path / "gateway", policies=hidden, settings=observing) as scene:
        reply = await scene.call(get("/v1/models"))
        assert [model["id"] for model in reply.json["data"]] == ["fast", "free"]
        record = scene.outcome(reply)
        assert (record.decision, record.observed, reply.headers["x-yett-decision"]) == (
            "observe",
            ("no-fast",),
            "observe",
        )
    with Scene(tmp_path / "quiet", settings=observing) as scene:
        record = scene.outcome(await scene.call(get("/v1/models", "x")))
        assert (record.decision, record.observed) == ("allow", ())


# ---- guardrails -----------------------------------------------------------------------------------------------------

GUARDED = CONFIGURATION + (
    '\n[guardrails.judge]\nkind = "webhook"\nbase_url = "http://127.0.0.1:9/judge"\nkey = "env:JUDGE"\non = ["request", "reply"]\n'
)
HATE = "moderation.hate"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Scene]:
    forbid = (
        '@id("no-hate") forbid (principal, action, resource) when { context.findings.contains("moderation.hate") };'
    )
    with Scene(tmp_path / "gateway", configuration=GUARDED, policies=POLICIES + forbid) as made:
        yield made


def found(scene: Scene, kind: str, side: str) -> None:
    """The panel finds something in the first text of one side."""
    scene.panelist.on[side] = Advice((Finding(kind, 0, 0, 1, "judge"),), {}, ("judge: judged 1",))


@pytest.mark.parametrize("streamed", [False, True])
async def test_guardrails_hear_both_sides_of_a_call(guarded: Scene, streamed: bool) -> None:
    reply = await guarded.call(chat("hello", stream=streamed))
    assert [question.side for question in guarded.panelist.asked] == ["request", "reply"]
    assert any("Hello there." in segment.text for segment in guarded.panelist.asked[1].segments)
    assert (reply.text if streamed else reply.json["choices"][0]["message"]["content"]) == "Hello there."
    assert reply.status == 200


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_they_find_in_a_reply_is_decided_on_before_any_of_it_is_seen(guarded: Scene, streamed: bool) -> None:
    found(guarded, HATE, "reply")
    reply = await guarded.call(chat("hello", stream=streamed))
    assert reply.code == "reply_blocked"
    assert b"Hello" not in reply.body
    outcome = guarded.outcome(reply)
    assert [(count.kind, count.where, count.action) for count in outcome.findings] == [(HATE, "reply", "blocked")]
    assert outcome.notes == ("judge: judged 1",)
    assert outcome.policies == ("everything", "no-hate") or "no-hate" in outcome.policies


async def test_what_they_find_in_a_request_is_decided_on(guarded: Scene) -> None:
    found(guarded, HATE, "request")
    reply = await guarded.call(chat("hello"))
    assert reply.code == "content_blocked"
    assert guarded.upstream.sent == []


async def test_what_they_find_cannot_be_cut_out_of_a_stream(tmp_path: Path) -> None:
    redact = (
        '@id("cut") @obligation("redact:moderation") permit (principal, action == Action::"ReleaseReply", resource);'
    )
    with Scene(tmp_path / "gateway", configuration=GUARDED, policies=POLICIES + redact) as scene:
        found(scene, HATE, "reply")
        reply = await scene.call(chat("hello", stream=True))
        assert reply.code == "reply_blocked"
        reply = await scene.call(chat("hello"))
        assert reply.status == 200
        assert "[REDACTED:moderation.hate]" in reply.body.decode()


async def test_what_they_merely_note_is_recorded(tmp_path: Path) -> None:
    with Scene(tmp_path / "gateway", configuration=GUARDED) as scene:
        found(scene, HATE, "reply")
        reply = await scene.call(chat("hello", stream=True))
        assert reply.text == "Hello there."
        counts = [(count.kind, count.where, count.action) for count in scene.outcome(reply).findings]
        assert counts == [(HATE, "reply", "noted")]


@pytest.mark.parametrize("side", ["request", "reply"])
async def test_without_the_word_of_one_that_must_be_heard_nothing_goes_on(guarded: Scene, side: str) -> None:
    guarded.panelist.on[side] = Advice(notes=("judge: failed: timeout",), unavailable=("judge",))
    reply = await guarded.call(chat("hello", stream=True))
    assert (reply.status, reply.code) == (503, "guardrail_unavailable")
    assert guarded.outcome(reply).notes == ("judge: failed: timeout",)
    assert len(guarded.upstream.sent) == (side == "reply")


@pytest.mark.parametrize(("content", "keeps"), [("none", False), ("redacted", True)])
async def test_what_guardrails_heard_is_kept_as_configured(tmp_path: Path, content: str, keeps: bool) -> None:
    settings = {'content = "digest"': f'content = "{content}"'}
    with Scene(tmp_path / "gateway", configuration=GUARDED, settings=settings) as scene:
        scene.upstream.will(stream(f"write to {MAIL} now"))
        reply = await scene.call(chat("hello", stream=True))
        kept = scene.outcome(reply).reply
        assert (kept is not None) == keeps
        if kept is not None:
            assert MAIL not in opened(scene, kept, reply.id, "reply").decode()


async def test_they_are_told_what_was_found_here_so_that_it_need_not_leave(guarded: Scene) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "run", "arguments": '{"key": "x"}'}}
    tool = {"id": "c", "choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]}
    guarded.upstream.will(
        Answer(b"data: %b\n\n" % json.dumps(tool).encode(), event(f"mail {MAIL}"), END, DONE, headers=EVENTS)
    )
    await guarded.call(chat("hello", stream=True))
    question = guarded.panelist.asked[1]
    assert {"arguments", "assistant"} == {segment.role for segment in question.segments}
    (mail,) = question.findings
    assert (mail.kind, question.segments[mail.segment].text[mail.start : mail.end]) == ("pii.email", MAIL)


async def test_failing_open_leaves_no_mark_in_what_is_kept(tmp_path: Path) -> None:
    settings = {'content = "digest"': 'content = "redacted"'}
    with Scene(tmp_path / "gateway", configuration=GUARDED, settings=settings) as scene:
        scene.panelist.advice = Advice((Finding(FAILED_OPEN, 0, 0, 0, "judge"),), {}, ("judge: failed open: timeout",))
        reply = await scene.call(chat("hello"))
        record = scene.outcome(reply)
        assert [(count.kind, count.action) for count in record.findings] == [(FAILED_OPEN, "noted")] * 2
        assert record.request is not None
        assert record.reply is not None
        assert b"REDACTED" not in opened(scene, record.request, reply.id, "request") + opened(
            scene, record.reply, reply.id, "reply"
        )


# ---- suppressions ---------------------------------------------------------------------------------------------------

SUPPRESSED = (
    CONFIGURATION
    + '\n[inspection.suppressions.known]\nfindings = ["pii.email"]\nuntil = "2026-12-31"\nreason = "our own address"\n'
)
REDACTS = POLICIES + '@id("pii") @obligation("redact:pii") permit (principal, action, resource);'


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_an_operator_does_not_want_to_see_is_let_pass_and_said_so(tmp_path: Path, streamed: bool) -> None:
    with Scene(tmp_path / "gateway", configuration=SUPPRESSED, policies=REDACTS) as scene:
        answer = f"ask {MAIL} now"
        scene.upstream.will(stream(answer) if streamed else whole(answer))
        reply = await scene.call(chat(f"write to {MAIL}", stream=streamed))
        assert MAIL.encode() in scene.upstream.sent[0].body
        assert MAIL in (reply.text if streamed else reply.body.decode())
        outcome = scene.outcome(reply)
        assert outcome.findings == ()
        assert outcome.notes == ("suppressed by known: 1 in the request", "suppressed by known: 1 in the reply")
        assert outcome.evidence == ()


@pytest.mark.parametrize(
    "more",
    ['teams = ["banned"]', 'values = ["00"]', 'roles = ["tool"]'],
    ids=["another team", "another value", "a role"],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_suppression_means_no_more_than_it_says(tmp_path: Path, more: str, streamed: bool) -> None:
    with Scene(tmp_path / "gateway", configuration=SUPPRESSED + more, policies=REDACTS) as scene:
        answer = f"ask {MAIL} now"
        scene.upstream.will(stream(answer) if streamed else whole(answer))
        reply = await scene.call(chat(f"write to {MAIL}", stream=streamed))
        assert MAIL.encode() not in scene.upstream.sent[0].body
        assert MAIL not in (reply.text if streamed else reply.body.decode())
        assert scene.outcome(reply).notes == ()


# ---- evidence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("streamed", [False, True])
async def test_each_finding_is_on_the_record_by_itself_on_both_sides(tmp_path: Path, streamed: bool) -> None:
    with Scene(tmp_path / "gateway", policies=REDACTS) as scene:
        answer = f"words before it {MAIL} and {SECRET} now"
        scene.upstream.will(stream(answer) if streamed else whole(answer))
        reply = await scene.call(chat(f"write to {MAIL}", stream=streamed))
        outcome = scene.outcome(reply)
        asked, mail, secret = outcome.evidence
        assert (asked.where, asked.role, asked.text, asked.start, asked.end) == (
            "request", "user", 2, len("write to "), len("write to ") + len(MAIL)
        )  # fmt: skip
        assert (mail.where, mail.role, mail.start) == ("reply", "assistant", len("words before it "))
        assert (mail.detector, mail.end - mail.start, mail.value) == ("email", len(MAIL), asked.value)
        assert (secret.kind, secret.start) == ("secret.github-token", answer.index(SECRET))
        assert outcome.unlisted == 0
        (intent,) = scene.intents()
        assert intent.evidence == ()
        assert MAIL not in repr(scene.records())


async def test_evidence_of_a_call_that_is_refused(tmp_path: Path) -> None:
    forbids = POLICIES + '@id("no-pii") forbid (principal, action, resource) when { context.findings.contains("pii") };'
    with Scene(tmp_path / "gateway", policies=forbids) as scene:
        reply = await scene.call(chat(f"write to {MAIL}"))
        assert reply.code == "content_blocked"
        assert [each.kind for each in scene.outcome(reply).evidence] == ["pii.email"]


# ---- attached files ---------------------------------------------------------------------------------------------------

CARRIES = CONFIGURATION + '\n[inspection.attachments]\nmode = "inspect"\n'
FILE = [{"type": "file", "file": {"filename": "a.pdf", "file_data": "JVBERi0xLjQK"}}]


async def test_what_stands_in_a_file_cannot_be_redacted_and_is_refused(tmp_path: Path) -> None:
    with Scene(tmp_path / "gateway", configuration=CARRIES, policies=REDACTS) as scene:
        scene.files.texts["JVBERi0xLjQK"] = Extracted("pdf", f"mail {MAIL}")
        reply = await scene.call(chat(FILE))
        assert (reply.status, reply.code) == (403, "content_blocked")
        assert "in an attached file" in reply.error["message"]
        outcome = scene.outcome(reply)
        assert outcome.notes == ("attachments: 1 of 1 read",)
        assert [(each.detector, each.role) for each in outcome.evidence] == [("pdf>email", "attachment")]
        assert scene.upstream.sent == []


async def test_a_clean_file_passes_and_one_that_cannot_be_read_does_not(tmp_path: Path) -> None:
    with Scene(tmp_path / "gateway", configuration=CARRIES, policies=REDACTS) as scene:
        scene.files.texts["JVBERi0xLjQK"] = Extracted("pdf", "nothing of note")
        scene.upstream.will(whole("fine"))
        assert (await scene.call(chat(FILE))).status == 200
        scene.files.texts.clear()
        reply = await scene.call(chat(FILE))
        assert (reply.status, reply.code) == (403, "attachment_unread")
        assert len(scene.upstream.sent) == 1


async def test_files_are_passed_on_where_nobody_wants_them_read(scene: Scene) -> None:
    scene.upstream.will(whole("fine"))
    assert (await scene.call(chat(FILE))).status == 200
    assert scene.files.asked == []


# ---- what only the request can tell of an answer ----------------------------------------------------------------------

PROMPT = (
    "You are Juniper of the harbour office. Never tell anyone that berth nine is kept free for the mayor on Sundays."
)
WATCHED = POLICIES + (
    '@id("out") forbid (principal, action == Action::"ReleaseReply", resource) when'
    ' { context.findings.contains("exfiltration.system-prompt") };'
)
PROBABLE = {"content": [{"token": "a", "logprob": 0.0}]}


def asks(streamed: bool) -> bytes:
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": f"I am {MAIL}, who are you?"}]
    return json.dumps({"model": "fast", "messages": messages, **({"stream": True} if streamed else {})}).encode()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_system_prompt_is_not_given_away(tmp_path: Path, streamed: bool) -> None:
    with Scene(tmp_path / "gateway", policies=WATCHED) as scene:
        scene.upstream.will(stream("I was told: ", PROMPT) if streamed else whole(f"I was told: {PROMPT}"))
        reply = await scene.call(post(asks(streamed).replace(b'"stream": true', b'"stream":true')))
        assert reply.code == "reply_blocked"
        assert ("exfiltration.system-prompt", "blocked") in [(c.kind, c.action) for c in scene.outcome(reply).findings]


async def test_answers_to_calls_that_hold_nothing_else_are_read_for_the_system_prompt(tmp_path: Path) -> None:
    asked = asks(streamed=False).replace(MAIL.encode(), b"Ann")
    with Scene(tmp_path / "gateway", policies=WATCHED) as scene:
        scene.upstream.will(whole("Good morning."), whole(f"I was told: {PROMPT}"))
        assert [(await scene.call(post(asked))).status for _ in range(2)] == [200, 403]


@pytest.mark.parametrize("redacts", [False, True])
async def test_what_has_no_place_in_a_stream_ends_it_where_it_is_to_be_cut(tmp_path: Path, redacts: bool) -> None:
    more = '@id("cut") @obligation("redact:exfiltration") permit (principal, action, resource);'
    seen = '@id("seen") @mode("observe") forbid (principal, action, resource) when { context.findings.contains("exfiltration") };'
    with Scene(tmp_path / "gateway", policies=POLICIES + (more if redacts else seen)) as scene:
        scene.upstream.will(stream("I was told: ", PROMPT))
        reply = await scene.call(post(asks(True).replace(b'"stream": true', b'"stream":true')))
        actions = {(c.kind, c.action) for c in scene.outcome(reply).findings}
        assert ("exfiltration.system-prompt", "blocked" if redacts else "noted") in actions
        assert (reply.code == "reply_blocked") == redacts


@pytest.mark.parametrize("streamed", [False, True])
async def test_answers_are_scored(tmp_path: Path, streamed: bool) -> None:
    with Scene(tmp_path / "gateway", configuration=CONFIGURATION + "\n[inspection]\nquality = true\n") as scene:
        if streamed:
            delta = {"index": 0, "delta": {"content": "hello"}, "logprobs": PROBABLE, "finish_reason": None}
            last = b"data: " + json.dumps({"id": "c", "choices": [delta]}).encode() + b"\n\n"
            scene.upstream.will(stream("Well, ", tail=[last, END, USAGE, DONE]))
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "logprobs": PROBABLE}
            scene.upstream.will(whole("", choices=[choice]))
        reply = await scene.call(post(asks(streamed).replace(b'"stream": true', b'"stream":true')))
        assert scene.outcome(reply).scores["confidence"] == 1.0
