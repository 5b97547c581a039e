"""Forms, answers and errors of a token endpoint."""

from __future__ import annotations

import json

import pytest

from yett.dialects import oauth
from yett.errors import Refusal


def test_a_form() -> None:
    assert oauth.form(b"a=1&b=x+y%2Fz&c=") == {"a": "1", "b": "x y/z"}


@pytest.mark.parametrize(
    "body", [b"{}", b"a=1&a=2", b"a", "ä=1".encode(), b"a=%ff", b"&".join([b"a%d=1" % n for n in range(40)])]
)
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        oauth.form(body)
    assert caught.value.code == "invalid_request"


def test_answers() -> None:
    answer = json.loads(oauth.token_response(b"a.b.c", 300, "m:fast", "task_1", "Bearer"))
    assert (answer["access_token"], answer["token_type"], answer["expires_in"]) == ("a.b.c", "Bearer", 300)
    assert (answer["scope"], answer["task"]) == ("m:fast", "task_1")
    assert "scope" not in json.loads(oauth.token_response(b"a.b.c", 300, "", "task_1", "DPoP"))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("unsupported_grant", "unsupported_grant_type"),
        ("expired_key", "invalid_client"),
        ("invalid_request", "invalid_request"),
        ("delegation_too_deep", "invalid_grant"),
        ("rate_limit_exceeded", "temporarily_unavailable"),
        ("issuer_unavailable", "temporarily_unavailable"),
    ],
)
def test_errors(code: str, error: str) -> None:
    found = json.loads(oauth.error_body(Refusal(code), "call_1"))
    assert (found["error"], found["yett"]["code"], found["yett"]["call"]) == (error, code, "call_1")
