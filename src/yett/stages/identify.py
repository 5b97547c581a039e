"""identify: who is calling, and how well that is proven. Exactly one way in; anonymous callers do not exist."""

from __future__ import annotations

from yett.config.snapshot import Snapshot
from yett.config.virtual_key import digest, well_formed
from yett.errors import Refusal
from yett.model.call import Inbound
from yett.model.caller import Caller, Credential

MAX_CREDENTIAL = 4096  # bytes; more is not hashed


def identify(inbound: Inbound, snapshot: Snapshot, now: float) -> Caller:
    """Raises Refusal: missing_key, malformed_key, invalid_key, revoked_key, expired_key. The message never holds the key."""
    credential = _bearer(inbound)
    caller = snapshot.callers.get(digest(snapshot.pepper, credential))
    if caller is None:
        if not well_formed(credential.decode("latin-1")):
            raise Refusal("malformed_key")
        raise Refusal("invalid_key")
    check(caller.credential, snapshot, now)
    return caller


def check(credential: Credential, snapshot: Snapshot, now: float) -> None:
    """Whether a credential that was good when its call began is good still. Raises Refusal: revoked_key, expired_key."""
    key = snapshot.keys.get(credential.digest)
    if key is None or (key.revoked and key.revoked <= now):
        raise Refusal("revoked_key")
    if key.expires and key.expires <= now:
        raise Refusal("expired_key")


def _bearer(inbound: Inbound) -> bytes:
    value = inbound.headers.get(b"authorization")
    if value is None:
        raise Refusal("missing_key")
    # Two credentials arrive joined and are no key: a proxy in front might have checked the other one.
    scheme, _, credential = value.partition(b" ")
    credential = credential.strip()
    if scheme.lower() != b"bearer" or not credential or len(credential) > MAX_CREDENTIAL:
        raise Refusal("malformed_key", "The Authorization header must be `Bearer <virtual key>`.")
    return credential
