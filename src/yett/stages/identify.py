"""identify: who is calling, and how well that is proven. The one way in; anonymous callers do not exist.

    Authorization: Bearer ytk_…      a virtual key    looked up by its keyed hash                     assurance 0
    Authorization: DPoP eyJ….….…     the same, bound to a key whose possession the DPoP header proves (RFC 9449)
    Authorization: Bearer eyJ….….…   a token          verified once, then known by its hash until     assurance 2
                                                      it expires or its issuer's keys change; one that
                                                      is bound to a certificate comes over that (RFC 8705)
    (no Authorization)               a certificate    of the connection, verified once for each       assurance 3
                                                      configuration, then known by its hash
    (no Authorization)               the same         passed on by a proxy that is known by its own   assurance 2

Whose connection it is says nothing about whose call it is when that is a proxy's: one connection carries the calls of many.

A token is checked in this order, so that nothing is learnt from a forged one: size, form, issuer, algorithm, key, signature; and only then
what it says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.config.virtual_key import digest, well_formed
from yett.errors import Refusal
from yett.identity import dpop, exchange, forwarded, jws, proxies, x509
from yett.identity import issuer as issuers
from yett.identity.issuer import Issuer, Subject
from yett.identity.proxies import Proxy
from yett.identity.x509 import Authority
from yett.model.call import Inbound
from yett.model.caller import Caller, Credential
from yett.model.key import VirtualKey
from yett.scim import directory as directories
from yett.scim.directory import Directory, Person

MAX_CREDENTIAL = 4096  # bytes of a key; more are not hashed
REFUSED_SECONDS = 60.0  # for which a token that was refused is not looked at again
_LASTING = frozenset(
    ("malformed_token", "algorithm_refused", "invalid_signature", "unacceptable_token", "wrong_audience")
)
_LONGEST_TOKEN_ID = 64


class Once(Protocol):
    """Proofs of possession that were used."""

    def first(self, tenant: str, proof: dpop.Proof, now: float) -> bool:
        """Whether this one has not been; from now on it has."""
        ...


class Trust(Protocol):
    """The keys that issuers sign with, as last heard of. `generation` changes whenever any of them do."""

    @property
    def generation(self) -> int: ...

    @property
    def seen(self) -> Once: ...

    def keys(self, issuer: Issuer) -> jws.KeySet | None:
        """None when they are not known, or not for certain any more."""
        ...

    async def refresh(self, issuer: Issuer) -> None:
        """Ask for them anew, unless that was done a moment ago. Raises nothing but CancelledError."""
        ...


class Listed(Struct, frozen=True):
    """Whom a directory had when somebody was identified. A change makes another person of them."""

    said: str
    person: Person
    directory: Directory


class Proven(Struct, frozen=True):
    """A token that was verified with the keys of this `generation`. It ends at `expires`, wall seconds."""

    caller: Caller
    expires: float
    generation: int
    listed: Listed | None = None


class Holder(Struct, frozen=True):
    """Of a connection's certificate: the proxy that it belongs to, until `expires`, wall seconds; None for everybody else."""

    proxy: Proxy | None
    expires: float


class Shown(Struct, frozen=True):
    """A certificate whose key was shown, good until `expires`, wall seconds: to the gateway, or else to `proxy`."""

    thumbprint: str
    expires: float
    proxy: Proxy | None = None


class Unproven(Struct, frozen=True):
    """A token that was refused, and need not be looked at again before `until`, wall seconds."""

    code: str
    message: str
    until: float
    generation: int


async def identify(inbound: Inbound, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
    """Raises Refusal: whatever is listed under "who" in errors.CODES. The message never holds the credential."""
    value = inbound.headers.get(b"authorization")
    if value is None:
        return _of_connection(inbound, snapshot, now)
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
        caller = await _of_token(credential, snapshot, trust, now)
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
            _directory(name, snapshot).check(id, team)
        elif not any(origin in known for known in (snapshot.issuers, snapshot.authorities, snapshot.proxies)):
            raise Refusal("unknown_issuer")


def _directory(name: str, snapshot: Snapshot) -> Directory:
    directory = snapshot.directories.get(name)
    if directory is None:
        raise Refusal("directory_unavailable", retry_after=1.0)
    return directory


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


# ---- certificates -------------------------------------------------------------------------------------------------


def _of_connection(inbound: Inbound, snapshot: Snapshot, now: float) -> Caller:
    """Who calls without an Authorization. A proxy never does: calls of whoever showed it no certificate would else be its own. And who is
    none, but passes on a certificate, may be a proxy that nobody has pinned: then its calls are not its own either."""
    if b"dpop" in inbound.headers and inbound.certificates:
        # whoever wants its next token bound must not get one that is not
        raise Refusal("invalid_proof", "A proof of possession goes with a token, not with a certificate.")
    proxy = _proxy(inbound, snapshot, now)
    if proxy is not None:
        return _of_forwarded(inbound, proxy, snapshot, now)
    if forwarded.there(inbound.headers):
        raise Refusal("untrusted_proxy")
    if not inbound.certificates:
        raise Refusal("missing_key")
    return _of_certificate(inbound, snapshot, now)


def certificate_of(inbound: Inbound, snapshot: Snapshot, now: float) -> Shown | None:
    """The certificate that the sender of a request has shown, if any: to the gateway, or to a proxy, which may tell of it as of one without a
    token. Raises Refusal.

    It is not asked who vouches for a certificate that comes directly: the handshake has proven that its key is there, and a token that is bound
    to it means this one, whoever signed it."""
    proxy = _proxy(inbound, snapshot, now)
    if proxy is not None:
        if not forwarded.written(proxy.header, inbound.headers):
            return None
        passed = _of_forwarded(inbound, proxy, snapshot, now).credential
        return Shown(passed.shown_certificate, passed.expires, proxy)
    if not inbound.certificates:
        return None
    if forwarded.there(inbound.headers):
        # A proxy that nobody has pinned: its own certificate would do for all that it lets through.
        raise Refusal("untrusted_proxy")
    certificate = inbound.certificates[0]
    key = b"shown:" + hashlib.sha256(certificate).digest()
    known: Shown | None = snapshot.proven.get(key)
    if known is None:
        known = Shown(x509.thumbprint(certificate), x509.end_of(certificate))
        snapshot.proven.put(key, known)
    if known.expires <= now:
        raise Refusal("expired_certificate")
    return known


def _proxy(inbound: Inbound, snapshot: Snapshot, now: float) -> Proxy | None:
    """Whose connection it is, when that is a proxy."""
    if not inbound.certificates or not snapshot.proxies:
        return None
    key = b"proxy:" + hashlib.sha256(inbound.certificates[0]).digest()
    known: Holder | None = snapshot.proven.get(key)
    if known is None:
        known = Holder(*proxies.proxy_of(inbound.certificates, snapshot.proxies.values(), snapshot.authorities, now))
        snapshot.proven.put(key, known)
    if known.proxy is not None and known.expires <= now:
        raise Refusal("expired_certificate")
    return known.proxy


def _of_forwarded(inbound: Inbound, proxy: Proxy, snapshot: Snapshot, now: float) -> Caller:
    """Whose certificate a proxy has passed on with this request; the one before on its connection may have been of somebody else."""
    written = forwarded.written(proxy.header, inbound.headers)
    if not written:
        raise Refusal("missing_key", "The proxy has passed on no certificate, and its own stands for nobody.")
    key = b"forwarded:" + hashlib.sha256(proxy.url.encode() + b"\0" + written).digest()
    known: Proven | None = snapshot.proven.get(key)
    if known is None:
        known = _vouched(forwarded.read(proxy.header, inbound.headers, proxy.spiffe_id), proxy, snapshot, now)
        snapshot.proven.put(key, known)
    if known.expires <= now:
        raise Refusal("expired_certificate")
    return known.caller


def _vouched(chain: tuple[bytes, ...], proxy: Proxy, snapshot: Snapshot, now: float) -> Proven:
    if proxies.proxy_of(chain, snapshot.proxies.values(), snapshot.authorities, now)[0] is not None:
        raise Refusal("unacceptable_certificate", "The proxy has passed on the certificate of a proxy.")
    allowed = {url: authority for url, authority in snapshot.authorities.items() if url in proxy.authorities}
    authority, subject = x509.verify(chain, allowed, now)
    authority = replace(authority, credential=proxies.CREDENTIAL, assurance=proxies.ASSURANCE)
    caller = _caller(authority, subject, _token_id(None, hashlib.sha256(chain[0]).digest()), ("", ""), snapshot)
    credential = caller.credential
    credential = replace(
        credential,
        fences=(*credential.fences, proxy.fence),
        origins=(*credential.origins, proxy.url),
        through=proxy.name,
        shown_certificate=x509.thumbprint(chain[0]),
    )
    return Proven(replace(caller, credential=credential), subject.expires, 0)


def _of_certificate(inbound: Inbound, snapshot: Snapshot, now: float) -> Caller:
    """Whose certificate it is. That the caller has its key was proven when the connection was made; whether it is good still, and for
    whom, is asked of the configuration that this call is judged by."""
    name = hashlib.sha256(inbound.certificates[0]).digest()
    key = b"certificate:" + name  # a certificate is no secret: sent as a token, it must not be found here
    known: Proven | None = snapshot.proven.get(key)
    if known is None:
        authority, subject = x509.verify(inbound.certificates, snapshot.authorities, now)
        caller = _caller(authority, subject, _token_id(None, name), ("", ""), snapshot)
        credential = replace(caller.credential, shown_certificate=x509.thumbprint(inbound.certificates[0]))
        known = Proven(replace(caller, credential=credential), subject.expires, 0)
        snapshot.proven.put(key, known)
    if known.expires <= now:
        raise Refusal("expired_certificate")
    return known.caller


def _of_key(credential: bytes, snapshot: Snapshot) -> Caller:
    if len(credential) > MAX_CREDENTIAL:
        raise Refusal("malformed_key")
    caller = snapshot.callers.get(digest(snapshot.pepper, credential))
    if caller is None:
        if not well_formed(credential.decode("latin-1")):
            raise Refusal("malformed_key")
        raise Refusal("invalid_key")
    return caller


# ---- tokens -------------------------------------------------------------------------------------------------------


async def _of_token(token: bytes, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
    if len(token) > snapshot.settings.identity.max_token_bytes:
        raise Refusal("token_too_large")
    name = hashlib.sha256(token).digest()
    known: Proven | None = snapshot.proven.get(name)
    if known is not None and known.generation == trust.generation and _same(known.listed, snapshot):
        if known.expires <= now:
            raise Refusal("expired_token")
        return known.caller
    refused: Unproven | None = snapshot.unproven.get(name)
    if refused is not None and refused.generation == trust.generation and refused.until > now:
        raise Refusal(refused.code, refused.message)
    try:
        proven = await _prove(token, name, snapshot, trust, now)
    except Refusal as refusal:
        if refusal.code in _LASTING:
            again = Unproven(refusal.code, str(refusal), now + REFUSED_SECONDS, trust.generation)
            snapshot.unproven.put(name, again)
        raise
    snapshot.proven.put(name, proven)
    return proven.caller


def _same(listed: Listed | None, snapshot: Snapshot) -> bool:
    """Whether the directory says of somebody what it said when that was remembered."""
    if listed is None:
        return True
    directory = listed.directory
    return snapshot.directories.get(directory.rules.name) is directory and directory.find(listed.said) is listed.person


async def _prove(token: bytes, name: bytes, snapshot: Snapshot, trust: Trust, now: float) -> Proven:
    signed = jws.take_apart(token)
    issuer = issuers.issuer_of(signed, snapshot.issuers)
    algorithm = jws.algorithm_of(signed, issuer.algorithms)
    generation = await verified(signed, algorithm, issuer, trust)
    issuers.check(issuer, signed, now)
    bound = _bound(signed.claims)
    if issuer.credential == "task":
        task = exchange.read(signed.claims)
        return Proven(_of_task(task, snapshot), task.exp + issuer.leeway, generation)
    subject, listed = issuers.subject(issuer, signed.claims), None
    if issuer.directory:
        directory = _directory(issuer.directory, snapshot)
        listed = Listed(subject.listed, directory.find(subject.listed), directory)
        subject = replace(
            subject,
            team=listed.person.team,
            labels=tuple(sorted((dict(subject.labels) | dict(listed.person.labels)).items())),
        )
    caller = _caller(issuer, subject, _token_id(signed.claims.get("jti"), name), bound, snapshot, listed)
    if (only := exchange.may_act(signed.claims, issuer, snapshot.issuers)) is not None:
        caller = replace(caller, credential=replace(caller.credential, may_act=only))
    return Proven(caller, subject.expires + issuer.leeway, generation, listed)


async def verified(signed: jws.Signed, algorithm: str, issuer: Issuer, trust: Trust) -> int:
    """The generation of the keys that the signature was verified with. A key that is not known may be new: then its issuer is
    asked, once."""
    keys, generation = trust.keys(issuer), trust.generation
    if keys is None or not jws.fitting(signed, algorithm, keys):
        await trust.refresh(issuer)
        keys, generation = trust.keys(issuer), trust.generation
    if keys is None:
        raise Refusal("issuer_unavailable", retry_after=5.0)
    jws.verify(signed, algorithm, keys)
    return generation


def _bound(claims: Mapping[str, Any]) -> tuple[str, str]:
    """The thumbprint of the key that a token is bound to, or else of the certificate, "" for what it is not bound to. Raises
    Refusal("unacceptable_token") for another way of binding (RFC 7800): whoever has such a token would have to prove something else. Two at once are
    no proof of more either: section 3.1 there has one key."""
    if "cnf" not in claims:
        return "", ""
    match claims["cnf"]:
        case {exchange.KEY: str(thumbprint), **others} if thumbprint and not others:
            return thumbprint, ""
        case {exchange.CERTIFICATE: str(thumbprint), **others} if thumbprint and not others:
            return "", thumbprint
    raise Refusal("unacceptable_token", "The token is genuine, but bound in a way that is not supported.")


def _caller(
    issuer: Issuer | Authority,
    subject: Subject,
    id: str,
    bound: tuple[str, str],
    snapshot: Snapshot,
    listed: Listed | None = None,
) -> Caller:
    team = snapshot.teams.get(subject.team)
    if team is None:
        raise Refusal("unacceptable_token", "The token is genuine, but its team is not known here.")
    labels = tuple(sorted((dict(team.labels) | dict(subject.labels)).items()))
    tenant = subject.tenant
    fences = (f"tenant:{tenant}", f"team:{tenant}/{subject.team}", f"{subject.kind}:{tenant}/{subject.id}")
    credential = Credential(
        kind=issuer.credential,
        id=id,
        issuer=issuer.name,
        issued=subject.issued,
        expires=subject.expires,
        models=issuer.models,
        fences=fences,
        origins=(issuer.url, directories.origin(listed.directory.rules, listed.person)) if listed else (issuer.url,),
        bound=bound[0],
        bound_certificate=bound[1],
    )
    alike = (issuer.name, issuer.credential, issuer.assurance, subject.id, tenant, subject.team, subject.kind, labels)
    like = hashlib.sha256(msgspec.json.encode(alike)).hexdigest()
    return Caller(
        subject.id, subject.name, subject.team, tenant, labels, credential, like, subject.kind, issuer.assurance
    )


def _of_task(claims: exchange.TaskClaims, snapshot: Snapshot) -> Caller:
    if claims.team not in snapshot.teams:
        raise Refusal("unacceptable_token", "The token is genuine, but its team is not known here.")
    keys = [snapshot.keys_by_id.get(origin[len("key:") :]) for origin in claims.src if origin.startswith("key:")]
    limits = {f"key:{key.id}": key.limits for key in keys if key is not None and not key.limits.unlimited}
    # Tasks that differ in nothing that is decided on or counted are decided on once.
    alike = replace(claims, jti="", iat=0, exp=0, old=0, txn="", dep=0, name="", src=(), fen=(), tctx={})
    like = hashlib.sha256(msgspec.json.encode((alike, limits))).hexdigest()
    return exchange.caller(claims, like, limits)


def _token_id(jti: Any, name: bytes) -> str:
    """What a record calls a token: its own id, or the beginning of its hash."""
    if isinstance(jti, str) and 0 < len(jti) <= _LONGEST_TOKEN_ID and jti.isprintable():
        return jti
    return f"sha256:{name.hex()[:16]}"
