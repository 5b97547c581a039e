"""The tokens that identity providers provision with: kept as keyed hashes, several for a directory while one takes over from another."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from msgspec import Struct

from yett.config.virtual_key import ENTROPY_BYTES, digest, mint
from yett.stores.database import Database
from yett.stores.directory import next_serial
from yett.stores.keys import KeyMistake

PREFIX = "ysc_live_"
LONGEST = 200  # bytes of a token; more are not hashed
_ALL = "SELECT id, directory, digest, last4, created, expires, revoked FROM scim_tokens ORDER BY created, id"
_INSERT = "INSERT INTO scim_tokens VALUES ($1, $2, $3, $4, $5, $6, 0)"
_REVOKE = "UPDATE scim_tokens SET revoked = $2 WHERE id = $1"

Witness = Callable[[str, "ScimToken"], None]


class ScimToken(Struct, frozen=True):
    """Times are whole seconds since the Unix epoch, 0 for never."""

    id: str
    directory: str
    digest: bytes
    last4: str
    created: int
    expires: int
    revoked: int

    def state(self, now: float) -> str:
        """active, expired or revoked."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires and self.expires <= now else "active"


class ScimTokens:
    """In the database of the directories, whose store has been opened. `witness(event, token)` is called inside each transaction, just before it
    commits. Events: scim.token.create, scim.token.revoke."""

    def __init__(self, database: Database, pepper: bytes, witness: Witness) -> None:
        self._database = database
        self._pepper = pepper
        self._witness = witness

    def all(self) -> tuple[ScimToken, ...]:
        """Oldest first, those included that do not work any more."""
        return tuple(ScimToken(*row) for row in self._database.rows(_ALL))

    def create(
        self, directory: str, now: int, expires: int = 0, randomness: Callable[[int], bytes] = secrets.token_bytes
    ) -> tuple[ScimToken, str]:
        """Issue one; the second value is the token itself, which is not kept."""
        text = mint(randomness(ENTROPY_BYTES), PREFIX)
        hashed = hash_of(self._pepper, text.encode())
        id = "sct_" + hashlib.sha256(hashed).hexdigest()[:16]
        token = ScimToken(id, directory, hashed, text[-4:], now, expires, 0)
        with self._database.writing():
            row = (token.id, token.directory, token.digest, token.last4, token.created, token.expires)
            self._database.run(_INSERT, *row)
            next_serial(self._database)
            self._witness("scim.token.create", token)
        return token, text

    def revoke(self, id: str, now: int) -> ScimToken:
        """At once and for good. Raises KeyMistake."""
        with self._database.writing():
            found = next((token for token in self.all() if token.id == id), None)
            if found is None:
                raise KeyMistake(f'there is no token "{id}"; "yett scim token list" shows them')
            if not found.revoked:
                self._database.run(_REVOKE, id, now)
                next_serial(self._database)
                found = next(token for token in self.all() if token.id == id)
                self._witness("scim.token.revoke", found)
        return found


def hash_of(pepper: bytes, token: bytes) -> bytes:
    """What a token is looked up by. A virtual key has another one, whatever its text."""
    return digest(pepper, b"scim:" + token)
