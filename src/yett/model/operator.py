"""Operator: who looks after the gateway, what each role may do there, and for whose tenants."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

# What a route of the console can ask for. The same table is in docs/operators.md.
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "read": "see keys, fences, calls, the state of the gateway",
        "keys": "issue, rotate and revoke virtual keys",
        "fences": "keep somebody out, and let them in again",
        "approve": "decide about what waits for a second person",
        "content": "read stored prompts and answers",
        "sessions": "see who is signed in, and end their sessions",
    }
)
# Approving is a duty of its own and no step of a ladder: nobody approves for being an admin. Who does both has both roles,
# and every record then says so.
ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "viewer": frozenset(("read",)),
        "operator": frozenset(("read", "keys", "fences")),
        "approver": frozenset(("read", "approve")),
        "admin": frozenset(("read", "keys", "fences", "content", "sessions")),
    }
)
OWN = "operators"  # stands before their subjects in the names of fences
EMERGENCY = "break-glass"  # how somebody came in without the identity provider


class Role(Struct, frozen=True):
    """One role that somebody has, in these tenants; in all of them where none is named."""

    name: str
    tenants: tuple[str, ...] = ()

    def grants(self, permission: str, tenant: str | None) -> bool:
        """None asks for all tenants."""
        return permission in ROLES[self.name] and (not self.tenants or tenant in self.tenants)


class Mapped(Struct, frozen=True):
    """What a value of the role claim stands for."""

    value: str
    role: Role


class Identity(Struct, frozen=True):
    """Whom the identity provider says somebody is. `said` are those values of the role claim that a role is mapped to, `listed` is what the
    operators' directory knows them by, where they have one."""

    issuer: str
    subject: str
    name: str = ""
    email: str = ""
    said: tuple[str, ...] = ()
    listed: str = ""


class Session(Struct, frozen=True):
    """Somebody who signed in. Times are whole seconds since the Unix epoch; `ended` is 0 while it goes on."""

    id: str  # public; the secret that the browser holds is not kept
    kind: str  # oidc, break-glass
    identity: Identity
    begun: int
    seen: int  # coarse
    expires: int
    address: str
    ended: int = 0
    reason: str = ""  # of an emergency

    def over(self, now: float, idle: float) -> bool:
        return bool(self.ended) or now >= self.expires or now >= self.seen + idle


class Operator(Struct, frozen=True):
    """Who asks for something now, and how: `means` is oidc (a session), token, or break-glass."""

    identity: Identity
    roles: tuple[Role, ...]
    means: str
    session: str = ""
    until: int = 0
    address: str = ""

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset[str]().union(*(ROLES[role.name] for role in self.roles))

    def may(self, permission: str, tenant: str | None = None) -> bool:
        """In this tenant, or in all of them."""
        return any(role.grants(permission, tenant) for role in self.roles)

    def where(self, permission: str) -> frozenset[str] | None:
        """The tenants in which it is allowed; None: in all."""
        if self.may(permission):
            return None
        return frozenset(tenant for role in self.roles if permission in ROLES[role.name] for tenant in role.tenants)

    def noted(self) -> dict[str, object]:
        """How a record names who did something."""
        who = self.identity
        found: dict[str, object] = {"issuer": who.issuer, "subject": who.subject, "email": who.email}
        found |= {"roles": [role.name for role in self.roles], "means": self.means}
        found |= {"session": self.session, "address": self.address}
        return {name: value for name, value in found.items() if value}


def roles_of(said: tuple[str, ...], mapping: tuple[Mapped, ...]) -> tuple[Role, ...]:
    """The roles that stand for what the claim says now: a mapping that was taken away ends what it gave."""
    return tuple(dict.fromkeys(one.role for one in mapping if one.value in said))
