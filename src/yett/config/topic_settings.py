"""Settings of topics: what an operator wants to be talked about, or not."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Line = Annotated[str, Meta(min_length=1, max_length=400)]


class TopicSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A topic, by the name that policies know it by: `topic.NAME`."""

    patterns: Annotated[tuple[_Line, ...], Meta(description="What speaks of it, in RE2 syntax.")] = ()
    keywords: Annotated[tuple[_Line, ...], Meta(description="Words or phrases that do, in any case.")] = ()
    examples: Annotated[
        tuple[_Line, ...], Meta(description="Sentences that do; others are compared with them by their letters.")
    ] = ()
    likeness: Annotated[float, Meta(description="From which on a sentence is like an example.", ge=0.1, le=1)] = 0.4
    allowed: Annotated[
        bool, Meta(description="Users may talk about it; what they say about none of these topics is `topic.other`.")
    ] = False
