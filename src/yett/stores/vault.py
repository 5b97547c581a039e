"""The vault: what stands for values, by task, for the later calls of that task. One SQLite file that the workers share.

Everything in it is under keys that come from the key of the task, which comes from the pepper and is nowhere kept: rows of two
tasks cannot be told to be about the same value, and a copy of the file says neither whose they are nor what they stand for. Values
are sealed with AES-256-GCM, bound to the row that they are in. In memory there are only the names of rows that need not be written again.

A call that put something there does not depend on it, so a commit is not waited for: a power cut may lose the last seconds.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from yett.errors import IntegrityError, YettError
from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.ports import Clock
from yett.stores.sqlite import Migration, StoreUnavailable, connect, migrate, numbered, translated, writing

log = logging.getLogger("yett")

MOST = 200_000  # rows; what would expire first makes room
_REMEMBERED = 50_000  # rows that are known to be there
_SWEEP = 60.0  # seconds between two looks at what has expired
_BUSY = 0.1  # seconds to wait for another worker's write
_NONCE = 12  # bytes, NIST SP 800-38D
_NAME = 16
_ASKED = 500  # rows for one statement
_MIGRATIONS = (
    Migration(
        1,
        "substitutes",
        (
            (
                "CREATE TABLE substitutes (task BLOB NOT NULL, name BLOB NOT NULL, sealed BLOB NOT NULL,"
                " expires INTEGER NOT NULL, PRIMARY KEY (task, name)) STRICT, WITHOUT ROWID"
            ),
            "CREATE INDEX substitutes_expires ON substitutes (expires)",
        ),
    ),
)
_PUT = numbered(
    "INSERT INTO substitutes VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (task, name) DO UPDATE SET sealed = excluded.sealed, expires = max(expires, excluded.expires)"
)
_EXPIRED = numbered("DELETE FROM substitutes WHERE expires <= $1")
_SURPLUS = numbered(
    "DELETE FROM substitutes WHERE (task, name) IN (SELECT task, name FROM substitutes ORDER BY expires LIMIT"
    " max(0, (SELECT count(*) FROM substitutes) - $1))"
)


class Vault:
    """Implements `ports.Vault`. `trouble` says why the last access failed, "" when it did not; it is logged when it begins."""

    def __init__(self, path: Path, clock: Clock, most: int = MOST) -> None:
        """Raises IntegrityError, StoreUnavailable."""
        self.trouble = ""
        self._path = path
        self._clock = clock
        self._most = most
        self._written: dict[tuple[bytes, bytes], float] = {}  # row -> when it expires
        self._swept = 0.0
        self._connection = connect(path, busy_timeout=_BUSY)
        with translated(path):
            self._connection.execute("PRAGMA synchronous=NORMAL")
        migrate(self._connection, path, "vault", _MIGRATIONS)

    def __repr__(self) -> str:
        return f"Vault({str(self._path)!r})"

    def keep(self, task: bytes, substitutes: Iterable[Substitute], seconds: float) -> None:
        now = self._clock.now()
        keys = _Keys(task)
        rows = []
        for substitute in substitutes:
            name = keys.name(substitute.shown)
            if self._written.get((keys.task, name), 0.0) - now <= seconds / 2:
                rows.append((keys.task, name, keys.seal(substitute, name), int(now + seconds)))
        if not rows:
            return
        try:
            with writing(self._connection, self._path):
                if now >= self._swept + _SWEEP:
                    self._connection.execute(_EXPIRED, (int(now),))
                    self._connection.execute(_SURPLUS, (self._most,))
                    self._swept = now
                self._connection.executemany(_PUT, rows)
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return
        self.trouble = ""
        if len(self._written) > _REMEMBERED:
            self._written.clear()
        self._written.update({(row[0], row[1]): now + seconds for row in rows})

    def recall(self, task: bytes, shown: Sequence[str]) -> list[Substitute]:
        keys = _Keys(task)
        names = [keys.name(each) for each in shown]
        found: list[Substitute] = []
        try:
            for start in range(0, len(names), _ASKED):
                asked = names[start : start + _ASKED]
                marks = ", ".join("?" * len(asked))
                with translated(self._path):
                    rows = self._connection.execute(
                        f"SELECT name, sealed FROM substitutes WHERE task = ? AND expires > ? AND name IN ({marks})",  # noqa: S608
                        (keys.task, int(self._clock.now()), *asked),
                    ).fetchall()
                found += [keys.opened(name, sealed) for name, sealed in rows]
        except (StoreUnavailable, IntegrityError) as error:
            self._failed(error)
            return found
        self.trouble = ""
        return found

    def _failed(self, error: YettError) -> None:
        if not self.trouble:
            log.error("values cannot be kept or put back later", extra={"fields": {"why": str(error)}})
        self.trouble = str(error)

    def close(self) -> None:
        self._connection.close()


class _Keys:
    """What is derived from the key of one task. NIST SP 800-108 would call the labels purposes."""

    __slots__ = ("_names", "_seal", "task")

    def __init__(self, task: bytes) -> None:
        self.task = hmac.digest(task, b"vault task", "sha256")[:_NAME]
        self._names = hmac.digest(task, b"vault names", "sha256")
        self._seal = AESGCM(hmac.digest(task, b"vault seal", "sha256"))

    def name(self, shown: str) -> bytes:
        return hmac.digest(self._names, shown.lower().encode("utf-8", "surrogatepass"), "sha256")[:_NAME]

    def seal(self, substitute: Substitute, name: bytes) -> bytes:
        text = f"{substitute.kind}\0{substitute.shown}\0{substitute.value.reveal()}"
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, text.encode("utf-8", "surrogatepass"), name)

    def opened(self, name: bytes, sealed: bytes) -> Substitute:
        """Raises IntegrityError for a row that was changed or moved."""
        try:
            text = self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], name).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            raise IntegrityError("a row of the vault was not written by this gateway") from None
        kind, shown, value = text.split("\0", 2)
        return Substitute(kind, shown, Secret(value))
