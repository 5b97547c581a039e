"""A proof of possession is good for one request, once."""

from __future__ import annotations

from typing import Any

import pytest
from tests.issuing import NOW, Authority, b64, key

from yett.errors import Refusal
from yett.identity import dpop
from yett.identity.dpop import MOST, WINDOW, Proof, Seen

TOKEN = b"a.b.c"
HOLDER = Authority("holder", algorithm="ES256")
PUBLIC = {name: value for name, value in HOLDER.jwk("k1").items() if name != "kid"}
THUMBPRINT = key("ES256", "holder k1").thumbprint()


def proof(token: bytes = TOKEN, header: dict[str, Any] | None = None, **claims: Any) -> bytes:
    usual = {
        "jti": "p1",
        "htm": "POST",
        "htu": "https://Yett.example/v1/chat/completions",
        "iat": NOW,
        "ath": dpop.hashed(token).decode(),
    }
    head = {"typ": "dpop+jwt", "jwk": PUBLIC, "kid": None, **(header or {})}
    return HOLDER.sign({name: value for name, value in {**usual, **claims}.items() if value is not None}, **head)


def check(proof: bytes, **request: Any) -> Proof:
    usual = {"method": "POST", "host": "yett.example", "path": "/v1/chat/completions", "token": TOKEN, "now": NOW}
    return dpop.check(proof, **{**usual, **request})


def test_a_proof() -> None:
    assert check(proof()) == Proof(THUMBPRINT, "p1")
    assert check(proof(htu="http://yett.example/v1/chat/completions?x=1")).key == THUMBPRINT
    assert check(proof(), now=NOW + WINDOW).id == "p1"


@pytest.mark.parametrize(
    "wrong",
    [
        proof(htm="GET"),
        proof(htu="https://other.example/v1/chat/completions"),
        proof(htu="https://yett.example/v1/models"),
        proof(htu="ftp://yett.example/v1/chat/completions"),
        proof(htu="https://[yett/v1"),
        proof(htu=5),
        proof(iat=NOW - 61),
        proof(iat=NOW + 61),
        proof(iat="now"),
        proof(iat=True),
        proof(jti=None),
        proof(jti="x" * 129),
        proof(ath=None),
        proof(b"another.token.x"),
        proof(header={"typ": "JWT"}),
        proof(header={"alg": "none"}),
        proof(header={"jwk": {}}),
        proof(header={"jwk": key("ES256", "holder k1").as_dict(private=True)}),
        proof(header={"jwk": dict(Authority("x", algorithm="ES256").jwk("k1").items())}),
        proof(header={"jwk": {"kty": "oct", "k": b64(b"x" * 32).decode()}, "alg": "HS256"}),
        proof() + b", " + proof(),
        proof(pad="x" * 5000),
        b"",
    ],
)
def test_what_is_none(wrong: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        check(wrong)
    assert caught.value.code == "invalid_proof"


def test_a_request_without_a_host_has_no_address() -> None:
    with pytest.raises(Refusal):
        check(proof(htu="https:///v1/chat/completions"), host="")


def test_no_proof_is_good_twice() -> None:
    seen = Seen()
    one, two = Proof("k", "1"), Proof("k", "2")
    assert seen.first("a", one, NOW)
    assert not seen.first("a", one, NOW + 1)
    assert seen.first("a", two, NOW + 1)
    assert seen.first("b", one, NOW + 1)  # another tenant's are its own
    assert not seen.first("a", one, NOW + 2 * WINDOW + 1)
    assert not seen.first("a", two, NOW + 2 * WINDOW + 2)
    assert seen.first("a", one, NOW + 5 * WINDOW)
    assert seen.first("a", two, NOW + 99 * WINDOW)
    assert not seen.first("a", two, NOW + 99 * WINDOW - 30)


def test_what_one_tenant_floods_is_its_own() -> None:
    seen = Seen()
    assert all(seen.first("a", Proof("k", str(number)), NOW) for number in range(MOST))
    assert not seen.first("a", Proof("k", "one more"), NOW)
    assert seen.first("b", Proof("k", "one more"), NOW)
    assert seen.first("a", Proof("k", "one more"), NOW + 2 * WINDOW)
