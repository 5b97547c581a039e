"""Settings of operators: who signs in to look after the gateway, and what for."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from yett.config.identity_settings import Algorithm
from yett.config.scalars import DURATION, CaFile, Seconds, SecretReference

_Word = Annotated[str, Meta(min_length=1)]


class OperatorRoleSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who has a role, by what the identity provider says about them."""

    value: Annotated[
        str,
        Meta(
            description="Value of `operators.claim`: the name or id of a group. Without a claim, name of a group of `directory`.",
            min_length=1,
        ),
    ]
    role: Annotated[
        Literal["viewer", "operator", "approver", "admin"], Meta(description="What they may do: see docs/operators.md.")
    ]
    tenants: Annotated[tuple[_Word, ...], Meta(description="Only in these tenants; empty is all of them.")] = ()


class OperatorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Sign-in of operators with OpenID Connect. Without `issuer`, `yett operators break-glass` is the only way in."""

    issuer: Annotated[str, Meta(description='The identity provider\'s URL, letter by letter; "" is to have none.')] = ""
    client_id: Annotated[str, Meta(description="What the provider knows this console by.")] = ""
    client_secret: Annotated[
        SecretReference, Meta(description='The client\'s secret; "" for a public client, which has PKCE alone.')
    ] = ""
    url: Annotated[
        str,
        Meta(
            description="Where browsers reach the admin port, as in `https://yett.example`: the only `Host` that is answered, and "
            'where the provider sends people back to, at `/console/callback`; "" is this machine\'s own address of it.'
        ),
    ] = ""
    audience: Annotated[
        str, Meta(description='What the `aud` of access tokens for `/api/v1/` has to name; "" is to take none.')
    ] = ""
    claim: Annotated[
        str,
        Meta(
            description='Claim that says what somebody may do, or a JSON Pointer: "/realm_access/roles"; "" is to go by the groups of '
            "`directory`."
        ),
    ] = "groups"
    directory: Annotated[
        str,
        Meta(
            description='The `[scim.NAME]` whose active users operators have to be, asked anew for each request; "" is to ask none.'
        ),
    ] = ""
    directory_claim: Annotated[
        str,
        Meta(
            description="Claim that names somebody there, or a JSON Pointer: see `match` of the directory.",
            min_length=1,
        ),
    ] = "sub"
    roles: Annotated[
        tuple[OperatorRoleSettings, ...],
        Meta(
            description="Who has which role; nobody else gets in. Who is in several groups has the roles of all of them."
        ),
    ] = ()
    scopes: Annotated[tuple[_Word, ...], Meta(description="Scopes to ask for beside `openid`.")] = ("profile", "email")
    algorithms: Annotated[tuple[Algorithm, ...], Meta(description="Algorithms that its tokens may be signed with.")] = (
        "RS256",
        "ES256",
    )
    ca_file: CaFile = ""
    leeway: Annotated[Seconds, Meta(description="How far the provider's clock may be off.")] = 30.0
    max_age: Annotated[
        Seconds, Meta(description="How long ago somebody may have proven to the provider who they are; 0: any time.")
    ] = 0.0
    idle: Annotated[float, Meta(description="After which an unused session is over.", ge=60, le=86_400), DURATION] = (
        1800.0
    )
    session: Annotated[float, Meta(description="After which any session is over.", ge=300, le=604_800), DURATION] = (
        28_800.0
    )
