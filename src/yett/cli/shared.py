"""What a gateway process has in common with others, of this machine and of several: configuration, keys, fences, directories, and what is sealed.

All of it is in memory, and read anew when the number of its latest change has moved, which a few looks a second find out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from yett import __version__
from yett.cli.automata import builder
from yett.cli.directories import Directories
from yett.cli.sealed import Unsealer, kek_of, place_of
from yett.cli.state import open_directories, open_fences, open_keys, open_shared
from yett.config.checks import has_kek
from yett.config.live import Live
from yett.config.reader import load, read
from yett.config.sealed import Place
from yett.errors import YettError
from yett.ports import Clock
from yett.stores.credentials import CredentialStore
from yett.stores.database import FileDatabase
from yett.stores.facts import Facts
from yett.stores.replicas import Replica, Replicas
from yett.stores.sealed_signing import SealedSeeds
from yett.stores.signing import FileSeeds, Seeds, SigningKeys
from yett.stores.sqlite import StoreUnavailable

T = TypeVar("T")

NO_KEY = "none"  # the name of no key-encryption key: of who should have one, and cannot read it


class Shared:
    """`live` has the snapshot in force. Everything but `refresh` blocks for a moment."""

    def __init__(self, path: Path, environment: Mapping[str, str], clock: Clock) -> None:
        """Raises ConfigurationError with every mistake, IntegrityError, OSError."""
        self._clock = clock
        self._environment = environment
        shared = open_shared(read(path, environment))
        try:
            unseal = Unsealer(shared=shared)
            self.reading = load(path, environment, unseal)
        except BaseException:
            if shared is not None:
                shared.close()
            raise
        self._database = shared or FileDatabase(self.reading.state)
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
        self.facts = Facts(self._database) if self._database.remote else None
        self._replicas = Replicas(self._database) if self._database.remote else None
        self._name = f"{socket.gethostname()}/{os.getpid()}-{secrets.token_hex(4)}"
        self.signing = SigningKeys(self._seeds(), clock, self.live.current.settings.identity.tasks.rotate)
        self._unsigned = ""  # why the keys that task tokens are signed with may be old ones

    def start(self) -> None:
        """Have what calls need. Raises what `signing.turn` raises: later it can wait, now it cannot."""
        if self.live.current.settings.identity.tasks.issuer:
            self.signing.turn()
        self.say()

    async def refresh(self) -> bool:
        """See what has changed; whether the configuration has to be read anew. What cannot be read does not keep the rest back:
        raises YettError afterwards."""
        failures = []
        for look in (self._read_keys, self._read_fences, self.directories.refresh):
            try:
                await look()
            except YettError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return self._sealed_anew()

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

    def _sealed_anew(self) -> bool:
        if self._credentials is None or (version := self._credentials.version()) == self._credentials_version:
            return False
        self._credentials_version = version
        return self.live.current.sealed not in (0, version)

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
            self._replicas.say(self._name, Replica(__version__, keks, snapshot.sealed), self._now())

    def troubles(self) -> list[str]:
        """What is not as it should be, though calls are taken."""
        return [trouble for trouble in (self._database.trouble, self._unsigned) if trouble]

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
        return SealedSeeds(self._database, lambda: kek_of(self._place()))

    def _place(self) -> Place:
        """Where what is sealed is, by the settings as they are now."""
        return place_of(replace(self.reading, settings=self.live.current.settings), self._environment)
