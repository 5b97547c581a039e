"""SQLite: pragmas, placeholders, migrations, and errors told apart."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from yett.errors import IntegrityError
from yett.stores.sqlite import Migration, StoreUnavailable, connect, migrate, numbered, translated, writing

ONE = Migration(1, "first", ("CREATE TABLE things (name TEXT NOT NULL) STRICT",))
TWO = Migration(2, "second", ("ALTER TABLE things ADD COLUMN size INTEGER", "INSERT INTO things VALUES ('a', 1)"))


def test_it_opens_durably_and_privately(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connection.close()


def test_placeholders_bind_by_number(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    assert connection.execute(numbered("SELECT $2, $1, $1"), ("a", "b")).fetchone() == ("b", "a", "a")
    connection.close()


def test_migrations_are_applied_once_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    migrate(connection, path, "things", (ONE,))
    migrate(connection, path, "things", (ONE, TWO))
    migrate(connection, path, "things", (ONE, TWO))
    migrate(connection, path, "others", (Migration(1, "x", ("CREATE TABLE others (a TEXT) STRICT",)),))
    assert connection.execute("SELECT * FROM things").fetchall() == [("a", 1)]
    connection.close()


def test_a_changed_migration_is_an_integrity_error(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    migrate(connection, path, "things", (ONE,))
    with pytest.raises(IntegrityError, match="not the one"):
        migrate(connection, path, "things", (Migration(1, "first", ("CREATE TABLE other (a TEXT)",)),))
    connection.close()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    migrate(connection, path, "things", (ONE, TWO))
    with pytest.raises(IntegrityError, match="newer Yett"):
        migrate(connection, path, "things", (ONE,))
    connection.close()


def test_a_failing_migration_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    broken = Migration(1, "broken", ("CREATE TABLE things (a TEXT)", "NOT SQL"))
    with pytest.raises(StoreUnavailable):
        migrate(connection, path, "things", (broken,))
    migrate(connection, path, "things", (ONE,))
    connection.close()


def test_an_error_inside_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    migrate(connection, path, "things", (ONE,))
    connection.execute("CREATE UNIQUE INDEX one ON things (name)")
    with pytest.raises(sqlite3.IntegrityError), writing(connection, path):
        connection.executemany("INSERT INTO things VALUES (?)", [("x",), ("x",)])
    assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)
    connection.close()


def test_a_locked_database_is_unavailable_not_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    holder, waiter = connect(path), connect(path, busy_timeout=0.05)
    with writing(holder, path), pytest.raises(StoreUnavailable, match="locked"), writing(waiter, path):
        pass
    holder.close()
    waiter.close()


@pytest.mark.parametrize("content", [b"this is not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_damaged_file_is_an_integrity_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="damaged"):
        connect(path)


def test_a_directory_in_its_place_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open"):
        connect(tmp_path)


def test_our_own_mistakes_pass_untranslated(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError), translated(tmp_path):
        raise sqlite3.IntegrityError("UNIQUE")
