"""Sealed credentials: what providers are called with, kept as envelopes in `<state>/yett.db`, by name.

Each row is bound to the deployment, its name and its version, so that no row can stand in another's place. A manifest, sealed like
a credential of its own and anew with every change, says which row of each name is the present one: an older copy of a row is refused,
though it opens. (Who can put back the whole database can put back the manifest with it. A process that has seen a later one
refuses that, too; after a restart the audit journal is what tells.)

A change is prepared outside a transaction, because the key-encryption key may be a service's, and made only when nobody else
has changed anything meanwhile.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.errors import IntegrityError, YettError
from yett.model.route import Secret
from yett.stores.envelope import KEY_BYTES, Envelope, Randomness, Wrapped, binding, seal, unseal
from yett.stores.kek import Kek, KekTrouble
from yett.stores.pepper import state_directory
from yett.stores.sqlite import Migration, StoreUnavailable, connect, migrate, numbered, translated, writing

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,62}", re.ASCII)
MOST_BYTES = 16_384  # of a value
_LAST4_FROM = 12  # characters; of a shorter value four would tell too much
_TRIES = 5

MIGRATIONS = (
    Migration(
        1,
        "sealed credentials",
        (
            """CREATE TABLE credentials (
                id TEXT PRIMARY KEY,
                version INTEGER NOT NULL,
                owner TEXT NOT NULL,
                created INTEGER NOT NULL,
                rotated INTEGER NOT NULL,
                last4 TEXT NOT NULL,
                kek TEXT NOT NULL,
                wrapped BLOB NOT NULL,
                nonce BLOB NOT NULL,
                ciphertext BLOB NOT NULL
            ) STRICT""",
            """CREATE TABLE credential_manifest (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                change INTEGER NOT NULL,
                deployment TEXT NOT NULL,
                kek TEXT NOT NULL,
                wrapped BLOB NOT NULL,
                nonce BLOB NOT NULL,
                ciphertext BLOB NOT NULL
            ) STRICT""",
        ),
    ),
)
_ROWS = (
    "SELECT id, version, owner, created, rotated, last4, kek, wrapped, nonce, ciphertext FROM credentials ORDER BY id"
)
_MANIFEST = "SELECT change, deployment, kek, wrapped, nonce, ciphertext FROM credential_manifest WHERE one = 1"
_CHANGE = "SELECT change FROM credential_manifest WHERE one = 1"
_BEGUN = "SELECT 1 FROM sqlite_master WHERE name = 'credential_manifest'"
_PUT = numbered("INSERT OR REPLACE INTO credentials VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
_REMOVE = numbered("DELETE FROM credentials WHERE id = $1")
_PUT_MANIFEST = numbered("INSERT OR REPLACE INTO credential_manifest VALUES (1, $1, $2, $3, $4, $5, $6)")


class CredentialMistake(YettError):
    """What was asked for does not fit the credentials there are: a name that is taken, one that does not exist."""


class Credential(Struct, frozen=True):
    """A sealed credential as it may be shown. `created` and `rotated` are seconds since the Unix epoch; `last4` is "" for a short
    value; `kek` names the key-encryption key."""

    id: str
    version: int
    owner: str
    created: int
    rotated: int
    last4: str
    kek: str


class Opened(Struct, frozen=True):
    """Values by name, and why there is none for the others; `change` is the manifest's number, 0 before the first."""

    values: Mapping[str, Secret]
    troubles: Mapping[str, str]
    change: int


class Rewrapped(Struct, frozen=True):
    """What wrapping anew has come to: how many data keys now are under the newest KEK that were not, how many were already, and
    what could not be."""

    done: int
    already: int
    troubles: Mapping[str, str]


class _Row(Struct, frozen=True):
    credential: Credential
    envelope: Envelope

    @property
    def digest(self) -> str:
        """Of all that wrapping anew leaves as it is."""
        shown = self.credential
        plain = (shown.id, shown.version, shown.owner, shown.created, shown.rotated, shown.last4)
        return hashlib.sha256(
            msgspec.msgpack.encode((plain, self.envelope.nonce, self.envelope.ciphertext))
        ).hexdigest()


class _Books(Struct, frozen=True):
    """Everything as it was at one moment."""

    change: int
    deployment: str
    manifest: Envelope | None
    rows: Mapping[str, _Row]


Witness = Callable[[str, Credential], None]
_Edit = Callable[[_Books], tuple[Sequence[_Row], Sequence[Credential]]]  # what is put and what is removed


def latest_change(state: Path) -> int:
    """The number of the latest change in a state directory, 0 before the first. Writes nothing, and creates nothing."""
    path = state / "yett.db"
    if not path.exists():
        return 0
    connection = connect(path)
    try:
        with translated(path):
            begun = connection.execute(_BEGUN).fetchone()
            row = connection.execute(_CHANGE).fetchone() if begun else None
    finally:
        connection.close()
    return int(row[0]) if row else 0


def nobody(_event: str, _credential: Credential) -> None:
    """The witness when events are not recorded."""


class CredentialStore:
    """The sealed credentials of one state directory. `witness(event, credential)` is called inside each transaction, just before
    it commits: if it raises, nothing has changed. Events: credential.add, .rotate, .remove, .rewrap.

    Every method may raise IntegrityError (damaged, tampered with), StoreUnavailable or, where values are touched, KekTrouble.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        *,
        witness: Witness = nobody,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        self.path = path
        self._connection = connection
        self._witness = witness
        self._randomness = randomness

    @classmethod
    def open(
        cls, state: Path, *, witness: Witness = nobody, randomness: Randomness = secrets.token_bytes
    ) -> CredentialStore:
        """Open the store in the state directory, creating directory and database on first use."""
        path = state_directory(state) / "yett.db"
        connection = connect(path)
        try:
            migrate(connection, path, "credentials", MIGRATIONS)
        except BaseException:
            connection.close()
            raise
        return cls(path, connection, witness=witness, randomness=randomness)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- reading -----------------------------------------------------------------------------------------------------

    def change(self) -> int:
        """A number that grows with every change, whoever makes it; 0 before the first."""
        with translated(self.path):
            row = self._connection.execute(_CHANGE).fetchone()
        return int(row[0]) if row else 0

    def list(self) -> tuple[Credential, ...]:
        return tuple(row.credential for row in self._read().rows.values())

    def reveal(self, names: Iterable[str], kek: Kek) -> Opened:
        """The values of `names`, all unwrapped in one request. Raises KekTrouble when none can be."""
        books = self._read()
        values: dict[str, Secret] = {}
        troubles: dict[str, str] = {}
        there: list[_Row] = []
        for name in dict.fromkeys(names):
            if (row := books.rows.get(name)) is not None:
                there.append(row)
            else:
                troubles[name] = f'there is no sealed credential "{name}"'
        if not there:
            return Opened(values, troubles, books.change)
        manifest_key, *keys = kek.unwrap([_manifest_of(books).wrapped, *(row.envelope.wrapped for row in there)])
        known = _manifest(books, manifest_key)
        for row, key in zip(there, keys, strict=True):
            name = row.credential.id
            found = _opened(books, row, key, known)
            if isinstance(found, str):
                troubles[name] = f'the sealed credential "{name}" cannot be opened: {found}'
            else:
                values[name] = Secret(found.decode())
        return Opened(values, troubles, books.change)

    # ---- changing ----------------------------------------------------------------------------------------------------

    def add(self, name: str, value: str, owner: str, now: int, kek: Kek) -> Credential:
        """Seal a value under a new name. Raises CredentialMistake when it is taken or cannot be one."""
        if not NAME.fullmatch(name):
            raise CredentialMistake(
                "a credential's name begins with a letter or digit and consists of letters, digits and . _ / -, at most 63"
            )

        def edit(books: _Books) -> Credential:
            if name in books.rows:
                raise CredentialMistake(f'there is a sealed credential "{name}"; `yett credentials rotate` replaces it')
            return Credential(name, 1, owner, now, now, _last4(value), "")

        return self._put("credential.add", value, edit, kek)

    def rotate(self, name: str, value: str, now: int, kek: Kek, owner: str = "") -> Credential:
        """Replace a value, and the owner if one is given. Raises CredentialMistake when there is none of this name, or when it
        has this value already."""

        def edit(books: _Books) -> Credential:
            before = _row(books, name)
            key = kek.unwrap([before.envelope.wrapped])[0]
            if not isinstance(key, str) and _value(books, before, key) == value.encode():
                raise CredentialMistake(f'the sealed credential "{name}" has this value already')
            shown = before.credential
            return replace(
                shown, version=shown.version + 1, owner=owner or shown.owner, rotated=now, last4=_last4(value)
            )

        return self._put("credential.rotate", value, edit, kek)

    def remove(self, name: str, kek: Kek) -> Credential:
        """Forget a credential. Raises CredentialMistake when there is none of this name."""
        _, removed = self._change("credential.remove", lambda books: ([], [_row(books, name).credential]), kek)
        return removed[0]

    def rewrap(self, kek: Kek) -> Rewrapped:
        """Wrap every data key under the newest KEK; values, versions and ages stay. What cannot be unwrapped is left alone."""
        outcome: list[Rewrapped] = []

        def edit(books: _Books) -> tuple[Sequence[_Row], Sequence[Credential]]:
            rows = tuple(books.rows.values())
            newest = kek.newest([row.envelope.wrapped for row in rows])
            old = [row for row, up in zip(rows, newest, strict=True) if not up]
            keys = kek.unwrap([row.envelope.wrapped for row in old])
            troubles = {row.credential.id: key for row, key in zip(old, keys, strict=True) if isinstance(key, str)}
            movable = [(row, key) for row, key in zip(old, keys, strict=True) if not isinstance(key, str)]
            wrapped = kek.wrap([key for _, key in movable])
            outcome[:] = [Rewrapped(len(movable), len(rows) - len(old), troubles)]
            return [_rewrapped(row, one) for (row, _), one in zip(movable, wrapped, strict=True)], []

        self._change("credential.rewrap", edit, kek)
        return outcome[0]

    # ---- the parts ---------------------------------------------------------------------------------------------------

    def _put(self, event: str, value: str, edit: Callable[[_Books], Credential], kek: Kek) -> Credential:
        raw = value.encode()
        if not raw or len(raw) > MOST_BYTES:
            raise CredentialMistake(f"a credential has 1 to {MOST_BYTES} bytes")
        data_key = self._randomness(KEY_BYTES)
        wrapped = kek.wrap([data_key])[0]

        def sealed(books: _Books) -> tuple[Sequence[_Row], Sequence[Credential]]:
            credential = replace(edit(books), kek=wrapped.kek)
            nonce, ciphertext = seal(data_key, raw, _bound(books.deployment, credential), self._randomness)
            return [_Row(credential, Envelope(wrapped, nonce, ciphertext))], []

        put, _ = self._change(event, sealed, kek)
        return put[0].credential

    def _change(self, event: str, edit: _Edit, kek: Kek) -> tuple[Sequence[_Row], Sequence[Credential]]:
        for _ in range(_TRIES):
            books = self._read()
            known = {} if books.manifest is None else _manifest(books, kek.unwrap([books.manifest.wrapped])[0])
            put, removed = edit(books)
            known |= {row.credential.id: row.digest for row in put}
            for gone in removed:
                known.pop(gone.id, None)
            manifest = self._sealed_manifest(books, known, kek)
            with writing(self._connection, self.path):
                if self.change() != books.change:
                    continue  # someone else was faster: look again
                self._connection.executemany(_PUT, [_columns(row) for row in put])
                self._connection.executemany(_REMOVE, [(gone.id,) for gone in removed])
                self._connection.execute(
                    _PUT_MANIFEST, (books.change + 1, books.deployment, *_envelope_columns(manifest))
                )
                for changed in (*(row.credential for row in put), *removed):
                    self._witness(event, changed)
            return put, removed
        raise StoreUnavailable(f"{self.path} is being changed by others all the time; try again")

    def _sealed_manifest(self, books: _Books, known: Mapping[str, str], kek: Kek) -> Envelope:
        data_key = self._randomness(KEY_BYTES)
        text = msgspec.json.encode(known, order="deterministic")
        nonce, ciphertext = seal(data_key, text, _manifest_bound(books.deployment, books.change + 1), self._randomness)
        return Envelope(kek.wrap([data_key])[0], nonce, ciphertext)

    def _read(self) -> _Books:
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                state = self._connection.execute(_MANIFEST).fetchone()
                rows = self._connection.execute(_ROWS).fetchall()
            finally:
                self._connection.execute("COMMIT")
        if state is None:
            if rows:
                raise IntegrityError(f"{self.path}: there are sealed credentials, but their manifest was removed")
            return _Books(0, self._randomness(16).hex(), None, {})
        change, deployment, *manifest = state
        return _Books(change, deployment, _envelope(manifest), {str(row[0]): _row_of(row) for row in rows})


def _row(books: _Books, name: str) -> _Row:
    row = books.rows.get(name)
    if row is None:
        raise CredentialMistake(f'there is no sealed credential "{name}"; `yett credentials list` shows them')
    return row


def _bound(deployment: str, credential: Credential) -> bytes:
    return binding("credential", deployment, credential.id, str(credential.version))


def _manifest_bound(deployment: str, change: int) -> bytes:
    return binding("manifest", deployment, str(change))


def _manifest_of(books: _Books) -> Envelope:
    if books.manifest is None:
        raise IntegrityError("the manifest of the sealed credentials was removed")
    return books.manifest


def _manifest(books: _Books, key: bytes | str) -> dict[str, str]:
    """Which row of each name is the present one. Raises KekTrouble, IntegrityError."""
    if isinstance(key, str):
        raise KekTrouble(f"the manifest of the sealed credentials cannot be opened: {key}")
    envelope = _manifest_of(books)
    text = unseal(key, envelope.nonce, envelope.ciphertext, _manifest_bound(books.deployment, books.change))
    if text is None:
        raise IntegrityError("the manifest of the sealed credentials was changed by something else than Yett")
    return msgspec.json.decode(text, type=dict[str, str])


def _value(books: _Books, row: _Row, key: bytes) -> bytes | None:
    envelope = row.envelope
    return unseal(key, envelope.nonce, envelope.ciphertext, _bound(books.deployment, row.credential))


def _opened(books: _Books, row: _Row, key: bytes | str, known: Mapping[str, str]) -> bytes | str:
    """The value of a row, or why it is not to be had."""
    if isinstance(key, str):
        return key
    if (value := _value(books, row, key)) is None:
        return "it was changed since it was sealed, or is another one's"
    if known.get(row.credential.id) != row.digest:
        return "it is not the one that was sealed last: an older copy was put in its place"
    return value


def _rewrapped(row: _Row, wrapped: Wrapped) -> _Row:
    return _Row(replace(row.credential, kek=wrapped.kek), replace(row.envelope, wrapped=wrapped))


def _last4(value: str) -> str:
    return value[-4:] if len(value) >= _LAST4_FROM and value[-4:].isalnum() else ""


def _columns(row: _Row) -> tuple[object, ...]:
    shown = row.credential
    return (
        shown.id,
        shown.version,
        shown.owner,
        shown.created,
        shown.rotated,
        shown.last4,
        *_envelope_columns(row.envelope),
    )


def _envelope_columns(envelope: Envelope) -> tuple[object, ...]:
    return envelope.wrapped.kek, envelope.wrapped.key, envelope.nonce, envelope.ciphertext


def _row_of(row: Sequence[object]) -> _Row:
    id, version, owner, created, rotated, last4, kek, *_ = row
    shown = (id, version, owner, created, rotated, last4, kek)
    return _Row(
        msgspec.convert(dict(zip(Credential.__struct_fields__, shown, strict=True)), Credential), _envelope(row[6:])
    )


def _envelope(columns: Sequence[object]) -> Envelope:
    kek, wrapped, nonce, ciphertext = columns
    return Envelope(Wrapped(str(kek), cast("bytes", wrapped)), cast("bytes", nonce), cast("bytes", ciphertext))
