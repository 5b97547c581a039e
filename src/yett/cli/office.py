"""The console's office: the rules, stores and journal behind it, in the process that serves the operator's port.

A database and a journal are used by one thread at a time, and may take a while: everything here happens on a thread of its own, one
thing after the other, so that neither health nor calls wait for it. Searching the journal has another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from yett.cli import issuing
from yett.cli.office_stores import OfficeStores, sentence
from yett.cli.sealed import Unsealer
from yett.cli.search import Search
from yett.cli.system import SystemClock
from yett.config.operators import Rules, rules
from yett.config.reader import changed, load
from yett.config.reading import Reading
from yett.config.settings import Settings
from yett.console import answers
from yett.console.office import Author, Event, Listing, Standing, Wanted
from yett.edge.admin import Report
from yett.edge.metrics import Metrics, State
from yett.errors import ConfigurationError, Refusal, YettError
from yett.model.fence import by_name
from yett.model.operator import EMERGENCY, Identity, Session
from yett.model.record import Record
from yett.stores.journal import FileJournal, open_journal
from yett.stores.keys import KeyMistake

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger("yett")

LOOK_SECONDS = 1.0  # between looks at the configuration, and at who is signed in
LONGEST_LOOK = 0.5  # seconds that /readyz and /metrics wait for that
SIGN_SECONDS = 10.0  # between checkpoints of what was recorded here


class DeskOffice:
    """Implements console.office.Office."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        reading: Reading,
        reports: Callable[[], Awaitable[list[Report]]],
    ) -> None:
        self._path = path
        self._environment = environment
        self._reading = reading
        self._reports = reports
        self._unsealer = Unsealer()
        self._rules = rules(reading)
        self._token = _admin_token(reading)
        self._guarded = bool(self._token)  # since the port was opened
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._thread = ThreadPoolExecutor(1, "console")
        self._searching = ThreadPoolExecutor(1, "console-search")
        self._stores: OfficeStores | None = None
        self._journal: FileJournal | None = None
        self._present: tuple[Session, ...] = ()
        self._trouble = ""
        self._looked = float("-inf")

    # ---- beside the console -----------------------------------------------------------------------------------------

    @property
    def rules(self) -> Rules:
        return self._rules

    @property
    def settings(self) -> Settings:
        """As the files were when they were last without mistakes."""
        return self._reading.settings

    @property
    def admin_token(self) -> str:
        """What /metrics and the details of /readyz take now. A port that was opened with one never goes without."""
        return self._token

    def degraded(self) -> list[str]:
        """What /readyz says: that somebody is in who came around the identity provider."""
        now = self._clock.now()
        return [
            f"break-glass: {session.identity.name} is signed in until {issuing.when(session.expires)}"
            for session in self._present
            if session.kind == EMERGENCY and not session.over(now, self._rules.idle)
        ]

    def state(self) -> State:
        """For /metrics."""
        now, sorts = self._clock.now(), ("oidc", EMERGENCY)
        present = [session.kind for session in self._present if not session.over(now, self._rules.idle)]
        return self._metrics.state(
            {"yett_operator_sessions": [((sort,), float(present.count(sort))) for sort in sorts]}
        )

    async def duty(self) -> None:
        """For as long as the process lives: take up changed rules, sign what was recorded. The database is asked nothing unless
        somebody asks here."""
        signed = self._clock.monotonic()
        while True:
            with contextlib.suppress(Refusal):
                await self._do(self._take_up)
            if self._clock.monotonic() - signed >= SIGN_SECONDS:
                signed = self._clock.monotonic()
                with contextlib.suppress(Refusal):
                    await self._do(self._sign)
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """See who is signed in, at most once a second; what was seen last stands when that takes longer than a moment."""
        now = self._clock.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            with contextlib.suppress(Refusal, TimeoutError):
                async with asyncio.timeout(LONGEST_LOOK):
                    await self._do(self._see)

    async def close(self) -> None:
        await self._do(self._close)
        self._thread.shutdown(wait=False)
        self._searching.shutdown(wait=False, cancel_futures=True)

    # ---- who is signed in -------------------------------------------------------------------------------------------

    async def standing(self, token: str) -> Standing:
        return await self._do(self._standing, token)

    async def listing(self, identity: Identity) -> Listing | None:
        return await self._do(self._listing, identity)

    def tell(self, name: str, *labels: str) -> None:
        self._metrics.count(name, *labels)

    async def note(self, event: Event) -> None:
        await self._do(self._note, event)

    async def seal(self, content: bytes) -> str:
        return await self._do(lambda: self._open().seal(content))

    async def unseal(self, sealed: str) -> bytes | None:
        return await self._do(lambda: self._open().unseal(sealed))

    async def begin(self, identity: Identity, origin: str, address: str, author: Author) -> tuple[Session, str]:
        return await self._do(self._begin, identity, origin, address, author)

    async def redeem(self, code: str, address: str) -> tuple[Session, str]:
        return await self._do(self._redeem, code, address)

    async def touch(self, session: Session) -> None:
        await self._do(lambda: self._open().operators.touch(session, self._now()))

    async def sessions(self) -> tuple[Session, ...]:
        await self._do(self._see)
        now = self._clock.now()
        return tuple(session for session in self._present if not session.over(now, self._rules.idle))

    async def end(self, id: str, author: Author) -> Session:
        return await self._do(self._end, id, author)

    # ---- what they see ----------------------------------------------------------------------------------------------

    async def overview(self) -> answers.Overview:
        found = await self._reports()
        await self.look()
        return answers.Overview(
            ready=bool(found) and not any(report.trouble for report in found),
            degraded=tuple(sorted({what for report in found for what in report.degraded} | set(self.degraded()))),
            refused=next((report.refused for report in found if report.refused), ""),
            restart=tuple(sorted({what for report in found for what in report.restart})),
            workers=tuple(
                answers.Worker(one.pid, tuple(one.trouble), one.digest, one.mode, one.refused, one.targets)
                for one in found
            ),
            fences=len(await self.fences()),
        )

    async def configuration(self) -> dict[str, object]:
        """What is in force, and what there is of it; never a secret, nor a reference to one."""
        found = await self._reports()
        settings = self._reading.settings
        return {
            "digests": sorted({report.digest for report in found if report.digest}),
            "mode": settings.mode,
            "refused": next((report.refused for report in found if report.refused), ""),
            "restart": sorted({what for report in found for what in report.restart}),
            "tenants": sorted({"default", *settings.tenants}),
            "teams": sorted(settings.teams),
            "models": sorted(settings.models),
            "providers": sorted(settings.providers),
            "issuers": sorted(settings.identity.issuers),
        }

    async def keys(self) -> tuple[answers.Key, ...]:
        return await self._do(lambda: self._open().all_keys(self._now()))

    async def fences(self) -> tuple[answers.Fence, ...]:
        return await self._do(lambda: self._open().all_fences(self._now()))

    async def calls(self, wanted: Wanted) -> answers.Calls:
        return await self._on(self._searching, Search(self._reading, self._clock).calls, wanted)

    async def call(self, id: str, *, content: bool) -> tuple[dict[str, object], ...]:
        return await self._on(self._searching, Search(self._reading, self._clock).records, id, content)

    # ---- what they change -------------------------------------------------------------------------------------------

    async def create_key(self, new: answers.NewKey, author: Author) -> answers.Issued:
        return await self._do(lambda: self._open().create_key(new, author, self._reading, self._now()))

    async def rotate_key(self, id: str, overlap: str, author: Author) -> answers.Issued:
        return await self._do(lambda: self._open().rotate_key(id, overlap, author, self._now()))

    async def revoke_key(self, id: str, author: Author) -> answers.Key:
        return await self._do(lambda: self._open().revoke_key(id, author, self._now()))

    async def draw(self, new: answers.NewFence, author: Author) -> answers.Fence:
        return await self._do(lambda: self._open().draw(new, author, self._reading, self._now()))

    async def lift(self, name: str, author: Author) -> answers.Fence:
        return await self._do(lambda: self._open().lift(name, author, self._now()))

    # ---- on the thread ----------------------------------------------------------------------------------------------

    async def _do(self, job: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
        return await self._on(self._thread, job, *arguments, **more)

    async def _on(self, thread: ThreadPoolExecutor, job: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
        """Raises Refusal: whatever keeps a store from being used is told once, in the log."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(thread, partial(job, *arguments, **more))
        except Refusal:
            raise
        except KeyMistake as mistake:
            raise Refusal("conflict", sentence(str(mistake))) from None
        except ConfigurationError as error:
            raise Refusal("conflict", sentence(str(error))) from None
        except (YettError, OSError) as error:
            if self._trouble != str(error):
                self._trouble = str(error)
                log.error("the console's state cannot be used", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            raise Refusal("state_unavailable") from error

    def _open(self) -> OfficeStores:
        if self._stores is None:
            self._stores = OfficeStores(self._reading, self._record)
        return self._stores

    def _standing(self, token: str) -> Standing:
        stores = self._open()
        session = stores.operators.find(token) if token else None
        listing = self._listing(session.identity) if session is not None and session.kind != EMERGENCY else None
        return Standing(self._rules, session, by_name(stores.fences.all()), self._reading.settings, listing)

    def _listing(self, identity: Identity) -> Listing | None:
        rules = self._rules.directory
        if rules is None:
            return None
        found = self._open().directories.named(rules, identity.listed) if identity.listed else []
        if len(found) != 1:  # of several nobody can say whom it is about
            return Listing(trouble="not_provisioned")
        ((person, groups),) = found
        return Listing(groups) if person.active else Listing(trouble="deactivated_user")

    def _see(self) -> None:
        self._present = self._open().operators.all(self._now())
        self._trouble = ""

    def _take_up(self) -> None:
        """The configuration as it is now, or as it last was without mistakes."""
        if not changed(self._reading):
            return
        try:
            self._reading = load(self._path, self._environment, self._unsealer)
        except ConfigurationError:
            return
        self._rules = rules(self._reading)
        token = _admin_token(self._reading)
        if token or not self._guarded:
            self._token = token

    def _note(self, event: Event) -> None:
        detail: dict[str, object] = {**event.detail, **({"operator": dict(event.author)} if event.author else {})}
        self._record(
            Record(
                kind="event",
                call=event.about,
                ts=int(self._clock.now() * 1e6),
                tenant=event.tenant,
                event=event.name,
                code=event.code,
                detail=detail,
            )
        )

    def _record(self, record: Record) -> None:
        """Raises Refusal("audit_unavailable"), IntegrityError, OSError."""
        if self._journal is None:
            reading = self._reading
            self._journal = open_journal(
                reading.audit, reading.state, self._clock, durability=reading.settings.audit.durability
            )
        self._journal.write_through(record)

    def _sign(self) -> None:
        if self._journal is not None:
            self._journal.look()

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        if self._stores is not None:
            self._stores.database.close()

    def _begin(self, identity: Identity, origin: str, address: str, author: Author) -> tuple[Session, str]:
        try:
            session, token = self._open().operators.begin(
                "oidc", identity, origin, self._now(), int(self._rules.lasting), address
            )
        except KeyMistake as mistake:
            raise Refusal("sign_in_refused", sentence(str(mistake))) from None
        self._recorded_or_ended(Event("operator.sign_in", session.id, {**author, "session": session.id}), session)
        return session, token

    def _redeem(self, code: str, address: str) -> tuple[Session, str]:
        try:
            session, token = self._open().operators.redeem(code, self._now(), address)
        except KeyMistake as mistake:
            raise Refusal("sign_in_refused", sentence(str(mistake))) from None
        who = session.identity
        author = {"issuer": who.issuer, "subject": who.subject, "roles": ["admin"], "means": EMERGENCY}
        author |= {"session": session.id, "address": address}
        detail = {"reason": session.reason, "until": session.expires}
        self._recorded_or_ended(Event("operator.sign_in", session.id, author, detail=detail), session)
        log.warning("emergency sign-in", extra={"fields": {"session": session.id, "user": who.subject}})
        return session, token

    def _recorded_or_ended(self, event: Event, session: Session) -> None:
        """Nobody knows its secret yet: a session that could not be recorded never was."""
        try:
            self._note(event)
        except BaseException:
            self._open().operators.end(session.id, self._now())
            raise

    def _end(self, id: str, author: Author) -> Session:
        operators, now = self._open().operators, self._now()
        if not any(session.id == id for session in operators.all(now)):
            raise Refusal("not_found", "There is no such session.")
        self._note(Event("operator.session_end", id, author))
        ended = operators.end(id, now)
        if ended is None:  # somebody was faster, and is on the record, too
            raise Refusal("not_found", "There is no such session.")
        return ended

    def _now(self) -> int:
        return int(self._clock.now())


def _admin_token(reading: Reading) -> str:
    secret = reading.secrets.get(reading.settings.admin.token)
    return secret.reveal() if secret else ""
