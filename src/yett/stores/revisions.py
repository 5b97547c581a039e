"""The shared configuration, revision by revision: what every gateway runs, who pushed it, when and why.

A revision never changes, and going back to an earlier one makes a new one. Each is authenticated under the pepper, which is not in the
database: who can only write there cannot have gateways run something else.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from yett.config.shared import CURRENT, FOLDER, current, folder_name, is_inside, revision_of
from yett.config.virtual_key import digest as keyed
from yett.errors import IntegrityError, YettError
from yett.stores.database import Database
from yett.stores.secret_file import replace_file
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "configuration revisions",
        (
            """CREATE TABLE configuration_revisions (
                number INTEGER PRIMARY KEY,
                digest TEXT NOT NULL,
                pushed INTEGER NOT NULL,
                author TEXT NOT NULL,
                reason TEXT NOT NULL,
                restores INTEGER NOT NULL,
                mac BLOB NOT NULL,
                files BLOB NOT NULL
            ) STRICT""",
        ),
    ),
)
MOST_BYTES = 8 * 1024**2
KEPT = 3  # folders of earlier revisions that stay on a machine
_SHOWN = "number, digest, pushed, author, reason, restores"
_VERSION = "SELECT COALESCE(MAX(number), 0) FROM configuration_revisions"
_ALL = f"SELECT {_SHOWN} FROM configuration_revisions ORDER BY number"  # noqa: S608
_ONE = f"SELECT {_SHOWN}, mac, files FROM configuration_revisions WHERE number = $1"  # noqa: S608
_ADD = "INSERT INTO configuration_revisions VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"

Files = Mapping[str, bytes]  # contents by name, relative to the folder that was pushed


class RevisionMistake(YettError):
    """What was asked for does not fit the revisions there are."""


class Revision(Struct, frozen=True):
    """`pushed` is seconds since the Unix epoch, `restores` the number of an earlier one that it repeats, else 0."""

    number: int
    digest: str
    pushed: int
    author: str
    reason: str
    restores: int = 0

    @property
    def folder(self) -> str:
        return folder_name(self.number, self.digest)


Witness = Callable[[Revision], None]


def nobody(_revision: Revision) -> None:
    """The witness when pushes are not recorded."""


class Revisions:
    """`witness(revision)` is called inside the transaction of a push, just before it commits: if it raises, nothing has changed.

    Every method may raise IntegrityError (damaged, not made with this pepper) or StoreUnavailable.
    """

    def __init__(self, database: Database, pepper: bytes, witness: Witness = nobody) -> None:
        self._database = database
        self._pepper = pepper
        self._witness = witness
        database.migrate("configuration", MIGRATIONS)

    def version(self) -> int:
        """The number of the latest revision, 0 before the first; of a remote database what was last seen there."""
        return self._database.version(_VERSION)

    def latest(self) -> int:
        return int(self._database.rows(_VERSION)[0][0])

    def all(self) -> tuple[Revision, ...]:
        """Oldest first."""
        return tuple(Revision(*row) for row in self._database.rows(_ALL))

    def get(self, number: int) -> tuple[Revision, Files]:
        """Raises RevisionMistake when there is none of this number."""
        rows = self._database.rows(_ONE, number)
        if not rows:
            raise RevisionMistake(f"there is no revision {number}; `yett config history` shows them")
        *shown, mac, packed = rows[0]
        revision = Revision(*shown)
        if not hmac.compare_digest(mac, self._mac(revision)):
            raise IntegrityError(f"revision {number} in {self._database.name} was not pushed by who has the pepper")
        if hashlib.sha256(packed).hexdigest() != revision.digest:
            raise IntegrityError(f"revision {number} in {self._database.name} was changed since it was pushed")
        return revision, unpacked(packed)

    def push(
        self, files: Files, now: int, author: str, reason: str, *, expect: int | None = None, restores: int = 0
    ) -> Revision:
        """Make `files` the latest revision. Raises RevisionMistake when the latest one is not the one that was expected, or is the
        same."""
        data = packed(files)
        digest = hashlib.sha256(data).hexdigest()
        with self._database.writing():
            known = self.all()
            latest = known[-1] if known else Revision(0, "", 0, "", "")
            if expect is not None and expect != latest.number:
                told = f" ({latest.author}: {latest.reason})" if latest.reason else f" ({latest.author})"
                raise RevisionMistake(
                    f"the latest revision is {latest.number}{told if latest.number else ''}, not {expect}; look at it, and push again"
                )
            if latest.digest == digest:
                raise RevisionMistake(f"this is what revision {latest.number} says already")
            revision = Revision(latest.number + 1, digest, now, author, reason, restores)
            self._database.run(_ADD, *msgspec.structs.astuple(revision), self._mac(revision), data)
            self._witness(revision)
        return revision

    def _mac(self, revision: Revision) -> bytes:
        return keyed(self._pepper, b"configuration\0" + msgspec.json.encode(revision))


def packed(files: Files) -> bytes:
    """Equal for equal files. Raises RevisionMistake when it is too much."""
    if sum(map(len, files.values())) > MOST_BYTES:
        raise RevisionMistake(
            f"these are more than {MOST_BYTES} bytes; name large files by absolute paths on the machines"
        )
    return zlib.compress(msgspec.msgpack.encode({name: files[name] for name in sorted(files)}), 9)


def unpacked(data: bytes) -> Files:
    files = msgspec.msgpack.decode(zlib.decompress(data), type=dict[str, bytes])
    if strange := [name for name in files if not is_inside(name)]:
        raise IntegrityError(f"a revision of the configuration has a file of the name {strange[0]!r}")
    return files


# ---- on a machine ---------------------------------------------------------------------------------------------------


def write(files: Files, folder: Path) -> None:
    """Put `files` below a folder, which only its owner may read."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(content)


def take_up(revision: Revision, files: Files, state: Path) -> None:
    """Make a revision the one in force in a state directory. Whoever reads sees the one before or this one. Raises OSError."""
    place = state / FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = place / revision.folder
    if _found(folder, files) != files:
        replace_folder(folder, lambda fresh: write(files, fresh))
    if current(place) != revision.folder:
        replace_file(place / CURRENT, revision.folder.encode() + b"\n")
    _forget(place, revision.number)


def _found(folder: Path, files: Files) -> Files:
    try:
        return {name: (folder / name).read_bytes() for name in files}
    except OSError:
        return {}


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Have `folder` hold what `fill` writes. It appears complete or not at all."""
    fresh = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
    shutil.rmtree(folder, ignore_errors=True)  # before: what another process puts there meanwhile stays
    try:
        fill(fresh)
        fresh.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _forget(place: Path, latest: int) -> None:
    folders = sorted((one for one in place.iterdir() if revision_of(one.name)), key=lambda one: revision_of(one.name))
    for folder in [one for one in folders if revision_of(one.name) <= latest][: -KEPT - 1]:
        shutil.rmtree(folder, ignore_errors=True)
