"""A few facts that all gateways on a shared database agree on: whoever comes first says them, and they stay."""

from __future__ import annotations

from yett.stores.database import Database
from yett.stores.sqlite import Migration

MIGRATIONS = (Migration(1, "facts", ("CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",)),)


class Facts:
    """Raises IntegrityError, StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.migrate("facts", MIGRATIONS)

    def get(self, name: str) -> str:
        """What was said; "" when nobody has yet."""
        rows = self._database.rows("SELECT value FROM facts WHERE name = $1", name)
        return str(rows[0][0]) if rows else ""

    def settle(self, name: str, value: str) -> str:
        """What it is from now on: this, unless somebody was faster."""
        with self._database.writing():
            self._database.run("INSERT INTO facts VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, value)
        return self.get(name)
