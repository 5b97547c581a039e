"""identify: who is calling, and how well that is proven. The one way in; anonymous callers do not exist.

    Authorization: Bearer ytk_…      a virtual key    looked up by its keyed hash                     assurance 0
    Authorization: DPoP eyJ….….…     the same, bound to a key whose possession the DPoP header proves (RFC 9449)
    Authorization: Bearer eyJ….….…   a token          verified once, then known by its hash until     assurance 2
                                                      it expires or its issuer's keys change; one that
                                                      is bound to a certificate comes over that (RFC 8705)
    (no Authorization)               a certificate    of the connection, verified once for each       assurance 3
                                                      configuration, then known by its hash
    (no Authorization)               the same         passed on by a proxy that is known by its own   assurance 2

Keys are looked up here; `identify_tokens` and `identify_certificates` say the rest.
"""

from __future__ import annotations

from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.config.virtual_key import digest, well_formed
from yett.errors import Refusal
from yett.identity import dpop
from yett.model.call import Inbound
from yett.model.caller import Caller, Credential
from yett.model.key import VirtualKey
from yett.scim import directory as directories
from yett.stages.identify_certificates import certificate_of, of_connection
from yett.stages.identify_tokens import Trust, of_token
from yett.stages.proven import directory_of

MAX_CREDENTIAL = 4096  # bytes of a key; more are not hashed


async def identify(inbound: Inbound, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
    """Raises Refusal: whatever is listed under "who" in errors.CODES. The message never holds the credential."""
    value = inbound.headers.get(b"authorization")
    if value is None:
        return of_connection(inbound, snapshot, now)
    scheme, credential = _credential(value)
    caller = await prove(credential, snapshot, trust, now)
    proof = inbound.headers.get(b"dpop")
    if caller.credential.bound_certificate:
        caller = _with_certificate(caller, inbound, snapshot, now)
    if proof is None and not caller.credential.bound and scheme == b"bearer":
        return caller
    return _with_proof(caller, scheme, credential, proof, inbound, trust, now)


def _with_certificate(caller: Caller, inbound: Inbound, snapshot: Snapshot, now: float) -> Caller:
    """Who comes over the certificate that its token is bound to: that very one, not another of the same key or name (RFC 8705, section 3). Where a
    proxy tells so, the call ends with the proxy: whoever is one could tell it of any token that it has seen."""
    shown = certificate_of(inbound, snapshot, now)
    if shown is None:
        raise Refusal("certificate_required")
    credential = caller.credential
    if shown.thumbprint != credential.bound_certificate:
        raise Refusal("wrong_certificate")
    if (proxy := shown.proxy) is not None:
        fences, origins = (*credential.fences, proxy.fence), (*credential.origins, proxy.url)
        credential = replace(credential, fences=fences, origins=origins, through=proxy.name)
    return replace(caller, credential=replace(credential, shown_certificate=shown.thumbprint))


def _with_proof(
    caller: Caller, scheme: bytes, credential: bytes, proof: bytes | None, inbound: Inbound, trust: Trust, now: float
) -> Caller:
    """Who holds the key that its token is bound to, or shows one that its next token is to be bound to."""
    bound = caller.credential.bound
    if proof is None:
        raise Refusal("proof_required")
    if bound and scheme != b"dpop":  # RFC 9449 section 7.2: a bound token is no bearer token
        raise Refusal("proof_required", "The token is bound to a key: send it as `Authorization: DPoP <token>`.")
    host = inbound.headers.get(b"host", b"").decode("latin-1")
    held = dpop.check(proof, inbound.method, host, inbound.path, credential, now)
    if bound and held.key != bound:
        raise Refusal("invalid_proof", "The DPoP proof does not hold: it is made with another key.")
    if not trust.seen.first(caller.tenant, held, now):
        raise Refusal("replayed_proof")
    return replace(caller, credential=replace(caller.credential, shown=held.key))


async def prove(credential: bytes, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
    """Whose credential it is. Raises Refusal like `identify`."""
    if snapshot.issuers and b"." in credential:
        caller = await of_token(credential, snapshot, trust, now)
    else:
        caller = _of_key(credential, snapshot)
    check(caller.credential, snapshot, now)
    return caller


def check(credential: Credential, snapshot: Snapshot, now: float) -> None:
    """Whether a credential that was good when its call began is good still. A token need not outlive the calls that it began.
    Raises Refusal: revoked_key, expired_key, unknown_issuer."""
    if credential.kind == "key":
        _check_key(snapshot.keys.get(credential.digest), now)
    for origin in credential.origins:
        if origin.startswith("key:"):
            _check_key(snapshot.keys_by_id.get(origin[len("key:") :]), now)
        elif origin.startswith(directories.ORIGIN):
            name, id, team = origin[len(directories.ORIGIN) :].split("/", 2)
            directory_of(name, snapshot).check(id, team)
        elif not any(origin in known for known in (snapshot.issuers, snapshot.authorities, snapshot.proxies)):
            raise Refusal("unknown_issuer")


def _check_key(key: VirtualKey | None, now: float) -> None:
    if key is None or (key.revoked and key.revoked <= now):
        raise Refusal("revoked_key")
    if key.expires and key.expires <= now:
        raise Refusal("expired_key")


def _credential(value: bytes) -> tuple[bytes, bytes]:
    """The scheme, `bearer` or `dpop`, and what follows it."""
    # Two credentials arrive joined and are no key: a proxy in front might have checked the other one.
    scheme, _, credential = value.partition(b" ")
    credential = credential.strip()
    scheme = scheme.lower()
    if scheme not in (b"bearer", b"dpop") or not credential:
        raise Refusal("malformed_key", "The Authorization header must be `Bearer <key or token>`.")
    return scheme, credential


def _of_key(credential: bytes, snapshot: Snapshot) -> Caller:
    if len(credential) > MAX_CREDENTIAL:
        raise Refusal("malformed_key")
    caller = snapshot.callers.get(digest(snapshot.pepper, credential))
    if caller is None:
        if not well_formed(credential.decode("latin-1")):
            raise Refusal("malformed_key")
        raise Refusal("invalid_key")
    return caller
