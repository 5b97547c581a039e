"""Virtual keys: their form, their check digits, their keyed hash."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.config.virtual_key import digest, mint, well_formed

entropies = st.binary(min_size=32, max_size=32)


@given(entropies)
def test_a_minted_key_is_well_formed(entropy: bytes) -> None:
    key = mint(entropy)
    assert well_formed(key)
    assert len(key) == 9 + 43 + 1 + 6


@given(entropies, entropies)
def test_different_entropy_gives_different_keys(one: bytes, other: bytes) -> None:
    assert (mint(one) == mint(other)) == (one == other)


@given(entropies, st.integers(9, 58), st.sampled_from("0aZ_ \n-é"))
def test_any_single_typing_error_is_noticed(entropy: bytes, position: int, character: str) -> None:
    key = mint(entropy)
    mistyped = key[:position] + character + key[position + 1 :]
    assert well_formed(mistyped) == (mistyped == key)


@given(entropies, st.integers(9, 50))
def test_swapped_neighbours_are_noticed(entropy: bytes, at: int) -> None:
    key = mint(entropy)
    swapped = key[:at] + key[at + 1] + key[at] + key[at + 2 :]
    assert well_formed(swapped) == (swapped == key)


@pytest.mark.parametrize(
    "text",
    ["", "ytk_live_", "sk-proj-abc", "ytk_test_" + "a" * 43 + "_000000", mint(bytes(32)) + "\n", " " + mint(bytes(32))],
)
def test_what_is_no_key(text: str) -> None:
    assert not well_formed(text)


def test_extreme_entropies() -> None:
    assert mint(bytes(32)).startswith("ytk_live_" + "0" * 43 + "_")
    assert well_formed(mint(b"\xff" * 32))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_too_little_entropy_is_an_error(length: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        mint(bytes(length))


@given(st.binary(max_size=64), st.binary(max_size=80))
def test_the_digest_is_hmac_sha256(pepper: bytes, key: bytes) -> None:
    assert digest(pepper, key) == hmac.new(pepper, key, hashlib.sha256).digest()
