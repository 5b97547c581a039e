"""Select: which texts a guardrail is shown, and what of them has to stay here."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from yett.model.finding import Finding
from yett.model.guardrail import Guardrail, Question
from yett.model.segment import Segment

# Whose texts are shown when `roles` does not say: not the operator's own, and not what a model has said before, which was
# judged when it said it. `other` is what is no message: the model's name, the words of a JSON schema.
SHOWN = {
    "request": frozenset(("user", "tool", "function", "arguments", "document", "attachment", "definition")),
    "reply": frozenset(("assistant", "arguments", "refusal", "reasoning", "annotation")),
}
BLANK = "*"


class Text(Struct, frozen=True):
    """One text to be judged, as it may leave: same length as the segment, so that offsets are the segment's."""

    segment: int
    text: str
    role: str


class Selection(Struct, frozen=True):
    """`withheld` counts the texts that would have been shown, were it not for what is in them."""

    texts: tuple[Text, ...]
    withheld: int


def selected(guardrail: Guardrail, question: Question) -> Selection:
    """What `guardrail` is shown of a question."""
    wanted = guardrail.roles or SHOWN[question.side]
    uncertain = guardrail.above <= question.scores.get(guardrail.score, 0.0) <= guardrail.below
    sealed = any(f"label.{label}" in guardrail.withhold for label in question.labels)
    inside: dict[int, list[Finding]] = {}
    for finding in question.findings:
        inside.setdefault(finding.segment, []).append(finding)
    texts: list[Text] = []
    withheld = 0
    for position, segment in enumerate(question.segments):
        role = segment.role
        if role not in wanted or not (uncertain or role in guardrail.always) or not segment.text.strip():
            continue
        found = inside.get(position, ())
        if sealed or any(_named(finding, guardrail.withhold) for finding in found):
            withheld += 1
        else:
            text = _blanked(segment, found, guardrail.redact) if found else segment.text
            texts.append(Text(position, text, role))
    return Selection(tuple(texts), withheld)


def _named(finding: Finding, names: frozenset[str]) -> bool:
    return finding.kind in names or finding.family in names


def _blanked(segment: Segment, found: Sequence[Finding], names: frozenset[str]) -> str:
    spans = sorted((finding.start, finding.end) for finding in found if _named(finding, names))
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        if end > done:
            pieces += (segment.text[done:start], BLANK * (end - max(start, done)))
            done = end
    return "".join((*pieces, segment.text[done:]))
