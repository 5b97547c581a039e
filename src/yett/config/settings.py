"""Every setting of yett.toml, with its type, default and meaning: the JSON Schema and docs/configuration.md come from here.
A table with much in it, or with tables below it, has a file of its own: `[stores]` is in `store_settings`.

These values are what the operator wrote, with durations in seconds and sizes in bytes. References to secrets stay
references; `config.snapshot` turns all of it into what a call needs.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yett.config.credential_settings import CredentialSettings
from yett.config.guardrail_settings import AdviceSettings, GuardrailSettings
from yett.config.identity_settings import IdentitySettings
from yett.config.inspection_settings import InspectionSettings
from yett.config.operator_settings import OperatorSettings
from yett.config.provider_settings import ProviderSettings
from yett.config.receiver_settings import ReceiverSettings
from yett.config.scalars import Bytes, Count, Money, Port, Price, Seconds, SecretReference, Timeout
from yett.config.scim_settings import ScimSettings
from yett.config.store_settings import StoreSettings
from yett.config.task_settings import TaskSettings
from yett.config.tls_settings import TlsSettings


class GatewaySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The port that applications call, and what a single caller may do to it."""

    host: Annotated[str, Meta(description="Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on.")] = 8484
    workers: Annotated[int, Meta(description="Processes that share the port.", ge=1, le=256)] = 1
    max_body_bytes: Annotated[Bytes, Meta(description="Largest request body.")] = 8 * 1024**2
    max_header_bytes: Annotated[Bytes, Meta(description="Largest request head, all header fields together.")] = 65_536
    max_headers: Annotated[int, Meta(description="Most header fields of a request.", ge=1, le=10_000)] = 100
    header_timeout: Annotated[Timeout, Meta(description="For a request's head to arrive completely.")] = 10.0
    body_timeout: Annotated[Timeout, Meta(description="For a request's body to arrive completely.")] = 30.0
    idle_timeout: Annotated[Timeout, Meta(description="Until an unused keep-alive connection is closed.")] = 75.0
    write_timeout: Annotated[
        Timeout, Meta(description="Until a caller that takes nothing of its reply is cut off.")
    ] = 60.0
    max_in_flight: Annotated[Count, Meta(description="Calls in progress per worker; more are refused.")] = 1000
    max_reply_bytes: Annotated[Bytes, Meta(description="Largest reply that is accepted from a provider.")] = (
        32 * 1024**2
    )
    drain_seconds: Annotated[Seconds, Meta(description="How long calls in progress may finish after SIGTERM.")] = 30.0
    access_log: Annotated[bool, Meta(description="Log one line for each call.")] = True
    expose_metadata: Annotated[
        bool, Meta(description="Send the `x-yett-*` headers that tell a caller what was decided and why.")
    ] = True
    tls: Annotated[TlsSettings | None, Meta(description="Encryption; without this table there is none.")] = None


class AdminSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's port: health, readiness and metrics."""

    host: Annotated[str, Meta(description="Address to listen on.", min_length=1)] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on.")] = 8485
    token: Annotated[
        SecretReference,
        Meta(description="Bearer token for /metrics and details; required when `host` is not a loopback address."),
    ] = ""


class StateSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where Yett keeps what must outlive it: keys, limits, the audit journal."""

    dir: Annotated[str, Meta(description="Directory, relative to yett.toml.", min_length=1)] = ".yett"


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The audit journal: how durable, and how much of prompts and answers is kept."""

    dir: Annotated[str, Meta(description='Directory, relative to yett.toml; "" is `audit` in the state directory.')] = (
        ""
    )
    durability: Annotated[
        Literal["crash", "power"],
        Meta(
            description="What a recorded intent survives before anything leaves: the death of the process, "
            "or a power cut (fdatasync by group commit)."
        ),
    ] = "crash"
    content: Annotated[
        Literal["none", "digest", "redacted", "full"],
        Meta(
            description="What is kept of prompts and answers: nothing, a keyed hash, the text with findings redacted, "
            "or the text. Stored text is encrypted."
        ),
    ] = "digest"
    findings: Annotated[
        int,
        Meta(
            description="Findings of each side of a call that are recorded by themselves, with place, score and a keyed hash "
            "of the value; the others are only counted.",
            ge=0,
            le=1000,
        ),
    ] = 32
    last4: Annotated[
        bool, Meta(description="Also record the last 4 characters of a value that has 12 or more, for recognising it.")
    ] = False
    segment_bytes: Annotated[Bytes, Meta(description="Size at which a new journal file is begun.")] = 64 * 1024**2
    checkpoint_seconds: Annotated[
        Timeout, Meta(description="Longest time between signed checkpoints while records arrive.")
    ] = 10.0
    checkpoint_records: Annotated[Count, Meta(description="Most records between signed checkpoints.")] = 1000


class LimitSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a team or a model may use; a limit that is not given does not apply."""

    rpm: Annotated[Count | None, Meta(description="Requests per minute, refilled continuously.")] = None
    tpm: Annotated[Count | None, Meta(description="Tokens per minute, refilled continuously.")] = None
    concurrency: Annotated[Count | None, Meta(description="Calls in flight.")] = None
    budget: Annotated[Money, Meta(description="Money per calendar day, week or month (UTC).")] = ""


class TargetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One way to serve a model."""

    provider: Annotated[str, Meta(description="Name of a `[providers.NAME]` table.", min_length=1)]
    model: Annotated[str, Meta(description="The provider's own name of the model.", min_length=1)]
    weight: Annotated[int, Meta(description="Share among targets of equal priority.", ge=1, le=10_000)] = 1
    priority: Annotated[int, Meta(description="Lower is tried first.", ge=0, le=10_000)] = 0


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A model as callers name it, and where it is served."""

    targets: Annotated[tuple[TargetSettings, ...], Meta(description="Where it is served.")] = ()
    limits: Annotated[LimitSettings, Meta(description="What all callers together may use of it.")] = LimitSettings()
    unknown_price: Annotated[
        Literal["refuse", "flag"],
        Meta(
            description="A target without a known price: refuse the call, or let it pass with its cost flagged unknown."
        ),
    ] = "refuse"
    max_output_tokens: Annotated[
        Count | None, Meta(description="Reserved, and sent as the cap, when a call does not say how much it wants.")
    ] = None
    attempts: Annotated[
        Annotated[int, Meta(ge=1, le=20)] | None, Meta(description="Instead of `routing.attempts`.")
    ] = None


class TeamSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A team that virtual keys are issued to."""

    models: Annotated[tuple[str, ...], Meta(description="Models it may use; empty leaves it to policy.")] = ()
    limits: Annotated[LimitSettings, Meta(description="What all its keys together may use.")] = LimitSettings()
    labels: Annotated[
        dict[str, str], Meta(description="Facts for policies, given to each of its keys that does not set them itself.")
    ] = field(default_factory=dict)


class LedgerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How reservations are held."""

    lease_seconds: Annotated[
        Timeout, Meta(description="After which the reservation of a call that crashed is released.")
    ] = 60.0
    default_output_tokens: Annotated[
        Count, Meta(description="Reserved for a call that names no limit, of a model without `max_output_tokens`.")
    ] = 4096


class PolicySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the policies are."""

    dir: Annotated[str, Meta(description="Directory of `.cedar` files, relative to yett.toml.", min_length=1)] = (
        "policies"
    )


class RedactionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands for values that policies let leave as tokens or surrogates."""

    ttl: Annotated[
        Seconds,
        Meta(description="How long it is kept, encrypted, for the later calls of a task, after it was last used."),
    ] = 86_400.0
    vault: Annotated[
        Literal["optional", "required"],
        Meta(
            description="When what stands for values cannot be kept or recalled: go on, and let it stand in later answers, or "
            "refuse the call."
        ),
    ] = "optional"


class RoutingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Retries, failover, circuit breaker."""

    attempts: Annotated[int, Meta(description="Most attempts for one call, over all targets.", ge=1, le=20)] = 3
    backoff: Annotated[
        Seconds, Meta(description="Wait before the second try of the same target; doubles each time.")
    ] = 0.25
    max_backoff: Annotated[
        Seconds, Meta(description="Longest wait, also for a provider's Retry-After; a longer one is passed on instead.")
    ] = 5.0
    breaker_failures: Annotated[
        int,
        Meta(
            description="Failures in a row after which a target is set aside. Half of 20 attempts within a minute are enough as well.",
            ge=1,
            le=10_000,
        ),
    ] = 5
    cooldown: Annotated[
        Seconds,
        Meta(
            description="How long a target is set aside before one call may probe it; twice as long each time that fails, up to ten minutes."
        ),
    ] = 15.0
    key_cooldown: Annotated[
        Seconds, Meta(description="How long a provider key is set aside after 401 or 429 without Retry-After.")
    ] = 60.0
    max_connections: Annotated[Count, Meta(description="Connections to one provider, per worker.")] = 256
    proxy: Annotated[
        str,
        Meta(
            description="HTTP proxy that providers are reached through (CONNECT), as in `http://proxy.example:3128`; "
            "one with a password is a reference, such as `env:HTTPS_PROXY`."
        ),
    ] = ""


class PriceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Your own price of a target, instead of the price list's. US dollars per million tokens."""

    input_usd_per_mtok: Annotated[Price, Meta(description="Input tokens.")]
    output_usd_per_mtok: Annotated[Price, Meta(description="Output tokens.")]
    cached_usd_per_mtok: Annotated[
        Price | None, Meta(description="Input tokens that the provider had cached; the input price when not given.")
    ] = None


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Structured logs on standard error. They never contain a prompt, an answer, a key or a credential."""

    format: Annotated[
        Literal["json", "text"], Meta(description="One JSON object, or one readable line, per event.")
    ] = "text"
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="Least severe level written.")] = (
        "info"
    )


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of yett.toml."""

    mode: Annotated[
        Literal["enforce", "observe"],
        Meta(description="Enforce policies, or only record what they would have done without touching traffic."),
    ] = "enforce"
    gateway: Annotated[GatewaySettings, Meta(description="The port that applications call.")] = GatewaySettings()
    admin: Annotated[AdminSettings, Meta(description="The operator's port.")] = AdminSettings()
    operators: Annotated[OperatorSettings, Meta(description="Who signs in there.")] = OperatorSettings()
    state: Annotated[StateSettings, Meta(description="Where Yett keeps what must outlive it.")] = StateSettings()
    audit: Annotated[AuditSettings, Meta(description="The audit journal.")] = AuditSettings()
    credentials: Annotated[CredentialSettings, Meta(description="What sealed credentials are opened with.")] = (
        CredentialSettings()
    )
    providers: Annotated[dict[str, ProviderSettings], Meta(description="Upstreams, by name.")] = field(
        default_factory=dict
    )
    models: Annotated[dict[str, ModelSettings], Meta(description="Models, by the name that callers use.")] = field(
        default_factory=dict
    )
    teams: Annotated[dict[str, TeamSettings], Meta(description="Teams, by name.")] = field(default_factory=dict)
    limits: Annotated[LedgerSettings, Meta(description="How reservations are held.")] = LedgerSettings()
    stores: Annotated[StoreSettings, Meta(description="What several machines share.")] = StoreSettings()
    tenants: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")], ...],
        Meta(
            description="Tenants that keys are issued to, beside `default`; teams of the same name in two of them share nothing."
        ),
    ] = ()
    receivers: Annotated[dict[str, ReceiverSettings], Meta(description="Transmitters of security events, by name.")] = (
        field(default_factory=dict)
    )
    scim: Annotated[dict[str, ScimSettings], Meta(description="Directories that are provisioned, by name.")] = field(
        default_factory=dict
    )
    tasks: Annotated[TaskSettings, Meta(description="Calls that belong together.")] = TaskSettings()
    policy: Annotated[PolicySettings, Meta(description="Where the policies are.")] = PolicySettings()
    inspection: Annotated[InspectionSettings, Meta(description="What is looked for.")] = InspectionSettings()
    advice: Annotated[AdviceSettings, Meta(description="How guardrails are asked.")] = AdviceSettings()
    guardrails: Annotated[dict[str, GuardrailSettings], Meta(description="Second opinions, by name.")] = field(
        default_factory=dict
    )
    identity: Annotated[IdentitySettings, Meta(description="Proofs of identity.")] = IdentitySettings()
    redaction: Annotated[RedactionSettings, Meta(description="Values that come back.")] = RedactionSettings()
    routing: Annotated[RoutingSettings, Meta(description="Retries, failover, circuit breaker.")] = RoutingSettings()
    prices: Annotated[
        dict[str, PriceSettings], Meta(description='Your own prices, by target: `[prices."provider/model"]`.')
    ] = field(default_factory=dict)
    log: Annotated[LogSettings, Meta(description="Structured logs.")] = LogSettings()
