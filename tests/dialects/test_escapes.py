"""JSON with needless escapes undone says the same, however it is cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.dialects.escapes import Escapes, bare

words = st.text(st.sampled_from('ab"\\/\n\té😀\u200b\x7fu0041{}[]'), max_size=8)
values: Any = st.recursive(
    words | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


def spelt(value: Any, every: int) -> str:
    """The value as JSON in which every so-many-th character of strings is an escape; `/` always is."""
    written = json.dumps(value, ensure_ascii=False)
    out, place, inside = "", 0, False
    while place < len(written):
        sign = written[place : place + 2] if written[place] == "\\" else written[place]
        place += len(sign)
        inside ^= sign == '"'
        if inside and len(sign) == 1 and sign != '"' and ord(sign) < 0x10000:
            sign = "\\/" if sign == "/" else f"\\u{ord(sign):04x}" if place % every == 0 else sign
        out += sign
    return out


def fed(text: str, sizes: list[int]) -> str:
    escapes, out, at, turn = Escapes(), "", 0, 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        out += escapes.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    return out + escapes.rest()


@given(values, st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_it_means_the_same_and_is_written_plainly(value: Any, every: int, sizes: list[int]) -> None:
    text = spelt(value, every)
    plain = fed(text, sizes)
    assert json.loads(plain) == json.loads(text)
    assert plain == fed(text, [1]) == fed(text, [len(text)])
    assert "\\/" not in plain.replace("\\\\", "")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        (r'"\u0041\u00e9\/"', '"Aé/"'),
        (r'"\\u0041 \\/ \" \u0022 \u005c \u000a \n \u007f"', r'"\\u0041 \\/ \" \u0022 \u005c \u000a \n \u007f"'),
        (r'"\ud83d\ude00"', r'"\ud83d\ude00"'),
        (r"C:\u0041 \/", r"C:\u0041 \/"),  # no JSON
        (r'"\u00zz\u', r'"\u00zz\u'),
        ('{"a":"\\', '{"a":"\\'),
        ("", ""),
    ],
)
def test_what_needs_its_escape_keeps_it(written: str, plain: str) -> None:
    assert fed(written, [1]) == fed(written, [100]) == plain


def test_a_place_between_strings_is_bare() -> None:
    text = r' {"a\"": 41, "b": ["x", 7]}'
    assert bare(text, [text.index("41"), text.index("x"), text.index("7")]) == {text.index("41"), text.index("7")}
    assert bare(text, [0, 1]) == {0, 1}  # all of it is cut out
    assert not bare("q=41", [0, 2]) | bare("", [0])
