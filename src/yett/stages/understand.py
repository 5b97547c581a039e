"""understand: what the caller wants. The one list of routes; a request outside it is refused like any other call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from yett.config.snapshot import Snapshot
from yett.dialects import openai_chat
from yett.dialects.leaves import UNPATCHABLE
from yett.errors import Refusal
from yett.model.call import Call, Inbound
from yett.model.caller import Caller
from yett.model.segment import Segment
from yett.stages import exchange, inspect
from yett.stages.inspect import Examine, Seen

MAX_LABELS = 16
MAX_TASK = 128


class Surface(Struct, frozen=True):
    """One route: `path` ends in "/" when the rest of the path is the call's argument. `read` makes the Call of it, `look` says
    what is in the Call: findings, and the segments that they are in."""

    id: str
    method: str
    path: str
    action: str
    read: Callable[[Surface, Inbound, tuple[str, ...]], Call]
    look: Callable[[Examine, Snapshot, Caller, Call], Awaitable[Seen]]


def _chat(surface: Surface, inbound: Inbound, labels: tuple[str, ...]) -> Call:
    request = openai_chat.understand(inbound.body)
    return Call(
        surface=surface.id,
        action=surface.action,
        body=inbound.body,
        model=request.model,
        stream=request.stream,
        include_usage=request.include_usage,
        max_tokens=request.max_tokens,
        choices=request.choices,
        tools=request.tools,
        instructions=request.instructions,
        labels=labels,
        task=task_of(inbound),
    )


def _local(surface: Surface, inbound: Inbound, labels: tuple[str, ...]) -> Call:
    """A route that Yett answers itself. The path and query are the caller's text like any other, so they are inspected."""
    argument = inbound.path.removeprefix(surface.path) if surface.path.endswith("/") else ""
    text = f"{inbound.path}?{inbound.query}" if inbound.query else inbound.path
    return Call(
        surface=surface.id,
        action=surface.action,
        body=inbound.body,
        text=text,
        labels=labels,
        argument=argument,
    )


def _exchange(surface: Surface, inbound: Inbound, labels: tuple[str, ...]) -> Call:
    """What stays of the form has no token in it, so that none is inspected, recorded or kept."""
    grant, shown = exchange.read(inbound)
    return Call(surface=surface.id, action=surface.action, body=shown, text=shown.decode(), labels=labels, grant=grant)


async def _look_at_body(examine: Examine, snapshot: Snapshot, caller: Caller, call: Call) -> Seen:
    return await inspect.look(examine, snapshot, caller.tenant, call.body)


async def _look_at_path(_examine: Examine, snapshot: Snapshot, _caller: Caller, call: Call) -> Seen:
    segments = (Segment(call.text, "other", UNPATCHABLE),)
    return Seen(snapshot.scanner.scan(segments), segments)


SURFACES = (
    Surface("openai_chat", "POST", "/v1/chat/completions", "InvokeModel", _chat, _look_at_body),
    Surface("openai_models", "GET", "/v1/models", "ListModel", _local, _look_at_path),
    Surface("openai_model", "GET", "/v1/models/", "ListModel", _local, _look_at_path),
    Surface("oauth_token", "POST", "/oauth/token", "ExchangeToken", _exchange, _look_at_path),
    Surface("yett_calls", "GET", "/yett/v1/calls/", "ReadCall", _local, _look_at_path),
)
READING = (
    "GET",
    "HEAD",
)  # HEAD is a GET whose answer has no body; the listener leaves that out (RFC 9110 section 9.3.2)
_EXACT = {surface.path: surface for surface in SURFACES if not surface.path.endswith("/")}
_PREFIX = tuple(surface for surface in SURFACES if surface.path.endswith("/"))


def surface_of(inbound: Inbound) -> Surface:
    """Raises Refusal: what the listener could not take, not_found, method_not_allowed."""
    if inbound.refused:
        raise Refusal(inbound.refused)
    surface = _EXACT.get(inbound.path) or next(
        (s for s in _PREFIX if inbound.path.startswith(s.path) and inbound.path != s.path), None
    )
    if surface is None:
        raise Refusal("not_found")
    taken = READING if surface.method == "GET" else (surface.method,)
    if inbound.method not in taken:
        refusal = Refusal("method_not_allowed", f"This route takes {' and '.join(taken)}.")
        refusal.headers = (("allow", ", ".join(taken)),)
        raise refusal
    return surface


def task_of(inbound: Inbound) -> str:
    """The task that the call is part of, as `x-yett-task` names it; "" without one."""
    task = inbound.headers.get(b"x-yett-task", b"")
    if len(task) > MAX_TASK or not task.isascii() or not task.decode().isprintable():
        raise Refusal("invalid_request", f"`x-yett-task` takes a name of at most {MAX_TASK} visible ASCII characters.")
    return task.decode()


def labels_of(inbound: Inbound, caller: Caller) -> tuple[str, ...]:
    """The labels of the content: declared in `x-yett-labels`, or carried by the key as `data=…`. Sorted, distinct.

    A caller's word counts because policies use labels to restrict; one that tries to use them to permit is a policy bug.
    """
    declared = [value for name, value in caller.labels if name == "data"]
    header = inbound.headers.get(b"x-yett-labels")
    if header:
        declared += [label.strip() for label in header.decode("latin-1").split(",") if label.strip()]
        if len(declared) > MAX_LABELS or any(len(label) > 64 or not label.isprintable() for label in declared):
            raise Refusal("invalid_request", f"`x-yett-labels` takes at most {MAX_LABELS} short labels.")
    return tuple(sorted(set(declared))) if declared else ()
