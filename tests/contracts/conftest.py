"""The databases that every contract is held on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tests.servers import Postgres

from yett.stores.database import Database, FileDatabase
from yett.stores.postgres import PostgresDatabase

Open = Callable[[], Database]


def new_database(server: Postgres) -> str:
    """The address of an empty one."""

    async def make() -> None:
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    name = f"d{uuid4().hex}"
    asyncio.run(make())
    return server.url.replace("/postgres", f"/{name}")


@pytest.fixture(params=["sqlite", "postgres"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Iterator[Open]:
    """Opens the same database each time, as another process would."""
    opened: list[Database] = []
    url = new_database(postgres) if request.param == "postgres" else ""

    def open() -> Database:
        opened.append(PostgresDatabase(url) if url else FileDatabase(tmp_path))
        return opened[-1]

    yield open
    for database in opened:
        database.close()
