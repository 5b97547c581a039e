"""The snapshot in force: swapped as a whole or kept, and never with keys that were revoked meanwhile."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from yett.config.live import SETTLE, Live
from yett.errors import ConfigurationError
from yett.model.fence import Fence
from yett.model.key import VirtualKey

POLICY = '@id("all")\npermit (principal, action, resource);\n'
KEY = VirtualKey(id="key_1", name="ci", team="t", digest=b"d" * 32, last4="abcd", created=1)
TOML = "[teams.t]\n"


def live(folder: Path, keys: tuple[VirtualKey, ...] = (KEY,)) -> Live:
    (folder / "policies").mkdir()
    (folder / "policies/a.cedar").write_text(POLICY)
    (folder / "yett.toml").write_text(TOML)
    return Live(folder / "yett.toml", {}, b"pepper", keys)


def test_it_begins_with_a_checked_snapshot(tmp_path: Path) -> None:
    holder = live(tmp_path)
    assert holder.current.epoch == 1
    assert holder.current.keys == {KEY.digest: KEY}
    assert not holder.changed()
    (tmp_path / "yett.toml").write_text("nonsense")
    with pytest.raises(ConfigurationError):
        Live(tmp_path / "yett.toml", {}, b"")


def test_a_change_is_taken_up(tmp_path: Path) -> None:
    holder = live(tmp_path)
    before = holder.current
    (tmp_path / "yett.toml").write_text(TOML + '[log]\nlevel = "debug"\n')
    assert holder.changed()
    assert holder.reload()
    assert (holder.current.epoch, holder.refused) == (2, 0)
    assert holder.current.digest != before.digest
    assert holder.current.keys == {KEY.digest: KEY}
    assert not holder.changed()
    assert before.settings.log.level == "info"  # whoever began with it keeps it


def test_a_mistake_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    holder = live(tmp_path)
    before = holder.current
    (tmp_path / "policies/a.cedar").write_text("permit (")
    assert holder.changed()
    assert not holder.reload()
    assert holder.current is before
    assert holder.error is not None
    assert "a.cedar" in str(holder.error)
    assert (holder.current.epoch, holder.refused) == (1, 1)
    assert not holder.changed()  # it is not tried again until it changes
    (tmp_path / "policies/a.cedar").write_text(POLICY)
    assert holder.changed()
    assert holder.reload()
    assert holder.error is None
    assert (holder.current.epoch, holder.refused) == (2, 1)


def test_a_file_that_disappears_is_refused(tmp_path: Path) -> None:
    holder = live(tmp_path)
    (tmp_path / "yett.toml").unlink()
    assert holder.changed()
    assert not holder.reload()
    assert not holder.changed()
    (tmp_path / "yett.toml").write_text(TOML)
    assert holder.changed()


def test_keys_change_alone(tmp_path: Path) -> None:
    holder = live(tmp_path)
    before = holder.current
    revoked = replace(KEY, revoked=5)
    holder.refresh_keys((revoked,))
    assert holder.current.keys[KEY.digest].revoked == 5
    assert holder.current.policy is before.policy
    assert holder.current.epoch == before.epoch
    assert holder.reload()
    assert holder.current.keys[KEY.digest].revoked == 5


def test_fences_change_alone_and_outlast_a_reload(tmp_path: Path) -> None:
    holder = live(tmp_path)
    before, fence = holder.current, Fence("tenant:acme", 1, since=5)
    holder.refresh_fences((fence,))
    assert holder.current.fences == {"tenant:acme": (fence,)}
    assert (holder.current.keys, holder.current.plans) == (before.keys, before.plans)
    assert holder.reload()
    assert holder.current.fences == {"tenant:acme": (fence,)}
    holder.refresh_fences(())
    assert holder.current.fences == {}


def test_reloading_beside_revoking_loses_neither(tmp_path: Path) -> None:
    holder = live(tmp_path)
    stop = threading.Event()

    def reload() -> None:
        while not stop.is_set():
            holder.reload()

    thread = threading.Thread(target=reload)
    thread.start()
    try:
        for revoked in range(1, 200):
            holder.refresh_keys((replace(KEY, revoked=revoked),))
            assert holder.current.keys[KEY.digest].revoked == revoked
    finally:
        stop.set()
        thread.join()
    assert holder.current.keys[KEY.digest].revoked == 199
    assert holder.current.epoch > 1


def test_what_waits_for_a_restart(tmp_path: Path) -> None:
    holder = live(tmp_path)
    assert holder.waiting_for_restart() == ()
    (tmp_path / "yett.toml").write_text(
        TOML
        + '[gateway]\nport = 9999\naccess_log = false\n[identity.tasks]\nrotate = "12h"\n[log]\nlevel = "debug"\n[routing]\nattempts = 1\n'
    )
    assert holder.reload()
    assert holder.waiting_for_restart() == (
        "gateway.port",
        "gateway.access_log",
        "identity.tasks.rotate",
        "log.level",
    )
    (tmp_path / "yett.toml").write_text(TOML)
    assert holder.reload()
    assert holder.waiting_for_restart() == ()


def test_what_is_behind_a_reference_waits_like_the_setting_itself(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("http://proxy.example:3128\n")
    holder = live(tmp_path)
    toml = TOML + '[routing]\nproxy = "file:proxy"\n[admin]\ntoken = "file:token"\n'
    (tmp_path / "token").write_text("one-token\n")
    (tmp_path / "yett.toml").write_text(toml)
    started = Live(tmp_path / "yett.toml", {}, b"pepper")
    (tmp_path / "proxy").write_text("http://other.example:3128\n")
    (tmp_path / "token").write_text("another-token\n")
    assert started.reload()
    assert started.waiting_for_restart() == ("routing.proxy",), "another token is asked for at once"
    (tmp_path / "proxy").write_text("http://proxy.example:3128\n")
    (tmp_path / "yett.toml").write_text(toml.replace('token = "file:token"', ""))
    assert started.reload()
    assert started.waiting_for_restart() == ("admin.token",), "none at all is not"
    assert holder.reload()
    assert holder.waiting_for_restart() == ("routing.proxy",)


def test_a_file_that_is_being_written_is_not_taken_for_the_configuration(tmp_path: Path) -> None:
    """Empty is what a file is for a moment when it is written over, and an empty file is a configuration."""
    holder = live(tmp_path)
    stop = threading.Event()
    longest = 0.0  # seconds for which the file stayed empty, on a busy machine

    def edit() -> None:
        nonlocal longest
        number = 0
        while not stop.is_set():
            begun = time.monotonic()
            (tmp_path / "yett.toml").write_text("")
            stop.wait(0.01)
            (tmp_path / "yett.toml").write_text(f"{TOML}[gateway]\nmax_in_flight = {1 + number}\n")
            longest = max(longest, time.monotonic() - begun)
            number += 1
            stop.wait(0.1)

    editor = threading.Thread(target=edit)
    editor.start()
    mistaken = False
    try:
        for _ in range(12):
            assert holder.reload() or "keeps changing" in str(holder.error)
            mistaken = mistaken or "t" not in holder.current.teams
    finally:
        stop.set()
        editor.join()
    assert not mistaken or longest >= SETTLE
    assert holder.reload()
    assert not holder.changed()
