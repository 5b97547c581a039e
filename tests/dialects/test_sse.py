"""Server-sent events: every cut of a stream gives the same events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.dialects.sse import EventTooLarge, Splitter, data_of, event_of

STREAMS = [
    b"data: 1\n\ndata: 2\n\n",
    b"data: 1\r\n\r\ndata: 2\r\n\r\n",
    b"data: 1\r\rdata: 2\r\r",
    b"\n\n: ping\n\nevent: x\ndata: 1\ndata: 2\nid: 7\n\n\n\ndata: [DONE]\n\n",
    b"data: a\r\n\ndata: b\n\r\ndata: c\n\n",
]


def payloads(stream: bytes, cuts: list[int]) -> list[bytes | None]:
    splitter = Splitter()
    events: list[bytes] = []
    at = 0
    for cut in [*cuts, len(stream)]:
        events += splitter.feed(stream[at:cut])
        at = cut
    return [data_of(event) for event in events]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_two_cuts_agree_with_the_whole(stream: bytes) -> None:
    whole = payloads(stream + b"data: end\n\n", [])
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            assert payloads(stream + b"data: end\n\n", [first, second]) == whole


def test_byte_by_byte() -> None:
    for stream in STREAMS:
        whole = payloads(stream + b"data: end\n\n", [])
        assert payloads(stream + b"data: end\n\n", list(range(len(stream)))) == whole


def test_an_untouched_event_keeps_its_bytes() -> None:
    assert Splitter().feed(b"data: {}\n\n") == [b"data: {}\n\n"]
    assert Splitter().feed(b"data: {}\n\ndata: 2\n\n") == [b"data: {}\n\n", b"data: 2\n\n"]


def test_what_is_unfinished_is_kept_and_bounded() -> None:
    splitter = Splitter(limit=100)
    assert splitter.feed(b"data: x") == []
    assert splitter.finish() == b"data: x"
    assert splitter.finish() == b""
    for _ in range(100):
        splitter.feed(b"y")
    with pytest.raises(EventTooLarge):
        splitter.feed(b"y")


def test_payloads() -> None:
    assert data_of(b": comment\n\n") is None
    assert data_of(b"data\n\n") == b""
    assert data_of(b"data:x\n\n") == b"x"
    assert data_of(b"data:  x\n\n") == b" x"
    assert data_of(event_of(b'{"a":1}')) == b'{"a":1}'


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\n" not in b and b"\r" not in b), max_size=5), st.data())
def test_any_payloads_at_any_cut(sent: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(event_of(payload) for payload in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    assert payloads(stream, cuts) == sent
