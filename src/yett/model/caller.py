"""Caller: who is calling, on whose behalf, and how well that is proven."""

from __future__ import annotations

from msgspec import Struct

from yett.model.key import Limits

KINDS = ("user", "agent", "service")
CREDENTIALS = ("key", "oidc", "svid", "mtls", "forwarded", "task")


class Actor(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who acts for the subject of a task token, as it was when it got the token; `chain` are all who do, this one first."""

    id: str = ""
    kind: str = "service"  # one of KINDS
    team: str = ""
    assurance: int = 0
    chain: tuple[str, ...] = ()


class Delegation(Struct, frozen=True):
    """What a task token hands on. `task` names the task, `actors` who acts for the subject, the latest first; `budgets` are
    micro-USD by the scope that they are counted in."""

    task: str
    depth: int = 0
    actors: tuple[str, ...] = ()
    purpose: str = ""
    budgets: tuple[tuple[str, int], ...] = ()
    actor: Actor | None = None  # the latest of them; None: nobody acts for anybody else


class Credential(Struct, frozen=True):
    """What a caller proved itself with. Times are whole seconds since the Unix epoch, 0 where there is none.

    `fences` name everything whose revocation ends it: tenant:T, team:T/NAME, key:ID, user:T/ID, agent:T/ID, service:T/ID, task:T/ID.
    """

    kind: str  # one of CREDENTIALS
    id: str  # public: the key's id, or a name for the token; never the secret
    issuer: str = ""  # who vouches: the name of an [identity.issuers.NAME], a trust domain; "" for Yett's own keys
    issued: int = 0
    expires: int = 0
    models: tuple[str, ...] = ()  # empty: whatever team and policy allow
    limits: tuple[tuple[str, Limits], ...] = ()  # what it may use by itself, by the name of the scope
    fences: tuple[str, ...] = ()
    digest: bytes = b""  # of a key: where it stands among the snapshot's keys
    mark: str = ""  # of a key that was rotated: which of its secrets, by the last characters
    origins: tuple[str, ...] = ()  # of a token: what has to be in force for it, key:ID or the URL of an issuer
    delegation: Delegation | None = None  # of a task token
    may_act: str | None = None  # the only caller that may act for this one, by its id; "" is nobody, None anybody
    through: str = ""  # the proxy of yett.toml that passed a certificate on
    bound: str = ""  # thumbprint of the key that has to be shown with the token; "" for a bearer token
    bound_certificate: str = ""  # that of the certificate that it has to come over, instead of a key
    shown: str = ""  # thumbprint of the key whose possession this call has proven
    shown_certificate: str = ""  # that of the certificate whose key the caller has proven to have


class Caller(Struct, frozen=True):
    """The identified caller of one call. `assurance`: 0 key, 1 key with proof of possession, 2 a token or a certificate that a proxy
    passed on, 3 mTLS.

    `id` is unique within its tenant. `like` is equal for callers of whom, under one snapshot, everything is equal that decisions and
    limits depend on; it is what they are remembered by.
    """

    id: str
    name: str
    team: str
    tenant: str
    labels: tuple[tuple[str, str], ...]
    credential: Credential
    like: str
    kind: str = "service"  # one of KINDS
    assurance: int = 0
