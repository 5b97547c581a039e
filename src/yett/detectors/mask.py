"""Mask: how a finding looks once it is redacted, and which findings a policy means by a name."""

from __future__ import annotations

from collections.abc import Container, Iterable

from yett.model.finding import Finding


def matches(kind: str, selector: str) -> bool:
    """Whether `selector` means `kind`: it is the kind itself, or a family of it (`pii` means `pii.email`), or `*`."""
    return selector in (kind, "*") or kind.startswith(f"{selector}.")


def select(findings: Iterable[Finding], selectors: Iterable[str]) -> tuple[Finding, ...]:
    """The findings that any of the selectors means, and that stand somewhere: one about the whole call has no characters."""
    wanted = tuple(selectors)
    return tuple(
        finding
        for finding in findings
        if finding.start < finding.end and any(matches(finding.kind, selector) for selector in wanted)
    )


def place(finding: Finding) -> tuple[int, int, str]:
    """The order in which findings are masked: of those that begin together, the longest first."""
    return finding.start, -finding.end, finding.kind


def marker(kind: str) -> str:
    """What stands where a finding of this kind stood."""
    return f"[REDACTED:{kind}]"


def quoted(kind: str) -> str:
    """The same where no JSON string stands around it: in place of a number."""
    return f'"{marker(kind)}"'


def mask(text: str, findings: Iterable[Finding], bare: Container[int] = ()) -> str:
    """`text` with every finding's span replaced by `[REDACTED:<kind>]`. All findings must be of this text.

    Spans that overlap are replaced as one, under the kind of the first; so are spans of one kind that touch, which is how
    a very long match is reported. What begins at a `bare` place stands in JSON, but in no string of it.
    """
    pieces: list[str] = []
    done = 0  # text before this is in `pieces` already
    last = ""
    for finding in sorted(findings, key=place):
        continues = finding.start < done or (finding.start == done and finding.kind == last)
        if not continues or not pieces:
            shown = quoted if finding.start in bare else marker
            pieces += (text[done : finding.start], shown(finding.kind))
            last = finding.kind
        done = max(done, finding.end)
    return "".join((*pieces, text[done:]))
