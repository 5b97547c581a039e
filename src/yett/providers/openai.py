"""OpenAI, and everything that speaks its chat API at another `base_url` (platform.openai.com/docs/api-reference)."""

from __future__ import annotations

from yett.providers.kind import Kind

OPENAI = Kind(
    name="openai",
    base_url="https://api.openai.com/v1",
    chat_path="/chat/completions",
    needs_key=True,
    prices="openai",
)
