"""Fixtures that every test may use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from yett.simulator.server import Simulator


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[Simulator]:
    """A simulated provider in this process, on a free port: `simulator.base_url`, `simulator.requests`."""
    async with Simulator() as running:
        yield running
