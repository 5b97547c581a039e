"""What a gateway process shares: what cannot be read does not keep the rest back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from yett.cli.shared import Shared
from yett.model.fence import Fence
from yett.stores.database import FileDatabase
from yett.stores.fences import FenceStore
from yett.stores.sqlite import StoreUnavailable


class NoKeys:
    """A store of keys that has changed, and cannot be read."""

    def version(self) -> int:
        return 2

    def all(self) -> tuple[()]:
        raise StoreUnavailable("the keys cannot be read")


async def nothing() -> None:
    """A look at what has not changed."""


def test_fences_are_read_though_keys_cannot_be(tmp_path: Path) -> None:
    drawn: list[Fence] = []
    shared: Any = Shared.__new__(Shared)  # of one that is built, these are the parts
    shared.keys, shared._keys_version = NoKeys(), 1
    shared._database = FileDatabase(tmp_path)
    shared.fences, shared._fences_version = FenceStore.open(tmp_path, database=shared._database), 0
    shared.live = SimpleNamespace(
        refresh_keys=None, refresh_fences=drawn.extend, current=SimpleNamespace(sealed=1, revision=0)
    )
    shared._revisions = None
    shared.directories = SimpleNamespace(refresh=nothing)
    shared._credentials, shared._credentials_version = SimpleNamespace(version=lambda: 2), 1
    asked: list[str] = []
    shared.fences.draw(("team:default/research",), 2)
    with pytest.raises(StoreUnavailable, match="the keys cannot be read"):
        asyncio.run(shared.refresh(lambda: asked.append("reload")))
    assert asked == ["reload"]
    assert [fence.name for fence in drawn] == ["team:default/research"]
    shared.fences.close()
