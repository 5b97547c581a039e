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


def test_only_code_that_is_as_in_its_file_is_let_go_of() -> None:
    def mapped(start: int, rights: str, path: str, anonymous: int, inode: int = 7) -> str:
        return f"{start:08x}-{start + 4096:08x} {rights} 00001000 fd:01 {inode}    {path}\nRss: 4 kB\nAnonymous: {anonymous} kB\nSwap: 0 kB\n"

    text = "".join(
        [
            mapped(0x1000, "r-xp", "/usr/bin/python3.11", 0),
            mapped(0x2000, "r--p", "/usr/lib/one of.so.6.0", 0),
            mapped(0x3000, "r--p", "/usr/lib/one.so", 4),  # relocated
            mapped(0x4000, "rw-p", "/usr/lib/one.so", 0),
            mapped(0x5000, "r--s", "/srv/data", 0),
            mapped(0x6000, "r--p", "/usr/lib/locale/LC_CTYPE", 0),
            mapped(0x7000, "r-xp", "[vdso]", 0, 0),
            mapped(0x8000, "rw-p", "", 0, 0),
        ]
    )
    assert list(memory.unchanged(text)) == [(0x1000, 0x2000), (0x2000, 0x3000)]


def test_a_process_takes_less_after_it_has_settled() -> None:
    program = (
        "import cryptography.x509, numpy, sqlite3; from pathlib import Path; from yett.cli import memory\n"
        "def resident(): return int(Path('/proc/self/statm').read_text().split()[1])\n"
        "before = resident(); memory.settle(); after = resident()\n"
        "numpy.linalg.inv(numpy.eye(9)); sqlite3.connect(':memory:').execute('select 1'); print(before > after)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
