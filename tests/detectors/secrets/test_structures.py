"""Standard tokens, and the headers and commands that carry credentials; secrets in base64."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest
from tests.detectors.examples import HEX, JWT, RANDOM

from yett.detectors.engine import Scanner
from yett.detectors.secrets.encoded import ENCODED, alignments
from yett.detectors.secrets.structures import STRUCTURES, holds

LONG_HEADER = urlsafe_b64encode(b'{"alg":"ECDH-ES","enc":"A256GCM","epk":"' + RANDOM.encode() * 4 + b'"}').decode()
BASIC = b64encode(b"ada:love1ace").decode()


@pytest.fixture(scope="module")
def structures() -> Scanner:
    return Scanner(STRUCTURES)


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("x=", JWT, " "),
        ("\\n", JWT, "\\n"),
        ("assertion%3D", JWT, "&"),
        ("id_token: ", f"{LONG_HEADER.rstrip('=')}..{RANDOM[:16]}.{RANDOM}.{RANDOM[:22]}", " "),
        ("Authorization: Basic ", BASIC, "\r\n"),
        ('"Authorization": "Bearer ', RANDOM[:40], '"'),
        ("Authorization: Token ", HEX[:40], ""),
        ("Authorization: ", RANDOM[:40], ""),
        ("Authorization: Splunk ", "9f86d081-884c-4d65-9a2f-eaa0c55ad015", ""),
        ("curl -u ada:", "love1ace", " https://x.io"),
        ("curl --user 'ada:", "love1ace", "' https://x.io"),
        ("curl -u :", "love1ace", " https://x.io"),
        ('curl -u "', "d3vK#9xq2", ':" https://x.io'),
        ("the header is Basic ", BASIC, " here"),
        ("Cookie: a=b; sessionid=", RANDOM[:32], "; c=d"),
        ("", "v4.local." + RANDOM + RANDOM[:20], ""),
    ],
)
def test_found(structures: Scanner, before: str, value: str, after: str) -> None:
    text = before + value + after
    assert value in [text[found.start : found.end] for found in structures.scan_text(text)]


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJub25z.eyJhbGciOiJub25zZQ",  # no JSON
        urlsafe_b64encode(b'{"name":"value"}').decode().rstrip("=") + "." + RANDOM[:20],
        "Authorization: Basic " + b64encode(b"no colon").decode(),
        "eyJ" + RANDOM * 5,  # no JSON, either
        "docker run -p 8080:80 -u 1000:1000 nginx",
        "Authorization: Basic abcdefghi",  # no base64
        "Authorization: Bearer ${ACCESS_TOKEN_2024_01}",
        "Authorization: AWS4-HMAC-SHA256",
        "Authorization: Bearer your-access-token-123",
        "bearer of the application_name_2024_final",
        "curl -u ${USER}:${PASSWORD} x",
        "curl -u user:password x",
        "curl -u username: x",
        f"ENV GPG_KEY {RANDOM[:40]}",
        "the basic requirements1 and basic abcdefghijkl and basic abcdefghijklm",
    ],
)
def test_not_found(structures: Scanner, text: str) -> None:
    assert structures.scan_text(text) == ()


def test_a_mark_looks_one_of_three_ways_in_base64() -> None:
    mark = b"password="
    for before in range(9):
        for after in range(4):
            encoded = b64encode(b"\xa5" * before + mark + b"\x5a" * after).decode()
            assert any(look in encoded for look in alignments(mark))


@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_secrets_in_base64(before: int, encode: object) -> None:
    scanner = Scanner(ENCODED)
    for secret in (f"password={RANDOM[:20]}", f"ghp_{RANDOM[:36]}", f"-----BEGIN PRIVATE KEY-----\n{RANDOM}"):
        text = encode(b"?" * before + secret.encode() + b"????????").decode()  # type: ignore[operator]
        assert [found.family for found in scanner.scan_text(f"data: {text}\n")] == ["secret"], secret


def test_text_that_does_not_decode_to_a_mark() -> None:
    assert not holds((b"glpat-",), "A" * 24)


def test_what_only_looks_like_a_mark_in_base64() -> None:
    look = alignments(b"npm_")[1]  # cut off so that other bytes look alike
    assert Scanner(ENCODED).scan_text("AAAA" + look[:-1] + "w" + "A" * 24) == ()
