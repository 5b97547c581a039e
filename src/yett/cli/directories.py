"""The directories of a worker: read whole before it serves, then kept up to date, a page of changes at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from yett.config.live import Live
from yett.scim.directory import Changes, Directory, Rules
from yett.stores.directory import DirectoryStore

ROUND_SECONDS = 0.15  # that are read for at a time


class Directories:
    """What calls look up is changed on the loop only, between two of them."""

    def __init__(self, store: DirectoryStore, live: Live) -> None:
        """Reads everything. Raises IntegrityError, StoreUnavailable."""
        self._store = store
        self._live = live
        self._known: dict[str, Directory] = {}
        self._renew(live.current.rules)
        version = store.version()
        for directory in self._known.values():
            while directory.seen != version:
                directory.take(store.changes(directory, version))
        self._publish()

    async def refresh(self) -> None:
        """To be called a few times a second. It takes a moment at most, whatever there is to read: keys and fences come after it."""
        end = time.monotonic() + ROUND_SECONDS
        version = self._store.version()
        self._renew(self._live.current.rules)
        for name, directory in tuple(self._known.items()):
            try:
                await self._catch_up(directory, version, end)
            except LookupError:
                self._known[name] = Directory(directory.rules)  # read from the beginning the next time
        self._publish()

    def sizes(self) -> Mapping[str, int]:
        """Users, by directory."""
        return {name: len(directory) for name, directory in self._known.items()}

    async def _catch_up(self, directory: Directory, version: int, end: float) -> None:
        while directory.seen != version:
            directory.take(await self._read(directory, version))
            if time.monotonic() >= end:
                return  # the rest the next time
            await asyncio.sleep(0)  # calls go on meanwhile

    async def _read(self, directory: Directory, version: int) -> Changes:
        if self._store.database.remote:
            return await asyncio.to_thread(self._store.changes, directory, version)
        return self._store.changes(directory, version)

    def _renew(self, rules: Mapping[str, Rules]) -> None:
        """Have those of the configuration in force. One that is read by other rules is another one."""
        known = self._known
        self._known = {
            name: known[name] if name in known and known[name].rules == rule else Directory(rule)
            for name, rule in rules.items()
        }

    def _publish(self) -> None:
        """Put those in force that have been read."""
        ready = tuple(directory for directory in self._known.values() if directory.seen or not self._store.version())
        if ready != tuple(self._live.current.directories.values()):
            self._live.refresh_directories(ready)
