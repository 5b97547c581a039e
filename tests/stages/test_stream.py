"""A streamed reply under review: what is redacted, what is held, what leaves as it came."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stages.conftest import Compiled

from yett.detectors.engine import Scanner
from yett.detectors.mask import mask, select
from yett.detectors.shelf import SHELF
from yett.errors import Refusal
from yett.stages.evidence import Witness
from yett.stages.stream import BrokenStreamError, StreamReview
from yett.stages.stream_findings import Judge, StreamFindings

SCANNER = Scanner(SHELF)
TOKEN = "ghp_" + "1a2B3c4D5e6F7g8H9i0J1k2L3m4N5o6P7q8R"
MAIL = "ada.lovelace@example.org"


def allow(_: frozenset[str]) -> tuple[str, ...]:
    return ("secret", "pii")


def review(judge: Judge = allow, *, want_usage: bool = True, keep: str = "full", limit: int = 1 << 20) -> StreamReview:
    return StreamReview(SCANNER, StreamFindings(judge), want_usage=want_usage, keep=keep, limit=limit)


def delta(text: str, index: int = 0, **more: object) -> bytes:
    chunk = {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": index, "delta": {"content": text}, **more}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def end(index: int = 0) -> bytes:
    return (
        b"data: " + json.dumps({"choices": [{"index": index, "delta": {}, "finish_reason": "stop"}]}).encode() + b"\n\n"
    )


DONE = b"data: [DONE]\n\n"


def run(chunks: Iterable[bytes], made: StreamReview | None = None) -> bytes:
    made = made or review()
    return b"".join(made.feed(chunk) for chunk in chunks)


def texts(stream: bytes) -> dict[object, str]:
    """What a client puts together: the text of each choice's content and of each tool call's arguments."""
    found: dict[object, str] = {}
    for event in stream.split(b"\n\n"):
        if not event.startswith(b"data: {"):
            continue
        for choice in json.loads(event[6:]).get("choices", []):
            content = choice.get("delta", {}).get("content") or ""
            found[choice["index"]] = found.get(choice["index"], "") + content
            for call in choice.get("delta", {}).get("tool_calls", []):
                key = (choice["index"], call["index"])
                found[key] = found.get(key, "") + call["function"].get("arguments", "")
    return found


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def test_clean_events_leave_as_they_came() -> None:
    chunks = [delta(word) for word in ("The ", "quick brown ", "fox. ")]
    made = review()
    for chunk in chunks:
        assert made.feed(chunk) == chunk
    assert (
        made.feed(end() + DONE + delta("more")) == end()
    )  # nothing counts after the terminator, in however many pieces
    assert made.done
    assert made.finish == ["stop"]


def test_words_wait_for_one_chunk_and_keep_their_bytes() -> None:
    made = review()
    chunks = [delta(word) for word in ("The", " quick", " brown", " fox")]
    assert made.feed(chunks[0]) == b""
    assert made.feed(chunks[1]) == chunks[0]
    assert made.feed(chunks[2]) == chunks[1]
    assert made.feed(chunks[3]) == chunks[2]
    assert made.feed(end()) == chunks[3] + end()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 40, 200])
@pytest.mark.parametrize("value", [TOKEN, MAIL, "4111 1111 1111 1111"])
def test_a_match_over_chunks_is_redacted_and_never_shown(value: str, size: int) -> None:
    text = f"Here it is: {value} and that was all."
    out = run([delta(piece) for piece in pieces(text, size)] + [end(), DONE])
    shown = texts(out)[0]
    assert shown.startswith("Here it is: [REDACTED:")
    assert shown.endswith("] and that was all.")
    assert value not in shown
    for start in range(len(value) - 5):
        assert value[start : start + 6] not in shown


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["word ", "a", TOKEN, MAIL, " ", "\n", "x@", "é😀 ", "4111 1111 1111 1111", "-"]), max_size=8
    ),
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
)
def test_any_chunking_gives_the_same_text(parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    cut = []
    at = 0
    while at < len(text):
        size = sizes[len(cut) % len(sizes)]
        cut.append(text[at : at + size])
        at += size
    whole = texts(run([delta(text), end(), DONE])).get(0, "")
    assert texts(run([*map(delta, cut), end(), DONE])).get(0, "") == whole
    # and at any cut of the bytes, too
    stream = b"".join([*map(delta, cut), end(), DONE])
    made = review()
    out = b"".join(made.feed(stream[i : i + 7]) for i in range(0, len(stream), 7))
    assert texts(out).get(0, "") == whole


OVERLAPPING = (f"https://u:{TOKEN[4:20]}@example.org/", f"{TOKEN}@example.org", f"{MAIL}/{TOKEN}", f"{TOKEN}{TOKEN}")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*OVERLAPPING, "word ", " ", "\n", "é😀 ", TOKEN, MAIL]), max_size=5).map("".join),
    st.integers(1, 40),
    st.sampled_from([(), ("secret",), ("pii",), ("pii", "secret"), ("*",)]),
)
def test_a_stream_is_redacted_as_the_whole_text_would_be(text: str, size: int, selectors: tuple[str, ...]) -> None:
    """Also where findings of two families overlap, and only one of them is to be redacted."""
    out = run([*map(delta, pieces(text, size)), end(), DONE], review(lambda _: selectors))
    assert texts(out).get(0, "") == mask(text, select(SCANNER.scan_text(text), selectors))


def test_choices_and_tool_calls_are_streams_of_their_own() -> None:
    def call(index: int, arguments: str) -> bytes:
        tool = {"index": index, "function": {"arguments": arguments}}
        return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [tool]}}]}).encode() + b"\n\n"

    chunks = []
    for first, second in zip(
        pieces(TOKEN, 4), pieces("plain words only, nothing to see here at all!!!", 5), strict=True
    ):
        chunks += [delta(first, 0), delta(second, 1), call(0, second), call(1, first)]
    found = texts(run([*chunks, end(0), end(1), DONE]))
    assert found[0].startswith("[REDACTED:secret.")
    assert found[0, 1].startswith("[REDACTED:secret.")
    assert found[1] == found[0, 0] == "plain words only, nothing to see here at all!!!"


def test_a_choice_is_not_held_back_by_another() -> None:
    made = review()
    assert made.feed(delta("ghp_", 0)) == b""
    other = delta("words go on ", 1)
    assert made.feed(other) == other


def test_what_is_words_is_shown_before_what_may_be_a_match() -> None:
    made = review()
    out = made.feed(delta("Write to me: ada.love"))
    assert texts(out) == {0: "Write to me: "}
    out += made.feed(delta("lace@example.org now"))
    assert texts(out)[0] == "Write to me: [REDACTED:pii.email]"


def test_unknown_fields_are_reviewed_too() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"reasoning_content": f"use {TOKEN} ok "}}], "note": f"see {TOKEN} "}
    out = run([b"data: " + json.dumps(chunk).encode() + b"\n\n", end(), DONE])
    assert TOKEN.encode() not in out
    assert out.count(b"[REDACTED:secret.") == 2


def test_token_probabilities_do_not_spell_it_out() -> None:
    logprobs = {"content": [{"token": TOKEN[:20], "logprob": -0.1}]}
    out = run([delta(TOKEN[:20], logprobs=logprobs), delta(TOKEN[20:] + " ", logprobs=logprobs), end(), DONE])
    assert TOKEN[:20].encode() not in out


def test_only_data_passes() -> None:
    out = run([b": hidden " + TOKEN.encode() + b"\n\n", b"event: " + TOKEN.encode() + b"\n" + delta("hello there ")])
    assert TOKEN.encode() not in out
    assert texts(out) == {0: "hello there "}


def test_usage_that_the_caller_did_not_ask_for_is_kept_from_it() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}
    chunk = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    made = review(want_usage=False)
    assert made.feed(chunk) == b""
    assert made.usage is not None
    assert (made.usage.input, made.usage.cached, made.usage.output) == (3, 2, 4)
    assert review().feed(chunk) == chunk


def test_policy_is_asked_once_for_each_new_kind_and_may_refuse() -> None:
    asked: list[frozenset[str]] = []

    def judge(kinds: frozenset[str]) -> tuple[str, ...]:
        asked.append(kinds)
        if "pii" in kinds:
            raise Refusal("reply_blocked")
        return ()

    made = review(judge)
    out = run([delta(f"{TOKEN} {TOKEN} ")], made)
    assert texts(out)[0] == f"{TOKEN} {TOKEN} "  # noted, not redacted: policy did not ask for it
    assert len(asked) == 1
    with pytest.raises(Refusal):
        made.feed(delta(f"{MAIL} "))
    assert made.found.counted == {("secret.github-token", "noted"): 2, ("pii.email", "blocked"): 1}


@pytest.mark.parametrize(
    "bad", [b"data: {broken\n\n", b"data: 42\n\n", b'data: {"a":"\xff"}\n\n', b"data: " + b'{"a":' * 3000 + b"\n\n"]
)
def test_garbage_is_a_broken_stream(bad: bytes) -> None:
    with pytest.raises(BrokenStreamError):
        run([bad])


def test_memory_is_bounded() -> None:
    with pytest.raises(BrokenStreamError):
        run([delta("x " * 200)], review(limit=100))
    with pytest.raises(BrokenStreamError):
        run(delta(f"x{index}", index) for index in range(5000))
    with pytest.raises(BrokenStreamError):
        run([b"data: " + b"x" * (2 << 20)])


def test_nothing_counts_after_the_terminator() -> None:
    made = review()
    made.feed(DONE)
    assert made.feed(delta("more")) == b""


def test_a_truncated_stream_gives_up_what_it_held() -> None:
    made = review()
    out = made.feed(delta("Hello wor")) + made.finish_all()
    assert texts(out)[0] == "Hello wor"
    assert not made.done


@pytest.mark.parametrize(
    ("keep", "kept"), [("full", f"a {TOKEN} b"), ("redacted", "a [REDACTED:secret.github-token] b")]
)
def test_what_the_record_keeps(keep: str, kept: str) -> None:
    made = review(lambda _: (), keep=keep)
    run([*[delta(piece) for piece in pieces(f"a {TOKEN} b", 3)], end()], made)
    assert made.texts["0/delta/content"] == kept


@pytest.mark.parametrize("scanner", [SCANNER, None])
def test_nothing_is_kept_when_nothing_is_wanted(scanner: Scanner | None) -> None:
    made = StreamReview(scanner, StreamFindings(allow), want_usage=True, keep="", limit=1 << 20)
    out = run([delta("Hello "), delta("world. "), delta(f"{MAIL} "), end()], made)
    assert made.texts == {}
    assert texts(out)[0] == ("Hello world. [REDACTED:pii.email] " if scanner else f"Hello world. {MAIL} ")


def test_without_a_scanner_nothing_is_held() -> None:
    made = StreamReview(None, StreamFindings(allow), want_usage=True, keep="full", limit=1 << 20)
    for piece in ("half-a-wo", "rd ", MAIL):
        assert made.feed(delta(piece)) == delta(piece)
    assert made.texts["0/delta/content"] == f"half-a-word {MAIL}"


def test_what_is_nested_too_deeply_is_garbage() -> None:
    deep: object = "x"
    for _ in range(40):
        deep = [deep]
    with pytest.raises(BrokenStreamError):
        run([b"data: " + json.dumps({"choices": [{"delta": {"content": deep}}]}).encode() + b"\n\n"])


def test_parts_in_a_list_are_not_shown_in_halves() -> None:
    """Only what stands alone in its object can be sent twice without repeating the rest."""
    chunk = {"choices": [{"index": 0, "delta": {"content": ["Hello wor"]}}]}
    made = review()
    assert made.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n") == b""
    assert json.loads(made.finish_all()[6:]) == chunk


@pytest.mark.parametrize("extra", [b"event: %s\n", b": %s\n", b"id: %s\n", b"data:\n"])
@pytest.mark.parametrize("first", [True, False])
def test_lines_beside_the_data_are_not_passed_on(extra: bytes, first: bool) -> None:
    line = extra.replace(b"%s", TOKEN.encode())
    event = delta("word ")[:-1]
    sent = line + event + b"\n" if first else event + line + b"\n"
    out = run([sent])
    assert TOKEN.encode() not in out
    assert texts(out)[0] == "word "


@pytest.mark.parametrize("framed", [True, False])
def test_a_name_that_comes_twice_leaves_once(framed: bool) -> None:
    """Which of two texts a parser takes is its own affair: the caller's could take the one that was not looked at."""
    hidden = delta("word ").replace(b'"content"', b'"content": "' + TOKEN.encode() + b'", "content"')
    events = [delta("other "), hidden, hidden] if framed else [hidden, hidden]
    out = run([*events, end(), DONE])
    assert TOKEN.encode() not in out
    assert texts(out)[0] == ("other " if framed else "") + "word word "


@pytest.mark.parametrize("size", [1, 7, 4000, 40_000])
def test_a_very_long_finding_has_one_marker(size: int) -> None:
    """It is reported in pieces that touch."""
    block = "-----BEGIN " + "PRIVATE KEY-----\n" + "QUJD" * 5000 + "\n-----END " + "PRIVATE KEY-----"
    out = run([*map(delta, pieces(f"key: {block} end", size)), end(), DONE])
    assert texts(out)[0] == "key: [REDACTED:secret.private-key] end"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_findings_are_told_with_their_place_in_the_whole_text(compiled: Compiled, size: int) -> None:
    text = f"first {MAIL}, then the key {TOKEN} and {MAIL} again"
    witness = Witness(compiled(), "acme", "reply")
    found = StreamFindings(allow, witness=witness)
    made = StreamReview(SCANNER, found, want_usage=True, keep="", limit=1 << 20)
    run([*map(delta, pieces(text, size)), delta(f"x {MAIL}", 1), end(), DONE], made)
    places = [(text[each.start : each.end], each.role) for each in witness.listed[:3]]
    assert places == [(MAIL, "assistant"), (TOKEN, "assistant"), (MAIL, "assistant")]
    assert witness.listed[3].start == 2
    assert witness.listed[0].value == witness.listed[2].value == witness.listed[3].value


_PIECES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
        st.sampled_from(
            ["word ", "fox. ", "a\nb", 'say "no" ', f"mail {MAIL} ", TOKEN[:20], TOKEN[20:], " ", "id", "delta"]
        ),
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(_PIECES, st.sampled_from(["content", "reasoning_content", "name"]), st.booleans())
def test_an_event_says_the_same_in_a_known_frame_as_by_itself(said: list[str], field: str, ascii_only: bool) -> None:
    def event(text: str, number: int) -> bytes:
        chunk = {"created": number, "choices": [{"index": 0, "delta": {field: text}, "finish_reason": None}]}
        return b"data: " + json.dumps(chunk, ensure_ascii=ascii_only).encode() + b"\n\n"

    framed, alone = review(), review()
    for number, text in enumerate(said, 1_000_000_000):
        shown, other = framed.feed(event(text, 1)), alone.feed(event(text, number))
        assert [each.get("choices") for each in _documents(shown)] == [
            each.get("choices") for each in _documents(other)
        ]
    assert framed.feed(end() + DONE).count(b"data: ") == alone.feed(end() + DONE).count(b"data: ")
    assert (framed.texts, framed.found.counted, framed.received) == (alone.texts, alone.found.counted, alone.received)
    assert framed.found.kinds == alone.found.kinds


@settings(max_examples=120, deadline=None)
@given(
    _PIECES,
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.sampled_from(["", "full", "redacted"]),
    st.booleans(),
)
def test_a_stream_is_the_same_however_many_events_come_at_once(
    said: list[str], sizes: list[int], keep: str, inspected: bool
) -> None:
    def made() -> StreamReview:
        scanner = SCANNER if inspected else None
        return StreamReview(scanner, StreamFindings(allow), want_usage=True, keep=keep, limit=1 << 20)

    at_once, alone = made(), made()
    events = [delta(text) for text in ["first ", *said]]
    shown = at_once.feed(events[0])
    rest, size = events[1:], itertools.cycle(sizes)
    while rest:
        count = next(size)
        shown += at_once.feed(b"".join(rest[:count]))
        rest = rest[count:]
    shown += at_once.feed(end() + DONE)
    other = b"".join(alone.feed(event) for event in [*events, end() + DONE])
    assert texts(shown) == texts(other)
    assert (at_once.texts, at_once.found.counted, at_once.received) == (
        alone.texts,
        alone.found.counted,
        alone.received,
    )
    assert at_once.characters == alone.characters


@pytest.mark.parametrize("keep", ["full", ""])
def test_events_that_come_at_once_leave_as_they_came(keep: str) -> None:
    made = review(keep=keep)
    events = [delta(word) for word in ("The", " quick", " brown", " fox", " jumps")]
    assert made.feed(events[0]) == b""
    assert made.feed(b"".join(events[1:4])) == b"".join(events[:3])
    assert made.feed(events[4] + end() + DONE) == b"".join(events[3:]) + end()
    assert made.texts == ({"0/delta/content": "The quick brown fox jumps"} if keep else {})


def test_what_is_found_in_events_that_come_at_once_is_redacted_where_it_stands() -> None:
    made = review()
    words = ["mail ", "ada.love", "lace@exam", "ple.org or ", f"{MAIL} ", "and ", "so"]
    out = made.feed(delta("first ")) + made.feed(b"".join(map(delta, words))) + made.feed(end() + DONE)
    assert texts(out) == {0: "first mail [REDACTED:pii.email] or [REDACTED:pii.email] and so"}
    assert out.startswith(delta("first ") + delta("mail "))
    held = review()
    assert held.feed(delta("first ")) == delta("first ")
    assert held.feed(delta("ghp_") + delta(TOKEN[4:20])) == b""
    assert texts(held.feed(delta(TOKEN[20:]) + delta(" end "))) == {0: "[REDACTED:secret.github-token] end "}


def test_nobody_asks_whether_it_is_enough_before_so_much_has_come() -> None:
    asked: list[int] = []
    made = review()
    events = [delta(f"word{number} ") for number in range(6)]

    def enough() -> bool:
        asked.append(made.received)
        return made.received > 24

    assert made.feed(events[0] + events[1], enough, free=10_000) == events[0] + events[1]
    asked.clear()
    assert made.feed(events[2] + events[3], enough, free=10_000) == events[2] + events[3]
    assert not asked
    assert made.feed(events[4] + events[5], enough, free=20) == events[4]
    assert asked == [30]
    assert made.rest == events[5]


def _documents(stream: bytes) -> list[dict[str, object]]:
    return [json.loads(event[6:]) for event in stream.split(b"\n\n") if event]


def test_a_stream_is_looked_at_for_a_frame_so_many_times() -> None:
    made = review()
    events = [delta(f"line {number}.\n") for number in range(40)] + [delta("word "), delta("more ")]
    assert run(events, made) == b"".join(events)


@pytest.mark.parametrize("name", ["id", "model", "system_fingerprint", "object"])
def test_what_stands_beside_the_text_is_looked_at_too(name: str) -> None:
    made = review()
    events = [
        delta(word).replace(b'"choices"', b'"%b": "%b", "choices"' % (name.encode(), TOKEN.encode())) for word in "ab"
    ]
    events = [
        event.replace(b'"id": "c", ', b"").replace(b'"object": "chat.completion.chunk", ', b"") for event in events
    ]
    documents = _documents(run([*events, end()], made))
    assert [document.get(name) for document in documents] == ["[REDACTED:secret.github-token]"] * 2 + [None]
    assert [document["choices"][0]["delta"].get("content") for document in documents] == ["a", "b", None]
    assert made.found.counted["secret.github-token", "redacted"] == 2


def test_ids_and_words_of_the_protocol_may_hold_anything() -> None:
    call = {"index": 0, "id": TOKEN, "type": {"a": [MAIL]}, "function": {"name": "f", "arguments": "{}"}}
    out = run(
        [
            delta("", usage={"note": TOKEN}),
            delta("").replace(b'"content": ""', b'"tool_calls": [%b]' % json.dumps(call).encode()),
            end(),
        ]
    )
    assert out.count(TOKEN.encode()) == 1  # in `usage`, which has numbers only
    assert MAIL.encode() not in out


def test_a_secret_cannot_be_the_name_of_a_field() -> None:
    secret = delta("a").replace(b'"content"', b'"role": "assistant", "%b"' % TOKEN.encode())
    with pytest.raises(Refusal, match="name of a field"):
        run([secret])
    odd = delta("a").replace(b'"content": "a"', b'"a-field-nobody-knows": 1')
    assert run([odd, odd]) == odd + odd


def test_numbers_and_flags_in_a_chunk_are_no_text() -> None:
    chunk = b'data: {"choices":[{"index":0,"delta":{"content":"Hello. ","n":1,"b":true,"f":1.5,"z":null,"e":"","l":[1,null]}}]}\n\n'
    made = review()
    assert made.feed(chunk) == chunk
    assert made.texts == {"0/delta/content": "Hello. "}


# ---- arguments, which are JSON ----------------------------------------------------------------------------------------


def arguments(text: str) -> bytes:
    call = {"index": 0, "function": {"arguments": text}}
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).encode() + b"\n\n"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 11, 40, 1000])
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (escaped(MAIL), "[REDACTED:pii.email]"),
        (
            f"so:\\n{MAIL}\\t4111 1111 1111 1111\\r\\nDE89 3704 0044 0532 0130 00\\\\n",
            "so:\n[REDACTED:pii.email]\t[REDACTED:pii.card]\r\n[REDACTED:pii.iban]\\n",
        ),
        (f"\\u0067{TOKEN[1:]} \\u0021", "[REDACTED:secret.github-token] !"),
        (f"\\\\\\n{escaped(MAIL)}\\n\\u0022\\/", '\\\n[REDACTED:pii.email]\n"/'),
    ],
)
def test_escapes_in_arguments_hide_nothing(written: str, shown: str, size: int) -> None:
    text = f'{{"a": "{written}", "b": [1]}}'
    out = run([arguments(piece) for piece in pieces(text, size)] + [end(), DONE])
    assert json.loads(texts(out)[0, 0]) == {"a": shown, "b": [1]}


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_what_is_redacted_in_place_of_a_number_is_a_string(size: int) -> None:
    text = f'{{"card": 4111111111111111, "to": "{MAIL}", "n": 1}}'
    out = run([arguments(piece) for piece in pieces(text, size)] + [end(), DONE])
    assert json.loads(texts(out)[0, 0]) == {"card": "[REDACTED:pii.card]", "to": "[REDACTED:pii.email]", "n": 1}


@pytest.mark.parametrize("text", ['{"a": "b\\', '{"a": "\\u00', '{"a": "\\u0041\\u', "\\"])
@pytest.mark.parametrize("size", [1, 4, 1000])
def test_arguments_that_break_off_are_shown_to_their_end(text: str, size: int) -> None:
    for scanner in (SCANNER, None):
        made = StreamReview(scanner, StreamFindings(allow), want_usage=True, keep="full", limit=1 << 20)
        out = run([*(arguments(piece) for piece in pieces(text, size)), end(), DONE], made)
        assert texts(out)[0, 0] == (text.replace("\\u0041", "A") if scanner else text)
        assert made.texts["0/delta/tool_calls/0/function/arguments"] == texts(out)[0, 0]


def test_arguments_that_are_written_plainly_leave_as_they_came() -> None:
    text = '{"path": "C:\\\\new \\"x\\" é", "n": [true, false]}'
    words = [arguments(word + " ") for word in text.split(" ")]
    assert run([*words, end(), DONE]) == b"".join(words) + end()
    for size in range(1, 9):
        assert texts(run([*(arguments(piece) for piece in pieces(text, size)), end(), DONE]))[0, 0] == text


def test_an_event_waits_whole_for_its_escape() -> None:
    made = review()
    assert made.feed(arguments('{"a": "')) + made.feed(arguments("\\")) + made.feed(arguments("u00")) == arguments(
        '{"a": "'
    )
    assert texts(made.feed(arguments("61, ")))[0, 0] == "a, "
