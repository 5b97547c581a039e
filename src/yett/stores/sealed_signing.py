"""Signing keys that several gateways share: in their database, sealed under the key-encryption key that all of them have.

Of several that make the key of a period, the first one's counts, for all. Each row is bound to the deployment and to its time: one that
was put in another's place, or brought here from another deployment, does not open.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence

from yett.errors import IntegrityError
from yett.stores.database import Database
from yett.stores.envelope import KEY_BYTES, Randomness, Wrapped, binding, seal, unseal
from yett.stores.facts import Facts
from yett.stores.kek import Kek, KekTrouble
from yett.stores.signing import SEED, Span, new_seed
from yett.stores.sqlite import Migration

MIGRATIONS = (
    Migration(
        1,
        "task signing keys",
        (
            """CREATE TABLE signing_keys (
                begins INTEGER NOT NULL,
                ends INTEGER NOT NULL,
                kek TEXT NOT NULL,
                wrapped BLOB NOT NULL,
                nonce BLOB NOT NULL,
                ciphertext BLOB NOT NULL,
                PRIMARY KEY (begins, ends)
            ) STRICT""",
            """CREATE TABLE signing_state (
                one INTEGER PRIMARY KEY CHECK (one = 1),
                version INTEGER NOT NULL
            ) STRICT""",
            "INSERT INTO signing_state VALUES (1, 0)",
        ),
    ),
)
KEPT = 3600.0  # seconds that a row stays when no token can be under it any more: clocks differ
_VERSION = "SELECT version FROM signing_state WHERE one = 1"
_CHANGED = "UPDATE signing_state SET version = version + 1 WHERE one = 1"
_SINCE = "SELECT begins, ends, kek, wrapped, nonce, ciphertext FROM signing_keys WHERE ends > $1 ORDER BY begins, ends"
_ADD = "INSERT INTO signing_keys VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (begins, ends) DO NOTHING"
_OVER = "DELETE FROM signing_keys WHERE ends <= $1"
_REWRAP = "UPDATE signing_keys SET kek = $3, wrapped = $4 WHERE begins = $1 AND ends = $2 AND wrapped = $5"
_DEPLOYMENT = "deployment"


class SealedSeeds:
    """Implements stores.signing.Seeds. `kek` is asked for each time, so that one that was replaced is noticed. `lacking` says who
    could not open what is under a key-encryption key: while there is somebody, making the next key is left to them."""

    def __init__(
        self,
        database: Database,
        kek: Callable[[], Kek],
        lacking: Callable[[frozenset[str]], Collection[str]] = lambda _: (),
        randomness: Randomness = secrets.token_bytes,
    ) -> None:
        database.migrate("signing", MIGRATIONS)
        self._database = database
        self._kek = kek
        self._lacking = lacking
        self._randomness = randomness
        self._deployment = Facts(database).settle(_DEPLOYMENT, randomness(16).hex())
        self._version = -1
        self._known: dict[Span, bytes] = {}

    def due(self, spans: Sequence[Span]) -> bool:
        return self._database.version(_VERSION) != self._version

    def turn(self, spans: Sequence[Span], past: float) -> Mapping[Span, bytes]:
        version = self._database.version(_VERSION)
        rows = self._rows(past)
        if missing := [span for span in spans if span not in rows]:
            self._make(missing, past, urgent=spans[0] in missing)
            rows = self._rows(past)
        self._known = {span: self._known.get(span, b"") or self._opened(span, *row) for span, row in rows.items()}
        self._version = version
        return dict(self._known)

    def rewrap(self) -> int:
        """Wrap every data key under the newest KEK; how many were not."""
        kek = self._kek()
        rows = self._rows(0.0)
        wrapped = [row[0] for row in rows.values()]
        old = [(span, one) for (span, one, up) in zip(rows, wrapped, kek.newest(wrapped), strict=True) if not up]
        keys = kek.unwrap([one for _, one in old])
        good = [(span, one, key) for (span, one), key in zip(old, keys, strict=True) if isinstance(key, bytes)]
        anew = kek.wrap([key for *_, key in good])
        with self._database.writing():
            for (span, one, _), new in zip(good, anew, strict=True):
                self._database.run(_REWRAP, span.begins, span.ends, new.kek, new.key, one.key)
        if lost := [key for key in keys if isinstance(key, str)]:
            raise KekTrouble(f"{len(lost)} keys that task tokens are signed with cannot be opened: {lost[0]}")
        return len(good)

    def keks(self) -> frozenset[str]:
        """The key-encryption keys that something is under."""
        return frozenset(wrapped.kek for wrapped, _, _ in self._rows(0.0).values())

    def _make(self, spans: Sequence[Span], past: float, *, urgent: bool) -> None:
        data_keys = [self._randomness(KEY_BYTES) for _ in spans]
        wrapped = self._kek().wrap(data_keys)  # before the transaction: it may be a service's to answer
        if not urgent and self._lacking(frozenset(one.kek for one in wrapped)):
            return
        with self._database.writing():
            self._database.run(_OVER, int(past - KEPT))
            added = 0
            for span, data_key, one in zip(spans, data_keys, wrapped, strict=True):
                sealed = seal(data_key, new_seed(), self._bound(span), self._randomness)
                added += self._database.run(_ADD, span.begins, span.ends, one.kek, one.key, *sealed)
            if added:
                self._database.run(_CHANGED)

    def _rows(self, past: float) -> dict[Span, tuple[Wrapped, bytes, bytes]]:
        rows = self._database.rows(_SINCE, int(past))
        return {Span(row[0], row[1]): (Wrapped(row[2], row[3]), row[4], row[5]) for row in rows}

    def _opened(self, span: Span, wrapped: Wrapped, nonce: bytes, ciphertext: bytes) -> bytes:
        key = self._kek().unwrap([wrapped])[0]
        if isinstance(key, str):
            raise KekTrouble(f"the key that task tokens are signed with cannot be opened: {key}")
        seed = unseal(key, nonce, ciphertext, self._bound(span))
        if seed is None or len(seed) != SEED:
            raise IntegrityError(f"{self._database.name} holds a signing key that was changed, or is another one's")
        return seed

    def _bound(self, span: Span) -> bytes:
        return binding("task signing key", self._deployment, str(span.begins), str(span.ends))
