"""A guardrail of any kind, and answers read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from yett.guardrails.kind import Asked, Kind, Piece, Verdict
from yett.guardrails.shelf import KINDS
from yett.model.guardrail import Guardrail
from yett.model.route import Provider, Secret, Timeouts

Make = Callable[..., Guardrail]


@pytest.fixture
def make() -> Make:
    """`make("lakera", threshold=0.5)` is a guardrail of that kind with a key."""

    def guardrail(kind: str, base_url: str = "https://guard.example", key: str = "key-1", **settings: Any) -> Guardrail:
        keys = (Secret(key),) if key else ()
        provider = Provider("guardrail/g", kind, base_url, (), keys, Timeouts())
        return Guardrail(id="g", kind=kind, provider=provider, **settings)

    return guardrail


class Talk:
    """One question to a service and its answer, on paper."""

    def __init__(self, guardrail: Guardrail) -> None:
        self.kind: Kind = KINDS[guardrail.kind]
        self.guardrail = guardrail

    def ask(self, *texts: str, side: str = "request", role: str = "user", now: float = 1_700_000_000.0) -> list[Asked]:
        pieces = [Piece(text, role, position) for position, text in enumerate(texts)]
        return list(self.kind.ask(self.guardrail, side, pieces, now))

    def read(self, answer: Any, *texts: str, **how: Any) -> Verdict:
        (asked,) = self.ask(*(texts or ("some text",)), **how)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return self.kind.read(self.guardrail, asked, body)


def sent(asked: Asked) -> Any:
    return json.loads(asked.body)


def fields(asked: Asked) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in asked.headers}


def said(verdict: Verdict) -> list[tuple[str, float, bool]]:
    return [(signal.kind, signal.score, signal.flagged) for signal in verdict.signals]
