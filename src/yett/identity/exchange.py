"""Task tokens (RFC 8693): what one says, and how it follows from the proofs that it is exchanged for. It only ever narrows.

    scope      what both the subject and the actor may use, and of that what was asked for
    expiry     the shortest of theirs, of what was asked for, and of the setting
    budget     those of all tokens above it go on counting; one of its own is added
    depth      one more than theirs, up to the setting
    context    purpose and task: given by the first token, copied by all others
    binding    to the key (DPoP) or the certificate (RFC 8705) that the actor has shown, if it has
    actor      where the subject's token says who may act (`may_act`, section 4.4), that one and nobody else, however often it is handed on
    subject    never changes; whoever acts for it is put in front of those who did before (`act`, section 4.1)

The actor is whoever authenticates the exchange, never what a request says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from yett.errors import Refusal
from yett.identity.issuer import Issuer
from yett.model.caller import Actor, Caller, Credential, Delegation
from yett.model.key import Budget, Limits

TYPE = "yett-task+jwt"
KEY, CERTIFICATE = "jkt", "x5t#S256"  # what a token is bound to, in the claim `cnf`
GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
MODEL = "m:"  # a scope that names a model
_TOKEN = 2  # assurance of a token: it can be passed on, whatever proved its holder
MOST_ORIGINS = 32


class Wish(Struct, frozen=True):
    """What an exchange asks for. `scope` empty: whatever is left; `seconds` and `budget` (micro-USD) 0: not said."""

    scope: tuple[str, ...] = ()
    seconds: int = 0
    budget: int = 0
    purpose: str = ""


class Terms(Struct, frozen=True):
    """What the operator allows, and what has to be shown with the new token. `id` names it, and the task when it begins one."""

    issuer: str
    seconds: int
    depth: int
    id: str
    now: int
    bound: tuple[str, str] | None = None  # KEY or CERTIFICATE, and its thumbprint


class TaskClaims(Struct, frozen=True, omit_defaults=True):
    """The claims of a task token."""

    iss: str
    aud: str
    sub: str
    iat: int
    exp: int
    jti: str
    txn: str
    dep: int
    tnt: str
    team: str
    kind: str
    name: str
    asr: int
    src: tuple[str, ...]  # what it was exchanged for: "key:ID", or the URL of an issuer
    fen: tuple[str, ...]  # whose revocation ends it
    # When the oldest of the proofs was issued: a session that has ended lives on in no token exchanged since.
    old: int = 0
    scope: str = ""
    lab: tuple[tuple[str, str], ...] = ()
    act: dict[str, Any] | None = None
    may_act: dict[str, str] | None = None  # whose `sub` is the only caller that may act for the subject
    cnf: dict[str, str] | None = None
    tctx: dict[str, str] = {}
    bud: tuple[tuple[str, int], ...] = ()
    acr: tuple[str, str, int] | None = None  # of the latest who acts: kind, team, assurance


def narrowed(subject: Caller, actor: Caller, wish: Wish, terms: Terms) -> TaskClaims:
    """The claims of the token that `actor` gets for `subject`; they are the same caller when nobody acts for anybody else. Raises
    Refusal: delegation_refused, delegation_too_deep, invalid_scope, expired_token, invalid_request."""
    if subject.tenant != actor.tenant:
        raise Refusal("delegation_refused", "The subject belongs to another tenant.")
    above = (subject,) if subject is actor else (subject, actor)
    before = [each.credential.delegation for each in above if each.credential.delegation is not None]
    own = subject.credential.delegation
    depth = 1 + max((each.depth for each in before), default=-1)
    if depth > terms.depth:
        raise Refusal("delegation_too_deep")
    if own is not None and wish.purpose and wish.purpose != own.purpose:
        raise Refusal("invalid_request", "The purpose of a task cannot be changed.", param="purpose")
    expires = min([terms.now + min(wish.seconds or terms.seconds, terms.seconds), *(_end(each) for each in above)])
    if expires <= terms.now:
        raise Refusal("expired_token")
    actors, latest = (own.actors, own.actor) if own is not None else ((), None)
    if actor is not subject:
        acting = actor.credential.delegation
        latest = acting.actor if acting is not None else None
        latest = latest or Actor(actor.id, actor.kind, actor.team, actor.assurance)
        if subject.credential.may_act not in (None, latest.id):
            raise Refusal(
                "delegation_refused", "The subject's token says who may act for it, and that is somebody else."
            )
        actors = (latest.id, *actors)
    budgets = dict(pair for each in before for pair in each.budgets)
    if wish.budget:
        budgets[f"token:{terms.id}"] = wish.budget
    origins = tuple(dict.fromkeys(origin for each in above for origin in _origins(each)))
    if len(origins) > MOST_ORIGINS:
        raise Refusal("delegation_too_deep")
    return TaskClaims(
        iss=terms.issuer,
        aud=terms.issuer,
        sub=subject.id,
        iat=terms.now,
        exp=expires,
        jti=terms.id,
        txn=own.task if own is not None else terms.id,
        dep=depth,
        tnt=subject.tenant,
        team=subject.team,
        kind=subject.kind,
        name=subject.name,
        asr=min(_TOKEN, *(each.assurance for each in above)),
        src=origins,
        fen=tuple(dict.fromkeys(fence for each in above for fence in each.credential.fences)),
        old=min(each.credential.issued for each in above),
        scope=" ".join(f"{MODEL}{model}" for model in _models(above, wish.scope)),
        lab=subject.labels,
        act=_chain(actors),
        may_act={"sub": may_act} if (may_act := subject.credential.may_act) is not None else None,
        cnf=dict((terms.bound,)) if terms.bound is not None else None,
        tctx={"purpose": purpose} if (purpose := own.purpose if own is not None else wish.purpose) else {},
        bud=tuple(sorted(budgets.items())),
        acr=(latest.kind, latest.team, latest.assurance) if latest is not None else None,
    )


def read(claims: Mapping[str, Any]) -> TaskClaims:
    """What `narrowed` wrote. Raises Refusal("unacceptable_token")."""
    try:
        return msgspec.convert(claims, TaskClaims)
    except msgspec.ValidationError:
        raise Refusal("unacceptable_token", "The token is genuine, but no task token.") from None


def caller(claims: TaskClaims, like: str, limits: Mapping[str, Limits]) -> Caller:
    """Who comes with a task token. `limits` are those of the keys that it was exchanged for, which go on counting."""
    models = tuple(word.removeprefix(MODEL) for word in claims.scope.split())
    spending = [(name, Limits(budget=Budget(amount, "ever"))) for name, amount in claims.bud]
    actors = _actors(claims.act)
    kind, team, assurance = claims.acr or ("service", "", 0)
    delegation = Delegation(
        task=claims.txn,
        depth=claims.dep,
        actors=actors,
        actor=Actor(actors[0], kind, team, assurance, actors) if actors else None,
        purpose=claims.tctx.get("purpose", ""),
        budgets=claims.bud,
    )
    task = f"task:{claims.tnt}/{claims.txn}"
    credential = Credential(
        kind="task",
        id=claims.jti,
        issuer=claims.iss,
        issued=claims.old,
        expires=claims.exp,
        models=models,
        limits=(*limits.items(), *spending),
        fences=tuple(dict.fromkeys((*claims.fen, task))),
        origins=claims.src,
        delegation=delegation,
        may_act=claims.may_act.get("sub", "") if claims.may_act is not None else None,
        bound=claims.cnf.get(KEY, "") if claims.cnf else "",
        bound_certificate=claims.cnf.get(CERTIFICATE, "") if claims.cnf else "",
    )
    return Caller(
        claims.sub, claims.name, claims.team, claims.tnt, claims.lab, credential, like, claims.kind, claims.asr
    )


def may_act(claims: Mapping[str, Any], issuer: Issuer, issuers: Mapping[str, Issuer]) -> str | None:
    """The id of the only caller that may act for whom a token is about, None when it does not say: `sub`, of the same issuer or of `iss`. What cannot be
    told, or names nobody who could be a caller here, is nobody: ""."""
    if "may_act" not in claims:
        return None
    match claims["may_act"]:
        case {"sub": str(sub), **others} if sub and others.keys() <= {"iss"}:
            vouching = issuers.get(str(others["iss"])) if "iss" in others else issuer
            if vouching is None:
                return ""
            named = sub.startswith("spiffe://") and ("iss" not in others or bool(vouching.workloads))
            return sub if named else f"{vouching.name}/{sub}"
    return ""


def _end(caller: Caller) -> int:
    return caller.credential.expires or 2**40


def _origins(caller: Caller) -> tuple[str, ...]:
    credential = caller.credential
    return credential.origins or (f"key:{credential.id}",)


def _models(above: tuple[Caller, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The models that all of them may use, and of these what was asked for; nothing: whatever team and policy allow."""
    lists = [frozenset(each.credential.models) for each in above if each.credential.models]
    if any(not word.startswith(MODEL) or word == MODEL for word in wanted):
        raise Refusal("invalid_scope", 'A scope is "m:" and the name of a model.', param="scope")
    asked = frozenset(word.removeprefix(MODEL) for word in wanted)
    if any(asked - allowed for allowed in lists):
        raise Refusal("invalid_scope", "The scope is wider than that of the proofs.", param="scope")
    found = asked
    if lists and not asked and not (found := frozenset.intersection(*lists)):
        raise Refusal("invalid_scope", "There is nothing that subject and actor may both use.", param="scope")
    return tuple(sorted(found))


def _chain(actors: tuple[str, ...]) -> dict[str, Any] | None:
    """{"sub": latest, "act": {"sub": the one before, …}}"""
    chain: dict[str, Any] | None = None
    for actor in reversed(actors):
        chain = {"sub": actor} if chain is None else {"sub": actor, "act": chain}
    return chain


def _actors(chain: dict[str, Any] | None) -> tuple[str, ...]:
    found = []
    while chain:
        found.append(str(chain.get("sub", "")))
        chain = chain.get("act")
    return tuple(found)
