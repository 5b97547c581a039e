"""What policies can ask beside findings, through the whole pipeline: what a text is, what guardrails score, how good an answer is."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.scene import CONFIGURATION, DONE, EVENTS, SECRET, Answer, Reply, Scene, chat, get, stream, whole

from yett.model.guardrail import Advice
from yett.model.record import Record

GRANT = '@id("everything") permit (principal, action, resource);'
GUARDED = CONFIGURATION + (
    '\n[guardrails.judge]\nkind = "webhook"\nbase_url = "http://127.0.0.1:9/judge"\nkey = "env:JUDGE"\non = ["request", "reply"]\n'
)
GERMAN = "Warum ist der Zug an die Küste heute Morgen so spät gekommen?"
ENGLISH = "Why was the train to the coast so late this morning?"
CODE = "Why does this fail?\n```python\nimport os\nos.frobnicate()\n```"

Make = Callable[..., Scene]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Scene] = []

    def scene(*policies: str, configuration: str = CONFIGURATION) -> Scene:
        folder = tmp_path / str(len(made))
        made.append(Scene(folder, configuration=configuration, policies="\n".join((GRANT, *policies))))
        return made[-1]

    yield scene
    for each in made:
        each.close()


def facts(record: Record) -> dict[str, Any]:
    return dict(msgspec.json.decode(bytes(record.facts)))


def tags(scene: Scene, reply: Reply) -> list[str]:
    return [obligation for obligation in scene.outcome(reply).obligations if obligation.startswith("tag:")]


async def test_another_language_does_not_reach_a_model(make: Make) -> None:
    scene = make(
        '@id("english-only") forbid (principal, action == Action::"InvokeModel", resource in Model::"fast")'
        ' when { context has languages && !["en"].containsAll(context.languages) };'
    )
    for _ in range(2):  # the second time from memory
        reply = await scene.call(chat(GERMAN))
        assert (reply.code, reply.error["yett"]["policies"]) == ("policy_denied", ["english-only"])
        assert (await scene.call(chat(ENGLISH))).status == 200
    assert (await scene.call(chat(GERMAN, model="free"))).status == 200
    assert (await scene.call(chat("OK"))).status == 200, "it cannot be told"
    assert [facts(record).get("languages") for record in scene.intents()] == [["en"], ["en"], ["de"], None]


async def test_code_goes_home_and_stays_there(make: Make) -> None:
    scene = make(
        '@id("code-at-home") @obligation("route:on-prem") permit (principal, action == Action::"InvokeModel", resource)'
        ' when { !context.code.isEmpty() && !["shell"].containsAll(context.code) };'
    )
    for text in (ENGLISH, CODE, "```sh\nls\n```"):
        assert (await scene.call(chat(text))).status == 200
    assert [sent.provider.id for sent in scene.upstream.sent] == ["sim", "local", "sim"]


async def test_files_are_known_by_what_they_are(make: Make) -> None:
    scene = make(
        '@id("no-programs") forbid (principal, action, resource) when { context.files.containsAny(["exe", "elf"]) };'
    )
    program = b64encode(b"MZ" + bytes(80)).decode()
    part = {"type": "file", "file": {"filename": "notes.txt", "file_data": f"data:text/plain;base64,{program}"}}
    body = {"model": "fast", "messages": [{"role": "user", "content": [{"type": "text", "text": "read it"}, part]}]}
    inbound = chat("x")
    reply = await scene.call(msgspec.structs.replace(inbound, body=json.dumps(body).encode()))
    assert reply.error["yett"]["policies"] == ["no-programs"]


async def test_what_nobody_asks_for_is_not_worked_out(make: Make) -> None:
    scene = make()
    reply = await scene.call(chat(GERMAN + CODE))
    assert reply.status == 200
    assert {"languages", "code"}.isdisjoint(facts(scene.intents()[0]))
    assert {"x-yett-groundedness", "x-yett-tags"}.isdisjoint(reply.headers)


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_guardrails_score_is_known_by_category_on_both_sides(make: Make, streamed: bool) -> None:
    scene = make(
        '@id("no-hate") forbid (principal, action, resource) when { context has moderation.hate && context.moderation.hate >= 60 };',
        '@id("harmless") forbid (principal, action == Action::"ReleaseReply", resource) when { context has harm && context.harm > 40 };',
        '@id("rude") @obligation("tag:rude") permit (principal, action, resource)'
        " when { context has toxicity && context.toxicity >= 50 };",
        configuration=GUARDED,
    )
    rude = Advice(scores={"toxicity": 0.52, "moderation.hate": 0.2, "moderation.self-harm": 0.1, "injection": 0.2})
    scene.panelist.on["request"] = rude
    reply = await scene.call(chat("hello", stream=streamed))
    assert tags(scene, reply) == ["tag:rude"]
    recorded = facts(scene.intents()[0])
    assert (recorded["toxicity"], recorded["moderation"]) == (50, [["hate", 20], ["self_harm", 10]])
    assert "harm" not in recorded, "of the reply alone is nothing said"
    scene.panelist.on["request"] = Advice(scores={"harm": 0.9})
    assert (await scene.call(chat("hello", stream=streamed))).code == "", "a prompt may be harmful here, a reply not"
    scene.panelist.on = {"reply": Advice(scores={"harm": 0.9})}
    reply = await scene.call(chat("hello", stream=streamed))
    assert (reply.code, b"there" in reply.body) == ("reply_blocked", False)
    scene.panelist.on = {"reply": rude}
    assert tags(scene, reply := await scene.call(chat("hello", stream=streamed))) == ["tag:rude"]
    assert b"there" in reply.body
    scene.panelist.on = {"request": Advice(scores={"moderation.hate": 0.6})}
    reply = await scene.call(chat("hello", stream=streamed))
    assert reply.error["yett"]["policies"] == ["no-hate"]


RATED = (
    (
        '@id("made-up") @obligation("tag:made-up") permit (principal, action == Action::"ReleaseReply", resource)'
        " when { context has groundedness && context.groundedness < 50 };"
    ),
    (
        '@id("unsure") @mode("observe") forbid (principal, action == Action::"ReleaseReply", resource)'
        " when { context has confidence && context.confidence < 80 };"
    ),
)
SOURCE = "Invoice 4711 of Northwind is over 1,250 euros."
TRUE, MADE_UP = "Invoice 4711 is over 1250 euros.", "Invoice 9999 is over 7300 euros for Contoso."


@pytest.mark.parametrize(("answer", "grounded", "tagged"), [(TRUE, "1.00", []), (MADE_UP, "0.00", ["tag:made-up"])])
async def test_how_good_an_answer_is_is_told_and_noted(
    make: Make, answer: str, grounded: str, tagged: list[str]
) -> None:
    scene = make(*RATED)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer},
        "finish_reason": "stop",
        "logprobs": {"content": [{"token": "a", "logprob": -0.6931471805599453}]},
    }
    scene.upstream.will(whole("", choices=[choice]))
    reply = await scene.call(chat(SOURCE))
    assert reply.json["choices"][0]["message"]["content"] == answer
    assert (reply.headers["x-yett-groundedness"], reply.headers["x-yett-confidence"]) == (grounded, "0.50")
    assert reply.headers.get("x-yett-tags", "") == ", ".join(tag[4:] for tag in tagged)
    assert tags(scene, reply) == tagged
    record = scene.outcome(reply)
    assert ("made-up" in record.policies, record.observed) == (bool(tagged), ("unsure",))
    shown = (await scene.call(get(f"/yett/v1/calls/{reply.id}"))).json
    assert shown["scores"] == {"confidence": 0.5, "least_confidence": 0.5, "groundedness": float(grounded)}


async def test_a_stream_is_rated_when_it_is_over(make: Make) -> None:
    scene = make(*RATED)
    scene.upstream.will(stream("Invoice 9999 ", "is over 7300 ", "euros."))
    reply = await scene.call(chat(SOURCE, stream=True))
    assert reply.text == "Invoice 9999 is over 7300 euros."
    assert b": x-yett-groundedness: 0.00\n: x-yett-tags: made-up\n" in reply.body
    assert tags(scene, reply) == ["tag:made-up"]
    shown = (await scene.call(get(f"/yett/v1/calls/{reply.id}"))).json
    assert shown["scores"] == {"groundedness": 0.0}


async def test_an_answer_that_claims_nothing_is_not_rated(make: Make) -> None:
    scene = make(*RATED)
    reply = await scene.call(chat(SOURCE))
    assert (reply.status, "x-yett-groundedness" in reply.headers) == (200, False)


async def test_metadata_is_told_to_nobody_who_is_not_to_have_it(make: Make) -> None:
    quiet = CONFIGURATION.replace("[gateway]", "[gateway]\nexpose_metadata = false")
    scene = make(*RATED, configuration=quiet)
    scene.upstream.will(whole(MADE_UP))
    reply = await scene.call(chat(SOURCE))
    assert {"x-yett-groundedness", "x-yett-tags", "x-yett-cost-usd"}.isdisjoint(reply.headers)
    assert tags(scene, reply) == ["tag:made-up"]


# ---- where it stands ------------------------------------------------------------------------------------------------

PLACES = {
    "assistant": {"content": f"It is {SECRET}."},
    "refusal": {"content": None, "refusal": f"I cannot tell {SECRET}."},
    "reasoning": {"content": "Hm.", "reasoning_content": f"The key is {SECRET}"},
    "annotation": {"content": "See.", "annotations": [{"type": "url_citation", "url_citation": {"title": f"{SECRET} page"}}]},
    "url": {"content": "See.", "annotations": [{"type": "url_citation", "url_citation": {"url": f"https://a.example/{SECRET}"}}]},
    "arguments": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": f'{{"k": "{SECRET}"}}'}}]},
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("place", PLACES)
async def test_policies_tell_the_places_of_a_reply_apart(make: Make, place: str, streamed: bool) -> None:
    forbid = "".join(
        f'@id("not-in-{role}") forbid (principal, action == Action::"ReleaseReply", resource)'
        f' when {{ context.findings.contains("secret@{role}") }};'
        for role in PLACES
    )
    scene = make(forbid)
    others = [{"index": 0, "delta" if streamed else "message": {"content": "Nothing here."}, "finish_reason": "stop"}]
    choice = {"index": 1, "delta" if streamed else "message": PLACES[place], "finish_reason": "stop"}
    if streamed:
        events = [json.dumps({"id": "c", "choices": [each]}).encode() for each in (*others, choice)]
        scene.upstream.will(Answer(*(b"data: %b\n\n" % each for each in events), DONE, headers=EVENTS))
    else:
        scene.upstream.will(whole("", choices=[*others, choice]))
    reply = await scene.call(chat("hello", n=2, stream=streamed))
    assert (reply.code, reply.error["yett"]["policies"]) == ("reply_blocked", [f"not-in-{place}"])
    assert SECRET.encode() not in reply.body


async def test_what_was_retrieved_is_told_from_what_was_asked(make: Make) -> None:
    scene = make(
        '@id("clean-sources") forbid (principal, action, resource) when { context.findings.contains("secret@document") };'
    )
    assert (await scene.call(chat(f"I have {SECRET}"))).status == 200
    reply = await scene.call(chat("sum it up", documents=[{"title": "notes", "text": f"key {SECRET}"}]))
    assert reply.error["yett"]["policies"] == ["clean-sources"]
    schema = {"properties": {"url": {"description": f"like {SECRET}"}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    await scene.call(chat("hello", tools=tools))
    assert "secret@definition" in facts(scene.intents()[-1])["findings"]
