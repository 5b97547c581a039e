"""The countries that an operator names: their numbers need no word before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.inspection import detectors, inspector
from yett.config.reader import parse
from yett.detectors.engine import Scanner
from yett.detectors.shelf import SHELF
from yett.errors import Mistake
from yett.policy.engine import PolicyEngine


def load(countries: str) -> tuple[list[str], Scanner]:
    reading = parse(f"[inspection]\ncountries = {countries}\n", Path("yett.toml"), {})
    mistakes: list[Mistake] = list(reading.mistakes)
    own = [each for each in detectors(reading, mistakes) if each not in SHELF]
    return [str(mistake) for mistake in mistakes], Scanner(own)


def test_numbers_of_ones_own_countries() -> None:
    mistakes, scanner = load('["NL", "de"]')
    assert mistakes == []
    assert [found.kind for found in scanner.scan_text("klant 111222333 of 06 12345678")] == ["pii.nl-bsn", "pii.phone"]


def test_a_country_that_nothing_is_known_of() -> None:
    mistakes, scanner = load('["nl", "xx"]')
    assert [one.partition(";")[0] for one in mistakes] == [
        'yett.toml:2: inspection.countries[1]: no numbers of a country "xx" are known'
    ]
    assert {detector.kind for detector in scanner.detectors} == {"pii.nl-bsn", "pii.phone"}


def test_none_are_named_unless_they_are() -> None:
    assert load("[]")[1].detectors == ()


@pytest.mark.parametrize(
    ("setting", "policy", "looked_for"),
    [
        ("auto", '@obligation("redact:pii.person")', True),
        ("auto", '@obligation("redact:pii")', False),
        ("always", "", True),
        ("never", '@obligation("redact:pii.address")', False),
    ],
)
def test_names_are_looked_for_when_they_are_asked_for(setting: str, policy: str, looked_for: bool) -> None:
    settings = parse(f'[inspection]\nnames = "{setting}"\n', Path("yett.toml"), {}).settings
    grant = '@id("grant") permit (principal, action, resource);'
    engine = PolicyEngine.load({"a.cedar": f'@id("a") {policy} permit (principal, action, resource); {grant}'})
    assert inspector(settings, Scanner(()), engine).asks is looked_for
