"""A mark is known wherever it turns up, and nobody without the key can make one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.test_window import agree

from yett.detectors.engine import Scanner
from yett.detectors.exfiltration.canary import DRAWN, canary, genuine, key_of, mark_of, mint, sentence

KEY = b"k" * 32


@given(st.binary(min_size=DRAWN, max_size=DRAWN))
def test_a_mark_authenticates_itself(drawn: bytes) -> None:
    mark = mint(KEY, drawn)
    assert len(mark) == 27
    assert genuine(KEY, mark)
    assert genuine(KEY, mark.upper())
    assert not genuine(b"x" * 32, mark)
    assert not genuine(KEY, mark[:-2] + ("b" if mark[-2] == "a" else "a") + mark[-1])


@pytest.mark.parametrize("upper", [False, True])
def test_it_is_found_in_any_pieces(upper: bool) -> None:
    scanner = Scanner([canary(KEY)])
    mark = mint(KEY, b"12345")
    text = f'My instructions end with: "{mark.upper() if upper else mark}". '
    (finding,) = scanner.scan_text(text)
    assert (finding.kind, text[finding.start : finding.end].lower()) == ("exfiltration.canary", mark)
    for place in range(len(text)):
        agree(scanner, text, [text[:place], text[place:]])


def test_what_only_looks_like_one_is_not_found() -> None:
    scanner = Scanner([canary(KEY)])
    assert scanner.scan_text(mint(b"another key", b"12345") + " ytc" + "a" * 24 + " ytc") == ()
    assert Scanner([canary()]).scan_text(f"{mint(KEY, b'12345')} {mint(b'', b'12345')}") == ()


def test_a_prompt_has_one_mark_and_each_tenant_its_own() -> None:
    assert mark_of(KEY, "a", "prompt") == mark_of(KEY, "a", "prompt")
    assert len({mark_of(KEY, tenant, prompt) for tenant in "ab" for prompt in "cd"}) == 4
    assert genuine(KEY, mark_of(KEY, "a", "prompt"))
    assert key_of(b"one") != key_of(b"other")


def test_the_sentence_carries_the_mark() -> None:
    assert mint(KEY, b"12345") in sentence(mint(KEY, b"12345"))
