"""Envelopes: what is sealed opens where it belongs, and nowhere else."""

from __future__ import annotations

import secrets

from hypothesis import given, settings
from hypothesis import strategies as st

from yett.stores.envelope import binding, seal, unseal

KEY = bytes(range(32))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), st.lists(st.text(max_size=9), max_size=4))
def test_it_opens_where_it_was_sealed(value: bytes, parts: list[str]) -> None:
    nonce, ciphertext = seal(KEY, value, binding(*parts), secrets.token_bytes)
    assert unseal(KEY, nonce, ciphertext, binding(*parts)) == value


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_no_two_places_are_bound_alike(one: list[str], other: list[str]) -> None:
    assert (binding(*one) == binding(*other)) == (one == other)


def test_whatever_is_changed_keeps_it_shut() -> None:
    bound = binding("a", "1")
    nonce, ciphertext = seal(KEY, b"sk-value", bound, secrets.token_bytes)
    for place in range(len(ciphertext)):
        changed = ciphertext[:place] + bytes((ciphertext[place] ^ 1,)) + ciphertext[place + 1 :]
        assert unseal(KEY, nonce, changed, bound) is None
    assert unseal(KEY, nonce, ciphertext, binding("a", "2")) is None
    assert unseal(KEY, nonce, ciphertext, binding("b", "1")) is None
    assert unseal(KEY[::-1], nonce, ciphertext, bound) is None
    assert unseal(KEY, b"short", ciphertext, bound) is None
    assert unseal(KEY, nonce, b"", bound) is None
