"""Segment: one piece of text in a message, with who wrote it and where it stands in the raw body."""

from __future__ import annotations

from msgspec import Struct


class Segment(Struct, frozen=True, gc=False):
    """One string leaf of a JSON body, unescaped.

    `role` is who wrote it: system, developer, user, assistant, tool, or `other` for everything that is not a message
    (tool definitions, unknown fields). `index` is its ordinal among the string *values* of the body in document order
    (keys not counted), which is how `dialects.patch` finds its bytes again.
    """

    text: str
    role: str
    index: int
