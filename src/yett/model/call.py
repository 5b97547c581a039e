"""Call: what the caller wants, as a view of the raw body. The body stays the truth; edits are patches on its bytes."""

from __future__ import annotations

from msgspec import Struct

from yett.model.route import Secret


class Inbound(Struct, frozen=True):
    """One complete HTTP request as the listener hands it over. `path` has no query. Header names are lower case; a field that
    came more than once has its values joined with ", " (RFC 9110 section 5.3)."""

    method: str
    path: str
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    peer: str
    received: float  # monotonic seconds when the last byte was in
    refused: str = ""  # a code of errors.CODES when the listener could not take the request
    certificates: tuple[
        bytes, ...
    ] = ()  # DER: the one that the caller proved to have the key of, and what leads to its authority


class Grant(Struct, frozen=True):
    """What a token exchange asks for. `own`: the subject's token is the one that the call came with. `seconds` and `budget`
    (micro-USD) are 0 when not said. `bind` is what the new token is to be bound to: key, certificate, none; "" is whatever was shown."""

    inbound: Inbound
    subject: Secret
    own: bool
    scope: tuple[str, ...]
    seconds: int
    budget: int
    purpose: str
    audience: str
    bind: str = ""


class Call(Struct, frozen=True):
    """One governed call. `argument` is what the path names (a call id); "" for most surfaces."""

    surface: str
    action: str  # what policy is asked: InvokeModel, ListModel, ReadCall
    body: bytes
    text: str = ""  # what there is to inspect when it is not the body: the path of a route that Yett answers itself
    model: str = ""
    stream: bool = False
    include_usage: bool = False
    max_tokens: int = 0
    choices: int = 1
    tools: bool = False
    instructions: tuple[str, ...] = ()  # the texts of the system's and the developer's messages
    labels: tuple[str, ...] = ()  # declared by the caller or its key, sorted; inspection may add to them
    argument: str = ""
    task: str = ""  # what the caller says that the call is part of
    grant: Grant | None = None  # of a token exchange
