"""What must hold between the settings of `[operators]`, before anybody signs in."""

from __future__ import annotations

from collections.abc import Iterator

from yett.config.checks import check_url, is_loopback
from yett.config.decoding import Problem, suggestion
from yett.config.lines import KeyPath
from yett.config.settings import Settings
from yett.config.tenants import tenants
from yett.model.operator import OWN

_NEEDED = {
    "client_id": "required with issuer: what the provider knows this console by",
    "url": "required with issuer: where the provider sends people back to, as the provider knows it",
    "roles": 'is empty, so that nobody gets in; write roles = [{ value = "…", role = "admin" }]',
    "algorithms": "is empty, so that no token would do",
}


def check_operators(settings: Settings) -> list[Problem]:
    """Every mistake in `[operators]`."""
    return [(("operators", *path), problem) for path, problem in _mistakes(settings)]


def _mistakes(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    operators = settings.operators
    if operators.url and (trouble := _origin(operators.url)):
        yield ("url",), trouble
    if operators.session < operators.idle:
        yield ("session",), "must not be less than idle"
    yield from _roles(settings)
    if operators.issuer:
        yield from _provider(settings)
        return
    for setting in ("client_id", "client_secret", "audience", "directory", "roles"):
        if getattr(operators, setting):
            yield (setting,), 'means nothing without "issuer"'


def _roles(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    known = tenants(settings)
    seen = set()
    for index, one in enumerate(settings.operators.roles):
        for at, tenant in enumerate(one.tenants):
            if tenant not in known:
                yield ("roles", index, "tenants", at), f'no tenant "{tenant}"{suggestion(tenant, known)}'
        if (one.value, one.role) in seen:
            yield ("roles", index), f'"{one.value}" already has the role "{one.role}"; list its tenants there'
        seen.add((one.value, one.role))


def _provider(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    operators = settings.operators
    if trouble := _address(operators.issuer):
        yield ("issuer",), trouble
    for setting, missing in _NEEDED.items():
        if not getattr(operators, setting):
            yield (setting,), missing
    if operators.audience and operators.audience == operators.client_id:
        yield ("audience",), "is the client's own id, so that whoever sees the token of a sign-in could use it"
    yield from _directory(settings)
    if OWN in settings.identity.issuers:
        yield ("issuer",), f"[identity.issuers.{OWN}] has the name that operators have in fences; choose another there"


def _directory(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    operators = settings.operators
    if not operators.directory:
        if not operators.claim:
            yield ("claim",), 'is empty, so that roles would come from a directory; name it with "directory"'
        return
    directory = settings.scim.get(operators.directory)
    if directory is None:
        yield (
            ("directory",),
            f'there is no [scim."{operators.directory}"]{suggestion(operators.directory, settings.scim)}',
        )
    elif directory.match == "email":
        yield (
            ("directory",),
            "finds people by their addresses, which pass to others; operators need an id, or a userName",
        )


def _origin(written: str) -> str:
    """Cookies and codes that travel unencrypted are anybody's."""
    trouble = _address(written)
    if not trouble and written.rstrip("/").count("/") > 2:
        trouble = f'"{written}" has a path; the console has its own'
    if not trouble and written != written.lower():
        trouble = f'"{written}" is not how browsers write it: "{written.lower()}"'
    return trouble


def _address(written: str) -> str:
    trouble, host = check_url(written, ("http", "https"))
    if not trouble and written.lower().startswith("http:") and not is_loopback(host):
        return f'"{written}" is not encrypted; use https://'
    return trouble
