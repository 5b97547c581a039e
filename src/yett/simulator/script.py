"""One reply as a script: the bytes, waits and breakages in their order. The server plays it; nothing here touches a socket."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from yett.simulator import wire
from yett.simulator.behaviour import Behaviour, Point


class Act(Enum):
    """The last step of a script that does not simply run out."""

    HANG = "hang"  # send nothing more, keep the connection
    RESET = "reset"  # TCP RST
    CLOSE = "close"  # TCP FIN once everything is sent
    FINISH = "finish"  # the reply is complete before its script is


Step: TypeAlias = bytes | float | Act  # send and flush | wait seconds | end
Script: TypeAlias = Iterator[Step]

GARBAGE = b"\x16\x03\x01\x00\xa5SSH-2.0-OpenSSH_9.9\r\n\x00\xff\xfeNo HTTP here.\r\n\r\n"
_PAGE = b"<!DOCTYPE html><html><title>Welcome</title><body>Please sign in to this network.</body></html>"
_AFTER_ALL = 1 << 60


class Terms(Struct, frozen=True):
    """What the connection allows. `chunked`: the client speaks HTTP/1.1. `keep_alive`: it wants to use the connection again."""

    chunked: bool = True
    keep_alive: bool = True
    request_id: str = "req_0"


def buffered(body: bytes, behaviour: Behaviour, terms: Terms, *, status: int = 200) -> Script:
    """A reply whose body is known before it is sent, error replies included."""
    yield from _opening(behaviour)
    if behaviour.malformed == "http":
        yield GARBAGE
        yield Act.CLOSE
        return
    body, kind = _body(body, behaviour)
    length: int | None = len(body)
    chunked = behaviour.malformed in {"chunked", "both_lengths"}
    if behaviour.eof or behaviour.malformed == "chunked":
        length = None
    top = wire.head(status, _fields(kind, length, behaviour, terms, chunked=chunked))
    closing = _closes(behaviour, terms)
    if not (chunked or behaviour.frame or behaviour.latency_body or behaviour.latency_end or _breaks(behaviour)):
        yield top + body
        if closing:
            yield Act.CLOSE
        return
    yield top
    yield from _moment(behaviour, "body", 0)
    if behaviour.latency_body:
        yield behaviour.latency_body
    framing = wire.Framing(chunked=chunked, gzip=False, frame=behaviour.frame)
    half = len(body) // 2
    yield from framing.data(body[:half])
    yield from _moment(behaviour, "chunk", _AFTER_ALL)
    if behaviour.malformed == "chunked":
        yield b"zz\r\n"
        yield Act.CLOSE
        return
    if behaviour.latency_end:
        yield behaviour.latency_end
    yield from framing.data(body[half:-1])
    yield from _moment(behaviour, "end", 0)
    yield from framing.data(body[-1:])
    yield from framing.end()
    if closing:
        yield Act.CLOSE


def streamed(events: wire.Events, model: str, behaviour: Behaviour, terms: Terms) -> Script:
    """A stream of server-sent events. Malformed replies that are no stream at all are told by `buffered`."""
    yield from _opening(behaviour)
    chunked = terms.chunked and not behaviour.eof and not behaviour.malformed.startswith("length_")
    framing = wire.Framing(chunked=chunked, gzip=behaviour.gzip, frame=behaviour.frame)
    length = {"length_long": 1_000_000_000, "length_short": 100, "both_lengths": 100}.get(behaviour.malformed)
    fields = _fields(b"text/event-stream; charset=utf-8", length, behaviour, terms, chunked=chunked)
    yield wire.head(200, fields)
    yield from _moment(behaviour, "body", 0)
    if behaviour.latency_body:
        yield behaviour.latency_body
    for event in wire.styled(events.opening(), behaviour):
        yield from framing.data(event)
    yield from _deltas(events, model, behaviour, framing)
    if not behaviour.no_finish:
        for event in wire.styled(events.closing(), behaviour):
            yield from framing.data(event)
    yield from _moment(behaviour, "end", 0, framing, model)
    if behaviour.latency_end:
        yield behaviour.latency_end
    if not behaviour.no_finish and not behaviour.no_done:
        yield from framing.data(wire.DONE)
    yield from framing.end()
    if _closes(behaviour, terms) or not chunked:
        yield Act.CLOSE


def _deltas(events: wire.Events, model: str, behaviour: Behaviour, framing: wire.Framing) -> Script:
    breaks = _breaks(behaviour)
    wait, malformed = behaviour.latency_between_chunks, behaviour.malformed
    for index, event in enumerate(wire.styled(events.deltas(), behaviour)):
        if breaks:
            yield from _moment(behaviour, "chunk", index, framing, model)
        if wait and index:
            yield wait
        if malformed and index == behaviour.malformed_at:
            if malformed == "chunked":
                yield b"zz\r\n" + event
                yield Act.CLOSE
                return
            event = _broken_event(event, malformed)  # noqa: PLW2901
        yield from framing.data(event)
    yield from _moment(behaviour, "chunk", _AFTER_ALL, framing, model)


# ---- breakages ----------------------------------------------------------------------------------------------------


def _opening(behaviour: Behaviour) -> Script:
    if behaviour.latency_first_byte:
        yield behaviour.latency_first_byte
    yield from _moment(behaviour, "head", 0)


def _breaks(behaviour: Behaviour) -> bool:
    return bool(behaviour.hang or behaviour.reset or behaviour.cut or behaviour.error)


def _moment(
    behaviour: Behaviour, phase: str, chunk: int, framing: wire.Framing | None = None, model: str = ""
) -> Script:
    """Whatever is to happen at this moment. `chunk` _AFTER_ALL: a moment that the answer was too short for happens now."""
    if not _breaks(behaviour):
        return
    if framing is not None and _reached(behaviour.error, phase, chunk):
        yield from framing.data(wire.error_event(model))
        yield from framing.end()
        yield Act.FINISH if framing.chunked else Act.CLOSE
    for point, act in ((behaviour.reset, Act.RESET), (behaviour.cut, Act.CLOSE), (behaviour.hang, Act.HANG)):
        if _reached(point, phase, chunk):
            yield act


def _reached(point: Point | None, phase: str, chunk: int) -> bool:
    return point is not None and point.phase == phase and (phase != "chunk" or point.chunk <= chunk)


def _body(body: bytes, behaviour: Behaviour) -> tuple[bytes, bytes]:
    """The body that is really sent, and its content type."""
    kind = b"application/json"
    match behaviour.malformed:
        case "html":
            body, kind = _PAGE, b"text/html"
        case "empty":
            body = b""
        case "json":
            body = body[: len(body) // 2]
        case "shape":
            body = _without_choices(body)
        case "utf8":
            body = _not_utf8(body)
    if behaviour.gzip:
        body = gzip.compress(body, compresslevel=6, mtime=0)
    return body, kind


def _broken_event(event: bytes, malformed: str) -> bytes:
    match malformed:
        case "json":
            text = event.rstrip()
            return text[: len(text) // 2] + event[len(text) :]
        case "shape":
            return _without_choices(event)
        case "utf8":
            return _not_utf8(event)
    return event


def _without_choices(text: bytes) -> bytes:
    before, _, after = text.partition(b'"choices":[')
    return before + b'"choices":null' + after[after.rfind(b',"service_tier"') :] if after else b"null"


def _not_utf8(text: bytes) -> bytes:
    start = b'"content":"' if b'"content":"' in text else b'"id":"'
    return text.replace(start, start + b"\xff\xfe", 1)


# ---- heads --------------------------------------------------------------------------------------------------------


def _closes(behaviour: Behaviour, terms: Terms) -> bool:
    return not terms.keep_alive or behaviour.eof or behaviour.drop or behaviour.malformed.startswith("length_")


def _fields(
    kind: bytes, length: int | None, behaviour: Behaviour, terms: Terms, *, chunked: bool
) -> list[tuple[bytes, bytes]]:
    fields = [
        (b"content-type", kind),
        (b"openai-version", b"2020-10-01"),
        (b"openai-processing-ms", b"1"),
        (b"x-request-id", terms.request_id.encode()),
    ]
    if length is not None:
        lie = {"length_long": 10, "length_short": -min(10, length)}.get(behaviour.malformed, 0)
        fields.append((b"content-length", b"%d" % (length + lie)))
    if chunked:
        fields.append((b"transfer-encoding", b"chunked"))
    if not terms.keep_alive or behaviour.eof:
        fields.append((b"connection", b"close"))
    if behaviour.gzip or behaviour.malformed == "gzip":
        fields.append((b"content-encoding", b"gzip"))
    if behaviour.retry_after:
        fields.append((b"retry-after", behaviour.retry_after.encode()))
    if behaviour.malformed == "huge_head":
        fields.extend((b"x-padding-%d" % number, b"x" * 1_000) for number in range(1_000))
    given = {name.lower().encode() for name, _ in behaviour.header}
    fields = [field for field in fields if field[0] not in given]
    fields.extend((name.encode(), value.encode()) for name, value in behaviour.header)
    return fields
