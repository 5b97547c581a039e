"""VirtualKey: what is stored about a key that was issued to a caller. The key itself is never stored."""

from __future__ import annotations

from msgspec import Struct


class Budget(Struct, frozen=True):
    """Money that may be spent per calendar period (UTC): `amount` in micro-USD, `period` one of day, week, month; of what ends by
    itself also ever."""

    amount: int
    period: str


class Limits(Struct, frozen=True, omit_defaults=True):
    """What one scope (key, team or model) may use; None means that this scope does not limit it."""

    rpm: int | None = None  # requests per minute
    tpm: int | None = None  # tokens per minute
    concurrency: int | None = None  # calls in flight
    budget: Budget | None = None

    @property
    def unlimited(self) -> bool:
        return self.rpm is None and self.tpm is None and self.concurrency is None and self.budget is None


class VirtualKey(Struct, frozen=True):
    """One issued key. Times are whole seconds since the Unix epoch; 0 means never."""

    id: str  # "key_…", public: appears in records and logs
    name: str
    team: str
    digest: bytes  # HMAC-SHA-256(pepper, key)
    last4: str
    created: int
    expires: int = 0
    revoked: int = 0
    models: tuple[str, ...] = ()  # empty: whatever policy allows
    limits: Limits = Limits()
    labels: tuple[tuple[str, str], ...] = ()  # sorted (name, value) pairs
    tenant: str = "default"
    issued: int = 0  # when this secret of it was: later than `created` when the key was rotated
