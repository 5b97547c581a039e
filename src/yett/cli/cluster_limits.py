"""Limits in Valkey or Redis, which several machines share. Needs the extra `cluster`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from yett.cli.takeover import Dead
from yett.config.reading import Reading
from yett.config.store_address import limits_address
from yett.errors import ConfigurationError
from yett.model.key import Limits
from yett.ports import Clock, Ledger, Scope
from yett.stores.books import Abandoned, Books, Dial, replay
from yett.stores.facts import Facts
from yett.stores.journal_recovery import Recovered
from yett.stores.limits import Account
from yett.stores.local_share import LocalShare
from yett.stores.process import Process, boot_id, is_running, this_process
from yett.stores.redis_ledger import LedgerDown, RedisLedger
from yett.stores.redis_link import LinkDown, RedisLink, StoreError, command
from yett.stores.secret_file import create_once
from yett.stores.shared_ledger import SharedLedger

log = logging.getLogger("yett")

LOCAL = "ledger.local"
REPLICA, REMEMBERED = "replica", "ledger.id"  # who this is, and which ledger of the store it has counted in


class ClusterLimits:
    """In Valkey or Redis."""

    abandoned = 0

    def __init__(self, reading: Reading, clock: Clock, facts: Facts | None = None) -> None:
        self._facts = facts
        self._known = False  # which ledger this is has been written down
        settings, self._state = reading.settings.stores, reading.state
        ca_file = str(reading.own(settings.ca_file)) if settings.ca_file else ""
        self._mistake = reading.mistake
        self._deployment = settings.deployment
        self._link = RedisLink(limits_address(reading.limits, ca_file), timeout=settings.timeout)
        self._process = this_process()
        self._machine = f"{self._name()}/{boot_id().decode()}"
        me = self._process
        self._shared = RedisLedger(
            self._link,
            settings.deployment,
            owner=f"{self._machine}/{me.pid}/{me.started}/{me.namespace}",
            lease=reading.settings.limits.lease_seconds,
        )
        self._dead: Dead | None = None  # what is still to be taken over
        self._share: LocalShare | None = None
        self._local: SharedLedger | None = None
        if settings.on_outage == "local_share":
            self._local = SharedLedger(self._state / LOCAL, clock, reading.settings.limits.lease_seconds)
            self._share = LocalShare(self._shared, self._local, settings.replicas)
        self.ledger: Ledger = self._share or self._shared

    async def start(self) -> None:
        path = self._state / REMEMBERED
        known = path.read_text().strip() if path.exists() else ""
        if not known and self._facts is not None:
            known = self._facts.get(f"ledger {self._deployment}")
        try:
            await self._shared.start(known, patient=True)
        except StoreError as error:
            raise ConfigurationError((self._mistake(("stores", "limits"), str(error)),)) from error
        if self._link.trouble:
            log.error("the store of limits is away", extra={"fields": {"why": self._link.trouble}})
        self._remember()

    @property
    def outages(self) -> int:
        return self._link.outages

    @property
    def local_calls(self) -> int:
        return self._share.calls if self._share is not None else 0

    @property
    def trouble(self) -> str:
        return self._shared.broken if self._share is None else ""

    @property
    def degraded(self) -> str:
        return (
            f"{self._shared.broken}; rates are divided, budgets refuse" if self._share and self._shared.broken else ""
        )

    async def take_over(self, recovered: Iterable[Recovered], audit: Path) -> None:
        self._dead = Dead(recovered, audit)
        await self._settle_lost()

    async def refresh(self) -> None:
        """Also charges what nobody settles any more, tells which ledger this is, and takes over once the store is there."""
        if self._link.trouble:
            return
        try:
            await self._shared.refresh()
            if not self._shared.lost:
                await asyncio.to_thread(self._remember)
                await self._settle_lost()
                await self._shared.sweep()
        except (LinkDown, StoreError, LedgerDown) as error:
            log.warning("the store of limits did not answer", extra={"fields": {"why": str(error)}})
        self.abandoned = self._shared.figures.abandoned

    async def close(self) -> None:
        await self._shared.close()
        if self._local is not None:
            self._local.close()

    async def _settle_lost(self) -> None:
        dead = self._dead
        if dead is None or self._shared.broken:
            return
        lost = [left for left in await self._shared.left() if self._is_gone(left.owner)]
        for call in lost:
            amounts = await asyncio.to_thread(dead.used, call.id, (call.tokens, call.cost))
            await self._shared.resolve(call.id, *amounts)
        self._dead = None
        dead.tell(len(lost))

    def _is_gone(self, owner: str) -> bool:
        """Whether it was a process with this state folder, and runs no more. Those of other machines have their leases."""
        name, boot, *process = owner.split("/")
        if name != self._name() or len(process) != 3:
            return False
        return f"{name}/{boot}" != self._machine or not is_running(Process(*map(int, process)), self._process)

    def _name(self) -> str:
        path = self._state / REPLICA
        create_once(path, uuid4().hex.encode(), 0o600)
        return path.read_text().strip()

    def _remember(self) -> None:
        """A store without its memory has to be told from one that is new: by who has counted in it."""
        if not self._shared.id or self._known:
            return
        if self._facts is not None:
            self._facts.settle(f"ledger {self._deployment}", self._shared.id)
        if not (self._state / REMEMBERED).exists():
            create_once(self._state / REMEMBERED, self._shared.id.encode(), 0o600)
        self._known = True


class ClusterBooks:
    """The ledger in the store, for `yett ledger`."""

    def __init__(self, reading: Reading, facts: Facts | None = None) -> None:
        settings = reading.settings.stores
        ca_file = str(reading.own(settings.ca_file)) if settings.ca_file else ""
        self._link = RedisLink(limits_address(reading.limits, ca_file), timeout=max(settings.timeout, 5.0))
        self._deployment = settings.deployment
        self._lease = reading.settings.limits.lease_seconds
        path = reading.state / REMEMBERED
        self._known = path.read_text().strip() if path.exists() else ""
        if not self._known and facts is not None:
            self._known = facts.get(f"ledger {self._deployment}")

    async def look(self, read: Callable[[list[Abandoned]], Books]) -> tuple[Books, dict[str, Account], list[Abandoned]]:
        """What `compare` takes; `read` reads the journals, and is told of which calls more is wanted. Raises LinkDown, StoreError."""
        ledger = RedisLedger(self._link, self._deployment)
        await ledger.start(self._known)
        try:
            if ledger.lost:
                raise LinkDown(ledger.lost)
            left: list[Abandoned] = [
                (each.id, each.cost, each.scopes) for each in await ledger.left() if each.abandoned
            ]
            books = read(left)
            return books, {name: await ledger.account(Scope(name, Limits())) for name in await ledger.scopes()}, left
        finally:
            await ledger.close()

    async def rebuild(self, books: Books, force: bool) -> None:
        """Under a name of its own, so that nobody counts in it before it is whole."""
        await self._link.start()
        root = f"{{{self._deployment}}}:ledger"
        there = await self._link.ask(command("HGET", root, "id"))
        if there is not None and not there.startswith(b"rebuild-") and not force:
            await self._link.close()
            raise StoreError(f"{self._link.address} holds a ledger; stop the gateways and use --force to replace it")
        names = [f"{root}{part}" for part in ("", ":scopes", ":holds", ":leases", ":abandoned")]
        passing = f"rebuild-{uuid4().hex}"
        # Whoever has begun one sees that another goes on, and fails.
        for words in (("MULTI",), ("DEL", *names), ("HSET", root, "id", passing), ("EXEC",)):
            await self._link.ask(command(*words))
        await self._link.close()
        dial = Dial()
        link = RedisLink(self._link.address, timeout=5.0)
        ledger = RedisLedger(link, self._deployment, owner="rebuild", lease=self._lease, clock=dial)
        await ledger.start(passing)
        await replay(books, ledger, dial)
        await ledger.refresh()
        final = self._known or (there.decode() if there and not there.startswith(b"rebuild-") else uuid4().hex)
        await link.ask(command("HSET", root, "id", final))
        await ledger.close()
