"""The keyed hash against the standard library's HMAC, and against RFC 4231."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from yett.config.keyed_hash import KeyedHash, keyed_hash


@given(st.binary(max_size=200), st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_it_is_hmac_sha_256_for_every_key_and_for_one_message_after_another(key: bytes, messages: list[bytes]) -> None:
    keyed = KeyedHash(key)
    for message in messages:
        assert keyed.digest(message) == hmac.digest(key, message, "sha256")
        assert keyed_hash(key).digest(message) == keyed.digest(message)


def test_rfc_4231_with_a_key_longer_than_a_block() -> None:
    message = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert KeyedHash(b"\xaa" * 131).digest(message).hex() == (
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    )
