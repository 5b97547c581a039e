"""Every kind of upstream that ships. A new one is a file and a line here."""

from __future__ import annotations

from yett.providers.kind import Kind
from yett.providers.openai import OPENAI
from yett.providers.simulator import SIMULATOR
from yett.providers.vllm import VLLM

KINDS: dict[str, Kind] = {kind.name: kind for kind in (OPENAI, VLLM, SIMULATOR)}
