"""Certificates that a proxy passes on: what is read of the fields, and everything that is not."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from tests.certificates import Certifier, Pair

from yett.errors import Refusal
from yett.identity.forwarded import CLIENT_CERT, XFCC, read, there, written

ROOT = Certifier("root")
LOWER = Certifier("lower", ROOT)
ONE, OTHER = LOWER.svid("spiffe://example.org/a"), ROOT.svid("spiffe://example.org/b")
EDGE = "spiffe://example.org/edge"


def binary(der: bytes) -> bytes:
    return b":" + base64.b64encode(der) + b":"


def pem(*certificates: object) -> str:
    return quote("".join(each.public_bytes(Encoding.PEM).decode() for each in certificates))  # type: ignore[attr-defined]


def element(pair: Pair, **fields: str | None) -> bytes:
    """As Envoy writes it; None leaves a field out."""
    usual: dict[str, str | None] = {
        "By": EDGE,
        "Hash": hashlib.sha256(pair.der).hexdigest(),
        "Cert": f'"{pem(pair.certificate)}"',
        "Subject": '""',
        "URI": "spiffe://example.org/a",
    }
    return ";".join(f"{name}={value}" for name, value in {**usual, **fields}.items() if value is not None).encode()


def seen(header: str, value: bytes, chain: bytes | None = None, by: str = EDGE) -> tuple[bytes, ...]:
    more = {} if chain is None else {b"client-cert-chain": chain}
    return read(header, {header.encode(): value, **more}, by)


def why(header: str, value: bytes, chain: bytes | None = None, by: str = EDGE) -> str:
    with pytest.raises(Refusal) as caught:
        seen(header, value, chain, by)
    assert caught.value.code == "malformed_forward"
    return str(caught.value).rpartition(": ")[2]


def test_as_rfc_9440_has_it() -> None:
    assert seen(CLIENT_CERT, binary(ONE.der)) == (ONE.der,)
    between = LOWER.certificate.public_bytes(Encoding.DER)
    assert seen(CLIENT_CERT, binary(ONE.der), binary(between)) == (ONE.der, between)
    assert len(seen(CLIENT_CERT, binary(ONE.der), b" ,\t".join([binary(between)] * 8))) == 9


@pytest.mark.parametrize(
    ("value", "chain"),
    [
        (b"", None),
        (b"::", None),
        (base64.b64encode(ONE.der), None),
        (binary(ONE.der)[:-1], None),
        (binary(ONE.der) + b", " + binary(OTHER.der), None),  # the field came twice
        (binary(ONE.der) + b";q=1", None),
        (b":" + base64.urlsafe_b64encode(b"\xff\xfe\xfd" * 9) + b":", None),
        (b":AB=:", None),
        (b":A:", None),
        (b":" + b"A" * 70_000 + b":", None),
        (binary(ONE.der), b""),
        (binary(ONE.der), binary(ONE.der) + b","),
        (binary(ONE.der), b",".join([binary(ONE.der)] * 9)),
    ],
)
def test_what_rfc_9440_does_not_have(value: bytes, chain: bytes | None) -> None:
    assert why(CLIENT_CERT, value, chain)


def test_a_chain_alone_is_nobodys() -> None:
    headers = {b"client-cert-chain": binary(ONE.der)}
    assert there(headers)
    assert written(CLIENT_CERT, headers)
    with pytest.raises(Refusal):
        read(CLIENT_CERT, headers, "")


def test_as_envoy_writes_it() -> None:
    between = LOWER.certificate.public_bytes(Encoding.DER)
    chain = f'"{pem(ONE.certificate, LOWER.certificate)}"'
    assert seen(XFCC, element(ONE)) == (ONE.der,)
    assert seen(XFCC, element(ONE, Chain=chain)) == (ONE.der, between)
    assert seen(XFCC, element(ONE, Chain=chain, Cert=None)) == (ONE.der, between)
    assert seen(XFCC, element(ONE, Subject='"CN=a\\"b,O=c;d"', DNS="a.example;DNS=b.example")) == (ONE.der,)
    assert seen(XFCC, element(ONE, By="spiffe://elsewhere/x"), by="") == (ONE.der,)  # of a proxy without a SPIFFE ID
    assert seen(XFCC, element(ONE, By=None)) == (ONE.der,)
    assert seen(XFCC, element(ONE).replace(b"Cert=", b"CERT=").replace(b"Hash=", b"hash=")) == (ONE.der,)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", "it is not well-formed."),
        (b"nonsense", "it is not well-formed."),
        (element(ONE) + b",", "it has several elements; let the proxy replace what it was sent."),
        (element(OTHER) + b"," + element(ONE), "it has several elements; let the proxy replace what it was sent."),
        (element(ONE) + b", " + element(OTHER), "it has several elements; let the proxy replace what it was sent."),
        (element(ONE) + b";", "it is not well-formed."),
        (element(ONE) + b' Cert="x"', "it is not well-formed."),
        (element(ONE) + f';Cert="{pem(OTHER.certificate)}"'.encode(), "it is not well-formed."),
        (element(ONE) + b";Hash=" + hashlib.sha256(OTHER.der).hexdigest().encode(), "it is not well-formed."),
        (element(ONE) + b";Else=x", "it is not well-formed."),
        (element(ONE) + b';Subject="', "it is not well-formed."),
        (element(ONE, Subject='"\\"'), "it is not well-formed."),
        (element(ONE, By="spiffe://example.org/other"), "another proxy has written it."),
        (element(ONE, By=f"{EDGE};By=spiffe://example.org/other"), "another proxy has written it."),
        (element(ONE, Cert=None), "it is left out; let the proxy add Cert or Chain."),
        (element(ONE, Hash=None), "Hash is missing, or that of another one."),
        (element(ONE, Cert=f'"{pem(OTHER.certificate)}"'), "Hash is missing, or that of another one."),
        (element(ONE, Chain=f'"{pem(OTHER.certificate)}"'), "Cert and Chain are about different ones."),
    ],
)  # fmt: skip
def test_what_envoy_does_not_write(value: bytes, expected: str) -> None:
    assert f"{why(XFCC, value)}" == expected


def test_certificates_that_cannot_be_read() -> None:
    many = f'"{pem(*[ONE.certificate] * 10)}"'
    for chain in ('"nothing"', '"%2D%2D"', f'"{"A" * 70_000}"', many):
        assert why(XFCC, element(ONE, Cert=None, Chain=chain))


def test_a_name_cannot_add_a_certificate_where_the_proxy_adds_none() -> None:
    """Envoy does not quote the names of a certificate; somebody got one whose URI has more in it."""
    forged = f'x;Cert="{pem(OTHER.certificate)}"'
    assert why(XFCC, element(ONE, Cert=None, URI=forged)) == "Hash is missing, or that of another one."
    forged += f";Hash={hashlib.sha256(OTHER.der).hexdigest()}"
    assert why(XFCC, element(ONE, Cert=None, URI=forged)) == "it is not well-formed."


def test_only_the_field_of_the_proxy_is_looked_at() -> None:
    assert not there({b"authorization": b"x"})
    assert written(CLIENT_CERT, {XFCC.encode(): b"x"}) == b""
    one = written(CLIENT_CERT, {b"client-cert": b"a", b"client-cert-chain": b"b"})
    assert one != written(CLIENT_CERT, {b"client-cert": b"a\0b"})


@given(st.binary(max_size=60), st.sampled_from((CLIENT_CERT, XFCC)))
def test_nothing_else_is_raised(value: bytes, header: str) -> None:
    with pytest.raises(Refusal):
        seen(header, value)
    with pytest.raises(Refusal):
        seen(header, element(ONE, Cert=None) + b";Cert=" + value)
