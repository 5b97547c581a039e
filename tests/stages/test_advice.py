"""What guardrails say joins what was found, and a call does not go on without the word of one that must be heard."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from tests.scene import MAIL, Panelist, chat, get
from tests.stages.conftest import Compiled, caller_of, keyed, seen_by, trail_of

from yett.config.snapshot import Snapshot
from yett.dialects import openai_chat
from yett.errors import Refusal
from yett.model.call import Inbound
from yett.model.finding import Finding
from yett.model.guardrail import Advice, Guardrail, Panel
from yett.model.route import Provider, Timeouts
from yett.model.segment import Segment
from yett.stages import advice
from yett.stages.inspect import NOTHING, Seen
from yett.stages.record import Trail
from yett.stages.understand import surface_of

HATE = Finding("moderation.hate", 2, 0, 4, "g:hate", 0.9)
PANEL = Panel((Guardrail(id="g", kind="webhook", provider=Provider("g", "webhook", "", (), (), Timeouts())),), 1.0)


def consulted(
    snapshot: Snapshot, panelist: Panelist, inbound: Inbound, seen: Seen | None = None, panel: Panel | None = PANEL
) -> tuple[Seen, Trail]:
    snapshot = replace(snapshot, panel=panel)
    surface, trail = surface_of(inbound), trail_of(snapshot)
    call = surface.read(surface, inbound, ("eu",))
    seen = seen or seen_by(snapshot, surface, call)
    return asyncio.run(advice.on_request(panelist, trail, caller_of(snapshot), call, seen)), trail


def test_what_guardrails_say_is_seen_too(snapshot: Snapshot) -> None:
    panelist = Panelist(Advice((HATE,), {"injection": 0.678, "toxicity": 0.9}, ("g: judged 1",)))
    inbound = chat(f"write to {MAIL}")
    both, trail = consulted(snapshot, panelist, inbound)
    (question,) = panelist.asked
    assert (question.side, question.tenant, question.labels) == ("request", "default", ("eu",))
    assert question.segments == openai_chat.segments(inbound.body)
    assert [finding.kind for finding in question.findings] == ["pii.email"]
    assert sorted(finding.kind for finding in both.findings) == ["moderation.hate", "pii.email"]
    assert both.injection == 65
    assert trail.notes == ("g: judged 1",)


def test_they_are_shown_texts_in_which_nothing_was_found(snapshot: Snapshot) -> None:
    panelist = Panelist(Advice((HATE,), {}, ("g: judged 1",)))
    both, _ = consulted(snapshot, panelist, chat("hello"), Seen(injection=70))
    assert "hello" in [segment.text for segment in panelist.asked[0].segments]
    assert panelist.asked[0].scores == {"injection": 0.7}
    assert (both.findings, both.injection) == ((HATE,), 70)
    assert both.segments == panelist.asked[0].segments


def test_when_they_say_nothing_nothing_changes(snapshot: Snapshot) -> None:
    seen, trail = consulted(snapshot, Panelist(Advice(notes=("g: judged 1",))), chat("hello"), NOTHING)
    assert seen is NOTHING
    assert trail.notes == ("g: judged 1",)


@pytest.mark.parametrize("panel", [None, Panel((), 1.0)])
def test_nobody_is_asked_where_nobody_is_to_be(snapshot: Snapshot, panel: Panel | None) -> None:
    panelist = Panelist()
    assert consulted(snapshot, panelist, chat("hello"), NOTHING, panel)[0] is NOTHING
    assert panelist.asked == []


def test_what_yett_answers_itself_is_nobody_s_business(snapshot: Snapshot) -> None:
    panelist = Panelist()
    consulted(snapshot, panelist, get("/v1/models"))
    assert panelist.asked == []


def test_a_reply_is_put_to_them_as_well(snapshot: Snapshot) -> None:
    mail = Finding("pii.email", 0, 3, 9, "mail")
    seen = Seen((mail,), (Segment("to x@y.zz", "assistant", 0),))
    hate = replace(HATE, segment=0)
    panelist = Panelist(Advice((hate,), {}, ("g: judged 1",)))
    trail = trail_of(snapshot)
    trail.labels = ("eu",)
    both = asyncio.run(advice.on_reply(panelist, PANEL, trail, seen))
    assert both.findings == (hate, mail)
    question = panelist.asked[0]
    assert (question.side, question.segments, question.tenant, question.labels) == ("reply", seen.segments, "", ("eu",))
    assert trail.notes == ("g: judged 1",)


def test_without_the_word_of_some_the_call_does_not_go_on(snapshot: Snapshot, compiled: Compiled) -> None:
    missing = Panelist(Advice(notes=("a: failed: timeout",), unavailable=("a", "b")))
    with pytest.raises(Refusal, match='The guardrail "a" and "b" has not judged') as caught:
        consulted(snapshot, missing, chat("hello"))
    assert (caught.value.code, caught.value.status) == ("guardrail_unavailable", 503)
    observing = keyed(replace(snapshot, settings=replace(snapshot.settings, mode="observe")))
    assert consulted(observing, missing, chat("hello"), NOTHING)[1].notes == ("a: failed: timeout",)
