"""The settings of `[identity]`: whose tokens and certificates are believed, and what they say about a caller."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yett.config.scalars import DURATION, CaFile, Timeout

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]
Sort = Literal["user", "agent", "service"]
TENANT = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"  # no slash: in the names of fences it ends where the id begins
_Word = Annotated[str, Meta(min_length=1)]


class IssuerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An issuer of JWTs: an OIDC provider, a Kubernetes cluster, a CI system, a cloud."""

    issuer: Annotated[str, Meta(description="The claim `iss` of its tokens, letter by letter.", min_length=1)]
    audiences: Annotated[
        tuple[_Word, ...], Meta(description="What the claim `aud` has to name; one of these is enough.")
    ]
    algorithms: Annotated[tuple[Algorithm, ...], Meta(description="Algorithms that its tokens may be signed with.")] = (
        "RS256",
    )
    types: Annotated[
        tuple[str, ...],
        Meta(description='What the header `typ` may be, in any case; "" is a token without one.'),
    ] = ("at+jwt", "JWT")
    jwks_url: Annotated[
        str, Meta(description='Address of its keys; "" is to ask `issuer` where they are (OpenID Connect Discovery).')
    ] = ""
    jwks_file: Annotated[str, Meta(description="A JWK set, relative to yett.toml, instead of an address.")] = ""
    ca_file: CaFile = ""
    leeway: Annotated[float, Meta(description="How far its clock may be off.", ge=0, le=300), DURATION] = 30.0
    max_age: Annotated[Timeout, Meta(description="Longest life of a token, from issue to expiry.")] = 86_400.0
    require: Annotated[
        dict[str, tuple[_Word, ...]],
        Meta(description='Claims that a token must have, each with the values that will do: `{ org = ["acme"] }`.'),
    ] = field(default_factory=dict)
    tenant: Annotated[str, Meta(description="Tenant of its callers.", pattern=TENANT)] = "default"
    tenant_claim: Annotated[str, Meta(description="Claim that names the tenant instead, one of `tenants`.")] = ""
    tenants: Annotated[
        tuple[Annotated[str, Meta(pattern=TENANT)], ...], Meta(description="Tenants that `tenant_claim` may name.")
    ] = ()
    team: Annotated[str, Meta(description="Team of its callers, where the claim does not say it.")] = ""
    team_claim: Annotated[
        str, Meta(description='Claim that names the team, or a list such as "groups" that `teams` is looked up in.')
    ] = ""
    teams: Annotated[
        dict[str, str], Meta(description="What `team_claim` says = team; the first that is there counts.")
    ] = field(default_factory=dict)
    directory: Annotated[
        str,
        Meta(
            description="The `[scim.NAME]` that its callers have to be active users of; their team is that of their groups there."
        ),
    ] = ""
    directory_claim: Annotated[str, Meta(description="Claim that names the user in the directory.", min_length=1)] = (
        "sub"
    )
    kind: Annotated[Sort, Meta(description="What its callers are.")] = "user"
    kind_claim: Annotated[str, Meta(description="Claim that says it instead: user, agent or service.")] = ""
    name_claim: Annotated[str, Meta(description='Claim that a caller is shown by; "" is `sub`.')] = ""
    labels: Annotated[dict[str, str], Meta(description="Facts for policies, of each of its callers.")] = field(
        default_factory=dict
    )
    label_claims: Annotated[dict[str, str], Meta(description="Label = claim that it is taken from.")] = field(
        default_factory=dict
    )
    models: Annotated[tuple[str, ...], Meta(description="Models its callers may use; empty leaves it to policy.")] = ()


class WorkloadSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Workloads of a trust domain, by the path of their SPIFFE ID."""

    path: Annotated[str, Meta(description='This path and all below it; "/" is the whole trust domain.', min_length=1)]
    team: Annotated[str, Meta(description="Their team.", min_length=1)]
    kind: Annotated[Sort, Meta(description="What they are.")] = "service"
    labels: Annotated[dict[str, str], Meta(description="Facts for policies.")] = field(default_factory=dict)


class ClientSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Holders of certificates of a plain authority, by a name in their certificate."""

    name: Annotated[
        str,
        Meta(
            description='"dns:", "uri:" or "email:" and an alternative name of the certificate, or "subject:" and its subject as RFC 4514 '
            'writes it. "*" at the beginning of the name stands for any text.',
            pattern="^(dns|uri|email|subject):.+$",
        ),
    ]
    team: Annotated[str, Meta(description="Their team.", min_length=1)]
    kind: Annotated[Sort, Meta(description="What they are.")] = "service"
    labels: Annotated[dict[str, str], Meta(description="Facts for policies.")] = field(default_factory=dict)


class ClientCaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """An authority that signs certificates of callers, other than a SPIFFE trust domain."""

    ca_file: Annotated[
        str, Meta(description="Its certificates, PEM, relative to yett.toml; watched for changes.", min_length=1)
    ]
    clients: Annotated[
        tuple[ClientSettings, ...], Meta(description="Whose certificates do, and as what; the first that fits counts.")
    ]
    tenant: Annotated[str, Meta(description="Tenant of its callers.", pattern=TENANT)] = "default"
    models: Annotated[tuple[str, ...], Meta(description="Models they may use; empty leaves it to policy.")] = ()


class ProxySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A proxy that ends the TLS of callers and passes on their certificates, known by one certificate of its own."""

    spiffe_id: Annotated[
        str, Meta(description="The SPIFFE ID of its certificate; its trust domain needs an `x509_bundle_file`.")
    ] = ""
    ca: Annotated[
        str, Meta(description="Or the `[identity.client_cas.NAME]` that signs its certificate, together with `name`.")
    ] = ""
    name: Annotated[
        str,
        Meta(
            description='"dns:", "uri:" or "email:" and an alternative name of its certificate, or "subject:" and its subject; without "*".',
            pattern="^((dns|uri|email|subject):.+)?$",
        ),
    ] = ""
    header: Annotated[
        Literal["client-cert", "x-forwarded-client-cert"],
        Meta(description="The field that it writes, in place of whatever it was sent: that of RFC 9440, or Envoy's."),
    ] = "client-cert"
    trust_domains: Annotated[
        tuple[_Word, ...], Meta(description="Trust domains whose certificates it may pass on.")
    ] = ()
    client_cas: Annotated[
        tuple[_Word, ...], Meta(description="Entries of `identity.client_cas` whose certificates it may pass on.")
    ] = ()


class TrustDomainSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A SPIFFE trust domain: this one's own, or one that it is federated with."""

    workloads: Annotated[
        tuple[WorkloadSettings, ...], Meta(description="Which of its workloads may call, and as what.")
    ]
    audiences: Annotated[
        tuple[_Word, ...], Meta(description="What the `aud` of a JWT-SVID has to name; one of these is enough.")
    ] = ()
    x509_bundle_file: Annotated[
        str,
        Meta(
            description="Its authorities for X.509-SVIDs, PEM, relative to yett.toml; watched for changes. "
            "Without a bundle for JWT-SVIDs, those are not taken."
        ),
    ] = ""
    bundle_url: Annotated[str, Meta(description="Address of its bundle (SPIFFE federation, profile https_web).")] = ""
    bundle_file: Annotated[str, Meta(description="Its bundle, relative to yett.toml, instead of an address.")] = ""
    ca_file: CaFile = ""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(description="Algorithms that JWT-SVIDs may be signed with.")] = (
        "RS256",
        "ES256",
        "ES384",
    )
    leeway: Annotated[float, Meta(description="How far its clock may be off.", ge=0, le=300), DURATION] = 30.0
    tenant: Annotated[str, Meta(description="Tenant of its workloads.", pattern=TENANT)] = "default"
    models: Annotated[tuple[str, ...], Meta(description="Models they may use; empty leaves it to policy.")] = ()


class TaskTokenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Short-lived tokens that this gateway issues itself, for one task."""

    issuer: Annotated[
        str, Meta(description='The claim `iss` of its tokens, the address of this gateway; "" is to issue none.')
    ] = ""
    ttl: Annotated[float, Meta(description="Longest life of a token.", gt=0, le=600), DURATION] = 300.0
    max_depth: Annotated[int, Meta(description="How often a task may be handed on.", ge=0, le=16)] = 4
    max_live: Annotated[
        int,
        Meta(
            description="Tokens with a budget of their own that one caller may have at once, on one machine; each counts until eleven minutes after it has expired.",
            ge=1,
            le=16_384,
        ),
    ] = 1000
    rotate: Annotated[float, Meta(description="After which another key signs.", ge=3600, le=31_536_000), DURATION] = (
        86_400.0
    )


class IdentitySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Proofs of identity beside virtual keys."""

    max_token_bytes: Annotated[int, Meta(description="Longest token that is looked at.", ge=512, le=16_384)] = 8192
    tasks: Annotated[TaskTokenSettings, Meta(description="Task tokens.")] = TaskTokenSettings()
    issuers: Annotated[dict[str, IssuerSettings], Meta(description="Issuers of JWTs, by name.")] = field(
        default_factory=dict
    )
    client_cas: Annotated[
        dict[str, ClientCaSettings], Meta(description="Authorities that sign certificates of callers, by name.")
    ] = field(default_factory=dict)
    proxies: Annotated[
        dict[str, ProxySettings], Meta(description="Proxies that may pass on certificates of their callers, by name.")
    ] = field(default_factory=dict)
    trust_domains: Annotated[dict[str, TrustDomainSettings], Meta(description="SPIFFE trust domains, by name.")] = (
        field(default_factory=dict)
    )
