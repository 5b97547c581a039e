"""The walk over a body's strings: every one, in document order, with the ordinal that finds its bytes again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.dialects import patch, strict_json
from yett.dialects.leaves import COMMON_NAMES, LONG_INTEGER, MAX_DEPTH, UNPATCHABLE, Leaves
from yett.errors import Refusal

text = st.text(max_size=8) | st.sampled_from(["🙂", '"', "\\", "\u2028", '\\"', ":", ": "])
document = st.recursive(
    text | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


def walked(value: Any) -> Leaves:
    leaves = Leaves()
    leaves.walk(value, "user")
    return leaves


@given(document, st.booleans(), st.sampled_from([None, 1]))
def test_ordinals_count_string_values_and_nothing_else(value: Any, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    leaves = walked(value)
    found = [segment for segment in leaves.segments if segment.index != UNPATCHABLE]
    everything = patch.strings(body, dict.fromkeys(range(leaves.next_index), "x"))
    assert len(everything) == leaves.next_index
    for segment in found:
        start, end, _ = everything[segment.index]
        assert json.loads(body[start:end]) == segment.text
    assert [segment.index for segment in found] == sorted(segment.index for segment in found)


def test_empty_strings_are_counted_and_not_shown() -> None:
    leaves = walked(["", "a", "", {"b": ""}])
    assert [(segment.text, segment.index) for segment in leaves.segments] == [("a", 1), ("b", UNPATCHABLE)]
    assert leaves.next_index == 4


def test_names_that_every_request_has_are_not_shown() -> None:
    assert walked(dict.fromkeys(COMMON_NAMES, None)).segments == []


def test_words_of_the_protocol_are_nobodys_text() -> None:
    def roles(value: Any) -> list[str]:
        return [segment.role for segment in walked(value).segments]

    assert roles({"type": "text", "text": "hello", "id": "call_1", "detail": "auto"}) == [
        "other",
        "user",
        "other",
        "other",
    ]
    assert roles({"id": "say this now", "type": "x" * 65, "format": ["a"]}) == ["user"] * 3  # not what belongs there
    assert roles({"id": {"description": "an id"}, "tool_calls": [{"type": "function"}]}) == ["user", "other"]


@pytest.mark.parametrize("value", [LONG_INTEGER, -LONG_INTEGER, 10**30])
def test_long_integers_are_shown(value: int) -> None:
    assert [(segment.text, segment.index) for segment in walked([value]).segments] == [(str(value), UNPATCHABLE)]
    assert walked([LONG_INTEGER - 1, 1 - LONG_INTEGER, 1.5, True, None]).segments == []


def test_depth_is_bounded() -> None:
    def deep(levels: int) -> object:
        return strict_json.loads(b"[" * levels + b"]" * levels)

    walked(deep(MAX_DEPTH + 1))
    with pytest.raises(Refusal) as caught:
        walked(deep(MAX_DEPTH + 2))
    assert caught.value.code == "json_too_deep"
