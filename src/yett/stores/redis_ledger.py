"""The ledger of many machines: one Valkey or Redis that all gateways share, so that limits are exact across them.

Each operation is one script that the store runs whole (`ledger.lua`), one round trip, by the store's own clock. What happens to
calls that never settle is what `shared_ledger` says: their lease runs out, the next reservation anywhere charges their worst
case, and for a day that can be put right exactly once. Beyond that:

- `settle` does not wait: it is sent with the next write and asked again until the store has answered, also over an outage.
- A reservation whose answer was lost on the way, or whose caller went away meanwhile, is given back in the same way.
- A store that has lost its memory is found out by the first command (`lost`): nothing is reserved until it was rebuilt.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import struct
import uuid
from functools import partial
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.errors import Refusal
from yett.ports import Clock, Hold, Scope, Standing
from yett.stores import limits as rules
from yett.stores.limits import CIRCLE, DAY, MINUTE, MOST_COST, MOST_TOKENS, SECOND, Account, usable
from yett.stores.redis_link import TURNED_AWAY, LinkDown, RedisLink, StoreError, command

_BODY = files("yett.stores").joinpath("ledger.lua").read_bytes()
# What frees something is also done by a store that is full.
TAKES = b"#!lua\n" + _BODY
FREES = b"#!lua flags=allow-oom\n" + _BODY
_TAKES, _FREES = (hashlib.sha1(script, usedforsecurity=False).hexdigest() for script in (TAKES, FREES))
PERIODS = {"day": "daily", "week": "weekly", "month": "monthly", "ever": "ever"}
MOST_PENDING = 65_536  # settlements that the store has not confirmed; of more, the leases take care
MOST_SCOPES, ID_BYTES = 8, 64
_BATCH = 256


class LedgerDown(Refusal):
    """The store cannot say whether there is room: a call that needs to know is refused."""

    def __init__(self, why: str) -> None:
        super().__init__("ledger_unavailable", retry_after=1.0)
        self.why = why


class RedisFigures(Struct, frozen=True):
    """The state of the whole ledger, as last asked for. `pending`: settlements of this process that are not confirmed yet."""

    inflight: int = 0
    unresolved: int = 0
    abandoned: int = 0
    abandoned_cost: int = 0
    pending: int = 0
    dropped: int = 0


class Left(Struct, frozen=True):
    """A reservation that stands in the store: its worst case, who made it, and whether its lease has run out."""

    id: str
    owner: str
    tokens: int
    cost: int
    scopes: tuple[str, ...]
    abandoned: bool


class RedisLedger:
    """Rates, concurrency and budgets of all gateways of one deployment. Used on one loop.

    `deployment` names it in the store; `owner` tells the reservations of this process from others'. Without a `clock` the
    store's own time counts, which is what machines that share it have in common.
    """

    def __init__(
        self,
        link: RedisLink,
        deployment: str = "yett",
        *,
        owner: str = "",
        lease: float = 60.0,
        clock: Clock | None = None,
    ) -> None:
        self.link = link
        self.lost = ""  # why the store is not the one that this ledger was kept in
        self.id = ""
        self.figures = RedisFigures()
        self._root = f"{{{deployment}}}:ledger"
        self._clock = clock
        self._lease = int(lease * 1e6)
        self._tail = _words(self._lease, owner)
        self._heads: dict[int, bytes] = {}
        self._pending: dict[str, bytes] = {}  # settlements that the store has not confirmed
        self._overdue: dict[str, bytes] = {}  # those of them that were not a second ago, either
        self._dropped = 0
        self._scopes: dict[int, tuple[tuple[Scope, ...], bytes]] = {}
        link.greet = self._greet

    async def start(self, known: str = "", *, patient: bool = False) -> None:
        """Connect. `known` is the id of the ledger that this gateway has used before, "" when none. Raises LinkDown, unless
        `patient`; StoreError."""
        self.id = known
        await self.link.start(patient=patient)

    async def close(self) -> None:
        await self.link.close()

    # ---- the port ----

    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:
        """Reserve in every scope, or raise the Refusal of the scope that takes longest to have room; LedgerDown."""
        name = id.encode()
        if not (0 < len(name) <= ID_BYTES and len(scopes) <= MOST_SCOPES):
            raise ValueError("a call has an id of at most 64 bytes and at most 8 scopes")
        if not (0 <= tokens <= MOST_TOKENS and 0 <= cost <= MOST_COST):
            raise ValueError("tokens or cost out of range")
        found = self._scopes.get(_identity(scopes))
        written = found[1] if found is not None and found[0] is scopes else self._written(scopes)
        most, price = b"%d" % tokens, b"%d" % cost
        wire = b"%b$%d\r\n%b\r\n%b$%d\r\n%b\r\n$%d\r\n%b\r\n%b" % (
            self._head(len(scopes)), len(name), name, self._tail, len(most), most, len(price), price, written,
        )  # fmt: skip
        if self.lost:
            raise LedgerDown(self.lost)
        try:
            asked = self.link.ask(wire)
        except LinkDown as error:
            raise LedgerDown(str(error)) from error
        try:
            answer = await self._answered(asked, wire, TAKES)
        except (LinkDown, StoreError) as error:  # it may have been done
            self._give_back(id, 0, 0)
            raise LedgerDown(str(error)) from error
        except asyncio.CancelledError:
            self._give_back(id, 0, 0)
            raise
        if answer[0] == 1:
            _, lease, at_requests, requests, at_tokens, queued = answer
            standing = Standing(
                *rules.shown(_room(scopes[at_requests - 1].limits.rpm, requests) if at_requests else None),
                *rules.shown(_room(scopes[at_tokens - 1].limits.tpm, queued) if at_tokens else None),
            )
            return Hold(id, scopes, tokens, cost, lease / 1e6, standing)
        if answer[0] == 2:
            raise ValueError("a call of this id has a reservation already")
        now, found_now = int(answer[1]), zip(scopes, answer[2:], strict=True)
        accounts = [rules.present(_account(blob), scope, now) for scope, blob in found_now]
        raise rules.refusal(scopes, accounts, tokens, cost)

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None:
        """Replace the worst case by what was used. Returns at once; a second time, nothing happens."""
        self._give_back(hold.id, usable(tokens, MOST_TOKENS), usable(cost, MOST_COST))

    async def add(self, hold: Hold, cost: int) -> Hold:
        """Hold so much more, or raise the Refusal of the first scope that has no room; LedgerDown."""
        if not (cost >= 0 and hold.cost + cost <= MOST_COST):
            raise ValueError("cost out of range")
        if self.lost:
            raise LedgerDown(self.lost)
        budgets = [scope.limits.budget for scope in hold.scopes]
        words = [word for each in budgets for word in ((each.amount, PERIODS[each.period]) if each else (-1, "daily"))]
        try:
            (answer,) = await self._ask(self._command("add", hold.id, cost, *words), FREES)
        except (LinkDown, StoreError) as error:
            raise LedgerDown(str(error)) from error
        if answer < 0:
            raise rules.gone()
        if answer:
            raise rules.exhausted(hold.scopes[answer - 1])
        return replace(hold, cost=hold.cost + cost)

    async def extend(self, hold: Hold) -> bool:
        """Renew the lease. False when the hold was settled or abandoned. Raises LedgerDown."""
        try:
            return bool((await self._ask(self._command("extend", hold.id, self._lease), FREES))[0])
        except (LinkDown, StoreError) as error:
            raise LedgerDown(str(error)) from error

    # ---- what never settled ----

    async def resolve(self, id: str, tokens: int, cost: int) -> bool:
        """Settle a call by its id, after a crash. Its tokens are left to drain. False when it is not known (any more)."""
        wire = self._command("settle", id, usable(tokens, MOST_TOKENS), usable(cost, MOST_COST), 1)
        return bool((await self._ask(wire, FREES))[0])

    async def left(self) -> list[Left]:
        """Every reservation that stands: calls in flight, and those whose lease ran out less than a day ago."""
        found: list[Left] = []
        cursor: bytes | str = "0"
        while True:
            cursor, rows = await self._plain("HSCAN", f"{self._root}:holds", cursor, "COUNT", 1000)
            found += [_left(name, blob) for name, blob in zip(rows[::2], rows[1::2], strict=True)]
            if cursor == b"0":
                return list({each.id: each for each in found}.values())

    async def scopes(self) -> list[str]:
        """Every scope that anything was ever counted in."""
        return [name.decode() for name in await self._plain("HKEYS", f"{self._root}:scopes")]

    async def expired(self, now: float) -> list[str]:
        """Ids of the calls whose lease has run out by `now` (wall seconds) and that were not settled."""
        due = await self._plain("ZRANGE", f"{self._root}:leases", "-inf", int(now * 1e6), "BYSCORE")
        gone = await self._plain("ZRANGE", f"{self._root}:abandoned", f"({int(now * 1e6) - DAY}", "+inf", "BYSCORE")
        return [name.decode() for name in (*gone, *due)]

    async def sweep(self) -> None:
        """Charge the calls whose lease has run out, as the next reservation would."""
        await self._ask(self._command("sweep", ""), FREES)

    async def account(self, scope: Scope) -> Account:
        """A scope's account at the present; an empty one if it has never been used."""
        now, blob = await self._ask(self._command("account", scope.id), FREES)
        return rules.present(_account(blob), scope, int(now))

    async def refresh(self) -> None:
        """Look at the state of the ledger, and send again what was not confirmed. For a background duty, every second or so."""
        if self.lost:
            there = await self._plain("HGET", self._root, "id")
            self._judge(there.decode() if there else "")
        if self.lost:
            return
        for id, wire in list(self._overdue.items()):
            if self._pending.get(id) is wire:
                self._send(id, wire)
        self._overdue = dict(self._pending)
        totals = await self._plain("HMGET", self._root, "abandoned", "abandoned_cost")
        inflight = await self._plain("ZCARD", f"{self._root}:leases")
        unresolved = await self._plain("ZCARD", f"{self._root}:abandoned")
        abandoned, cost = (int(total or 0) for total in totals)
        self.figures = RedisFigures(inflight, unresolved, abandoned, cost, len(self._pending), self._dropped)

    @property
    def broken(self) -> str:
        """Why nothing can be reserved at present; "" while all is well."""
        return self.lost or (f"limits: {self.link.address}: {self.link.trouble}" if self.link.trouble else "")

    # ---- the parts ----

    async def _greet(self) -> None:
        """On a new connection: the scripts, which ledger it is, and what the one before did not confirm."""
        for script in (TAKES, FREES):
            await self.link.greeting(command("SCRIPT", "LOAD", script))
        there = await self.link.greeting(command("HGET", self._root, "id"))
        if there is None and not self.id:
            new = uuid.uuid4().hex
            await self.link.greeting(command("HSETNX", self._root, "id", new))
            there = await self.link.greeting(command("HGET", self._root, "id"))
        found = there.decode() if isinstance(there, bytes) else ""
        self.id = self.id or found
        self._heads.clear()
        self._judge(found)
        if not self.lost:
            pending = list(self._pending.items())
            for at in range(0, len(pending), _BATCH):
                asked = [(id, self.link.greeting(wire)) for id, wire in pending[at : at + _BATCH]]
                for id, answer in asked:
                    await answer
                    self._pending.pop(id, None)

    def _judge(self, found: str) -> None:
        if found == self.id:
            self.lost = ""
        elif found:
            self.lost = "limits: the store holds another ledger; see `yett ledger rebuild`"
        else:
            self.lost = "limits: the store has lost its counters; see `yett ledger rebuild`"

    def _head(self, scopes: int) -> bytes:
        """Everything of a reservation up to the call's id. With a clock, the time differs each time."""
        if self._clock is None and (head := self._heads.get(scopes)) is not None:
            return head
        head = b"*%d\r\n" % (12 + 6 * scopes) + _words(
            "EVALSHA", _TAKES, 1, self._root, "reserve", self._now(), self.id
        )
        self._heads[scopes] = head
        return head

    def _written(self, scopes: tuple[Scope, ...]) -> bytes:
        """Scopes as the script takes them; kept, because equal calls bring the same tuple."""
        words: list[str | bytes | int] = []
        for scope in scopes:
            limits = scope.limits
            if scope.lasts:
                steps, at_once = (-1 if one is None else one for one in (scope.steps, limits.concurrency))
                most = limits.budget.amount if limits.budget else -1
                words += [scope.id, steps, scope.lasts * SECOND, at_once, most, "ever"]
                continue
            words += [scope.id, *(-1 if one is None else one for one in (limits.rpm, limits.tpm, limits.concurrency))]
            words += [limits.budget.amount, PERIODS[limits.budget.period]] if limits.budget else [-1, "daily"]
        written = _words(*words)
        if len(self._scopes) >= 4096:
            self._scopes.clear()
        self._scopes[_identity(scopes)] = (scopes, written)
        return written

    def _command(self, operation: str, *words: str | int) -> bytes:
        return command("EVALSHA", _FREES, 1, self._root, operation, self._now(), self.id, *words)

    def _now(self) -> int:
        return -1 if self._clock is None else int(self._clock.now() * 1e6)

    async def _ask(self, wire: bytes, script: bytes) -> list[Any]:
        return await self._answered(self.link.ask(wire), wire, script)

    async def _answered(self, asked: asyncio.Future[Any], wire: bytes, script: bytes) -> list[Any]:
        try:
            answer = await asked
        except StoreError as error:
            why = str(error)
            if why.startswith("NOSCRIPT"):
                await self.link.ask(command("SCRIPT", "LOAD", script))
                answer = await self.link.ask(wire)
            else:
                if why.startswith(TURNED_AWAY):
                    self.link.leave(why)
                raise
        answer = answer if isinstance(answer, list) else [answer]
        if answer == [-1]:
            self._judge("")
            raise LinkDown(self.lost)
        return answer

    async def _plain(self, *words: str | int | bytes) -> Any:
        return await self.link.ask(command(*words))

    def _give_back(self, id: str, tokens: int, cost: int) -> None:
        """Settle, now if possible, and in any case until it is confirmed."""
        if len(self._pending) >= MOST_PENDING:
            self._pending.pop(next(iter(self._pending)))
            self._dropped += 1
        wire = self._pending[id] = self._command("settle", id, tokens, cost, 0)
        self._send(id, wire)

    def _send(self, id: str, wire: bytes) -> None:
        with contextlib.suppress(LinkDown):
            self.link.ask(wire).add_done_callback(partial(self._confirm, id))

    def _confirm(self, id: str, done: asyncio.Future[Any]) -> None:
        """What was not answered well is sent again: by `refresh`, or on the next connection."""
        error = None if done.cancelled() else done.exception()
        if isinstance(error, StoreError) and str(error).startswith("NOSCRIPT") and id in self._pending:
            with contextlib.suppress(LinkDown):
                self.link.ask(command("SCRIPT", "LOAD", FREES))
            self._send(id, self._pending[id])
        elif error is None and not done.cancelled() and done.result() != [-1]:
            self._pending.pop(id, None)
            self._overdue.pop(id, None)


_identity = id


def _words(*words: str | bytes | int) -> bytes:
    raw = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in raw])


def _room(limit: int | None, drops: int) -> tuple[int, int, int]:
    limit = limit or 0
    return limit * MINUTE - drops, limit, drops


def _account(blob: bytes) -> Account:
    last, requests, queued, tail, *rest = map(int, struct.unpack(f"<{len(blob) // 8}d", blob))
    return Account(last, requests, queued, (tail * MINUTE - queued) % CIRCLE, *rest)


def _left(name: bytes, blob: bytes) -> Left:
    tokens, cost, abandoned, owner, *rest = msgspec.msgpack.decode(blob)
    return Left(name.decode(), owner, int(tokens), int(cost), tuple(rest[::4]), abandoned >= 0)
