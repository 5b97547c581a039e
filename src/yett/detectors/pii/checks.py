"""Checks: what the numbers of many countries have in common: their digits, their check digit, a date in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

_NOT_DIGIT = re.compile(r"[^0-9]+")
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]+")
_ONCE = bytes.maketrans(b"0123456789", bytes(range(10)))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))

Valid = Callable[[str], bool]


def only_digits(text: str) -> str:
    return _NOT_DIGIT.sub("", text)


def compact(text: str) -> str:
    """Letters and digits, in capitals."""
    return _NOT_ALPHANUMERIC.sub("", text).upper()


def varied(text: str, least: int = 3) -> bool:
    """At least so many different digits: not a placeholder such as 1111111 or 0000001."""
    return len(set(only_digits(text))) >= least


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1 Annex B, over the digits of `text`; a number of one repeated digit does not count."""
    digits = only_digits(text).encode()
    if len(set(digits)) < 2:
        return False
    return (sum(digits[-1::-2].translate(_ONCE)) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of the digits times their weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_date(year: int, month: int, day: int) -> bool:
    """Whether there is such a day; a year of two digits stands for one from 2000 on, so that 29 February may be one."""
    try:
        date(year if year > 99 else 2000 + year, month, day)
    except ValueError:
        return False
    return True


def any_of(*valid: Valid) -> Valid:
    return lambda text: any(each(text) for each in valid)


def apart(valid: Valid) -> Callable[[str], int]:
    """For a detector: `valid` sees the letters and digits alone, in capitals, of a number that is no placeholder."""
    return lambda text: len(text) if varied(text) and valid(compact(text)) else 0
