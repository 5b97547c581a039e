"""The form of a virtual key: `ytk_live_` + 43 base62 digits of 256 random bits + `_` + 6 base62 digits of a CRC-32.

The prefix lets secret scanners recognise a leaked key; the check digits reject typing errors before any look-up. They are
no protection: that is the entropy, and the keyed hash under which a key is stored (no stretching: nothing to guess).
"""

from __future__ import annotations

import re
import string
import zlib

from yett.config.keyed_hash import keyed_hash

PREFIX = "ytk_live_"
ENTROPY_BYTES = 32

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_FORM = re.compile(r"ytk_live_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", re.ASCII)
_BODY = len(PREFIX) + 43


def mint(entropy: bytes, prefix: str = PREFIX) -> str:
    """The key that stands for 32 random bytes. Raises ValueError for any other length."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a virtual key needs {ENTROPY_BYTES} random bytes, not {len(entropy)}")
    body = prefix + _base62(int.from_bytes(entropy, "big"), 43)
    return f"{body}_{_check(body)}"


def well_formed(key: str) -> bool:
    """Whether `key` looks like a virtual key and its check digits are right."""
    return _FORM.fullmatch(key) is not None and _check(key[:_BODY]) == key[_BODY + 1 :]


def digest(pepper: bytes, key: bytes) -> bytes:
    """What a key is stored and looked up under: HMAC-SHA-256(pepper, key), 32 bytes."""
    return keyed_hash(pepper).digest(key)


def _check(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), 6)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, "0")
