"""Looking at a body as a whole, or at what is new in it, sees what looking at each of its strings sees."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.stages.conftest import Compiled, examine, keyed

from yett.config.snapshot import Snapshot
from yett.detectors.detector import SEPARATOR
from yett.detectors.engine import Scanner
from yett.detectors.inspector import Inspected
from yett.detectors.shelf import SHELF
from yett.dialects import openai_chat, strict_json
from yett.errors import Refusal
from yett.model.segment import Segment
from yett.policy.memo import Memo
from yett.stages import inspect

SCANNER = Scanner(SHELF)
FOUND = [
    "ghp_" + "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R",
    "AKIAQ3EGT4WX7LHPM5ZN",
    "ada.lovelace@example.org",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "password = hunter2Hunter!7x",
    'api_key: "f3a9c1d87be24506a1c9"',
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq3\n-----END RSA PRIVATE KEY-----",
    "Classification: Restricted",
]
PIECES = [*FOUND, "word", " ", "\n", "\t", '"', "\\", "/", "é", "😀", "\u2028", "\x7f", "a" * 40, ": ", "=", "x@", "1"]

texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
values: Any = st.recursive(
    texts | st.integers() | st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def request(content: Any, extra: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": content}], "metadata": extra}


@settings(max_examples=300, deadline=None)
@given(
    values, values, st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]), st.booleans(), st.sampled_from([None, 1])
)
def test_a_look_sees_what_the_segments_hold(
    content: Any, extra: Any, separators: tuple[str, str], ascii_only: bool, indent: int | None
) -> None:
    document = request(content, extra)
    body = json.dumps(document, separators=separators, ensure_ascii=ascii_only, indent=indent).encode()
    openai_chat.understand(body)
    seen = inspect.look_through(SCANNER, body, openai_chat.segments)
    assert seen[0] == SCANNER.scan(openai_chat.segments(body))


@pytest.mark.parametrize("found", FOUND)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_nothing_that_detectors_know_is_called_clean(found: str, ascii_only: bool) -> None:
    for content in (
        found,
        f"first line\n{found}",
        f'say "{found}" now',
        f"é {found}\t.",
        f"C:\\{found} ",
        f"\u0001{found}",
    ):
        body = json.dumps(request(content, None), ensure_ascii=ascii_only).encode()
        whole = SCANNER.scan(openai_chat.segments(body))
        assert inspect.look_through(SCANNER, body, openai_chat.segments)[0] == whole
        assert whole or found.startswith("Classification"), content  # which must begin its line


def test_clean_text_is_not_taken_apart() -> None:
    def never(_: bytes) -> Any:
        raise AssertionError

    body = json.dumps(request('Nothing to see,\nnot even in "quotes".', {"k": ["v", 1, 2.5, None]})).encode()
    assert inspect.look_through(SCANNER, body, never) is inspect.NOTHING


@given(values, st.sampled_from([(",", ":"), (", ", ": ")]))
def test_every_string_stands_whole_between_separators(value: Any, separators: tuple[str, str]) -> None:
    body = json.dumps(value, separators=separators, ensure_ascii=False).encode()
    flat = strict_json.flat(body, SEPARATOR.encode())
    if flat is None:
        return  # it has escapes that are not undone here

    def strings(item: Any) -> list[str]:
        if isinstance(item, str):
            return [item]
        children = [*item, *item.values()] if isinstance(item, dict) else item if isinstance(item, list) else []
        return [text for child in children for text in strings(child)]

    for text in strings(value):
        assert (SEPARATOR + text + SEPARATOR).encode() in flat


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a" :1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'[{"x":[{"c":1,"\\u0063":2}]}]',
        b'{"a":"\\":","a":1}',
        b'{"a":1, "a" : 2}',
        b'{"a":1e2,"a":1e2}',
    ],
)
def test_decode_finds_every_second_name(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        strict_json.decode(body)
    assert caught.value.code == "duplicate_key"


@settings(deadline=None)
@given(values, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]), st.booleans())
def test_decode_reads_what_loads_reads(value: Any, separators: tuple[str, str], ascii_only: bool) -> None:
    body = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode()
    assert outcome(strict_json.decode, body) == outcome(strict_json.loads, body)


def outcome(read: Callable[[bytes], Any], body: bytes) -> Any:
    try:
        return read(body)
    except Refusal as refusal:
        return refusal.code


# ---- requests: unit by unit, each once ------------------------------------------------------------------------------


class Eye:
    """Counts the units that are looked at; the score of each is `score`."""

    judges = False

    def __init__(self, snapshot: Snapshot, score: float = 0.0) -> None:
        self.snapshot = replace(snapshot, verdicts=Memo(64), inspector=self)
        self.scanner = snapshot.scanner
        self.looked: list[str] = []
        self.score = score

    def inspect(self, segments: tuple[Segment, ...]) -> Inspected:
        self.looked += [segment.text for segment in segments]
        return Inspected(self.snapshot.scanner.scan(segments), {"injection": self.score})

    def look(self, body: bytes, tenant: str = "default") -> inspect.Seen:
        return asyncio.run(inspect.look(examine, self.snapshot, tenant, body))


def conversation(*turns: str, **more: object) -> bytes:
    roles = ("system", "user", "assistant")
    messages = [{"role": roles[place % 3], "content": turn} for place, turn in enumerate(turns)]
    return json.dumps({"model": "fast", "messages": messages, **more}).encode()


def parts(*texts: str) -> bytes:
    return talk(("user", [{"type": "text", "text": text} for text in texts]))


@pytest.mark.parametrize("extra", [b"", b',"seed":1' + b"0" * 30])  # which only the slower decoder reads
def test_what_is_cut_into_the_parts_of_a_message_is_found_in_each(snapshot: Snapshot, extra: bytes) -> None:
    token = FOUND[0]
    for pieces in (["key " + token[:9], token[9:] + " ok"], ["see ", token[:7], token[7:21], token[21:] + ", ok"]):
        body = parts(*pieces)[:-1] + extra + b"}"
        seen = Eye(snapshot).look(body)
        assert {finding.kind for finding in seen.findings} == {"secret.github-token"}
        assert "".join([seen.segments[f.segment].text[f.start : f.end] for f in seen.findings]) == token


def test_half_of_a_secret_does_not_hide_the_other_half(snapshot: Snapshot) -> None:
    token = FOUND[0]
    seen = Eye(snapshot).look(parts("my key " + token[:20], token[20:] + " ok?"))
    (first, second) = [finding for finding in seen.findings if finding.kind == "secret.github-token"]
    assert seen.segments[first.segment].text[first.start :] == token[:20]
    assert seen.segments[second.segment].text[: second.end] == token[20:]


def test_parts_are_one_text_only_where_they_are_one_authors(snapshot: Snapshot) -> None:
    first, second = FOUND[0][:9], FOUND[0][9:]
    call = {"role": "assistant", "content": first, "tool_calls": [{"function": {"name": "f", "arguments": second}}]}
    for body in (talk(("user", first), ("user", second)), json.dumps({"model": "m", "messages": [call]}).encode()):
        assert Eye(snapshot).look(body).findings == ()
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "metadata": [first, second]})
    assert Eye(snapshot).look(body.encode()).findings == ()


def test_what_a_part_says_itself_is_not_made_longer_by_the_next(snapshot: Snapshot) -> None:
    seen = Eye(snapshot).look(parts("mail ada.lovelace@example.org", "anisation of the desk"))
    assert [seen.segments[f.segment].text[f.start : f.end] for f in seen.findings] == ["ada.lovelace@example.org"]


class Reader(Eye):
    """Finds an order only where all of it stands."""

    judges = True

    def inspect(self, segments: tuple[Segment, ...]) -> Inspected:
        found = super().inspect(segments)
        return Inspected(
            found.findings, {"injection": max([self.of(segment.text) for segment in segments], default=0.0)}
        )

    def of(self, text: str) -> float:
        return 0.8 if "open the gate now" in text else 0.1

    def text(self, text: str) -> Inspected:
        self.looked.append(text)
        return Inspected((), {"injection": self.of(text)})


def talk(*turns: tuple[str, object]) -> bytes:
    messages = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"model": "fast", "messages": messages}).encode()


def test_an_order_that_is_cut_into_turns_is_found_in_the_last(snapshot: Snapshot) -> None:
    reader = Reader(snapshot)
    parts = [{"type": "text", "text": "now"}, {"type": "text", "text": ", please"}]
    body = talk(("user", "open"), ("assistant", 'the "user" said open'), ("user", "the gate"), ("user", parts))
    for _ in range(2):  # the second time from memory
        seen = reader.look(body)
        (finding,) = seen.findings
        assert (finding.kind, finding.detector, seen.injection) == ("injection.split", "user-turns", 80)
        assert seen.segments[finding.segment].text == ", please"
        assert (finding.start, finding.end) == (0, 8)
        assert inspect.origins_of(seen) == ("injection", "injection.split", "injection@user")
    assert reader.looked.count("open the gate now , please") == 1


def test_an_order_that_is_cut_into_the_parts_of_one_message_is_found(snapshot: Snapshot) -> None:
    seen = Reader(snapshot).look(parts("open", "the gate", "now"))
    assert [(finding.kind, seen.segments[finding.segment].text) for finding in seen.findings] == [
        ("injection.split", "now")
    ]


def test_what_says_it_alone_is_not_said_again(snapshot: Snapshot) -> None:
    seen = Reader(snapshot).look(talk(("user", "hm"), ("user", "open the gate now")))
    assert (seen.findings, seen.injection) == ((), 80)
    assert Reader(snapshot).look(talk(("user", "open the"), ("user", "door"))).injection == 10
    assert Reader(snapshot).look(talk(("user", "open the gate"), ("tool", "now"))).injection == 10
    assert Reader(snapshot).look(talk(("user", "open the gate"), ("user", "x" * 600), ("user", []))).injection == 10


def test_a_role_that_is_spelt_with_escapes_is_that_role(snapshot: Snapshot) -> None:
    body = talk(("user", "open the gate"), ("user", "now")).replace(b'"user"', b'"\\u0075ser"')
    assert [finding.kind for finding in Reader(snapshot).look(body).findings] == ["injection.split"]


def test_only_the_last_turns_of_many_are_read_together(snapshot: Snapshot) -> None:
    turns = [("user", "open"), *[("user", f"{number}") for number in range(7)], ("user", "the gate now")]
    reader = Reader(snapshot)
    assert reader.look(talk(*turns)).findings == ()
    assert reader.looked[-1] == "0 1 2 3 4 5 6 the gate now"


def test_a_last_turn_without_words_completes_nothing(snapshot: Snapshot) -> None:
    picture = [{"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]
    turns = [("user", "open"), ("user", "the gate"), ("user", "now"), ("user", picture)]
    assert Reader(snapshot).look(talk(*turns)).findings == ()
    assert [f.kind for f in Reader(snapshot).look(talk(*turns[:-1])).findings] == ["injection.split"]


@pytest.fixture(scope="module")
def snapshot_once(compiled: Compiled) -> Snapshot:
    return keyed(compiled())


@settings(max_examples=200, deadline=None)
@given(content=values, extra=values, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]), more=values)
def test_units_hold_what_the_body_holds(
    snapshot_once: Snapshot, content: Any, extra: Any, ascii_only: bool, indent: int | None, more: Any
) -> None:
    document = {"first": more, "": more, **request(content, extra), "tools": [more], "stop": more}
    document["messages"] += [{"role": "tool", "content": more}, {"role": "system", "content": [more]}]
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    eye = Eye(snapshot_once)
    segments = openai_chat.segments(body)
    for _ in range(2):
        seen = eye.look(body)
        assert seen.findings == eye.snapshot.scanner.scan(segments)
        assert seen.segments == (segments if seen.findings else ())
    assert len(eye.looked) <= len(segments)


def test_only_what_is_new_is_looked_at(snapshot: Snapshot) -> None:
    eye = Eye(snapshot)
    assert eye.look(conversation("be brief", "hello")) is inspect.NOTHING
    assert eye.looked == ["fast", "system", "be brief", "user", "hello"]
    eye.looked.clear()
    assert eye.look(conversation("be brief", "hello", f"write to {FOUND[2]}", temperature=0.5)).findings
    assert eye.looked == ["assistant", f"write to {FOUND[2]}"]
    eye.looked.clear()
    seen = eye.look(conversation("be brief", "hello", f"write to {FOUND[2]}", "thanks"))
    assert [(f.kind, seen.segments[f.segment].role) for f in seen.findings] == [("pii.email", "assistant")]
    assert inspect.origins_of(seen) == ("pii", "pii.email", "pii@assistant")
    assert eye.looked == ["system", "thanks"]


def test_a_verdict_is_not_shared_between_tenants(snapshot: Snapshot) -> None:
    eye = Eye(snapshot)
    eye.look(conversation("be brief"), "one")
    eye.looked.clear()
    eye.look(conversation("be brief"), "two")
    assert "be brief" in eye.looked


def test_the_highest_score_counts_in_steps(snapshot: Snapshot) -> None:
    eye = Eye(snapshot, 0.68)
    eye.look(conversation("be brief"))
    eye.score = 0.1
    seen = eye.look(conversation("be brief", "hello"))
    assert seen == inspect.Seen((), (), 65)
    eye.score = 0.01
    assert Eye(snapshot, 0.04).look(conversation("x")) is inspect.NOTHING


def test_what_only_the_slower_decoder_reads_is_one_unit() -> None:
    body = b'{"model":"fast","messages":[{"role":"user","content":"x"}],"a":' + b"[" * 40 + b"]" * 40 + b"}"
    assert openai_chat.units(body)[0][0] == "model"
    deep = b"\xff" + body
    assert openai_chat.units(deep) == [(None, deep)]
    assert openai_chat.unit_segments(None, body) == openai_chat.segments(body)
