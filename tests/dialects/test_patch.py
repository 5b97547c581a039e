"""Edits on raw bytes: exact, and nothing else moves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.dialects import patch, strict_json
from yett.dialects.leaves import UNPATCHABLE, Leaves

text = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(text, json_values, max_size=5), st.sampled_from([None, 2]), st.booleans())
def test_the_ordinal_of_a_leaf_finds_its_bytes(document: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    leaves = Leaves()
    leaves.walk(strict_json.loads(body), "user")
    for segment in leaves.segments:
        if segment.index == UNPATCHABLE:
            continue
        ((start, end, new),) = patch.strings(body, {segment.index: 'new " \\ \n text'})
        assert json.loads(body[start:end]) == segment.text
        assert json.loads(new) == 'new " \\ \n text'


@given(st.dictionaries(text, json_values, max_size=6), st.sampled_from([None, 3]), st.booleans())
def test_the_span_of_a_field_is_its_value(document: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    body = b" " + json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode() + b"\n"
    spans = patch.fields(body)
    assert list(spans) == list(document)
    for name, (start, end) in spans.items():
        assert json.loads(body[start:end]) == document[name]


@given(st.dictionaries(text, json_values, max_size=4), text, json_values)
def test_replacing_or_adding_a_field(document: dict[str, Any], name: str, value: Any) -> None:
    body = json.dumps(document).encode()
    if json.dumps(name) != f'"{name}"':
        return  # fields that Yett writes have plain names
    edit = patch.replace(body, patch.fields(body), name, json.dumps(value).encode())
    assert json.loads(patch.apply(body, [edit])) == {**document, name: value}


def test_what_is_not_edited_stays_as_it_came() -> None:
    body = b'{ "a" : 1.0e0,\n\t"b":"\\u0041\\/" , "big": 123456789012345678901234567890, "c":"x"}'
    (edit,) = patch.strings(body, {1: "y"})
    assert patch.apply(body, [edit]) == body.replace(b'"x"', b'"y"')


@pytest.mark.parametrize("value", ["", "plain", 'a"b\\c\n', "é😀", "\ud800", "x\udfffy\ud800"])
def test_quoting_is_read_back(value: str) -> None:
    assert json.loads(patch.quote(value)) == value


@pytest.mark.parametrize(
    ("body", "swapped"),
    [
        (b'{"model":"a","x":1}', b'{"model":"NEW","x":1}'),
        (b'{"x":[{"role":"user"}],"model" : "a\\n"}', b'{"x":[{"role":"user"}],"model" : "NEW"}'),
        (b'{"model":"NEW"}', b'{"model":"NEW"}'),
        (b'{"x":"model","model":"a"}', b'{"x":"model","model":"NEW"}'),
        (b'{"x":{"model":"b"},"model":"a"}', b'{"x":{"model":"b"},"model":"NEW"}'),
        (b'{"model":"a","x":{"model":"b"}}', b'{"model":"NEW","x":{"model":"b"}}'),
        (b'{"x":"\\"model\\":\\"b\\"","model":"a"}', b'{"x":"\\"model\\":\\"b\\"","model":"NEW"}'),
        (b'{"x":"\\\\\\"model","model":"a\\\\"}', b'{"x":"\\\\\\"model","model":"NEW"}'),
        (b'{"mode\\u006c":"a"}', b'{"mode\\u006c":"NEW"}'),
        (b'{"x":{"model":"b"},"mode\\u006c":"a"}', b'{"x":{"model":"b"},"mode\\u006c":"NEW"}'),
        (b'{"x":"\\\\","model":"a"}', b'{"x":"\\\\","model":"NEW"}'),
    ],
)
def test_swapping_a_name_changes_the_field_and_nothing_that_looks_like_it(body: bytes, swapped: bytes) -> None:
    assert patch.swap(body, "model", "NEW") == swapped


def test_a_body_that_was_not_checked_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="checked"):
        patch.fields(b'{"a":11,"b":2,"a":3}')


def test_a_field_that_is_no_string_is_found_all_the_same() -> None:
    assert patch.swap(b'{"model" : 5}', "model", "m") == b'{"model" : "m"}'


def test_every_string_may_be_asked_for_and_none() -> None:
    body = b'{"a":"x","b":["y"],"c":1}'
    assert patch.apply(body, patch.strings(body, {0: "1", 1: "2", 7: "there is none"})) == b'{"a":"1","b":["2"],"c":1}'
    assert patch.strings(body, {}) == []


def test_a_field_is_added_at_the_end_or_replaced() -> None:
    for body, name, expected in (
        (b"{ }", "a", b'{ "a":1}'),
        (b'{"b":{}}\n', "a", b'{"b":{},"a":1}\n'),
        (b'{"a" : [2] }', "a", b'{"a" : 1 }'),
    ):
        assert patch.apply(body, [patch.replace(body, patch.fields(body), name, b"1")]) == expected
