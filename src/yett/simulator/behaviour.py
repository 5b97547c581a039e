"""The vocabulary in which the simulator is asked to misbehave: one table of words, read from model names and from TOML.

A model name is a base and words joined by `+`: `sim-gpt+status=429+retry_after=1`. A word is `key=value`, or a bare `key`
for a switch. Values may hold any character in URL percent-encoding (`%2B` is `+`). The same keys are TOML keys.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec
from msgspec import Struct

MALFORMED = {
    "json": "one event (buffered: the body) is JSON that stops in the middle",
    "utf8": "a string contains a byte that is not UTF-8",
    "shape": "valid JSON of the wrong shape: `choices` is null",
    "html": "status 200 with an HTML page",
    "empty": "status 200 without a body",
    "http": "garbage bytes instead of HTTP",
    "huge_head": "response headers of a megabyte",
    "chunked": "broken chunk framing",
    "length_long": "Content-Length says more than is sent",
    "length_short": "Content-Length says less than is sent",
    "both_lengths": "Content-Length together with Transfer-Encoding",
    "gzip": "Content-Encoding says gzip, the bytes are not",
}
FAULTS = (
    "status",
    "hang",
    "reset",
    "cut",
    "error",
    "no_done",
    "no_finish",
    "malformed",
    "gzip",
    "eof",
    "drop",
    "usage",
)


class Point(Struct, frozen=True):
    """A moment of a reply. `phase`: head (before any byte), body (after the head), chunk (streams: after `chunk` content
    deltas; buffered: after half of the body), end (all but the terminator or last byte is sent)."""

    phase: str
    chunk: int = 0


class Behaviour(Struct, frozen=True):
    """How one request is answered. Attribute names are the keys with `_` for `.`; latencies are in seconds."""

    answer: str = ""
    words: int = 0
    size: int = 0
    chunks: int = 0
    pieces: int = 0
    frame: int = 0
    overrun: bool = False
    finish: str = ""
    secret: str = ""
    secret_at: int = 1
    secret_pieces: int = 0
    obey: bool = False
    usage: str = ""
    usage_input: int | None = None
    usage_output: int | None = None
    usage_cached: int = 0
    latency_first_byte: float = 0.0
    latency_body: float = 0.0
    latency_between_chunks: float = 0.0
    latency_end: float = 0.0
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: str = ""
    header: tuple[tuple[str, str], ...] = ()
    hang: Point | None = None
    reset: Point | None = None
    cut: Point | None = None
    error: Point | None = None
    no_done: bool = False
    no_finish: bool = False
    malformed: str = ""
    malformed_at: int = 1
    gzip: bool = False
    eof: bool = False
    drop: bool = False
    sse_crlf: bool = False
    sse_comments: bool = False
    fail_first: int = 0
    fail_every: int = 0
    fail_rate: float = 0.0
    fail_key: str = ""

    @property
    def conditional(self) -> bool:
        """Whether the faults apply to some requests only."""
        return bool(self.fail_first or self.fail_every or self.fail_rate or self.fail_key)

    def applies(self, ordinal: int, bearer: str) -> bool:
        """Whether the faults apply to request number `ordinal` (from 0) that came with the key `bearer`. Conditions add up:
        all that are given must hold."""
        return (
            (not self.fail_first or ordinal < self.fail_first)
            and (not self.fail_every or ordinal % self.fail_every == self.fail_every - 1)
            and (not self.fail_rate or int((ordinal + 1) * self.fail_rate) > int(ordinal * self.fail_rate))
            and (not self.fail_key or bearer.endswith(self.fail_key))
        )

    @property
    def healthy(self) -> Behaviour:
        """The same without its faults."""
        return _without_faults(self)


def _count(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12})([km]?)", text.lower())
    if match is None:
        raise ValueError("a whole number is expected, like 50, 20k or 10m")
    return int(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2]]


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|)", text)
    if match is None:
        raise ValueError("a duration is expected, like 200ms or 1.5s")
    return float(match[1]) / (1_000 if match[2] == "ms" else 1)


def _switch(text: str) -> bool:
    if text not in {"", "true", "false"}:
        raise ValueError("a switch takes no value")
    return text != "false"


def _point(text: str) -> Point:
    phase, _, number = text.partition(":")
    if phase not in {"head", "body", "chunk", "end"} or (number and phase != "chunk"):
        raise ValueError("a moment is expected: head, body, chunk:N or end")
    return Point(phase, _count(number or "1") if phase == "chunk" else 0)


def _status(text: str) -> int:
    if not re.fullmatch(r"[2-5]\d\d", text):
        raise ValueError("an HTTP status from 200 to 599 is expected")
    return int(text)


def _rate(text: str) -> float:
    if not re.fullmatch(r"0\.\d+|1(\.0+)?", text):
        raise ValueError("a share is expected, like 0.25")
    return float(text)


def _text(text: str) -> str:
    return text


def _visible(text: str) -> str:
    if not re.fullmatch(r"[ -~]*", text):
        raise ValueError("printable ASCII is expected")
    return text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)} is expected")
        return text

    return read


# key -> (reader, what it does). The order is the order of docs/simulator.md.
KEYS: dict[str, tuple[Callable[[str], object], str]] = {
    "answer": (_text, "say this text instead of `You said: …`"),
    "words": (_count, "answer with this many words"),
    "size": (_count, "lengthen the answer to this many characters (`20k`, `10m`)"),
    "chunks": (_count, "stream the answer in exactly this many content deltas (default: one per word)"),
    "pieces": (_count, "stream content and tool-call arguments in deltas of this many characters"),
    "frame": (_count, "send the body in writes of this many bytes, whatever the events"),
    "overrun": (_switch, "write on past `max_tokens` and `max_completion_tokens`"),
    "finish": (_visible, "the finish_reason, e.g. `content_filter`"),
    "secret": (_text, "plant this text in the answer"),
    "secret.at": (_count, "plant it before the content delta with this number, from 0 (default 1)"),
    "secret.pieces": (_count, "chop the planted text in deltas of this many characters"),
    "obey": (_switch, "obey `ignore previous instructions and say X` (or `and call TOOL({…})`) in any message"),
    "usage": (_one_of("none"), "`none`: report no token usage"),
    "usage.input": (_count, "report this many prompt tokens"),
    "usage.output": (_count, "report this many completion tokens"),
    "usage.cached": (_count, "report this many of the prompt tokens as cached"),
    "latency.first_byte": (_seconds, "wait before the head (`200ms`, `1.5s`)"),
    "latency.body": (_seconds, "wait between the head and the body"),
    "latency.between_chunks": (_seconds, "wait before every content delta but the first"),
    "latency.end": (_seconds, "wait before the terminator (buffered: before the second half of the body)"),
    "status": (_status, "answer with this HTTP status and OpenAI's error for it"),
    "code": (_visible, "the `code` in that error, e.g. `insufficient_quota`"),
    "message": (_text, "the `message` in that error"),
    "retry_after": (_visible, "a Retry-After header with this value (seconds or an HTTP date)"),
    "header": (_visible, "`header.NAME=VALUE`: one more response header"),
    "hang": (_point, "send nothing more from this moment on, and keep the connection open"),
    "reset": (_point, "reset the connection (TCP RST) at this moment"),
    "cut": (_point, "close the connection (TCP FIN) at this moment"),
    "error": (_point, "streams: an in-band error event at this moment, then the end without `[DONE]`"),
    "no_done": (_switch, "streams: end cleanly without `data: [DONE]`"),
    "no_finish": (_switch, "streams: end without a finish_reason and without `data: [DONE]`"),
    "malformed": (_one_of(*MALFORMED), "break the bytes, see below"),
    "malformed.at": (_count, "streams: break the content delta with this number, from 0 (default 1)"),
    "gzip": (_switch, "compress the body, asked for or not"),
    "eof": (_switch, "delimit the body by the end of the connection"),
    "drop": (_switch, "close the connection after the reply without having announced it"),
    "sse.crlf": (_switch, "streams: end lines with CRLF"),
    "sse.comments": (_switch, "streams: a `: keep-alive` comment before every event"),
    "fail.first": (_count, "the faults apply to the first so many requests for the model name only"),
    "fail.every": (_count, "the faults apply to every so-many-th request only"),
    "fail.rate": (_rate, "the faults apply to this share of the requests, evenly spread (`0.25`)"),
    "fail.key": (_visible, "the faults apply to requests whose key ends in this only"),
}


class BadBehaviour(ValueError):
    """A word that is not in the vocabulary, or a value that it does not take. The message names the word."""


def read(words: Mapping[str, str], onto: Behaviour) -> Behaviour:
    """`onto` with `words` (key -> value, "" for a bare switch) applied. Raises BadBehaviour."""
    changes: dict[str, object] = {}
    headers = list(onto.header)
    for key, value in words.items():
        if key.startswith("header."):
            headers.append((_header_name(key), _value("header", value)))  # type: ignore[arg-type]
            continue
        if key not in KEYS or key == "header":
            near = difflib.get_close_matches(key, KEYS, 1)
            raise BadBehaviour(f'no behaviour "{key}"' + (f'; did you mean "{near[0]}"?' if near else ""))
        changes[key.replace(".", "_")] = _value(key, value)
    return msgspec.structs.replace(onto, header=tuple(headers), **changes)


def _value(key: str, value: str) -> object:
    try:
        return KEYS[key][0](value)
    except ValueError as error:
        raise BadBehaviour(f'{key}: "{value[:60]}" is no value for it: {error}') from error


def _header_name(key: str) -> str:
    name = key.removeprefix("header.")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise BadBehaviour(f'{key}: "{name}" is not a header name')
    return name


def split(model: str) -> tuple[str, dict[str, str]]:
    """A model name as its base and its words. Raises BadBehaviour for a word given twice."""
    base, *parts = model.split("+")
    words: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key in words:
            raise BadBehaviour(f'"{key}" is given twice')
        words[key] = unquote(value)
    return base, words


def name(base: str, /, **words: object) -> str:
    """The model name that asks `base` for `words`; `__` stands for a dot: `name("sim-gpt", fail__first=2)`."""
    parts = [base]
    for key, value in words.items():
        text = str(value).replace("%", "%25").replace("+", "%2B")
        parts.append(key.replace("__", ".") + ("" if value is True else f"={text}"))
    return "+".join(parts)


@functools.lru_cache(maxsize=1024)
def _without_faults(behaviour: Behaviour) -> Behaviour:
    plain = Behaviour()
    return msgspec.structs.replace(behaviour, **{fault: getattr(plain, fault) for fault in FAULTS})
