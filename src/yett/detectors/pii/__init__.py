"""PII: what identifies a person or belongs to one: addresses, numbers of all kinds, dates of birth.

A checksum alone is weak evidence (of random numbers with nine digits, 93 in 100 pass that of some country), so a bare number
needs the exact shape of its kind, and a looser one needs a word before it that says what it is, or a country that the
operator names (`inspection.countries`).
"""

from __future__ import annotations

from collections.abc import Iterable

from yett.detectors.detector import Detector
from yett.detectors.pii.banking import BANKING, IBAN, iban
from yett.detectors.pii.cards import CARDS
from yett.detectors.pii.checks import luhn
from yett.detectors.pii.crypto import CRYPTO
from yett.detectors.pii.dates import DATES
from yett.detectors.pii.documents import DOCUMENTS
from yett.detectors.pii.email import EMAIL
from yett.detectors.pii.medical import MEDICAL
from yett.detectors.pii.national import COUNTRIES, IDENTIFIERS, NATIONAL
from yett.detectors.pii.network import NETWORK
from yett.detectors.pii.phone import PHONE, local_phone

PII: tuple[Detector, ...] = (
    *IBAN,  # before cards: one IBAN in ten has the digits of a card in it
    *CARDS,
    *BANKING,
    *NATIONAL,
    *DOCUMENTS,
    *MEDICAL,
    *CRYPTO,
    *EMAIL,
    *NETWORK,
    *DATES,
    *PHONE,
)


def local(countries: Iterable[str]) -> tuple[Detector, ...]:
    """Detectors for an operator whose people live in these countries (ISO 3166-1, lower case): numbers of theirs without a
    word before them."""
    chosen = sorted(set(countries))
    numbers = [
        identifier.local()
        for country in chosen
        for identifier in IDENTIFIERS
        if identifier.country == country and identifier.checked
    ]
    return (*numbers, *(local_phone(country) for country in chosen))


__all__ = ["COUNTRIES", "PII", "iban", "local", "luhn"]
