"""The disk under the journal is full: calls are refused, not unrecorded; those that were let in get their outcome.

The disk is a small file system in memory, in a mount namespace of its own that a sleeping process keeps.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.scenes.conftest import HEAD, provider_toml, simulated
from tests.scenes.harness import Gateway, arrived, models_toml, request_body, said, until

from yett.simulator.server import Simulator


class Disk:
    """`inside` is where the gateway sees it, `path` where everybody else does, `enter` what a command is run by to see it."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.inside = folder
        folder.mkdir()
        mine = os.geteuid() == 0
        mount = f'mount -t tmpfs -o size={megabytes}m tmpfs "{folder}" && echo mounted && exec sleep 1000'
        apart = ["unshare", "-m"] if mine else ["unshare", "-Urm"]
        self._keeper = subprocess.Popen([*apart, "sh", "-c", mount], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._keeper.stdout is not None
        if not self._keeper.stdout.readline():
            reason = self._keeper.communicate()[1].decode()
            pytest.skip(f"no mount namespace to be had here: {reason}")
        into = ["-m"] if mine else ["-U", "--preserve-credentials", "-m"]
        self.enter = ["nsenter", "-t", str(self._keeper.pid), *into]
        self.path = Path(f"/proc/{self._keeper.pid}/root{folder}")
        self._ballast = self.path / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        assert os.statvfs(self.path).f_bavail == 0

    def empty(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.communicate()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "small", 16)
    yield disk
    disk.close()


@pytest.mark.parametrize(("content", "durability"), [("digest", "crash"), ("full", "power")])
def test_a_full_disk(
    disk: Disk, provider: Simulator, build: Callable[..., Gateway], content: str, durability: str
) -> None:
    journal = f'[audit]\ndir = "{disk.inside}/audit"\ncontent = "{content}"\ndurability = "{durability}"'
    models = simulated({"plain": "", "drip": "chunks=100+latency.between_chunks=10ms", "late": "latency.first_byte=1s"})
    text = HEAD.replace("[audit]", journal) + provider_toml(provider, "cloud") + models_toml(models)
    gateway = build(text)
    gateway.prefix = disk.enter
    gateway.audit = disk.path / "audit"
    gateway.start("--config", str(gateway.folder / "yett.toml"))
    assert gateway.chat("plain").status == 200

    mark = f"under way when the disk fills up, {content}, {durability}"
    stream = gateway.stream("drip", mark)
    late = gateway.send(request_body("late", mark + ", late"))
    arrived(provider, mark + ", late")
    disk.fill()
    # What was allocated already still takes a line or two.
    refused = until(lambda: (reply := gateway.chat("plain")).status == 503 and reply, what="a refusal")
    assert refused.code == "audit_unavailable"
    assert refused.headers["x-should-retry"] == "true"

    status, report = gateway.readiness()
    assert status == 503
    assert "the journal cannot be written" in report["workers"][0]["trouble"][0]
    assert gateway.metrics()["yett_audit_healthy"] == 0
    before = len(provider.requests)
    for _ in range(300):  # refused calls must not use up what is reserved for the outcomes of the others
        assert gateway.chat("plain").status == 503
    assert len(provider.requests) == before, "what cannot be recorded does not leave"
    assert gateway.counted("yett_calls_total", code="audit_unavailable") >= 301

    events = stream.events()
    assert events[-1] == "data: [DONE]"
    assert mark[:20] in said(events)
    assert gateway.outcome(stream.id)["outcome"] == "ok"
    assert late.getresponse().read().startswith(b'{"id"')
    until(lambda: gateway.outcomes(model="late"), what="the outcome of the buffered call")
    assert gateway.outcomes(model="late")[0]["outcome"] == "ok"
    gateway.rests()

    disk.empty()
    until(lambda: gateway.chat("plain").status == 200, what="an end of the trouble")
    gateway.await_ready()
    assert gateway.metrics()["yett_audit_healthy"] == 1
    assert gateway.stop() == 0
    report = gateway.verified()
    assert report.counts.get("orphan intents", 0) == 0


def test_an_end_and_a_beginning_on_a_full_disk(disk: Disk, provider: Simulator, build: Callable[..., Gateway]) -> None:
    """It stops as told, starts only when it can record, and says why not."""
    text = HEAD.replace("[audit]", f'[audit]\ndir = "{disk.inside}/audit"') + provider_toml(provider, "cloud")
    gateway = build(text + models_toml(simulated({"plain": "", "drip": "chunks=100+latency.between_chunks=10ms"})))
    gateway.prefix = disk.enter
    gateway.audit = disk.path / "audit"
    options = ("--config", str(gateway.folder / "yett.toml"))
    gateway.start(*options)
    stream = gateway.stream("drip")
    disk.fill()
    until(lambda: gateway.chat("plain").status == 503, what="a refusal")
    assert stream.events()[-1] == "data: [DONE]"
    assert gateway.stop() == 0
    gateway.start(*options, ready=False)
    assert gateway.wait() == 3
    assert "audit: cannot be written: No space left on device" in gateway.log.splitlines()[-2]
    disk.empty()
    gateway.start(*options)
    assert gateway.chat("plain").status == 200
    gateway.kill()
    disk.fill()
    gateway.start(*options, ready=False)
    assert gateway.wait() == 3
    disk.empty()
    gateway.start(*options)
    assert gateway.stop() == 0
    report = gateway.verified()
    assert report.counts.get("orphan intents", 0) == 0
