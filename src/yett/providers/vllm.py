"""vLLM's OpenAI-compatible server, the usual on-premises upstream (docs.vllm.ai, "OpenAI-Compatible Server"). Keys are optional."""

from __future__ import annotations

from yett.providers.kind import Kind

VLLM = Kind(
    name="vllm",
    base_url="http://127.0.0.1:8000/v1",
    chat_path="/chat/completions",
    needs_key=False,
)
