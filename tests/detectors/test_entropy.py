"""What looks like a credential and what does not."""

from __future__ import annotations

import pytest
from tests.detectors.examples import RANDOM

from yett.detectors import entropy


def test_entropy_is_in_bits_per_character() -> None:
    assert entropy.entropy("") == 0.0
    assert entropy.entropy("aaaa") == 0.0
    assert entropy.entropy("abcd") == 2.0


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 1), ("aB", 2), ("aB1", 3), ("aB1-", 4)])
def test_classes(text: str, count: int) -> None:
    assert entropy.classes(text) == count


@pytest.mark.parametrize("text", ["hunter2", "P@ssw0rd!", "c0rrect-horse", "12345678", "s3cr3t.", "Winter2024"])
def test_passwords(text: str) -> None:
    assert entropy.password(text)


@pytest.mark.parametrize(
    "text",
    ["", "short", "password", "changeme", "your-password", "xxxxxxxx", "********", "$PASSWORD", "${DB_PASS}", "required.",
     "get_password()", "self.password", "os.environ.get(", "config.db.password", "%(pass)s", "string", "user_name",
     "https://a.b/c1", "/etc/pass1/", "--flag1", "0x0241"],
)  # fmt: skip
def test_no_passwords(text: str) -> None:
    assert not entropy.password(text)


@pytest.mark.parametrize("text", [RANDOM[:24], "9f86d081884c7d659a2feaa0c55ad015", "a1b2-c3d4-e5f6-g7h8"])
def test_keys(text: str) -> None:
    assert entropy.key(text)


@pytest.mark.parametrize(
    "text",
    ["", "4096", "1234567890", "cl100k_b", "settings.api_key_2", "123e4567-e89b-12d3-a456-426614174000", "aaaaaaaaaa11",
     "your_api_key_1234", "tokenizer_v2", "get_key(1234)", "$API_KEY_12345"],
)  # fmt: skip
def test_no_keys(text: str) -> None:
    assert not entropy.key(text)


def test_varied() -> None:
    assert entropy.varied("AKIA" + "IOSFODNN7EXAMPLE")
    assert not entropy.varied("AKIA" + "X" * 16)
