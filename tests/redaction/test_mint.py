"""Tokens: their shape, and what they depend on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.redaction.known import is_token
from yett.redaction.mint import Mint, task_key, type_of

TASK = ("default", "key_ada", "")
MINT = Mint(task_key(b"pepper", *TASK))


@given(st.text(), st.integers(0, 40))
def test_a_token_is_letters_digits_and_an_underscore(value: str, attempt: int) -> None:
    token = MINT.token("pii.email", value, attempt)
    assert re.fullmatch(r"EMAIL_[A-Z2-7]{7}[2-7]", token)
    assert is_token(token)


def test_the_same_value_has_the_same_token_in_one_task_only() -> None:
    token = MINT.token("pii.email", "ada@example.org")
    assert Mint(task_key(b"pepper", *TASK)).token("pii.email", "ada@example.org") == token
    others = [
        (b"other", *TASK),
        (b"pepper", "tenant", *TASK[1:]),
        (b"pepper", "default", "key_bo", ""),
        (b"pepper", *TASK[:2], "t"),
    ]
    others.append((b"pepper", "defaultkey_ada", "", ""))  # the same letters, cut elsewhere
    tokens = {Mint(task_key(*other)).token("pii.email", "ada@example.org") for other in others}
    assert len(tokens | {token}) == len(others) + 1


def test_an_attempt_more_gives_another_one() -> None:
    assert len({MINT.token("pii.email", "ada@example.org", attempt) for attempt in range(20)}) == 20
    assert len({MINT.draw("pii.email", "ada@example.org", attempt) for attempt in range(20)}) == 20


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("pii.email", "Ada@Example.org", "ada@example.org"),
        ("pii.phone", "+44 20 7946 0018", "+442079460018"),
        ("pii.iban", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
    ],
)
def test_spellings_of_one_value_look_alike_and_are_not_the_same(kind: str, one: str, other: str) -> None:
    first, second = MINT.token(kind, one), MINT.token(kind, other)
    assert first[:-3] == second[:-3]
    assert first != second


def test_signs_of_an_address_count() -> None:
    assert MINT.token("pii.email", "a.b@example.org")[:-3] != MINT.token("pii.email", "ab@example.org")[:-3]


def test_the_type_is_the_kind_in_letters() -> None:
    assert [type_of(kind) for kind in ("pii.email", "pii.ip-address", "pii.de-id2", "x", "pii." + "a" * 40, "pii.é1")] == [
        "EMAIL", "IPADDRESS", "DEID", "VALUE", "A" * 16, "VALUE"
    ]  # fmt: skip


def test_ten_thousand_values_have_ten_thousand_tokens() -> None:
    assert len({MINT.token("pii.email", f"u{n}@example.org") for n in range(10_000)}) == 10_000
