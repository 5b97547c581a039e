"""exchange: proofs of identity for a task token, which is worth less than each of them (RFC 8693).

The call came through identify like every other: its caller is the actor. The subject's token is put through the same module, and nothing
that a request says about either of them counts.
"""

from __future__ import annotations

import hmac
from typing import Protocol

from msgspec import to_builtins
from msgspec.json import encode

from yett.config.settings import Settings
from yett.config.snapshot import TOKEN_LASTS, Snapshot
from yett.config.units import parse_budget
from yett.dialects import oauth
from yett.errors import Refusal
from yett.identity import jws
from yett.identity.exchange import CERTIFICATE, GRANT, KEY, TYPE, Terms, Wish, narrowed
from yett.model.call import Grant, Inbound
from yett.model.caller import Caller, Credential
from yett.model.route import Secret
from yett.stages import fence
from yett.stages.identify import prove
from yett.stages.identify_certificates import certificate_of
from yett.stages.identify_tokens import Trust
from yett.stages.record import Trail

LONGEST_PURPOSE = 128  # characters
MOST_SCOPES = 64
KEYS, METADATA = "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"
_TYPES = frozenset(f"urn:ietf:params:oauth:token-type:{name}" for name in ("access_token", "jwt", "id_token"))
_KNOWN = frozenset(
    "grant_type subject_token subject_token_type requested_token_type scope audience purpose expires_in budget bind".split()
)
_BINDS = ("", "key", "certificate", "none")


class Signer(Protocol):
    """Signs with the key of the hour."""

    @property
    def document(self) -> bytes:
        """The JWK set (RFC 7517) of all keys that verify."""
        ...

    def sign(self, claims: dict[str, object], type: str) -> bytes: ...


class Allowance(Protocol):
    """How many tokens with a budget live: each takes up a place in the ledger."""

    def take(self, who: str, most: int, until: int, now: int) -> int:
        """0 when one more may live until then (seconds), else the seconds to wait. Raises OSError."""
        ...


def metadata(settings: Settings) -> bytes:
    """RFC 8414 section 2; and what a token can be bound to (RFC 8705 section 3.3, RFC 9449 section 5.1)."""
    issuer, tls = settings.identity.tasks.issuer, settings.gateway.tls
    root = issuer.rstrip("/")
    return encode(
        {
            "issuer": issuer,
            "token_endpoint": f"{root}/oauth/token",
            "jwks_uri": root + KEYS,
            "grant_types_supported": [GRANT],
            "response_types_supported": [],
            "scopes_supported": [],
            "dpop_signing_alg_values_supported": jws.ALGORITHMS,
            "tls_client_certificate_bound_access_tokens": tls is not None and tls.clients != "none",
        }
    )


def read(inbound: Inbound) -> tuple[Grant, bytes]:
    """What is asked for, and the form as the record may keep it: without the token. Raises Refusal: invalid_request,
    unsupported_grant."""
    fields = oauth.form(inbound.body)
    if fields.get("grant_type") != GRANT:
        raise Refusal("unsupported_grant", param="grant_type")
    if unknown := next((name for name in fields if name not in _KNOWN), ""):
        why = "The actor is whoever authenticates." if unknown.startswith("actor_token") else "It is not known here."
        raise Refusal("invalid_request", why, param=unknown[:40])
    subject = fields.get("subject_token", "")
    if not subject or fields.get("subject_token_type") not in _TYPES:
        raise Refusal("invalid_request", "subject_token and its type are required.", param="subject_token_type")
    if fields.get("requested_token_type", min(_TYPES)) not in _TYPES:
        raise Refusal("invalid_request", "There are only access tokens.", param="requested_token_type")
    scope, purpose = tuple(fields.get("scope", "").split()), fields.get("purpose", "")
    if len(scope) > MOST_SCOPES or len(purpose) > LONGEST_PURPOSE or not purpose.isprintable():
        raise Refusal("invalid_request", "scope or purpose is too long.", param="purpose")
    seconds = fields.get("expires_in", "0")
    if not seconds.isascii() or not seconds.isdecimal() or len(seconds) > 9:
        raise Refusal("invalid_request", "expires_in is a number of seconds.", param="expires_in")
    if fields.get("bind", "") not in _BINDS:
        raise Refusal("invalid_request", "A token is bound to a key, a certificate or none.", param="bind")
    credential = inbound.headers.get(b"authorization", b"").partition(b" ")[2].strip()
    grant = Grant(
        inbound=inbound,
        subject=Secret(subject),
        own=hmac.compare_digest(credential, subject.encode()),
        scope=scope,
        seconds=int(seconds),
        budget=_budget(fields.get("budget", "")),
        purpose=purpose,
        audience=fields.get("audience", ""),
        bind=fields.get("bind", ""),
    )
    shown = {name: value for name, value in fields.items() if name != "subject_token"}
    return grant, encode(shown)


def _budget(written: str) -> int:
    """Micro-USD: "0.50usd"."""
    if not written:
        return 0
    try:
        return parse_budget(f"{written}/month").amount
    except ValueError:
        raise Refusal("invalid_request", 'A budget is written like "0.50usd".', param="budget") from None


async def issue(grant: Grant, actor: Caller, trust: Trust, signer: Signer, allowance: Allowance, trail: Trail) -> bytes:
    """The token response; what was issued is noted on the trail. Raises Refusal: whatever identify raises about the subject, and
    what `narrowed` raises, task_tokens_exceeded."""
    snapshot = trail.snapshot
    settings = snapshot.settings.identity.tasks
    if not settings.issuer:
        raise Refusal("exchange_unavailable")
    if grant.audience not in ("", settings.issuer):
        raise Refusal("invalid_request", "Tokens are issued for this gateway only.", param="audience")
    subject = actor if grant.own else await _subject(grant, snapshot, trust, trail.now)
    terms = Terms(
        issuer=settings.issuer,
        seconds=int(settings.ttl),
        depth=settings.max_depth,
        id=f"task_{trail.id.removeprefix('call_')}",
        now=int(trail.now),
        bound=_binding(grant, subject.credential, actor.credential, snapshot, trail.now),
    )
    claims = narrowed(subject, actor, Wish(grant.scope, grant.seconds, grant.budget, grant.purpose), terms)
    if grant.budget:
        _afford(allowance, actor, settings.max_live, claims.exp + TOKEN_LASTS, int(trail.now))
    token = signer.sign(to_builtins(claims), TYPE)
    trail.notes = (*trail.notes, f"issued {claims.jti} for {claims.sub}, task {claims.txn}, depth {claims.dep}")
    return oauth.token_response(
        token, claims.exp - claims.iat, claims.scope, claims.txn, "DPoP" if KEY in (claims.cnf or ()) else "Bearer"
    )


def _binding(
    grant: Grant, subject: Credential, actor: Credential, snapshot: Snapshot, now: float
) -> tuple[str, str] | None:
    """What the new token is bound to: the key that the actor has shown, or else its certificate, unless it wants another one, or none. What came
    bound never becomes a bearer token. Raises Refusal: proof_required, certificate_required, invalid_request, and what is wrong with a
    certificate that a proxy passes on."""
    if grant.bind == "none":
        if any(each.bound or each.bound_certificate for each in (subject, actor)):
            raise Refusal("invalid_request", "For a token that is bound there are only bound ones.", param="bind")
        return None
    if actor.shown and grant.bind != "certificate":
        return KEY, actor.shown
    if grant.bind == "key":
        raise Refusal("proof_required", "Show the key that the token is to be bound to, with a DPoP proof.")
    if thumbprint := actor.shown_certificate or _certificate(grant, snapshot, now):
        return CERTIFICATE, thumbprint
    if grant.bind == "certificate":
        raise Refusal("certificate_required", "Come over the certificate that the token is to be bound to.")
    return None


def _certificate(grant: Grant, snapshot: Snapshot, now: float) -> str:
    """The thumbprint of the certificate that the request came over; "" without one, or where it could be that of a proxy."""
    try:
        shown = certificate_of(grant.inbound, snapshot, now)
    except Refusal as refusal:
        if refusal.code == "untrusted_proxy" and not grant.bind:
            return ""
        raise
    return shown.thumbprint if shown is not None else ""


def _afford(allowance: Allowance, actor: Caller, most: int, until: int, now: int) -> None:
    """Count one more for who really asks: whoever comes with the token of a subject is who acts for it."""
    handed = actor.credential.delegation
    who = handed.actors[0] if handed is not None and handed.actors else actor.id
    try:
        wait = allowance.take(f"{actor.tenant}\0{who}", most, until, now)
    except OSError as error:
        raise Refusal("internal_error", "It cannot be written down that a token lives.") from error
    if wait:
        raise Refusal("task_tokens_exceeded", retry_after=float(wait))


async def _subject(grant: Grant, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
    subject = await prove(grant.subject.reveal().encode(), snapshot, trust, now)
    if subject.credential.bound:
        raise Refusal("proof_required", "The subject's token is bound to a key that only its holder can show.")
    if (bound := subject.credential.bound_certificate) and (
        (shown := certificate_of(grant.inbound, snapshot, now)) is None or shown.thumbprint != bound
    ):
        raise Refusal(
            "certificate_required", "The subject's token is bound to a certificate that only its holder can show."
        )
    fence.check(snapshot.fences, subject.credential, now)
    return subject
