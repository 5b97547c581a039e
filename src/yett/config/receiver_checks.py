"""What must hold of the settings of a receiver, before any event is taken."""

from __future__ import annotations

import re
from collections.abc import Iterator

from yett.config.checks import keys_trouble
from yett.config.lines import KeyPath
from yett.config.receiver_settings import ReceiverSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def receiver_mistakes(
    name: str, settings: ReceiverSettings, issuers: frozenset[str], tenants: frozenset[str]
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with one, by setting."""
    if not _NAME.fullmatch(name):
        yield (), "a receiver's name consists of letters, digits, dots, dashes and underscores"
    for setting in ("audiences", "algorithms"):
        if not getattr(settings, setting):
            yield (setting,), "is empty, so that no event would do"
    if settings.jwks_url and settings.jwks_file:
        yield ("jwks_url",), 'give either "jwks_url" or "jwks_file"'
    asked = settings.jwks_url or ("" if settings.jwks_file else settings.issuer)
    if asked and (trouble := keys_trouble(asked)):
        if settings.jwks_url:
            yield ("jwks_url",), trouble
        else:
            yield ("issuer",), f'{trouble}; to take its keys from elsewhere, give "jwks_url" or "jwks_file"'
    if settings.identity and settings.identity not in issuers:
        yield ("identity",), f'there is no [identity.issuers."{settings.identity}"]'
    for index, tenant in enumerate(settings.tenants):
        if tenant not in tenants:
            yield ("tenants", index), f'there is no tenant "{tenant}"'
