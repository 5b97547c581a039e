"""Caller: who is calling, on whose behalf, and how well that is proven."""

from __future__ import annotations

from msgspec import Struct

from yett.model.key import VirtualKey


class Caller(Struct, frozen=True):
    """The identified caller of one call. `assurance`: 0 key, 1 key with proof of possession, 2 OIDC or SVID, 3 mTLS."""

    id: str
    name: str
    team: str
    tenant: str
    labels: tuple[tuple[str, str], ...]
    key: VirtualKey
    assurance: int = 0
