"""Security events of identity providers: somebody's sessions were ended, or a credential of theirs was changed.

They come as signed tokens (SET, RFC 8417) about a subject (RFC 9493), as the Continuous Access Evaluation Profile defines them (CAEP 1.0, sections
3.1 and 3.3). What is read here says whom to keep out and since when; it cannot let anybody in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from yett.errors import Refusal, YettError
from yett.identity.jws import KeySet, Signed, algorithm_of, take_apart, verify
from yett.model.fence import fence_name

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED = _CAEP + "session-revoked"
CREDENTIAL_CHANGE = _CAEP + "credential-change"
_ENDING = (
    "revoke",
    "delete",
    "update",
)  # changes of a credential after which what was issued with it is no longer good
MOST_BYTES = 32_768  # of a token
MOST_SUBJECTS = 8  # identifiers of one subject
LONGEST_ID = 255  # characters
LONGEST_JTI = 255
_AHEAD = 60.0  # seconds that the transmitter's clock may be ahead


class EventError(YettError):
    """An event is not acted on. `err` is the code of RFC 8935, section 2.4, that its transmitter is told."""

    def __init__(self, err: str, description: str) -> None:
        super().__init__(description)
        self.err = err


class Transmitter(Struct, frozen=True):
    """Whose events are acted on. `prefix` stands before a subject in the ids of callers; `url` is the issuer of these subjects."""

    name: str
    issuer: str  # the claim `iss` of its tokens
    audiences: frozenset[str]
    algorithms: frozenset[str]
    tenants: tuple[str, ...]
    kinds: tuple[str, ...]  # of callers that it may be about
    prefix: str = ""
    url: str = ""
    max_age: float = 86_400.0  # seconds after which an event is too old


class Revocation(Struct, frozen=True):
    """What follows from one event token: these fences, for whatever was issued until `since` (seconds since the epoch). Without names
    there is nothing to do: a test of the stream, or an event of another sort."""

    jti: str
    names: tuple[str, ...]
    since: int
    types: tuple[str, ...]  # of its events


def read(transmitter: Transmitter, token: bytes, keys: KeySet, now: float) -> Revocation:
    """Raises EventError."""
    if len(token) > MOST_BYTES:
        raise EventError("invalid_request", "the token is too long")
    claims = _verified(transmitter, token, keys).claims
    if claims.get("iss") != transmitter.issuer:
        raise EventError("invalid_issuer", "its issuer is not the one of this receiver")
    audience = claims.get("aud")
    named = [one for one in (audience if isinstance(audience, list) else [audience]) if isinstance(one, str)]
    if not transmitter.audiences.intersection(named):
        raise EventError("invalid_audience", "it is meant for somebody else")
    jti, issued, events = claims.get("jti"), claims.get("iat"), claims.get("events")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise EventError("invalid_request", 'the claim "jti" is missing, or too long')
    if not isinstance(issued, int | float) or not now - transmitter.max_age <= issued <= now + _AHEAD:
        raise EventError("invalid_request", 'the claim "iat" is missing, too old, or not yet true')
    if not isinstance(events, dict) or not events or not all(isinstance(event, dict) for event in events.values()):
        raise EventError("invalid_request", 'the claim "events" is missing, or holds no events')
    names: set[str] = set()
    since = 0
    for kind, event in events.items():
        if kind != SESSION_REVOKED and (kind != CREDENTIAL_CHANGE or event.get("change_type") not in _ENDING):
            continue
        names.update(_names(transmitter, claims.get("sub_id", event.get("subject"))))
        since = max(since, _moment(event, issued, now))
    return Revocation(jti, tuple(sorted(names)), since, tuple(sorted(events)))


def _verified(transmitter: Transmitter, token: bytes, keys: KeySet) -> Signed:
    try:
        signed = take_apart(token)
        if signed.header.typ.lower().removeprefix("application/") != "secevent+jwt":
            raise EventError("invalid_request", "it is no security event token")
        verify(signed, algorithm_of(signed, transmitter.algorithms), keys)
    except Refusal as refusal:
        raise EventError(
            "invalid_request" if refusal.code == "malformed_token" else "invalid_key", str(refusal)
        ) from None
    return signed


def _moment(event: Mapping[str, Any], issued: float, now: float) -> int:
    """When it happened: never after now, or what is issued a moment later would count as older."""
    happened = event.get("event_timestamp")
    return int(min(happened if isinstance(happened, int | float) and happened > 0 else issued, now))


def _names(transmitter: Transmitter, subject: Any) -> Iterator[str]:
    """Of the fences about a subject. Raises EventError for one that nobody can be recognised by: an event that ends nothing must not
    seem to have ended something."""
    ids = list(dict.fromkeys(_ids(transmitter, subject)))[:MOST_SUBJECTS]
    if not ids:
        raise EventError("invalid_request", "the subject is none that callers are known by here")
    for tenant in transmitter.tenants:
        for kind in transmitter.kinds:
            yield from (fence_name(kind, tenant, transmitter.prefix + id) for id in ids)


def _ids(transmitter: Transmitter, subject: Any) -> Iterator[str]:
    """By the formats of RFC 9493, section 3.2, and the complex subjects of SSF 1.0, of which the user counts."""
    if not isinstance(subject, dict):
        return
    form = subject.get("format")
    if form == "aliases":
        listed = subject.get("identifiers")
        for one in listed[:MOST_SUBJECTS] if isinstance(listed, list) else ():
            if isinstance(one, dict) and one.get("format") != "aliases":
                yield from _ids(transmitter, one)
        return
    if form == "complex" or (form is None and "user" in subject):
        user = subject.get("user")
        if isinstance(user, dict) and user.get("format") not in ("aliases", "complex", None):
            yield from _ids(transmitter, user)
        return
    if form == "iss_sub" and subject.get("iss") != transmitter.url:
        return
    field = {"iss_sub": "sub", "opaque": "id", "email": "email", "account": "uri"}.get(str(form), "")
    value = subject.get(field)
    if isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable():
        yield value
