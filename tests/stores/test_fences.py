"""Fences are kept, seen by whoever else has the file open, and never weakened by a second one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from yett.model.fence import Fence
from yett.stores.fences import Event, FenceStore
from yett.stores.keys import KeyStore

NAME = "user:default/ada"


def test_a_fence_is_drawn_seen_by_others_and_lifted(tmp_path: Path) -> None:
    with FenceStore.open(tmp_path) as store, FenceStore.open(tmp_path) as other:
        assert (store.version(), store.all()) == (0, ())
        drawn = store.draw((NAME, "team:default/research"), 100, reason="left", until=500)
        assert drawn == (
            Fence(NAME, 1, 100, until=500, reason="left"),
            Fence("team:default/research", 2, 100, until=500, reason="left"),
        )
        assert (other.version(), other.all()) == (2, drawn)
        assert other.lift(NAME, 200) == drawn[:1]
        assert (store.version(), store.all()) == (3, drawn[1:])
        assert store.lift(NAME, 200) == ()
        assert other.version() == 3, "nothing has changed"


def test_a_second_fence_never_lets_anyone_in(tmp_path: Path) -> None:
    with FenceStore.open(tmp_path) as store:
        store.draw((NAME,), 100)
        (kept,) = store.draw((NAME,), 200, until=900)
        assert (kept.until, kept.since, kept.serial) == (0, 200, 2)
        store.draw((NAME,), 300, sessions=True)
        (late,) = store.draw((NAME,), 310, sessions=True, since=250)
        assert late.since == 300, "an event that arrives late ends no fewer sessions"
        assert [fence.sessions for fence in store.all()] == [False, True]
        assert len(store.lift(NAME, 400)) == 2


def test_fences_that_have_ended_go_with_the_next_change(tmp_path: Path) -> None:
    with FenceStore.open(tmp_path) as store:
        store.draw((NAME,), 100, until=200)
        (anew,) = store.draw((NAME,), 200, until=300)
        assert (anew.since, anew.until) == (200, 300)
        assert store.lift(NAME, 300) == ()


def test_an_event_counts_once(tmp_path: Path) -> None:
    event = Event("okta", "jti-1", expires=1000)
    with FenceStore.open(tmp_path) as store:
        assert store.draw((NAME,), 100, event=event, source="caep:okta")
        assert store.draw((NAME,), 101, event=event) == ()
        assert store.draw((NAME,), 102, event=Event("entra", "jti-1", 1000))
        assert store.version() == 2
        assert store.draw((NAME,), 1001, event=event), "forgotten, and by then too old to be taken"


def test_what_cannot_be_recorded_does_not_happen(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    def witness(event: str, fence: Fence) -> None:
        seen.append((event, fence.label))
        if len(seen) == 2:
            raise OSError("the journal is full")

    with FenceStore.open(tmp_path, witness=witness) as store:
        with pytest.raises(OSError, match="full"):
            store.draw((NAME, "tenant:acme"), 100)
        assert (store.version(), store.all()) == (0, ())
        store.draw((NAME,), 100)
        store.lift(NAME, 100)
    assert seen[2:] == [("fence.draw", f"{NAME}#1"), ("fence.lift", f"{NAME}#1")]


def test_keys_and_fences_share_a_file(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as keys, FenceStore.open(tmp_path) as store:
        before = keys.version()
        store.draw((NAME,), 100)
        assert keys.version() == before


def test_a_second_connection_of_one_process_does_not_cost_the_first_its_locks(tmp_path: Path) -> None:
    """Else another process that closes the file believes to be the last, and takes the write-ahead log away."""
    with KeyStore.open(tmp_path) as keys, FenceStore.open(tmp_path) as store:
        script = (
            "import sys; from pathlib import Path; from yett.stores.fences import FenceStore\n"
            "with FenceStore.open(Path(sys.argv[1])) as store: store.draw(('tenant:acme',), 100)"
        )
        for number in (1, 2):
            subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
            assert store.version() == number
        assert keys.version() == 1
