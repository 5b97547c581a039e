"""The validators that are written here, against the standards' own examples and an independent implementation."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn

from yett.detectors.pii.banking import IBAN_LENGTHS, iban, iban_of_any_length
from yett.detectors.pii.checks import luhn
from yett.detectors.pii.crypto import base58check
from yett.detectors.pii.email import email
from yett.detectors.pii.national.americas import ssn
from yett.detectors.pii.network import any_ipv4, public_ipv4
from yett.detectors.pii.phone import grouped, local_phone, national_phone, phone, phone_after_prefix


@given(st.text("0123456789", min_size=12, max_size=19).filter(lambda digits: len(set(digits)) > 1))
def test_luhn_as_stdnum_has_it(digits: str) -> None:
    assert luhn(digits) is bool(stdnum_luhn.is_valid(digits))


@given(st.sampled_from(sorted(IBAN_LENGTHS)), st.data())
def test_iban_accepts_what_stdnum_computes(country: str, data: st.DataObject) -> None:
    length = IBAN_LENGTHS[country] - 4
    account = data.draw(st.text("0123456789", min_size=length, max_size=length))
    number = country + stdnum_iban.calc_check_digits(f"{country}00{account}") + account
    assert iban(number)
    assert iban(" ".join(number[i : i + 4] for i in range(0, len(number), 4)).lower())
    assert not iban(number[:-1])
    assert not iban(f"{number[:-1]}{(int(number[-1]) + 1) % 10}")


def test_iban_of_no_country() -> None:
    assert not iban("ZZ12345678901234")


@pytest.mark.parametrize("text", ["+1 415 555 2671", "+44 20 7946 0958", "+49\u202f30\u202f901820", "+91-98765-43210"])
def test_phone(text: str) -> None:
    assert phone(text) == len(text)
    assert phone_after_prefix(text[1:]) == len(text) - 1


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_phone_accepts_every_country(region: str) -> None:
    number = phonenumbers.example_number(region)
    for style in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        text = phonenumbers.format_number(number, style)
        assert phone(text) == len(text)


@pytest.mark.parametrize("text", ["+44 (0)20 7946 0958", "+39 06 698 12345", "+39 347 123 4567"])
def test_phone_with_a_leading_zero(text: str) -> None:
    assert phone(text) == len(text)


@given(st.text("0123456789", min_size=7, max_size=15))
def test_phone_accepts_every_number_that_phonenumbers_calls_valid(digits: str) -> None:
    """And some more: a number need not have been given out to look like a person's."""
    text = f"+{digits}"
    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        valid = False
    if valid and len(set(digits)) > 4:
        assert phone(text) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "+1 000 000 0000",
        "+999 123 4567",
        "+1",
        "",
        "+0",
        "+44 0000",
        "+1 115 555 2671",
        "+44 11111111",
        "+44" + "0123456789" * 3,
    ],
)
def test_no_phone(text: str) -> None:
    assert not phone(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("030 901820", True), ("1111111", False), ("12345", False), ("1..2345678", False)]
)
def test_national_phone(text: str, expected: bool) -> None:
    assert national_phone(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("123-45-6789", True), ("000-12-3456", False), ("666-12-3456", False), ("900-12-3456", False), ("123-00-4567", False),
     ("123-45-0000", False), ("111-11-1111", False)],
)  # fmt: skip
def test_ssn(text: str, expected: bool) -> None:
    assert ssn(text.replace("-", "")) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ada@example.com", True), ("a.b+c@x.co.uk", True), ("icon@2x.png", False), ("git@github.com", False), ("a..b@x.de", False),
     (".a@x.de", False), ("a.@x.de", False)],
)  # fmt: skip
def test_email(text: str, expected: bool) -> None:
    assert email(text) is expected


def test_phone_leaves_a_following_number_out() -> None:
    assert phone("+44 20 7946 0958 12") == len("+44 20 7946 0958")
    assert phone("+1 415 555 2671 24 12") == len("+1 415 555 2671")


def test_one_repeated_digit_is_no_card() -> None:
    assert not luhn("0000 0000 0000 0000")


def test_base58_of_more_than_an_address() -> None:
    assert not base58check("z" * 35)


def test_an_iban_of_the_wrong_length_is_one_where_a_word_says_so() -> None:
    assert not iban("GB59JVXL7590527303635")
    assert iban_of_any_length("GB59JVXL7590527303635") == 21
    assert not iban_of_any_length("GB59JVXL7590527303636")


@pytest.mark.parametrize("text", ["999.1.1.1", "1.2.3", "1.2.3.4.5", "300.300.300.300"])
def test_no_address(text: str) -> None:
    assert not any_ipv4(text)
    assert not public_ipv4(text)


def test_grouped_phone_numbers() -> None:
    assert grouped("020 7946 0958")
    assert grouped("(030) 2345 6789")
    assert not grouped("0000 1111 22")
    assert not grouped("012 345 678 901 234")
    assert not grouped("099 999 999 91")


def test_dates_are_no_telephone_numbers() -> None:
    assert not national_phone("2024-01-31")
    assert not national_phone("31.12.2023")
    assert not national_phone("12/31/2023 1")
    assert national_phone("2024-13-99")


def test_numbers_of_a_country_without_a_plan() -> None:
    accept = local_phone("zz").accept
    assert accept is not None
    assert not accept("0612345678")
