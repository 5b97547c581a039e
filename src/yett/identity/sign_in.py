"""Signing in with OpenID Connect: authorization code with PKCE, what comes back, and what must hold of the ID token.

    browser ── sign-in ──> here: state, nonce, verifier, sealed into a cookie of this browser
    browser ── provider ──> proves who it is
    browser ── callback ──> state is that of the cookie (login CSRF), `iss` is the provider asked (mix-up, RFC 9207)
    here ── code, verifier ──> provider ── ID token ──> signature, iss, aud, azp, nonce, times (OpenID Connect Core, section 3.1.3.7)

What is refused here names what is wrong with the answer and repeats nothing of it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from yett.errors import Refusal
from yett.identity import issuer as issuers
from yett.identity.issuer import Issuer, find
from yett.identity.jws import Signed
from yett.model.operator import Identity, Mapped

LONGEST = 4096  # characters of anything that a browser brings back
_LONGEST_NAME = 200
_LONGEST_NEXT = 500
_DECLINED = (
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
)


class Metadata(Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Pending(Struct, frozen=True):
    """A sign-in that has begun in one browser. `expires`: seconds since the Unix epoch."""

    state: str
    nonce: str
    verifier: str
    next: str
    expires: int


class Answer(Struct, frozen=True):
    """What a token endpoint answers (RFC 6749 section 5.1), as far as it is needed."""

    id_token: str


def authorization_url(
    metadata: Metadata, client: str, back: str, pending: Pending, scopes: tuple[str, ...], max_age: float
) -> str:
    """Where the browser goes to prove who is at it."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(pending.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": back,
        "scope": " ".join(dict.fromkeys(("openid", *scopes))),
        "state": pending.state,
        "nonce": pending.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if max_age:
        asked["max_age"] = str(int(max_age))
    return (
        f"{metadata.authorization_endpoint}{'&' if '?' in metadata.authorization_endpoint else '?'}{urlencode(asked)}"
    )


def end_url(metadata: Metadata, client: str, back: str) -> str:
    """Where signing out at the provider begins, "" when it does not offer that (OpenID Connect RP-Initiated Logout 1.0). No ID token
    is kept for a hint, so the provider asks first."""
    if not metadata.end_session_endpoint:
        return ""
    mark = "&" if "?" in metadata.end_session_endpoint else "?"
    return f"{metadata.end_session_endpoint}{mark}{urlencode({'client_id': client, 'post_logout_redirect_uri': back})}"


def code_of(query: Mapping[str, str], pending: Pending, metadata: Metadata, now: float) -> str:
    """The code that a browser brought back for the sign-in that it began. Raises Refusal("sign_in_refused")."""
    if now >= pending.expires:
        raise refused("It took too long; begin again.")
    if not hmac.compare_digest(query.get("state", "").encode("utf-8", "replace"), pending.state.encode()):
        raise refused("The answer belongs to another sign-in than the one this browser began last; begin again.")
    # RFC 9207: an answer of another provider, passed on to be redeemed here.
    said = query.get("iss", "")
    if said != metadata.issuer and (said or metadata.authorization_response_iss_parameter_supported):
        raise refused("The answer is from another identity provider.")
    if error := query.get("error", ""):
        why = f" ({error})" if error in _DECLINED else ""
        raise refused(f"The identity provider did not sign anybody in{why}.")
    code = query.get("code", "")
    if not code or len(code) > LONGEST:
        raise refused("The answer holds no code.")
    return code


def token_request(
    metadata: Metadata, client: str, secret: str, back: str, code: str, verifier: str
) -> tuple[tuple[tuple[bytes, bytes], ...], bytes]:
    """Headers and body that redeem a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). A client without a secret is a public one."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
    headers = [(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")]
    methods = metadata.token_endpoint_auth_methods_supported
    if secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"  # RFC 6749 section 2.3.1: encoded as in a form
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair.encode())))
    else:
        form["client_id"] = client
        if secret:
            form["client_secret"] = secret
    return tuple(headers), urlencode(form).encode()


def id_token_of(body: bytes) -> bytes:
    """Raises Refusal("sign_in_unavailable")."""
    try:
        return msgspec.json.decode(body, type=Answer).id_token.encode()
    except (msgspec.DecodeError, RecursionError):
        raise Refusal("sign_in_unavailable", "The identity provider answered with no ID token.") from None


def check_id_token(issuer: Issuer, client: str, token: Signed, pending: Pending, max_age: float, now: float) -> None:
    """What must hold of an ID token whose signature is good. Raises Refusal, the codes of `issuer.check` among them."""
    claims = token.claims
    check_issuer(issuer, token)
    issuers.check(issuer, token, now)
    audience, party = claims.get("aud"), claims.get("azp")
    if party != client and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
        raise refused("The token was issued to another client.")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode("utf-8", "replace"), pending.nonce.encode()):
        raise refused("The token belongs to another sign-in.")
    if max_age:
        proven = claims.get("auth_time")
        if isinstance(proven, bool) or not isinstance(proven, int | float) or proven + max_age + issuer.leeway < now:
            raise refused("Who it is was proven to the identity provider too long ago.")


def lasting(issuer: Issuer, token: Signed, now: float) -> tuple[int, int]:
    """When an access token whose signature is good was issued, and when it ends: whole seconds. Raises Refusal."""
    issuers.check(issuer, token, now)
    who = issuers.subject(issuer, token.claims)
    return who.issued, who.expires


def check_issuer(issuer: Issuer, token: Signed) -> None:
    """Raises Refusal("unknown_issuer")."""
    if token.claims.get("iss") != issuer.url:
        raise Refusal("unknown_issuer")


def identity_of(issuer: Issuer, claims: Mapping[str, Any], claim: str, mapping: tuple[Mapped, ...]) -> Identity:
    """Raises Refusal: unacceptable_token, without a subject; role_required, when no role is mapped to what it says. Without a `claim` it says
    nothing of roles, which is then for the directory."""
    who = issuers.subject(issuer, claims)
    found = find(claims, claim) if claim else None
    words = (found,) if isinstance(found, str) else tuple(found) if isinstance(found, list) else ()
    said = tuple(dict.fromkeys(one.value for one in mapping if one.value in words))
    if claim and not said:
        raise Refusal("role_required", f'Nothing in the claim "{claim}" of this account has a role in yett.toml.')
    subject = who.id.removeprefix(f"{issuer.name}/")
    name = next((text for each in ("name", "preferred_username") if (text := _shown(claims.get(each)))), subject)
    return Identity(issuer.url, subject, name, _shown(claims.get("email")), said, who.listed)


def place(next: str) -> str:
    """Where somebody goes after signing in: a page of the console, whatever a link said (open redirects)."""
    plain = next.startswith("/console") and len(next) <= _LONGEST_NEXT and next.isascii() and next.isprintable()
    inside = next == "/console" or next.startswith(("/console/", "/console?"))
    return (
        next
        if plain and inside and not set(next).intersection("\\#") and ".." not in next and "//" not in next
        else "/console"
    )


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) <= _LONGEST_NAME else ""


def refused(message: str) -> Refusal:
    return Refusal("sign_in_refused", message)
