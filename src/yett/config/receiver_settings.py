"""Settings of receivers: identity providers that tell when somebody's sessions have ended, and what must hold of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from yett.config.identity_settings import Algorithm
from yett.config.lines import KeyPath
from yett.config.scalars import SecretReference, Timeout

_Word = Annotated[str, Meta(min_length=1)]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class ReceiverSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A transmitter of security events (SSF, CAEP), who pushes them to `/events/NAME` on the operator's port."""

    issuer: Annotated[str, Meta(description="The claim `iss` of its event tokens, letter by letter.", min_length=1)]
    audiences: Annotated[
        tuple[_Word, ...], Meta(description="What the claim `aud` has to name; one of these is enough.")
    ]
    jwks_file: Annotated[
        str, Meta(description="The keys that it signs with, a JWK set, relative to yett.toml.", min_length=1)
    ]
    algorithms: Annotated[tuple[Algorithm, ...], Meta(description="Algorithms that they may be signed with.")] = (
        "RS256",
    )
    token: Annotated[
        SecretReference, Meta(description='Bearer token that it has to push them with; "" is to ask for none.')
    ] = ""
    identity: Annotated[
        str,
        Meta(
            description='The `[identity.issuers.NAME]` whose callers they are about, or "operators"; "" is any user by this id.'
        ),
    ] = ""
    tenants: Annotated[
        tuple[_Word, ...], Meta(description="Tenants whose callers they may be about; empty: those of `identity`.")
    ] = ()
    max_age: Annotated[Timeout, Meta(description="After which an event is too old to be taken.")] = 86_400.0


def receiver_mistakes(
    name: str, settings: ReceiverSettings, issuers: frozenset[str], tenants: frozenset[str]
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with one, by setting."""
    if not _NAME.fullmatch(name):
        yield (), "a receiver's name consists of letters, digits, dots, dashes and underscores"
    for setting in ("audiences", "algorithms"):
        if not getattr(settings, setting):
            yield (setting,), "is empty, so that no event would do"
    if settings.identity and settings.identity not in issuers:
        yield ("identity",), f'there is no [identity.issuers."{settings.identity}"]'
    for index, tenant in enumerate(settings.tenants):
        if tenant not in tenants:
            yield ("tenants", index), f'there is no tenant "{tenant}"'
