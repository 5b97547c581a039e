"""What the official SDKs are pointed at: the simulated provider itself, and a real gateway in front of it."""

from __future__ import annotations

import asyncio
import http.server
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from tests.issuing import Authority

from yett.simulator.server import Simulator
from yett.simulator.settings import Layers, Settings

PROVIDER_KEY = "sk-sim-clients-0001"
MODELS = {
    "fast": {},
    "limited": {"status": "429", "retry_after": "1"},
    "limited-stream": {"status": "429", "retry_after": "1"},
    "broken": {"status": "500"},
    "forbidden": {"status": "403"},
}


class Endpoint(Struct, frozen=True):
    """Where an SDK points, and what its errors are called there."""

    base_url: str
    key: str
    codes: dict[str, str]
    admin: str = ""  # the operator's port


@pytest.fixture(scope="session")
def provider() -> Iterator[Simulator]:
    """A simulator in a thread of its own, so that blocking clients can talk to it."""
    settings = Settings(keys=(PROVIDER_KEY,), models=tuple(MODELS), strict=True, layers=Layers(models=MODELS))
    simulator = Simulator(settings=settings)
    ready, loop = threading.Event(), asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def serve() -> None:
        async with simulator:
            ready.set()
            await stopping.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield simulator
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def direct(provider: Simulator) -> Endpoint:
    """The simulator without anything in between: shows that the simulator is a provider as the SDK knows them."""
    provider.reset()
    codes = {
        "key": "invalid_api_key",
        "model": "model_not_found",
        "type": "invalid_type",
        "limit": "rate_limit_exceeded",
        "permission": "permission_denied",
    }
    return Endpoint(provider.base_url, PROVIDER_KEY, codes)


CONFIGURATION = """
[gateway]
port = {port}

[admin]
port = {admin_port}

[audit]
content = "none"

[providers.sim]
kind = "simulator"
base_url = "{base_url}"
key = "file:provider.key"
labels = ["external"]

# A provider key that got a 429 is set aside for every model of that provider, so these have their own.
[providers.busy]
kind = "simulator"
base_url = "{base_url}"
key = "file:provider.key"

[providers.busier]
kind = "simulator"
base_url = "{base_url}"
key = "file:provider.key"

[teams.research]

[identity.tasks]
issuer = "https://yett.example"

[identity.trust_domains."example.org"]
bundle_file = "bundle.json"
audiences = ["yett"]
algorithms = ["ES256"]
workloads = [{{ path = "/ns/prod", team = "research", kind = "agent" }}]

[identity.issuers.corp]
issuer = "{issuer}"
audiences = ["yett"]
algorithms = ["RS256"]
team = "research"

[routing]
attempts = 1
breaker_failures = 1000
key_cooldown = "0s"

[models.fast]
targets = [{{ provider = "sim", model = "fast" }}]
unknown_price = "flag"

[models.limited]
targets = [{{ provider = "busy", model = "limited" }}]
unknown_price = "flag"

[models.limited-stream]
targets = [{{ provider = "busier", model = "limited-stream" }}]
unknown_price = "flag"

[models.broken]
targets = [{{ provider = "sim", model = "broken" }}]
unknown_price = "flag"

[models.forbidden]
targets = [{{ provider = "sim", model = "fast" }}]
unknown_price = "flag"
"""
POLICY = """
@id("everything-but-forbidden")
permit (principal in Team::"research", action, resource) unless { resource in Model::"forbidden" };

@id("no-secrets")
@obligation("redact:secret")
permit (principal, action, resource);
"""


MESH = Authority("spiffe://example.org", algorithm="ES256")


@pytest.fixture(scope="session")
def idp() -> Iterator[Authority]:
    """An OpenID provider, as far as it takes to find its keys, on a socket of its own."""

    class Documents(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            metadata = {"issuer": authority.url, "jwks_uri": f"{authority.url}/keys"}
            body = authority.document() if self.path == "/keys" else json.dumps(metadata).encode()
            self.send_response(200 if self.path in ("/keys", "/.well-known/openid-configuration") else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    server.daemon_threads = True
    authority = Authority(f"http://127.0.0.1:{server.server_port}", algorithm="RS256")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield authority
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def gateway(provider: Simulator, idp: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """`yett serve` in a process of its own, in front of the simulator."""
    folder = tmp_path_factory.mktemp("gateway")
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    port, admin_port = (probe.getsockname()[1] for probe in probes)
    for probe in probes:
        probe.close()
    (folder / "yett.toml").write_text(
        CONFIGURATION.format(port=port, admin_port=admin_port, base_url=provider.base_url, issuer=idp.url)
    )
    (folder / "provider.key").write_text(PROVIDER_KEY)
    (folder / "bundle.json").write_bytes(MESH.document())
    (folder / "provider.key").chmod(0o600)
    (folder / "policies").mkdir()
    (folder / "policies" / "models.cedar").write_text(POLICY)
    yett = [sys.executable, "-m", "yett.cli"]
    create = [*yett, "keys", "create", "--name", "sdk", "--team", "research", "--rpm", "100000", "--json"]
    created = subprocess.run(create, cwd=folder, capture_output=True, text=True, check=True)
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen([*yett, "serve"], cwd=folder, stderr=log)
    try:
        _await_ready(process, f"http://127.0.0.1:{admin_port}/readyz", folder / "serve.log")
        codes = {
            "key": "malformed_key",
            "model": "model_not_found",
            "type": "invalid_request",
            "limit": "upstream_rate_limited",
            "permission": "policy_denied",
        }
        yield Endpoint(
            f"http://127.0.0.1:{port}/v1", json.loads(created.stdout)["key"], codes, f"http://127.0.0.1:{admin_port}"
        )
    finally:
        process.terminate()
        status = process.wait(30)
    assert status == 0


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError(f"the gateway did not start:\n{log.read_text()}")


@pytest.fixture(params=["direct", "gateway"])
def endpoint(request: pytest.FixtureRequest, provider: Simulator) -> Endpoint:
    provider.reset()
    endpoint: Endpoint = request.getfixturevalue(request.param)
    return endpoint
