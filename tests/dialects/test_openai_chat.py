"""The chat API's bodies: what the gateway reads of them is what any parser reads, and what it edits is only what it means to."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from yett.dialects import openai_chat, patch, strict_json
from yett.dialects.leaves import COMMON_NAMES, LONG_INTEGER, MAX_DEPTH, UNPATCHABLE
from yett.errors import Refusal
from yett.model.segment import Segment
from yett.model.usage import Usage

# ---- bodies, written by hand so that everything JSON allows is in them, and some of what it does not ------------------------

space = st.sampled_from([b"", b"", b"", b" ", b"\n\t", b"\r\n "])
piece = st.sampled_from(
    [b"a", b"model", b":", b'\\":', b'\\"', b'\\"model\\":', b"{", b"}", b",", b"\\\\", b"\\n", b"\\t", b"\\/", b"\\u0041",
     "é".encode(), "🙂".encode(), b"\\ud83d\\ude00", b"mod\\u0065l"]
)  # fmt: skip
bad_piece = st.sampled_from([b"\\ud83d", b"\xff", b"\xed\xa0\x80", b"\x01", b"\n", b"\\x", b'"'])
string = st.lists(piece, max_size=4).map(lambda found: b'"%b"' % b"".join(found))
odd_string = st.lists(piece | bad_piece, max_size=3).map(lambda found: b'"%b"' % b"".join(found))
name = st.sampled_from(
    [
        b'"model"',
        b'"messages"',
        b'"a"',
        b'"b"',
        b'""',
        b'"mod\\u0065l"',
        b'"\\u0061"',
        b'"a\\":"',
        b'":"',
        b'"max_tokens"',
    ]
)
number = st.sampled_from([b"0", b"-0", b"1", b"1.0e0", b"-12.50", b"1E5", b"1e-400", b"4111111111111111", b"9" * 30])
odd_number = st.sampled_from([b"01", b"1.", b"+1", b"1e400", b"NaN", b"-Infinity"]) | st.just(4400).map(
    lambda n: b"9" * n
)
scalar = string | number | st.sampled_from([b"true", b"false", b"null"])


def array(items: list[tuple[bytes, bytes, bytes]]) -> bytes:
    return b"[%b]" % b",".join(b"".join(item) for item in items)


def thing(fields: list[tuple[bytes, bytes, bytes, bytes]]) -> bytes:
    return b"{%b}" % b",".join(b"%b%b%b:%b" % field for field in fields)


def plain(field: tuple[bytes, ...]) -> str:
    """The name of a field as it reads, so that it can be made to occur once."""
    return str(json.loads(field[1]))


def nested(leaf: st.SearchStrategy[bytes], *, twice: bool = False) -> st.SearchStrategy[bytes]:
    """JSON values; names of an object occur `twice` or once."""
    return st.recursive(
        leaf,
        lambda inner: (
            st.lists(st.tuples(space, inner, space), max_size=3).map(array)
            | st.lists(st.tuples(space, name, space, inner), max_size=4, unique_by=None if twice else plain).map(thing)
        ),
        max_leaves=10,
    )


anything = nested(scalar) | nested(scalar, twice=True) | nested(scalar | odd_string | odd_number)


@st.composite
def requests(draw: st.DrawFn, values: st.SearchStrategy[bytes], *, odd: bool = False) -> bytes:
    """A chat request: its fields in any order, with others between them. An `odd` one may have some of them twice, or wrong."""
    roles = [b'"user"', b'"assistant"', b'"alien"', *([b'""', b"7"] if odd else [])]
    more = [b"", b'"name":"x",', b'"model":"x",', *([b'"role":"user",'] if odd else [])]
    role, between = draw(st.sampled_from(roles)), draw(st.sampled_from(more))
    message = b'{"role":%b,%b"content":%b}' % (role, between, draw(values))
    model = draw(string if odd else string.filter(lambda found: found != b'""'))
    others = draw(
        st.lists(st.tuples(space, name, space, values), max_size=3, unique_by=None if odd else plain).filter(
            lambda found: odd or not {"model", "messages", "max_tokens"} & {plain(field) for field in found}
        )
    )
    fields = [
        b"%b%b%b:%b%b"
        % (draw(space), draw(st.sampled_from([b'"model"', b'"mod\\u0065l"'])), draw(space), draw(space), model),
        b'"messages":[%b]' % message,
        *[b"%b%b%b:%b" % field for field in others],
    ]
    return b"%b{%b}%b" % (draw(space), b",".join(draw(st.permutations(fields))), draw(space))


def outcome(read: Any, body: bytes) -> object:
    try:
        return repr(read(body))  # tells 1 from 1.0 and from True
    except Refusal as refusal:
        return refusal.code


def slowly(body: bytes) -> Any:
    """What `decode` promises: `loads`, and no deeper than MAX_DEPTH."""
    value = strict_json.loads(body)

    def depth(node: Any) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return 1 + max((depth(item) for item in inner if isinstance(item, dict | list)), default=0)

    if isinstance(value, dict | list) and depth(value) > MAX_DEPTH + 1:
        raise Refusal("json_too_deep")
    return value


@given(anything | requests(anything, odd=True) | requests(anything))
@example(b'{"a":1,"a":":"}')
@example(b'{"a":":","a":1}')
@example(b'{"a":1, "b":{"a":2,"a":3}, "c":":"}')
@example(b'{"a" :1,"a":2}')
@example(b'{"a\\":":1}')
@example(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
@example(b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2))
@example(b'{"a" :' * (MAX_DEPTH + 2) + b"1" + b"}" * (MAX_DEPTH + 2))
def test_the_quick_way_to_read_a_body_agrees_with_the_slow_one(body: bytes) -> None:
    assert outcome(strict_json.decode, body) == outcome(slowly, body)


@given(requests(anything, odd=True) | requests(anything))
def test_what_is_acted_on_is_what_any_parser_reads(body: bytes) -> None:
    try:
        request = openai_chat.understand(body)
    except Refusal:
        return
    document = json.loads(body)
    assert request.model == document["model"]
    assert request.stream is (document.get("stream") is True)
    assert request.max_tokens == max(document.get("max_tokens") or 0, document.get("max_completion_tokens") or 0)


@given(requests(nested(scalar)))
def test_every_string_of_a_request_is_a_segment_under_its_ordinal(body: bytes) -> None:
    try:
        request = openai_chat.understand(body)
    except Refusal:
        return
    segments = openai_chat.segments(body)
    assert request.instructions == tuple(s.text for s in segments if s.role in openai_chat.CONFIDENTIAL)
    by_ordinal = {segment.index: segment.text for segment in segments if segment.index != UNPATCHABLE}
    ordinal = 0
    names: set[str] = set()

    def walk(node: Any) -> None:
        nonlocal ordinal
        if isinstance(node, str):
            assert by_ordinal.get(ordinal, "") == node
            ordinal += 1
        elif isinstance(node, dict):
            names.update(node)
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        for item in inner:
            walk(item)

    walk(json.loads(body))
    assert len(by_ordinal) <= ordinal
    shown = {segment.text for segment in segments if segment.index == UNPATCHABLE}
    assert names - COMMON_NAMES <= shown


# ---- understanding ----------------------------------------------------------------------------------------------------------


def request(**fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], **fields}).encode()


def test_a_request_as_it_is_understood() -> None:
    found = openai_chat.understand(
        request(
            stream=True, stream_options={"include_usage": True}, max_tokens=5, max_completion_tokens=7, n=2, tools=[{}]
        )
    )
    assert (found.model, found.stream, found.include_usage) == ("m", True, True)
    assert (found.max_tokens, found.choices, found.tools) == (7, 2, True)
    plain = openai_chat.understand(request(stream=None, max_tokens=None, n=None, tools=None, stream_options=None))
    assert (plain.stream, plain.include_usage, plain.max_tokens, plain.choices, plain.tools) == (
        False,
        False,
        0,
        1,
        False,
    )


def test_what_the_operator_says_is_kept_apart() -> None:
    parts = [
        {"type": "text", "text": "Never swear."},
        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
    ]
    messages = [
        {"role": "system", "content": "Be nice."},
        {"role": "system", "content": ""},
        {"role": "developer", "content": parts, "name": "ops"},
        {"role": "user", "content": "hello"},
    ]
    assert openai_chat.understand(request(messages=messages)).instructions == ("Be nice.", "Never swear.", "ops")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"[]", ""),
        (b'"x"', ""),
        (b'{"messages":[{"role":"user"}]}', "model"),
        (request(model=""), "model"),
        (request(model=7), "model"),
        (request(messages=[]), "messages"),
        (request(messages="x"), "messages"),
        (request(messages=["x"]), "messages[0]"),
        (request(messages=[{"role": "user"}, {"role": ""}]), "messages[1].role"),
        (request(messages=[{"role": 1}]), "messages[0].role"),
        (request(tools={}), "tools"),
        (request(stream_options=[]), "stream_options"),
        (request(stream_options={"include_usage": 1}), "stream_options.include_usage"),
        (request(stream="true"), "stream"),
        (request(stream=0), "stream"),
        (request(max_tokens=0), "max_tokens"),
        (request(max_tokens=-1), "max_tokens"),
        (request(max_tokens=True), "max_tokens"),
        (request(max_tokens=1.0), "max_tokens"),
        (request(max_completion_tokens=10**10), "max_completion_tokens"),
        (request(n="1"), "n"),
    ],
)
def test_what_cannot_be_acted_on_is_refused_by_name(body: bytes, param: str) -> None:
    with pytest.raises(Refusal) as caught:
        openai_chat.understand(body)
    assert (caught.value.code, caught.value.param) == ("invalid_request", param)


def test_roles_are_those_of_the_messages_and_everything_else_is_other() -> None:
    body = request(
        messages=[
            {"role": "system", "content": "s"},
            {"role": "tool", "content": [{"text": "t"}]},
            {"role": "x", "content": "y"},
        ],
        user="u",
    )
    roles = {segment.text: segment.role for segment in openai_chat.segments(body)}
    assert (roles["s"], roles["t"], roles["y"], roles["u"], roles["m"]) == ("system", "tool", "other", "other", "other")


def test_long_numbers_and_strange_names_are_shown_but_cannot_be_rewritten() -> None:
    body = request(metadata={"card": LONG_INTEGER, "minus": -LONG_INTEGER, "short": LONG_INTEGER - 1})
    shown = {segment.text for segment in openai_chat.segments(body) if segment.index == UNPATCHABLE}
    assert shown == {"card", "minus", "short", str(LONG_INTEGER), str(-LONG_INTEGER)}


# ---- editing ----------------------------------------------------------------------------------------------------------------


def span_of_model(body: bytes) -> tuple[int, int]:
    """Where the value of the top-level field `model` stands, found by taking the body apart with the standard library."""
    text = body.decode()
    decoder = json.JSONDecoder()

    def skip(at: int) -> int:
        found = re.compile(r"[ \t\r\n]*").match(text, at)
        assert found is not None
        return found.end()

    at = skip(0) + 1
    while True:
        field, at = decoder.raw_decode(text, skip(at))
        start = skip(skip(at) + 1)
        _, end = decoder.raw_decode(text, start)
        if field == "model":
            return len(text[:start].encode()), len(text[:end].encode())
        at = skip(end) + 1


@given(requests(nested(scalar)), st.sampled_from(["other", "model", 'q"uo\\te', "é🙂", ""]))
@example(b'{"messages":[{"role":"user","content":"\\"model\\":\\"x\\""}],"model":"model"}', "m")
@example(b'{"messages":[{"role":"user","model":"x","content":"y"}],"model" : "z"}', "m")
@example(b'{"messages":[{"role":"user","content":"\\\\"}],"mod\\u0065l":"z"}', "m")
@example(b'{"messages":[{"role":"model","content":"\\"model"}],"x\\"model":"y","model":"z"}', "m")
def test_another_model_changes_the_models_bytes_and_no_others(body: bytes, model: str) -> None:
    try:
        openai_chat.understand(body)
    except Refusal:
        return
    start, end = span_of_model(body)
    prepared = openai_chat.prepare(body, model=model)
    assert prepared == body[:start] + patch.quote(model) + body[end:]


@given(
    requests(nested(scalar)),
    st.integers(0, 100),
    st.booleans(),
    st.sampled_from(
        [
            b"",
            b'"stream_options":{},',
            b'"stream_options": {"include_usage":false, "x":["y"]},',
            b'"stream_options":null,',
        ]
    ),
    st.sampled_from([b"", b'"max_tokens":500,', b'"max_completion_tokens" : 500,', b'"max_tokens":null,']),
)
def test_edits_are_what_a_parser_finds_different(
    body: bytes, cap: int, include_usage: bool, options: bytes, tokens: bytes
) -> None:
    body = body.replace(b"{", b"{" + options + tokens, 1)
    try:
        openai_chat.understand(body)
    except Refusal:
        return
    before = json.loads(body)
    after = json.loads(openai_chat.prepare(body, model="target", cap=cap, include_usage=include_usage))
    expected = {**before, "model": "target"}
    if cap:
        numbers = [field for field in ("max_tokens", "max_completion_tokens") if before.get(field) is not None]
        expected.update(dict.fromkeys(numbers or ["max_tokens"], cap))
    if include_usage:
        expected["stream_options"] = {**(before.get("stream_options") or {}), "include_usage": True}
    assert after == expected
    assert [name for name in after if name in before] == list(before)


@given(requests(nested(scalar)), st.data())
def test_redaction_by_ordinal_changes_those_strings_and_no_others(body: bytes, data: st.DataObject) -> None:
    try:
        openai_chat.understand(body)
    except Refusal:
        return
    segments = [segment for segment in openai_chat.segments(body) if segment.index != UNPATCHABLE]
    chosen = data.draw(st.lists(st.sampled_from(segments), max_size=3)) if segments else []
    texts = {segment.index: f'[{number}] "é\\' for number, segment in enumerate(chosen)}
    prepared = openai_chat.prepare(body, model="target", texts=texts)
    after = {segment.index: segment.text for segment in openai_chat.segments(prepared)}
    model = next(segment.index for segment in segments if (segment.index, "target") in after.items())
    for segment in segments:
        if segment.index != model:
            assert after[segment.index] == texts.get(segment.index, segment.text)


def test_what_need_not_change_does_not() -> None:
    body = request()
    assert openai_chat.prepare(body, model="m") == body
    assert openai_chat.prepare(body, model="m", cap=5) == body[:-1] + b',"max_tokens":5}'


# ---- replies ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4}, Usage(input=3, output=4)),
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 9}},
            Usage(input=3, cached=3, output=4),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": -9}},
            Usage(input=3, output=4),
        ),
        ({"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": 1}, Usage(input=3, output=4)),
        ({"prompt_tokens": -3, "completion_tokens": 4}, None),
        ({"prompt_tokens": 3, "completion_tokens": True}, None),
        ({"prompt_tokens": 3}, None),
        ([], None),
        (None, None),
    ],
)
def test_usage_is_believed_when_it_is_as_documented(usage: object, expected: Usage | None) -> None:
    assert openai_chat.usage_of(usage) == expected
    assert openai_chat.read_reply(json.dumps({"usage": usage}).encode()).usage == expected


@pytest.mark.parametrize(
    ("choices", "finish"),
    [
        ([{"finish_reason": "stop"}, {"finish_reason": None}, 7, {"finish_reason": "length"}], ("stop", "length")),
        ({}, ()),
        (None, ()),
    ],
)
def test_why_a_reply_ended(choices: object, finish: tuple[str, ...]) -> None:
    assert openai_chat.read_reply(json.dumps({"choices": choices}).encode()).finish == finish


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"\xff", b"{", b'{"a":1e400}', b'{"a":"\\ud800"}'])
def test_what_is_no_reply(body: bytes) -> None:
    with pytest.raises(Refusal):
        openai_chat.read_reply(body)


def test_segments_of_a_reply_are_the_assistants() -> None:
    body = b'{"choices":[{"message":{"content":"hi"}}],"odd name":12345678901234}'
    assert openai_chat.reply_segments(body) == (
        Segment("hi", "assistant", 0), Segment("odd name", "assistant", -1), Segment("12345678901234", "assistant", -1)
    )  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        b'{"choices":[{"message":{"content":"abc"},"logprobs":{"content":[{"token":"a"}]}}],"x":1.50}',
        b'{"choices":[{"message":{"content":"abc"},"log\\u0070robs":{"content":[{"token":"a"}]}}],"x":1.50}',
    ],
)
def test_a_redacted_reply_has_no_logprobs(written: bytes) -> None:
    redacted = json.loads(openai_chat.redact_reply(written, {0: "***"}))
    assert redacted == {"choices": [{"message": {"content": "***"}, "logprobs": None}], "x": 1.5}


@pytest.mark.parametrize(
    "written", [b'{"choices":[{"content":"abc"}],"x":1.50}', b'{"x":"abc", "\\u0061":1.50,"logprobs":null,"choices":7}']
)
def test_a_redacted_reply_without_logprobs_keeps_its_form(written: bytes) -> None:
    assert openai_chat.redact_reply(written, {0: "***"}) == written.replace(b"abc", b"***")


# ---- what Yett says itself --------------------------------------------------------------------------------------------------


def test_errors_have_openais_form() -> None:
    refusal = Refusal("policy_denied", "No.", param="model", policies=("p1",))
    error = json.loads(openai_chat.error_body(refusal, "call_1"))["error"]
    assert (error["message"], error["type"], error["param"], error["code"]) == (
        "No.",
        "policy_error",
        "model",
        "policy_denied",
    )
    assert error["yett"] == {"call": "call_1", "fault": "policy", "retry": False, "policies": ["p1"]}
    assert json.loads(openai_chat.error_body(Refusal("not_found"), ""))["error"]["param"] is None
    event = openai_chat.error_event(refusal, "call_1")
    assert event == b"data: " + openai_chat.error_body(refusal, "call_1") + b"\n\n"


def test_lists_of_models() -> None:
    assert json.loads(openai_chat.model_list(("a", "b")))["data"][1] == json.loads(openai_chat.model_object("b"))
    assert json.loads(openai_chat.model_list(()))["data"] == []


@pytest.mark.parametrize(
    ("options", "written"),
    [
        (b"", b'"stream_options":{"include_usage":true}'),
        (b',"stream_options":null', b'"stream_options":{"include_usage":true}'),
        (b',"stream_options":{}', b'"stream_options":{"include_usage":true}'),
        (b',"stream_options": { "x" : 1.0 }', b'"stream_options": { "x" : 1.0 ,"include_usage":true}'),
        (b',"stream_options":{"include_usage":false,"x":"y"}', b'"stream_options":{"include_usage":true,"x":"y"}'),
    ],
)
def test_usage_is_asked_for_beside_what_the_caller_asks_for(options: bytes, written: bytes) -> None:
    body = request()[:-1] + options + b"}"
    assert openai_chat.prepare(body, model="m", include_usage=True).endswith(b"," + written + b"}")


# ---- the model's words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((0, "delta", "content"), "content"),
        ((0, "message", "content", 1, "text"), "content"),
        ((0, "delta", "reasoning_content"), "text"),
        ((0, "delta", "tool_calls", 0, "function", "arguments"), "arguments"),
        ((0, "delta", "tool_calls", 0, "function", "name"), ""),
        ((0, "delta", "tool_calls", 0, "custom", "input"), "input"),
        ((0, "delta", "function_call", "arguments"), "arguments"),
        (("", "note"), "text"),
    ],
)
def test_what_a_string_of_a_reply_is(path: tuple[object, ...], place: str) -> None:
    assert openai_chat.place_of(path) == place


def test_words_change_and_everything_else_keeps_its_bytes() -> None:
    body = (
        b'{ "id":"x","choices" : [{"message":{"role":"assistant","content":"a\\u00e9 ","tool_calls":[{"id":"i","type":"function",'
        b'"function":{"arguments":"{}","name":"tool"}}]},"logprobs":{"content":[{"token":"a"}]},"finish_reason":"stop"}],"usage":{"n":1.0}}'
    )
    seen = []

    def change(text: str, place: str, tool: str) -> str:
        seen.append((text, place, tool))
        return text.upper()

    assert openai_chat.change_words(body, change) == body.replace(b'"a\\u00e9 "', '"AÉ "'.encode()).replace(
        b'"tool"', b'"TOOL"'
    )
    assert seen == [("aé ", "content", ""), ("{}", "arguments", "tool"), ("tool", "", "tool")]


def test_words_that_do_not_change_leave_the_reply_as_it_is() -> None:
    body = b'{"choices": []}'
    assert openai_chat.change_words(body, lambda text, *_: text) is body


def test_the_tools_that_a_model_has_called() -> None:
    calls = [
        {"type": "function", "function": {"name": "a"}},
        {"type": "custom", "custom": {"name": "b"}},
        {"function": {}},
    ]
    history = [{"role": "user", "content": ["x"]}, {"role": "assistant", "content": None, "tool_calls": calls}]
    history += [{"role": "assistant", "function_call": {"name": "c", "arguments": "{}"}}, {"tool_calls": None}]
    assert openai_chat.tools_called(json.dumps({"messages": history}).encode()) == {"a", "b", "c"}
    choices = [{"message": {"tool_calls": calls[:1]}}, {"index": 1}]
    assert openai_chat.tools_called(json.dumps({"choices": choices}).encode()) == {"a"}
    for nothing in (
        b"{}",
        b'{"tool_calls":',
        b'{"messages":[{"tool_calls":5}]}',
        b'{"messages":[{"content":"tool_calls"}]}',
    ):
        assert openai_chat.tools_called(nothing) == set()
