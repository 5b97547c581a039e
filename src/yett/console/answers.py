"""What the console's API takes and answers: JSON, by these types. Times are ISO 8601 in UTC, "" for never."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

Line = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=200)]
Count = Annotated[int, Meta(ge=1, le=10**12)]


class RoleView(Struct, frozen=True):
    role: str
    tenants: tuple[str, ...]  # empty: all


class Me(Struct, frozen=True):
    """GET /api/v1/me. `csrf` is what changes have to carry in `x-yett-csrf`; "" for a token, which needs none."""

    issuer: str
    subject: str
    name: str
    email: str
    means: str
    roles: tuple[RoleView, ...]
    permissions: tuple[str, ...]
    session: str
    until: str
    csrf: str


class Worker(Struct, frozen=True):
    pid: int
    trouble: tuple[str, ...]
    digest: str
    mode: str
    refused: str
    targets: dict[str, str]


class Overview(Struct, frozen=True):
    """GET /api/v1/overview. `refused` are the mistakes of a configuration that was not taken up."""

    ready: bool
    degraded: tuple[str, ...]
    refused: str
    restart: tuple[str, ...]
    workers: tuple[Worker, ...]
    fences: int


class Key(Struct, frozen=True):
    id: str
    name: str
    team: str
    tenant: str
    last4: str
    state: str
    models: tuple[str, ...]
    limits: dict[str, object]
    labels: dict[str, str]
    created: str
    expires: str
    revoked: str
    last_used: str


class Keys(Struct, frozen=True):
    keys: tuple[Key, ...]


class Issued(Struct, frozen=True):
    """A key, and itself (`secret`), which is shown this once."""

    secret: str
    key: Key


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/v1/keys: what `yett keys create` takes."""

    name: Line
    team: Line
    tenant: Line = "default"
    models: tuple[Line, ...] = ()
    rpm: Count | None = None
    tpm: Count | None = None
    concurrency: Count | None = None
    budget: Text = ""
    expires: Text = ""  # from now: "30d"
    labels: dict[str, str] = field(default_factory=dict)


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/v1/keys/ID/rotate. `overlap`: for how long the old one still works, as in "1h"."""

    overlap: Text = "0s"


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """Of a change that needs no more than its address."""


class Fence(Struct, frozen=True):
    fence: str
    tenant: str
    serial: int
    since: str
    until: str
    only: str
    reason: str
    source: str


class Fences(Struct, frozen=True):
    fences: tuple[Fence, ...]


class NewFence(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/v1/fences: what `yett revoke` takes. `until`: "2h" from now, or a time."""

    kind: Line
    id: Line
    tenant: Line = "default"
    reason: Text = ""
    until: Text = ""
    sessions: bool = False


class Lifted(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /api/v1/fences/lift."""

    fence: Annotated[str, Meta(min_length=1, max_length=500)]


class Calls(Struct, frozen=True):
    """GET /api/v1/calls, newest first. `before` is where the next page goes on, "" when there is none; `complete` is false when the
    search was given up for taking too long, and goes on from there."""

    calls: tuple[dict[str, object], ...]
    before: str
    complete: bool


class Call(Struct, frozen=True):
    """GET /api/v1/calls/ID: its records, the intent first. With `content`, what is kept of prompt and reply is in it."""

    records: tuple[dict[str, object], ...]


class SessionView(Struct, frozen=True):
    id: str
    means: str
    issuer: str
    subject: str
    name: str
    email: str
    begun: str
    seen: str
    until: str
    address: str
    reason: str


class Sessions(Struct, frozen=True):
    sessions: tuple[SessionView, ...]
