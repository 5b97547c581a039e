"""A worker's directories: whole before it serves, up to date afterwards, and read anew where their rules change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_scim import DIRECTORY, TOML

from yett.cli.directories import Directories
from yett.config.live import Live
from yett.errors import Refusal
from yett.scim.schema import GROUPS, USERS
from yett.stores import directory as directories
from yett.stores.directory import DirectoryStore
from yett.stores.scim_resources import StoredResources

POLICY = '@id("all") permit (principal, action, resource);'
ENVIRONMENT = {"NOT_SET_IN_THIS_SHELL": "sk-x"}


@pytest.fixture
def live(tmp_path: Path) -> Live:
    (tmp_path / "yett.toml").write_text(TOML + DIRECTORY)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/all.cedar").write_text(POLICY)
    return Live(tmp_path / "yett.toml", ENVIRONMENT, b"pepper")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DirectoryStore]:
    with DirectoryStore.open(tmp_path / ".yett") as store:
        yield store


async def test_people_are_there_before_the_first_call_and_follow_the_rules(
    tmp_path: Path, live: Live, store: DirectoryStore
) -> None:
    corp = StoredResources(store, "corp", 0, 10)
    ada = corp.create(USERS, {"userName": "ada", "externalId": "E1"}, ()).stamp.id
    corp.create(GROUPS, {"displayName": "ML"}, (ada,))
    known = Directories(store, live)
    before = live.current.directories["corp"]
    assert before.find("ada").team == "research"
    await known.refresh()
    assert live.current.directories["corp"] is before
    (tmp_path / "yett.toml").write_text(TOML + DIRECTORY + 'match = "externalId"\n')
    assert live.reload()
    assert live.current.directories == {}, "not by rules that are no longer in force"
    await known.refresh()
    with pytest.raises(Refusal):
        live.current.directories["corp"].find("ada")
    assert live.current.directories["corp"].find("E1").id == ada
    (tmp_path / "yett.toml").write_text(TOML)
    assert live.reload()
    await known.refresh()
    assert (live.current.directories, known.sizes()) == ({}, {})


async def test_who_has_been_away_for_too_long_reads_everything_anew(
    live: Live, store: DirectoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    corp = StoredResources(store, "corp", 0, 100)
    gone = corp.create(USERS, {"userName": "gone"}, ()).stamp.id
    known = Directories(store, live)
    monkeypatch.setattr(directories, "REMEMBERED", 3)
    corp.remove(USERS, gone, "")
    for number in range(5):
        id = corp.create(USERS, {"userName": f"u{number}"}, ()).stamp.id
        corp.remove(USERS, id, "")
    corp.create(USERS, {"userName": "here"}, ())
    await known.refresh()
    assert live.current.directories == {}, "who is still there is not known"
    await known.refresh()
    assert known.sizes() == {"corp": 1}
    assert len(live.current.directories["corp"]) == 1
