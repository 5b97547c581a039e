"""What a token endpoint is asked, and what is taken from its answers."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import import_key

from yett.edge.grants import TokenTrouble, answer, request
from yett.model.route import Grant, Secret


def form(grant: Grant, token: str = "") -> dict[str, str]:
    _, body = request(grant, token, 1_800_000_000)
    return {name: values[0] for name, values in parse_qs(body.decode(), strict_parsing=True).items()}


def test_client_credentials() -> None:
    grant = Grant(
        "client_credentials",
        "https://x/token",
        "me",
        "post",
        Secret("s&=+ %"),
        scope="a b",
        audience="api",
        resource="r",
    )
    assert form(grant) == {
        "grant_type": "client_credentials", "client_id": "me", "client_secret": "s&=+ %", "scope": "a b", "audience": "api",
        "resource": "r",
    }  # fmt: skip
    headers, body = request(Grant("client_credentials", "https://x/token", "a:b", "basic", Secret("c d")), "", 0)
    assert dict(headers)[b"authorization"] == b"Basic YSUzQWI6Yytk"  # a%3Ab:c+d
    assert body == b"grant_type=client_credentials"


def test_the_identity_of_the_workload() -> None:
    exchange = Grant(
        "token_exchange", "https://x/token", "", "none", file_type="urn:ietf:params:oauth:token-type:id_token"
    )
    assert form(exchange, "its.own.token") == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": "its.own.token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
    }
    assert form(Grant("jwt_bearer", "https://x/token", "me", "none"), "its.own.token") == {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": "its.own.token",
        "client_id": "me",
    }
    assert form(Grant("client_credentials", "https://x/token", "me", "token_file"), "its.own.token") == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "its.own.token",
    }


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa.generate_private_key(65537, 2048), "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_signature_of_the_client(key: PrivateKeyTypes, algorithm: str) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    grant = Grant(
        "client_credentials", "https://x/token", "me", "private_key_jwt", private_key=Secret(pem), key_id="k1"
    )
    assertions = [form(grant)["client_assertion"] for _ in range(2)]
    kind = {"R": "RSA", "E": "EC"}.get(algorithm[0] if algorithm != "Ed25519" else "", "OKP")
    tokens = [jwt.decode(one, import_key(pem, kind), algorithms=[algorithm]) for one in assertions]
    assert tokens[0].header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    claims = tokens[0].claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("me", "me", "https://x/token")
    assert 0 < claims["exp"] - claims["iat"] <= 60
    assert claims["jti"] != tokens[1].claims["jti"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"expires_in": 3600, "token_type": "Bearer"}, 3600),
        ({"expires_in": "3599", "token_type": "bearer"}, 3599),
        ({"expires_in": 59.5}, 59.5),
        ({}, 300),
        ({"expires_in": 10**9}, 86_400),
    ],
)
def test_an_answer(said: dict[str, object], seconds: float) -> None:
    token = answer(200, json.dumps({"access_token": "abc", "more": [1], **said}).encode())
    assert (token.secret, token.seconds) == (Secret("abc"), seconds)
    assert "abc" not in repr(token)


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (200, b"", "no JSON as of a token endpoint"),
        (200, b"<html>abc</html>", "no JSON as of a token endpoint"),
        (200, b'{"abc": ' + b"[" * 30_000, "no JSON as of a token endpoint"),
        (200, b'{"access_token": 1}', "no JSON as of a token endpoint"),
        (200, b"{}", "without a usable access_token"),
        (200, b'{"access_token": "abc\\nx-evil: 1"}', "without a usable access_token"),
        (200, b'{"access_token": "%s"}' % (b"abc" * 10_000), "without a usable access_token"),
        (200, b'{"access_token": "abc", "token_type": "N_A"}', "no bearer token"),
        (200, b'{"access_token": "abc", "expires_in": 0}', "has ended already"),
        (200, b'{"access_token": "abc", "expires_in": "soon"}', "has ended already"),
        (200, b'{"access_token": "abc", "expires_in": "nan"}', "has ended already"),
        (201, b'{"access_token": "abc"}', "status 201"),
        (400, b'{"error": "invalid_grant", "error_description": "abc"}', "status 400, invalid_grant"),
        (400, b'{"error": "abc\\ndef"}', "status 400"),
    ],
)
def test_an_answer_that_is_none(status: int, body: bytes, message: str) -> None:
    with pytest.raises(TokenTrouble) as caught:
        answer(status, body)
    assert message in str(caught.value)
    assert "abc" not in str(caught.value)
