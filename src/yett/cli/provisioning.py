"""Directories as identity providers change them, through the operator's port: who may, one change at a time, each recorded first."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace
from starlette.routing import BaseRoute

from yett.cli.changes import recorded
from yett.cli.state import open_database, open_directories, open_keys
from yett.cli.system import SystemClock
from yett.config.reader import changed, read
from yett.config.reading import Reading
from yett.config.scim_settings import ScimSettings
from yett.edge.metrics import Metrics, State
from yett.edge.scim import Told, scim_route
from yett.errors import YettError
from yett.model.record import Record
from yett.scim.errors import ScimError
from yett.scim.service import Answer, Request, serve
from yett.stores.directory import DirectoryStore
from yett.stores.scim_resources import StoredResources
from yett.stores.scim_tokens import LONGEST, ScimToken, ScimTokens, hash_of

log = logging.getLogger("yett")
T = TypeVar("T")

TOKENS_SECONDS = 0.5  # a token that was revoked is refused after at most this
MOST_WAITING = 32  # requests; more are told to come again
MOST_WRONG = 10  # wrong tokens from one address, in a minute, that are recorded
MOST_WRONG_ALTOGETHER = 100
_MINUTE = 60.0
_ADDRESSES = 1024
_OUTCOMES = {"POST": "created", "PUT": "changed", "PATCH": "changed", "DELETE": "removed"}


class _Opened(Struct, frozen=True):
    """What the thread works with: opened when it is needed, closed when nobody has asked for a while."""

    pepper: bytes
    store: DirectoryStore
    tokens: ScimTokens
    write: Callable[[Record], None]
    closing: ExitStack


class Wrong:
    """Wrong tokens, by address: those that are one too many are counted, not looked at. It bounds what is recorded; a token that is right is
    taken whatever has come from its address, which may be that of a proxy."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def too_many(self, address: str, now: float) -> bool:
        """Counts one more."""
        of_it = self._counted(address, now)
        return of_it > MOST_WRONG or self._counted("", now) > MOST_WRONG_ALTOGETHER

    def _counted(self, whose: str, now: float) -> int:
        began, count = self._counts.pop(whose, (now, 0))
        if now - began >= _MINUTE:
            began, count = now, 0
        self._counts[whose] = (began, count + 1)
        if len(self._counts) > _ADDRESSES:
            self._counts.popitem(last=False)
        return count + 1


class Provisioner:
    """Implements edge.admin.Beside. Its settings are those of the file as it is now, or as it last was without mistakes."""

    IDLE_SECONDS = 10.0

    def __init__(self, path: Path, reading: Reading) -> None:
        self._path = path
        self._reading = reading
        self._clock = SystemClock()
        self._metrics = Metrics()
        self._thread = ThreadPoolExecutor(1, "scim")
        self._waiting = 0
        self._wrong = Wrong()
        self._opened: _Opened | None = None
        self._pepper = b""
        self._known: dict[bytes, ScimToken] = {}
        self._looked = 0.0
        self._idle: asyncio.TimerHandle | None = None
        self._trouble = ""
        self.routes: Sequence[BaseRoute] = (scim_route(self.serve),)

    async def look(self) -> None:
        """What is told here is known already."""

    def degraded(self) -> list[str]:
        return [self._trouble] if self._trouble else []

    def state(self) -> State:
        """What has been counted."""
        return self._metrics.state({})

    async def serve(self, request: Request, authorization: str, address: str) -> Told:
        """Raises nothing but CancelledError."""
        if self._waiting >= MOST_WAITING:
            return self._refused("", 503, "too much is being changed; come again", 1)
        self._waiting += 1
        try:
            told = await self._in_turn(request, authorization, address)
        except (YettError, OSError, ValueError) as error:  # nothing was changed
            log.error("not provisioned", extra={"fields": {"why": str(error)}})  # noqa: TRY400
            self._trouble = f"directories cannot be changed: {error}"
            await self._do(self._close)
            return self._refused("", 503, "directories cannot be changed at the moment", 5)
        else:
            self._trouble = ""
            return told
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """When the port is closed."""
        if self._idle is not None:
            self._idle.cancel()
        await self._do(self._close)
        self._thread.shutdown()

    async def _in_turn(self, request: Request, authorization: str, address: str) -> Told:
        now = self._clock.now()
        if now - self._looked >= TOKENS_SECONDS:
            await self._do(partial(self._look, now))
        self._stay()
        token = self._whose(authorization)
        settings = self._reading.settings.scim.get(token.directory) if token is not None else None
        why = "unknown" if token is None else token.state(now) if settings is not None else "no such directory"
        if token is None or settings is None or why != "active":
            if self._wrong.too_many(address, now):
                return self._refused("", 429, "too many wrong tokens", 60)
            await self._do(partial(self._record_wrong, token, why, address))
            return self._refused("", 401, "the bearer token is missing, or not one that works")
        answer = await self._do(partial(self._serve, request, token, settings))
        outcome = _OUTCOMES.get(request.method, "read") if answer.status < 400 else "refused"
        self._metrics.count("yett_scim_requests", token.directory, outcome)
        return Told(answer)

    def _refused(self, directory: str, status: int, detail: str, again: int = 0) -> Told:
        self._metrics.count("yett_scim_requests", directory, "unavailable" if status == 503 else "unauthorized")
        return Told(Answer(status, ScimError(status, "", detail).document()), again)

    def _whose(self, authorization: str) -> ScimToken | None:
        scheme, _, text = authorization.partition(" ")
        text = text.strip()
        if scheme.lower() != "bearer" or not 0 < len(text) <= LONGEST or not text.isascii():
            return None
        return self._known.get(hash_of(self._pepper, text.encode()))

    async def _do(self, work: Callable[[], T]) -> T:
        """In the thread that the database is used by."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _stay(self) -> None:
        loop = asyncio.get_running_loop()
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(self.IDLE_SECONDS, lambda: self._thread.submit(self._close))

    # ---- in the thread ----

    def _look(self, now: float) -> None:
        """See which tokens there are, and how the file is now."""
        if changed(self._reading):
            reading = read(self._path, None)
            if not reading.mistakes:  # being edited: what was right before still is
                self._reading = reading
        opened = self._open()
        self._known = {token.digest: token for token in opened.tokens.all()}
        self._pepper = opened.pepper
        self._looked = now

    def _open(self) -> _Opened:
        if self._opened is None:
            with ExitStack() as closing:
                write = closing.enter_context(recorded(self._reading))
                database = open_database(self._reading)
                keys = closing.enter_context(open_keys(self._reading, database))
                store = open_directories(self._reading, database)
                tokens = ScimTokens(database, keys.pepper, lambda *_: None)
                self._opened = _Opened(keys.pepper, store, tokens, write, closing.pop_all())
        return self._opened

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.closing.close()

    def _serve(self, request: Request, token: ScimToken, settings: ScimSettings) -> Answer:
        opened, now = self._open(), self._clock.now()
        name = token.directory

        def witness(event: str, directory: str, id: str, detail: dict[str, object]) -> None:
            about = {"directory": directory, "token": token.id, **detail}
            record = Record(
                kind="event",
                call=id,
                ts=int(now * 1e6),
                caller=f"scim:{name}",
                tenant=settings.tenant,
                event=event,
                detail=about,
            )
            opened.write(record)

        opened.store.witness = witness
        if settings.url:
            request = replace(request, root=settings.url.rstrip("/"))
        return serve(request, StoredResources(opened.store, name, int(now), settings.max_users))

    def _record_wrong(self, token: ScimToken | None, why: str, address: str) -> None:
        detail: dict[str, object] = {"why": why, "address": address}
        if token is not None:
            detail |= {"token": token.id, "directory": token.directory}
        self._open().write(
            Record(kind="event", call="scim", ts=int(self._clock.now() * 1e6), event="scim.refused", detail=detail)
        )
