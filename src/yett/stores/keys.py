"""The virtual keys that were issued: created, listed, rotated and revoked by the CLI, read by a running gateway.

A gateway holds all keys in memory. It asks `version()` a few times a second and reads `all()` when the answer has changed, so
that a revocation in another process, or on another machine, is honoured within that second.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from yett.config.virtual_key import ENTROPY_BYTES, digest, mint
from yett.errors import IntegrityError, YettError
from yett.model.key import Limits, VirtualKey
from yett.stores.database import Database, Tables, opening
from yett.stores.pepper import load_pepper, pepper_id
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "virtual keys",
        (
            """CREATE TABLE virtual_keys (
                id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                team TEXT NOT NULL,
                tenant TEXT NOT NULL,
                models TEXT NOT NULL,
                limits TEXT NOT NULL,
                labels TEXT NOT NULL,
                created INTEGER NOT NULL,
                expires INTEGER NOT NULL,
                revoked INTEGER NOT NULL,
                last_used INTEGER NOT NULL
            ) STRICT""",
            # a key keeps its id, name and limits when it is rotated: only what it is recognised by changes
            """CREATE TABLE virtual_key_digests (
                digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
                key_id TEXT NOT NULL REFERENCES virtual_keys (id),
                last4 TEXT NOT NULL,
                created INTEGER NOT NULL,
                expires INTEGER NOT NULL
            ) STRICT""",
            "CREATE INDEX virtual_key_digests_key ON virtual_key_digests (key_id)",
            """CREATE TABLE virtual_key_state (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                version INTEGER NOT NULL,
                pepper TEXT NOT NULL
            ) STRICT""",
        ),
    ),
)

_ALL = """SELECT k.id, k.name, k.team, k.tenant, k.models, k.limits, k.labels, k.created, k.expires, k.revoked,
    k.last_used, d.digest, d.last4, d.created, d.expires
    FROM virtual_keys k JOIN virtual_key_digests d ON d.key_id = k.id ORDER BY k.created, k.id, d.created, d.expires DESC"""
_VERSION = "SELECT version FROM virtual_key_state WHERE one = 1"
_CHANGED = "UPDATE virtual_key_state SET version = version + 1 WHERE one = 1"
_INSERT_KEY = "INSERT INTO virtual_keys VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0)"
_INSERT_DIGEST = "INSERT INTO virtual_key_digests VALUES ($1, $2, $3, $4, $5)"
_SUPERSEDE = "UPDATE virtual_key_digests SET expires = $2 WHERE key_id = $1 AND (expires = 0 OR expires > $2)"
_REVOKE = "UPDATE virtual_keys SET revoked = $2 WHERE id = $1 AND revoked = 0"
_TOUCH = "UPDATE virtual_keys SET last_used = $2 WHERE id = $1 AND last_used < $2"
_TOUCHED = 100  # keys in one transaction: whoever revokes one waits for no more
_OVER = "SELECT revoked <> 0 OR (expires <> 0 AND expires <= $2) FROM virtual_keys WHERE id = $1"
_BEGIN_STATE = "INSERT INTO virtual_key_state VALUES (1, 1, $1) ON CONFLICT (one) DO NOTHING"

Witness = Callable[[str, VirtualKey], None]


class KeyMistake(YettError):
    """What was asked for does not fit the keys there are: a name that is taken, a key that does not exist."""


class NewKey(Struct, frozen=True):
    """What an operator decides about a key. `expires`: seconds since the Unix epoch, 0 for never."""

    name: str
    team: str
    expires: int = 0
    models: tuple[str, ...] = ()
    limits: Limits = Limits()
    labels: tuple[tuple[str, str], ...] = ()
    tenant: str = "default"


class StoredKey(Struct, frozen=True):
    """One row of a list: the key by what it is recognised by, and when it was last used (0: never; coarse)."""

    key: VirtualKey
    last_used: int

    def state(self, now: int) -> str:
        """active, expired or revoked."""
        if self.key.revoked:
            return "revoked"
        return "expired" if self.key.expires and self.key.expires <= now else "active"


def nobody(_event: str, _key: VirtualKey) -> None:
    """The witness when key events are not recorded."""


class KeyStore(Tables):
    """The keys in `<state>/yett.db`, or in a database that several machines share. `witness(event, key)` is called inside each
    transaction, just before it commits: if it raises, nothing has changed. Events: key.create, key.rotate, key.revoke.

    Every method may raise IntegrityError (damaged) or StoreUnavailable (locked, full, not permitted).
    """

    def __init__(self, database: Database, pepper: bytes, witness: Witness) -> None:
        super().__init__(database)
        self.pepper = pepper
        self._witness = witness

    @classmethod
    def open(
        cls,
        state: Path,
        *,
        witness: Witness = nobody,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
        database: Database | None = None,
        pepper: bytes = b"",
    ) -> KeyStore:
        """Open the store in the state directory, or in `database`, which is closed with it, creating what is needed on first
        use. The pepper is in the state directory, unless it is given.

        Raises IntegrityError also when the pepper is not the one that the stored hashes were made with.
        """
        with opening(state, database) as shared:
            shared.migrate("keys", MIGRATIONS)
            pepper = _matching_pepper(shared, state / "pepper", randomness, pepper)
        return cls(shared, pepper, witness)

    def version(self) -> int:
        """A number that changes with every change of the keys, whoever makes it."""
        return self._database.version(_VERSION)

    def all(self) -> tuple[VirtualKey, ...]:
        """Every key by each digest it has or had, revoked and expired ones too (they are refused by name)."""
        return tuple(stored.key for stored in self.list())

    def list(self) -> tuple[StoredKey, ...]:
        """Every key, oldest first; one that was rotated appears once per digest."""
        rows = self._database.rows(_ALL)
        try:
            return tuple(_stored(row) for row in rows)
        except (msgspec.MsgspecError, TypeError, ValueError) as error:
            raise IntegrityError(f"{self._database.name} holds a key that cannot be read ({error})") from error

    def find(self, reference: str, team: str = "") -> StoredKey:
        """The key with this id, or the live key with this name. Raises KeyMistake when it is none, or not only one."""
        stored = self.list()
        if by_id := [one for one in stored if one.key.id == reference]:
            return by_id[-1]
        named = {
            one.key.id: one
            for one in stored
            if one.key.name == reference and not one.key.revoked and team in ("", one.key.team)
        }
        if len(named) == 1:
            return next(iter(named.values()))
        if not named:
            raise KeyMistake(f'there is no live key with the id or name "{reference}"; "yett keys list" shows them')
        ids = ", ".join(f"{one.key.id} (team {one.key.team})" for one in named.values())
        raise KeyMistake(f'"{reference}" is the name of several keys: {ids}; use an id')

    def create(
        self, new: NewKey, now: int, randomness: Callable[[int], bytes] = secrets.token_bytes
    ) -> tuple[VirtualKey, str]:
        """Issue a key; the second value is the key itself, which is not kept. Raises KeyMistake when the name is taken."""
        text = mint(randomness(ENTROPY_BYTES))
        hashed = digest(self.pepper, text.encode())
        key = VirtualKey(
            id="key_" + hashlib.sha256(hashed).hexdigest()[:16],
            name=new.name,
            team=new.team,
            digest=hashed,
            last4=text[-4:],
            created=now,
            expires=new.expires,
            models=new.models,
            limits=new.limits,
            labels=tuple(sorted(new.labels)),
            tenant=new.tenant,
            issued=now,
        )
        with self._database.writing():
            self._refuse_second(new, now)
            self._database.run(
                _INSERT_KEY,
                key.id,
                key.name,
                key.team,
                key.tenant,
                _json(key.models),
                _json(key.limits),
                _json(key.labels),
                key.created,
                key.expires,
            )
            self._database.run(_INSERT_DIGEST, key.digest, key.id, key.last4, now, 0)
            self._database.run(_CHANGED)
            self._witness("key.create", key)
        return key, text

    def revoke(self, key_id: str, now: int) -> VirtualKey:
        """Revoke the key with this id, at once and for good. Revoking it again changes nothing."""
        with self._database.writing():
            stored = self.find(key_id)
            if stored.key.revoked:
                return stored.key
            self._database.run(_REVOKE, stored.key.id, now)
            self._database.run(_CHANGED)
            revoked = self.find(stored.key.id).key
            self._witness("key.revoke", revoked)
        return revoked

    def rotate(
        self,
        key_id: str,
        now: int,
        overlap: int = 0,
        randomness: Callable[[int], bytes] = secrets.token_bytes,
    ) -> tuple[VirtualKey, str]:
        """Give the key with this id a new secret; the old one still works for `overlap` seconds. Id, name, limits and what
        was used of them stay. Raises KeyMistake when the key was revoked or has expired."""
        text = mint(randomness(ENTROPY_BYTES))
        with self._database.writing():
            stored = self.find(key_id)
            if self._over(stored.key.id, now):
                raise KeyMistake(f"{stored.key.id} is revoked or expired; create a new key instead")
            self._database.run(_SUPERSEDE, stored.key.id, now + overlap)
            hashed = digest(self.pepper, text.encode())
            self._database.run(_INSERT_DIGEST, hashed, stored.key.id, text[-4:], now, 0)
            self._database.run(_CHANGED)
            key = next(one.key for one in self.list() if one.key.digest == hashed)
            self._witness("key.rotate", key)
        return key, text

    def touch(self, last_used: Mapping[str, int]) -> None:
        """Note when keys (by id) were last used. Meant for a batch every minute or so; not a change in `version()`."""
        ordered = sorted(last_used.items())
        for start in range(0, len(ordered), _TOUCHED):
            with self._database.writing():
                for key_id, when in ordered[start : start + _TOUCHED]:
                    self._database.run(_TOUCH, key_id, when)

    def _refuse_second(self, new: NewKey, now: int) -> None:
        for stored in self.list():
            key = stored.key
            same = (key.tenant, key.team, key.name) == (new.tenant, new.team, new.name)
            if same and not self._over(key.id, now):
                raise KeyMistake(
                    f'team "{key.team}" already has a key named "{key.name}" ({key.id}); '
                    f'choose another name, or "yett keys rotate {key.id}"'
                )

    def _over(self, key_id: str, now: int) -> bool:
        return bool(self._database.rows(_OVER, key_id, now)[0][0])


def _matching_pepper(database: Database, path: Path, randomness: Callable[[int], bytes], given: bytes) -> bytes:
    """The pepper, created only while no hash depends on one: a new pepper would silently disown every key."""
    with database.writing():
        rows = database.rows("SELECT pepper FROM virtual_key_state")
        if not rows:
            pepper = given or load_pepper(path, randomness)
            database.run(_BEGIN_STATE, pepper_id(pepper))
            return pepper
    if not given and not path.exists():
        raise IntegrityError(
            f"{path} is missing, and the keys in {database.name} cannot be recognised without it; restore it"
        )
    pepper = given or load_pepper(path, randomness)
    if rows[0][0] != pepper_id(pepper):
        raise IntegrityError(
            f"{'stores.pepper' if given else path} is not the pepper that the keys in {database.name} were made with; restore the right one"
        )
    return pepper


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _stored(row: tuple[object, ...]) -> StoredKey:
    (id_, name, team, tenant, models, limits, labels, created, expires, revoked, last_used, *issued) = row
    digest_, last4, begun, until = issued
    ends = [int(str(end)) for end in (expires, until) if end]
    key = msgspec.convert(
        {
            "id": id_,
            "name": name,
            "team": team,
            "tenant": tenant,
            "models": msgspec.json.decode(str(models)),
            "limits": msgspec.json.decode(str(limits)),
            "labels": msgspec.json.decode(str(labels)),
            "created": created,
            "expires": min(ends, default=0),
            "revoked": revoked,
            "digest": digest_,
            "issued": begun,
            "last4": last4,
        },
        VirtualKey,
    )
    return StoredKey(key, int(str(last_used)))
