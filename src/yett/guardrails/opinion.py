"""Opinion: what one guardrail made of one question; and the advice that several opinions make together."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from yett.guardrails.categories import scores_of
from yett.guardrails.kind import Signal
from yett.model.finding import Finding
from yett.model.guardrail import FAILED_OPEN, NO_ADVICE, Advice, Guardrail


class Judged(Struct, frozen=True):
    """What was said about one segment; offsets are the segment's."""

    segment: int
    signals: tuple[Signal, ...]


class Opinion(Struct, frozen=True):
    """`failure` is why it is not a whole one, "" when it is. `said` is for the record, such as which model has spoken."""

    guardrail: Guardrail
    judged: tuple[Judged, ...] = ()
    remembered: int = 0
    withheld: int = 0
    failure: str = ""
    said: str = ""


def advice_of(opinions: Iterable[Opinion]) -> Advice:
    """All opinions together. Nothing is decided here: a guardrail that failed is named, and what follows is up to policy
    (failing open) or to whoever asked (`unavailable`)."""
    findings: list[Finding] = []
    scores: dict[str, float] = {}
    notes: list[str] = []
    unavailable: list[str] = []
    for opinion in opinions:
        guardrail = opinion.guardrail
        for judged in opinion.judged:
            _add(guardrail, judged, findings, scores)
        notes += _notes(opinion)
        if opinion.failure:
            if guardrail.fail_open:
                findings.append(Finding(FAILED_OPEN, 0, 0, 0, guardrail.id))
            else:
                unavailable.append(guardrail.id)
    if not notes:
        return NO_ADVICE
    findings.sort(key=lambda finding: (finding.segment, finding.start, finding.end, finding.kind))
    return Advice(tuple(findings), scores, tuple(notes), tuple(unavailable))


def _add(guardrail: Guardrail, judged: Judged, findings: list[Finding], scores: dict[str, float]) -> None:
    for signal in judged.signals:
        for name in scores_of(signal.kind):
            scores[name] = max(scores.get(name, 0.0), signal.score)
        if signal.flagged:
            detector = f"{guardrail.id}:{signal.label}"
            findings.append(Finding(signal.kind, judged.segment, signal.start, signal.end, detector, signal.score))


def _notes(opinion: Opinion) -> list[str]:
    counts = [f"judged {len(opinion.judged)}"] if opinion.judged else []
    if opinion.remembered:
        counts.append(f"remembered {opinion.remembered}")
    if opinion.withheld:
        counts.append(f"withheld {opinion.withheld}")
    if opinion.said and opinion.judged:
        counts.append(opinion.said)
    if opinion.failure:
        counts.append(f"failed {'open' if opinion.guardrail.fail_open else 'closed'}: {opinion.failure}")
    return [f"{opinion.guardrail.id}: {', '.join(counts)}"] if counts else []
