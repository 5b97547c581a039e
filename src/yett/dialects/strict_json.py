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


def quick(body: bytes) -> tuple[Any, int] | None:
    """The decoded value and the number of names it would have if no object had the same name twice, several times faster
    than `loads`. None: ask `loads`.

    Every name ends in `":`, written exactly so when no white space stands before any colon. Text in strings may add to the
    count (`\\":`), never take from it. So when the walk over the decoded value finds as many names as were counted, none
    was lost to a second one of the same name; when it finds fewer, `loads` has to say what that means.
    """
    if _SPACED_COLON.search(body):
        return None
    try:
        return _fast(body), body.count(b'":')
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # `loads` finds the words for it


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
