"""What must hold between the settings of `[identity]`, before any token is believed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from yett.config.checks import check_url, keys_trouble
from yett.config.decoding import Problem, suggestion
from yett.config.identity_settings import ClientCaSettings, IssuerSettings, ProxySettings, TrustDomainSettings
from yett.config.lines import KeyPath
from yett.config.receiver_checks import receiver_mistakes
from yett.config.scim_settings import scim_mistakes
from yett.config.settings import Settings
from yett.config.tenants import tenants
from yett.identity import spiffe
from yett.model.operator import OWN

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_PATH = re.compile(r"/|(/[A-Za-z0-9._-]+)+", re.ASCII)


def check_identity(settings: Settings) -> list[Problem]:
    """Every mistake in `[identity]`, and in what belongs to it."""
    identity = settings.identity
    found: list[Problem] = [
        (("scim", name, *path), problem)
        for name, directory in settings.scim.items()
        for path, problem in scim_mistakes(
            name, directory, settings.teams, calling=name != settings.operators.directory
        )
    ]
    seen: dict[str, str] = {}
    if identity.tasks.issuer:
        seen[identity.tasks.issuer] = "tasks"
        if trouble := check_url(identity.tasks.issuer, ("http", "https"))[0]:
            found.append((("identity", "tasks", "issuer"), trouble))
    for name, issuer in identity.issuers.items():
        root = ("identity", "issuers", name)
        found += [((*root, *path), problem) for path, problem in _issuer(name, issuer, settings)]
        if issuer.issuer in seen:
            found.append(((*root, "issuer"), f'is the same as that of "{seen[issuer.issuer]}"'))
        seen.setdefault(issuer.issuer, name)
    for name, domain in identity.trust_domains.items():
        root = ("identity", "trust_domains", name)
        found += [((*root, *path), problem) for path, problem in _trust_domain(name, domain, settings)]
    for name, authority in identity.client_cas.items():
        root = ("identity", "client_cas", name)
        found += [((*root, *path), problem) for path, problem in _client_ca(name, authority, settings)]
        if name in identity.issuers:  # whose callers' ids begin alike: a token's `sub` could be another's certificate
            found.append(
                (
                    root,
                    f"has the name of [identity.issuers.{name}], whose callers could not be told apart; choose another",
                )
            )
    pinned: dict[tuple[str, str], str] = {}
    for name, proxy in identity.proxies.items():
        root = ("identity", "proxies", name)
        found += [((*root, *path), problem) for path, problem in _proxy(name, proxy, settings)]
        one = (proxy.spiffe_id or proxy.ca, proxy.name)
        if one in pinned:
            found.append((root, f'is known by the same certificate as "{pinned[one]}"'))
        pinned.setdefault(one, name)
    tls = settings.gateway.tls
    if tls is not None and tls.clients != "none" and not _vouching(settings):
        missing = 'give an "x509_bundle_file" to one of identity.trust_domains, or an identity.client_cas'
        found.append((("gateway", "tls", "clients"), f"nobody is trusted to sign certificates: {missing}"))
    known = frozenset(identity.issuers) | ({OWN} if settings.operators.issuer else frozenset())
    for name, receiver in settings.receivers.items():
        mistakes = receiver_mistakes(name, receiver, known, tenants(settings))
        found += [(("receivers", name, *path), problem) for path, problem in mistakes]
    return found


def _issuer(name: str, issuer: IssuerSettings, settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not _NAME.fullmatch(name):
        yield (), "an issuer's name consists of letters, digits, dots, dashes and underscores"
    for setting in ("audiences", "algorithms", "types"):
        if not getattr(issuer, setting):
            yield (setting,), "is empty, so that no token would do"
    if issuer.jwks_url and issuer.jwks_file:
        yield ("jwks_url",), 'give either "jwks_url" or "jwks_file"'
    asked = issuer.jwks_url or ("" if issuer.jwks_file else issuer.issuer)
    if asked and (trouble := keys_trouble(asked)):
        if issuer.jwks_url:
            yield ("jwks_url",), trouble
        else:
            yield ("issuer",), f'{trouble}; to take its keys from elsewhere, give "jwks_url" or "jwks_file"'
    if issuer.tenant_claim and not issuer.tenants:
        yield ("tenants",), "required with tenant_claim: no token may make up a tenant"
    if issuer.directory:
        yield from _directory(issuer, settings)
    elif not issuer.team and not issuer.team_claim:
        yield ("team",), 'give "team", or "team_claim"'
    named: list[tuple[KeyPath, str]] = [(("team",), issuer.team)]
    named += [(("teams", said), team) for said, team in issuer.teams.items()]
    for where, team in named:
        if team and team not in settings.teams:
            yield where, f'no team "{team}"{suggestion(team, settings.teams)}'
    yield from _models(issuer.models, settings)


def _directory(issuer: IssuerSettings, settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    directory = settings.scim.get(issuer.directory)
    if directory is None:
        yield ("directory",), f'there is no [scim."{issuer.directory}"]{suggestion(issuer.directory, settings.scim)}'
        return
    if not directory.teams and issuer.directory == settings.operators.directory:  # else that is a mistake of its own
        yield ("directory",), f'nobody of it may call: [scim."{issuer.directory}"] has no teams'
    for setting in ("team", "team_claim", "teams"):
        if getattr(issuer, setting):
            yield (setting,), f'its callers have the teams of their groups, in [scim."{issuer.directory}"]'
    if issuer.tenant_claim or issuer.tenant != directory.tenant:
        where = "tenant_claim" if issuer.tenant_claim else "tenant"
        yield (where,), f'its callers are of the tenant of their directory, "{directory.tenant}"'


def _trust_domain(name: str, domain: TrustDomainSettings, settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not spiffe.trust_domain(name):
        yield (), "a trust domain's name consists of small letters, digits, dots, dashes and underscores"
    tokens = bool(domain.bundle_url or domain.bundle_file or not domain.x509_bundle_file)
    for setting in ("audiences", "algorithms"):
        if tokens and not getattr(domain, setting):
            yield (setting,), "is empty, so that no token would do"
    if not domain.workloads and not any(
        proxy.spiffe_id.startswith(f"spiffe://{name}/") for proxy in settings.identity.proxies.values()
    ):
        yield ("workloads",), 'is empty; write workloads = [{ path = "/", team = "…" }]'
    if tokens and bool(domain.bundle_url) == bool(domain.bundle_file):
        yield ("bundle_url",), 'give either "bundle_url" or "bundle_file"'
    if domain.bundle_url and (trouble := keys_trouble(domain.bundle_url)):
        yield ("bundle_url",), trouble
    paths: set[str] = set()
    for index, workload in enumerate(domain.workloads):
        where: KeyPath = ("workloads", index)
        if workload.path and not _PATH.fullmatch(workload.path):
            yield (*where, "path"), f'"{workload.path}" is no path of a SPIFFE ID, such as "/ns/prod"'
        if workload.path in paths:
            yield (*where, "path"), f'"{workload.path}" is already in the list'
        paths.add(workload.path)
        if workload.team and workload.team not in settings.teams:
            yield (*where, "team"), f'no team "{workload.team}"{suggestion(workload.team, settings.teams)}'
    yield from _models(domain.models, settings)


def _client_ca(name: str, authority: ClientCaSettings, settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    if not _NAME.fullmatch(name):
        yield (), "an authority's name consists of letters, digits, dots, dashes and underscores"
    if name in settings.identity.issuers:  # their callers would be told apart by nothing
        yield (), "is the name of an issuer, too"
    if not authority.clients and all(proxy.ca != name for proxy in settings.identity.proxies.values()):
        yield ("clients",), 'is empty; write clients = [{ name = "dns:…", team = "…" }]'
    names: set[str] = set()
    for index, client in enumerate(authority.clients):
        where: KeyPath = ("clients", index)
        if client.name.lower().startswith("uri:spiffe:"):
            yield (*where, "name"), "is a SPIFFE ID: these are known by their trust domain, in identity.trust_domains"
        if client.name.startswith("subject:*") and not client.name.startswith("subject:*,"):
            yield (*where, "name"), 'ends in the middle of a name of the subject: write "subject:*,O=…"'
        if client.name in names:
            yield (*where, "name"), f'"{client.name}" is already in the list'
        names.add(client.name)
        if client.team and client.team not in settings.teams:
            yield (*where, "team"), f'no team "{client.team}"{suggestion(client.team, settings.teams)}'
    yield from _models(authority.models, settings)


def _proxy(name: str, proxy: ProxySettings, settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    identity = settings.identity
    if not _NAME.fullmatch(name):
        yield (), "a proxy's name consists of letters, digits, dots, dashes and underscores"
    if settings.gateway.tls is None or settings.gateway.tls.clients == "none":
        yield (), 'cannot be known by its certificate: set gateway.tls.clients to "optional" or "required"'
    encrypted = frozenset(name for name, domain in identity.trust_domains.items() if domain.x509_bundle_file)
    yield from _pin(proxy, encrypted, identity.client_cas)
    if not proxy.trust_domains and not proxy.client_cas:
        yield ("trust_domains",), "whose certificates it may pass on: name some here, or in client_cas"
    for index, one in enumerate(proxy.trust_domains):
        if one not in encrypted:
            yield ("trust_domains", index), _no_domain(one, encrypted)
    for index, one in enumerate(proxy.client_cas):
        if one not in identity.client_cas:
            yield ("client_cas", index), _no_authority(one, identity.client_cas)


def _pin(proxy: ProxySettings, encrypted: Collection[str], authorities: Iterable[str]) -> Iterator[tuple[KeyPath, str]]:
    """What it is known by."""
    if bool(proxy.spiffe_id) == bool(proxy.ca or proxy.name) or bool(proxy.ca) != bool(proxy.name):
        yield (), 'give either "spiffe_id", or "ca" and "name"'
    if proxy.spiffe_id:
        try:
            domain, path = spiffe.parse(proxy.spiffe_id)
        except ValueError:
            domain = path = ""
        if not path:
            yield ("spiffe_id",), f'"{proxy.spiffe_id}" is not the SPIFFE ID of one workload'
        elif domain not in encrypted:
            yield ("spiffe_id",), _no_domain(domain, encrypted)
    if proxy.ca and proxy.ca not in authorities:
        yield ("ca",), _no_authority(proxy.ca, authorities)
    if "*" in proxy.name:
        yield ("name",), "is the name of one certificate, without *"
    if proxy.name.lower().startswith("uri:spiffe:"):
        yield ("name",), "is a SPIFFE ID: write spiffe_id"


def _no_domain(name: str, known: Iterable[str]) -> str:
    return f'no trust domain "{name}" with an x509_bundle_file{suggestion(name, known)}'


def _no_authority(name: str, known: Iterable[str]) -> str:
    return f'no authority "{name}" in identity.client_cas{suggestion(name, known)}'


def _vouching(settings: Settings) -> bool:
    identity = settings.identity
    return bool(identity.client_cas) or any(domain.x509_bundle_file for domain in identity.trust_domains.values())


def _models(models: Iterable[str], settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    for index, model in enumerate(models):
        if model not in settings.models:
            yield ("models", index), f'no model "{model}"{suggestion(model, settings.models)}'
