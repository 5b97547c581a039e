"""The console put together, in the process that serves the operator's port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from starlette.routing import BaseRoute

from yett.cli.office import DeskOffice
from yett.cli.system import SystemClock
from yett.config.compile import proxy_of
from yett.config.operators import Rules
from yett.config.reading import Reading
from yett.console.app import Console
from yett.console.provider import IdentityProvider
from yett.edge.admin import Report
from yett.edge.issuers import Issuers
from yett.edge.metrics import State
from yett.edge.tasks import spawn
from yett.edge.upstream import UpstreamClient

RENEW_SECONDS = 1.0


class Desk:
    """Implements edge.admin.Beside. Made on the running loop."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        reading: Reading,
        reports: Callable[[], Awaitable[list[Report]]],
    ) -> None:
        clock = SystemClock()
        self.office = DeskOffice(path, environment, reading, reports)
        self._upstream = UpstreamClient(proxy=proxy_of(reading))
        self._issuers = Issuers(self._upstream, clock, lambda *_: None)
        provider = IdentityProvider(self._upstream, self._issuers, clock)
        self.routes: Sequence[BaseRoute] = Console(self.office, provider, clock).routes
        self._taken: Rules | None = None
        self._clock = clock
        self._duties: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._take_up()
        self._duties = [spawn(self.office.duty(), "console"), spawn(self._renew(), "operators' issuer")]

    async def look(self) -> None:
        await self.office.look()

    def degraded(self) -> list[str]:
        return [*self.office.degraded(), *self._issuers.troubles()]

    def state(self) -> State:
        return self.office.state()

    async def stop(self) -> None:
        for duty in self._duties:
            duty.cancel()
        await self.office.close()
        await self._upstream.close()

    async def _renew(self) -> None:
        while True:
            self._take_up()
            await self._issuers.renew()
            await self._clock.sleep(RENEW_SECONDS)

    def _take_up(self) -> None:
        rules = self.office.rules
        if rules is not self._taken:
            self._taken = rules
            self._issuers.take_up(rules.issuers)
