"""Certificates that a proxy passes on, which has ended the caller's TLS itself: Client-Cert (RFC 9440), and what Envoy writes.

    client-cert: :MIIB…:                    client-cert-chain: :MIIC…:, :MIID…:
    x-forwarded-client-cert: By=spiffe://…;Hash=0fa3…;Cert="-----BEGIN%20…";Chain="…";Subject="CN=…";URI=spiffe://…

Anybody can write such a field. What is read here is worth something only from a proxy that is known by its own certificate, and that replaces
what it was sent. So there is exactly one certificate in it, or it is refused: a second element was written by somebody else, be it only
by a comma in a name of his certificate. A field that came twice arrives joined with a comma and a blank, and is no well-formed one.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from yett.errors import Refusal

CLIENT_CERT, XFCC = "client-cert", "x-forwarded-client-cert"
_CHAIN = b"client-cert-chain"
_FIELDS: Mapping[str, tuple[bytes, ...]] = {CLIENT_CERT: (CLIENT_CERT.encode(), _CHAIN), XFCC: (XFCC.encode(),)}
MOST = 8  # certificates that lead from one to its authority
LONGEST = 65_536  # bytes of a certificate or chain
_BINARY = re.compile(rb":([A-Za-z0-9+/]*={0,2}):")
_BETWEEN = re.compile(rb"[ \t]*,[ \t]*")
# One pair of an element: a value with a comma, a semicolon or an equals sign in it is quoted, and a quote in that has a backslash before it.
_PAIR = re.compile(rb'([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;=\s]*))', re.DOTALL)
_KNOWN = frozenset(("by", "hash", "cert", "chain", "subject", "uri", "dns"))
_SEVERAL = frozenset(("by", "uri", "dns"))  # that may be there more than once


def there(headers: Mapping[bytes, bytes]) -> bool:
    """Whether anything says that it passes on a certificate."""
    return any(field in headers for fields in _FIELDS.values() for field in fields)


def written(header: str, headers: Mapping[bytes, bytes]) -> bytes:
    """Everything that `read` looks at, b"" when there is none of it: what is equal is read equally."""
    found = [headers[field] for field in _FIELDS[header] if field in headers]
    return b"\0".join((*found, b"%d" % len(found))) if found else b""


def read(header: str, headers: Mapping[bytes, bytes], by: str) -> tuple[bytes, ...]:
    """The caller's certificate and what may lead from it to its authority, DER. `by` is the SPIFFE ID of the proxy, "" when it has none.
    Raises Refusal("malformed_forward")."""
    try:
        if header == XFCC:
            return _element(headers[XFCC.encode()], by)
        return _fields(headers.get(CLIENT_CERT.encode(), b""), headers.get(_CHAIN))
    except ValueError as error:
        raise Refusal(
            "malformed_forward", f"The certificate that the proxy passes on cannot be read: {error}."
        ) from None


def _fields(leaf: bytes, chain: bytes | None) -> tuple[bytes, ...]:
    """RFC 9440, sections 2.2 and 2.3."""
    between = _BETWEEN.split(chain) if chain is not None else []
    if len(between) > MOST:
        raise ValueError("there are too many of them")
    return (_binary(leaf), *[_binary(each) for each in between])


def _binary(value: bytes) -> bytes:
    """A byte sequence (RFC 8941, section 3.3.5) without parameters."""
    found = _BINARY.fullmatch(value)
    if found is None or len(value) > LONGEST:
        raise ValueError("it is no single byte sequence")
    try:
        raw = binascii.a2b_base64(found[1], strict_mode=True)
    except binascii.Error:
        raise ValueError("it is not base64") from None
    if not raw:
        raise ValueError("it is empty")
    return raw


def _element(field: bytes, by: str) -> tuple[bytes, ...]:
    """What the one element says, of which certificate and hash have to be one another's."""
    said = _pairs(field)
    if by and any(
        each != by.encode() for each in said.get("by", ())
    ):  # the proxy lets through what others have written
        raise ValueError("another proxy has written it")
    leaf = _pem(said["cert"][0])[:1] if "cert" in said else ()
    chain = _pem(said["chain"][0]) if "chain" in said else leaf  # begins with the certificate itself
    if not chain:
        raise ValueError("it is left out; let the proxy add Cert or Chain")
    if leaf and leaf[0] != chain[0]:
        raise ValueError("Cert and Chain are about different ones")
    # What somebody could add by a name in his certificate cannot also be of the right hash: the proxy writes that first, and it is there once.
    if said.get("hash", [b""])[0].lower() != hashlib.sha256(chain[0]).hexdigest().encode():
        raise ValueError("Hash is missing, or that of another one")
    return chain


def _pairs(field: bytes) -> dict[str, list[bytes]]:
    said: dict[str, list[bytes]] = {}
    end = -1
    while end < len(field):
        found = _PAIR.match(field, end + 1)
        if found is None:
            raise ValueError("it is not well-formed")
        name, end = found[1].lower().decode(), found.end()
        if name not in _KNOWN or (name in said and name not in _SEVERAL):
            raise ValueError("it is not well-formed")
        said.setdefault(name, []).append(found[3] if found[2] is None else found[2])
        if field[end : end + 1] == b",":
            raise ValueError("it has several elements; let the proxy replace what it was sent")
        if field[end : end + 1] not in (b";", b""):
            raise ValueError("it is not well-formed")
    return said


def _pem(value: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM text that is encoded as in a URL."""
    text = unquote_to_bytes(value)
    if len(text) > LONGEST:
        raise ValueError("it is too long")
    certificates = x509.load_pem_x509_certificates(text)
    if len(certificates) > MOST + 1:
        raise ValueError("there are too many of them")
    return tuple(each.public_bytes(Encoding.DER) for each in certificates)
