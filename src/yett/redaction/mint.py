"""Mint: what a token looks like, and how it is derived: typed, keyed, and always the same within one task.

    EMAIL_7Q2MKD3F        TYPE, an underscore, seven characters and a digit

Letters, digits and the underscore survive JSON, URLs, identifiers and the tokenisers of models. The eight characters are a
base32 subset without vowels, so that no word of any language is one, and end in a digit, so that they end neither in the
middle of a word nor in the TYPE of the token that follows: wherever a token stands, it can be read in one way only.

The first five characters come from the value itself, the last three from how it is spelt: `Ada@example.org` and
`ada@example.org` show that they are one address, and each comes back as it was written.
"""

from __future__ import annotations

import hmac
from functools import lru_cache

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
DIGITS = "234567"
ALPHABET = LETTERS + DIGITS
LONGEST_TYPE = 16  # characters
ID_LENGTH = 8
_BY_VALUE, _BY_SPELLING = 5, 2


def task_key(pepper: bytes, tenant: str, caller: str, task: str) -> bytes:
    """The key of one task: what is derived with it says nothing to other tenants, callers and tasks. 32 bytes."""
    key = hmac.digest(pepper, b"yett redaction", "sha256")
    for part in (tenant, caller, task):
        key = hmac.digest(key, part.encode("utf-8", "surrogatepass"), "sha256")
    return key


def owner_name(pepper: bytes, tenant: str, caller: str) -> bytes:
    """A name for a caller that says nothing of it, and nothing is derived from. 16 bytes."""
    key = hmac.digest(pepper, b"yett redaction owner", "sha256")
    for part in (tenant, caller):
        key = hmac.digest(key, part.encode("utf-8", "surrogatepass"), "sha256")
    return key[:16]


@lru_cache(maxsize=512)
def type_of(kind: str) -> str:
    """The TYPE of tokens for findings of a kind: `pii.ip-address` becomes IPADDRESS."""
    name = "".join(c for c in kind.partition(".")[2] if c.isascii() and c.isalpha())
    return name[:LONGEST_TYPE].upper() or "VALUE"


class Mint:
    """Derives tokens under the key of one task."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def token(self, kind: str, value: str, attempt: int = 0) -> str:
        """The token for a value. `attempt` counts how often the token turned out to be taken by another value."""
        type = type_of(kind)
        first = hmac.digest(
            self._key, f"{attempt}\0{type}\0{_canonical(value)}".encode("utf-8", "surrogatepass"), "sha256"
        )
        second = hmac.digest(first, value.encode("utf-8", "surrogatepass"), "sha256")
        by_value = _characters(int.from_bytes(first[:12]), _BY_VALUE)
        by_spelling = _characters(int.from_bytes(second[:12]), _BY_SPELLING)
        return f"{type}_{by_value}{by_spelling}{DIGITS[int.from_bytes(second[12:24]) % len(DIGITS)]}"

    def draw(self, kind: str, value: str, attempt: int = 0) -> int:
        """A number of 256 bits that is always the same for this value, to make up another one from."""
        drawn = f"{attempt}\0{kind}\0{value}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hmac.digest(self._key, b"draw\0" + drawn, "sha256"))


def _characters(number: int, count: int) -> str:
    found = []
    for _ in range(count):
        number, rest = divmod(number, len(ALPHABET))
        found.append(ALPHABET[rest])
    return "".join(found)


def _canonical(value: str) -> str:
    """What spellings of one value have in common: letters and digits, without case. In an address the signs count, too."""
    folded = value.casefold()
    return folded if "@" in folded else "".join(c for c in folded if c.isalnum())
