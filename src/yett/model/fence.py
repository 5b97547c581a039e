"""Fence: whose access has been revoked, since when and until when. What was issued to them does not matter any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

KINDS = ("tenant", "team", "key", "agent", "user", "service", "task")


class Fence(Struct, frozen=True):
    """One revocation. `name` is kind and whom, as in `Credential.fences`. Times are whole seconds since the Unix epoch.

    `serial` grows with every change of the fences of a deployment, so that whoever acts on something older can be told.
    """

    name: str  # "tenant:T", "team:T/NAME", "key:ID", "agent:T/ID", "user:T/ID", "service:T/ID", "task:T/ID"
    serial: int
    since: int
    until: int = 0  # 0: until it is lifted
    sessions: bool = False  # True: only what was issued before; a credential issued after it is good again
    reason: str = ""  # the operator's words; never shown to a caller
    source: str = "operator"  # or "caep:NAME", who sent the event

    @property
    def label(self) -> str:
        """What a record calls it: its name and serial."""
        return f"{self.name}#{self.serial}"

    def holds(self, issued: int, now: float) -> bool:
        """Whether it keeps out a credential that was `issued` then (0: unknown, which is before everything). What was issued in
        the second of the fence may have been issued before it."""
        if self.until and self.until <= now:
            return False
        return not self.sessions or issued <= self.since


Fences = Mapping[str, tuple[Fence, ...]]  # by name


def by_name(fences: Iterable[Fence]) -> dict[str, tuple[Fence, ...]]:
    """The fences as a call looks them up."""
    found: dict[str, tuple[Fence, ...]] = {}
    for fence in fences:
        found[fence.name] = (*found.get(fence.name, ()), fence)
    return found


def fence_name(kind: str, tenant: str, id: str) -> str:
    """What a fence about this one is called. A tenant's own name and a key's id say which tenant it is."""
    return f"{kind}:{id}" if kind in ("tenant", "key") else f"{kind}:{tenant}/{id}"
