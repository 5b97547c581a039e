"""Live: the snapshot in force. A new one is built beside it and swapped in by one assignment, or refused as a whole.

Asked off the path of a call: `changed()` about once a second and `reload()` when it says so (or on SIGHUP), `refresh_keys()`
and `refresh_fences()` when the version of their store has moved.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

from yett.config.compile import Build, Sources, compile_snapshot, gather
from yett.config.reading import Reading
from yett.config.sealed import Unseal
from yett.config.snapshot import Snapshot, with_directories, with_fences, with_keys
from yett.errors import ConfigurationError, Mistake
from yett.model.fence import Fence
from yett.model.key import VirtualKey
from yett.scim.directory import Directory

# What is taken up at start only: sockets, processes and open files are not exchanged under running calls.
AT_START = (
    ("gateway", "host"),
    ("gateway", "port"),
    ("gateway", "workers"),
    ("gateway", "access_log"),
    ("admin", "host"),
    ("admin", "port"),
    ("state", "dir"),
    ("audit", "dir"),
    ("audit", "durability"),
    ("audit", "content"),
    ("audit", "segment_bytes"),
    ("audit", "checkpoint_seconds"),
    ("audit", "checkpoint_records"),
    ("limits", "lease_seconds"),
    ("identity.tasks", "rotate"),
    ("stores", "state"),
    ("stores", "configuration"),
    ("stores", "pepper"),
    ("stores", "limits"),
    ("stores", "deployment"),
    ("stores", "on_outage"),
    ("stores", "replicas"),
    ("stores", "timeout"),
    ("stores", "ca_file"),
    ("routing", "max_connections"),
    ("routing", "proxy"),
    ("log", "format"),
    ("log", "level"),
)
SETTLE = 0.05  # seconds that files must have stayed as they were read
BUILDS = 5  # times that files which keep changing are read again


class Live:
    """`current` is the snapshot in force; a call reads it once. `error` is why the last reload was refused, None when it was
    not; `refused` counts since the start."""

    def __init__(
        self,
        path: Path,
        environment: Mapping[str, str],
        pepper: bytes,
        keys: tuple[VirtualKey, ...] = (),
        build: Build | None = None,
        unseal: Unseal | None = None,
    ) -> None:
        """Build the first snapshot; `build` as of `compile_snapshot`, `unseal` as of `read`. Raises ConfigurationError with every mistake."""
        self.error: ConfigurationError | None = None
        self.refused = 0
        self._path = path
        self._environment = environment
        self._pepper = pepper
        self._keys = keys
        self._fences: tuple[Fence, ...] = ()
        self._directories: tuple[Directory, ...] = ()
        self._automata = build
        self._unseal = unseal
        # reload() may run in a thread: without the lock it could put keys back in force that were revoked meanwhile
        self._swapping = threading.Lock()
        self._building = threading.Lock()  # a signal and a changed file may ask at once; the later files win
        sources = gather(path, environment, unseal)
        self._sources = sources
        self._settled = True  # the files stayed as they were read
        self.current: Snapshot = compile_snapshot(sources, epoch=1, pepper=pepper, keys=keys, build=build)
        self._started_with = self._taken = sources.reading

    def changed(self) -> bool:
        """Whether a file that the configuration is made of differs from when it was last read, refused or not. Compares
        contents, not times: a file rewritten within one tick of the clock is noticed."""
        return not self._settled or self._sources.changed()

    def reload(self) -> bool:
        """Build a snapshot from the files as they are now and put it in force. False: it was refused, `error` says why, and
        the old one stays. Blocks for a moment: call it in a thread."""
        with self._building:
            for _ in range(BUILDS):
                sources = self._sources = gather(self._path, self._environment, self._unseal)
                built = self._build(sources)
                time.sleep(SETTLE)
                self._settled = not sources.changed()
                if self._settled:  # else it was read while being written: half a file can be a configuration, too
                    break
            else:
                built = ConfigurationError((Mistake(str(self._path), 0, "keeps changing; wait until it is written"),))
            if isinstance(built, ConfigurationError):
                self.refused += 1
                self.error = built
                return False
            with self._swapping:
                current = with_fences(with_keys(built, self._keys), self._fences)
                self.current = with_directories(current, self._directories)
            self._taken = sources.reading
            self.error = None
            return True

    def _build(self, sources: Sources) -> Snapshot | ConfigurationError:
        try:
            return compile_snapshot(sources, epoch=self.current.epoch + 1, pepper=self._pepper, build=self._automata)
        except ConfigurationError as error:
            return error

    def refresh_keys(self, keys: tuple[VirtualKey, ...]) -> None:
        """Put these keys in force. Policies, decisions and everything else stay as they are."""
        with self._swapping:
            self._keys = keys
            self.current = with_keys(self.current, keys)

    def refresh_fences(self, fences: tuple[Fence, ...]) -> None:
        """Put these fences in force, and no others. Everything else stays as it is."""
        with self._swapping:
            self._fences = fences
            self.current = with_fences(self.current, fences)

    def refresh_directories(self, directories: tuple[Directory, ...]) -> None:
        """Put these directories in force, and no others. Later changes are made to the directories themselves."""
        with self._swapping:
            self._directories = directories
            self.current = with_directories(self.current, directories)

    def waiting_for_restart(self) -> tuple[str, ...]:
        """The settings in force that differ from what the process was started with, or lead to something else now, and need a restart to
        matter."""
        before, now = self._started_with, self._taken
        changed = [
            f"{section}.{name}"
            for section, name in AT_START
            if _known(before, section, name) != _known(now, section, name)
        ]
        # Another token is asked for at once. None at all would open a port that other machines may reach until then.
        if before.settings.admin.token and not now.settings.admin.token:
            changed.append("admin.token")
        return tuple(changed)


def _known(reading: Reading, section: str, name: str) -> tuple[object, object]:
    """A setting, and the secret that it refers to."""
    setting = attrgetter(f"{section}.{name}")(reading.settings)
    return setting, reading.secrets.get(setting) if isinstance(setting, str) else None
