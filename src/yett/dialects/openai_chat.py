"""OpenAI chat completions: POST /v1/chat/completions (platform.openai.com/docs/api-reference/chat) and GET /v1/models.

Only the fields that Yett acts on are checked; everything else passes as it is and is inspected all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from yett.dialects import patch, strict_json
from yett.dialects.leaves import COMMON_NAMES, ROLE_OF, UNPATCHABLE, Leaves
from yett.errors import Refusal
from yett.model.segment import Segment
from yett.model.usage import Usage

_read = msgspec.json.Decoder().decode
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raw_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
DONE = b"data: [DONE]\n\n"
LONGEST_MODEL = 256  # characters; it goes into records and log lines as it is
ROLES = frozenset(("system", "developer", "user", "assistant", "tool", "function"))
CONFIDENTIAL = frozenset(("system", "developer"))
CALLS = frozenset(("tool_calls", "function_call"))  # where a model says which tools it calls
_DEFINITIONS = frozenset(("tools", "functions"))


class _Authored(Struct):
    role: str


_authored = msgspec.json.Decoder(_Authored).decode


class ChatRequest(Struct, frozen=True):
    """The view of a request body that the pipeline acts on."""

    model: str
    stream: bool
    include_usage: bool
    max_tokens: int  # 0 when the caller gave none
    choices: int
    tools: bool
    instructions: tuple[str, ...]  # the texts of the messages that are the operator's, not the user's


def _bad(param: str, what: str) -> Refusal:
    return Refusal("invalid_request", f"`{param}` {what}.", param=param)


def _flag(document: dict[str, Any], name: str, within: str = "") -> bool:
    value = document.get(name)
    if value is None or value is False:
        return False
    if value is True:
        return True
    raise _bad(within + name, "must be a boolean")


def _count(document: dict[str, Any], name: str, default: int) -> int:
    value = document.get(name)
    if value is None:
        return default
    if type(value) is not int or not 1 <= value <= 10**9:
        raise _bad(name, "must be a positive integer")
    return value


def understand(body: bytes) -> ChatRequest:
    """Raises Refusal: invalid_json, duplicate_key, json_too_deep, invalid_request."""
    document = strict_json.decode(body)
    if type(document) is not dict:
        raise Refusal("invalid_request", "The body must be a JSON object.")
    model = document.get("model")
    if type(model) is not str or not 0 < len(model) <= LONGEST_MODEL:
        raise _bad("model", f"must be a string of 1 to {LONGEST_MODEL} characters")
    messages = document.get("messages")
    if type(messages) is not list or not messages:
        raise _bad("messages", "must be a non-empty array")
    instructions: tuple[str, ...] = ()
    for position, message in enumerate(messages):
        if type(message) is not dict:
            raise _bad(f"messages[{position}]", "must be an object")
        role = message.get("role")
        if type(role) is not str or not role:
            raise _bad(f"messages[{position}].role", "must be a non-empty string")
        if role in CONFIDENTIAL:
            instructions += _texts_as(role, message)
    tools = document.get("tools")
    if tools is not None and type(tools) is not list:
        raise _bad("tools", "must be an array")
    options = document.get("stream_options")
    if options is not None and type(options) is not dict:
        raise _bad("stream_options", "must be an object")
    return ChatRequest(
        model=model,
        stream=_flag(document, "stream"),
        include_usage=_flag(options, "include_usage", "stream_options.") if options else False,
        # OpenAI refuses both at once; an upstream that takes one of them must not surprise the ledger.
        max_tokens=max(_count(document, "max_tokens", 0), _count(document, "max_completion_tokens", 0)),
        choices=_count(document, "n", 1),
        tools=bool(tools),
        instructions=instructions,
    )


def _texts_as(role: str, message: dict[str, Any]) -> tuple[str, ...]:
    """What a message says in its own role: not what is in its tool calls, file names and addresses."""
    content = message.get("content")
    if len(message) == 2 and type(content) is str:  # all that most of them have beside their role
        return (content,) if content else ()
    leaves = Leaves()
    _walk_message(leaves, message)
    return tuple([segment.text for segment in leaves.segments if segment.role == role])


def segments(body: bytes) -> tuple[Segment, ...]:
    """Every piece of text in a body that `understand` has accepted."""
    leaves = Leaves()
    for name, value in strict_json.decode(body).items():
        if name == "messages":
            for message in value:
                _walk_message(leaves, message)
        else:
            _walk_field(leaves, name, value)
    return tuple(leaves.segments)


def units(body: bytes) -> list[tuple[str | None, bytes]]:
    """What a body that `understand` has accepted is inspected and remembered by: each message and each other field, with the
    name of the field; None with all of it when that cannot be told. Their segments, one unit after the other, are those of the body."""
    try:
        fields = _raw_fields(body)
        messages = _raw_items(fields["messages"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # what only the slower decoder reads
        return [(None, body)]
    found: list[tuple[str | None, bytes]] = []
    for name, raw in fields.items():
        if name == "messages":
            found += [("messages", bytes(message)) for message in messages]
        else:
            found.append((name, bytes(raw)))
    return found


def author(message: bytes) -> str:
    """The role of one of the `units` that are messages."""
    return _authored(message).role


def unit_segments(name: str | None, raw: bytes) -> tuple[Segment, ...]:
    """Every piece of text in one of the `units`; `index` counts from the beginning of the unit."""
    if name is None:
        return segments(raw)
    leaves = Leaves()
    if name == "messages":
        _walk_message(leaves, _read(raw))
    else:
        _walk_field(leaves, name, _read(raw))
    return tuple(leaves.segments)


def _walk_message(leaves: Leaves, message: dict[str, Any]) -> None:
    role = message["role"]
    leaves.walk(message, role if role in ROLES else "other", 2)


def _walk_field(leaves: Leaves, name: str, value: Any) -> None:
    role = "definition" if name in _DEFINITIONS else ROLE_OF.get(name, "other")
    if name not in COMMON_NAMES:
        leaves.segments.append(Segment(name, role, UNPATCHABLE))
    leaves.walk(value, role, 1)


def contents(body: bytes) -> Iterator[tuple[str, int, str]]:
    """The texts that messages consist of: role, ordinal (see `Segment.index`) and text. Names, ids and what else stands in a message
    are left out."""
    count = 0
    for name, value in strict_json.decode(body).items():
        if name != "messages":
            count += _strings(value)
            continue
        for message in value:
            for field, item in message.items():
                if field == "content":
                    yield from ((message["role"], count + place, text) for place, text in _texts(item))
                count += _strings(item)


def _texts(content: Any) -> Iterator[tuple[int, str]]:
    """The texts of a message's content, each with the number of strings before it."""
    if type(content) is str:
        yield 0, content
    count = 0
    for part in content if type(content) is list else ():
        for field, item in part.items() if type(part) is dict else ():
            if field == "text" and type(item) is str:
                yield count, item
            count += _strings(item)
        count += 0 if type(part) is dict else _strings(part)


def _strings(value: Any) -> int:
    """How many string values there are in a value, itself included."""
    if type(value) is str:
        return 1
    if type(value) is dict:
        return sum(map(_strings, value.values()))
    return sum(map(_strings, value)) if type(value) is list else 0


def prepare(
    body: bytes, *, model: str, cap: int = 0, include_usage: bool = False, texts: dict[int, str] | None = None
) -> bytes:
    """The body as it leaves: another model name, a cap on output tokens, usage asked for on a stream, redacted strings."""
    if not cap and not include_usage and not texts:
        return patch.swap(body, "model", model)
    if texts:  # first, and by themselves: what the edits below keep of an option must be redacted too
        body = patch.apply(body, patch.strings(body, texts))
    spans = patch.fields(body)
    edits: list[patch.Edit] = []
    name = patch.quote(model)
    start, end = spans["model"]
    if body[start:end] != name:
        edits.append((start, end, name))
    if cap:
        present = [field for field in ("max_tokens", "max_completion_tokens") if _is_number(body, spans.get(field))]
        edits += [patch.replace(body, spans, field, b"%d" % cap) for field in present or ["max_tokens"]]
    if include_usage:
        edits.append(patch.replace(body, spans, "stream_options", _with_usage(body, spans.get("stream_options"))))
    return patch.apply(body, edits) if edits else body


def _is_number(body: bytes, span: tuple[int, int] | None) -> bool:
    return span is not None and body[span[0] : span[1]] != b"null"


def _with_usage(body: bytes, span: tuple[int, int] | None) -> bytes:
    if not _is_number(body, span):
        return b'{"include_usage":true}'
    start, end = span  # type: ignore[misc]
    options = body[start:end]
    return patch.apply(options, [patch.replace(options, patch.fields(options), "include_usage", b"true")])


# ---- replies ------------------------------------------------------------------------------------------------------


class ChatReply(Struct, frozen=True):
    """The view of a buffered reply: what it used (None when the provider did not say), why it ended."""

    usage: Usage | None
    finish: tuple[str, ...]


def usage_of(document: object) -> Usage | None:
    """The `usage` object of a reply or of a stream's last chunk; None when it is missing or not as documented."""
    if type(document) is not dict:
        return None
    prompt, completion = document.get("prompt_tokens"), document.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int or prompt < 0 or completion < 0:
        return None
    details = document.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if type(details) is dict else 0
    return Usage(
        input=prompt, output=completion, cached=min(cached, prompt) if type(cached) is int and cached > 0 else 0
    )


def finishes_of(document: dict[str, Any]) -> tuple[str, ...]:
    choices = document.get("choices")
    if type(choices) is not list:
        return ()
    return tuple(
        choice["finish_reason"]
        for choice in choices
        if type(choice) is dict and type(choice.get("finish_reason")) is str
    )


def read_reply(body: bytes) -> ChatReply:
    """Raises Refusal (invalid_json …) when the upstream's body is not what a caller could read."""
    try:
        document = _read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = strict_json.loads(body)
    if type(document) is not dict:
        raise Refusal("upstream_error", "The provider's reply is not a JSON object.")
    return ChatReply(usage_of(document.get("usage")), finishes_of(document))


def reply_segments(body: bytes) -> tuple[Segment, ...]:
    """Every piece of text in a reply. Raises Refusal when it can be read in more than one way."""
    leaves = Leaves()
    leaves.walk(strict_json.decode(body), "assistant")
    return tuple(leaves.segments)


def logprobs_of(body: bytes) -> list[object]:
    """The log-probabilities of each choice of a reply that has any."""
    if b'"logprobs"' not in body:
        return []
    choices = _read(body).get("choices")
    return [
        choice["logprobs"]
        for choice in (choices if type(choices) is list else ())
        if type(choice) is dict and choice.get("logprobs") is not None
    ]


def redact_reply(body: bytes, texts: dict[int, str]) -> bytes:
    """The reply with these string values replaced; `logprobs` spell the text out token by token, so they go too."""
    redacted = patch.apply(body, patch.strings(body, texts))
    if b'"logprobs"' not in redacted and b"\\u" not in redacted:
        return redacted
    document = msgspec.json.decode(redacted)
    return msgspec.json.encode(document) if drop_logprobs(document) else redacted


def drop_logprobs(document: dict[str, Any]) -> bool:
    """Take the `logprobs` out of every choice of a reply, or of a stream's event. True when there were any."""
    found = False
    choices = document.get("choices")
    for choice in choices if type(choices) is list else ():
        if type(choice) is dict and choice.get("logprobs") is not None:
            choice["logprobs"] = None
            found = True
    return found


# Not the model's words: repeated in every chunk, or fixed vocabulary.
ENVELOPE = frozenset(
    "id object created model system_fingerprint service_tier obfuscation role type index finish_reason logprobs usage".split()
)


def place_of(path: Sequence[object]) -> str:
    """What a string at the end of this path into a choice is: `content`, `text` of another kind, a tool call's `arguments` (JSON)
    or its `input` (not JSON); "" for what else a tool call has."""
    name = path[-1]
    if "tool_calls" in path or "function_call" in path:
        return str(name) if name in ("arguments", "input") else ""
    return "content" if "content" in path else "text"


def wants_json(body: bytes) -> bool:
    """Whether a request asks for an answer that is JSON (`response_format`)."""
    if b"response_format" not in body and b"\\u" not in body:
        return False
    wanted = strict_json.decode(body).get("response_format")
    return type(wanted) is dict and wanted.get("type") in ("json_object", "json_schema")


def change_words(body: bytes, change: Callable[[str, str, str], str]) -> bytes:
    """A reply with the model's words changed. `change` is given a text, its place (see `place_of`) and, in a tool call, the name
    of the tool. Raises Refusal when the reply can be read in more than one way."""
    texts: dict[int, str] = {}
    count = 0

    def walk(value: Any, path: tuple[object, ...], tool: str) -> None:
        nonlocal count
        if type(value) is str:
            if not ENVELOPE.intersection(path) and (changed := change(value, place_of(path), tool)) != value:
                texts[count] = changed
            count += 1
        elif type(value) is dict:
            own = value.get("name")
            for name, item in value.items():
                walk(item, (*path, name), own if type(own) is str else tool)
        elif type(value) is list:
            for item in value:
                walk(item, path, tool)

    walk(strict_json.decode(body), ("",), "")
    return patch.apply(body, patch.strings(body, texts)) if texts else body


# ---- errors, lists ------------------------------------------------------------------------------------------------


def error_body(refusal: Refusal, call: str) -> bytes:
    """OpenAI's error object (platform.openai.com/docs/guides/error-codes) with Yett's code, and what Yett can add."""
    return msgspec.json.encode(
        {
            "error": {
                "message": str(refusal),
                "type": refusal.type,
                "param": refusal.param or None,
                "code": refusal.code,
                "yett": {
                    "call": call,
                    "fault": refusal.fault,
                    "retry": refusal.retry,
                    "policies": list(refusal.policies),
                },
            }
        }
    )


def error_event(refusal: Refusal, call: str) -> bytes:
    """The in-band error of a stream that has begun. No `[DONE]` follows: SDKs would take the answer for complete."""
    return b"data: %b\n\n" % error_body(refusal, call)


def model_list(names: tuple[str, ...]) -> bytes:
    """The body of GET /v1/models."""
    return msgspec.json.encode({"object": "list", "data": [_model(name) for name in names]})


def model_object(name: str) -> bytes:
    """The body of GET /v1/models/{name}."""
    return msgspec.json.encode(_model(name))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "yett"}


# ---- which tools were called ------------------------------------------------------------------------------------------


class _Named(msgspec.Struct):
    name: str = ""


class _ToolCall(msgspec.Struct):
    function: _Named | None = None
    custom: _Named | None = None


class _Message(msgspec.Struct):
    tool_calls: list[_ToolCall] | None = None
    function_call: _Named | None = None


class _Choice(msgspec.Struct):
    message: _Message | None = None


class _Conversation(msgspec.Struct):
    messages: list[_Message] | None = None  # of a request
    choices: list[_Choice] | None = None  # of a reply


_conversation = msgspec.json.Decoder(_Conversation).decode


def tools_called(body: bytes) -> set[str]:
    """The names of the tools that a model has called in a request's history or in a reply; none where that cannot be read."""
    if b'"tool_calls"' not in body and b'"function_call"' not in body:
        return set()
    try:
        read = _conversation(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return set()
    messages = [*(read.messages or ()), *(choice.message for choice in read.choices or () if choice.message)]
    names = [
        named.name
        for message in messages
        for call in message.tool_calls or ()
        for named in (call.function, call.custom)
        if named is not None
    ]
    names += [message.function_call.name for message in messages if message.function_call is not None]
    return set(filter(None, names))
