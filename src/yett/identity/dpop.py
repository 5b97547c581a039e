"""Proofs of possession (DPoP, RFC 9449): who presents a token that is bound to a key shows, for each request, that it has the key.

    DPoP: header {"typ":"dpop+jwt","alg":…,"jwk":the public key}  claims {"jti","htm","htu","iat","ath"}

A proof is good for one request: this method, this address, this token, this minute, once. The key in it proves nothing by itself; what counts
is that its thumbprint (RFC 7638) is the one that the token names.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from yett.errors import Refusal
from yett.identity import jws

WINDOW = 60.0  # seconds that a proof is good for, in either direction of the clock
LONGEST = 4096  # bytes
LONGEST_ID = 128
MOST = 20_000  # proofs of one tenant that are remembered per window; more are refused
_TYPE = "dpop+jwt"


class Proof(Struct, frozen=True):
    """A proof that holds. `key` is the thumbprint of its key, `id` what makes it unique."""

    key: str
    id: str


def check(proof: bytes, method: str, host: str, path: str, token: bytes, now: float) -> Proof:
    """Raises Refusal("invalid_proof"). Whether it has been seen before is not asked here."""
    try:
        return _check(proof, method, host, path, token, now)
    except Refusal as refusal:
        if refusal.code == "invalid_proof":
            raise
        raise _wrong("it cannot be verified") from None


def _check(proof: bytes, method: str, host: str, path: str, token: bytes, now: float) -> Proof:
    if len(proof) > LONGEST:
        raise _wrong("it is too long")
    signed = jws.take_apart(proof)
    if signed.header.typ.lower() != _TYPE:
        raise _wrong("it has another type")
    key = jws.public_key(signed.header.jwk)
    if key is None:
        raise _wrong("its key cannot be used")
    algorithm = jws.algorithm_of(signed, jws.ALGORITHMS)
    claims = signed.claims
    id, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise _wrong("it has no jti")
    if isinstance(issued, bool) or not isinstance(issued, int | float) or abs(issued - now) > WINDOW:
        raise _wrong("it is not of this minute")
    if claims.get("htm") != method:
        raise _wrong("it is for another method")
    if not _same_address(claims.get("htu"), host, path):
        raise _wrong("it is for another address")
    if not hmac.compare_digest(str(claims.get("ath", "")).encode(), hashed(token)):
        raise _wrong("it is for another token")
    jws.verify(signed, algorithm, (key,))
    return Proof(key.key.thumbprint(), id)


def hashed(token: bytes) -> bytes:
    """The claim `ath` of proofs for a token."""
    return base64.urlsafe_b64encode(hashlib.sha256(token).digest()).rstrip(b"=")


def _same_address(htu: Any, host: str, path: str) -> bool:
    """Whether `htu` is this request's address, without query and fragment (section 4.3). Which scheme its sender sees is not known
    behind something that ends TLS."""
    try:
        parts = urlsplit(htu if isinstance(htu, str) else "")
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower() != "" and parts.path == path


def _wrong(why: str) -> Refusal:
    return Refusal("invalid_proof", f"The DPoP proof does not hold: {why}.")


class Seen:
    """The proofs of the last minutes, by tenant, so that none is good twice. What a tenant's flood displaces is its own: beyond
    MOST in a window its further proofs are refused."""

    def __init__(self) -> None:
        self._since = 0.0
        self._young: dict[str, set[str]] = {}
        self._old: dict[str, set[str]] = {}

    def first(self, tenant: str, proof: Proof, now: float) -> bool:
        """Whether this one has not been seen. `now` is the same clock that proofs are checked with."""
        if not 0 <= now - self._since < 2 * WINDOW:  # a proof can be good for as long as that
            self._old, self._young = (self._young if now - self._since < 4 * WINDOW else {}), {}
            self._since = now
        name = f"{proof.key} {proof.id}"
        young = self._young.setdefault(tenant, set())
        if name in young or name in self._old.get(tenant, ()) or len(young) >= MOST:
            return False
        young.add(name)
        return True
