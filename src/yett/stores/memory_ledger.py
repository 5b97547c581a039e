"""The ledger in one process's memory: the readable twin of `shared_ledger`, for tests and for a gateway without state."""

from __future__ import annotations

from copy import copy

from msgspec import Struct
from msgspec.structs import replace

from yett.model.key import Limits
from yett.ports import Clock, Hold, Scope
from yett.stores import limits as rules
from yett.stores.limits import DAY, MINUTE, MOST_COST, MOST_TOKENS, Account, usable

KEEP_ABANDONED = DAY  # microseconds that an abandoned call can still be settled or resolved


class _Entry(Struct):
    """A reservation. Times in microseconds; `abandoned` is None while it is in flight."""

    hold: Hold
    ends: tuple[int, ...]
    lease: int
    abandoned: int | None = None


class MemoryLedger:
    """Rates, concurrency and budgets of one process. The methods never suspend, which makes each of them atomic."""

    def __init__(self, clock: Clock, lease: float = 60.0) -> None:
        self._clock = clock
        self._lease = int(lease * 1e6)
        self._accounts: dict[str, Account] = {}
        self._entries: dict[str, _Entry] = {}
        self._look = 0  # when to look for what is over
        self.abandoned = 0
        self.abandoned_cost = 0

    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:
        """Reserve in every scope, or raise the Refusal of the scope that takes longest to have room."""
        if not (0 <= tokens <= MOST_TOKENS and 0 <= cost <= MOST_COST):
            raise ValueError("tokens or cost out of range")
        now = self._now()
        self._sweep(now)
        accounts = [self._present(scope, now) for scope in scopes]
        if any(rules.obstacles(scope, account, tokens, cost) for scope, account in zip(scopes, accounts, strict=True)):
            raise rules.refusal(scopes, accounts, tokens, cost)
        if id in self._entries:
            raise ValueError("a call of this id has a reservation already")
        ends = tuple(
            rules.enter(account, scope, now, tokens, cost) for scope, account in zip(scopes, accounts, strict=True)
        )
        self._accounts.update({scope.id: account for scope, account in zip(scopes, accounts, strict=True)})
        lease = now + self._lease
        hold = Hold(id, scopes, tokens, cost, lease / 1e6, rules.standing(scopes, accounts))
        self._entries[id] = _Entry(hold, ends, lease)
        return hold

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None:
        """Replace the worst case by what was used. A second time, nothing happens."""
        self._close(hold.id, hold.scopes, tokens, cost)

    async def add(self, hold: Hold, cost: int) -> Hold:
        """Hold so much more, or raise the Refusal of the first scope that has no room."""
        now = self._now()
        entry = self._entries.get(hold.id)
        if entry is None or entry.abandoned is not None:
            raise rules.gone()
        if not (cost >= 0 and entry.hold.cost + cost <= MOST_COST):
            raise ValueError("cost out of range")
        accounts = [self._present(scope, now) for scope in hold.scopes]
        rules.add(hold.scopes, accounts, cost)
        self._accounts.update({scope.id: account for scope, account in zip(hold.scopes, accounts, strict=True)})
        entry.hold = replace(entry.hold, cost=entry.hold.cost + cost)
        return replace(hold, cost=entry.hold.cost)

    async def extend(self, hold: Hold) -> bool:
        """Renew the lease. False when the hold was settled or abandoned."""
        entry = self._entries.get(hold.id)
        if entry is None or entry.abandoned is not None:
            return False
        entry.lease = max(entry.lease, self._now() + self._lease)
        return True

    def resolve(self, id: str, tokens: int, cost: int) -> bool:
        """Settle a call by its id, after a crash. Its tokens are left to drain. False when it is not known (any more)."""
        return self._close(id, None, tokens, cost)

    def expired(self, now: float) -> list[str]:
        """Ids of the calls whose lease has run out by `now` (wall seconds) and that were not settled."""
        return [id for id, entry in self._entries.items() if entry.abandoned is not None or entry.lease <= now * 1e6]

    def account(self, scope: Scope) -> Account:
        """A scope's account at the present; an empty one if it has never been used."""
        now = self._now()
        account = copy(self._accounts.get(scope.id) or Account(last=now, day=now // DAY))
        return rules.present(account, scope, now)

    def _now(self) -> int:
        return int(self._clock.now() * 1e6)

    def _present(self, scope: Scope, now: int) -> Account:
        """A copy to try things on: a call that is refused changes nothing."""
        account = copy(self._accounts.setdefault(scope.id, Account(last=now, day=now // DAY)))
        return rules.present(account, scope, now)

    def _close(self, id: str, scopes: tuple[Scope, ...] | None, tokens: int, cost: int) -> bool:
        entry = self._entries.pop(id, None)
        if entry is None:
            return False
        now = self._now()
        used = (usable(tokens, MOST_TOKENS), usable(cost, MOST_COST))
        reserved = (entry.hold.tokens, entry.hold.cost)
        for scope, end in zip(entry.hold.scopes, entry.ends, strict=True):
            account = self._accounts[scope.id]  # not forgotten: it is in flight, or lasts as long as abandoned calls
            if scopes is None:
                rules.roll(account, now // DAY)
            else:
                rules.advance(account, scope.limits, now)
            limits = Limits() if scopes is None else scope.limits
            if entry.abandoned is None:
                rules.settle(account, limits, end, reserved, used)
            else:
                rules.correct(account, limits, entry.abandoned // DAY, reserved, used)
        return True

    def _sweep(self, now: int) -> None:
        """Abandon what ran out of lease; forget what was abandoned long ago."""
        for id, entry in list(self._entries.items()):
            if entry.abandoned is None and entry.lease <= now:
                entry.abandoned = now
                for scope in entry.hold.scopes:
                    rules.roll(self._accounts[scope.id], now // DAY)
                    rules.abandon(self._accounts[scope.id], entry.hold.cost, now)
                self.abandoned += 1
                self.abandoned_cost += entry.hold.cost
            elif entry.abandoned is not None and entry.abandoned + KEEP_ABANDONED <= now:
                del self._entries[id]
        if now >= self._look:
            self._look = now + MINUTE
            for name in [name for name, account in self._accounts.items() if _is_over(account, now)]:
                del self._accounts[name]


def _is_over(account: Account, now: int) -> bool:
    return 0 < account.until <= now and account.inflight <= 0
