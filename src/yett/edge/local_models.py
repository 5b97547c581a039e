"""The local models of the panel in force: loaded once per folder, kept over reloads, given up when no guardrail names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from yett.edge.guardrails import LocalModel
from yett.model.guardrail import Guardrail, Panel


class UnusableError(Exception):
    """A folder has no model that can be run; the message says why."""


class Closable(LocalModel, Protocol):
    """A LocalModel with threads to give up."""

    def close(self) -> None: ...


class LocalModels:
    """Implements edge.guardrails.Models. `load` makes a model from a folder and the digest that it must have; it blocks, and raises
    UnusableError."""

    def __init__(self, load: Callable[[Path, str], Closable]) -> None:
        self._load = load
        self._models: dict[tuple[str, str], Closable] = {}

    def take_up(self, panel: Panel | None) -> list[str]:
        """Load what a panel names and is not loaded yet, which blocks. Returns why some cannot be used: their guardrails then
        fail, open or closed as configured."""
        wanted = {(g.folder, g.pin) for g in panel.guardrails if g.folder} if panel is not None else set()
        troubles = []
        for folder, pin in sorted(wanted - self._models.keys()):
            try:
                self._models[folder, pin] = self._load(Path(folder), pin)
            except UnusableError as error:
                troubles.append(str(error))
        for key in self._models.keys() - wanted:
            self._models.pop(key).close()
        return troubles

    def get(self, guardrail: Guardrail) -> LocalModel | None:
        return self._models.get((guardrail.folder, guardrail.pin))

    def close(self) -> None:
        for model in self._models.values():
            model.close()
        self._models.clear()
