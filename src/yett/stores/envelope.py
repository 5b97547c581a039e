"""Envelope: a value under a data key of its own, and that key under a key-encryption key (KEK). Bytes in, bytes out.

    value ──AES-256-GCM, data key of this version──▶ ciphertext
    data key ──the KEK: AES-256-GCM here, or a transit service──▶ wrapped

Both are bound to where they belong (deployment, name, version), so an envelope that was put in another's place, or under another
version, does not open. What binding cannot tell, that a whole row was replaced by an older one of itself, is told by a manifest:
see `stores.credentials`.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D, section 8.2

Randomness = Callable[[int], bytes]


class Wrapped(Struct, frozen=True):
    """A data key under the KEK that `kek` names."""

    kek: str
    key: bytes


class Envelope(Struct, frozen=True):
    """One version of one value, sealed. It says nothing about the value but its length."""

    wrapped: Wrapped
    nonce: bytes
    ciphertext: bytes


def binding(*parts: str) -> bytes:
    """What a seal is bound to. Every part goes in with its length: ("a", "bc") is not ("ab", "c")."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def seal(key: bytes, value: bytes, bound: bytes, randomness: Randomness) -> tuple[bytes, bytes]:
    """Nonce and ciphertext of `value`."""
    nonce = randomness(NONCE_BYTES)
    return nonce, AESGCM(key).encrypt(nonce, value, bound)


def unseal(key: bytes, nonce: bytes, ciphertext: bytes, bound: bytes) -> bytes | None:
    """The value; None when it was sealed under another key, for another place, or was changed since."""
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, bound)
    except (InvalidTag, ValueError):  # a nonce or key of another length is a ValueError
        return None
