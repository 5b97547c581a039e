"""Every kind of remote guardrail that ships. A new one is a file and a line here."""

from __future__ import annotations

from yett.guardrails.azure_content_safety import AZURE_CONTENT_SAFETY
from yett.guardrails.bedrock_guardrails import BEDROCK_GUARDRAILS
from yett.guardrails.kind import Kind
from yett.guardrails.lakera import LAKERA
from yett.guardrails.model_armor import MODEL_ARMOR
from yett.guardrails.openai_moderation import OPENAI_MODERATION
from yett.guardrails.webhook import WEBHOOK

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        OPENAI_MODERATION,
        BEDROCK_GUARDRAILS,
        AZURE_CONTENT_SAFETY,
        MODEL_ARMOR,
        LAKERA,
        WEBHOOK,
    )
}
