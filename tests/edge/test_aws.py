"""Roles of AWS: what its token service is asked, what is taken from its answers, and the key that follows from them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from tests.token_endpoint import CREDENTIALS, REFUSED, ROLE

from yett.edge.aws import answer, bearer_key
from yett.edge.grants import TokenTrouble
from yett.guardrails.sigv4 import Credentials
from yett.model.route import AssumedRole, Secret

ASSUMED = AssumedRole(ROLE, "yett", "eu-west-1", 3600)
THEN = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC).timestamp()
SECRET, SESSION = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AQoEXAMPLEH4aoAH0gNCAPy/rzl+tr=="
# What AWS's own generator of such keys writes for these credentials at that time (aws-bedrock-token-generator 1.1.0).
WRITTEN = (
    "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261122%2Feu-west-1%2Fbedrock%2Faws4_request&X-Amz-Date=20261122T010203Z"
    "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=AQoEXAMPLEH4aoAH0gNCAPy%2Frzl%2Btr%3D%3D"
    "&X-Amz-Signature=3e01b9780bf2440e1a0fa5215d220b3bba874f66c2e2894cf6246ff5c157567f&Version=1"
)


def xml(**other: str) -> bytes:
    known = {"id": "AKIAIOSFODNN7EXAMPLE", "secret": SECRET, "session": SESSION, "end": "2026-11-22T02:02:03Z"}
    return CREDENTIALS.format(**(known | other)).encode()


def test_the_key_is_that_of_the_vendors_own_generator() -> None:
    token = answer(ASSUMED, 200, xml(), THEN)
    assert token.seconds == 3600
    assert token.secret.reveal() == "bedrock-api-key-" + base64.b64encode(WRITTEN.encode()).decode()
    plain = Credentials(Secret("AKIAIOSFODNN7EXAMPLE"), Secret(SECRET))
    assert "Security-Token" not in base64.b64decode(bearer_key(plain, "us-east-1", 43200, THEN).reveal()[16:]).decode()


@pytest.mark.parametrize(
    ("end", "seconds"),
    [("2026-11-22T01:17:03Z", 900), ("2026-11-22T01:17:03.250Z", 900.25), ("2027-11-22T01:17:03+00:00", 3600)],
)
def test_it_is_good_for_as_long_as_the_credentials_and_no_longer_than_was_asked_for(end: str, seconds: float) -> None:
    token = answer(ASSUMED, 200, xml(end=end), THEN)
    assert token.seconds == seconds
    assert f"X-Amz-Expires={int(seconds)}&" in base64.b64decode(token.secret.reveal()[16:]).decode()
    assert SECRET not in repr(token)


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]><x>&a;</x>'


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"", "status 200, and no XML"),
        (200, b'{"Credentials": {}}', "no XML"),
        (200, b"<html><br></html>", "no XML"),
        (200, BOMB, "no XML"),
        (200, BOMB.decode().encode("utf-16"), "no XML"),
        (200, b"\xff\xfe", "no XML"),
        (200, b"<a>" * 15_000, "no XML"),
        (200, b"<a>" * 9_000 + b"</a>" * 9_000, "without usable credentials"),
        (200, b'<?xml version="1.0" encoding="utf-7"?><x>+ADw-</x>', "without usable credentials"),
        (200, b"<x/>", "without usable credentials"),
        (200, xml().replace(b"2011-06-15", b"2011-06-16"), "without usable credentials"),
        (200, xml().replace(b"SecretAccessKey", b"Secret"), "without usable credentials"),
        (200, xml(id="short"), "without usable credentials"),
        (200, xml(id="AKIAIOSFODNN7/2026/../"), "without usable credentials"),
        (200, xml(secret="with a blank"), "without usable credentials"),
        (200, xml(secret="s" * 257), "without usable credentials"),
        (200, xml(session=""), "without usable credentials"),
        (200, xml(session="s" * 8193), "without usable credentials"),
        (200, xml(end="2026-11-22T01:02:03Z"), "has ended already"),
        (200, xml(end="2026-11-22T02:02:03"), "has ended already"),  # of which time zone?
        (200, xml(end="soon"), "has ended already"),
        (200, xml(end=""), "has ended already"),
        (400, REFUSED.format(code="ExpiredTokenException").encode(), "status 400, ExpiredTokenException"),
        (403, REFUSED.format(code="a b c").encode(), "status 403"),
        (503, b"<x/>", "status 503"),
        (302, xml(), "status 302"),
    ],
)
def test_an_answer_that_is_none(status: int, body: bytes, message: str) -> None:
    with pytest.raises(TokenTrouble) as caught:
        answer(ASSUMED, status, body, THEN)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "a b c" not in str(caught.value)
