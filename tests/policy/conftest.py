"""Targets and facts that the policy tests ask about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from yett.model.decision import Facts
from yett.model.route import Provider, Target, Timeouts


def provider(name: str, *labels: str) -> Provider:
    return Provider(name, "openai", "http://127.0.0.1:1", labels, (), Timeouts())


EXTERNAL = Target("openai/gpt-5-mini", provider("openai", "external"), "gpt-5-mini")
ON_PREM = Target("local/llama", provider("local", "on-prem"), "llama")


def make_facts(**given: object) -> Facts:
    usual: dict[str, object] = {
        "action": "InvokeModel",
        "tenant": "default",
        "team": "research",
        "caller": "key_1",
        "caller_labels": (("env", "prod"),),
        "assurance": 0,
        "model": "fast",
        "target": "openai/gpt-5-mini",
        "provider": "openai",
        "provider_labels": ("external",),
        "inspected": True,
        "hour": 12,
    }
    return Facts(**{**usual, **given})


@pytest.fixture(scope="session")
def facts() -> Callable[..., Facts]:
    return make_facts


@pytest.fixture(scope="session")
def external() -> Target:
    return EXTERNAL


@pytest.fixture(scope="session")
def on_prem() -> Target:
    return ON_PREM
