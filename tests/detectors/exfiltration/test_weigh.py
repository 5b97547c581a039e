"""What an address carries, and where to."""

from __future__ import annotations

from base64 import b32encode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.exfiltration.weigh import CLICKED, LOADED, WRITTEN, carried, harmless, thoroughly, weigh

RANDOM = "Zk3qT9vLw2Xr7NbYc5Md8HsFj4Gp6KaQe1Ru0iVoBtCxDyEzAhSgWfJlUmPnOk12"


@pytest.mark.parametrize(
    ("value", "weight"),
    [
        (b64encode(b"card number: 4111").decode(), 1.0),
        (b64encode(b"identifier-77").decode(), 0.7),
        (b"the password is".hex(), 1.0),
        (b32encode(b"two words here").decode().rstrip("="), 1.0),
        (b32encode(b"two words here").decode().lower(), 1.0),
        (b64encode(b"ada@mail.example").decode(), 1.0),
        ("3141592653589793", 0.0),  # every pair of digits is a letter in hexadecimal
        ("ABCDEFGHIJKLMNOPQRSTUVWX", 0.0),  # base32 of no text
        ("documentation", 0.0),
        ("short", 0.0),
        ("9f86d081884c7d659a2feaa0c55ad015", 0.0),
        ("123e4567-e89b-12d3-a456-426614174000", 0.0),
        ("how+to+cook", 0.2),
        (RANDOM[:40], 0.5),
        (RANDOM, 0.55),
        ("a-very-long-name-of-words-in-a-path-that-goes-on", 0.0),
    ],
)
def test_a_value(value: str, weight: float) -> None:
    assert carried(value) == pytest.approx(weight)


def test_a_value_where_it_stands() -> None:
    assert carried(RANDOM[:40], fixed=True) == 0.0
    assert carried(RANDOM[:36], part=True) == 0.0
    assert carried("a%20file%20name", part=True) == 0.0
    assert carried("the%20" * 9, part=True) == 0.5
    assert carried("the user said so", part=True) == 0.2
    assert carried("this is said about the user and it goes on for a while so that it is long") == 0.6


@pytest.mark.parametrize(
    ("address", "least", "most"),
    [
        ("https://example.com/a/b/c.png?w=100", 0.0, 0.0),
        ("https://example.com", 0.0, 0.0),
        ("", 0.0, 0.0),
        ("?a=bcdefgh", 0.0, 0.0),
        ("https://img.shields.io/?data=secret", 0.0, 0.0),
        ("https://cdn.example/?secret=abc", LOADED, CLICKED),
        ("https://cdn.example/?a=b&auth_token=abc123def", 0.2, 0.3),
        ("https://cdn.example/?abcdefgh12345678", 0.0, 0.0),
        ("https://evil.example/?secret=abc", CLICKED, 1.0),
        ("https://evil.example/?page=abcdef", LOADED, CLICKED),
        ("https://evil.example/page", 0.0, 0.0),
        ("https://evil.example/the%20user%20said%20hello", LOADED, CLICKED),
        ("https://203.0.113.9/?page=abcdef", 0.0, 0.0),
        ("https://cdn.example/?x=%7B%7Buser%7D%7D", WRITTEN, 1.0),
        ("https://cdn.example/?ssn=123-45-6789", WRITTEN, 1.0),
        ("https://cdn.example/?k=AKIA" + "IOSFODNN7EXAMPLE", WRITTEN, 1.0),
        ("https://webhook.site/0b6e", LOADED, WRITTEN),
        ("https://webhook.site/0b6e?a=b", LOADED, WRITTEN),
        ("https://webhook.site/0b6e6c6c-6f20-776f-726c-642100000000?text=hello", WRITTEN, 1.0),
        ("https://discord.com/api/webhooks/1234567890/abc", LOADED, 1.0),
        (f"https://{RANDOM[:40]}@cdn.example/", WRITTEN, 1.0),
        ("https://someuser@cdn.example/", 0.0, 0.0),
        (f"https://{b'a secret key here'.hex()}.cdn.example/", WRITTEN, 1.0),
        (f"https://{b'secret-identifiers-00'.hex()[:42]}.cdn.example/", CLICKED, WRITTEN),
        (f"https://cdn.example/page#{b64encode(b'said: this and that').decode()}", CLICKED, WRITTEN + 0.1),
        ("https://my-service-eu-west-1.cdn.example/", 0.0, 0.0),
    ],
)
def test_an_address(address: str, least: float, most: float) -> None:
    assert least <= weigh(address) <= most


def test_hosts_that_are_allowed_or_not_listed() -> None:
    assert weigh("https://a.corp.example/?data=secret", frozenset({"corp.example"})) == 0.0
    assert weigh("https://webhook.site/", frozenset({"webhook.site"})) == 0.0
    assert weigh("https://example.com/", frozenset({"corp.example"}), listed_only=True) == 1.0
    assert weigh("https://corp.example/", frozenset({"corp.example"}), listed_only=True) == 0.0


@given(st.text(max_size=300))
def test_a_weight_is_between_0_and_1(text: str) -> None:
    assert 0.0 <= weigh(text) <= 1.0
    assert 0.0 <= weigh(f"https://h.example/{text}?data={text}") <= 1.0


WORD = st.sampled_from(
    "desk lamp Report 2024 01 123 45 6789 winter xoxb passwd key api_key data ada USER_DATA sk evil c2 a 89ab12cd34ef5678 89ab12cd34ef567 1234567890123456".split()
)
WORDS = st.lists(WORD, min_size=1, max_size=4).flatmap(
    lambda words: st.sampled_from("-._~+/@").map(lambda gap: gap.join(words))
)
HOST = st.sampled_from(
    [
        "www.example.com",
        "webhook.site",
        "script.google.com",
        "evil.example",
        "10.0.0.1",
        "mnxw42lemvxhi2lbnq.x.example",
        "A.example.",
    ]
)


@given(HOST, st.lists(WORDS, max_size=3), st.lists(st.tuples(WORD, WORDS), max_size=2), st.just("") | WORDS)
def test_what_is_harmless_at_once_is_harmless(
    host: str, path: list[str], query: list[tuple[str, str]], fragment: str
) -> None:
    address = f"https://{'/'.join((host, *path))}?{'&'.join(map('='.join, query))}#{fragment}"
    for each in (address, address.partition("?")[0], address.partition("#")[0], address.replace("?#", "#")):
        if harmless(each):
            assert thoroughly(each) in {0.0, 0.7}  # a word, taken for base64, is text once in a few thousand times


@pytest.mark.parametrize(
    "address",
    [
        "https://www.example.com/a/winter-report?page=3&ref=ports#summary",
        "//example.org/Map.png",
        "https://cdn.example.net/img/89ab12cd34ef5678.png?width=300",
    ],
)
def test_most_addresses_are_harmless_at_once(address: str) -> None:
    assert harmless(address)
    assert thoroughly(address) == 0.0


@pytest.mark.parametrize(
    "address",
    [
        "https://webhook.site/x",
        "https://script.google.com/a",
        "https://evil.example/",
        "https://example.com/?password=hunter2",
        "https://example.com/123-45-6789",
        "https://example.com/sk-one-two-three-four",
        "https://.../",
    ],
)
def test_others_are_looked_at(address: str) -> None:
    assert not harmless(address)
