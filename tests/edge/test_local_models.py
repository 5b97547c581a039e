"""Local models as configurations come and go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yett.edge.local_models import LocalModels, UnusableError
from yett.guardrails.kind import Piece, Verdict
from yett.model.guardrail import Guardrail, Panel
from yett.model.route import Provider, Timeouts


class Model:
    """Implements Closable."""

    longest = 100

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.closed = False

    async def judge(self, guardrail: Guardrail, pieces: Sequence[Piece]) -> Verdict:
        return Verdict(())

    def close(self) -> None:
        self.closed = True


def guardrail(folder: str, **settings: Any) -> Guardrail:
    provider = Provider("guardrail/g", "transformer", "", (), (), Timeouts())
    return Guardrail(id=folder or "remote", kind="transformer", provider=provider, folder=folder, **settings)


class Shelf:
    def __init__(self) -> None:
        self.loaded: list[Model] = []

    def load(self, folder: Path, pin: str) -> Model:
        if folder.name == "broken":
            raise UnusableError(f"{folder}: it is broken")
        self.loaded.append(Model(f"{folder} {pin}"))
        return self.loaded[-1]


def panel(*guardrails: Guardrail) -> Panel:
    return Panel(guardrails, 1.0)


def test_each_model_is_loaded_once_and_kept() -> None:
    shelf = Shelf()
    models = LocalModels(shelf.load)
    assert models.take_up(panel(guardrail("a"), guardrail("b"), guardrail(""))) == []
    assert models.take_up(panel(guardrail("b", threshold=0.9))) == []
    assert [model.closed for model in shelf.loaded] == [True, False]
    kept = models.get(guardrail("b"))
    assert kept is shelf.loaded[1]
    assert models.get(guardrail("a")) is models.get(guardrail("")) is None
    models.take_up(panel(guardrail("b", pin="00")))
    assert [model.identity for model in shelf.loaded] == ["a ", "b ", "b 00"]
    models.take_up(None)
    assert all(model.closed for model in shelf.loaded)


def test_what_cannot_be_used_is_told() -> None:
    models = LocalModels(Shelf().load)
    assert models.take_up(panel(guardrail("broken"), guardrail("b"))) == ["broken: it is broken"]
    assert models.get(guardrail("broken")) is None
    assert models.get(guardrail("b")) is not None


def test_the_end() -> None:
    shelf = Shelf()
    models = LocalModels(shelf.load)
    models.take_up(panel(guardrail("a")))
    models.close()
    assert shelf.loaded[0].closed
    assert models.get(guardrail("a")) is None
