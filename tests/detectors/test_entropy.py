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
     "your_api_key_1234", "tokenizer_v2", "get_key(1234)", "$API_KEY_12345", "0123456789abcdef0123456789abcdef"],
)  # fmt: skip
def test_no_keys(text: str) -> None:
    assert not entropy.key(text)


def test_sequential() -> None:
    assert entropy.sequential("0123456789ABCDEF0123456789ABCDEF")
    assert entropy.sequential("9876543210")
    assert not entropy.sequential("12345678ABCDEFH1234567890ABCDEFH")
    assert not entropy.sequential(RANDOM)


def test_varied() -> None:
    assert entropy.varied("AKIA" + "IOSFODNN7EXAMPLE")
    assert not entropy.varied("AKIA" + "X" * 16)


@pytest.mark.parametrize("text", [RANDOM[:20], "ZkqTvLwXrNbYcMdHsFjGpKaQe", "9f86d081884c7d659a2feaa0c55ad015"])
def test_issued(text: str) -> None:
    assert entropy.issued(text)


@pytest.mark.parametrize(
    "text", ["x" * 24, "1111222233334444", "your_key_1a2b3c4d5e", "onlywordsofthelanguage", "aBcDeFgHiJ...kLmN1"]
)
def test_not_issued(text: str) -> None:
    assert not entropy.issued(text)


@pytest.mark.parametrize(
    "text", ["getElementById", "settings/application/name", "SOME_CONSTANT_NAME", "tokenizer", "user-name"]
)
def test_wordlike(text: str) -> None:
    assert entropy.wordlike(text)


@pytest.mark.parametrize("text", ["", "12345678", "xq7vkz9wj2", RANDOM[:24], "kzqxjvwqzpkx"])
def test_not_wordlike(text: str) -> None:
    assert not entropy.wordlike(text)


def test_mixed() -> None:
    assert entropy.mixed(RANDOM[:24])
    assert not entropy.mixed("production2024settings")
    assert not entropy.mixed("ZkqTvLwXrNbYcMdHsFjGpKaQe1")


def test_a_uuid_is_a_key_where_one_may_be() -> None:
    uuid = "9f86d081-884c-4d65-9a2f-eaa0c55ad015"
    assert entropy.key(uuid, uuid=True)
    assert not entropy.key(uuid)
    assert not entropy.key("00000000-0000-0000-0000-000000000000", uuid=True)


def test_a_key_of_letters_alone_changes_their_case() -> None:
    assert entropy.key("ZkqTvLwXrNbYcMdHsFjGpKaQe")
    assert not entropy.key("AWS_ACCESS_KEY_ID")
    assert not entropy.key("zkqtvlwxrnbycmdhsfjgpkaqe")


@pytest.mark.parametrize("text", ["supersecret123", "my$ecretK3y", "zxcvbnm1", "topsecret!"])
def test_chosen(text: str) -> None:
    assert entropy.chosen(text)


@pytest.mark.parametrize(
    "text",
    ["short1", "token123", "my-key-12", "12345678", "20240131", "apikey1234", "self.key1", "########", "onlywords"],
)
def test_not_chosen(text: str) -> None:
    assert not entropy.chosen(text)


def test_letters_of_other_scripts_change_their_case_too() -> None:
    assert entropy.password("éVzQxJwPÜt")
    assert not entropy.password("évzqxjwpüt")


def test_what_stands_between_quotes_is_a_value() -> None:
    assert entropy.password("$ecr3t!", quoted=True)
    assert entropy.password("a1b2", quoted=True)
    assert entropy.password("kVzQxJwPbT", quoted=True)
    assert not entropy.password("$ecr3t!")
    assert not entropy.password("get(x1)", quoted=True)
    assert not entropy.password("${SECRET1}", quoted=True)
    assert not entropy.password("correcthorse", quoted=True)


def test_filled() -> None:
    assert entropy.filled("cafebabe:deadbeef")
    assert not entropy.filled("${USER}:${PASSWORD}")
    assert not entropy.filled("changeme")
