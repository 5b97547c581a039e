"""Tokens taken apart, and what their signatures are checked with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey
from joserfc.jws import JWSRegistry
from tests.issuing import Authority, b64, key

from yett.errors import Refusal
from yett.identity import jws


def code(token: bytes, keys: jws.KeySet, *allowed: str) -> str:
    """The code of the refusal, "" for a token that is good."""
    try:
        signed = jws.take_apart(token)
        jws.verify(signed, jws.algorithm_of(signed, allowed or jws.ALGORITHMS), keys)
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "ES384", "ES512", "Ed25519"])
def test_a_token_is_verified(algorithm: str) -> None:
    authority = Authority("https://a", algorithm=algorithm)
    keys = jws.read_keys(authority.document())
    token = authority.sign({"sub": "ada"})
    assert jws.take_apart(token).claims == {"sub": "ada"}
    assert code(token, keys) == ""
    assert code(token[:-9] + b"A" * 9, keys) == "invalid_signature"
    signed, _, signature = token.rpartition(b".")
    for length in (0, 1, 63, 65, 256):
        assert code(signed + b"." + b64(b"\1" * length), keys) == "invalid_signature"
    assert code(signed + b"." + b64(jws.decoded(signature) + b"\0"), keys) == "invalid_signature"
    assert code(token, keys, "HS256") == "algorithm_refused"


def test_the_old_name_of_ed25519_is_understood() -> None:
    authority = Authority()
    assert code(authority.sign({"sub": "a"}, alg="EdDSA"), jws.read_keys(authority.document())) == ""


def test_no_algorithm_and_another_kind_of_algorithm() -> None:
    authority = Authority(algorithm="RS256")
    keys = jws.read_keys(authority.document())
    assert code(authority.sign({"sub": "a"}, alg="none"), keys) == "algorithm_refused"
    assert code(b64({"alg": "none"}) + b"." + b64({"sub": "a"}) + b".", keys, "none") == "algorithm_refused"
    # the public key as a shared secret: HMAC with its PEM
    public = key("RS256", "https://idp.example k1").as_pem(private=False)
    signed = b64({"alg": "HS256", "kid": "k1"}) + b"." + b64({"sub": "a"})
    forged = signed + b"." + b64(hmac.digest(public, signed, hashlib.sha256))
    assert code(forged, keys) == code(forged, keys, "HS256") == "algorithm_refused"
    # a key of one kind, an algorithm of another
    assert code(authority.sign({"sub": "a"}, alg="ES256"), keys) == "unknown_signing_key"
    assert code(authority.sign({"sub": "a"}, alg="RS512"), keys) == "invalid_signature"


def test_a_key_is_found_by_its_id() -> None:
    authority = Authority("https://a", "one", "two")
    both, one = jws.read_keys(authority.document()), jws.read_keys(authority.document("one"))
    token = authority.sign({"sub": "a"}, "two")
    assert code(token, both) == ""
    assert code(token, one) == "unknown_signing_key"
    unnamed = authority.sign({"sub": "a"}, "two", kid=None)
    assert code(unnamed, both) == ""
    assert code(unnamed, one) == "invalid_signature"
    nameless = jws.read_keys(json.dumps({"keys": [{**authority.jwk("two"), "kid": ""}]}).encode())
    assert code(token, nameless) == ""
    pinned = jws.read_keys(json.dumps({"keys": [authority.jwk("two", alg="ES256"), authority.jwk("one")]}).encode())
    assert code(token, pinned) == "unknown_signing_key"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"..",
        b"a.b",
        b"a.b.c.d",
        b"e30.e30.",
        b64({"alg": "Ed25519"}) + b"." + b64(b"[]") + b".AA",
        b64({"alg": 5}) + b"." + b64({}) + b".AA",
        b64({"alg": "Ed25519"}) + b"." + b64(b'{"a":NaN}') + b".AA",
        b64({"alg": "Ed25519"}) + b"." + b64(b'{"a":' + b"[" * 9000) + b".AA",
        b64({"alg": "Ed25519"}) + b"=." + b64({}) + b".AA",
        b64({"alg": "Ed25519"}) + b"." + b64({}) + b".A",
        b64({"alg": "Ed25519"}) + b"." + b64({}) + b".AB",  # bits that no encoder sets
        b64({"alg": "Ed25519"}) + b"." + b64({}) + b".A+/A",
        b64({"alg": "Ed25519", "crit": ["exp"]}) + b"." + b64({}) + b".AA",
        b64({"alg": "Ed25519", "b64": False}) + b"." + b64({}) + b".AA",
        b"\xff.\xff.\xff",
    ],
)
def test_what_is_no_token(token: bytes) -> None:
    assert code(token, ()) == "malformed_token"


@given(st.binary(max_size=60))
def test_nothing_else_happens(token: bytes) -> None:
    assert code(token, ()) in ("malformed_token", "algorithm_refused", "unknown_signing_key")


def test_keys_that_nothing_is_checked_with_are_left_out() -> None:
    authority = Authority()
    good = authority.jwk("good")
    short = {**Authority("https://r", algorithm="RS256").jwk("x"), "n": b64(b"\xff" * 128).decode()}
    private = key("Ed25519", "x").as_dict(private=True)
    others = [
        short, private, OctKey.generate_key(256).as_dict(), {"kty": "RSA"}, {"kty": 5}, {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {**good, "use": "enc"}, {**good, "use": "x509-svid"},
        {**good, "alg": "HS256"}, {"kty": "RSA", "n": "!", "e": "!"}, 5, {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": good["x"]},
    ]  # fmt: skip
    (only,) = jws.read_keys(json.dumps({"keys": [*others, good]}).encode())
    assert only.id == "good"
    named = [{**good, "use": "sig", "alg": "EdDSA"}, {**good, "use": "jwt-svid"}]
    assert len(jws.read_keys(json.dumps({"keys": named}).encode())) == 2
    many = [good] * (jws.MOST_KEYS + 50)
    assert len(jws.read_keys(json.dumps({"keys": many}).encode())) == jws.MOST_KEYS


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":5}', b'{"keys":[]}', b'{"keys":[{}]}', b"[" * 9000])
def test_what_is_no_set_of_keys(document: bytes) -> None:
    with pytest.raises(ValueError, match="is n"):
        jws.read_keys(document)


@pytest.mark.parametrize(
    ("header", "claims"),
    [
        (b'{"alg":"Ed25519","kid":"k1","kid":"k1"}', b"{}"),
        (b'{"alg":"Ed25519","kid":"k1"}', b'{"sub":"eve","sub":"ada"}'),
        (b'{"alg":"Ed25519","kid":"k1"}', b'{"cnf":{"jkt":"a","jkt":"b"}}'),
        (b'{"alg":"Ed25519","kid":"k1"}', b'{"a":[{"x":1,"\\u0078":2}]}'),
    ],
)
def test_what_is_said_twice_is_not_believed(header: bytes, claims: bytes) -> None:
    authority = Authority("https://a")
    keys = jws.read_keys(authority.document())
    text = b64(header) + b"." + b64(claims)
    signature = JWSRegistry.algorithms["Ed25519"].sign(text, key("Ed25519", "https://a k1"))
    assert code(text + b"." + b64(signature), keys) == "malformed_token"
    # and nothing is said of one that nobody signed
    assert code(text + b"." + b64(b"\1" * 64), keys) == "invalid_signature"


def test_a_key_whose_parts_do_not_belong_together_is_none() -> None:
    """The key of a proof is whatever its sender wrote."""
    rsa, ec, okp = (key(algorithm, "x").as_dict(private=False) for algorithm in ("RS256", "ES256", "Ed25519"))
    long = base64.urlsafe_b64encode(b"\xff" * 255).decode()
    for jwk in (
        {**rsa, "crv": "P-256"},
        {**rsa, "crv": "Ed25519", "x": okp["x"]},
        {**rsa, "crv": ["RSA"]},
        {**rsa, "kty": ["RSA"]},
        {**rsa, "kty": {}},
        {**rsa, "kty": None},
        {**rsa, "e": long},  # costs thirty milliseconds to check anything with
        {**rsa, "e": 65537},
        {**ec, "kty": "OKP"},
        {**ec, "kty": "RSA"},
        {**ec, "crv": "secp256k1"},
        {**ec, "x": 5},
        {**okp, "kty": "EC"},
        {**okp, "crv": "Ed448"},
    ):
        assert jws.public_key(jwk) is None, jwk


WRONG = st.one_of(st.none(), st.integers(), st.text(max_size=5), st.lists(st.text(max_size=3), max_size=2), st.just({}))


@given(
    st.sampled_from(("RS256", "ES256", "Ed25519")),
    st.dictionaries(st.sampled_from(("kty", "crv", "n", "e", "x", "y", "alg", "use", "kid")), WRONG, min_size=1),
    st.sampled_from(jws.ALGORITHMS),
)
def test_whatever_a_key_says_it_is_used_or_not(kind: str, changed: dict[str, object], algorithm: str) -> None:
    found = jws.public_key({**key(kind, "x").as_dict(private=False), **changed})
    token = b64({"alg": algorithm}) + b"." + b64({}) + b"." + b64(b"x" * 64)
    if found is not None:
        assert code(token, (found,)) in ("invalid_signature", "unknown_signing_key")


def test_what_a_key_can_be_used_for() -> None:
    (pinned,) = jws.read_keys(json.dumps({"keys": [Authority("https://a").jwk("k1", alg="EdDSA")]}).encode())
    (open_,) = jws.read_keys(Authority("https://r", algorithm="RS256").document())
    assert jws.usable(pinned, ("RS256", "Ed25519"))
    assert not jws.usable(pinned, ("RS256", "ES256"))
    assert jws.usable(open_, ("PS512",))
