"""Azure AI Content Safety (learn.microsoft.com/azure/ai-services/content-safety): harm severities and Prompt Shields.

Two operations: `text:analyze` (check "moderation"), and for requests `text:shieldPrompt` (check "injection"), which takes what
a user wrote as the prompt and everything else as a document, where instructions do not belong at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from yett.guardrails.categories import BLOCKLIST, INJECTION, MODERATION, OTHER, kind_of, slug
from yett.guardrails.kind import JSON, Asked, Kind, Piece, Signal, UnreadableError, Verdict, bounded, decoded, encoded
from yett.model.guardrail import Guardrail

_VERSION = "2024-09-01"
_WORST = 6  # severities are 0, 2, 4, 6
_MEDIUM = 4  # where the service's own filters begin


class _Category(Struct, frozen=True):
    category: str
    severity: int | None = None


class _Blocklisted(Struct, frozen=True, rename="camel"):
    blocklist_name: str = ""


class _Analysis(Struct, frozen=True, rename="camel"):
    categories_analysis: list[_Category]
    blocklists_match: list[_Blocklisted] = field(default_factory=list)


class _Attack(Struct, frozen=True, rename="camel"):
    attack_detected: bool


class _Shield(Struct, frozen=True, rename="camel"):
    user_prompt_analysis: _Attack | None = None
    documents_analysis: list[_Attack] | None = None


def ask(guardrail: Guardrail, side: str, pieces: Sequence[Piece], now: float) -> tuple[Asked, ...]:
    key = guardrail.provider.keys[0].reveal().encode()
    headers = (*JSON, (b"ocp-apim-subscription-key", key))
    query = f"?api-version={guardrail.version or _VERSION}"
    asked = []
    for piece in pieces:
        if _checks(guardrail, "moderation"):
            body = encoded({"text": piece.text, "outputType": "FourSeverityLevels"})
            path = f"/contentsafety/text:analyze{query}"
            asked.append(Asked(path, headers, body, (piece,), "analyze", bearer=False))
        if side == "request" and _checks(guardrail, "injection"):
            direct = piece.role == "user"
            shield = {"userPrompt": piece.text if direct else "", "documents": [] if direct else [piece.text]}
            path = f"/contentsafety/text:shieldPrompt{query}"
            asked.append(Asked(path, headers, encoded(shield), (piece,), "shield", bearer=False))
    return tuple(asked)


def read(guardrail: Guardrail, asked: Asked, body: bytes) -> Verdict:
    return _shield(guardrail, body) if asked.operation == "shield" else _analysis(guardrail, body)


def _analysis(guardrail: Guardrail, body: bytes) -> Verdict:
    reply = decoded(body, _Analysis)
    signals = []
    for category in reply.categories_analysis:
        severity = category.severity or 0
        label, score = slug(category.category), bounded(severity / _WORST)
        kind = kind_of(guardrail, label)
        signals.append(Signal(kind, label, 0, score, guardrail.flags(kind, score, severity >= _MEDIUM)))
    for match in reply.blocklists_match:
        label = slug(match.blocklist_name)
        signals.append(Signal(guardrail.kinds.get(label, BLOCKLIST), label, 0, 1.0, True))
    return Verdict(tuple(signals))


def _shield(guardrail: Guardrail, body: bytes) -> Verdict:
    reply = decoded(body, _Shield)
    if reply.user_prompt_analysis is None and not reply.documents_analysis:
        raise UnreadableError("neither the prompt nor a document was judged")
    attacks = [*(reply.documents_analysis or ())]
    if reply.user_prompt_analysis is not None:
        attacks.append(reply.user_prompt_analysis)
    score = 1.0 if any(attack.attack_detected for attack in attacks) else 0.0
    flagged = guardrail.flags(INJECTION, score, score > 0)
    return Verdict((Signal(INJECTION, "prompt-attack", 0, score, flagged),))


def _checks(guardrail: Guardrail, check: str) -> bool:
    return not guardrail.checks or check in guardrail.checks


AZURE_CONTENT_SAFETY = Kind(
    name="azure_content_safety",
    needs=("base_url", "key"),
    batch=1,
    longest=10_000,
    reports=(*MODERATION, OTHER, BLOCKLIST, INJECTION),
    ask=ask,
    read=read,
    checks=("moderation", "injection"),
)
