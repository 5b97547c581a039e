"""Segment: one piece of text in a message, with who wrote it and where it stands in the raw body."""

from __future__ import annotations

from msgspec import Struct

ORIGINS = (
    "system", "developer", "user", "assistant", "tool", "function", "arguments", "definition", "document", "attachment", "filename",
    "url", "refusal", "reasoning", "annotation", "other",
)  # fmt: skip


class Segment(Struct, frozen=True, gc=False):
    """One string leaf of a JSON body, unescaped.

    `role` is one of ORIGINS, who wrote it or what it is: `tool` is a tool's result, `arguments` those of a tool call,
    `definition` that of a tool, `attachment` the text of an attached file; `refusal`, `reasoning` and `annotation` (what is quoted)
    are parts of a model's answer, `other` is every other field. `index` is its ordinal among the string *values* of the body in
    document order (keys not counted), which is how `dialects.patch` finds its bytes again.
    """

    text: str
    role: str
    index: int
