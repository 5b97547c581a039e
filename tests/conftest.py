"""Fixtures that every test may use."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from tests.servers import Postgres, Valkey

from yett.simulator.server import Simulator

# How long an example takes is a matter of the machine, not of the property.
settings.register_profile("yett", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("yett")

# Whoever starts the tests in the background may have told them to ignore Ctrl-C, and the commands that they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulated provider in this process, on a free port: `simulator.base_url`, `simulator.requests`."""
    async with Simulator() as running:
        yield running


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey server that all tests share: each uses a deployment of its own, and leaves the server as it is."""
    server = Valkey(tmp_path_factory.mktemp("valkey")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that all tests share: each makes a database of its own in it."""
    server = Postgres().start()
    yield server
    server.close()
