"""`yett simulator`, a provider like any other: for demos, tests and benchmarks."""

from __future__ import annotations

from yett.providers.kind import Kind

SIMULATOR = Kind(
    name="simulator",
    base_url="http://127.0.0.1:8486/v1",
    chat_path="/chat/completions",
    needs_key=False,
)
