"""From `[operators]` to what decides about a sign-in and a session."""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from yett.config import scim_settings
from yett.config.identity import token_source
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.config.snapshot import TENANT
from yett.identity.issuer import Issuer
from yett.model.fence import fence_name
from yett.model.operator import OWN, Identity, Mapped, Role
from yett.model.route import Secret
from yett.scim.directory import Rules as Directory

_LONGEST_TOKEN = 86_400.0
_ANY = ("0.0.0.0", "::")  # noqa: S104 - where to listen, which no browser can ask for


class Rules(Struct, frozen=True):
    """How operators come in. Times are seconds; `origin` is scheme, host and port of the console as browsers write them."""

    origin: str
    hosts: frozenset[str]  # that a request may be for
    idle: float
    lasting: float
    mapping: tuple[Mapped, ...]
    claim: str
    issuer: str = ""
    client: str = ""
    secret: Secret | None = None
    scopes: tuple[str, ...] = ()
    max_age: float = 0.0
    leeway: float = 30.0
    sign_in: Issuer | None = None  # what must hold of an ID token
    access: Issuer | None = None  # and of an access token, where they are taken
    directory: Directory | None = None  # whose active users they have to be

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def issuers(self) -> tuple[Issuer, ...]:
        return tuple(one for one in (self.sign_in, self.access) if one is not None)


def rules(reading: Reading) -> Rules:
    """Those of a configuration without mistakes."""
    settings = reading.settings.operators
    origin = settings.url.rstrip("/")
    hosts = {urlsplit(origin).netloc} if origin else _own_hosts(reading.settings)
    mapping = tuple(Mapped(one.value, Role(one.role, one.tenants)) for one in settings.roles)
    found = Rules(
        origin=origin or f"http://{_host(reading.settings)}",
        hosts=frozenset(hosts),
        idle=settings.idle,
        lasting=settings.session,
        mapping=mapping,
        claim=settings.claim,
    )
    if not settings.issuer:
        return found
    access = _tokens(reading, settings.audience, "at+jwt", "jwt") if settings.audience else None
    return replace(
        found,
        issuer=settings.issuer,
        client=settings.client_id,
        secret=reading.secrets.get(settings.client_secret),
        scopes=settings.scopes,
        max_age=settings.max_age,
        leeway=settings.leeway,
        sign_in=_tokens(reading, settings.client_id, "", "jwt"),
        access=access,
        directory=scim_settings.rules(settings.directory, reading.settings.scim[settings.directory])
        if settings.directory
        else None,
    )


def _tokens(reading: Reading, audience: str, *types: str) -> Issuer:
    settings = reading.settings.operators
    return Issuer(
        name=OWN,
        credential="oidc",
        url=settings.issuer,
        source=token_source(OWN, settings.issuer, settings.ca_file, reading),
        audiences=frozenset((audience,)),
        algorithms=frozenset(settings.algorithms),
        types=frozenset(types),
        leeway=settings.leeway,
        max_age=_LONGEST_TOKEN,
        directory=settings.directory,
        directory_claim=settings.directory_claim,
    )


def _own_hosts(settings: Settings) -> set[str]:
    port = settings.admin.port
    return {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")} | {_host(settings)}


def _host(settings: Settings) -> str:
    host = settings.admin.host if settings.admin.host not in _ANY else "127.0.0.1"
    return f"[{host}]:{settings.admin.port}" if ":" in host else f"{host}:{settings.admin.port}"


def own_fence(identity: Identity) -> str:
    """The name of the fence that keeps somebody out as an operator."""
    return fence_name("user", TENANT, f"{OWN}/{identity.subject}")


def other_fences(identity: Identity, settings: Settings) -> tuple[str, ...]:
    """The names of those that are about the same person otherwise: as a caller with a token of the same identity provider, and by the
    bare subject or e-mail address, which is what some providers' events name."""
    names = [fence_name("user", TENANT, bare) for bare in (identity.subject, identity.email) if bare]
    for name, issuer in settings.identity.issuers.items():
        if issuer.issuer == identity.issuer:
            tenants = issuer.tenants if issuer.tenant_claim else (issuer.tenant,)
            names += [fence_name("user", tenant, f"{name}/{identity.subject}") for tenant in tenants]
    return tuple(names)
