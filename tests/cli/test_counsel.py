"""The second opinions of a worker: local models are loaded at the start and with every configuration."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

import pytest
from tests.edge.classifier import classifier

from yett.cli.counsel import Counsel
from yett.config.settings import RoutingSettings
from yett.edge.upstream import UpstreamClient
from yett.errors import ConfigurationError
from yett.model.guardrail import Guardrail, Panel, Question
from yett.model.route import Provider, Timeouts
from yett.model.segment import Segment

QUESTION = Question("request", "t", (Segment("attack it", "user", 0),))


class Clock:
    """Implements ports.Clock."""

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def told(guardrail: str, outcome: str, seconds: float) -> None:
    """Of what guardrails answer, nothing is counted here."""


def panel(folder: Path) -> Panel:
    provider = Provider("guardrail/local", "transformer", "", (), (), Timeouts())
    return Panel((Guardrail(id="local", kind="transformer", provider=provider, folder=str(folder)),), 10.0)


async def test_a_configured_model_judges(tmp_path: Path) -> None:
    upstream = UpstreamClient()
    counsel = Counsel(upstream, Clock(), RoutingSettings(), told)
    one = panel(classifier(tmp_path / "one", {"attack": (-4.0, 4.0)}))
    counsel.start(None)
    counsel.start(one)
    advice = await counsel.advisers.advise(one, QUESTION)
    assert [finding.kind for finding in advice.findings] == ["injection.transformer"]
    assert advice.notes[0].startswith("local: judged 1, model sha256:")
    counsel.close()
    await upstream.close()


async def test_a_model_that_cannot_be_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    upstream = UpstreamClient()
    counsel = Counsel(upstream, Clock(), RoutingSettings(), told)
    broken = panel(classifier(tmp_path / "broken", {"attack": (-4.0, 4.0)}))
    (tmp_path / "broken" / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ConfigurationError, match="broken"):
        counsel.start(broken)
    with caplog.at_level(logging.ERROR, "yett"):
        counsel.take_up(broken)
    assert "cannot be used" in caplog.text
    advice = await counsel.advisers.advise(broken, QUESTION)
    assert advice.unavailable == ("local",)
    await upstream.close()
