"""Record: what the audit journal keeps of a call. An intent goes in before anything leaves, one outcome at the end."""

from __future__ import annotations

from msgspec import Raw, Struct, field

from yett.model.usage import Usage

# One object: msgspec leaves a default out by identity, and an empty Raw that is written is not JSON.
NO_FACTS = Raw(b"{}")


class Attempt(Struct, frozen=True, omit_defaults=True):
    """One try at one upstream. `outcome`: ok, status, refused, reset, timeout.connect, timeout.first_byte, truncated, …"""

    target: str
    outcome: str
    status: int = 0
    ms: float = 0.0
    key: str = ""  # position of the provider key in its pool, "2/3"; never the key


class FindingCount(Struct, frozen=True):
    kind: str
    count: int
    where: str  # request | reply
    action: str  # what was done: noted, redacted, tokenized, replaced, blocked, observed; in a reply: restored


class Evidence(Struct, frozen=True, omit_defaults=True):
    """One finding by itself, without what was found: `value` is a keyed hash of that, the same for the same value in all calls of
    a tenant. `start` and `end` are characters of the text in which it stands."""

    kind: str
    where: str  # request | reply
    detector: str  # the whole way to it: base64>github-token; of a guardrail: its name
    role: str = ""  # one of `segment.ORIGINS`
    text: int = -1  # ordinal of the text among the strings of the body; -1 for a stream, or what is no string
    start: int = 0
    end: int = 0
    score: float = 1.0
    value: str = ""
    last: str = ""  # its last characters, where `audit.last4` says so


class Proof(Struct, frozen=True, omit_defaults=True):
    """How a caller proved who it is: `credential` is one of `caller.CREDENTIALS`, `id` names it. A key's is the caller's, so it
    is only there for one that was rotated, to say which of its secrets: its last characters."""

    credential: str
    kind: str = "service"  # one of `caller.KINDS`
    assurance: int = 0
    issuer: str = ""
    id: str = ""
    task: str = ""
    actors: tuple[str, ...] = ()  # who acts for the caller, the latest first
    through: str = ""  # the proxy that passed its certificate on


class Content(Struct, frozen=True, omit_defaults=True):
    """What is kept of a text. `hmac` is keyed (short prompts could be guessed from a plain hash); `blob` names the sealed copy."""

    bytes: int
    hmac: str = ""
    blob: str = ""


class Record(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One journal entry. `kind`: intent, outcome, event. Times are microseconds since the Unix epoch.

    The journal adds its own envelope: writer, sequence number, hash of the previous record.
    """

    kind: str
    call: str  # the call's id; for an event, what it is about
    ts: int
    caller: str = ""
    name: str = ""
    team: str = ""
    tenant: str = ""
    proof: Proof | None = None
    surface: str = ""  # openai_chat, …
    action: str = ""
    model: str = ""
    stream: bool = False
    labels: tuple[str, ...] = ()
    snapshot: str = ""  # digest of the configuration and policies in force
    decision: str = ""  # allow, deny, observe
    policies: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # who else was asked, and what was away: "moderation: failed open: timeout"
    findings: tuple[FindingCount, ...] = ()
    evidence: tuple[Evidence, ...] = ()  # outcome only: the first findings of each side, each by itself
    unlisted: int = 0  # findings that there was no room for in `evidence`
    facts: Raw = NO_FACTS  # of the decision, as `policy.explain.facts_to_record` gives them, in JSON
    targets: tuple[str, ...] = ()  # that the decision permits, in order
    hold: str = ""
    scopes: tuple[str, ...] = ()  # intent only: where the ledger counts the call
    reserved: tuple[int, ...] = ()  # intent, and event hold.extend: tokens and micro-USD that it holds at worst
    request: Content | None = None
    # outcome only
    outcome: str = ""  # ok, refused, failed, disconnected, cut, unknown
    code: str = ""  # the error code that the caller saw
    task: str = ""  # the task that the call is a step of: "task_…"
    step: int = 0  # which one
    fence: str = ""  # the fence that refused or cut it: its name and serial
    status: int = 0
    target: str = ""
    attempts: tuple[Attempt, ...] = ()
    usage: Usage | None = None
    reply: Content | None = None
    finish: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)  # of the answer: confidence, groundedness, 0.0 to 1.0
    ms: float = 0.0  # from the request's last byte to the reply's last byte
    overhead_ms: float = 0.0  # of it, spent in Yett
    first_byte_ms: float = 0.0
    event: str = ""  # event only: start, stop, reload, key.create, key.revoke, recovery, …
    detail: dict[str, object] = field(default_factory=dict)
