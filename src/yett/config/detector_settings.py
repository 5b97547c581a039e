"""Settings of detectors that an operator describes, and of findings that are not to be seen for a while."""

from __future__ import annotations

from typing import Annotated, Literal

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


class SuppressionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Findings that have been looked at and do not count for a while; `yett findings suppress` writes such a table."""

    findings: Annotated[tuple[str, ...], Meta(description="What it is about: kinds, families, ids of detectors.")]
    until: Annotated[str, Meta(description="The last day, in UTC, as in `2026-12-31`.")]
    reason: Annotated[str, Meta(description="Why, for whoever reads this later.", min_length=1)]
    tenants: Annotated[tuple[str, ...], Meta(description="Only calls of these tenants; empty: of all.")] = ()
    teams: Annotated[tuple[str, ...], Meta(description="Only calls of these teams; empty: of all.")] = ()
    on: Annotated[
        tuple[Literal["request", "reply"], ...], Meta(description="Only on this side of a call; empty: on both.")
    ] = ()
    roles: Annotated[
        tuple[str, ...], Meta(description="Only in texts of these, such as `document`; empty: of all.")
    ] = ()
    values: Annotated[
        tuple[str, ...], Meta(description="Only these values, as keyed hashes; empty: whatever was found.")
    ] = ()
