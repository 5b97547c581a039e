"""Whether a process is gone is said only when it is certain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from msgspec.structs import replace

from yett.stores.process import boot_id, is_running, this_process


def test_this_process_is_running() -> None:
    own = this_process()
    assert own.pid == os.getpid()
    assert own == this_process()
    assert is_running(own, own)


def test_a_process_that_ended_is_gone_reaped_or_not() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    own = this_process()
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    seen = replace(own, pid=child.pid, started=int(fields[19]))
    assert is_running(seen, own)
    os.kill(child.pid, 9)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
    assert not is_running(seen, own)
    child.communicate()
    assert not is_running(seen, own)


def test_a_pid_that_was_used_again_is_another_process() -> None:
    own = this_process()
    parent = replace(own, pid=os.getppid(), started=own.started + 1)
    assert not is_running(parent, own)


def test_a_pid_of_another_container_says_nothing() -> None:
    own = this_process()
    assert is_running(replace(own, pid=2**22 - 1, namespace=1), own)


def test_the_boot_has_an_id() -> None:
    assert boot_id() == boot_id() != b""
