"""The traffic of the benchmark: request bodies, the mock's answer and its 50-chunk stream, the same for every contender."""

from __future__ import annotations

import json
import random

CHUNKS = 50
UPSTREAM_MODEL = "mock-large-2026"
BUFFERED_MODEL = "fast"  # the public names differ from the upstream's, so that Yett has to patch every body
STREAM_MODEL = "smart"
VARIANTS = 16  # different prompts in rotation
STAMP = "ticket aaaaaaaa"  # in each prompt; its letters count the requests, so that no prompt comes twice and none is remembered
SIZES = {"1 kB": 1_000, "20 kB": 20_000}
CONNECTIONS = (1, 16, 64)

_WORDS = (
    "the gateway reads each request decides whether it may pass and keeps a record of what happened while our team "
    "plans a quarterly report about shipping costs in northern ports please summarise these notes for a reader who "
    "has little time mention three risks two options and one recommendation with reasons then list open questions "
    "customer order invoice delivery schedule warehouse harbour winter storm insurance contract supplier margin"
).split()


def request_bodies(model: str, size: int, *, stream: bool) -> list[bytes]:
    """`VARIANTS` chat completions of `size` bytes each, of plain English words with no secret and no personal data."""
    chance = random.Random(f"{model}:{size}")
    return [_request_body(chance, model, size, stream) for _ in range(VARIANTS)]


def _request_body(chance: random.Random, model: str, size: int, stream: bool) -> bytes:
    request: dict[str, object] = {
        "model": model,
        "messages": [{"role": "system", "content": "You are a careful assistant. Answer in plain words."}],
        "temperature": 0.2,
        "max_tokens": 256,
        "user": f"user-{chance.randrange(10_000)}",
    }
    if stream:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    messages = request["messages"]
    assert isinstance(messages, list)
    messages.append({"role": "user", "content": ""})
    missing = size - len(json.dumps(request))
    text = f"{STAMP} "
    while len(text) < missing:
        text += chance.choice(_WORDS) + " "
    messages[1]["content"] = text[:missing]
    return json.dumps(request).encode()


def stamped(request: bytes, number: int) -> bytes:
    """The request as the `number`th of its kind."""
    letters = f"{number:08d}".translate(_LETTERS)[-8:]
    return request.replace(STAMP.encode(), STAMP[:-8].encode() + letters.encode(), 1)


_LETTERS = {ord(digit): letter for digit, letter in zip("0123456789", "abcdefghij", strict=True)}


def answer() -> bytes:
    """The upstream's buffered answer: about 0.75 kB of JSON."""
    words = " ".join(_WORDS[:60])
    return json.dumps(
        {
            "id": "chatcmpl-9f8e7d6c5b4a39281706",
            "object": "chat.completion",
            "created": 1760000000,
            "model": UPSTREAM_MODEL,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": words.capitalize() + ".", "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 210, "completion_tokens": 74, "total_tokens": 284},
            "system_fingerprint": "fp_0123456789",
        }
    ).encode()


def stream_chunks() -> list[bytes]:
    """`CHUNKS` SSE payloads; the last one also carries the finish reason, the usage and the terminator. The blank stands before a
    word, as nearly all models' tokens have it: whether a word ends with its chunk, only the next one says."""
    deltas: list[dict[str, object]] = [{"role": "assistant", "content": ""}, {"content": _WORDS[0]}]
    deltas += [{"content": " " + _WORDS[position % len(_WORDS)]} for position in range(1, CHUNKS - 2)]
    chunks = [_event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) for delta in deltas]
    last = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    usage = {"prompt_tokens": 210, "completion_tokens": CHUNKS, "total_tokens": 210 + CHUNKS}
    last += _event({"choices": [], "usage": usage}) + b"data: [DONE]\n\n"
    return [*chunks, last]


def _event(fields: dict[str, object]) -> bytes:
    head: dict[str, object] = {
        "id": "chatcmpl-9f8e7d6c5b4a39281706",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": UPSTREAM_MODEL,
        "system_fingerprint": "fp_0123456789",
    }
    return b"data: " + json.dumps(head | fields).encode() + b"\n\n"
