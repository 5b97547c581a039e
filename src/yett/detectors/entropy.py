"""Entropy: what tells a random credential from a word, a placeholder or an expression in source code."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

# Values that documentation and source code put where a credential would stand.
_PLACEHOLDER = re.compile(
    r"(?i)x{4,}|\*{3,}|\.{3}|-{4,}|_{3,}|(.)\1{5,}|your[_-]|[_-]?here$|example|placeholder|changeme|change[_-]?me|redacted|"
    r"^insert|^enter|^replace|dummy|sample|^test(?:ing)?\d?$|^(?:my|the|some|a)[_-]|^null$|^none$|^undefined$|^true$|^false$|"
    r"0123456789abcdef|abcdefghijkl|1234567890123"
)
# `getenv("X")`, `config.api.key`, `$TOKEN`, `${{ secrets.X }}`, `%s`, `&pointer`, a path, a URL
_EXPRESSION = re.compile(
    r"[$%&@!~=(]|0x|\W*\w+(?:\.\w+)*\(|[A-Za-z_]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+$|\.{0,2}/[\w.-]+/|[a-z]+://|-{1,2}[a-z]"
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$")
_COMMON = frozenset(
    "password passwd passphrase pass secret token user username string required optional hidden default admin login value".split()
)


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits per character; 0.0 for the empty string."""
    length = len(text)
    return -sum(count / length * log2(count / length) for count in Counter(text).values())


def classes(text: str) -> int:
    """How many of lower case, upper case, digits and everything else occur."""
    return (
        any("a" <= c <= "z" for c in text)
        + any("A" <= c <= "Z" for c in text)
        + any("0" <= c <= "9" for c in text)
        + any(not c.isalnum() for c in text)
    )


def placeholder(text: str) -> bool:
    """True for a value that stands for a credential without being one."""
    return bool(_PLACEHOLDER.search(text)) or text.lower() in _COMMON


def varied(text: str) -> bool:
    """True unless a few characters repeat to fill the shape, as in `AKIAXXXXXXXXXXXXXXXX`."""
    return entropy(text) >= 2.5


def random(text: str) -> bool:
    """True for text that looks drawn at random from letters and digits, as issued tokens are."""
    if _PLACEHOLDER.search(text) or not any("0" <= c <= "9" for c in text):
        return False
    return entropy(text) >= 3.0 and any(c.isalpha() for c in text)


def key(text: str) -> bool:
    """True for a plausible value of `api_key = …`: random, and neither code, nor a UUID, nor a version or date."""
    if len(text) < 10 or _EXPRESSION.match(text) or _UUID.match(text):
        return False
    digits = sum("0" <= c <= "9" for c in text)
    return digits >= 2 and digits < len(text) and random(text) and entropy(text) >= 3.3 * min(1.0, len(text) / 20 + 0.2)


def password(text: str) -> bool:
    """True for a plausible value of `password = …`. Words of letters alone are not: prose would be full of passwords."""
    text = text.rstrip(".,:;!?)")
    if len(text) < 6 or placeholder(text) or _EXPRESSION.match(text):
        return False
    if text.isdigit():
        return True
    return classes(text) >= 2 and any(not c.isalpha() and c not in "_-./:" for c in text)
