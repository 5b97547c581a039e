"""Routes that Yett answers itself, on the same pipeline as every other call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from yett.dialects import openai_chat
from yett.errors import Refusal
from yett.model.call import Call, Inbound
from yett.model.caller import Caller
from yett.stages import exchange
from yett.stages.exchange import Allowance, Signer
from yett.stages.identify_tokens import Trust
from yett.stages.record import Trail

# What a caller may read of its own call; the rest (facts, chain, hold) is the operator's.
_SHOWN = (
    "call ts task step model stream labels decision policies observed obligations findings targets target outcome code status attempts "
    "usage finish scores ms overhead_ms first_byte_ms".split()
)


class Calls(Protocol):
    """Finished calls, for their own caller: `GET /yett/v1/calls/{id}`."""

    async def find(self, call: str) -> list[bytes]:
        """The journal lines of this call, oldest first."""
        ...


class Means(Protocol):
    """What of the gate it takes."""

    @property
    def calls(self) -> Calls: ...
    @property
    def trust(self) -> Trust: ...
    @property
    def signer(self) -> Signer: ...
    @property
    def allowance(self) -> Allowance: ...


def published(inbound: Inbound, trail: Trail, signer: Signer) -> bytes | None:
    """What everybody has to know who verifies task tokens; nothing else is answered to whoever asks. None for another request, and where
    no tokens are issued."""
    if not inbound.path.startswith("/.well-known/") or inbound.method not in ("GET", "HEAD"):
        return None
    issuer = trail.snapshot.settings.identity.tasks.issuer
    if issuer and inbound.path == exchange.KEYS:
        trail.surface = "oauth_keys"
        return signer.document
    # RFC 8414 section 3.1
    if issuer and inbound.path in (exchange.METADATA, exchange.METADATA + urlsplit(issuer).path.rstrip("/")):
        trail.surface = "oauth_metadata"
        return exchange.metadata(trail.snapshot.settings)
    return None


async def answer(call: Call, caller: Caller, listed: tuple[str, ...], trail: Trail, means: Means) -> bytes:
    """The body of the answer. Raises Refusal."""
    if call.grant is not None:
        return await exchange.issue(call.grant, caller, means.trust, means.signer, means.allowance, trail)
    if call.action == "ListModel":
        return models(listed, call.argument)
    return record(caller, await means.calls.find(call.argument))


def models(listed: tuple[str, ...], name: str) -> bytes:
    """GET /v1/models, and /v1/models/{name}. Raises Refusal("model_not_found")."""
    if not name:
        return openai_chat.model_list(listed)
    if name not in listed:
        raise Refusal("model_not_found", param="model")
    return openai_chat.model_object(name)


def record(caller: Caller, lines: Sequence[bytes]) -> bytes:
    """GET /yett/v1/calls/{id}: the reviewable record. Raises Refusal("call_not_found") for another caller's call too, so that
    ids cannot be probed."""
    entries = [msgspec.json.decode(line) for line in lines]
    own = [e for e in entries if e.get("caller") == caller.id and e.get("tenant") == caller.tenant]
    if (
        handed := caller.credential.delegation
    ) is not None:  # who acts for somebody sees what the task did, not all that they did
        own = [e for e in own if handed.task in (e.get("task"), e.get("proof", {}).get("task"))]
    if not own:
        raise Refusal("call_not_found")
    merged = {}
    for entry in own:  # the intent first, then what the outcome knows better
        merged.update({name: entry[name] for name in _SHOWN if name in entry})
    merged["complete"] = own[-1].get("kind") == "outcome"
    return msgspec.json.encode(merged)
