"""Issuers: whose tokens are believed, what must hold of one, and what its claims say about the caller.

    signature verified ─> type, times, audience, required claims ─> tenant, team, kind, id, name, labels

What a token says comes from strangers until its signature is verified, and from the issuer afterwards: therefore nothing here is asked
before, and what is refused afterwards may name the claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from yett.errors import Refusal
from yett.identity import spiffe
from yett.identity.jws import Signed
from yett.model.caller import KINDS
from yett.model.key import Limits
from yett.model.route import Provider

LONGEST_ID = 255  # characters of a subject
LONGEST_NAME = 100
LONGEST_VALUE = 64  # of a label


class Rule(Struct, frozen=True):
    """Where one fact about a caller comes from: the `claim`, translated by `values` where there are any, or what is `fixed`. A claim
    that is a list (groups) counts as the first of `values` that is in it."""

    claim: str = ""
    fixed: str = ""
    values: Mapping[str, str] = MappingProxyType({})


class Workload(Struct, frozen=True):
    """Workloads of a trust domain: those whose SPIFFE ID has this path, or one below it. "/" is all of them."""

    path: str
    team: str
    kind: str
    labels: tuple[tuple[str, str], ...] = ()


class Source(Struct, frozen=True):
    """Where an issuer's keys are: in a file, or at an address, which with `discovery` is that of metadata that say where."""

    file: str = ""
    url: str = ""
    provider: Provider | None = None  # whom to ask
    discovery: bool = False

    @property
    def kept_as(self) -> str:
        """What fetched keys are kept by. An address that is asked with other certificates, or in another way, is another source."""
        trusted = self.provider.ca_file if self.provider is not None else ""
        return " ".join((self.url, "discovery" if self.discovery else "jwks", trusted))


class Issuer(Struct, frozen=True):
    """One issuer of tokens. Times are seconds. `url` is the claim `iss` of its tokens; of a trust domain "spiffe://…"."""

    name: str
    credential: str  # oidc, svid
    url: str
    source: Source
    audiences: frozenset[str]
    algorithms: frozenset[str]
    types: frozenset[str]  # of the header `typ`, small letters; "" is a token without one
    leeway: float = 30.0
    max_age: float = 86_400.0
    assurance: int = 2
    tenant: Rule = Rule(fixed="default")
    tenants: frozenset[str] = frozenset()  # that the claim may name
    team: Rule = Rule()
    kind: Rule = Rule(fixed="user")
    directory: str = ""  # that says whether a caller exists, and in which team
    directory_claim: str = "sub"
    name_claim: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    label_claims: tuple[tuple[str, str], ...] = ()
    required: tuple[tuple[str, frozenset[str]], ...] = ()
    workloads: tuple[Workload, ...] = ()  # of a trust domain, longest path first
    models: tuple[str, ...] = ()
    limits: Limits = Limits()


class Subject(Struct, frozen=True):
    """Whom a token is about. `id` is unique within the tenant: the issuer's name is part of it. `team` is "" where the issuer's directory
    says it, about the user whom it has as `listed`."""

    id: str
    name: str
    tenant: str
    team: str
    kind: str
    labels: tuple[tuple[str, str], ...]
    issued: int
    expires: int
    listed: str = ""


def check(issuer: Issuer, token: Signed, now: float) -> None:
    """What must hold of a token whose signature is good. Raises Refusal: unacceptable_token, expired_token, token_not_yet_valid,
    wrong_audience."""
    if token.header.typ.lower().removeprefix("application/") not in issuer.types:
        raise _unfit("its type is not one that is accepted from this issuer")
    claims = token.claims
    expires = _time(claims, "exp")
    if expires is None:
        raise _unfit('the claim "exp" is missing')
    if expires + issuer.leeway <= now:
        raise Refusal("expired_token")
    issued, begins = _time(claims, "iat"), _time(claims, "nbf")
    if max(issued or 0.0, begins or 0.0) > now + issuer.leeway:
        raise Refusal("token_not_yet_valid")
    if expires - (now if issued is None else issued) > issuer.max_age + issuer.leeway:
        raise _unfit("it is good for longer than tokens of this issuer may be")
    if not issuer.audiences.intersection(_words(claims.get("aud"))):
        raise Refusal("wrong_audience")
    for claim, values in issuer.required:
        if not values.intersection(_words(find(claims, claim))):
            raise _unfit(f'the claim "{claim}" is not what is required')


def subject(issuer: Issuer, claims: Mapping[str, Any]) -> Subject:
    """Raises Refusal("unacceptable_token")."""
    id = claims.get("sub")
    if (
        not isinstance(id, str)
        or not 0 < len(id) <= (spiffe.LONGEST if issuer.workloads else LONGEST_ID)
        or not id.isprintable()
    ):
        raise _unfit('the claim "sub" is missing, or cannot be used')
    expires = int(_time(claims, "exp") or 0)
    issued = int(_time(claims, "iat") or 0)
    if issuer.workloads:
        workload = workload_of(issuer, id)
        return Subject(
            id=id,
            name=id.rpartition("/")[2][:LONGEST_NAME],
            tenant=issuer.tenant.fixed,
            team=workload.team,
            kind=workload.kind,
            labels=workload.labels,
            issued=issued,
            expires=expires,
        )
    tenant = _fact(issuer.tenant, claims)
    if issuer.tenant.claim and tenant not in issuer.tenants:
        raise _unfit(f'the claim "{issuer.tenant.claim}" names no tenant of this issuer')
    kind = _fact(issuer.kind, claims)
    if kind not in KINDS:
        raise _unfit(f'the claim "{issuer.kind.claim}" says neither user nor agent nor service')
    name = find(claims, issuer.name_claim) if issuer.name_claim else id
    found = {label: value for label, claim in issuer.label_claims if (value := _label(find(claims, claim)))}
    return Subject(
        id=f"{issuer.name}/{id}",
        name=name[:LONGEST_NAME] if isinstance(name, str) and name.isprintable() else id[:LONGEST_NAME],
        tenant=tenant,
        team="" if issuer.directory else _fact(issuer.team, claims),
        kind=kind,
        labels=tuple(sorted((dict(issuer.labels) | found).items())),
        issued=issued,
        expires=expires,
        listed=_listed(issuer, claims) if issuer.directory else "",
    )


def _listed(issuer: Issuer, claims: Mapping[str, Any]) -> str:
    words = _words(find(claims, issuer.directory_claim))
    if len(words) != 1 or not 0 < len(words[0]) <= LONGEST_ID:
        raise _unfit(f'the claim "{issuer.directory_claim}" is missing, or names nobody')
    return words[0]


def workload_of(issuer: Issuer, id: str) -> Workload:
    """What is known of a SPIFFE ID of this trust domain. Raises Refusal("unacceptable_token")."""
    try:
        domain, path = spiffe.parse(id)
    except ValueError:
        raise _unfit('the claim "sub" is no SPIFFE ID') from None
    if f"spiffe://{domain}" != issuer.url:
        raise _unfit("it is about another trust domain")
    workload = workload_at(issuer.workloads, path)
    if workload is None:
        raise _unfit("its workload is not among those of yett.toml")
    return workload


def workload_at(workloads: Iterable[Workload], path: str) -> Workload | None:
    """The first that this path of a SPIFFE ID belongs to."""
    for workload in workloads:
        if path == workload.path or path.startswith(workload.path.rstrip("/") + "/"):
            return workload
    return None


def issuer_of(token: Signed, issuers: Mapping[str, Issuer]) -> Issuer:
    """Whom a token says it is from: the issuer with that URL, or else the trust domain of the SPIFFE ID that it is about. Raises
    Refusal("unknown_issuer")."""
    iss, sub = token.claims.get("iss"), token.claims.get("sub")
    if isinstance(iss, str) and (found := issuers.get(iss)) is not None:
        return found
    if isinstance(sub, str) and sub.startswith("spiffe://"):
        found = issuers.get("spiffe://" + sub[len("spiffe://") :].partition("/")[0])
        if found is not None:
            return found
    raise Refusal("unknown_issuer")


def find(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of this name, or what a JSON Pointer ("/kubernetes.io/namespace", RFC 6901) leads to; None where there is none."""
    if not path.startswith("/"):
        return claims.get(path)
    found: Any = claims
    for part in path[1:].split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _fact(rule: Rule, claims: Mapping[str, Any]) -> str:
    if not rule.claim:
        return rule.fixed
    words = _words(find(claims, rule.claim))
    if rule.values:
        found = next((value for word, value in rule.values.items() if word in words), rule.fixed)
    else:
        found = words[0] if len(words) == 1 else rule.fixed
    if not found:
        raise _unfit(f'the claim "{rule.claim}" is missing, or says nothing that yett.toml knows')
    return found


def _words(value: Any) -> tuple[str, ...]:
    """A claim that may be one text or several."""
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, str):
        return (value,)
    if isinstance(value, int):
        return (str(value),)
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _label(value: Any) -> str:
    """A claim as the value of a label, "" when it cannot be one."""
    words = _words(value)
    word = words[0] if len(words) == 1 else ""
    return word if 0 < len(word) <= LONGEST_VALUE and word.isprintable() else ""


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise _unfit(f'the claim "{name}" is no time')
    return float(value)


def _unfit(reason: str) -> Refusal:
    return Refusal("unacceptable_token", f"The token is genuine, but {reason}.")


def by_url(issuers: Iterable[Issuer]) -> Mapping[str, Issuer]:
    return MappingProxyType({issuer.url: issuer for issuer in issuers})
