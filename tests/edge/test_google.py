"""Tokens of Google's service accounts: what is taken from the answers that have them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from yett.edge.google import answer, request
from yett.edge.grants import TokenTrouble
from yett.model.route import Secret, ServiceAccount

ACCOUNT = ServiceAccount("https://x/", ("a", "b"), 1800)
THEN = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC).timestamp()


def said(**more: object) -> bytes:
    return json.dumps({"accessToken": "abc", "expireTime": "2026-11-22T01:32:03Z", "more": 1, **more}).encode()


def test_what_is_asked() -> None:
    headers, body = request(ACCOUNT, Secret("federated"))
    assert dict(headers)[b"authorization"] == b"Bearer federated"
    assert json.loads(body) == {"scope": ["a", "b"], "lifetime": "1800s"}


@pytest.mark.parametrize(
    ("end", "seconds"),
    [("2026-11-22T01:32:03Z", 1800), ("2026-11-22T01:03:03.5Z", 60.5), ("9999-01-01T00:00:00Z", 1800)],
)
def test_an_answer(end: str, seconds: float) -> None:
    token = answer(ACCOUNT, 200, said(expireTime=end), THEN)
    assert (token.secret, token.seconds) == (Secret("abc"), seconds)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"", "no JSON as of that service"),
        (200, b"\xff", "no JSON as of that service"),
        (200, b'{"abc": ' + b"[" * 30_000, "no JSON as of that service"),
        (200, b'{"error": "abc"}', "no JSON as of that service"),
        (200, said(accessToken=""), "without a usable token"),
        (200, said(accessToken="abc\r\nx: y"), "without a usable token"),
        (200, said(expireTime="2026-11-22T01:02:03Z"), "has ended already"),
        (200, said(expireTime=""), "has ended already"),
        (
            403,
            b'{"error": {"code": 403, "message": "abc", "status": "PERMISSION_DENIED"}}',
            "status 403, PERMISSION_DENIED",
        ),
        (500, b"{}", "status 500"),
    ],
)
def test_an_answer_that_is_none(status: int, body: bytes, message: str) -> None:
    with pytest.raises(TokenTrouble) as caught:
        answer(ACCOUNT, status, body, THEN)
    assert message in str(caught.value)
    assert "abc" not in str(caught.value)
