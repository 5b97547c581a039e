"""What a process gives back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from yett.cli import memory


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_is_not_walked_again() -> None:
    memory.settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold() == memory.COLLECT
