"""Token requests and their answers: what is sent to a token endpoint for each kind of grant, and what may come back. Bytes in, bytes out."""

from __future__ import annotations

import base64
import re
import secrets
from datetime import datetime
from urllib.parse import quote_plus, urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Struct

from yett.model.route import Grant, Secret

_BEARER_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_GRANTS = {
    "client_credentials": "client_credentials",
    "token_exchange": "urn:ietf:params:oauth:grant-type:token-exchange",
    "jwt_bearer": "urn:ietf:params:oauth:grant-type:jwt-bearer",
}
_ASSERTION_SECONDS = 60  # it is used at once
_UNSAID_SECONDS = 300.0  # of a token whose end is not told
_LONGEST = 86_400.0  # seconds
MOST_TOKEN = 16_384  # characters
_VISIBLE = re.compile(r"[\x21-\x7e]+", re.ASCII)
_ERROR = re.compile(r"[A-Za-z0-9_.:/-]{1,60}", re.ASCII)
Headers = tuple[tuple[bytes, bytes], ...]


class TokenTrouble(Exception):
    """No token came of a request. The message is for logs: it never has anything of what was sent."""


class Token(Struct, frozen=True):
    """`seconds` that it lives from when it was asked for."""

    secret: Secret
    seconds: float


class _Answer(Struct):
    access_token: str = ""
    token_type: str = ""
    expires_in: float | str | None = None
    error: str = ""


def request(grant: Grant, token: str, now: float) -> tuple[Headers, bytes]:
    """Headers and body. `token` is that of the workload, where the grant has one; `now` is wall seconds."""
    headers = [
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"accept", b"application/json"),
        (b"accept-encoding", b"identity"),
        (b"user-agent", b"yett"),
    ]
    form = {"grant_type": _GRANTS[grant.kind]}
    if grant.kind == "token_exchange":
        form |= {
            "subject_token": token,
            "subject_token_type": grant.file_type,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        }
    elif grant.kind == "jwt_bearer":
        form["assertion"] = token
    form |= {name: value for name in ("scope", "audience", "resource") if (value := getattr(grant, name))}
    secret = grant.secret.reveal() if grant.secret else ""
    if grant.proof == "basic":  # each part is form-encoded first (RFC 6749 section 2.3.1)
        pair = f"{quote_plus(grant.client)}:{quote_plus(secret)}".encode()
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair)))
    elif grant.client:
        form["client_id"] = grant.client
    if grant.proof == "post":
        form["client_secret"] = secret
    elif grant.proof in ("private_key_jwt", "token_file"):
        form["client_assertion_type"] = _BEARER_ASSERTION
        form["client_assertion"] = token if grant.proof == "token_file" else _assertion(grant, now)
    return tuple(headers), urlencode(form).encode()


def answer(status: int, body: bytes) -> Token:
    """The token of an answer (RFC 6749 section 5). Raises TokenTrouble."""
    try:
        said = msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise TokenTrouble(f"status {status}, and no JSON as of a token endpoint") from None
    if status != 200:
        raise TokenTrouble(f"status {status}{error_name(said.error)}")
    token = said.access_token
    if not usable(token):
        raise TokenTrouble("an answer without a usable access_token")
    if said.token_type.lower() not in ("bearer", ""):
        raise TokenTrouble("a token that is no bearer token")
    return Token(Secret(token), _lifetime(said.expires_in))


def usable(secret: str, most: int = MOST_TOKEN) -> bool:
    """Whether it can be a token: it is there, not too long, and fits into a header."""
    return len(secret) <= most and _VISIBLE.fullmatch(secret) is not None


def error_name(said: str) -> str:
    """What an endpoint calls its error, to follow the status; "" when that could be anything."""
    return f", {said}" if _ERROR.fullmatch(said) else ""


def until(end: str, now: float) -> float:
    """Seconds to a moment that is written as RFC 3339 has it. Raises TokenTrouble."""
    try:
        moment = datetime.fromisoformat(end)
        seconds = moment.timestamp() - now if moment.tzinfo is not None else -1.0
    except (ValueError, OverflowError):
        seconds = -1.0
    if seconds < 1:
        raise TokenTrouble("a token that has ended already")
    return min(seconds, _LONGEST)


def _lifetime(expires_in: float | str | None) -> float:
    if expires_in is None:
        return _UNSAID_SECONDS
    try:
        seconds = float(expires_in)
    except ValueError:
        seconds = -1.0
    if not seconds > 0:  # nor NaN
        raise TokenTrouble("a token that has ended already")
    return min(seconds, _LONGEST)


def _assertion(grant: Grant, now: float) -> str:
    """A signed statement that this is the client, for this endpoint and a minute (RFC 7523 section 3)."""
    pem = (grant.private_key or Secret("")).reveal()
    key = load_pem_private_key(pem.encode(), None)
    jwk: RSAKey | ECKey | OKPKey
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm, jwk = "RS256", RSAKey.import_key(pem)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        algorithm, jwk = ("ES256" if key.curve.key_size == 256 else "ES384"), ECKey.import_key(pem)
    else:
        algorithm, jwk = "Ed25519", OKPKey.import_key(pem)
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": grant.key_id} if grant.key_id else {})
    claims = {
        "iss": grant.client,
        "sub": grant.client,
        "aud": grant.url,
        "iat": int(now),
        "exp": int(now) + _ASSERTION_SECONDS,
        "jti": secrets.token_urlsafe(16),
    }
    try:
        return jwt.encode(header, claims, jwk, algorithms=[algorithm])
    except JoseError as error:
        raise TokenTrouble(f"the client's statement cannot be signed ({type(error).__name__})") from None
