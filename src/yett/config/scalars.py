"""Scalars: the types that settings are made of, with how each is written in yett.toml."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from yett.config.units import BUDGET_PATTERN, DURATION_PATTERN, SIZE_PATTERN

# How a setting is written, for the decoder (`extra`) and for editors (`extra_json_schema`).
DURATION = Meta(
    extra={"unit": "duration"},
    extra_json_schema={"type": ["string", "number"], "pattern": DURATION_PATTERN, "examples": ["30s"]},
)
_SIZE = Meta(
    extra={"unit": "size"},
    extra_json_schema={"type": ["string", "integer"], "pattern": SIZE_PATTERN, "examples": ["8MiB"]},
)
_BUDGET = Meta(extra={"unit": "budget"}, extra_json_schema={"pattern": BUDGET_PATTERN, "examples": ["50usd/month"]})
_SECRET = Meta(
    extra={"unit": "secret"},
    extra_json_schema={"pattern": "^(env|file|sealed):.+$", "examples": ["env:OPENAI_API_KEY"]},
)

Seconds = Annotated[float, Meta(ge=0, le=31_536_000), DURATION]
Timeout = Annotated[float, Meta(gt=0, le=86_400), DURATION]
Bytes = Annotated[int, Meta(ge=1, le=2**40), _SIZE]
Money = Annotated[str, _BUDGET]
SecretReference = Annotated[str, _SECRET]
CaFile = Annotated[str, Meta(description="Certificates to trust instead of the system's, PEM, relative to yett.toml.")]
Count = Annotated[int, Meta(ge=1, le=10**12)]
Port = Annotated[int, Meta(ge=1, le=65535)]
Price = Annotated[float, Meta(ge=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
