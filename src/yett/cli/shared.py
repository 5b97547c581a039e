"""What a gateway process has in common with others, of this machine and of several: configuration, keys, fences, directories, and what is sealed.

All of it is in memory, and read anew when the number of its latest change has moved, which a few looks a second find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from yett import __version__
from yett.cli.automata import builder
from yett.cli.configuration import taken
from yett.cli.directories import Directories
from yett.cli.sealed import Unsealer, kek_of, place_of
from yett.cli.state import open_address, open_directories, open_fences, open_keys, open_shared, shared_address
from yett.config.checks import has_kek
from yett.config.live import Live
from yett.config.reader import load, read
from yett.config.sealed import Place
from yett.errors import IntegrityError, YettError
from yett.ports import Clock
from yett.stores.credentials import CredentialStore
from yett.stores.database import Database, FileDatabase
from yett.stores.facts import Facts
from yett.stores.replicas import Replica, Replicas
from yett.stores.revisions import Revisions
from yett.stores.sealed_signing import SealedSeeds
from yett.stores.signing import FileSeeds, Seeds, SigningKeys
from yett.stores.sqlite import StoreUnavailable

log = logging.getLogger("yett")
T = TypeVar("T")

NO_KEY = "none"  # the name of no key-encryption key: of who should have one, and cannot read it


class Shared:
    """`live` has the snapshot in force. Everything but `refresh` blocks for a moment."""

    def __init__(self, path: Path, environment: Mapping[str, str], clock: Clock) -> None:
        """Raises ConfigurationError with every mistake, IntegrityError, OSError."""
        self._clock = clock
        self._environment = environment
        first = read(path, environment)
        database: Database | None = open_shared(first)
        self._revisions: Revisions | None = None
        self._revision = 0
        self._unread = ""  # why the latest revision of the configuration is not on this machine
        try:
            if first.settings.stores.configuration == "shared":
                database = database or FileDatabase(first.state)
                self._revisions = Revisions(database, open_keys(first, database).pepper)
                self._revision = self._revisions.version()
                taken(self._revisions, first.state)
            unseal = Unsealer(shared=database if database is not None and database.remote else None)
            self.reading = load(path, environment, unseal)
        except BaseException:
            if database is not None:
                database.close()
            raise
        self._database = database or FileDatabase(self.reading.state)
        self.keys = open_keys(self.reading, self._database)
        self.live = Live(path, environment, self.keys.pepper, self.keys.all(), builder(environment), unseal)
        self._keys_version = self.keys.version()
        self.fences = open_fences(self.reading, self._database)
        self._fences_version = self.fences.version()
        self.live.refresh_fences(self.fences.all())
        self.directories = Directories(open_directories(self.reading, self._database), self.live)
        # of one machine they are looked at with the files
        self._credentials = CredentialStore(self._database) if self._database.remote else None
        self._credentials_version = self._credentials.version() if self._credentials else 0
        # a connection beside this one, for what has to be asked or written while a call waits
        self.another = partial(open_address, shared_address(self.reading)) if self._database.remote else None
        self.facts = Facts(self._database) if self._database.remote else None
        self._replicas = Replicas(self._database) if self._database.remote or self._revisions else None
        self._name = f"{socket.gethostname()}/{os.getpid()}-{secrets.token_hex(4)}"
        self.signing = SigningKeys(self._seeds(), clock, self.live.current.settings.identity.tasks.rotate)
        self._unsigned = ""  # why the keys that task tokens are signed with may be old ones

    @property
    def database(self) -> Database:
        """The one that several machines share, or the file of this one, which is for the thread that opened it."""
        return self._database

    def start(self) -> None:
        """Have what calls need. Raises what `signing.turn` raises: later it can wait, now it cannot."""
        if self.live.current.settings.identity.tasks.issuer:
            self.signing.turn()
        self.say()

    async def refresh(self, reload: Callable[[], None]) -> None:
        """See what has changed, and ask to `reload` when the configuration has to be read anew. What cannot be read does not keep the
        rest back: raises YettError afterwards."""
        failures = []
        anew = self._sealed_anew()
        for look in (self._read_keys, self._read_fences, self._read_revision, self.directories.refresh):
            try:
                anew |= bool(await look())
            except YettError as error:
                failures.append(error)
        if anew:
            reload()
        if failures:
            raise failures[0]

    async def _read_keys(self) -> None:
        version = self.keys.version()
        if version != self._keys_version:
            self.live.refresh_keys(await self._read(self.keys.all))
            self._keys_version = version

    async def _read_fences(self) -> None:
        version = self.fences.version()
        if version != self._fences_version:
            self.live.refresh_fences(await self._read(self.fences.all))
            self._fences_version = version

    async def _read_revision(self) -> bool:
        """Have the latest shared configuration on this machine; whether that is another one than before. What cannot be had leaves the
        one in force, and calls go on."""
        if self._revisions is None or (version := self._revisions.version()) == self._revision:
            return False
        try:
            await self._read(partial(taken, self._revisions, self.reading.state, self.live.current.revision))
            self._unread = ""
        except (IntegrityError, StoreUnavailable) as error:
            if str(error) != self._unread:
                self._unread = str(error)
                log.error("revision of the configuration not read", extra={"fields": {"why": self._unread}})  # noqa: TRY400
            if isinstance(error, StoreUnavailable):
                return False  # and try again
        self._revision = version
        return not self._unread

    def _sealed_anew(self) -> bool:
        if self._credentials is None or (version := self._credentials.version()) == self._credentials_version:
            return False
        self._credentials_version = version
        return self.live.current.sealed not in (0, version)

    async def note_uses(self, used: Mapping[str, int]) -> None:
        """Write down when keys (by id) were last used, beside the loop."""
        if keys := {key: used[key] for key in self.live.current.keys_by_id.keys() & used.keys()}:
            await asyncio.to_thread(self._note_uses, keys)

    def _note_uses(self, used: Mapping[str, int]) -> None:
        # A connection of its own: on the other one a revocation would wait for this, and a file is for the thread that opened it.
        with contextlib.closing(open_keys(self.reading, self.another() if self.another else None)) as keys:
            keys.touch(used)

    async def _read(self, rows: Callable[[], T]) -> T:
        """From the database; not on the loop when it takes a while."""
        return await asyncio.to_thread(rows) if self._database.remote else rows()

    async def turn_signing(self) -> None:
        """Have the keys that task tokens are signed with. They are made before they are needed, so a failure can wait."""
        if not self.live.current.settings.identity.tasks.issuer:
            return
        try:
            if self.signing.due():
                await self._read(self.signing.turn)
            self._unsigned = ""
        except (YettError, OSError) as error:
            self._unsigned = f"task tokens: {error}"

    async def tell(self) -> None:
        """`say`, beside the loop."""
        await self._read(self.say)

    def say(self) -> None:
        """Tell the other gateways what they may have to know of this one."""
        if self._replicas is None:
            return
        snapshot = self.live.current
        try:
            keks = kek_of(self._place()).names if has_kek(snapshot.settings) else ()
        except YettError:
            keks = (NO_KEY,)
        with contextlib.suppress(StoreUnavailable):  # nothing hangs on it here, and `troubles` says so
            refused = str(self.live.error.mistakes[0]) if self.live.error else ""
            said = Replica(__version__, keks, snapshot.sealed, snapshot.revision, refused)
            self._replicas.say(self._name, said, self._now())

    def troubles(self) -> list[str]:
        """What is not as it should be, though calls are taken."""
        unread = f"configuration: {self._unread}" if self._unread else ""
        return [trouble for trouble in (self._database.trouble, self._unsigned, unread) if trouble]

    def close(self) -> None:
        if self._replicas is not None:
            with contextlib.suppress(StoreUnavailable):
                self._replicas.leave(self._name, self._now())
        self.keys.close()
        self.fences.close()

    def _now(self) -> int:
        return int(self._clock.now())

    def _seeds(self) -> Seeds:
        if not self._database.remote:
            return FileSeeds(self.reading.state)
        replicas = Replicas(self._database)
        return SealedSeeds(
            self._database, lambda: kek_of(self._place()), lambda keks: replicas.without(keks, self._now())
        )

    def _place(self) -> Place:
        """Where what is sealed is, by the settings as they are now."""
        return place_of(replace(self.reading, settings=self.live.current.settings), self._environment)
