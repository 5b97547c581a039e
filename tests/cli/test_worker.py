"""A gateway process's duties: what one of them cannot do does not keep the others back."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from yett.cli.worker import Worker
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


def test_fences_are_read_and_calls_cut_though_keys_cannot_be(tmp_path: Path) -> None:
    drawn: list[Fence] = []
    cut: list[str] = []
    worker: Any = Worker.__new__(Worker)  # of one that is built, these are the parts
    worker.keys, worker._keys_version = NoKeys(), 1
    worker._database = FileDatabase(tmp_path)
    worker.fences, worker._fences_version = FenceStore.open(tmp_path, database=worker._database), 0
    worker.live = SimpleNamespace(refresh_keys=None, refresh_fences=drawn.extend)
    worker._cut_stale = lambda: cut.append("stale calls")
    worker.fences.draw(("team:default/research",), 2)
    with pytest.raises(StoreUnavailable, match="the keys cannot be read"):
        asyncio.run(worker._refresh_keys())
    assert [fence.name for fence in drawn] == ["team:default/research"]
    assert cut == ["stale calls"]
    worker.fences.close()
