"""Looking at a body as a whole sees what looking at each of its strings sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.detector import SEPARATOR
from yett.detectors.engine import Scanner
from yett.detectors.shelf import SHELF
from yett.dialects import openai_chat, strict_json
from yett.errors import Refusal
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
    seen = inspect.look(SCANNER, body, openai_chat.segments)
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
        assert inspect.look(SCANNER, body, openai_chat.segments)[0] == whole
        assert whole or found.startswith("Classification"), content  # which must begin its line


def test_clean_text_is_not_taken_apart() -> None:
    def never(_: bytes) -> Any:
        raise AssertionError

    body = json.dumps(request('Nothing to see,\nnot even in "quotes".', {"k": ["v", 1, 2.5, None]})).encode()
    assert inspect.look(SCANNER, body, never) == ((), ())


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
