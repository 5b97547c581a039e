"""Settings of receivers: identity providers that tell when somebody's sessions have ended, and what must hold of them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from yett.config.identity_settings import Algorithm
from yett.config.scalars import CaFile, SecretReference, Timeout

_Word = Annotated[str, Meta(min_length=1)]


class ReceiverSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A transmitter of security events (SSF, CAEP), who pushes them to `/events/NAME` on the operator's port."""

    issuer: Annotated[str, Meta(description="The claim `iss` of its event tokens, letter by letter.", min_length=1)]
    audiences: Annotated[
        tuple[_Word, ...], Meta(description="What the claim `aud` has to name; one of these is enough.")
    ]
    jwks_url: Annotated[
        str,
        Meta(
            description='Address of the keys that it signs with; "" is to ask `issuer` where they are (SSF, `/.well-known/ssf-configuration`).'
        ),
    ] = ""
    jwks_file: Annotated[
        str, Meta(description="The keys that it signs with, a JWK set, relative to yett.toml, instead of an address.")
    ] = ""
    ca_file: CaFile = ""
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
