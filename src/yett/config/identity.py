"""From `[identity]` to the issuers and authorities that tokens and certificates are held against."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from cryptography import x509

from yett.config.identity_settings import (
    ClientSettings,
    IssuerSettings,
    ProxySettings,
    TaskTokenSettings,
    TrustDomainSettings,
)
from yett.config.lines import KeyPath
from yett.config.reading import Reading
from yett.config.receiver_settings import ReceiverSettings
from yett.config.settings import Settings
from yett.errors import Mistake
from yett.identity import spiffe
from yett.identity.exchange import TYPE
from yett.identity.issuer import Issuer, Rule, Source, Workload
from yett.identity.proxies import Proxy
from yett.identity.x509 import Authority, Client
from yett.model.route import Provider, Timeouts

_SECONDS = 5.0  # for an issuer to answer
_DISCOVERY = "/.well-known/openid-configuration"


def issuers(reading: Reading) -> tuple[Issuer, ...]:
    """Those of a configuration without mistakes."""
    identity = reading.settings.identity
    return (
        *(_issuer(name, one, reading) for name, one in identity.issuers.items()),
        *(
            _trust_domain(name, one, reading)
            for name, one in identity.trust_domains.items()
            if one.bundle_file or one.bundle_url
        ),
        *((_own(identity.tasks),) if identity.tasks.issuer else ()),
    )


def authorities(reading: Reading, mistakes: list[Mistake]) -> Mapping[str, Authority]:
    """Who vouches for certificates, by what credentials are traced to."""
    found = []
    for name, domain in reading.settings.identity.trust_domains.items():
        path: KeyPath = ("identity", "trust_domains", name, "x509_bundle_file")
        anchors = _anchors(domain.x509_bundle_file, path, reading, mistakes)
        if anchors:
            found.append(
                Authority(
                    name, f"x509:{name}", anchors, domain.tenant, workloads=_workloads(domain), models=domain.models
                )
            )
    for name, plain in reading.settings.identity.client_cas.items():
        path = ("identity", "client_cas", name, "ca_file")
        anchors = _anchors(plain.ca_file, path, reading, mistakes)
        clients = tuple(_client(one) for one in plain.clients)
        if anchors:
            found.append(Authority(name, f"ca:{name}", anchors, plain.tenant, clients=clients, models=plain.models))
    return MappingProxyType({each.url: each for each in found})


def _anchors(file: str, path: KeyPath, reading: Reading, mistakes: list[Mistake]) -> tuple[x509.Certificate, ...]:
    content = reading.certificates.get(file, b"")
    if not content:
        return ()  # none is named, or it was reported when it was read
    try:
        return tuple(x509.load_pem_x509_certificates(content))
    except ValueError:
        mistakes.append(reading.mistake(path, "holds no certificate that can be read"))
        return ()


def _client(settings: ClientSettings) -> Client:
    sort, _, name = settings.name.partition(":")
    name = name.lower() if sort == "dns" else name
    return Client(sort, name, settings.team, settings.kind, tuple(sorted(settings.labels.items())))


def proxies(settings: Settings) -> Mapping[str, Proxy]:
    """Who may pass on certificates, by what credentials are traced to."""
    found = [_proxy(name, one, settings) for name, one in settings.identity.proxies.items()]
    return MappingProxyType({each.url: each for each in found})


def _proxy(name: str, settings: ProxySettings, whole: Settings) -> Proxy:
    identity = whole.identity
    passed_on = [f"x509:{domain}" for domain in settings.trust_domains] + [f"ca:{ca}" for ca in settings.client_cas]
    if settings.spiffe_id:
        domain, _ = spiffe.parse(settings.spiffe_id)
        id, sort, value = settings.spiffe_id, "uri", settings.spiffe_id
        authority, tenant = f"x509:{domain}", identity.trust_domains[domain].tenant
    else:
        sort, _, value = settings.name.partition(":")
        value = value.lower() if sort == "dns" else value
        id = f"{settings.ca}/{sort}:{value}"
        authority, tenant = f"ca:{settings.ca}", identity.client_cas[settings.ca].tenant
    return Proxy(
        name=name,
        url=f"proxy:{name}",
        id=id,
        sort=sort,
        value=value,
        authority=authority,
        header=settings.header,
        authorities=frozenset(passed_on),
        tenant=tenant,
    )


def _issuer(name: str, settings: IssuerSettings, reading: Reading) -> Issuer:
    url = settings.jwks_url or settings.issuer.rstrip("/") + _DISCOVERY
    return Issuer(
        name=name,
        credential="oidc",
        url=settings.issuer,
        source=_source(name, settings.jwks_file, url, settings.ca_file, reading, discovery=not settings.jwks_url),
        audiences=frozenset(settings.audiences),
        algorithms=frozenset(settings.algorithms),
        types=frozenset(type.lower().removeprefix("application/") for type in settings.types),
        leeway=settings.leeway,
        max_age=settings.max_age,
        tenant=Rule(settings.tenant_claim, "" if settings.tenant_claim else settings.tenant),
        tenants=frozenset(settings.tenants),
        team=Rule(settings.team_claim, settings.team, MappingProxyType(dict(settings.teams))),
        directory=settings.directory,
        directory_claim=settings.directory_claim,
        kind=Rule(settings.kind_claim, settings.kind),
        name_claim=settings.name_claim,
        labels=tuple(sorted(settings.labels.items())),
        label_claims=tuple(sorted(settings.label_claims.items())),
        required=tuple((claim, frozenset(values)) for claim, values in settings.require.items()),
        models=settings.models,
    )


def _trust_domain(name: str, settings: TrustDomainSettings, reading: Reading) -> Issuer:
    return Issuer(
        name=name,
        credential="svid",
        url=f"spiffe://{name}",
        source=_source(name, settings.bundle_file, settings.bundle_url, settings.ca_file, reading, discovery=False),
        audiences=frozenset(settings.audiences),
        algorithms=frozenset(settings.algorithms),
        types=frozenset(("", "jwt", "jose")),  # JWT-SVID, section 2.3
        leeway=settings.leeway,
        tenant=Rule(fixed=settings.tenant),
        workloads=_workloads(settings),
        models=settings.models,
    )


def _workloads(settings: TrustDomainSettings) -> tuple[Workload, ...]:
    """Longest path first."""
    workloads = [
        Workload(one.path, one.team, one.kind, tuple(sorted(one.labels.items()))) for one in settings.workloads
    ]
    return tuple(sorted(workloads, key=lambda one: -len(one.path)))


def transmitter(name: str, settings: ReceiverSettings, reading: Reading) -> Issuer:
    """Who signs security events: as much of an issuer as its keys take."""
    url = settings.jwks_url or _well_known(settings.issuer, "ssf-configuration")
    return Issuer(
        name=f"receivers/{name}",
        credential="events",
        url=settings.issuer,
        source=_source(
            f"receivers/{name}", settings.jwks_file, url, settings.ca_file, reading, discovery=not settings.jwks_url
        ),
        audiences=frozenset(settings.audiences),
        algorithms=frozenset(settings.algorithms),
        types=frozenset(),
    )


def _well_known(issuer: str, name: str) -> str:
    """Between host and path (RFC 8615; SSF 1.0, section 7.2)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{name}{parts.path.rstrip('/')}"


def _own(settings: TaskTokenSettings) -> Issuer:
    """This gateway itself, whose keys are never fetched."""
    return Issuer(
        name="yett",
        credential="task",
        url=settings.issuer,
        source=Source(),
        audiences=frozenset((settings.issuer,)),
        algorithms=frozenset(("Ed25519",)),
        types=frozenset((TYPE,)),
        leeway=0.0,  # it is the same clock
        max_age=settings.ttl,
    )


def token_source(name: str, url: str, ca_file: str, reading: Reading) -> Source:
    """Where an OpenID provider says that its keys are."""
    return _source(name, "", url.rstrip("/") + _DISCOVERY, ca_file, reading, discovery=True)


def _source(name: str, file: str, url: str, ca_file: str, reading: Reading, *, discovery: bool) -> Source:
    if file:
        return Source(file=str(reading.resolve(file)))
    parts = urlsplit(url)
    provider = Provider(
        id=f"issuer/{name}",
        kind="issuer",
        base_url=f"{parts.scheme}://{parts.netloc}",
        labels=(),
        keys=(),
        timeouts=Timeouts(_SECONDS, _SECONDS, _SECONDS, _SECONDS),
        ca_file=str(reading.resolve(ca_file)) if ca_file else "",
    )
    return Source(url=url, provider=provider, discovery=discovery)
