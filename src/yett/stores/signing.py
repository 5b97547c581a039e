"""The keys that task tokens are signed with: one for each period, made ahead of it by whichever process comes first.

    <state>/task-signing/20412.key     the private key of period 20412 (of `rotate` seconds since the epoch), mode 0600

All processes find the same key without asking each other: its name is the time. It is published before it signs and until the last
token that it signed has expired, so a rotation breaks nothing; then its file is removed.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from msgspec import Struct

from yett.errors import IntegrityError, Refusal
from yett.identity.jws import KeySet, public_key
from yett.ports import Clock
from yett.stores.secret_file import secret_file

AHEAD = 300.0  # seconds that a key is published before it signs
OVERLAP = 900.0  # seconds that it is published afterwards: longer than any token is good for
_SEED = 32


class _Signer(Struct, frozen=True):
    id: str
    key: OKPKey
    jwk: dict[str, Any]  # the public part


class SigningKeys:
    """Implements stages.exchange.Signer. `public` is what verifies, `document` the JWK set of it."""

    def __init__(self, state: Path, clock: Clock, rotate: float) -> None:
        self._folder = state / "task-signing"
        self._clock = clock
        self._rotate = rotate
        self._signers: dict[int, _Signer] = {}
        self.public: KeySet = ()
        self.document = b'{"keys":[]}'

    def turn(self) -> None:
        """To be called every few seconds: have the keys that are needed now and soon, and no others. Raises IntegrityError,
        ConfigurationError, OSError."""
        now = self._clock.now()
        first, last = (int((now + seconds) // self._rotate) for seconds in (-OVERLAP, AHEAD))
        present = int(now // self._rotate)
        found = {
            period: self._signers.get(period) or _signer(self._folder, period)
            for period in range(first, last + 1)
            if period >= present or self._path(period).exists()
        }
        for path in self._folder.glob("*.key"):
            if path.stem.isdigit() and int(path.stem) < first:
                path.unlink(missing_ok=True)
        if found.keys() == self._signers.keys():  # the same ones: nobody need verify anything anew
            return
        self._signers = found
        keys = [signer.jwk for signer in found.values()]
        self.public = tuple(key for jwk in keys if (key := public_key(jwk)) is not None)
        self.document = msgspec.json.encode({"keys": keys})

    def sign(self, claims: dict[str, object], type: str) -> bytes:
        """A token in the compact form. Raises Refusal when there is no key for the present."""
        signer = self._signers.get(int(self._clock.now() // self._rotate))
        if signer is None:
            raise Refusal("internal_error", "There is no key to sign with.")
        header = {"alg": "Ed25519", "typ": type, "kid": signer.id}
        signed = b".".join(_encoded(msgspec.json.encode(part)) for part in (header, claims))
        return signed + b"." + _encoded(JWSRegistry.algorithms["Ed25519"].sign(signed, signer.key))

    def _path(self, period: int) -> Path:
        return self._folder / f"{period}.key"


def _signer(folder: Path, period: int) -> _Signer:
    path = folder / f"{period}.key"
    seed = secret_file(path, lambda: Ed25519PrivateKey.generate().private_bytes_raw())
    if len(seed) != _SEED:
        raise IntegrityError(f"{path} is no signing key; remove it to have a new one made")
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = _encoded(private.public_key().public_bytes_raw()).decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": public}
    key = OKPKey.import_key({**jwk, "d": _encoded(seed).decode()})
    id = f"{period}-{key.thumbprint()[:8]}"
    return _Signer(id, key, {**jwk, "kid": id, "use": "sig", "alg": "Ed25519"})


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
