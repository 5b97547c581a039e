"""Obligations carried out on the body: exactly what was found, for the targets that it is asked for."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene import MAIL, NOW, SECRET, chat, post
from tests.stages.conftest import Compiled, caller_of, keyed, seen_by, trail_of

from yett.config.snapshot import Snapshot
from yett.detectors.engine import Scanner
from yett.detectors.mask import mask
from yett.detectors.shelf import SHELF
from yett.dialects import openai_chat
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.call import Inbound
from yett.model.route import Secret
from yett.model.segment import Segment
from yett.model.substitute import Substitute
from yett.redaction.known import LITERAL
from yett.stages import decide, inspect, transform
from yett.stages.record import Trail
from yett.stages.understand import surface_of


class Memory:
    """Implements `ports.Vault`, for as long as the test runs."""

    def __init__(self) -> None:
        self.kept: dict[tuple[bytes, str], Substitute] = {}
        self.seconds: set[float] = set()
        self.owners: set[bytes] = set()
        self.works = True
        self.forgets = False

    async def keep(
        self, owner: bytes, task: bytes, substitutes: Iterable[Substitute], seconds: float
    ) -> list[Substitute] | None:
        self.seconds.add(seconds)
        self.owners.add(owner)
        there = [(self.kept.setdefault((task, each.shown), each), each) for each in substitutes]
        taken = [found for found, each in there if found.value.reveal() != each.value.reveal()]
        return (taken or self.others(task)) if self.works else None

    def others(self, task: bytes) -> list[Substitute]:
        """What others of this task have issued meanwhile."""
        return []

    async def recall(self, owner: bytes, task: bytes, shown: Sequence[str]) -> tuple[list[Substitute], bool]:
        if self.forgets or not self.works:
            return [], False
        return [self.kept[task, each] for each in shown if (task, each) in self.kept], True


SCANNER = Scanner(SHELF)
POLICIES = (
    '@id("all") permit (principal, action, resource);'
    '@id("away") @obligation("redact:pii") permit (principal, action == Action::"InvokeModel", resource)'
    ' when { resource.provider.labels.contains("external") };'
    '@id("secrets") @obligation("redact:secret") permit (principal, action == Action::"InvokeModel", resource);'
)


def prepared(
    snapshot: Snapshot, inbound: Inbound, vault: Memory | None = None
) -> tuple[transform.Bodies, Trail, decide.Plan]:
    surface, caller, trail = surface_of(inbound), caller_of(snapshot), trail_of(snapshot)
    call = surface.read(surface, inbound, ())
    seen = seen_by(snapshot, surface, call)
    plan = decide.after_inspection(snapshot, caller, call, seen, NOW, trail)
    return asyncio.run(transform.bodies_for(call, plan, seen, trail, vault or Memory())), trail, plan


@pytest.fixture
def external(compiled: Compiled) -> Snapshot:
    return keyed(compiled(POLICIES))


def test_each_target_gets_what_it_may_see(external: Snapshot) -> None:
    bodies, trail, plan = prepared(external, chat(f"{MAIL} {SECRET}"))
    sim, local = (json.loads(bodies.of(target)) for target in plan.targets)
    assert sim["messages"][0]["content"] == "[REDACTED:pii.email] [REDACTED:secret.github-token]"
    assert local["messages"][0]["content"] == f"{MAIL} [REDACTED:secret.github-token]"
    assert (sim["model"], local["model"]) == ("sim-gpt", "llama")
    assert [(count.kind, count.action) for count in trail.findings] == [
        ("pii.email", "redacted"), ("secret.github-token", "redacted")
    ]  # fmt: skip


def test_a_body_is_made_once(external: Snapshot) -> None:
    bodies, trail, plan = prepared(external, chat("nothing"))
    assert bodies.of(plan.targets[0]) is bodies.of(plan.targets[0])
    assert not trail.findings


def test_what_stands_in_a_name_blocks_the_call(external: Snapshot) -> None:
    inbound = post(chat("x").body[:-1] + b',"%b":1}' % SECRET.encode())
    surface, caller, trail = surface_of(inbound), caller_of(external), trail_of(external)
    call = surface.read(surface, inbound, ())
    seen = seen_by(external, surface, call)
    plan = decide.after_inspection(external, caller, call, seen, NOW, trail)
    with pytest.raises(Refusal) as caught:
        asyncio.run(transform.bodies_for(call, plan, seen, trail, Memory()))
    assert caught.value.code == "content_blocked"
    assert SECRET not in str(caught.value)
    assert [(count.kind, count.action) for count in trail.findings] == [("secret.github-token", "blocked")]


def test_new_texts_by_ordinal() -> None:
    segments = [Segment("a", "user", 4), Segment(f"x {MAIL} y {MAIL}", "user", 9)]
    findings = SCANNER.scan(segments)
    assert transform.masked(segments, findings) == {9: "x [REDACTED:pii.email] y [REDACTED:pii.email]"}
    assert transform.masked(segments, ()) == {}


pieces = st.sampled_from(
    [
        SECRET,
        MAIL,
        "4111 1111 1111 1111",
        " ",
        "x",
        "\n",
        '"',
        "\\",
        "é",
        "🙂",
        "\u2028",
        f"{MAIL}/{SECRET}",
        "\x00",
        "{",
        ":",
    ]
)
texts = st.lists(pieces, max_size=7).map(" ".join)
documents: Any = st.recursive(
    texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(documents, st.booleans(), st.sampled_from([None, 1]), st.sampled_from([0, 7]), st.booleans())
def test_redaction_hits_exactly_what_was_found(
    document: Any, ascii_only: bool, indent: int | None, cap: int, usage: bool
) -> None:
    """For any document: afterwards nothing is found any more, and every string is what `mask` makes of it."""
    whole = {
        "a": document,
        "model": "fast",
        "messages": [{"role": "user", "content": document}],
        "stream_options": {"b": document},
    }
    body = json.dumps(whole, ensure_ascii=ascii_only, indent=indent).encode()
    findings, segments, *_ = inspect.look_through(SCANNER, body, openai_chat.segments)
    sent = openai_chat.prepare(
        body, model="target", cap=cap, include_usage=usage, texts=transform.masked(segments, findings)
    )
    assert inspect.look_through(SCANNER, sent, openai_chat.segments).findings == ()
    by_position = [(s, [f for f in findings if f.segment == place]) for place, s in enumerate(segments)]
    masked = {s.index: mask(s.text, found) for s, found in by_position if s.index != UNPATCHABLE and found}
    before = {s.index: s.text for s in openai_chat.segments(body)}
    after = {s.index: s.text for s in openai_chat.segments(sent)}
    assert {n for n, text in after.items() if text != masked.get(n, before.get(n))} <= {
        n for n, text in after.items() if text == "target" or n == UNPATCHABLE
    }


# ---- what comes back ------------------------------------------------------------------------------------------------

TOKENS = (
    '@id("all") permit (principal, action, resource);'
    '@id("away") @obligation("tokenize:pii, surrogate:pii.card, redact:secret") permit (principal, action == Action::"InvokeModel", resource)'
    ' when { resource.provider.labels.contains("external") };'
)


@pytest.fixture
def tokens(compiled: Compiled) -> Snapshot:
    return keyed(compiled(TOKENS))


def content(body: bytes, place: int = 0) -> Any:
    return json.loads(body)["messages"][place]["content"]


def test_only_targets_that_may_not_see_it_get_tokens(tokens: Snapshot) -> None:
    vault = Memory()
    bodies, trail, plan = prepared(tokens, chat(f"{MAIL} 4111 1111 1111 1111 {SECRET}"), vault)
    sim, local = plan.targets
    sent = content(bodies.of(sim))
    assert re.fullmatch(r"EMAIL_\w{8} 4000 00\d\d \d{4} \d{4} \[REDACTED:secret\.github-token\]", sent)
    assert content(bodies.of(local)) == f"{MAIL} 4111 1111 1111 1111 {SECRET}"
    assert bodies.known(local) is None
    known = bodies.known(sim)
    assert known is not None
    assert {each.value.reveal() for each in known} == {MAIL, "4111 1111 1111 1111"}
    assert [(count.kind, count.action) for count in trail.findings] == [
        ("pii.card", "replaced"), ("pii.email", "tokenized"), ("secret.github-token", "redacted")
    ]  # fmt: skip
    assert vault.seconds == {86_400.0}
    assert {each.value.reveal() for each in vault.kept.values()} == {MAIL, "4111 1111 1111 1111"}


def test_a_later_turn_recalls_what_it_no_longer_holds(tokens: Snapshot) -> None:
    vault = Memory()
    bodies, _, plan = prepared(tokens, chat(f"write to {MAIL}"), vault)
    token = content(bodies.of(plan.targets[0])).split()[-1]
    later = [{"role": "user", "content": f"and {token}?"}, {"role": "assistant", "content": f"To {token}"}]
    bodies, trail, plan = prepared(tokens, chat("", messages=later), vault)
    assert content(bodies.of(plan.targets[0]), 1) == f"To {token}"
    assert content(bodies.of(plan.targets[0])).startswith("and TEXT_")  # a caller's own words are no token
    known = bodies.known(plan.targets[0])
    assert known is not None
    assert MAIL in {each.value.reveal() for each in known}
    assert not trail.findings
    elsewhere = replace_header(chat("", messages=later), b"another task")
    assert prepared(tokens, elsewhere, vault)[0].known(plan.targets[0]) is None


def test_nothing_stands_for_two_values_in_a_task(tokens: Snapshot) -> None:
    """Made-up values are few: what another call of the task has issued for somebody else is not issued again."""
    vault = Memory()
    cards = ["4111 1111 1111 1111", "5500 0000 0000 0004"]
    first, _, plan = prepared(tokens, chat(cards[0]), vault)
    sim = plan.targets[0]
    shown = content(first.of(sim))
    other = Substitute("pii.card", shown, Secret(cards[1]))
    vault.kept = dict.fromkeys(vault.kept, other)
    again, trail, plan = prepared(tokens, chat(f"{cards[0]} {cards[1]}"), vault)
    mine, theirs = re.findall(r"\d{4} \d{4} \d{4} \d{4}", content(again.of(sim)))
    assert theirs == shown != mine
    known = again.known(sim)
    assert known is not None
    assert {each.shown: each.value.reveal() for each in known} == {mine: cards[0], theirs: cards[1]}
    assert trail.notes == ()
    assert [(count.kind, count.action) for count in trail.findings] == [("pii.card", "replaced")]
    assert len(vault.owners) == 1
    # tokens, and what only looks like one, stay what they are
    text = f"{MAIL} {shown}"
    prepared(tokens, chat(text), vault)
    (token,) = [each.shown for each in vault.kept.values() if each.value.reveal() == MAIL]
    prepared(tokens, chat(f"{token} {text}"), vault)
    literal = next(each for each in vault.kept.values() if each.kind == LITERAL)
    vault.others = lambda _: list(vault.kept.values())  # type: ignore[method-assign]
    same, trail, _ = prepared(tokens, chat(f"{token} {text}"), vault)
    assert content(same.of(sim)).split(" ")[:2] == [literal.shown, token]
    assert trail.notes == ("vault: not kept",), "it is told of others each time, and gives up"


def test_without_the_vault_a_call_goes_on_unless_that_is_not_wanted(compiled: Compiled, tokens: Snapshot) -> None:
    vault = Memory()
    vault.works = False
    token = "EMAIL_2222BBB2"
    later = [{"role": "user", "content": MAIL}, {"role": "assistant", "content": f"To {token}"}]
    _, trail, _ = prepared(tokens, chat("", messages=later), vault)
    assert trail.notes == ("vault: not kept",)
    change = msgspec.structs.replace
    wanted = change(tokens.settings, redaction=change(tokens.settings.redaction, vault="required"))
    strict = change(tokens, settings=wanted)
    with pytest.raises(Refusal) as refused:
        prepared(strict, chat("", messages=later), vault)
    assert refused.value.code == "vault_unavailable"
    observing = change(strict, settings=change(wanted, mode="observe"))
    assert prepared(observing, chat("", messages=later), vault)[1].notes == ("vault: not kept",)
    vault.forgets, vault.works = True, True
    with pytest.raises(Refusal):
        prepared(strict, chat("", messages=later), vault)


def replace_header(inbound: Inbound, task: bytes) -> Inbound:
    return post(inbound.body, {b"x-yett-task": task})


def test_clean_text_has_nothing_to_come_back(tokens: Snapshot) -> None:
    bodies, _, plan = prepared(tokens, chat("nothing"))
    assert bodies.known(plan.targets[0]) is None
    assert bodies.of(plan.targets[0]) is bodies.of(plan.targets[0])


def test_what_cannot_be_rewritten_cannot_be_exchanged(tokens: Snapshot) -> None:
    with pytest.raises(Refusal) as caught:
        prepared(tokens, post(chat(MAIL).body[:-1] + b',"%b":1}' % MAIL.encode()))
    assert caught.value.code == "content_blocked"


def test_targets_that_ask_for_the_same_share_the_work(compiled: Compiled) -> None:
    policies = TOKENS.replace(' when { resource.provider.labels.contains("external") }', "")
    bodies, _, plan = prepared(keyed(compiled(policies)), chat(MAIL))
    assert bodies.known(plan.targets[0]) is bodies.known(plan.targets[1])


def test_whether_the_answer_is_to_be_json(tokens: Snapshot) -> None:
    for wanted, json_text in (
        (None, False),
        ("json", False),
        ({"type": "text"}, False),
        ({"type": "json_object"}, True),
    ):
        assert prepared(tokens, chat(MAIL, response_format=wanted))[0].wants_json is json_text
    assert not prepared(tokens, chat(MAIL))[0].wants_json


def test_arguments_stay_json() -> None:
    """A number becomes a string; what stands behind an escape for white space is found where it stands."""
    written = '{"card": 4111111111111111, "text": "Dear all,\\n4111 1111 1111 1111\\tada.lovelace@example.org"}'
    function = {"name": "send", "arguments": written}
    message = {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
    segments = openai_chat.segments(json.dumps({"model": "m", "messages": [message]}).encode())
    (shown,) = transform.masked(segments, SCANNER.scan(segments)).values()
    card, mail = "[REDACTED:pii.card]", "[REDACTED:pii.email]"
    assert json.loads(shown) == {"card": card, "text": f"Dear all,\n{card}\t{mail}"}
