"""Callers by a token (JWT) of an issuer, or by a task token of this gateway.

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
from yett.errors import Refusal
from yett.identity import dpop, exchange, jws
from yett.identity import issuer as issuers
from yett.identity.issuer import Issuer
from yett.model.caller import Caller
from yett.stages.proven import Listed, Proven, caller_of, directory_of, token_id

REFUSED_SECONDS = 60.0  # for which a token that was refused is not looked at again
_LASTING = frozenset(
    ("malformed_token", "algorithm_refused", "invalid_signature", "unacceptable_token", "wrong_audience")
)


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


class Unproven(Struct, frozen=True):
    """A token that was refused, and need not be looked at again before `until`, wall seconds."""

    code: str
    message: str
    until: float
    generation: int


async def of_token(token: bytes, snapshot: Snapshot, trust: Trust, now: float) -> Caller:
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
        directory = directory_of(issuer.directory, snapshot)
        listed = Listed(subject.listed, directory.find(subject.listed), directory)
        subject = replace(
            subject,
            team=listed.person.team,
            labels=tuple(sorted((dict(subject.labels) | dict(listed.person.labels)).items())),
        )
    caller = caller_of(issuer, subject, token_id(signed.claims.get("jti"), name), bound, snapshot, listed)
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


def _of_task(claims: exchange.TaskClaims, snapshot: Snapshot) -> Caller:
    if claims.team not in snapshot.teams:
        raise Refusal("unacceptable_token", "The token is genuine, but its team is not known here.")
    keys = [snapshot.keys_by_id.get(origin[len("key:") :]) for origin in claims.src if origin.startswith("key:")]
    limits = {f"key:{key.id}": key.limits for key in keys if key is not None and not key.limits.unlimited}
    # Tasks that differ in nothing that is decided on or counted are decided on once.
    alike = replace(claims, jti="", iat=0, exp=0, old=0, txn="", dep=0, name="", src=(), fen=(), tctx={})
    like = hashlib.sha256(msgspec.json.encode((alike, limits))).hexdigest()
    return exchange.caller(claims, like, limits)
