"""A random text beside a vendor's name is a key when it has the vendor's shape and is given to a name of a credential."""

from __future__ import annotations

import pytest
from tests.detectors.examples import HEX, RANDOM

from yett.detectors.engine import Scanner
from yett.detectors.secrets.vendor_table import VENDORS
from yett.detectors.secrets.vendors import NAMED_BY_VENDOR, vendor_key

UUID = "9f86d081-884c-4d65-9a2f-eaa0c55ad015"


@pytest.fixture(scope="module")
def vendors() -> Scanner:
    return Scanner(NAMED_BY_VENDOR)


@pytest.mark.parametrize(
    ("before", "key", "after"),
    [
        ("DD_API_KEY=", HEX[:32], ""),
        ("DD_API_KEY=", RANDOM[:32].lower(), ""),
        ('datadog: "', HEX[:32], '"'),
        ("const c = new Shodan('", RANDOM[:32], "')"),
        ("https://api.openweathermap.org/data?lat=1&appid=", HEX[:32], ""),
        ("heroku api key ", UUID, ""),
        ("SQUARESPACE_KEY=", UUID, ""),
        ("sonar.login=", HEX[:40], ""),
        ("sauce labs access ", UUID, ""),
        ("Ably.Realtime('", f"{RANDOM[:6]}.{RANDOM[6:12]}:{RANDOM[:43]}", "')"),
    ],
)
def test_keys(vendors: Scanner, before: str, key: str, after: str) -> None:
    text = before + key + after
    assert [text[found.start : found.end] for found in vendors.scan_text(text)] == [key]


@pytest.mark.parametrize(
    "text",
    [
        f"https://github.com/a/b/commit/{HEX[:40]}",
        f"uses: codecov/codecov-action@{HEX[:40]}",
        f"  SonarCloud: {HEX[:40]}",  # a checksum in a lock file
        f"datadog: {'ab1' * 10}ab",
        f"datadog_api_key={'x' * 32}",
        f"datadog_api_key={'1234567890' * 3}12",
        f"shodan_key={'abcdefgh' * 4}",
        f"datadog_api_key={HEX[:31]}",
        f"datadog_client_id={HEX[:32]}",
        f"github.com/stripe/twilio v1.2.3 h1:{RANDOM[:40]}",
        f"the weather in Oslo {HEX[:32]}",
        "AZURE_TENANT_ID=9f86d081-884c-4d65-9a2f-eaa0c55ad015",
        f"https://a.vault.azure.net/secrets/db-password/{HEX[:32]}",
        "github authentication: ThisIsOnlyTheNameOfAClass1",
    ],
)
def test_no_keys(vendors: Scanner, text: str) -> None:
    assert vendors.scan_text(text) == ()


def test_without_a_vendor_there_is_no_key() -> None:
    assert vendor_key("token=", HEX[:32]) == 0


def test_a_vendor_is_written_in_one_place() -> None:
    names = [names for names, _, _ in VENDORS]
    assert len(set(names)) == len(names) >= 250
    assert names == sorted(names)
