"""How OpenAI frames answers: JSON bodies, server-sent events, HTTP/1.1 heads and chunked bodies, as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from http import HTTPStatus

import msgspec

from yett.simulator.answer import Answer, Tokens, ToolCall
from yett.simulator.behaviour import Behaviour

CREATED = 1_767_225_600  # 2026-01-01T00:00:00Z: the simulator's clock stands still
DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class Identity:
    """The ids of one reply, derived from the request body and the seed."""

    __slots__ = ("id", "model")

    def __init__(self, body: bytes, model: str, seed: int) -> None:
        self.id = blake2b(body, digest_size=15, salt=seed.to_bytes(8, "little", signed=True)).hexdigest()
        self.model = model

    def call(self, choice: int, index: int) -> str:
        return f"call_{self.id[:20]}{choice:02x}{index:02x}"

    def envelope(self, kind: str) -> bytes:
        """The fields that begin every object, up to and without `choices`."""
        return b'{"id":"chatcmpl-%b","object":"%b","created":%d,"model":%b,' % (
            self.id.encode(),
            kind.encode(),
            CREATED,
            _encode(self.model),
        )


_TAIL = b',"service_tier":"default","system_fingerprint":"fp_simulator"}'


def usage_json(tokens: Tokens) -> bytes:
    """The `usage` object."""
    return (
        b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,'
        b'"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,'
        b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
    ) % (tokens.input, tokens.output, tokens.input + tokens.output, tokens.cached)


def completion(identity: Identity, answers: tuple[Answer, ...], tokens: Tokens | None) -> bytes:
    """The body of a buffered reply (platform.openai.com/docs/api-reference/chat/object)."""
    choices = b",".join(
        b'{"index":%d,"message":%b,"logprobs":null,"finish_reason":%b}'
        % (index, _message(identity, index, answer), _encode(answer.finish))
        for index, answer in enumerate(answers)
    )
    usage = b',"usage":' + usage_json(tokens) if tokens else b""
    return identity.envelope("chat.completion") + b'"choices":[' + choices + b"]" + usage + _TAIL


def _message(identity: Identity, choice: int, answer: Answer) -> bytes:
    if not answer.calls:
        content = _encode("".join(answer.content))
        return b'{"role":"assistant","content":%b,"refusal":null,"annotations":[]}' % content
    calls = b",".join(
        b'{"id":%b,"type":"function","function":{"name":%b,"arguments":%b}}'
        % (_encode(identity.call(choice, index)), _encode(call.name), _encode("".join(call.arguments)))
        for index, call in enumerate(answer.calls)
    )
    return b'{"role":"assistant","content":null,"tool_calls":[%b],"refusal":null,"annotations":[]}' % calls


# ---- streams ------------------------------------------------------------------------------------------------------


class Events:
    """The events of one stream (platform.openai.com/docs/api-reference/chat/streaming): role, deltas, finish, usage.

    `tokens` None: the caller did not ask for usage, or the behaviour withholds it; then no event has a `usage` field.
    """

    def __init__(self, identity: Identity, answers: tuple[Answer, ...], tokens: Tokens | None) -> None:
        self._identity = identity
        self._answers = answers
        self._tokens = tokens
        self._before = b"data: " + identity.envelope("chat.completion.chunk") + b'"choices":['
        self._after = b"]" + (b',"usage":null' if tokens else b"") + _TAIL + b"\n\n"

    def _event(self, choice: int, delta: bytes, finish: str = "") -> bytes:
        reason = _encode(finish) if finish else b"null"
        inner = b'{"index":%d,"delta":%b,"logprobs":null,"finish_reason":%b}' % (choice, delta, reason)
        return self._before + inner + self._after

    def opening(self) -> Iterator[bytes]:
        """One event with the role for every choice."""
        for choice, answer in enumerate(self._answers):
            content = b"null" if answer.calls else b'""'
            yield self._event(choice, b'{"role":"assistant","content":%b,"refusal":null}' % content)

    def deltas(self) -> Iterator[bytes]:
        """The content, choices taking turns, as a provider that computes them side by side sends them."""
        turns = [self._choice(choice, answer) for choice, answer in enumerate(self._answers)]
        while turns:
            still: list[Iterator[bytes]] = []
            for turn in turns:
                event = next(turn, None)
                if event is not None:
                    yield event
                    still.append(turn)
            turns = still

    def _choice(self, choice: int, answer: Answer) -> Iterator[bytes]:
        for piece in answer.content:
            yield self._event(choice, b'{"content":%b}' % _encode(piece))
        for index, call in enumerate(answer.calls):
            yield from (self._event(choice, delta) for delta in self._call(choice, index, call))

    def _call(self, choice: int, index: int, call: ToolCall) -> Iterator[bytes]:
        identifier = _encode(self._identity.call(choice, index))
        yield (
            b'{"tool_calls":[{"index":%d,"id":%b,"type":"function","function":{"name":%b,"arguments":""}}]}'
            % (index, identifier, _encode(call.name))
        )
        for piece in call.arguments:
            yield b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}' % (index, _encode(piece))

    def closing(self) -> Iterator[bytes]:
        """The finish_reason of every choice, then the usage with no choices."""
        for choice, answer in enumerate(self._answers):
            yield self._event(choice, b"{}", answer.finish)
        if self._tokens:
            yield self._before + b'],"usage":' + usage_json(self._tokens) + _TAIL + b"\n\n"


def error_event(model: str) -> bytes:
    """An error in the middle of a stream."""
    error = {"message": f"The server had an error while {model} was answering.", "type": "server_error", "param": None}
    return b"data: " + _encode({"error": {**error, "code": "server_error"}}) + b"\n\n"


def models(names: Iterable[str]) -> bytes:
    """The body of `GET /v1/models`."""
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": "yett-simulator"} for name in names]
    return _encode({"object": "list", "data": data})


# ---- HTTP ---------------------------------------------------------------------------------------------------------

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


def head(status: int, fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A status line and header section (RFC 9112 section 2.1)."""
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _REASONS.get(status, b"Unknown"), lines)


class Framing:
    """Body bytes to wire bytes: compression, then pieces of `frame` bytes, then chunked framing where it applies."""

    def __init__(self, *, chunked: bool, gzip: bool, frame: int) -> None:
        self.chunked = chunked
        self._compressor = zlib.compressobj(wbits=31) if gzip else None
        self._frame = frame

    def data(self, body: bytes) -> Iterator[bytes]:
        """The writes for one piece of body; each is sent on its own."""
        if self._compressor:
            body = self._compressor.compress(body) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return self._framed(body)

    def end(self) -> Iterator[bytes]:
        """What ends the body."""
        if self._compressor:
            yield from self._framed(self._compressor.flush())
        if self.chunked:
            yield b"0\r\n\r\n"

    def _framed(self, body: bytes) -> Iterator[bytes]:
        size = self._frame or len(body)
        for start in range(0, len(body), size or 1):
            piece = body[start : start + size]
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece


def styled(events: Iterable[bytes], behaviour: Behaviour) -> Iterator[bytes]:
    """Events with the line ends and comments that the behaviour asks for."""
    for event in events:
        text = b": keep-alive\n\n" + event if behaviour.sse_comments else event
        yield text.replace(b"\n", b"\r\n") if behaviour.sse_crlf else text
