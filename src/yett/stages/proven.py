"""What is known of somebody whose token or certificate was verified: the caller that this makes, until it expires."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from msgspec import Struct

from yett.config.snapshot import Snapshot
from yett.errors import Refusal
from yett.identity.issuer import Issuer, Subject
from yett.identity.x509 import Authority
from yett.model.caller import Caller, Credential
from yett.scim import directory as directories
from yett.scim.directory import Directory, Person

_LONGEST_TOKEN_ID = 64


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


def directory_of(name: str, snapshot: Snapshot) -> Directory:
    directory = snapshot.directories.get(name)
    if directory is None:
        raise Refusal("directory_unavailable", retry_after=1.0)
    return directory


def caller_of(
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


def token_id(jti: Any, name: bytes) -> str:
    """What a record calls a token: its own id, or the beginning of its hash."""
    if isinstance(jti, str) and 0 < len(jti) <= _LONGEST_TOKEN_ID and jti.isprintable():
        return jti
    return f"sha256:{name.hex()[:16]}"
