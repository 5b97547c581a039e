"""An issuer of tokens: its keys, its key set, and what it signs, well-formed or not."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

NOW = 1_795_003_200


def b64(data: bytes | dict[str, Any]) -> bytes:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


@cache
def key(algorithm: str, name: str = "") -> Key:
    """One key for each name; made once for all tests."""
    if algorithm.startswith("ES"):
        return ECKey.generate_key({"256": "P-256", "384": "P-384", "512": "P-521"}[algorithm[2:]])
    return OKPKey.generate_key("Ed25519") if algorithm == "Ed25519" else RSAKey.generate_key(2048)


class Authority:
    """Signs with keys of its own, by their ids. The first one signs unless another is asked for."""

    def __init__(self, url: str = "https://idp.example", *ids: str, algorithm: str = "Ed25519") -> None:
        self.url = url
        self.algorithm = algorithm
        self.ids = ids or ("k1",)

    def jwk(self, kid: str, **more: object) -> dict[str, Any]:
        return {**key(self.algorithm, f"{self.url} {kid}").as_dict(private=False), "kid": kid, **more}

    def document(self, *ids: str) -> bytes:
        """The JWK set, with all keys or with these."""
        return json.dumps({"keys": [self.jwk(kid) for kid in ids or self.ids]}).encode()

    def sign(self, claims: dict[str, Any] | bytes, by: str = "", **header: Any) -> bytes:
        kid = by or self.ids[0]
        head = {"alg": self.algorithm, "typ": "at+jwt", "kid": kid, **header}
        signed = b64({name: value for name, value in head.items() if value is not None}) + b"." + b64(claims)
        signature = JWSRegistry.algorithms[self.algorithm].sign(signed, key(self.algorithm, f"{self.url} {kid}"))
        return signed + b"." + b64(signature)

    def claims(self, now: float = NOW, **more: Any) -> dict[str, Any]:
        """Those of a good token; None takes one away."""
        usual = {"iss": self.url, "sub": "ada", "aud": "yett", "iat": int(now), "exp": int(now) + 300, "jti": "t1"}
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def token(self, now: float = NOW, **claims: Any) -> bytes:
        return self.sign(self.claims(now, **claims))
