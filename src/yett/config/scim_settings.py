"""Settings of directories: whose users and groups an identity provider keeps up to date here (SCIM), and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yett.config.decoding import suggestion
from yett.config.lines import KeyPath
from yett.scim.directory import Rules, place_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


class ScimSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A directory that an identity provider provisions through `/scim/v2` on the operator's port."""

    teams: Annotated[
        dict[str, str],
        Meta(
            description="Name of a group = team; the first whose group a user is in counts. Who is in none may not call."
        ),
    ]
    tenant: Annotated[str, Meta(description="Tenant of its users.", min_length=1)] = "default"
    match: Annotated[
        Literal["userName", "externalId", "email"],
        Meta(
            description="What tokens name its users by; `email` is the primary address. Only ids of the provider (`externalId`) are told apart by case."
        ),
    ] = "userName"
    label_attributes: Annotated[
        dict[str, str], Meta(description='Label = attribute of a user, such as "department", for policies.')
    ] = field(default_factory=dict)
    url: Annotated[
        str,
        Meta(
            description='Address of `/scim/v2` as the provider reaches it, for the addresses in answers; "" is the one that it asked for.'
        ),
    ] = ""
    max_users: Annotated[int, Meta(description="Most users; each takes memory in each worker.", ge=1, le=1_000_000)] = (
        200_000
    )


def scim_mistakes(
    name: str, settings: ScimSettings, teams: Iterable[str], *, calling: bool = True
) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with one, by setting. `calling`: its users are to call, which takes a team."""
    if not _NAME.fullmatch(name):
        yield (), "a directory's name consists of letters, digits, dots, dashes and underscores"
    if calling and not settings.teams:
        yield ("teams",), 'is empty, so that nobody of it may call; write teams = { "a group" = "a team" }'
    seen: set[str] = set()
    for group, team in settings.teams.items():
        if team not in teams:
            yield ("teams", group), f'no team "{team}"{suggestion(team, teams)}'
        if group.casefold() in seen:
            yield ("teams", group), "is there already: names of groups are the same in any case"
        seen.add(group.casefold())
    for label, attribute in settings.label_attributes.items():
        try:
            place = place_of(attribute)
        except KeyError:
            yield ("label_attributes", label), f'users have no attribute "{attribute}"'
            continue
        if place.leaf.type == "complex":
            yield ("label_attributes", label), f'"{attribute}" has parts; name one, as in "{attribute}.formatted"'


def rules(name: str, settings: ScimSettings) -> Rules:
    """Of a directory without mistakes."""
    return Rules(
        name=name,
        tenant=settings.tenant,
        match=settings.match,
        teams=tuple((group.casefold(), team) for group, team in settings.teams.items()),
        labels=tuple(sorted((label, place_of(path)) for label, path in settings.label_attributes.items())),
    )
