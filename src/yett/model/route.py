"""Target and Route: where a call may go, and in which order."""

from __future__ import annotations

from msgspec import Struct


class Secret:
    """A credential that cannot be printed, logged or serialised by accident: only `reveal()` gives it out."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialised")


class Timeouts(Struct, frozen=True):
    """Seconds per phase of one attempt; `total` bounds the whole attempt, stream included."""

    connect: float = 5.0
    first_byte: float = 60.0
    between_chunks: float = 60.0
    total: float = 600.0


class ServiceAccount(Struct, frozen=True):
    """An account of Google Cloud: the token of a grant is exchanged for one of it. `seconds` that this is to live."""

    url: str  # that generates its tokens
    scopes: tuple[str, ...]
    seconds: int


class AssumedRole(Struct, frozen=True):
    """A role of AWS, and the region whose models it may use. `seconds` that it is assumed for."""

    arn: str
    session: str
    region: str
    seconds: int


class Grant(Struct, frozen=True):
    """How the short-lived tokens of a provider are got at a token endpoint, instead of keys that are kept (RFC 6749 section 4.4,
    RFC 8693, RFC 7523; of AWS, AssumeRoleWithWebIdentity). What is "" is not sent."""

    kind: str  # client_credentials | token_exchange | jwt_bearer | web_identity
    url: str
    client: str
    proof: str  # of the client: basic | post | private_key_jwt | token_file | none
    secret: Secret | None = None
    private_key: Secret | None = None  # PEM
    key_id: str = ""
    file: str = ""  # with the token of the workload, read again for every request
    file_type: str = ""  # of that token, for an exchange
    scope: str = ""
    audience: str = ""
    resource: str = ""
    ca_file: str = ""
    timeout: float = 10.0
    account: ServiceAccount | None = None
    role: AssumedRole | None = None  # of a web_identity


class Provider(Struct, frozen=True):
    """A configured upstream: where it is, what it is labelled, which keys it takes. `keys` are secrets: see `Secret`. With a
    `grant` it has none, and is sent short-lived tokens."""

    id: str
    kind: str  # a file on the providers/ shelf
    base_url: str
    labels: tuple[str, ...]
    keys: tuple[Secret, ...]
    timeouts: Timeouts
    ca_file: str = ""
    grant: Grant | None = None


class Target(Struct, frozen=True):
    """One way to serve a model: `id` is "provider/model". Lower `priority` is tried first; `weight` splits equal priorities."""

    id: str
    provider: Provider
    model: str  # the provider's own name for it
    weight: int = 1
    priority: int = 0
