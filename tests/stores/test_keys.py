"""The key store: issue, revoke, rotate; noticed by other processes; damaged files refused."""

from __future__ import annotations

import multiprocessing
import stat
from pathlib import Path

import pytest

from yett.config.virtual_key import digest, well_formed
from yett.errors import ConfigurationError, IntegrityError
from yett.model.key import Budget, Limits, VirtualKey
from yett.stores.keys import KeyMistake, KeyStore, NewKey
from yett.stores.pepper import load_pepper
from yett.stores.sqlite import StoreUnavailable, connect, writing

FULL = NewKey(
    name="ci",
    team="research",
    expires=5000,
    models=("fast", "smart"),
    limits=Limits(rpm=10, budget=Budget(50_000_000, "month")),
    labels=(("z", "1"), ("env", "prod")),
)


def test_a_key_comes_back_as_it_was_issued(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path / "state") as store:
        key, text = store.create(FULL, now=1000)
        assert well_formed(text)
        assert key.digest == digest(store.pepper, text.encode())
        assert (key.last4, key.created, key.expires) == (text[-4:], 1000, 5000)
        assert key.labels == (("env", "prod"), ("z", "1"))
        assert store.all() == (key,)
    with KeyStore.open(tmp_path / "state") as again:
        assert again.all() == (key,)


def test_the_key_itself_is_nowhere_on_disk(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        _, text = store.create(FULL, now=1000)
        everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert text.encode() not in everything
    assert text[9:40].encode() not in everything


def test_files_are_private(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with KeyStore.open(state) as store:
        store.create(FULL, now=1)
        assert stat.S_IMODE(state.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in state.iterdir()} == {0o600}


def test_revoking(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        key, _ = store.create(FULL, now=1000)
        revoked = store.revoke(key.id, now=1100)
        assert revoked.revoked == 1100
        assert store.revoke(key.id, now=1200).revoked == 1100
        assert store.all() == (revoked,)
        assert store.list()[0].state(now=1200) == "revoked"


def test_rotating_keeps_identity_and_lets_the_old_secret_run_out(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        old, _ = store.create(NewKey("ci", "research", limits=Limits(rpm=3)), now=1000)
        new, text = store.rotate(old.id, now=2000, overlap=60)
        assert (new.id, new.name, new.limits, new.expires) == (old.id, "ci", Limits(rpm=3), 0)
        assert new.digest == digest(store.pepper, text.encode()) != old.digest
        by_digest = {key.digest: key for key in store.all()}
        assert by_digest[old.digest].expires == 2060
        assert by_digest[new.digest].expires == 0
        newest, _ = store.rotate(old.id, now=2010)
        by_digest = {key.digest: key for key in store.all()}
        assert by_digest[old.digest].expires == 2010
        assert by_digest[new.digest].expires == 2010
        assert store.find("ci").key.digest == newest.digest
        store.revoke("ci", now=2020)
        assert all(key.revoked == 2020 for key in store.all())


def test_rotating_never_prolongs_a_key(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        old, _ = store.create(FULL, now=1000)
        new, _ = store.rotate(old.id, now=4990, overlap=3600)
        assert new.expires == 5000
        assert {key.expires for key in store.all()} == {5000}
        with pytest.raises(KeyMistake, match="revoked or expired"):
            store.rotate(old.id, now=5000)


def test_names_are_unique_among_live_keys_of_a_team(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        key, _ = store.create(FULL, now=1000)
        with pytest.raises(KeyMistake, match=f'team "research" already has a key named "ci" \\({key.id}\\)'):
            store.create(FULL, now=1001)
        store.create(NewKey("ci", "another"), now=1002)
        with pytest.raises(KeyMistake, match="several keys"):
            store.find("ci")
        assert store.find("ci", team="research").key == key
        store.rotate(key.id, now=1003, overlap=1000)
        with pytest.raises(KeyMistake):  # the running out secret frees no name
            store.create(FULL, now=4000)
        store.revoke(key.id, now=4001)
        store.create(FULL, now=4002)
        store.create(NewKey("ci", "research"), now=5000)  # the other one has expired


def test_what_is_not_there(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        with pytest.raises(KeyMistake, match='no live key with the id or name "x"'):
            store.revoke("x", now=1)
        key, _ = store.create(FULL, now=1000)
        store.revoke(key.id, now=1001)
        with pytest.raises(KeyMistake, match="no live key"):
            store.find("ci")


def test_another_process_notices_every_change_and_no_touch(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as operator, KeyStore.open(tmp_path) as gateway:
        seen = gateway.version()
        for change in (
            lambda: operator.create(FULL, now=1),
            lambda: operator.rotate("ci", now=2),
            lambda: operator.revoke("ci", now=3),
        ):
            change()
            assert gateway.version() != seen
            seen = gateway.version()
            assert gateway.all() == operator.all()
        gateway.touch({gateway.all()[0].id: 77, "key_gone": 5})
        gateway.touch({gateway.all()[0].id: 70})
        assert operator.list()[0].last_used == 77
        assert operator.version() == seen


def test_a_witness_that_fails_undoes_the_change(tmp_path: Path) -> None:
    seen: list[tuple[str, VirtualKey]] = []

    def witness(event: str, key: VirtualKey) -> None:
        seen.append((event, key))
        if len(seen) > 2:
            raise StoreUnavailable("journal full")

    with KeyStore.open(tmp_path, witness=witness) as store:
        key, _ = store.create(FULL, now=1)
        rotated, _ = store.rotate(key.id, now=2, overlap=5)
        before, version = store.all(), store.version()
        with pytest.raises(StoreUnavailable, match="journal"):
            store.revoke(key.id, now=3)
        assert (store.all(), store.version()) == (before, version)
        with pytest.raises(StoreUnavailable, match="journal"):
            store.create(NewKey("other", "research"), now=3)
        assert store.all() == before
    assert [event for event, _ in seen] == ["key.create", "key.rotate", "key.revoke", "key.create"]
    assert seen[1][1] == rotated
    assert seen[2][1].revoked == 3


def _issue(state: str, first: int, results: multiprocessing.Queue[str]) -> None:
    with KeyStore.open(Path(state)) as store:
        for number in range(first, first + 5):
            store.create(NewKey(f"k{number}", "t"), now=1)
        try:
            store.create(NewKey("same", "t"), now=1)
            results.put("won")
        except KeyMistake:
            results.put("taken")


def test_processes_do_not_step_on_each_other(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    processes = [spawn.Process(target=_issue, args=(str(tmp_path), 5 * n, results)) for n in range(3)]
    for process in processes:
        process.start()
    outcomes = sorted(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert outcomes == ["taken", "taken", "won"]
    with KeyStore.open(tmp_path) as store:
        keys = store.all()
        assert len({key.id for key in keys}) == len(keys) == 16
    results.close()


@pytest.mark.parametrize("damage", [b"garbage " * 600, b"SQLite format 3\x00" + b"\x01" * 5000])
def test_a_damaged_database_is_named(tmp_path: Path, damage: bytes) -> None:
    with KeyStore.open(tmp_path) as store:
        store.create(FULL, now=1)
    (tmp_path / "yett.db").write_bytes(damage)
    with pytest.raises(IntegrityError, match=r"yett\.db is damaged"):
        KeyStore.open(tmp_path)


def test_a_row_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        store.create(FULL, now=1)
        with connect(tmp_path / "yett.db") as connection:
            connection.execute('UPDATE virtual_keys SET limits = \'{"rpm":"many"}\'')
        connection.close()
        with pytest.raises(IntegrityError, match="cannot be read"):
            store.all()


def test_a_replaced_or_removed_database_is_noticed(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path / "a") as store, KeyStore.open(tmp_path / "b"):
        (tmp_path / "b/yett.db").rename(tmp_path / "a/yett.db")
        with pytest.raises(IntegrityError, match="replaced"):
            store.version()
        (tmp_path / "a/yett.db").unlink()
        with pytest.raises(IntegrityError, match="removed"):
            store.version()


def test_the_pepper_must_belong_to_the_keys(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        store.create(FULL, now=1)
    pepper = tmp_path / "pepper"
    saved = pepper.read_bytes()
    pepper.unlink()
    with pytest.raises(IntegrityError, match="missing"):
        KeyStore.open(tmp_path)
    assert not pepper.exists()
    pepper.write_text("00" * 32)
    pepper.chmod(0o600)
    with pytest.raises(IntegrityError, match="not the pepper"):
        KeyStore.open(tmp_path)
    pepper.write_text("zz")
    with pytest.raises(IntegrityError, match="64 hexadecimal digits"):
        KeyStore.open(tmp_path)
    pepper.write_bytes(saved)
    KeyStore.open(tmp_path).close()


def test_the_first_pepper_wins(tmp_path: Path) -> None:
    first = load_pepper(tmp_path / "pepper")
    assert load_pepper(tmp_path / "pepper") == first
    assert [path.name for path in tmp_path.iterdir()] == ["pepper"]


def test_a_pepper_that_others_can_read_is_refused(tmp_path: Path) -> None:
    KeyStore.open(tmp_path).close()
    (tmp_path / "pepper").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        KeyStore.open(tmp_path)


def test_a_pepper_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "pepper").mkdir()
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        KeyStore.open(tmp_path)


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be created"):
        KeyStore.open(tmp_path / "file" / "state")


def test_a_locked_store_is_unavailable(tmp_path: Path) -> None:
    with KeyStore.open(tmp_path) as store:
        store._database.connection.execute("PRAGMA busy_timeout=50")
        other = connect(tmp_path / "yett.db")
        with writing(other, store._database.path), pytest.raises(StoreUnavailable, match="locked"):
            store.create(FULL, now=1)
        assert store.all() == ()
        other.close()
