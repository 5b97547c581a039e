"""Decode a JSON body that two parsers could not read differently.

Inspection is only as good as its agreement with the parser behind it. Whatever is ambiguous between JSON parsers
(RFC 8259 section 4: duplicate names; section 8.1: encodings and byte order marks; NaN and Infinity) is refused here, so
that nobody can show one text to the gateway and another to the model. Depth is bounded by the walk in `leaves`.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from yett.errors import Refusal

MAX_DEPTH = 64  # real requests stay below 20; parsers behind us give up anywhere between 100 and 1000


class _DuplicateKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DuplicateKeyError
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):  # RFC 8259 section 6: what is beyond a double is for each parser to decide
        raise ValueError("beyond a double")
    return value


_SPACED_COLON = re.compile(rb'"[ \t\r\n]++:')
_slow = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_number).decode
_fast = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_OTHER_ESCAPE = re.compile(rb'\\[^nt"]')
_UNESCAPED = {b"n": b"\n", b"t": b"\t", b'"': b"\x01"}
FEW_ESCAPES = 32  # up to which it is faster to go from one to the next than through the body once for each kind
FEW_COLONS = 48  # up to which names are counted from one colon to the next
SHORT = 4096  # bytes of a body that is written back to compare before anything else is tried
_NESTED = frozenset((dict, list))
_QUOTE = 0x22
_WHITE = frozenset(b" \t\r\n")


def decode(body: bytes) -> Any:
    """As `loads`, at a fraction of its cost for what well-behaved clients send."""
    try:
        value = _fast(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # `loads` finds the words for it
    else:
        if _unambiguous(body, value):
            return value
    value = loads(body)
    _names(value, 0)
    return value


def is_certain(body: bytes, value: Any) -> bool:
    """Whether no parser reads anything but `value` from a body that was read as that."""
    try:
        if not _unambiguous(body, value):
            loads(body)
    except Refusal:
        return False
    return True


def _unambiguous(body: bytes, value: Any) -> bool:
    """True when no object in `body`, which was read as `value`, has a name twice: shown without looking at every object. False
    when that cannot be shown. Raises Refusal("json_too_deep").

    Either the value, written back, is the body: then nothing was lost in reading it. Or no white space stands before a colon,
    so that every name ends in `":`, to which text in strings may add (`\\":`) and from which nothing can take: when the value
    has as many names as there are such ends, none was lost to a second one.

    Which is cheaper depends: writing costs by length, counting names by their number.
    """
    colon = body.find(b":")
    compact = body[colon + 1 : colon + 2] != b" "  # as the official SDKs write it, and json.dumps does not
    short = len(body) < SHORT
    if compact and short and _written_back(value, body):
        return True
    ends: int | None = body.count(b'":')
    if ends != body.count(b":"):  # else every colon stands behind a quotation mark, as in prose without any
        ends = _few_name_ends(body, colon)
    if ends is not None and _names(value, 0) == ends:
        return True
    if compact and not short and _written_back(value, body):
        return True
    return not _SPACED_COLON.search(body) and _names(value, 0) == body.count(b'":')


def _written_back(value: Any, body: bytes) -> bool:
    return body.count(b"{") + body.count(b"[") <= MAX_DEPTH and bool(_encode(value) == body)


def _few_name_ends(body: bytes, colon: int) -> int | None:
    """How often `":` occurs, going from colon to colon, the first of which is at `colon`: in prose they are few and far
    between. None when they are not, or when white space stands before one of them."""
    ends = 0
    for _ in range(FEW_COLONS):
        if colon < 0:
            return ends
        before = body[colon - 1]
        if before == _QUOTE:
            ends += 1
        elif before in _WHITE:
            return None
        colon = body.find(b":", colon + 1)
    return None


def _names(value: Any, depth: int) -> int:
    """How many names the objects of `value` have. Raises Refusal("json_too_deep")."""
    if depth > MAX_DEPTH:
        raise Refusal("json_too_deep", f"The JSON is nested deeper than {MAX_DEPTH} levels.")
    names = 0
    if type(value) is dict:
        names = len(value)
        value = value.values()
    elif type(value) is not list:
        return 0
    for item in value:
        if type(item) in _NESTED:
            names += _names(item, depth + 1)
    return names


def flat(body: bytes, separator: bytes) -> bytes | None:
    """The text of a body that `decode` or `loads` has accepted, with every string between two separators as it reads unescaped,
    and the rest of the JSON in between. None when it has escapes that are not undone here.

    What no detector finds in this text is in none of the strings: each of them stands in it whole, between separators, just as
    it is scanned on its own. So this is how the clean text of nearly all calls is told, without taking a body apart.
    """
    if b"\\" not in body:
        return body.replace(b'"', separator)
    if body.count(b"\\") > FEW_ESCAPES:
        if _OTHER_ESCAPE.search(body):
            return None
        # JSON does not allow control characters, so one can stand for an escaped quote in the meantime.
        body = body.replace(b'\\"', b"\x01").replace(b"\\n", b"\n").replace(b"\\t", b"\t")
    else:
        first, *pieces = body.split(b"\\")
        for piece in pieces:
            if piece[:1] not in _UNESCAPED:  # another escape, or an escaped backslash: then a piece is empty
                return None
        body = b"".join([first, *[_UNESCAPED[piece[:1]] + piece[1:] for piece in pieces]])
    return body.replace(b'"', separator).replace(b"\x01", b'"')


def loads(body: bytes) -> Any:
    """The decoded value. Raises Refusal: invalid_json, duplicate_key, json_too_deep."""
    try:
        value = _slow(body.decode())
        if b"\\ud" in body or b"\\uD" in body:
            _fast(body)  # the one decoder here that is strict about them
    except _DuplicateKeyError:
        raise Refusal("duplicate_key") from None
    except UnicodeDecodeError as error:
        raise Refusal("invalid_json", f"The body is not valid UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise Refusal("invalid_json", f"The body is not valid JSON: {error.msg} at character {error.pos}.") from None
    except msgspec.DecodeError:  # RFC 8259 section 8.2: parsers differ on what becomes of half a character
        raise Refusal("invalid_json", "A string contains half of a surrogate pair.") from None
    except RecursionError:
        raise Refusal("json_too_deep") from None
    except ValueError:  # a constant, a number beyond a double, or one with more digits than Python converts
        raise Refusal("invalid_json", "The body contains a number that not every parser can read.") from None
    return value
