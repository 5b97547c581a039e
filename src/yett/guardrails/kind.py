"""Kind: how a service of one kind is asked and what its answer means; the items of this shelf are values of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from yett.model.guardrail import Guardrail

T = TypeVar("T")
JSON = ((b"content-type", b"application/json"), (b"accept", b"application/json"), (b"user-agent", b"yett"))


class UnreadableError(Exception):
    """The answer is not what the service documents. The message never repeats it: it may quote the text that was judged."""


class Piece(Struct, frozen=True):
    """A text, or a part of a long one, that is to be judged, and who wrote it. `position` is whoever asks' own number for it."""

    text: str
    role: str
    position: int = 0


class Signal(Struct, frozen=True):
    """One thing that a service says about piece number `piece` of what it was asked.

    `start` and `end` are character offsets into the piece; `end` 0 stands for the whole of it. A signal that is not `flagged`
    is no finding and counts for the scores only. `label` is the service's own name for it, made safe.
    """

    kind: str
    label: str
    piece: int
    score: float
    flagged: bool
    start: int = 0
    end: int = 0


class Verdict(Struct, frozen=True):
    """An answer. Not `complete`: the service says itself that it has not judged everything."""

    signals: tuple[Signal, ...]
    complete: bool = True


class Asked(Struct, frozen=True):
    """One request about some pieces. `path` is appended to the base URL. `bearer`: the key goes into `authorization`, which
    the client adds; otherwise `headers` have the credential. `operation` tells requests of one kind apart."""

    path: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    pieces: tuple[Piece, ...]
    operation: str = ""
    bearer: bool = True


class Kind(Struct, frozen=True):
    """`needs` are the settings that a service cannot do without. Up to `batch` pieces, of at most `longest` characters each,
    go into one request, when their verdicts come back apart. `reports` are the kinds of finding that may come of it, besides
    those that the operator gives to names of his own. `ask` is told the side (request, reply) and wall time in seconds."""

    name: str
    needs: tuple[str, ...]
    batch: int
    longest: int
    reports: tuple[str, ...]
    ask: Callable[[Guardrail, str, Sequence[Piece], float], tuple[Asked, ...]]
    read: Callable[[Guardrail, Asked, bytes], Verdict]
    base_url: str = ""  # may name settings: https://{region}.example
    checks: tuple[str, ...] = ()


def encoded(body: object) -> bytes:
    return msgspec.json.encode(body)


def decoded(body: bytes, shape: type[T]) -> T:
    """An answer read leniently: what is null is as if it were not there, and Google writes 64-bit numbers as strings. Raises
    UnreadableError."""
    try:
        return msgspec.convert(_without_null(msgspec.json.decode(body)), shape, strict=False)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise UnreadableError("the answer has another shape than the one documented") from None


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_null(inner) for inner in value if inner is not None]
    return value


def located(piece: Piece, found: str, most: int = 100) -> tuple[tuple[int, int], ...]:
    """Where `found` stands in a piece; a service that quotes what it found does not say where. Never overlapping."""
    places: list[tuple[int, int]] = []
    start = piece.text.find(found) if found else -1
    while start >= 0 and len(places) < most:
        places.append((start, start + len(found)))
        start = piece.text.find(found, start + len(found))
    return tuple(places)


def bounded(score: float) -> float:
    """A service's number as a score: 0.0 to 1.0."""
    return min(max(score, 0.0), 1.0)
