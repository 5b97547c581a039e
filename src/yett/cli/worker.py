"""One gateway process: the composition root that builds a Gate from the configuration, keeps it current, and drains it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from yett.cli import memory
from yett.cli.counsel import Counsel
from yett.cli.limits import open_limits
from yett.cli.meters import Meters
from yett.cli.shared import Shared
from yett.cli.system import SystemClock, call_ids
from yett.config.settings import Settings
from yett.edge.attachments import Attachments
from yett.edge.examiner import Examiner
from yett.edge.http1 import Http1Limits
from yett.edge.issuers import Issuers
from yett.edge.keyless import Keyless
from yett.edge.listener import Listener
from yett.edge.log import AccessLog
from yett.edge.metrics import Metrics
from yett.edge.outbox import Outbox
from yett.edge.pool import PoolLimits
from yett.edge.tasks import spawn
from yett.edge.upstream import UpstreamClient
from yett.errors import ConfigurationError, Mistake, Refusal, YettError
from yett.gate import Flight, Gate
from yett.model.record import Record
from yett.pipeline import run
from yett.stages import fence
from yett.stages.health import Health
from yett.stages.identify import check
from yett.stages.tasks import SEEN, Tasks
from yett.stores.database import Database, FileDatabase
from yett.stores.issuer_keys import IssuerKeys
from yett.stores.journal import FileJournal, Tuning, open_journal
from yett.stores.journal_reader import find
from yett.stores.live_tokens import LiveTokens
from yett.stores.parts import FILE, SWEEP_SECONDS, TaskExchange
from yett.stores.proofs import UsedProofs
from yett.stores.replicas import SAY_SECONDS
from yett.stores.vault import Vault

log = logging.getLogger("yett")

KEYS_SECONDS = 0.25  # a revocation is in force after at most this
FILES_SECONDS = 1.0
LOG_SECONDS = 0.2
VAULT_SECONDS = 1.0
ISSUERS_SECONDS = 1.0
LIMITS_SECONDS = 1.0
TASKS_SECONDS = 0.25  # what other processes know of a task is at most about twice as old
USED_SECONDS = 30.0  # how old what `yett keys list` says of a key's last use may be
PROCESSES = 2  # that read attached files at a time


class Calls:
    """Implements `stages.local.Calls` on the journal of all workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def find(self, call: str) -> list[bytes]:
        return await asyncio.to_thread(find, self._folder, call)


class Worker:
    """Builds everything in `start`, in the order in which it must be there; `stop` takes it down in the reverse order."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        """Raises ConfigurationError with every mistake, IntegrityError, OSError."""
        self.clock = SystemClock()
        self._environment = {"PATH": environment.get("PATH", os.defpath)}  # of processes that read files
        self._tesseract = shutil.which("tesseract", path=self._environment["PATH"]) or ""
        self.shared = Shared(path, environment, self.clock)
        self._reading, self.live = self.shared.reading, self.shared.live
        self.state, self.audit = self._reading.state, self._reading.audit
        self.tasks = Tasks(self.shared.keys.pepper)
        self.metrics = Metrics()
        self.draining = False
        self._reloading = asyncio.Lock()
        self._asked = False  # a reload waits for its turn
        self.failure = ""  # why a background duty is not being done

    @property
    def settings(self) -> Settings:
        return self.live.current.settings

    async def start(self, bound: socket.socket) -> None:
        settings = self.settings
        await self._open_state()
        await self._take_over()
        flights: set[Flight] = set()
        outbox = Outbox(flights)
        self._open_upstream(outbox)
        self._open_inspection()
        await asyncio.to_thread(self.counsel.start, self.live.current.panel)
        access = AccessLog(settings.log.format, partial(os.write, 2)) if settings.gateway.access_log else None
        self.meters = Meters(self.metrics, access)
        self.gate = self._gate(flights)
        self._apply()
        self.shared.start()
        if self.shared.another is not None:
            spawn(self.vault.move(), "the vault's file")
        await self._turn_signing()
        await self._renew_keys()
        await self._event("start", {**self._built(), "workers": settings.gateway.workers})
        await self._share_tasks()  # what is known of them, before the first call
        memory.settle()
        self.listener = Listener(lambda inbound, outlet: run(inbound, outlet, self.gate), _limits(settings), outbox)
        await self.listener.start(bound, self.live.current.tls)
        self._duties = [
            spawn(self._every(KEYS_SECONDS, self._refresh_keys), "keys"),
            spawn(self._every(FILES_SECONDS, self._refresh_files), "files"),
            spawn(self._every(settings.limits.lease_seconds / 3, self._extend), "leases"),
            spawn(self._every(LIMITS_SECONDS, self.limits.refresh), "limits"),
            spawn(self._every(LOG_SECONDS, self._flush), "log"),
            spawn(self._every(USED_SECONDS, self._note_uses), "last uses"),
            spawn(self._every(VAULT_SECONDS, self._probe_vault), "vault"),
            spawn(self._every(ISSUERS_SECONDS, self._renew_keys), "issuers"),
            spawn(self._every(KEYS_SECONDS, self._turn_signing), "signing"),
            spawn(self._every(SAY_SECONDS, self._say), "replicas"),
            spawn(self._every(TASKS_SECONDS, self._share_tasks), "tasks"),
            spawn(self._every(SWEEP_SECONDS, self._sweep_tasks), "idle tasks"),
        ]

    async def _open_state(self) -> None:
        """What has to be there to record and limit a call."""
        settings, audit = self.settings, self.settings.audit
        tuning = Tuning(
            segment=audit.segment_bytes, records=audit.checkpoint_records, interval=audit.checkpoint_seconds
        )
        with _written(self.audit):
            self.journal: FileJournal = open_journal(
                self.audit, self.state, self.clock, durability=audit.durability, content=audit.content, tuning=tuning
            )
        self.journal.start()
        with _written(self.state):
            self.limits = await open_limits(self._reading, self.clock, self.shared.facts)
            self.vault = Vault(self.state / "vault.db", self.clock, self.shared.another)
            alone = settings.gateway.workers == 1 and not self.shared.database.remote
            self.exchange = TaskExchange(self._tasks_database, self.clock, alone=alone)

    def _open_upstream(self, outbox: Outbox) -> None:
        """The connections to providers, and to those whose keys and tokens a call needs."""
        settings = self.settings
        self.health = Health(settings.routing)
        self.upstream = UpstreamClient(
            limits=PoolLimits(connections=settings.routing.max_connections),
            proxy=self.live.current.proxy,
            max_decoded=settings.gateway.max_reply_bytes,
            outbox=outbox,
        )
        self.proofs = UsedProofs(self.state / "proofs.used")
        self.tokens = LiveTokens(self.state / "tokens.live")
        self.issuers = Issuers(
            self.upstream,
            self.clock,
            partial(self.metrics.count, "yett_issuer_fetches"),
            IssuerKeys(self.state / "issuer-keys"),
            self.proofs,
        )
        self.keyless = Keyless(self.upstream, self.clock, partial(self.metrics.count, "yett_provider_token_fetches"))

    def _open_inspection(self) -> None:
        self.examiner = Examiner()
        self.files = Attachments(
            self._environment,
            self._tesseract,
            processes=PROCESSES,
            tell=partial(self.metrics.count, "yett_attachments"),
        )
        self.counsel = Counsel(self.upstream, self.clock, self.settings.routing, self._tell_guardrail)

    def _gate(self, flights: set[Flight]) -> Gate:
        return Gate(
            live=self.live,
            ledger=self.limits.ledger,
            journal=self.journal,
            upstream=self.keyless,
            health=self.health,
            trust=self.issuers,
            signer=self.shared.signing,
            allowance=self.tokens,
            clock=self.clock,
            meter=self.meters,
            calls=Calls(self.audit),
            examine=self.examiner.examine,
            advisers=self.counsel.advisers,
            files=self.files,
            vault=self.vault,
            tasks=self.tasks,
            new_id=call_ids(),
            roll=random.random,
            flights=flights,
            aside=spawn,
        )

    async def _take_over(self) -> None:
        """What processes that died have left behind."""
        damaged = [writer for writer in self.journal.recovered if writer.damage]
        for writer in damaged:
            fields = {"writer": writer.writer, "damage": writer.damage}
            log.error("the audit journal is damaged: see `yett audit verify`", extra={"fields": fields})
        await self.limits.take_over(self.journal.recovered, self.audit)

    async def stop(self) -> None:
        """Drain: no new calls, those in progress finish within `gateway.drain_seconds`, then everything is closed in order."""
        self.draining = True
        await self.listener.drain(self.settings.gateway.drain_seconds, self._cut_all)
        for duty in self._duties:
            duty.cancel()
        await self._reloading.acquire()  # one that has begun ends before the journal does
        with contextlib.suppress(YettError, OSError):  # what is lost is when keys were last used
            await self._note_uses()
        await self._event("stop", {})
        self.keyless.close()
        await self.upstream.close()
        self.examiner.close()
        self.counsel.close()
        self.journal.close()
        await self.limits.close()
        self.vault.close()
        await self._share_tasks()
        self.exchange.close()
        self.proofs.close()
        self.tokens.close()
        self.shared.close()
        self.meters.flush()

    def hurry(self) -> None:
        """Cut the drain short: what is still running is ended now, and recorded."""
        if self.draining:
            self.listener.hurry()

    def ask_reload(self) -> None:
        """Reload soon. Who asks while a reload still waits for its turn is served by that one."""
        if not self._asked:
            self._asked = True
            spawn(self.reload(), "reload")

    async def reload(self) -> None:
        """Take up the files as they are now, or keep what is in force."""
        async with self._reloading:
            self._asked = False
            if self.draining:
                return
            taken = await asyncio.to_thread(self.live.reload)
            if taken:
                self._apply()
                self.listener.bound_by(_limits(self.settings))
                await self.listener.take_up(self.live.current.tls)
                await asyncio.to_thread(self.counsel.take_up, self.live.current.panel)
                await asyncio.to_thread(memory.trim)
                fields: dict[str, object] = {"digest": self.live.current.digest}
                if waiting := self.live.waiting_for_restart():
                    fields["restart"] = waiting
                log.info("configuration reloaded", extra={"fields": fields})
                await self._event("reload", self._built())
                await self._say()
                return
            log.error(
                "configuration refused, the one before stays in force",
                extra={"fields": {"mistakes": str(self.live.error)}},
            )
            await self._event("reload.refused", {"mistakes": str(self.live.error)})
            await self._say()

    def _apply(self) -> None:
        snapshot = self.live.current
        self.metrics.known = frozenset(snapshot.models)
        self.upstream.max_decoded = snapshot.settings.gateway.max_reply_bytes
        self.issuers.take_up(snapshot.issuers.values())
        self.keyless.take_up([t.provider for m in snapshot.models.values() for t in m.targets])
        self.health.configure(snapshot.settings.routing, [t for m in snapshot.models.values() for t in m.targets])

    def _built(self) -> dict[str, object]:
        """What is in force, for the record."""
        snapshot = self.live.current
        built: dict[str, object] = {"digest": snapshot.digest}
        for what in ("sealed", "revision"):
            if number := getattr(snapshot, what):
                built[what] = number
        return built

    async def _event(self, event: str, detail: dict[str, object]) -> None:
        record = Record(kind="event", call=event, ts=int(self.clock.now() * 1e6), event=event, detail=detail)
        try:
            await self.journal.append(record)
        except Refusal as refusal:
            log.error("event not recorded", extra={"fields": {"event": event, "why": refusal.code}})  # noqa: TRY400

    # ---- duties --------------------------------------------------------------------------------------------------

    async def _every(self, seconds: float, duty: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await duty()
                self.failure = ""
            except (YettError, OSError) as error:
                if self.failure != str(error):
                    self.failure = str(error)
                    log.error("a duty failed", extra={"fields": {"why": self.failure}})  # noqa: TRY400

    async def _refresh_keys(self) -> None:
        """Keys, fences, and what both end: it does not wait for one that fails."""
        try:
            await self.shared.refresh(self.ask_reload)
        finally:
            self._cut_stale()

    def _cut_stale(self) -> None:
        """End the calls whose credential has been revoked, fenced off or has expired since they began."""
        snapshot, now = self.live.current, self.clock.now()
        for flight in tuple(self.gate.flights):
            caller = flight.trail.caller
            if caller is None:
                continue
            try:
                check(caller.credential, snapshot, now)
                step = flight.trail.step
                fence.check(snapshot.fences, caller.credential, now, step.task.fence if step else "")
            except Refusal as refusal:
                flight.cut(refusal)

    def _cut_all(self) -> None:
        for flight in tuple(self.gate.flights):
            flight.cut(Refusal("draining"))

    async def _refresh_files(self) -> None:
        if await asyncio.to_thread(self.live.changed):
            await self.reload()

    async def _extend(self) -> None:
        for flight in tuple(self.gate.flights):
            if flight.trail.hold is not None and not flight.ending:
                with contextlib.suppress(Refusal):  # it says so itself, and the lease is longer than two of these
                    await self.limits.ledger.extend(flight.trail.hold)

    async def _flush(self) -> None:
        self.meters.flush()

    async def _note_uses(self) -> None:
        await self.shared.note_uses(self.meters.used())

    def _tasks_database(self) -> Database:
        shared = self.shared.database
        return shared if shared.remote else FileDatabase(self.state, FILE)

    async def _share_tasks(self) -> None:
        """With other machines only what policies ask for."""
        reads, settings = self.live.current.policy.task_reads, self.settings.tasks
        if reads or not self.exchange.remote:
            counts = not (self.exchange.remote and reads <= SEEN)
            await self.exchange.round(self.tasks, settings.ttl, settings.max_tasks, counts=counts)
        else:
            self.tasks.apart = False

    async def _sweep_tasks(self) -> None:
        self.tasks.sweep(self.settings.tasks.ttl, self.clock.now())

    async def _renew_keys(self) -> None:
        await self.issuers.renew()

    async def _turn_signing(self) -> None:
        await self.shared.turn_signing()
        self.issuers.take_own(self.shared.signing.public)

    async def _say(self) -> None:
        await self.shared.tell()

    async def _probe_vault(self) -> None:
        if self.vault.trouble:
            await self.vault.probe()

    def _tell_guardrail(self, name: str, outcome: str, seconds: float) -> None:
        self.metrics.count("yett_guardrail_asked", name, outcome)
        self.metrics.time("yett_guardrail_duration_seconds", seconds, name)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Nothing is served that could not be recorded and limited: say so instead."""
    try:
        yield
    except (OSError, Refusal) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        why = cause.strerror if isinstance(cause, OSError) else str(error)
        raise ConfigurationError((Mistake(str(folder), 0, f"cannot be written: {why}; see `yett doctor`"),)) from error


def _limits(settings: Settings) -> Http1Limits:
    gateway = settings.gateway
    return Http1Limits(
        max_body=gateway.max_body_bytes,
        max_head=gateway.max_header_bytes,
        max_headers=gateway.max_headers,
        head_timeout=gateway.header_timeout,
        body_timeout=gateway.body_timeout,
        idle_timeout=gateway.idle_timeout,
        write_timeout=gateway.write_timeout,
    )
