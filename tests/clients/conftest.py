"""What the official SDKs are pointed at: the simulated provider itself, and a real gateway in front of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from msgspec import Struct

from yett.simulator.server import Simulator
from yett.simulator.settings import Layers, Settings

PROVIDER_KEY = "sk-sim-clients-0001"
MODELS = {
    "fast": {},
    "limited": {"status": "429", "retry_after": "1"},
    "broken": {"status": "500"},
    "forbidden": {"status": "403"},
}


class Endpoint(Struct, frozen=True):
    """Where an SDK points, and what its errors are called there."""

    base_url: str
    key: str
    codes: dict[str, str]


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


@pytest.fixture(params=["direct"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    return request.getfixturevalue(request.param)
