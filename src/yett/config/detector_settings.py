"""Settings of detectors that an operator describes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from yett.detectors.custom import WITHIN


class DetectorSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A detector of your own, by its id."""

    pattern: Annotated[
        str,
        Meta(
            description="What it looks for: a word, or the group at the end of a pattern; RE2 syntax without anchors."
        ),
    ]
    kind: Annotated[str, Meta(description='What it finds, as policies name it; "" is `custom.NAME`.')] = ""
    keywords: Annotated[
        tuple[str, ...], Meta(description="Words, in any case, one of which has to stand shortly before.")
    ] = ()
    within: Annotated[int, Meta(description="How many characters before it, at most.", ge=0, le=WITHIN)] = 40
    validator: Annotated[
        str,
        Meta(
            description="A check of what the pattern matched: `luhn`, `iban`, `entropy`, …; "
            "docs/detection.md lists them all."
        ),
    ] = ""
    matches: Annotated[
        tuple[str, ...], Meta(description="Texts that it has to find something in; checked on loading.")
    ] = ()
    not_matches: Annotated[
        tuple[str, ...], Meta(description="Texts that it must find nothing in; checked likewise.")
    ] = ()
