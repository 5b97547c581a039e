"""The numbers of countries: each is found where a word names it, and by itself where its shape is its own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.pii.examples import NATIONAL

from yett.detectors.engine import Scanner
from yett.detectors.pii import COUNTRIES, PII, local
from yett.detectors.pii.checks import apart
from yett.detectors.pii.national import IDENTIFIERS
from yett.detectors.pii.national import NATIONAL as DETECTORS
from yett.detectors.pii.national.identifier import Identifier

BY_ID = {identifier.id: identifier for identifier in IDENTIFIERS}


def found(scanner: Scanner, text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in scanner.scan_text(text)]


def alone(*names: str) -> Scanner:
    return Scanner([detector for detector in DETECTORS if detector.id in names])


def test_every_identifier_has_an_example() -> None:
    assert [row[0] for row in NATIONAL] == [identifier.id for identifier in IDENTIFIERS]


@pytest.mark.parametrize(("id", "word", "number", "bare", "wrong"), NATIONAL, ids=[row[0] for row in NATIONAL])
def test_a_national_number(scanner: Scanner, id: str, word: str, number: str, bare: str, wrong: str) -> None:
    named = alone(f"{id}-named")
    for text in (f"{word}: {number}", f'{{"{word.upper()}": "{number}"}}', f"see {word} {number}."):
        assert found(named, text) == [number]
        assert found(scanner, text) == [number]
    if bare:
        assert found(alone(id), f"it is {bare}, I think") == [bare]
        assert found(scanner, f"it is {bare}, I think") == [bare]
        assert found(alone(id), f"order number {bare}") == []
    if wrong:
        assert found(named, f"{word}: {wrong}") == []
    assert found(named, f"it is {number}, I think") == []


@pytest.mark.parametrize("identifier", IDENTIFIERS, ids=lambda identifier: identifier.id)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_validator_has_an_answer_to_everything_of_its_shape(identifier: Identifier, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(identifier.shape, fullmatch=True)).encode("latin-1").decode("utf-8", "replace")
    assert apart(identifier.valid)(text) in {0, len(text)}


def test_thirty_countries_and_more() -> None:
    assert len(COUNTRIES) > 60
    assert all(len(country) == 2 for country in COUNTRIES)


def test_an_operator_s_own_countries_need_no_word() -> None:
    plain, own = Scanner(PII), Scanner((*PII, *local(["nl", "fr", "nl"])))
    for text, number in (("klant 111222333 belde", "111222333"), ("au 0612345678 demain", "0612345678")):
        assert found(plain, text) == []
        assert found(own, text) == [number]
    assert found(own, "order 111222333 and 0612345679012 and 1111111 and 12") == []


@pytest.mark.parametrize(
    ("id", "number"),
    [
        ("se-personnummer", "701063-2391"),  # a coordination number
        ("de-steuernummer", "21/815/08150"),
        ("at-vnr", "1237 010180"),
        ("fr-nir", "1 85 05 78 006 084"),  # without its key
        ("kz-iin", "020101550011"),
        ("es-nuss", "280123456740"),
        ("hu-szemelyi", "1 850730 0017"),
        ("hk-id", "AB987654(3)"),
        ("lk-nic", "198521204567"),
        ("ca-phn", "1234567897ON"),
        ("gb-utr", "1955839661K"),
        ("mx-curp", "BOXW310820HNERXN09"),
    ],
)
def test_rarer_forms(id: str, number: str) -> None:
    identifier = BY_ID[id]
    assert found(Scanner([identifier.named()]), f"{identifier.words.split('|')[0]}: {number}") in ([number], [])
