"""One call of the demo's script, sent as an application would send it, and everything that can be learned about it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from yett.model.record import Attempt, FindingCount
from yett.model.usage import Usage

SECONDS = 30.0  # to wait for anything


class Ask(Struct, frozen=True):
    """What is sent. `key` is a name from the demo's keys; `body` is the JSON, or bytes that are not even that. Looking a record
    up is a request of the same key: without `look_up`, only the answer's headers tell about it."""

    key: str
    body: dict[str, object] | bytes = b""
    labels: str = ""
    path: str = "/v1/chat/completions"
    look_up: bool = True


class CallRecord(Struct, frozen=True):
    """What `GET /yett/v1/calls/{id}` tells, as far as the demo shows it."""

    decision: str = ""
    policies: tuple[str, ...] = ()
    findings: tuple[FindingCount, ...] = ()
    obligations: tuple[str, ...] = ()
    target: str = ""
    outcome: str = ""
    code: str = ""
    attempts: tuple[Attempt, ...] = ()
    usage: Usage | None = None
    ms: float = 0.0
    overhead_ms: float = 0.0
    complete: bool = False


class Outcome(Struct, frozen=True):
    """What came back. `text` is the answer's content, streamed or not; `tools` the calls it proposes; `code` the error code,
    also of an error inside a stream. `provider_saw` is the last user message as the provider received it."""

    status: int
    id: str
    text: str = ""
    tools: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    retry_after: str = ""
    models: tuple[str, ...] = ()
    record: CallRecord = CallRecord()
    provider_saw: str = ""
    ms: float = 0.0


class _Function(Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class _Tool(Struct, frozen=True):
    function: _Function = _Function()


class _Message(Struct, frozen=True):
    content: str | None = None
    tool_calls: list[_Tool] | None = None


class _Choice(Struct, frozen=True):
    message: _Message = _Message()
    delta: _Message = _Message()


class _Error(Struct, frozen=True):
    code: str | None = None
    message: str = ""


class _Model(Struct, frozen=True):
    id: str


class _Body(Struct, frozen=True):
    choices: list[_Choice] = []
    error: _Error | None = None
    data: list[_Model] = []


class Reach(Struct, frozen=True):
    """Where the demo's processes are, and the keys by name."""

    gateway: str
    simulator: str
    keys: Mapping[str, str]


def send(ask: Ask, reach: Reach) -> Outcome:
    """Send it and look up its record. Raises OSError or http.client.HTTPException when the gateway is not there."""
    payload = ask.body if isinstance(ask.body, bytes) else json.dumps(ask.body, ensure_ascii=False).encode()
    key = reach.keys.get(ask.key, ask.key)
    headers = {"Authorization": f"Bearer {key}"}
    if ask.labels:
        headers["x-yett-labels"] = ask.labels
    began = time.perf_counter()
    status, told, body = request(reach.gateway, "POST" if payload else "GET", ask.path, payload, headers)
    ms = (time.perf_counter() - began) * 1000
    pieces = _events(body) if b"data: " in body[:4096] else [body]
    parts = [_decoded(piece) for piece in pieces]
    id = told.get("x-yett-request-id", "")
    error = next((part.error for part in parts if part.error), None)
    return Outcome(
        status=status,
        id=id,
        text="".join(_text(choice) for part in parts for choice in part.choices),
        tools=_tools(parts),
        code=(error.code or "") if error else "",
        message=error.message if error else "",
        retry_after=told.get("retry-after", ""),
        models=tuple(model.id for part in parts for model in part.data),
        record=_record(reach, id, headers) if ask.look_up and status != http.client.UNAUTHORIZED else _told(told),
        ms=ms,
    )


def request(
    url: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One HTTP exchange on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request(method, path, body or None, {"Content-Type": "application/json", **(headers or {})})
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def behave(reach: Reach, who: str, words: str) -> None:
    """Tell the simulator how a provider ("cloud") or one of its models ("sim-gpt") behaves from now on; "" as before."""
    layer = "model" if who.startswith("sim-") else "provider"
    wish = json.dumps({"behaviour": words, layer: who}).encode()
    status, _, body = request(reach.simulator, "POST", "/sim/behave", wish)
    if status != http.client.OK:
        raise ValueError(f"the simulator does not know {words!r}: {body.decode(errors='replace')}")


def received(reach: Reach) -> str:
    """The last user message that any provider received, as it received it."""
    _, _, body = request(reach.simulator, "GET", "/sim/requests?last=1")
    requests = json.loads(body)["requests"]
    if not requests or not requests[0]["body"]:
        return ""
    messages = json.loads(requests[0]["body"])["messages"]
    return next((str(message["content"]) for message in reversed(messages) if message["role"] == "user"), "")


def _record(reach: Reach, id: str, headers: Mapping[str, str]) -> CallRecord:
    """The call's record, once it is complete; it is written before the last byte of the answer leaves."""
    if not id:
        return CallRecord()
    status, _, body = request(reach.gateway, "GET", f"/yett/v1/calls/{id}", headers=headers)
    return msgspec.json.decode(body, type=CallRecord) if status == http.client.OK else CallRecord()


def _told(headers: Mapping[str, str]) -> CallRecord:
    """The same from the answer's headers, as far as they tell it."""
    provider, model = headers.get("x-yett-provider", ""), headers.get("x-yett-model", "")
    cost = headers.get("x-yett-cost-usd", "")
    return CallRecord(
        target=f"{provider}/{model}" if provider else "",
        policies=tuple(headers.get("x-yett-policies", "").split(", ")) if headers.get("x-yett-policies") else (),
        usage=Usage(cost=round(float(cost) * 1_000_000)) if cost.replace(".", "").isdigit() else None,
    )


def _events(body: bytes) -> list[bytes]:
    lines = body.decode("utf-8", "replace").splitlines()
    return [line.removeprefix("data: ").encode() for line in lines if line.startswith("data: {")]


def _decoded(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except msgspec.DecodeError:
        return _Body()


def _text(choice: _Choice) -> str:
    return (choice.message.content or "") + (choice.delta.content or "")


def _tools(parts: list[_Body]) -> tuple[str, ...]:
    """Proposed calls, `name(arguments)`; the pieces of a streamed one are joined."""
    calls: list[str] = []
    for part in parts:
        for choice in part.choices:
            for tool in [*(choice.message.tool_calls or ()), *(choice.delta.tool_calls or ())]:
                if tool.function.name:
                    calls.append(f"{tool.function.name}(")
                if calls and tool.function.arguments:
                    calls[-1] += tool.function.arguments
    return tuple(f"{call})" for call in calls)
