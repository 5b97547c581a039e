"""What may be put back into a reply: by class, by place and by tool, as policy says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene import MAIL, NOW, chat
from tests.stages.conftest import Compiled, caller_of, keyed, seen_by, trail_of

from yett.config.snapshot import Snapshot
from yett.detectors.engine import Scanner
from yett.detectors.shelf import SHELF
from yett.errors import Refusal
from yett.model.record import FindingCount
from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.redaction.known import LITERAL, Known
from yett.stages import decide
from yett.stages.duties import Duties
from yett.stages.record import Trail
from yett.stages.restore import Restoration, allowed
from yett.stages.stream import StreamReview
from yett.stages.stream_findings import StreamFindings
from yett.stages.understand import surface_of

TOKEN, CARD_TOKEN, TEXT_TOKEN = "EMAIL_7Q2MKDB3", "CARD_7Q2MKDB4", "TEXT_7Q2MKDB5"
NAME_TOKEN, NAME = "NAME_7Q2MKDB6", 'Ada "The\\Countess"\nLovelace 🙂'
CARD = "4111 1111 1111 1111"
KNOWN = Known(
    [
        Substitute("pii.email", TOKEN, Secret(MAIL)),
        Substitute("pii.card", CARD_TOKEN, Secret(CARD)),
        Substitute(LITERAL, TEXT_TOKEN, Secret(TOKEN)),
        Substitute("pii.name", NAME_TOKEN, Secret(NAME)),
    ]
)
ALL = '@id("all") permit (principal, action, resource);'
SCANNER = Scanner(SHELF)
FREELY = Duties()


def restoration(duties: Duties | None = FREELY, *, json: bool = False) -> Restoration:
    return Restoration(KNOWN, duties, json=json, limit=1 << 20)


def message(content: object = None, **more: object) -> bytes:
    return json.dumps(
        {"id": TOKEN, "choices": [{"index": 0, "message": {"role": "assistant", "content": content, **more}}]}
    ).encode()


def call(name: str, arguments: str) -> dict[str, Any]:
    return {"id": f"call_{TOKEN}", "type": "function", "function": {"name": name, "arguments": arguments}}


# ---- what policy says -------------------------------------------------------------------------------------------------------


def asked(snapshot: Snapshot) -> tuple[Duties | None, Trail]:
    inbound, caller, trail = chat("hello"), caller_of(snapshot), trail_of(snapshot)
    surface = surface_of(inbound)
    made = surface.read(surface, inbound, ())
    plan = decide.after_inspection(snapshot, caller, made, seen_by(snapshot, surface, made), NOW, trail)
    return allowed(plan, trail, plan.targets[0], KNOWN), trail


def test_without_a_word_of_policy_everything_is_put_back(compiled: Compiled) -> None:
    assert asked(keyed(compiled(ALL)))[0] == Duties()


def test_policy_is_asked_about_what_would_be_put_back(compiled: Compiled) -> None:
    policies = ALL + (
        '@id("held") @obligation("withhold:pii.card, restore:pii.email@send_mail, redact:secret")'
        ' permit (principal, action == Action::"ReleaseReply", resource) when { context.findings.containsAll(["pii", "pii.card"]) };'
    )
    duties, trail = asked(keyed(compiled(policies)))
    assert duties == Duties(redact=("secret",), withhold=("pii.card",), restore=(("pii.email", "send_mail"),))
    assert trail.obligations == ("restore:pii.email@send_mail", "withhold:pii.card")


def test_what_would_not_be_released_is_not_put_back(compiled: Compiled) -> None:
    policies = (
        ALL
        + '@id("no") forbid (principal, action == Action::"ReleaseReply", resource) when { context.findings.contains("pii") };'
    )
    assert asked(keyed(compiled(policies)))[0] is None


@pytest.mark.parametrize(
    ("duties", "out"),
    [
        (Duties(), f"{MAIL} {CARD} {TOKEN}"),
        (Duties(withhold=("pii.card",)), f"{MAIL} {CARD_TOKEN} {TOKEN}"),
        (Duties(withhold=("pii",)), f"{TOKEN} {CARD_TOKEN} {TOKEN}"),
        (Duties(redact=("pii.email",)), f"{TOKEN} {CARD} {TOKEN}"),
        (None, f"{TOKEN} {CARD_TOKEN} {TOKEN}"),
    ],
)
def test_what_is_withheld_stays(duties: Duties | None, out: str) -> None:
    body = restoration(duties).body(message(f"{TOKEN} {CARD_TOKEN} {TEXT_TOKEN}"))
    assert json.loads(body)["choices"][0]["message"]["content"] == out


# ---- where --------------------------------------------------------------------------------------------------------------------


def test_only_words_of_the_model_change() -> None:
    made = restoration()
    body = message(
        f"To {TOKEN}", refusal=TOKEN, name=None, tool_calls=[call(f"mail_{TOKEN}", json.dumps({"to": TOKEN}))]
    )
    assert made.body(body) == body.replace(b'"To %b"' % TOKEN.encode(), b'"To %b"' % MAIL.encode()).replace(
        b'"refusal": "%b"' % TOKEN.encode(), b'"refusal": "%b"' % MAIL.encode()
    )
    assert made.counted == [FindingCount("pii.email", 2, "reply", "restored")]


def test_a_reply_without_tokens_is_left_alone() -> None:
    body = message("Hello")
    assert restoration().body(body) is body


def test_arguments_are_restored_for_the_tools_that_may() -> None:
    arguments = json.dumps({"to": TOKEN, "name": NAME_TOKEN, "card": CARD_TOKEN, "note": TEXT_TOKEN})
    body = message(None, tool_calls=[call("send_mail", arguments), call("other", arguments)])
    made = restoration(Duties(restore=(("pii.email", "send_mail"), ("pii.name", "send_mail"))))
    calls = json.loads(made.body(body))["choices"][0]["message"]["tool_calls"]
    assert json.loads(calls[0]["function"]["arguments"]) == {
        "to": MAIL,
        "name": NAME,
        "card": CARD_TOKEN,
        "note": TOKEN,
    }
    assert calls[1]["function"]["arguments"] == arguments
    every = restoration(Duties(restore=(("pii", "*"),), withhold=("pii.email",)))
    calls = json.loads(every.body(body))["choices"][0]["message"]["tool_calls"]
    assert json.loads(calls[1]["function"]["arguments"]) == {"to": TOKEN, "name": NAME, "card": CARD, "note": TOKEN}


def test_other_forms_of_calls() -> None:
    old = {"name": "send_mail", "arguments": json.dumps({"to": NAME_TOKEN})}
    custom = {"type": "custom", "custom": {"name": "send_mail", "input": f"to {NAME_TOKEN}"}}
    body = message([{"type": "text", "text": NAME_TOKEN}], function_call=old, tool_calls=[custom])
    found = json.loads(restoration(Duties(restore=(("pii", "send_mail"),))).body(body))["choices"][0]["message"]
    assert found["content"][0]["text"] == NAME
    assert json.loads(found["function_call"]["arguments"]) == {"to": NAME}
    assert found["tool_calls"][0]["custom"]["input"] == f"to {NAME}"


def test_an_answer_that_is_json_stays_json() -> None:
    body = message(json.dumps({"name": NAME_TOKEN}), reasoning_content=f'the "{NAME_TOKEN}')
    found = json.loads(restoration(json=True).body(body))["choices"][0]["message"]
    assert json.loads(found["content"]) == {"name": NAME}
    assert found["reasoning_content"] == f'the "{NAME}'


def test_a_reply_that_can_be_read_in_two_ways_is_none() -> None:
    with pytest.raises(Refusal):
        restoration().body(b'{"a":"x","a":"%b"}' % TOKEN.encode())


# ---- streams --------------------------------------------------------------------------------------------------------------------


def event(**delta: object) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def texts(stream: bytes) -> tuple[str, str]:
    """The content and the first tool call's arguments, as a client puts them together."""
    content = arguments = ""
    for part in stream.split(b"\n\n"):
        if part.startswith(b"data: {"):
            delta = json.loads(part[6:])["choices"][0]["delta"]
            content += delta.get("content") or ""
            arguments += "".join(each["function"].get("arguments", "") for each in delta.get("tool_calls", []))
    return content, arguments


def streamed(content: str, arguments: str, size: int, made: StreamReview, tool: str = "send_mail") -> bytes:
    chunks = [event(tool_calls=[{"index": 0, "id": "call_1", "function": {"name": tool, "arguments": ""}}])]
    for at in range(0, max(len(content), len(arguments)), size):
        if content[at : at + size]:
            chunks.append(event(content=content[at : at + size]))
        if arguments[at : at + size]:
            chunks.append(event(tool_calls=[{"index": 0, "function": {"arguments": arguments[at : at + size]}}]))
    return b"".join([*[made.feed(chunk) for chunk in chunks], made.feed(b"data: [DONE]\n\n")])


def review(
    made: Restoration, scanner: Scanner | None = SCANNER, keep: str = "full", redact: tuple[str, ...] = ("pii",)
) -> StreamReview:
    return StreamReview(
        scanner, StreamFindings(lambda _: redact), want_usage=True, keep=keep, limit=1 << 20, restoration=made
    )


@pytest.mark.parametrize("scanner", [SCANNER, None], ids=["inspected", "not inspected"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 100])
def test_a_stream_is_restored_however_it_is_cut(scanner: Scanner | None, size: int) -> None:
    content = f"Write to {TOKEN}'s, or\n{NAME_TOKEN.lower()}; not {TEXT_TOKEN} but EMAIL_7Q2MKDB2. {CARD_TOKEN}"
    arguments = json.dumps({"to": TOKEN, "name": f'"{NAME_TOKEN}"', "é": CARD_TOKEN})
    made = restoration(Duties(restore=(("pii.name", "send_mail"), ("pii.email", "other")), withhold=("pii.card",)))
    reviewed = review(made, scanner)
    told, given_to_tool = texts(streamed(content, arguments, size, reviewed))
    assert told == f"Write to {MAIL}'s, or\n{NAME}; not {TOKEN} but EMAIL_7Q2MKDB2. {CARD_TOKEN}"
    assert json.loads(given_to_tool) == {"to": TOKEN, "name": f'"{NAME}"', "é": CARD_TOKEN}
    # What the record keeps is what the provider wrote.
    assert reviewed.texts["0/delta/content"] == content
    assert sorted((count.kind, count.count) for count in made.counted) == [("pii.email", 1), ("pii.name", 2)]


def test_arguments_of_a_tool_that_may_not_leave_as_they_came() -> None:
    arguments = json.dumps({"to": TOKEN})
    assert texts(streamed("", arguments, 3, review(restoration()), "other")) == ("", arguments)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [TOKEN, CARD_TOKEN, TOKEN[:9], "EMA", "_", "\\", " ", "ada@corp.example.net", "word ", "é", NAME_TOKEN]
        ),
        max_size=8,
    ).map("".join),
    st.integers(1, 12),
    st.sampled_from([("pii",), ()]),
)
def test_a_stream_says_what_the_whole_would(content: str, size: int, redact: tuple[str, ...]) -> None:
    """Also where something is redacted right beside a token."""
    whole = texts(streamed(content, "", 10_000, review(restoration(), redact=redact)))
    assert texts(streamed(content, "", size, review(restoration(), redact=redact))) == whole
    assert texts(streamed(content, "", size, review(restoration(), keep="", redact=redact))) == whole


def test_what_the_model_makes_up_itself_is_still_redacted() -> None:
    told, _ = texts(streamed(f"{TOKEN} and eve@corp.example.net {TOKEN}", "", 4, review(restoration())))
    assert told == f"{MAIL} and [REDACTED:pii.email] {MAIL}"


def test_words_do_not_wait_for_each_other() -> None:
    made = review(restoration(), None)
    assert texts(made.feed(event(content="Hello there. "))) == ("Hello there. ", "")
    assert texts(made.feed(event(content="To EMAIL_7Q"))) == ("To ", "")
    assert texts(made.feed(event(content="2MKDB3 now"))) == (f"{MAIL} now", "")
