"""The keys that task tokens are signed with: one for each period, made ahead of it by whichever process comes first.

    <state>/task-signing/20412.key     the private key of period 20412 (of `rotate` seconds since the epoch), mode 0600

All processes find the same key without asking each other: its name is the time. It is published before it signs and until the last
token that it signed has expired, so a rotation breaks nothing; then it is removed. Gateways that share a database have the keys
there, sealed: see `stores.sealed_signing`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

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
SEED = 32  # bytes of a private key


class _Signer(Struct, frozen=True):
    id: str
    key: OKPKey
    jwk: dict[str, Any]  # the public part


class Span(Struct, frozen=True, order=True):
    """The time in which a key signs, seconds since the epoch: one period of `ends - begins` seconds."""

    begins: int
    ends: int

    @property
    def period(self) -> int:
        return self.begins // (self.ends - self.begins)


class Seeds(Protocol):
    """Where private keys are kept. `turn` may raise IntegrityError, ConfigurationError, OSError, StoreUnavailable, KekTrouble."""

    def due(self, spans: Sequence[Span]) -> bool:
        """Whether there may be others than were last given. At once."""
        ...

    def turn(self, spans: Sequence[Span], past: float) -> Mapping[Span, bytes]:
        """Those of `spans`, made if need be, and all whose time ended after `past`; others are removed."""
        ...


class SigningKeys:
    """Implements stages.exchange.Signer. `public` is what verifies, `document` the JWK set of it."""

    def __init__(self, seeds: Seeds, clock: Clock, rotate: float) -> None:
        self._seeds = seeds
        self._clock = clock
        self._rotate = int(rotate)
        self._signers: dict[Span, _Signer] = {}
        self.public: KeySet = ()
        self.document = b'{"keys":[]}'

    def due(self) -> bool:
        """Whether `turn` has something to do. At once."""
        return self._seeds.due(self._spans()) or any(span not in self._signers for span in self._spans())

    def turn(self) -> None:
        """Have the keys that are needed now and soon, and those that still verify. Raises what `Seeds` raises."""
        found = self._seeds.turn(self._spans(), self._clock.now() - OVERLAP)
        if found.keys() == self._signers.keys():  # the same ones: nobody need verify anything anew
            return
        signers = {span: self._signers.get(span) or _signer(span, found[span]) for span in sorted(found)}
        self._signers = signers
        keys = [signer.jwk for signer in signers.values()]
        self.public = tuple(key for jwk in keys if (key := public_key(jwk)) is not None)
        self.document = msgspec.json.encode({"keys": keys})

    def _spans(self) -> list[Span]:
        """Now, and soon."""
        now, length = self._clock.now(), self._rotate
        first, last = (int((now + seconds) // length) for seconds in (0, AHEAD))
        return [Span(period * length, (period + 1) * length) for period in range(first, last + 1)]

    def sign(self, claims: dict[str, object], type: str) -> bytes:
        """A token in the compact form. Raises Refusal when there is no key for the present."""
        signer = self._signers.get(self._spans()[0])
        if signer is None:
            raise Refusal("internal_error", "There is no key to sign with.")
        header = {"alg": "Ed25519", "typ": type, "kid": signer.id}
        signed = b".".join(_encoded(msgspec.json.encode(part)) for part in (header, claims))
        return signed + b"." + _encoded(JWSRegistry.algorithms["Ed25519"].sign(signed, signer.key))


class FileSeeds:
    """Implements Seeds for the processes of one machine."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "task-signing"

    def due(self, spans: Sequence[Span]) -> bool:
        return True  # looking costs less than asking whether to

    def turn(self, spans: Sequence[Span], past: float) -> Mapping[Span, bytes]:
        length = spans[0].ends - spans[0].begins
        found = {span: self._seed(span) for span in spans}
        for path in self._folder.glob("*.key"):
            if not path.stem.isdigit():
                continue
            span = Span(int(path.stem) * length, (int(path.stem) + 1) * length)
            if span.ends <= past:
                path.unlink(missing_ok=True)
            elif span < spans[0]:
                found[span] = self._seed(span)
        return found

    def _seed(self, span: Span) -> bytes:
        path = self._folder / f"{span.period}.key"
        seed = secret_file(path, new_seed)
        if len(seed) != SEED:
            raise IntegrityError(f"{path} is no signing key; remove it to have a new one made")
        return seed


def new_seed() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def _signer(span: Span, seed: bytes) -> _Signer:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = _encoded(private.public_key().public_bytes_raw()).decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": public}
    key = OKPKey.import_key({**jwk, "d": _encoded(seed).decode()})
    id = f"{span.period}-{key.thumbprint()[:8]}"
    return _Signer(id, key, {**jwk, "kid": id, "use": "sig", "alg": "Ed25519"})


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
