"""Attached: a file that a body carries; Extracted: the text of a file, or why there is none."""

from __future__ import annotations

from msgspec import Struct


class Attached(Struct, frozen=True):
    """`content` is base64, or a data URL (RFC 2397) that holds it; "" for a file that is named only, by an address or an id."""

    content: str


class Extracted(Struct, frozen=True):
    """`whole`: nothing was left out. `failure` is why there is no text, "" when there could be; it never quotes the file."""

    kind: str
    text: str = ""
    whole: bool = True
    failure: str = ""
