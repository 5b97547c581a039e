"""A value that entered a task is recognised in every disguise, from hashes alone."""

from __future__ import annotations

import codecs
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.test_window import cut

from yett.detectors.exfiltration import taint as module
from yett.detectors.exfiltration.taint import FORMS, LEAST, Taint, TaintedStream

KEY = b"k" * 32
EMAIL = "ada.lovelace@corp.example"
CARD = "4111 1111 1111 1111"
PASSWORD = "Tr0ub4dor&3-Zebra"


@pytest.fixture
def taint() -> Taint:
    taint = Taint(KEY)
    for kind, value in (("pii.email", EMAIL), ("pii.card", CARD), ("secret.password", PASSWORD)):
        taint.enter(kind, value)
    return taint


DISGUISES = [
    (EMAIL, "pii.email", "plain"),
    (EMAIL.upper(), "pii.email", "plain"),
    (" ".join(EMAIL), "pii.email", "plain"),
    ("4111-1111-1111-1111", "pii.card", "plain"),
    ("4111111111111111", "pii.card", "plain"),
    (EMAIL[::-1], "pii.email", "reversed"),
    (codecs.encode(EMAIL, "rot13"), "pii.email", "rot13"),
    (EMAIL.encode().hex(), "pii.email", "hex"),
    (PASSWORD.encode().hex(":"), "secret.password", "hex"),
    ("".join(f"%{byte:02X}" for byte in EMAIL.encode()), "pii.email", "hex"),
    (quote(EMAIL), "pii.email", "percent"),
    (b64encode(PASSWORD.encode()).decode(), "secret.password", "base64"),
    (b64encode(f"u:{PASSWORD} is it".encode()).decode(), "secret.password", "base64"),
    (urlsafe_b64encode(f"no{EMAIL.lower()}".encode()).decode(), "pii.email", "base64"),
    (b64encode(b"x4111111111111111").decode(), "pii.card", "base64"),
]


@pytest.mark.parametrize(("shown", "kind", "form"), DISGUISES)
def test_a_value_is_recognised(taint: Taint, shown: str, kind: str, form: str) -> None:
    text = f"GET https://h.example/?q={shown}&x=é"
    (found,) = taint.check(text)
    assert (found.kind, found.form) == (kind, form)
    assert text[found.start : found.end] in text[24 : 26 + len(shown)]
    assert found.end - found.start >= min(len(shown) - 8, 16)


@pytest.mark.parametrize("text", ["", "short", "nothing of it in here", "994111111111111111", "ada.lovelace"])
def test_other_text_is_not(taint: Taint, text: str) -> None:
    assert taint.check(text) == ()


def test_what_is_too_short_is_not_kept() -> None:
    taint = Taint(KEY)
    taint.enter("pii.name", "Ada")
    assert not taint
    assert taint.check("Ada and Adaada and much more") == ()


def test_it_says_nothing_about_the_values(taint: Taint) -> None:
    assert repr(taint).startswith("Taint(")
    state = taint.dump()
    for value in (EMAIL, CARD, PASSWORD):
        assert value.encode() not in state
        assert value not in repr(taint)


def test_state_goes_on_under_the_same_key(taint: Taint) -> None:
    assert [one.kind for one in Taint(KEY, taint.dump()).check(f"{EMAIL} {CARD}")] == ["pii.email", "pii.card"]
    assert Taint(b"x" * 32, taint.dump()).check(f"{EMAIL} {CARD}") == ()


def test_a_value_enters_once(taint: Taint) -> None:
    before = taint.dump()
    taint.enter("pii.email", EMAIL)
    assert taint.dump() == before


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FORMS", 40)
    taint = Taint(KEY)
    for number in range(10):
        taint.enter("pii.x", f"value-{number}-{number * 7919:08}")
    assert taint._count <= 40 < FORMS
    assert taint.check("value-0-00000000") == ()
    assert len(taint.check("value-9-00071271")) == 1


def test_values_that_begin_alike_are_told_apart() -> None:
    taint = Taint(KEY)
    taint.enter("pii.a", "customer-4711")
    taint.enter("pii.b", "customer-4711-long")
    taint.enter("pii.c", "customer-4713")
    assert [one.kind for one in taint.check("customer 4712, customer 4711 long")] == ["pii.a"]
    assert [one.kind for one in taint.check("customer 4713")] == ["pii.c"]
    assert taint.check("custome") == ()


@given(st.text(min_size=LEAST, max_size=60), st.text(max_size=30), st.text(max_size=30))
def test_any_value_in_any_text(value: str, before: str, after: str) -> None:
    taint = Taint(KEY)
    taint.enter("pii.x", value)
    text = f"{before} {value} {after}"
    found = taint.check(text)
    if sum(map(str.isalnum, value)) >= LEAST:
        assert found
    for one in found:
        assert 0 <= one.start < one.end <= len(text)


@given(st.sampled_from(DISGUISES), st.text("ab \n", max_size=30), st.lists(st.integers(0, 200), max_size=12))
def test_streams_report_each_value_once(disguise: tuple[str, str, str], noise: str, places: list[int]) -> None:
    taint = Taint(KEY)
    for kind, value in (("pii.email", EMAIL), ("pii.card", CARD), ("secret.password", PASSWORD)):
        taint.enter(kind, value)
    text = f"{noise} = {disguise[0]} - {noise} = {disguise[0]} ; {noise}"
    stream = TaintedStream(taint)
    found = [one for piece in cut(text, places) for one in stream.feed(piece)]
    assert found == list(taint.check(text))


def test_a_stream_remembers_what_a_value_needs(taint: Taint) -> None:
    stream = TaintedStream(taint)
    for _ in range(50):
        assert stream.feed("some more words in between " * 10) == ()
    assert len(stream._held) <= 4 * module.LONGEST
    assert [one.kind for one in (*stream.feed(EMAIL[:9]), *stream.feed(EMAIL[9:]))] == ["pii.email"]
    assert TaintedStream(Taint(KEY)).feed(EMAIL) == ()
