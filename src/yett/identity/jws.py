"""Signed tokens in their compact form (RFC 7515, RFC 7519): taken apart, and their signature checked.

What is not read here cannot deceive: of the header only `alg`, `kid`, `typ` and a proof's `jwk` count. Keys come from where the
operator said, never from `jku` or `x5u`, and an algorithm has to be on the list of whoever is asked to trust it. There are
no symmetric algorithms, so a public key cannot be made a shared secret, and `none` is not one.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry
from msgspec import Struct

from yett.errors import Refusal

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519")
MOST_KEYS = 100  # of one issuer; more are not read
SMALLEST_RSA = 2048  # bits, RFC 7518 section 3.3
LARGEST_RSA = 8192  # larger ones only cost time
LONGEST_EXPONENT = 4  # bytes; 65537 has three
_MOST_SAME = 4  # keys that are tried for one token
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "Ed25519": "Ed25519"}
_KINDS = {"RSA": "RSA", "P-256": "EC", "P-384": "EC", "P-521": "EC", "Ed25519": "OKP"}
_PRIVATE = frozenset("d p q dp dq qi k oth".split())
_DIGITS = re.compile(rb"[A-Za-z0-9_-]*", re.ASCII)
_STANDARD = bytes.maketrans(b"-_", b"+/")


class Header(Struct, frozen=True):
    """The protected header, as far as it is read."""

    alg: str
    kid: str = ""
    typ: str = ""
    jwk: dict[str, Any] = {}  # of a proof of possession only
    crit: Any = None
    b64: Any = None


class Signed(Struct, frozen=True):
    """A token taken apart. Nothing in it is true before `verify`."""

    header: Header
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class PublicKey(Struct, frozen=True):
    """One key that signatures are checked with. `curve` is "RSA" for a key without one."""

    id: str
    curve: str
    alg: str  # "" when the key may be used with any that fits
    key: Key


KeySet = tuple[PublicKey, ...]

_header = msgspec.json.Decoder(Header)
_claims = msgspec.json.Decoder(dict[str, Any])


def take_apart(token: bytes) -> Signed:
    """Raises Refusal("malformed_token")."""
    signed, _, signature = token.rpartition(b".")
    header, dot, payload = signed.partition(b".")
    if not dot or b"." in payload:
        raise Refusal("malformed_token")
    try:
        read = _header.decode(decoded(header))
        found = Signed(read, _claims.decode(decoded(payload)), signed, decoded(signature))
    except (ValueError, RecursionError):
        raise Refusal("malformed_token") from None
    # Extensions that must be understood, and are not (RFC 7515 section 4.1.11).
    if read.crit is not None or read.b64 is not None:
        raise Refusal("malformed_token", "The token needs an extension of JWS that is not supported.")
    return found


def decoded(text: bytes) -> bytes:
    """Base64url without padding, in its one form. Raises ValueError."""
    if not _DIGITS.fullmatch(text):
        raise ValueError("not base64url")
    standard = text.translate(_STANDARD) + b"=" * (-len(text) % 4)
    raw = binascii.a2b_base64(standard)
    if binascii.b2a_base64(raw, newline=False) != standard:  # bits that no encoder sets
        raise ValueError("not base64url")
    return raw


def algorithm_of(token: Signed, allowed: Collection[str]) -> str:
    """One of ALGORITHMS. Raises Refusal("algorithm_refused")."""
    algorithm = _name(token.header.alg)
    if algorithm not in allowed or algorithm not in ALGORITHMS:
        raise Refusal("algorithm_refused")
    return algorithm


def fitting(token: Signed, algorithm: str, keys: KeySet) -> list[PublicKey]:
    """The keys that the token can have been signed with."""
    return [key for key in keys if _fits(key, token.header.kid, algorithm)]


def usable(key: PublicKey, algorithms: Collection[str]) -> bool:
    """Whether anything that is signed with one of these can be checked with it."""
    return any(_fits(key, "", algorithm) for algorithm in algorithms)


def verify(token: Signed, algorithm: str, keys: KeySet) -> None:
    """Raises Refusal: unknown_signing_key, invalid_signature, malformed_token."""
    candidates = fitting(token, algorithm, keys)
    if not candidates:
        raise Refusal("unknown_signing_key")
    if not any(_checked(token, key, algorithm) for key in candidates[:_MOST_SAME]):
        raise Refusal("invalid_signature")
    if _ambiguous(token.signed):
        raise Refusal(
            "malformed_token", "The token says something twice, so that two readers could read two different things."
        )


def _ambiguous(signed: bytes) -> bool:
    """Whether a name is there twice in an object of header or claims (RFC 7515 section 4, RFC 7519 section 4): whoever else reads it may
    count the first. An issuer that puts a text of its user between quotes without care writes such tokens."""
    try:
        for part in signed.split(b"."):
            json.loads(decoded(part), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("twice")
    return found


def _name(algorithm: str) -> str:
    return "Ed25519" if algorithm == "EdDSA" else algorithm  # RFC 9864: the old name; of its curves this one only


def _fits(key: PublicKey, kid: str, algorithm: str) -> bool:
    """A token that names no key may be from any that fits its algorithm, and a key without a name may be meant by any."""
    if key.curve != _CURVES.get(algorithm, "RSA") or (key.alg and key.alg != algorithm):
        return False
    return not kid or key.id in ("", kid)


def _checked(token: Signed, key: PublicKey, algorithm: str) -> bool:
    return JWSRegistry.algorithms[algorithm].verify(token.signed, token.signature, key.key)


def public_key(jwk: Mapping[str, Any]) -> PublicKey | None:
    """The key of a JWK, None when signatures are not checked with such keys: symmetric ones, those for encryption, private ones,
    RSA keys that are too short."""
    if _PRIVATE.intersection(jwk) or jwk.get("use", "sig") not in ("sig", "jwt-svid"):
        return None
    alg = _name(str(jwk.get("alg", "")))
    if alg and alg not in ALGORITHMS:
        return None
    kind, curve = jwk.get("kty"), str(jwk.get("crv", "RSA"))
    # Whoever shows a proof wrote this himself: what does not belong together is not tried.
    if _KINDS.get(curve) != kind:
        return None
    try:
        if curve == "RSA" and not _bounded(decoded(str(jwk["n"]).encode()), decoded(str(jwk["e"]).encode())):
            return None
        key = JWKRegistry.import_key({name: jwk[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in jwk})
    except (JoseError, KeyError, ValueError):
        return None
    return PublicKey(str(jwk.get("kid", "")), curve, alg, key)


def _bounded(modulus: bytes, exponent: bytes) -> bool:
    """Whether an RSA key is neither too weak nor made to cost time: with an exponent as long as its modulus one check takes 30 ms."""
    return SMALLEST_RSA <= len(modulus) * 8 <= LARGEST_RSA and len(exponent) <= LONGEST_EXPONENT


def read_keys(document: bytes) -> KeySet:
    """The usable keys of a JWK set (RFC 7517 section 5). Raises ValueError when it is none, or has none."""
    try:
        found = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("is not JSON") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    listed = keys[:MOST_KEYS] if isinstance(keys, list) else []
    read = tuple(key for jwk in listed if isinstance(jwk, dict) and (key := public_key(jwk)) is not None)
    if not read:
        raise ValueError("is no JWK set with a key that signatures can be checked with")
    return read
