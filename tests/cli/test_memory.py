"""What a process gives back."""

from __future__ import annotations

import gc
import subprocess
import sys
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


def test_a_process_writes_no_core_file_and_cannot_be_looked_into() -> None:
    program = (
        "import ctypes, resource; from yett.cli import memory; memory.keep_private();"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "(0, 0) 0\n"
