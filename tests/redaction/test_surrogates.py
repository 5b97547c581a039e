"""Surrogates: each passes for what it stands for, and is nobody's."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re

import phonenumbers
import pytest
import stdnum.iban
import stdnum.luhn
from hypothesis import given
from hypothesis import strategies as st

from yett.redaction.surrogates import LONGEST, surrogate

draws = st.integers(0, 2**256 - 1)
DOCUMENTATION = [
    ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


@given(draws)
def test_an_address_at_a_domain_of_nobody(draw: int) -> None:
    assert re.fullmatch(r"u[a-z2-9]{10}@redacted\.example", surrogate("pii.email", "ada@example.org", draw))


@given(draws, st.sampled_from(["+44 20 7946 0018", "+442079460018", "2125552368", "(212) 555-2368"]))
def test_a_telephone_number_of_fiction(draw: int, value: str) -> None:
    made = surrogate("pii.phone", value, draw)
    assert re.fullmatch(r"55501\d\d", re.sub(r"\D", "", made)[-7:])
    assert phonenumbers.is_valid_number(phonenumbers.parse(made, "US"))
    assert made.startswith("+") == value.startswith("+")
    assert made.lstrip("+").isdigit() == value.lstrip("+").isdigit()


@given(
    draws,
    st.sampled_from(
        ["4111 1111 1111 1111", "5500-0000-0000-0004", "4111111111111111", "3782 822463 10005", "378282246310005"]
    ),
)
def test_a_card_of_the_test_range(draw: int, value: str) -> None:
    made = surrogate("pii.card", value, draw)
    digits = re.sub(r"\D", "", made)
    assert stdnum.luhn.is_valid(digits)
    assert digits.startswith(("400000", "370000"))
    assert re.sub(r"\d", "0", made) == re.sub(r"\d", "0", value)


@given(
    draws,
    st.sampled_from(
        [
            "DE89370400440532013000",
            "GB29 NWBK 6016 1331 9268 19",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO9386011117947",
        ]
    ),
)
def test_an_account_at_no_bank(draw: int, value: str) -> None:
    made = surrogate("pii.iban", value, draw)
    assert stdnum.iban.is_valid(made, check_country=False)
    assert (made[:2], len(made)) == (value[:2], len(value))
    assert set(re.sub(r"\W", "", made)[4:8]) <= {"0", "X"}


@given(draws, st.sampled_from(["10.1.2.3", "2a00:1450:4001::8e"]))
def test_an_address_of_the_documentation(draw: int, value: str) -> None:
    made = ipaddress.ip_address(surrogate("pii.ip-address", value, draw))
    assert made.version == ipaddress.ip_address(value).version
    assert any(made in network for network in DOCUMENTATION)


@pytest.mark.parametrize(
    ("value", "form"), [("1990-01-31", "%Y-%m-%d"), ("31.1.1990", "%d.%m.%Y"), ("01/31/1990", "%m/%d/%Y")]
)
@given(draw=draws)
def test_a_day_that_is_one_in_either_order(value: str, form: str, draw: int) -> None:
    made = surrogate("pii.date-of-birth", value, draw)
    assert 1901 <= dt.datetime.strptime(made, form).replace(tzinfo=dt.UTC).year < 1930


@pytest.mark.parametrize(
    ("kind", "value"),
    [("pii.date-of-birth", "May 1990"), ("pii.name", "Ada"), ("pii.card-code", "123"), ("secret.key", "x")],
)
def test_what_has_no_range_has_no_surrogate(kind: str, value: str) -> None:
    assert surrogate(kind, value, 7) == ""


@given(draws, st.sampled_from(["pii.email", "pii.phone", "pii.card", "pii.ip-address"]))
def test_it_is_short(draw: int, kind: str) -> None:
    assert len(surrogate(kind, "10.1.2.3", draw)) <= LONGEST
