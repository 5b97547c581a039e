"""The second opinions of one worker: guardrails over its upstream client, and local models where the extra `ml` is installed."""

from __future__ import annotations

import logging
from pathlib import Path

from yett.config.settings import RoutingSettings
from yett.edge.guardrails import Guardrails, Tell
from yett.edge.local_models import Closable, LocalModels, UnusableError
from yett.errors import ConfigurationError, Mistake
from yett.model.guardrail import Panel
from yett.ports import Clock, Upstream

log = logging.getLogger("yett")


class Counsel:
    """`advisers` is what the pipeline asks."""

    def __init__(self, upstream: Upstream, clock: Clock, routing: RoutingSettings, tell: Tell) -> None:
        self._models = LocalModels(_transformer)
        self.advisers = Guardrails(upstream, clock, routing, self._models, tell)

    def start(self, panel: Panel | None) -> None:
        """Load the models of the first configuration. Raises ConfigurationError when one cannot be used."""
        troubles = self._models.take_up(panel)
        if troubles:
            raise ConfigurationError(tuple([Mistake("yett.toml", 0, trouble) for trouble in troubles]))

    def take_up(self, panel: Panel | None) -> None:
        """Another configuration is in force. Blocks while models are loaded; one that cannot be used fails as its guardrail is
        configured to."""
        for trouble in self._models.take_up(panel):
            log.error("a guardrail's model cannot be used", extra={"fields": {"why": trouble}})

    def close(self) -> None:
        self._models.close()


def _transformer(folder: Path, pin: str) -> Closable:
    try:
        from yett.edge.transformer import Transformer
    except ImportError as error:
        raise UnusableError(f'{folder}: needs the extra "ml": pip install "yett[ml]"') from error
    return Transformer(folder, pin)
