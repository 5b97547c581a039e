"""The validators of personal data, against the standards' own examples and an independent implementation."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn

from yett.detectors import pii


@given(st.text("0123456789", min_size=12, max_size=19).filter(lambda digits: len(set(digits)) > 1))
def test_luhn_as_stdnum_has_it(digits: str) -> None:
    assert pii.luhn(digits) is bool(stdnum_luhn.is_valid(digits))


@given(st.sampled_from(sorted(pii.IBAN_LENGTHS)), st.data())
def test_iban_accepts_what_stdnum_computes(country: str, data: st.DataObject) -> None:
    length = pii.IBAN_LENGTHS[country] - 4
    account = data.draw(st.text("0123456789", min_size=length, max_size=length))
    number = country + stdnum_iban.calc_check_digits(f"{country}00{account}") + account
    assert pii.iban(number)
    assert pii.iban(" ".join(number[i : i + 4] for i in range(0, len(number), 4)).lower())
    assert not pii.iban(number[:-1])
    assert not pii.iban(f"{number[:-1]}{(int(number[-1]) + 1) % 10}")


def test_iban_of_no_country() -> None:
    assert not pii.iban("ZZ12345678901234")


@pytest.mark.parametrize("text", ["+1 415 555 2671", "+44 20 7946 0958", "+49\u202f30\u202f901820", "+91-98765-43210"])
def test_phone(text: str) -> None:
    assert pii.phone(text) == len(text)
    assert pii.phone_after_prefix(text[1:]) == len(text) - 1


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_phone_accepts_every_country(region: str) -> None:
    number = phonenumbers.example_number(region)
    for style in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        text = phonenumbers.format_number(number, style)
        assert pii.phone(text) == len(text)


@pytest.mark.parametrize("text", ["+44 (0)20 7946 0958", "+39 06 698 12345", "+39 347 123 4567"])
def test_phone_with_a_leading_zero(text: str) -> None:
    assert pii.phone(text) == len(text)


@given(st.text("0123456789", min_size=7, max_size=15))
def test_phone_accepts_nothing_that_phonenumbers_refuses(digits: str) -> None:
    text = f"+{digits}"
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        valid = False
    assert (pii.phone(text) == len(text)) is valid


@pytest.mark.parametrize("text", ["+1 000 000 0000", "+999 123 4567", "+1", "", "+0", "+44 0000"])
def test_no_phone(text: str) -> None:
    assert not pii.phone(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("030 901820", True), ("1111111", False), ("12345", False), ("1..2345678", False)]
)
def test_national_phone(text: str, expected: bool) -> None:
    assert pii.national_phone(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("123-45-6789", True), ("000-12-3456", False), ("666-12-3456", False), ("900-12-3456", False), ("123-00-4567", False),
     ("123-45-0000", False), ("111-11-1111", False)],
)  # fmt: skip
def test_ssn(text: str, expected: bool) -> None:
    assert pii.ssn(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ada@example.com", True), ("a.b+c@x.co.uk", True), ("icon@2x.png", False), ("git@github.com", False), ("a..b@x.de", False),
     (".a@x.de", False), ("a.@x.de", False)],
)  # fmt: skip
def test_email(text: str, expected: bool) -> None:
    assert pii.email(text) is expected


def test_phone_leaves_a_following_number_out() -> None:
    assert pii.phone("+44 20 7946 0958 12") == len("+44 20 7946 0958")
    assert pii.phone("+1 415 555 2671 24 12") == len("+1 415 555 2671")


def test_one_repeated_digit_is_no_card() -> None:
    assert not pii.luhn("0000 0000 0000 0000")
