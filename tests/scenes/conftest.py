"""The gateways that scenes share: one is started for all of them, and its books are verified when the last scene is over."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.scenes.harness import Gateway, Target, free_ports, models_toml, simulator_thread

from yett.simulator.behaviour import MALFORMED
from yett.simulator.server import Simulator

# How the simulator answers a model, by the name that callers use. Each has a target and so a circuit breaker of its own.
ANSWERS = {
    "plain": "",
    "late": "latency.first_byte=700ms",
    "drip": "chunks=400+latency.between_chunks=10ms",
    "brook": "chunks=100+latency.between_chunks=10ms",
    "asleep": "latency.first_byte=8s",
    "flood": "size=24m+pieces=8000",
    "page": "size=4m",
    "rambling": "overrun+size=40k+pieces=24+latency.between_chunks=1ms",
    "outpouring": "overrun+size=40k+pieces=24+eof",
    "reset-head": "reset=head",
    "reset-body": "reset=body",
    "reset-half": "reset=chunk:3",
    "cut-head": "cut=head",
    "cut-body": "cut=body",
    "cut-half": "cut=chunk:3",
    "cut-end": "cut=end",
    "error-half": "error=chunk:3",
    "no-done": "no_done",
    "no-finish": "no_finish",
    **{f"bad-{kind}": f"malformed={kind}+malformed.at=4" for kind in MALFORMED},
    # what looks odd and is all right
    "gzip": "gzip",
    "eof": "eof",
    "drop": "drop",
    "crlf": "sse.crlf",
    "comments": "sse.comments",
    "bytewise": "frame=1",
    # what a provider answers with a status
    **{f"status-{status}": f"status={status}" for status in (400, 403, 404, 413, 422, 500, 503, 529)},
}
# Of a provider that is not waited for.
HASTY = {
    "hang-head": "hang=head",
    "hang-body": "hang=body",
    "hang-half": "hang=chunk:3",
    "hang-end": "hang=end",
    "endless": "chunks=400+latency.between_chunks=10ms",
}
BROKEN = "status=500"
# A model that is called otherwise at its provider.
RENAMED = {"renamed": (Target("cloud", "by-another-name"),)}
# More than one try: what mends itself, and what another target makes good.
TRIES: dict[str, tuple[Target, ...]] = {
    "third-time": (Target("cloud", "third-time+status=500+fail.first=2"),),
    "never": (Target("cloud", "never+status=500"),),
    "after-a-while": (Target("cloud", "after-a-while+status=503+retry_after=0.4+fail.first=1"),),
    "much-later": (Target("cloud", "much-later+status=503+retry_after=30"),),
    "throttled": (Target("busy", "throttled+status=429+retry_after=7"),),
    "spare-status": (Target("cloud", "spare-1+status=500"), Target("spare", "spare-1", 1)),
    "spare-refused": (Target("nowhere", "spare-2"), Target("spare", "spare-2", 1)),
    "spare-reset": (Target("cloud", "spare-3+reset=body"), Target("spare", "spare-3", 1)),
    "spare-garbage": (Target("cloud", "spare-4+malformed=http"), Target("spare", "spare-4", 1)),
    "spare-hung": (Target("hasty", "spare-5+hang=head"), Target("spare", "spare-5", 1)),
    "spare-throttled": (Target("busier", "spare-6+status=429"), Target("spare", "spare-6", 1)),
    "spare-rejected": (Target("cloud", "spare-7+status=400"), Target("spare", "spare-7", 1)),
    "spare-half": (Target("cloud", "spare-8+reset=chunk:3"), Target("spare", "spare-8", 1)),
    "spare-none": (Target("cloud", "spare-9+status=500"), Target("nowhere", "spare-9", 1)),
}
HEAD = """
[gateway]
port = {port}
drain_seconds = "5s"
write_timeout = "1s"

[admin]
port = {admin}

[audit]
checkpoint_seconds = "1s"

[teams.research]

[routing]
attempts = 1
backoff = "20ms"
max_backoff = "500ms"
breaker_failures = 10000
cooldown = "200ms"
"""
PATIENT = 'connect = "500ms", first_byte = "10s", between_chunks = "10s", total = "60s"'
QUICK = 'connect = "300ms", first_byte = "300ms", between_chunks = "300ms", total = "1s"'


def provider_toml(
    simulator: Simulator, name: str, *, url: str = "", labels: str = '["external"]', timeouts: str = PATIENT
) -> str:
    """A provider that is the simulator below a path of its own, so that `behave(…, provider=name)` means it alone."""
    return f"""
[providers.{name}]
kind = "simulator"
base_url = "{url or f"{simulator.url}/{name}/v1"}"
key = "env:PROVIDER_KEY"
labels = {labels}
timeouts = {{ {timeouts} }}
"""


def simulated(answers: dict[str, str], provider: str = "cloud") -> dict[str, tuple[Target, ...]]:
    """A model with one target for each way to answer."""
    return {name: (Target(provider, f"{name}+{words}" if words else name),) for name, words in answers.items()}


@pytest.fixture(scope="session")
def provider() -> Iterator[Simulator]:
    with simulator_thread() as simulator:
        yield simulator


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """`build(configuration, …)` makes a gateway of the scene's own; not started yet."""
    made: list[Gateway] = []

    def make(configuration: str, *arguments: str, **environment: str) -> Gateway:
        folder = tmp_path / f"gateway-{len(made)}"
        folder.mkdir()
        made.append(Gateway(folder, configuration, *arguments, **environment))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()
        gateway.verified()


@pytest.fixture(scope="session")
def deaf() -> Iterator[str]:
    """The URL of a port whose queue is full and on which nobody accepts: connecting hangs."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


@pytest.fixture(scope="session")
def shared(provider: Simulator, deaf: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("shared")
    closed = f"http://127.0.0.1:{free_ports(1)[0]}/v1"
    providers = [provider_toml(provider, name) for name in ("cloud", "spare", "busy", "busier")]
    providers += [
        provider_toml(provider, "hasty", timeouts=QUICK),
        provider_toml(provider, "nowhere", url=closed),
        provider_toml(provider, "deaf", url=deaf, timeouts=QUICK),
    ]
    unreachable = {"refused": (Target("nowhere", "refused"),), "deaf": (Target("deaf", "deaf"),)}
    models = {**simulated(ANSWERS), **simulated(HASTY, "hasty"), **unreachable, **RENAMED, **TRIES}
    text = HEAD + "".join(providers) + models_toml(models, dict.fromkeys(TRIES, "attempts = 3\n"))
    gateway = Gateway(folder, text).start()
    yield gateway
    gateway.close()
    report = gateway.verified()
    assert not report.counts.get("orphan intents")


@pytest.fixture
def gateway(shared: Gateway) -> Iterator[Gateway]:
    """The shared gateway; after the scene nothing may be in flight."""
    yield shared
    shared.hang_up()
    shared.rests()
