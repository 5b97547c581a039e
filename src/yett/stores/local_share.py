"""Rates while the store of limits is away: each machine goes on within its equal part of them, and no budget is spent.

So all machines together stay within what the rates allow, and a budget is never overshot; a limit too small to be divided
refuses. What such calls use is not carried over to the store: no scope of theirs has a budget.
"""

from __future__ import annotations

from msgspec.structs import replace

from yett.model.key import Limits
from yett.ports import Hold, Scope
from yett.stores.redis_ledger import LedgerDown, RedisLedger
from yett.stores.shared_ledger import Reservation, SharedLedger

_identity = id


class LocalShare:
    """A ledger: `shared` as long as it answers, else a `replicas`th of the rates in `local`, the file of this machine."""

    def __init__(self, shared: RedisLedger, local: SharedLedger, replicas: int) -> None:
        self.calls = 0  # that went on without the store
        self._shared = shared
        self._local = local
        self._replicas = replicas
        self._parts: dict[int, tuple[tuple[Scope, ...], tuple[Scope, ...] | None]] = {}

    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:
        """As the store decides; without it, within this machine's part. Raises Refusal."""
        try:
            return await self._shared.reserve(id, scopes, tokens, cost)
        except LedgerDown:
            parts = self._parts_of(scopes)
            if parts is None:
                raise
            hold = await self._local.reserve(id, parts, tokens, cost)
            self.calls += 1
            return replace(hold, standing=replace(hold.standing, share=self._replicas))

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None:
        """Where it was reserved."""
        await (self._local if isinstance(hold, Reservation) else self._shared).settle(hold, tokens, cost)

    async def add(self, hold: Hold, cost: int) -> Hold:
        """Where it was reserved. Raises Refusal."""
        return await (self._local if isinstance(hold, Reservation) else self._shared).add(hold, cost)

    async def extend(self, hold: Hold) -> bool:
        """Where it was reserved."""
        return await (self._local if isinstance(hold, Reservation) else self._shared).extend(hold)

    def _parts_of(self, scopes: tuple[Scope, ...]) -> tuple[Scope, ...] | None:
        """The scopes with their part of the limits; None where that would be nothing, or where there is a budget. Kept, because
        the local ledger knows scopes by their identity as well."""
        found = self._parts.get(_identity(scopes))
        if found is None or found[0] is not scopes:
            if len(self._parts) >= 4096:
                self._parts.clear()
            found = self._parts[_identity(scopes)] = (scopes, self._divided(scopes))
        return found[1]

    def _divided(self, scopes: tuple[Scope, ...]) -> tuple[Scope, ...] | None:
        divided = []
        for scope in scopes:
            limits = scope.limits
            rpm, tpm, concurrency = self._part(limits.rpm), self._part(limits.tpm), self._part(limits.concurrency)
            if limits.budget is not None or scope.steps is not None or 0 in (rpm, tpm, concurrency):
                return None
            divided.append(Scope(scope.id, Limits(rpm, tpm, concurrency), scope.lasts))
        return tuple(divided)

    def _part(self, limit: int | None) -> int | None:
        return None if limit is None else limit // self._replicas
