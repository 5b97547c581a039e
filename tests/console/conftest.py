"""A console in this process, on a real port where a real identity provider is in play."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from tests.identity_provider import AUDIENCE, Browser, IdentityProvider

from yett.cli.desk import Desk
from yett.config.reader import load
from yett.edge.admin import AdminServer, Report, application
from yett.edge.events import Received
from yett.edge.listener import bind
from yett.edge.metrics import State
from yett.edge.tasks import spawn
from yett.model.operator import Identity
from yett.stores.journal_reader import Entry, Filter, entries

ORIGIN = "http://127.0.0.1:8485"
TEAMS = 'tenants = ["acme", "umbra"]\n\n[teams.research]\n[teams.support]\n'
ROLES = """roles = [
  { value = "gate-viewers", role = "viewer" },
  { value = "gate-operators", role = "operator" },
  { value = "gate-approvers", role = "approver" },
  { value = "gate-admins", role = "admin" },
  { value = "acme-operators", role = "operator", tenants = ["acme"] },
  { value = "acme-admins", role = "admin", tenants = ["acme"] },
]
"""
REPORT = Report(7, [], 1, "d1g3st", "enforce", "", [], {}, State())


class Room:
    """One console, its folder, and what its journal says."""

    def __init__(self, folder: Path, toml: str, environment: dict[str, str]) -> None:
        self.folder = folder
        self.path = folder / "yett.toml"
        self.path.write_text(toml)
        self.reading = load(self.path, environment)
        self.desk = Desk(self.path, environment, self.reading, self._reports)
        self.office = self.desk.office
        self.app: Starlette = application(self._reports, lambda: self.office.admin_token, self._receive, (self.desk,))
        self.origin = self.office.rules.origin

    async def _reports(self) -> list[Report]:
        return [REPORT]

    async def _receive(self, name: str, token: bytes, authorization: str) -> Received:
        raise AssertionError(name, token, authorization)

    def client(self, cookie: str = "", **headers: str) -> httpx.AsyncClient:
        """Asks this console without a network; `cookie` is that of a session."""
        name = f"yett-session-{self.origin.rpartition(':')[2]}"
        transport = httpx.ASGITransport(app=self.app)
        cookies = {name: cookie} if cookie else {}
        return httpx.AsyncClient(transport=transport, base_url=self.origin, cookies=cookies, headers=headers)

    async def enter(self, *said: str, subject: str = "ada", origin: str = "", listed: str = "") -> str:
        """A session of somebody of whom the provider says this; what the cookie holds."""
        identity = Identity(self.office.rules.issuer, subject, subject.title(), f"{subject}@acme.example", said, listed)
        _, token = await self.office.begin(identity, origin or f"{subject} {said}", "192.0.2.7", {"subject": subject})
        return token

    def events(self, event: str = "") -> list[Entry]:
        return list(entries(self.reading.audit, Filter(kind="event", event=event)))


Rooms = Callable[..., Awaitable[Room]]


@pytest_asyncio.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    """Opens consoles, each in a folder of its own."""
    opened: list[Room] = []

    async def open_room(operators: str = "", more: str = TEAMS, **environment: str) -> Room:
        folder = tmp_path / f"room{len(opened)}"
        folder.mkdir()
        room = Room(folder, f"{more}\n{operators}", environment)
        opened.append(room)
        return room

    yield open_room
    for room in opened:
        await room.desk.stop()


def configured(issuer: str, url: str, *, client: str = "console", secret: str = "", more: str = "") -> str:
    """An [operators] table."""
    secret = f'client_secret = "env:{secret}"\n' if secret else ""
    return (
        f'[operators]\nissuer = "{issuer}"\nclient_id = "{client}"\n{secret}url = "{url}"\naudience = "{AUDIENCE}"\n'
        f"{more}{ROLES}"
    )


@pytest_asyncio.fixture
async def room(rooms: Rooms) -> Room:
    """A console whose identity provider does not exist: sessions are begun by `enter`."""
    return await rooms(configured("https://idp.example", "http://127.0.0.1:8485"))


@pytest.fixture(scope="session")
def provider() -> Iterator[IdentityProvider]:
    running = IdentityProvider()
    yield running.start()
    running.stop()


@pytest_asyncio.fixture
async def served(rooms: Rooms, provider: IdentityProvider) -> AsyncIterator[Callable[..., Awaitable[Room]]]:
    """Opens consoles that listen where the provider sends people back to."""
    running: list[tuple[AdminServer, Any]] = []

    async def serve(client: str = "console", more: str = "", **options: str) -> Room:
        secret = "CLIENT_SECRET" if client != "public" else ""
        written = configured(provider.issuer, provider.console, client=client, secret=secret, more=more)
        written += options.pop("tables", "")
        room: Room = await rooms(written, CLIENT_SECRET=options.pop("secret", "a+secret/of:the%console"), **options)
        room.desk.start()
        server = AdminServer(room.app)
        running.append((server, spawn(server.run_on(bind("127.0.0.1", provider.console_port, shared=True)), "admin")))
        while not server.started:
            await room.office._clock.sleep(0.01)
        return room

    yield serve
    for server, serving in running:
        server.stop()
        await serving


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with Browser() as opened:
        yield opened
