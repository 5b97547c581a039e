"""The frame of a text in an event: what has one, and what stands in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.dialects.frame import frame_of


def event(document: object) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def said(text: str) -> dict[str, object]:
    return {"id": "c", "choices": [{"index": 2, "delta": {"role": None, "content": text}, "finish_reason": None}]}


FRAME = frame_of(event(said("one")), said("one"))


def test_a_piece_of_one_text_has_a_frame() -> None:
    assert FRAME is not None
    assert FRAME.channel == (2, "delta", "content")
    assert FRAME.before + b"one" + FRAME.behind == event(said("one"))


@given(st.text(min_size=1, max_size=20))
def test_what_stands_in_a_frame_is_what_the_event_says(text: str) -> None:
    assert FRAME is not None
    raw = b"data: " + json.dumps(said(text)).encode() + b"\n\n"
    bare = FRAME.before + text.encode(errors="surrogatepass") + FRAME.behind
    assert FRAME.text(raw) in (text, "")
    found = FRAME.text(bare)
    assert not found or json.loads(bare[6:]) == said(found) == said(text)


@pytest.mark.parametrize("middle", [b"\xff", b'a"', b"a\\", b"a\n", b"", b'","more":"'])
def test_bytes_that_need_a_closer_look_are_no_text(middle: bytes) -> None:
    assert FRAME is not None
    assert FRAME.text(FRAME.before + middle + FRAME.behind) == ""
    assert FRAME.text(event({})) == ""
    assert FRAME.text(FRAME.before + FRAME.behind[1:]) == ""  # one quotation mark for both


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5))
def test_several_events_of_one_frame_say_what_each_says(texts: list[str]) -> None:
    assert FRAME is not None
    bare = [FRAME.before + text.encode(errors="surrogatepass") + FRAME.behind for text in texts]
    each = [FRAME.text(raw) for raw in bare]
    assert FRAME.texts(b"".join(bare)) == (each if all(each) else [])


def test_events_of_another_kind_are_not_several_of_this_frame() -> None:
    assert FRAME is not None
    one = event(said("one"))
    assert FRAME.texts(one + one) == ["one", "one"]
    assert FRAME.texts(one + b": comment\n\n" + one) == []
    assert FRAME.texts(one + event({})) == []
    assert FRAME.texts(one[:-1]) == []
    cut = "é".encode()
    assert FRAME.texts(b"".join(FRAME.before + half + FRAME.behind for half in (cut[:1], cut[1:]))) == []


@pytest.mark.parametrize(
    "other",
    [
        {"choices": [{"index": 0, "delta": {"content": "one"}, "finish_reason": "stop"}]},
        {"choices": [{"index": 0, "delta": {"content": "one"}, "logprobs": {}}]},
        {"choices": [{"index": 0, "delta": {"content": "one", "more": "two"}}]},
        {"choices": [{"index": 0, "delta": {"content": "one"}, "more": "two"}]},
        {"choices": [{"index": 0, "delta": {"content": "one"}}], "more": "two"},
        {"choices": [{"index": 0, "delta": {"content": "one"}}], "usage": {}},
        {"choices": [{"index": 0, "delta": {"content": ["one"]}}]},
        {"choices": [{"index": 0, "delta": {"content": ""}}]},
        {"choices": [{"index": 0, "delta": {"content": 'a "quote"'}}]},
        {"choices": [{"index": 0, "delta": {"content": "one"}}, {"index": 1, "delta": {"content": "two"}}]},
        {"choices": [{"index": 0, "delta": "one"}]},
        {"choices": ["one"]},
        {"choices": "one"},
        {"choices": [{"delta": {"content": "content"}}]},
    ],
)
def test_what_says_more_than_one_text_has_none(other: dict[str, object]) -> None:
    assert frame_of(event(other), other) is None


def test_a_choice_without_a_number_is_the_first() -> None:
    other = {"choices": [{"delta": {"reasoning": "one"}}]}
    frame = frame_of(event(other), other)
    assert frame is not None
    assert frame.channel == (0, "delta", "reasoning")
