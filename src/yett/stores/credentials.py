"""Sealed credentials: what providers are called with, kept as envelopes by name, in `<state>/yett.db` or in the database that several
machines share.

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
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from yett.errors import IntegrityError, YettError
from yett.model.route import Secret
from yett.stores.database import FILE, Database, FileDatabase, Tables, opening
from yett.stores.envelope import KEY_BYTES, Envelope, Randomness, Wrapped, binding, seal, unseal
from yett.stores.kek import Kek, KekTrouble
from yett.stores.sqlite import Migration, StoreUnavailable

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
# One statement, so that it is all of one moment: the manifest comes first, in the place of a credential without a name.
_BOOKS = """SELECT '' AS id, change AS version, deployment AS owner, 0 AS created, 0 AS rotated, '' AS last4, kek, wrapped, nonce, ciphertext
    FROM credential_manifest UNION ALL
    SELECT id, version, owner, created, rotated, last4, kek, wrapped, nonce, ciphertext FROM credentials ORDER BY 1"""
_CHANGE = "SELECT COALESCE(MAX(change), 0) FROM credential_manifest"
_BEGUN = "SELECT 1 FROM sqlite_master WHERE name = 'credential_manifest'"
_PUT = (
    "INSERT INTO credentials VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET"
    " version = excluded.version, owner = excluded.owner, created = excluded.created, rotated = excluded.rotated,"
    " last4 = excluded.last4, kek = excluded.kek, wrapped = excluded.wrapped, nonce = excluded.nonce,"
    " ciphertext = excluded.ciphertext"
)
_REMOVE = "DELETE FROM credentials WHERE id = $1"
_PUT_MANIFEST = (
    "INSERT INTO credential_manifest VALUES (1, $1, $2, $3, $4, $5, $6) ON CONFLICT (one) DO UPDATE SET"
    " change = excluded.change, deployment = excluded.deployment, kek = excluded.kek, wrapped = excluded.wrapped,"
    " nonce = excluded.nonce, ciphertext = excluded.ciphertext"
)


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
    if not (state / FILE).exists():
        return 0
    database = FileDatabase(state)
    try:
        return int(database.rows(_CHANGE)[0][0]) if database.rows(_BEGUN) else 0
    finally:
        database.close()


def nobody(_event: str, _credential: Credential) -> None:
    """The witness when events are not recorded."""


def all_agree(_keks: frozenset[str]) -> None:
    """What asks nobody whether they can open what is sealed."""


class CredentialStore(Tables):
    """The sealed credentials of one state directory, or of a database that several machines share. `witness(event, credential)` is
    called inside each transaction, just before it commits: if it raises, nothing has changed. Events: credential.add, .rotate,
    .remove, .rewrap. Before that `agree` is told the names of the key-encryption keys that something would then be under, and
    raises when a gateway does not have one of them.

    Every method may raise IntegrityError (damaged, tampered with), StoreUnavailable or, where values are touched, KekTrouble.
    """

    def __init__(
        self,
        database: Database,
        *,
        witness: Witness = nobody,
        agree: Callable[[frozenset[str]], None] = all_agree,
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        """Creates what is needed on first use."""
        super().__init__(database)
        database.migrate("credentials", MIGRATIONS)
        self._witness = witness
        self._agree = agree
        self._randomness = randomness

    @classmethod
    def open(
        cls,
        state: Path,
        *,
        database: Database | None = None,
        witness: Witness = nobody,
        agree: Callable[[frozenset[str]], None] = all_agree,
        randomness: Randomness = secrets.token_bytes,
    ) -> CredentialStore:
        """Open the store in the state directory, or in `database`, which is closed with it."""
        with opening(state, database) as found:
            return cls(found, witness=witness, agree=agree, randomness=randomness)

    # ---- reading -----------------------------------------------------------------------------------------------------

    def change(self) -> int:
        """A number that grows with every change, whoever makes it; 0 before the first."""
        return int(self._database.rows(_CHANGE)[0][0])

    def version(self) -> int:
        """The same, at once: of a remote database it is what was last seen there."""
        return self._database.version(_CHANGE)

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
            self._agree(frozenset((manifest.wrapped.kek, *(row.credential.kek for row in put))))
            with self._database.writing():
                if self.change() != books.change:
                    continue  # someone else was faster: look again
                for row in put:
                    self._database.run(_PUT, *_columns(row))
                for gone in removed:
                    self._database.run(_REMOVE, gone.id)
                self._database.run(_PUT_MANIFEST, books.change + 1, books.deployment, *_envelope_columns(manifest))
                for changed in (*(row.credential for row in put), *removed):
                    self._witness(event, changed)
            return put, removed
        raise StoreUnavailable(f"{self._database.name} is being changed by others all the time; try again")

    def _sealed_manifest(self, books: _Books, known: Mapping[str, str], kek: Kek) -> Envelope:
        data_key = self._randomness(KEY_BYTES)
        text = msgspec.json.encode(known, order="deterministic")
        nonce, ciphertext = seal(data_key, text, _manifest_bound(books.deployment, books.change + 1), self._randomness)
        return Envelope(kek.wrap([data_key])[0], nonce, ciphertext)

    def _read(self) -> _Books:
        rows = self._database.rows(_BOOKS)
        if not rows:
            return _Books(0, self._randomness(16).hex(), None, {})
        if rows[0][0]:
            raise IntegrityError(f"{self._database.name}: there are sealed credentials, but their manifest was removed")
        (_, change, deployment, _, _, _, *manifest), *sealed = rows
        return _Books(change, deployment, _envelope(manifest), {str(row[0]): _row_of(row) for row in sealed})


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
