"""Surrogates: made-up values that pass the checks of a tool's schema, from ranges that are nobody's.

Each is made from a number that the value itself was drawn to, and keeps the shape in which the value was written. Sources:
RFC 2606 (names), RFC 5737 and RFC 3849 (addresses), NANP 555-0100 to 555-0199 (telephone), ISO/IEC 7812 (check digit),
ISO 13616 (IBAN).
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 64  # characters of a surrogate, at most
_BASE = "23456789bcdfghjkmnpqrstvwxz"
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")
# Area codes that exist, so that a number passes as one; exchange 555-01 is reserved for fiction in each of them.
_AREAS = "202 212 213 303 305 312 313 314 404 415 503 512 602 612 615 617 619 702 713 714 718 801 816 901".split()
_GROUPS = re.compile(r"[ -]")
_DATE = re.compile(r"(\d{4})([./-])\d{1,2}\2\d{1,2}|\d{1,2}([./-])\d{1,2}\3\d{4}")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def surrogate(kind: str, value: str, draw: int) -> str:
    """What may stand for `value`; "" when there is no range to take it from."""
    for name, make in _MAKERS.items():
        if kind.startswith(name):
            return make(value, draw)
    return ""


def _email(_value: str, draw: int) -> str:
    local = ""
    for _ in range(10):
        draw, rest = divmod(draw, len(_BASE))
        local += _BASE[rest]
    return f"u{local}@redacted.example"


def _phone(value: str, draw: int) -> str:
    draw, line = divmod(draw, 100)
    area = _AREAS[draw % len(_AREAS)]
    if value.lstrip("+").isdigit():
        return f"{'+1' if value.startswith('+') else ''}{area}55501{line:02d}"
    return f"{'+1 ' if value.startswith('+') else ''}{area}-555-01{line:02d}"


def _card(value: str, draw: int) -> str:
    """A number of the test range 4000 00, or 3700 00 for one of 15 digits."""
    count = sum(c.isdigit() for c in value)
    short = count == 15
    digits = ("370000" if short else "400000") + f"{draw % 10**16:016d}"[: 8 if short else 9]
    digits += str(-_luhn_sum(digits + "0") % 10)
    separator = _GROUPS.search(value)
    if separator is None:
        return digits
    groups = (digits[:4], digits[4:10], digits[10:]) if short else tuple(digits[i : i + 4] for i in range(0, 16, 4))
    return separator[0].join(groups)


def _luhn_sum(digits: str) -> int:
    numbers = [int(digit) for digit in digits]
    return sum(numbers[-1::-2]) + sum(_DOUBLED[number] for number in numbers[-2::-2])


def _iban(value: str, draw: int) -> str:
    """An account of the same country and shape, at a bank whose code is all zeros or X."""
    compact = "".join(c for c in value if c.isalnum()).upper()
    country, shape = compact[:2], compact[4:]
    own = f"{draw % 10**40:040d}"
    body = "".join("X" if c.isalpha() else "0" if place < 4 else own[place] for place, c in enumerate(shape))
    number = int("".join(str(int(c, 36)) for c in f"{body}{country}00"))
    made = f"{country}{98 - number % 97:02d}{body}"
    separator = _GROUPS.search(value)
    return separator[0].join(made[i : i + 4] for i in range(0, len(made), 4)) if separator else made


def _address(value: str, draw: int) -> str:
    if ":" in value:
        return f"2001:db8:{draw % 0xFFFF + 1:x}:{draw // 0x10000 % 0xFFFF + 1:x}::{draw // 0x100000000 % 0xFFFF + 1:x}"
    draw, host = divmod(draw, 254)
    return f"{_NETWORKS[draw % 3]}.{host + 1}"


def _date(value: str, draw: int) -> str:
    """A day long ago that is one in whichever order day and month are read."""
    found = _DATE.fullmatch(value)
    if found is None:
        return ""
    draw, year = divmod(draw, 29)
    month, day = draw % 12 + 1, draw // 12 % 12 + 1
    if found[1]:
        return f"{1901 + year}{found[2]}{month:02d}{found[2]}{day:02d}"
    return f"{month:02d}{found[3]}{day:02d}{found[3]}{1901 + year}"


_MAKERS: dict[str, Callable[[str, int], str]] = {
    "pii.email": _email,
    "pii.phone": _phone,
    "pii.card-code": lambda _value, _draw: "",
    "pii.card": _card,
    "pii.iban": _iban,
    "pii.ip": _address,
    "pii.date": _date,
}
