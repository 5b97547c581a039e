"""The settings of `[inspection]` and the tables below it: what is looked for, detectors and topics of an operator's own, what does not
count for a while, attached files."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from yett.config.scalars import Count, Timeout
from yett.detectors.custom import WITHIN

_Line = Annotated[str, Meta(min_length=1, max_length=400)]


class AttachmentSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Files that requests carry: documents, pictures, recordings."""

    mode: Annotated[
        Literal["off", "inspect"],
        Meta(description="Pass them on unread, or read their text and inspect it like that of the request."),
    ] = "off"
    unread: Annotated[
        Literal["refuse", "pass"],
        Meta(
            description="A file that cannot be read, or not to its end or in time, or that is only named: refuse the call, "
            "or go on with the finding `attachment.unread`."
        ),
    ] = "refuse"
    pictures: Annotated[
        Literal["read", "metadata"],
        Meta(
            description="What it takes to have read a picture: the writing on it, by `tesseract`, or what it says of itself."
        ),
    ] = "read"
    deadline: Annotated[Timeout, Meta(description="For all files of one call together.")] = 10.0
    max_chars: Annotated[Count, Meta(description="Characters of text in all files of one call.")] = 200_000


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


class InspectionSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for in prompts and answers."""

    disabled: Annotated[
        tuple[str, ...],
        Meta(description='What is not looked for: a family ("pii"), a kind ("pii.phone") or a detector by its id.'),
    ] = ()
    countries: Annotated[
        tuple[Annotated[str, Meta(pattern="^[A-Za-z]{2}$")], ...],
        Meta(
            description='Countries whose national numbers and telephone numbers are found without a word before them: "de", "fr" (ISO 3166-1).'
        ),
    ] = ()
    injection: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether the injection model scores what goes in: when a policy asks for its verdict, always, or never."
        ),
    ] = "auto"
    names: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether names and postal addresses are looked for: when a policy asks for `pii.person` or `pii.address`, always, or never."
        ),
    ] = "auto"
    quality: Annotated[
        bool,
        Meta(
            description="Score answers: how sure the model was, and how much of what it claims stands in the request."
        ),
    ] = False
    stream: Annotated[bool, Meta(description="Inspect streamed answers as they pass.")] = True
    deadline: Annotated[
        Timeout, Meta(description="For long texts to be inspected, beside other calls'; then the call is refused.")
    ] = 30.0
    allowed_hosts: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=253)], ...],
        Meta(description="Hosts that addresses in a text may carry data to; each stands for all names below it, too."),
    ] = ()
    other_hosts: Annotated[
        Literal["weigh", "flag"],
        Meta(description="Addresses on other hosts: weigh what they carry, or make each of them a finding."),
    ] = "weigh"
    max_segment_chars: Annotated[
        Count | None, Meta(description="Characters of one text of a call, beyond which it is `limit.segment-size`.")
    ] = None
    max_segment_tokens: Annotated[Count | None, Meta(description="The same in tokens, which are estimated.")] = None
    plugins: Annotated[
        tuple[str, ...],
        Meta(
            description='Detectors of installed packages, each "module:attribute" as the package declares it; nothing else is loaded.'
        ),
    ] = ()
    detectors: Annotated[dict[str, DetectorSettings], Meta(description="Detectors of your own, by id.")] = field(
        default_factory=dict
    )
    attachments: Annotated[AttachmentSettings, Meta(description="Attached files.")] = AttachmentSettings()
    topics: Annotated[dict[str, TopicSettings], Meta(description="Topics, by name.")] = field(default_factory=dict)
    suppressions: Annotated[
        dict[str, SuppressionSettings], Meta(description="Findings that do not count for a while.")
    ] = field(default_factory=dict)
