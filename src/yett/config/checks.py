"""What must hold between the settings of one yett.toml: names that refer to each other, addresses, things said twice."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from yett.config.decoding import Problem, suggestion
from yett.config.provider_settings import ProviderSettings
from yett.config.settings import ModelSettings, Settings
from yett.config.store_address import has_password, limits_address
from yett.providers.shelf import KINDS

RESERVED = "yett"
REFERENCES = ("env:", "file:", "sealed:")  # how a reference to a secret begins
NO_KEK = '{}, and every machine needs the same key to open them: set "kek" or "transit" under [credentials]'
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}", re.ASCII)
_HOST_NAME = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?", re.ASCII)
_PROVIDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def check_references(settings: Settings) -> list[Problem]:
    """Every mistake between settings. An empty string where a name is required was reported before: it is passed over."""
    return [
        *_listeners(settings),
        *(problem for name, provider in settings.providers.items() for problem in _provider(name, provider)),
        *(problem for name, model in settings.models.items() for problem in _model(name, model, settings)),
        *_teams(settings),
        *_prices(settings),
        *_routing(settings),
        *_credentials(settings),
        *_stores(settings),
    ]


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) can only mean this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_host(written: str) -> bool:
    """Whether a port can be opened on it: an address, or a name that may stand for one."""
    try:
        ipaddress.ip_address(written)
    except ValueError:
        return bool(_HOST_NAME.fullmatch(written))
    return True


def _listeners(settings: Settings) -> Iterator[Problem]:
    for table, host in (("gateway", settings.gateway.host), ("admin", settings.admin.host)):
        if host and not _is_host(host):
            yield (table, "host"), f'"{host}" is not an address or a name, such as "127.0.0.1" or "0.0.0.0"'
    if settings.admin.port == settings.gateway.port:
        yield ("admin", "port"), f"port {settings.admin.port} is the gateway's own; choose another"
    if not is_loopback(settings.admin.host) and not settings.admin.token:
        reason = f'required, because other machines can reach "{settings.admin.host}"; write token = "env:YETT_TOKEN"'
        yield ("admin", "token"), reason


def _provider(name: str, provider: ProviderSettings) -> Iterator[Problem]:
    path = ("providers", name)
    if not _PROVIDER_NAME.fullmatch(name):
        yield path, "a provider's name consists of letters, digits, dots, dashes and underscores"
    if name == RESERVED:
        yield path, f'the name "{RESERVED}" stands for what Yett answers itself; choose another'
    if provider.key and provider.keys:
        yield (*path, "key"), 'give either "key" or "keys"'
    for index, key in enumerate(provider.keys):
        if key and key in provider.keys[:index]:
            yield (*path, "keys", index), f'"{key}" is already in the pool'
    if provider.base_url and (trouble := _address(provider)):
        yield (*path, "base_url"), trouble
    kind = KINDS.get(provider.kind)
    if kind is None and provider.kind:
        yield (*path, "kind"), f'no kind "{provider.kind}"{suggestion(provider.kind, KINDS)}'
    if kind is not None and kind.needs_key and not provider.key and not provider.keys and not provider.keyless:
        yield (*path, "keys"), f'kind "{kind.name}" needs a key; write keys = ["env:NAME"] with its variable'


def _address(provider: ProviderSettings) -> str:
    """What is wrong with the base URL, "" when nothing is."""
    return check_private(provider.base_url, "prompts and keys", plaintext=provider.plaintext)


def check_url(written: str, schemes: tuple[str, ...]) -> tuple[str, str]:
    """What is wrong with a URL, and its host. One with a password in it is not repeated."""
    try:
        url = urlsplit(written)
        host, port = url.hostname or "", url.port
    except ValueError as error:
        return f"is not a URL: {error}", ""
    if url.username is not None or url.password is not None:
        return "must not contain a user or password", ""
    trouble = ""
    if url.scheme not in schemes or not host or port == 0:
        trouble = f"is not an {' or '.join(f'{scheme}://' for scheme in schemes)} URL with a host"
    elif "?" in written or "#" in written:
        trouble = "must end with a path, without ? or #"
    elif " " in written or not written.isascii():
        trouble = "contains a character that does not belong into a URL"
    return (f'"{written}" {trouble}' if trouble else ""), host


def check_private(written: str, what: str, *, plaintext: bool) -> str:
    """What is wrong with a URL that secrets are sent to, "" when nothing is."""
    trouble, host = check_url(written, ("http", "https"))
    if not trouble and written.lower().startswith("http:") and not is_loopback(host) and not plaintext:
        accept = "use https://, or accept it with plaintext = true in this table"
        trouble = f'"{written}" would send {what} unencrypted; {accept}'
    return trouble


def _model(name: str, model: ModelSettings, settings: Settings) -> Iterator[Problem]:
    path = ("models", name)
    if not _NAME.fullmatch(name):
        yield path, "a model's name begins with a letter or digit and consists of letters, digits and . _ : @ / + -"
    if not model.targets:
        yield (*path, "targets"), 'is empty; write targets = [{ provider = "…", model = "…" }]'
    seen: set[tuple[str, str]] = set()
    for index, target in enumerate(model.targets):
        where = (*path, "targets", index)
        if target.provider and target.provider not in settings.providers:
            yield (
                (*where, "provider"),
                f'no provider "{target.provider}"{suggestion(target.provider, settings.providers)}',
            )
        if target.model and (target.provider, target.model) in seen:
            yield where, f'"{target.provider}/{target.model}" is already a target of this model'
        seen.add((target.provider, target.model))


def _teams(settings: Settings) -> Iterator[Problem]:
    for name, team in settings.teams.items():
        if not _NAME.fullmatch(name):
            yield (
                ("teams", name),
                "a team's name begins with a letter or digit and consists of letters, digits and . _ : @ / + -",
            )
        for index, model in enumerate(team.models):
            where = ("teams", name, "models", index)
            if model and model not in settings.models:
                yield where, f'no model "{model}"{suggestion(model, settings.models)}'
            elif model in team.models[:index]:
                yield where, f'"{model}" is already in the list'


def _prices(settings: Settings) -> Iterator[Problem]:
    targets = {f"{t.provider}/{t.model}" for model in settings.models.values() for t in model.targets}
    for name in settings.prices:
        if name not in targets:
            yield ("prices", name), f'no model has the target "{name}"{suggestion(name, targets)}'


def _routing(settings: Settings) -> Iterator[Problem]:
    proxy = settings.routing.proxy
    if proxy and not proxy.startswith(REFERENCES) and (trouble := check_url(proxy, ("http",))[0]):
        yield ("routing", "proxy"), trouble + ("" if '"' in trouble else '; write "env:NAME" with its variable')
    if settings.routing.max_backoff < settings.routing.backoff:
        yield ("routing", "max_backoff"), "must not be less than backoff"


def _credentials(settings: Settings) -> Iterator[Problem]:
    credentials = settings.credentials
    transit = credentials.transit
    path = ("credentials", "transit")
    for where, reference in ((("credentials", "kek"), credentials.kek), ((*path, "token"), transit.token)):
        if reference.startswith("sealed:"):
            yield where, 'opens what is sealed, so it cannot be sealed itself; write "env:NAME" or "file:PATH"'
    for setting in ("state", "pepper", "limits"):
        if getattr(settings.stores, setting).startswith("sealed:"):
            yield ("stores", setting), 'is needed before anything sealed is opened; write "env:NAME" or "file:PATH"'
    if not transit.address:
        return
    if trouble := check_private(transit.address, "token and data keys", plaintext=transit.plaintext):
        yield (*path, "address"), trouble
    if not transit.token:
        yield (*path, "token"), 'is required with an address; write token = "env:BAO_TOKEN"'
    if credentials.kek:
        yield ("credentials", "kek"), 'give either "kek" or "transit"'


def _stores(settings: Settings) -> Iterator[Problem]:
    stores = settings.stores
    if stores.limits and not stores.limits.startswith(REFERENCES):
        if has_password(stores.limits):
            yield ("stores", "limits"), 'must not contain a password; write "env:NAME" with its variable'
        elif trouble := limits_trouble(stores.limits, settings):
            yield ("stores", "limits"), trouble
    for setting, written in (("state", stores.state), ("pepper", stores.pepper)):
        if written.startswith("sealed:"):
            yield (
                ("stores", setting),
                'is needed by commands as well, which open no seal; write "env:NAME" or "file:PATH"',
            )
    if stores.state and not stores.state.startswith(REFERENCES):
        if has_password(stores.state):
            yield ("stores", "state"), 'must not contain a password; write "env:NAME" with its variable'
        elif not stores.state.startswith(("postgresql://", "postgres://")):
            yield ("stores", "state"), "is not an address of PostgreSQL: postgresql://user@host:5432/yett"
    if stores.state and settings.identity.tasks.issuer and not has_kek(settings):
        yield ("stores", "state"), NO_KEK.format("task tokens are signed with keys that are sealed there")
    if stores.on_outage == "local_share" and not stores.limits:
        yield ("stores", "on_outage"), 'means nothing without "limits"'
    if stores.on_outage == "local_share" and stores.replicas == 1:
        yield ("stores", "replicas"), "how many machines share the limits? Each of them gets its part of a rate"


def has_kek(settings: Settings) -> bool:
    """Whether a key-encryption key is named: the file that one state directory has is no other machine's."""
    return bool(settings.credentials.kek or settings.credentials.transit.address)


def limits_trouble(url: str, settings: Settings) -> str:
    """What is wrong with the address of the store of limits, "" when nothing is. The address is not repeated: it may be secret."""
    try:
        address = limits_address(url)
    except ValueError as error:
        return str(error)
    if not (address.tls or address.socket or is_loopback(address.host) or settings.stores.plaintext):
        return "would be asked unencrypted; use rediss://, or accept it with plaintext = true in this table"
    return ""


def keys_trouble(written: str) -> str:
    """Why keys cannot be fetched from this address, "" when they can: keys that came unencrypted could be anybody's."""
    trouble, host = check_url(written, ("http", "https"))
    if not trouble and written.lower().startswith("http:") and not is_loopback(host):
        return f'"{written}" is not encrypted, so anybody between could give other keys; use https://'
    return trouble
