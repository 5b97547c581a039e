"""Who is signed in at the console, and the one-time codes of emergencies: in the database that all workers and replicas share.

Neither what a browser holds nor a code is kept: they are known by their keyed hash. What a session came from (the state of a sign-in, a
code) is kept with it and unique, so that neither can be used twice, whichever replica is asked.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from yett.config.keyed_hash import keyed_hash
from yett.errors import IntegrityError
from yett.model.operator import EMERGENCY, Identity, Session
from yett.stores.database import Database, FileDatabase
from yett.stores.keys import KeyMistake
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "operators' sessions",
        (
            """CREATE TABLE operator_sessions (
                id TEXT PRIMARY KEY,
                digest BLOB NOT NULL UNIQUE,
                origin BLOB NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                identity TEXT NOT NULL,
                begun INTEGER NOT NULL,
                seen INTEGER NOT NULL,
                expires INTEGER NOT NULL,
                ended INTEGER NOT NULL,
                address TEXT NOT NULL,
                reason TEXT NOT NULL
            ) STRICT""",
            """CREATE TABLE operator_codes (
                digest BLOB PRIMARY KEY,
                subject TEXT NOT NULL,
                reason TEXT NOT NULL,
                expires INTEGER NOT NULL,
                seconds INTEGER NOT NULL
            ) STRICT""",
        ),
    ),
)
CODE_SECONDS = 600  # in which a code has to be used
_KEPT = 86_400  # seconds for which a session that is over still says what it came from
_COLUMNS = "id, kind, identity, begun, seen, expires, address, ended, reason"
_ALL = f"SELECT {_COLUMNS} FROM operator_sessions WHERE ended = 0 AND expires > $1 ORDER BY begun, id"  # noqa: S608
_BY_DIGEST = f"SELECT {_COLUMNS} FROM operator_sessions WHERE digest = $1"  # noqa: S608
_BY_ID = f"SELECT {_COLUMNS} FROM operator_sessions WHERE id = $1"  # noqa: S608
_FORGET = "DELETE FROM operator_sessions WHERE expires <= $1"
_BEGIN = "INSERT INTO operator_sessions VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10) ON CONFLICT DO NOTHING"
_SEEN = "UPDATE operator_sessions SET seen = $2 WHERE id = $1 AND seen < $2"
_END = "UPDATE operator_sessions SET ended = $2 WHERE id = $1 AND ended = 0"
_ADD_CODE = "INSERT INTO operator_codes VALUES ($1, $2, $3, $4, $5)"
_CODE = "SELECT subject, reason, seconds FROM operator_codes WHERE digest = $1 AND expires > $2"
_USE_CODE = "DELETE FROM operator_codes WHERE digest = $1"
_OLD_CODES = "DELETE FROM operator_codes WHERE expires <= $1"


class Emergency(Struct, frozen=True):
    """What a code stands for: who asked for it at the command line, why, and how long its session lasts in seconds."""

    subject: str
    reason: str
    seconds: int


class OperatorStore:
    """Every method may raise IntegrityError (damaged) or StoreUnavailable (away, locked, full)."""

    def __init__(self, database: Database, pepper: bytes) -> None:
        self._database = database
        self._hash = keyed_hash(pepper)

    @classmethod
    def open(cls, state: Path, pepper: bytes, database: Database | None = None) -> Self:
        """In the state directory, or in `database`, which is closed with it."""
        shared = database or FileDatabase(state)
        try:
            shared.migrate("operators", MIGRATIONS)
        except BaseException:
            shared.close()
            raise
        return cls(shared, pepper)

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- sessions

    def begin(
        self, kind: str, identity: Identity, origin: str, now: int, seconds: int, address: str, reason: str = ""
    ) -> tuple[Session, str]:
        """Somebody has proven who they are; the second value is what their browser holds. Raises KeyMistake when the `origin` has been
        used before."""
        token = secrets.token_urlsafe(32)
        id = "ses_" + hashlib.sha256(token.encode()).hexdigest()[:16]
        session = Session(id, kind, identity, now, now, now + seconds, address, reason=reason)
        with self._database.writing():
            self._database.run(_FORGET, now - _KEPT)
            written = self._database.run(
                _BEGIN,
                id,
                self._digest("session", token),
                self._digest("origin", origin),
                kind,
                msgspec.json.encode(identity).decode(),
                now,
                now,
                session.expires,
                address,
                reason,
            )
            if not written:
                raise KeyMistake("this sign-in was completed before; begin again")
        return session, token

    def find(self, token: str) -> Session | None:
        """Whose session it is, over or not."""
        rows = self._database.rows(_BY_DIGEST, self._digest("session", token))
        return self._session(rows[0]) if rows else None

    def all(self, now: int) -> tuple[Session, ...]:
        """Those that were neither ended nor outlived, oldest first."""
        return tuple(self._session(row) for row in self._database.rows(_ALL, now))

    def touch(self, session: Session, now: int) -> None:
        with self._database.writing():
            self._database.run(_SEEN, session.id, now)

    def end(self, id: str, now: int) -> Session | None:
        """None when there is none that goes on."""
        with self._database.writing():
            ended = self._database.run(_END, id, now)
            rows = self._database.rows(_BY_ID, id)
        return self._session(rows[0]) if ended and rows else None

    # ---- emergencies

    def issue(self, emergency: Emergency, now: int) -> str:
        """A code that lets somebody in once, within CODE_SECONDS."""
        text = secrets.token_hex(16)
        code = "-".join(text[at : at + 8] for at in range(0, len(text), 8))
        with self._database.writing():
            self._database.run(_OLD_CODES, now)
            self._database.run(
                _ADD_CODE,
                self._digest("code", code),
                emergency.subject,
                emergency.reason,
                now + CODE_SECONDS,
                emergency.seconds,
            )
        return code

    def redeem(self, code: str, now: int, address: str) -> tuple[Session, str]:
        """Begin the session that a code stands for. Raises KeyMistake when it stands for none, any more or at all."""
        digest = self._digest("code", code)
        with self._database.writing():
            rows = self._database.rows(_CODE, digest, now)
            if not rows or not self._database.run(_USE_CODE, digest):
                raise KeyMistake("this is no code, or it was used or is too old")
        found = msgspec.convert(dict(zip(("subject", "reason", "seconds"), rows[0], strict=True)), Emergency)
        identity = Identity(issuer=EMERGENCY, subject=found.subject or "unknown", name=found.subject or "unknown")
        return self.begin(EMERGENCY, identity, code, now, found.seconds, address, found.reason)

    # ---- the parts

    def _digest(self, purpose: str, secret: str) -> bytes:
        return self._hash.digest(f"operator {purpose}\0{secret}".encode("utf-8", "replace"))

    def _session(self, row: tuple[object, ...]) -> Session:
        id, kind, identity, begun, seen, expires, address, ended, reason = row
        try:
            who = msgspec.json.decode(str(identity), type=Identity)
        except msgspec.DecodeError as error:
            raise IntegrityError(f"{self._database.name} holds a session that cannot be read ({error})") from error
        return Session(
            id=str(id),
            kind=str(kind),
            identity=who,
            begun=int(str(begun)),
            seen=int(str(seen)),
            expires=int(str(expires)),
            address=str(address),
            ended=int(str(ended)),
            reason=str(reason),
        )
