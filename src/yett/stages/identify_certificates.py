"""Callers by the certificate of their connection, or by the one that a proxy passes on with a request.

Whose connection it is says nothing about whose call it is when that is a proxy's: one connection carries the calls of many.
"""

from __future__ import annotations

import hashlib

from msgspec import Struct
from msgspec.structs import replace

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.identity import forwarded, proxies, x509
from yett.identity.proxies import Proxy
from yett.model.call import Inbound
from yett.model.caller import Caller
from yett.stages.proven import Proven, caller_of, token_id


class Holder(Struct, frozen=True):
    """Of a connection's certificate: the proxy that it belongs to, until `expires`, wall seconds; None for everybody else."""

    proxy: Proxy | None
    expires: float


class Shown(Struct, frozen=True):
    """A certificate whose key was shown, good until `expires`, wall seconds: to the gateway, or else to `proxy`."""

    thumbprint: str
    expires: float
    proxy: Proxy | None = None


def of_connection(inbound: Inbound, snapshot: Snapshot, now: float) -> Caller:
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
    caller = caller_of(authority, subject, token_id(None, hashlib.sha256(chain[0]).digest()), ("", ""), snapshot)
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
        caller = caller_of(authority, subject, token_id(None, name), ("", ""), snapshot)
        credential = replace(caller.credential, shown_certificate=x509.thumbprint(inbound.certificates[0]))
        known = Proven(replace(caller, credential=credential), subject.expires, 0)
        snapshot.proven.put(key, known)
    if known.expires <= now:
        raise Refusal("expired_certificate")
    return known.caller
