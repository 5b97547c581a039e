"""Edits on the raw bytes of a JSON body: what is not edited leaves exactly as it came.

Two ways to find bytes again, both exact on a body that `strict_json.loads` has accepted: the n-th string value of the
document (for text that was inspected), and the span of a top-level field (for the model name and caps).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"([ \t\r\n]*+:)?', re.DOTALL)
_NAME = re.compile(rb'[ \t\r\n{,]*+"(?:[^"\\]++|\\.)*+"[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_VALUE = re.compile(rb'[ \t\r\n]*+:[ \t\r\n]*+("(?:[^"\\]++|\\.)*+")', re.DOTALL)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

Edit = tuple[int, int, bytes]  # start, end, replacement


def quote(text: str) -> bytes:
    """`text` as a JSON string literal. Lone surrogates, which JSON can carry and UTF-8 cannot, stay escaped."""
    try:
        return msgspec.json.encode(text)
    except UnicodeEncodeError:
        return b'"%b"' % b"".join(
            b"\\u%04x" % ord(c) if 0xD800 <= ord(c) <= 0xDFFF else msgspec.json.encode(c)[1:-1] for c in text
        )


def apply(body: bytes, edits: Iterable[Edit]) -> bytes:
    """`body` with every edit carried out. Edits must not overlap."""
    pieces = []
    at = 0
    for start, end, replacement in sorted(edits):
        pieces.append(body[at:start])
        pieces.append(replacement)
        at = end
    pieces.append(body[at:])
    return b"".join(pieces)


def strings(body: bytes, texts: Mapping[int, str]) -> list[Edit]:
    """Edits that replace the string values with these ordinals (see `Segment.index`) by these texts."""
    edits: list[Edit] = []
    ordinal = 0
    last = max(texts, default=-1)
    for match in _STRING.finditer(body):
        if match[1] is not None:  # followed by a colon: a name, not a value
            continue
        if ordinal in texts:
            edits.append((match.start(), match.end(), quote(texts[ordinal])))
        if ordinal == last:
            break
        ordinal += 1
    return edits


def fields(body: bytes) -> dict[str, tuple[int, int]]:
    """The span of each top-level field's value, by name. `body` must be an object without duplicate names."""
    spans: dict[str, tuple[int, int]] = {}
    at = 0
    for name, raw in _fields(body).items():
        match = _NAME.match(body, at)
        if match is None:
            raise ValueError("not an object that was checked before")
        at = match.end()
        end = at + len(bytes(raw))
        spans[name] = (at, end)
        at = end
    return spans


def swap(body: bytes, name: str, value: str) -> bytes:
    """`body` with another string as the value of a top-level field that has a string value.

    Nearly always the field's quoted name occurs once in the whole body. Without `\\u` in the body it cannot be spelt in any
    other way, and not preceded by a backslash it is a whole string token; the field being there, it is the field.
    """
    token = b'"%b"' % name.encode()
    new = quote(value)
    at = body.find(token)
    match = None
    if body.rfind(token) == at and body[at - 1] != 0x5C and (b"\\" not in body or b"\\u" not in body):
        match = _VALUE.match(body, at + len(token))
    start, end = match.span(1) if match is not None else fields(body)[name]
    return body if body[start:end] == new else body[:start] + new + body[end:]


def replace(body: bytes, spans: Mapping[str, tuple[int, int]], name: str, value: bytes) -> Edit:
    """The edit that gives a top-level field a new raw value, adding the field at the end when it is not there."""
    span = spans.get(name)
    if span is not None:
        return (*span, value)
    end = body.rindex(b"}")
    return end, end, b'%b"%b":%b' % (b"," if spans else b"", name.encode(), value)
