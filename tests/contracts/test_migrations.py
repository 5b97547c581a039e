"""Migrations that two versions can live with, side by side on one database: they add, and what was released stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import yett.stores
from yett.stores.sqlite import Migration

KNOWN = Path(__file__).parent / "migrations.txt"  # those of the version before: module, number, checksum
CONTRACT = "contract: "
ADDS = (
    re.compile(r"CREATE TABLE (?P<new>\w+) \(", re.IGNORECASE),
    re.compile(r"ALTER TABLE \w+ ADD COLUMN \w+ \w+( NOT NULL DEFAULT \S.*)?$", re.IGNORECASE),
    re.compile(r"CREATE INDEX \w+ ON \w+ ", re.IGNORECASE),
)
OF_ITS_OWN = re.compile(r"(?:CREATE UNIQUE INDEX \w+ ON|INSERT INTO|UPDATE) (\w+)", re.IGNORECASE)


def shelf() -> Iterator[tuple[str, Migration]]:
    """Every migration there is, with the module that has it."""
    for path in sorted(Path(yett.stores.__file__).parent.glob("*.py")):
        if "MIGRATIONS" in path.read_text():
            module = vars(import_module(f"yett.stores.{path.stem}"))
            for migration in module.get("MIGRATIONS") or module.get("_MIGRATIONS", ()):
                yield path.stem, migration


def takes_away(migration: Migration) -> list[str]:
    """The statements that an older version, which still runs, might not survive. A step that is named "contract: …" keeps older ones
    from running, and may do what it likes."""
    if migration.name.startswith(CONTRACT):
        return []
    own: set[str] = set()
    found = []
    for statement in (" ".join(text.split()) for text in migration.statements):
        adds = [match for pattern in ADDS if (match := pattern.match(statement))]
        if adds:
            own |= {name for match in adds if (name := match.groupdict().get("new"))}
        elif (match := OF_ITS_OWN.match(statement)) is None or match[1] not in own:
            found.append(statement)
    return found


def test_every_migration_only_adds() -> None:
    steps = list(shelf())
    assert len(steps) > 5
    assert {f"{module}/{step.number}": lost for module, step in steps if (lost := takes_away(step))} == {}


def test_what_the_version_before_has_made_is_what_it_was() -> None:
    """When another version is the one before (tests/previous.txt): python -m tests.contracts.test_migrations"""
    assert set(KNOWN.read_text().splitlines()) <= set(listed())


def listed() -> list[str]:
    return [f"{module} {step.number} {step.checksum}" for module, step in shelf()]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE virtual_keys DROP COLUMN labels",
        "ALTER TABLE virtual_keys RENAME COLUMN labels TO tags",
        "ALTER TABLE virtual_keys RENAME TO keys",
        "ALTER TABLE virtual_keys ADD COLUMN region TEXT NOT NULL",  # an older version inserts without it
        "ALTER TABLE virtual_keys ADD COLUMN region TEXT UNIQUE",
        "DROP TABLE fences",
        "DELETE FROM fences",
        "UPDATE fences SET since = since * 1000",
        "INSERT INTO fence_state VALUES (2, 0)",
        "CREATE UNIQUE INDEX one_name ON virtual_keys (name)",
    ],
)
def test_what_takes_something_away_is_seen(statement: str) -> None:
    assert takes_away(Migration(2, "a step", (statement,))) == [statement]
    assert takes_away(Migration(2, "contract: a step", (statement,))) == []


def test_what_adds_may_fill_what_it_has_added() -> None:
    statements = (
        "CREATE TABLE a (one INTEGER PRIMARY KEY) STRICT",
        "INSERT INTO a VALUES (1)",
        "CREATE UNIQUE INDEX b ON a (one)",
        "ALTER TABLE fences ADD COLUMN two TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE fences ADD COLUMN three TEXT",
        "CREATE INDEX c ON fences (two)",
    )
    assert takes_away(Migration(2, "a step", statements)) == []


if __name__ == "__main__":
    KNOWN.write_text("\n".join(listed()) + "\n")
