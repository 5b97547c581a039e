"""What `sealed:NAME` in yett.toml leads to, and what is said when it leads nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from yett.cli.sealed import RETRY_SECONDS, Unsealer
from yett.config.reader import changed, read
from yett.config.reading import Reading
from yett.model.route import Secret
from yett.stores.credentials import CredentialStore
from yett.stores.kek import KeyRing, own_file

TOML = '[providers.a]\nkind = "openai"\nkey = "sealed:a"\n'


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def kek(tmp_path: Path) -> KeyRing:
    (tmp_path / "yett.toml").write_text(TOML)
    return own_file(tmp_path / ".yett/kek", make=True)


def seal(folder: Path, kek: KeyRing, value: str) -> None:
    with CredentialStore.open(folder / ".yett") as store:
        names = {one.id for one in store.list()}
        store.rotate("a", value, 2, kek) if "a" in names else store.add("a", value, "me", 1, kek)


def reading(folder: Path, unsealer: Unsealer) -> Reading:
    return read(folder / "yett.toml", {}, unsealer)


def why(folder: Path, unsealer: Unsealer) -> str:
    (mistake,) = reading(folder, unsealer).mistakes
    return str(mistake).removeprefix(f"{folder}/yett.toml:3: providers.a.key: ")


def test_a_change_of_the_credentials_is_noticed_like_that_of_a_file(tmp_path: Path, kek: KeyRing) -> None:
    unsealer = Unsealer()
    first = reading(tmp_path, unsealer)
    assert "`yett credentials add a` seals one" in str(first.mistakes[0])
    assert not changed(first)
    seal(tmp_path, kek, "sk-one")
    assert changed(first)
    second = reading(tmp_path, unsealer)
    assert (second.mistakes, second.secrets) == ((), {"sealed:a": Secret("sk-one")})
    assert not changed(second)
    seal(tmp_path, kek, "sk-two")
    assert changed(second)
    assert reading(tmp_path, unsealer).secrets == {"sealed:a": Secret("sk-two")}
    assert "sk-" not in repr(reading(tmp_path, unsealer))


def test_without_its_kek_nothing_opens_and_it_is_looked_for_again(tmp_path: Path, kek: KeyRing) -> None:
    clock = Clock()
    unsealer = Unsealer(clock)
    seal(tmp_path, kek, "sk-one")
    (tmp_path / ".yett/kek").rename(tmp_path / "away")
    found = reading(tmp_path, unsealer)
    assert "is missing, and sealed credentials cannot be opened without it" in str(found.mistakes[0])
    assert not (tmp_path / ".yett/kek").exists()
    assert not changed(found)
    clock.now += RETRY_SECONDS
    assert changed(found)
    (tmp_path / "away").rename(tmp_path / ".yett/kek")
    assert reading(tmp_path, unsealer).mistakes == ()
    (tmp_path / ".yett/kek").chmod(0o644)
    assert "readable by others" in why(tmp_path, unsealer)
    (tmp_path / ".yett/kek").chmod(0o600)
    (tmp_path / ".yett/kek").write_text("nonsense")
    assert "is not a key-encryption key" in why(tmp_path, unsealer)


def test_an_older_database_is_not_taken_by_who_has_seen_a_later_one(tmp_path: Path, kek: KeyRing) -> None:
    unsealer = Unsealer()
    seal(tmp_path, kek, "sk-one")
    shutil.copy(tmp_path / ".yett/yett.db", tmp_path / "copy")
    seal(tmp_path, kek, "sk-two")
    assert reading(tmp_path, unsealer).mistakes == ()
    shutil.copy(tmp_path / "copy", tmp_path / ".yett/yett.db")
    assert "are older (change 1) than those read before (change 2)" in why(tmp_path, unsealer)
    assert reading(tmp_path, Unsealer()).secrets == {"sealed:a": Secret("sk-one")}  # a new process cannot know


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path, kek: KeyRing) -> None:
    unsealer = Unsealer()
    seal(tmp_path, kek, "sk-one")
    good = reading(tmp_path, unsealer)
    (tmp_path / ".yett/yett.db").write_bytes(b"no database at all" * 100)
    assert "is damaged or not a database" in why(tmp_path, unsealer)
    assert not changed(good)  # what was opened stays in force


def test_the_transit_service_is_asked_again_after_a_while(tmp_path: Path, kek: KeyRing) -> None:
    clock = Clock()
    unsealer = Unsealer(clock)
    seal(tmp_path, kek, "sk-one")
    with CredentialStore.open(tmp_path / ".yett") as store:
        store._database.run("UPDATE credentials SET kek = 'transit:transit/yett:v1'")
        store._database.run("UPDATE credential_manifest SET kek = 'transit:transit/yett:v1'")
    transit = '[credentials.transit]\naddress = "http://127.0.0.1:1"\ntoken = "env:BAO"\n'
    (tmp_path / "yett.toml").write_text(TOML + transit)
    found = read(tmp_path / "yett.toml", {"BAO": "s3cret-token"}, unsealer)
    assert "http://127.0.0.1:1 cannot be reached: Connection refused" in str(found.mistakes[0])
    assert not changed(found)
    clock.now += RETRY_SECONDS
    assert changed(found)
    both = "\n".join(map(str, read(tmp_path / "yett.toml", {}, unsealer).mistakes))
    assert "the token for the transit key could not be read" in both
    assert "the environment variable BAO is not set" in both
    (tmp_path / "yett.toml").write_text(TOML + '[credentials]\nkek = "env:KEK"\n')
    assert "the key-encryption key could not be read" in str(read(tmp_path / "yett.toml", {}, unsealer).mistakes[0])
