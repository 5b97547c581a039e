"""Decode a JSON body that two parsers could not read differently.

Inspection is only as good as its agreement with the parser behind it. Whatever is ambiguous between JSON parsers
(RFC 8259 section 4: duplicate names; section 8.1: encodings and byte order marks; NaN and Infinity) is refused here, so
that nobody can show one text to the gateway and another to the model. Depth is bounded by the walk in `leaves`.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

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


_decode = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).decode


def loads(body: bytes) -> Any:
    """The decoded value. Raises Refusal: invalid_json, duplicate_key, json_too_deep."""
    try:
        return _decode(body.decode())
    except _DuplicateKeyError:
        raise Refusal("duplicate_key") from None
    except UnicodeDecodeError as error:
        raise Refusal("invalid_json", f"The body is not valid UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise Refusal("invalid_json", f"The body is not valid JSON: {error.msg} at character {error.pos}.") from None
    except RecursionError:
        raise Refusal("json_too_deep") from None
    except ValueError:  # a constant, or a number with more digits than Python converts
        raise Refusal("invalid_json", "The body contains a number that JSON does not allow.") from None
