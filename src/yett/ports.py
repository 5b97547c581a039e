"""What the pipeline needs from outside, as protocols. Implementations live in `stores/` and `edge/`; tests bring fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from yett.model.attachment import Attached, Extracted
from yett.model.guardrail import Advice, Panel, Question
from yett.model.key import Limits
from yett.model.record import Record
from yett.model.route import Provider, Secret
from yett.model.substitute import Substitute


class Clock(Protocol):
    """`now` is wall time in seconds since the Unix epoch; `monotonic` never goes backwards and is for durations."""

    def now(self) -> float: ...
    def monotonic(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


# ---- limits -------------------------------------------------------------------------------------------------------


class Scope(Struct, frozen=True):
    """One thing that is limited: `id` like "key:key_x", "team:research", "team@acme:research" of another tenant than the
    first, "model:fast". What ends by itself, "task:…" and "token:…", has no rates, `lasts` so many seconds after its last call
    began, and may then be begun anew; `steps` is how many calls there may ever be, and its budget is for "ever"."""

    id: str
    limits: Limits
    lasts: int = 0
    steps: int | None = None


class Standing(Struct, frozen=True):
    """The tightest scope's state after a reservation, for the `x-ratelimit-*` headers. None: nothing limits it.
    `*_reset` is seconds until the bucket is full again. `share`: of so many equal parts of the limits it was one, because the
    store that all gateways share was away."""

    limit_requests: int | None = None
    remaining_requests: int | None = None
    reset_requests: float = 0.0
    limit_tokens: int | None = None
    remaining_tokens: int | None = None
    reset_tokens: float = 0.0
    share: int = 1


class Hold(Struct, frozen=True):
    """A granted reservation in every scope at once. `tokens` and `cost` (micro-USD) are the worst case that was reserved."""

    id: str
    scopes: tuple[Scope, ...]
    tokens: int
    cost: int
    expires: float  # wall seconds; without a settle or extend by then the lease is released (see the store's docs)
    standing: Standing


class Ledger(Protocol):
    """Rates, concurrency and budgets. All scopes are checked and changed in one atomic step, or none is."""

    async def reserve(self, id: str, scopes: tuple[Scope, ...], tokens: int, cost: int) -> Hold:
        """Reserve in every scope. Raises Refusal (rate_limit_exceeded, concurrency_exceeded, budget_exceeded with
        `retry_after` and the scope in the message; ledger_unavailable)."""
        ...

    async def settle(self, hold: Hold, tokens: int, cost: int) -> None:
        """Replace the worst case by what was used. Idempotent; never raises for a hold that has expired or was settled."""
        ...

    async def add(self, hold: Hold, cost: int) -> Hold:
        """Hold `cost` micro-USD more for a call that is still running, in every scope or in none. Raises Refusal (budget_exceeded:
        there is no room for so much; ledger_unavailable: nobody can say, or the lease has run out)."""
        ...

    async def extend(self, hold: Hold) -> bool:
        """Renew the lease of a call that is still running. False when the hold is gone."""
        ...


# ---- audit --------------------------------------------------------------------------------------------------------


class Journal(Protocol):
    """The append-only audit journal of this process."""

    async def append(self, record: Record) -> None:
        """Returns once the record is as durable as configured. Raises Refusal("audit_unavailable"): then it is not written."""
        ...

    def keep(self, call: str, part: str, text: bytes) -> str:
        """Seal `text` (part: request | reply) for later reading and return the blob's name, "" when not configured to."""
        ...

    def fingerprint(self, text: bytes) -> str:
        """Keyed hash of a text, hex; "" when content = "none"."""
        ...


# ---- the two sides of the wire ------------------------------------------------------------------------------------


class Outgoing(Struct, frozen=True):
    """One request to one upstream. `path` is appended to the provider's base URL; `headers` are complete but for
    Host, Content-Length and Connection, which the client adds."""

    provider: Provider
    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    secret: Secret | None = None


class UpstreamFailure(Exception):
    """An attempt failed below HTTP. `outcome` is what an Attempt records: refused, dns, tls, reset, truncated, garbage,
    timeout.connect, timeout.first_byte, timeout.between_chunks, timeout.total, too_large, no_disk, no_token, cancelled.
    `replayable`: no byte of the request can have been acted on (the connection was never established or was a stale
    keep-alive one that closed before any response byte)."""

    def __init__(self, outcome: str, message: str = "", *, replayable: bool = False) -> None:
        super().__init__(message or outcome)
        self.outcome = outcome
        self.replayable = replayable


class Exchange(Protocol):
    """An upstream's reply whose head has arrived."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]  # names in lower case, order kept

    def header(self, name: bytes) -> bytes: ...

    async def read(self, limit: int) -> bytes:
        """The whole body, content-encoding undone. Raises UpstreamFailure (too_large past `limit` bytes)."""
        ...

    async def stream(self, sink: Callable[[bytes], None]) -> None:
        """Push each piece of body to `sink` as it arrives, synchronously, from the data callback; returns at the regular
        end. Raises UpstreamFailure, or whatever `sink` raised (the exchange is then aborted)."""
        ...

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def unread(self, rest: bytes) -> None:
        """Take back the end of the piece that `sink` has just been given: it comes again, before all else, once it may go on."""
        ...

    def abort(self) -> None:
        """Drop the connection. Safe at any time, also after the end."""
        ...


class Upstream(Protocol):
    async def send(self, outgoing: Outgoing) -> Exchange:
        """Connect (or reuse), send, wait for the head. Raises UpstreamFailure."""
        ...


class Vault(Protocol):
    """What stands for values of earlier calls, by the key of their task; `owner` is a name for whose task it is. Nothing here raises:
    what cannot be kept or recalled is not put back, which is the safe way to fail; and the caller of these is told."""

    async def keep(
        self, owner: bytes, task: bytes, substitutes: Iterable[Substitute], seconds: float
    ) -> list[Substitute] | None:
        """Keep them for so long, or longer when they are kept already. They are committed when this returns an empty list. Else it is
        those of this task that are shown like one of them and stand for something else; None when they cannot be kept now."""
        ...

    async def recall(self, owner: bytes, task: bytes, shown: Sequence[str]) -> tuple[list[Substitute], bool]:
        """Those that are shown like this, in any case, and were issued in this task; and whether that is all of them, or cannot be
        told of some."""
        ...


class Files(Protocol):
    """Reads the text of attached files, away from the path of other calls."""

    async def read(self, tenant: str, files: Sequence[Attached], seconds: float, *, recognise: bool) -> list[Extracted]:
        """One for each, after so many seconds at most; with `recognise` also what is written on pictures. Raises nothing but
        CancelledError: a file that could not be read says why."""
        ...


class Advisers(Protocol):
    """Second opinions on texts. Asked only where a snapshot has a panel."""

    async def advise(self, panel: Panel, question: Question) -> Advice:
        """What the panel thinks, after `panel.deadline` seconds at most. Raises nothing but CancelledError: a guardrail that
        failed is in the advice."""
        ...


class Outlet(Protocol):
    """The caller's side of one exchange. Writes are synchronous and never block; `paused` says that the caller reads slowly.
    After `gone` is set, writes are dropped."""

    gone: bool
    paused: bool

    def head(self, status: int, headers: Sequence[tuple[str, str]], length: int | None) -> None:
        """Status and headers (visible ASCII); `length` None begins a chunked body."""
        ...

    def write(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def abandon(self) -> None:
        """The reply cannot be completed: end the connection so that the caller cannot take it for a whole one."""
        ...

    def cancel(self) -> None:
        """Cancel the task that serves this call."""
        ...

    def watch(self, on_gone: Callable[[], None], on_pause: Callable[[bool], None]) -> None:
        """Be told when the caller disconnects, and when to pause (True) or resume (False)."""
        ...


class Meter(Protocol):
    """Told every outcome once; metrics and the access log are made from it."""

    def observe(self, outcome: Record) -> None: ...
