"""Sealed credentials: kept, replaced and removed; and what was swapped, rolled back or changed behind Yett's back is refused."""

from __future__ import annotations

import base64
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from yett.errors import IntegrityError, YettError
from yett.model.route import Secret
from yett.stores.credentials import MOST_BYTES, Credential, CredentialMistake, CredentialStore, latest_change
from yett.stores.kek import KekTrouble, KeyRing, fresh, ring

KEK = ring(fresh(), "the ring")
OPENAI, AZURE = "sk-openai-000001", "sk-azure-0000002"


def stocked(folder: Path) -> CredentialStore:
    store = CredentialStore.open(folder)
    store.add("openai", OPENAI, "platform", 100, KEK)
    store.add("azure", AZURE, "data", 200, KEK)
    return store


def values(store: CredentialStore, kek: KeyRing = KEK) -> dict[str, str]:
    opened = store.reveal(["openai", "azure"], kek)
    return {name: secret.reveal() for name, secret in opened.values.items()} | dict(opened.troubles)


def test_what_is_sealed_is_shown_without_its_value_and_opens(tmp_path: Path) -> None:
    with stocked(tmp_path) as store:
        assert values(store) == {"openai": OPENAI, "azure": AZURE}
        assert store.list() == (
            Credential("azure", 1, "data", 200, 200, "0002", KEK.names[0]),
            Credential("openai", 1, "platform", 100, 100, "0001", KEK.names[0]),
        )
        assert store.change() == latest_change(tmp_path) == 2
    whole = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert OPENAI.encode() not in whole
    assert (tmp_path / "yett.db").stat().st_mode & 0o777 == 0o600


def test_where_nothing_was_sealed_nothing_is_made(tmp_path: Path) -> None:
    assert latest_change(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
    sqlite3.connect(tmp_path / "yett.db").close()
    assert latest_change(tmp_path) == 0
    with CredentialStore.open(tmp_path) as store:
        assert (store.list(), store.change(), latest_change(tmp_path)) == ((), 0, 0)
        assert store.reveal(["x"], KEK).troubles == {"x": 'there is no sealed credential "x"'}


def test_rotating_removing_and_adding_again(tmp_path: Path) -> None:
    with stocked(tmp_path) as store:
        rotated = store.rotate("openai", "sk-second-value", 300, KEK)
        assert (rotated.version, rotated.owner, rotated.created, rotated.rotated) == (2, "platform", 100, 300)
        assert store.rotate("openai", "short", 400, KEK, "another team").owner == "another team"
        assert next(one for one in store.list() if one.id == "openai").last4 == ""  # four of five would be nearly all
        store.remove("openai", KEK)
        assert values(store) == {"openai": 'there is no sealed credential "openai"', "azure": AZURE}
        store.add("openai", "sk-third-value", "platform", 500, KEK)
        assert values(store)["openai"] == "sk-third-value"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda store: store.add("openai", "x", "me", 1, KEK), "`yett credentials rotate` replaces it"),
        (lambda store: store.add("../x", "x", "me", 1, KEK), "begins with a letter or digit"),
        (lambda store: store.add("new", "", "me", 1, KEK), "has 1 to 16384 bytes"),
        (lambda store: store.add("new", "x" * (MOST_BYTES + 1), "me", 1, KEK), "has 1 to 16384 bytes"),
        (lambda store: store.rotate("nothing", "x", 1, KEK), 'there is no sealed credential "nothing"'),
        (lambda store: store.rotate("openai", OPENAI, 1, KEK), "has this value already"),
        (lambda store: store.remove("nothing", KEK), 'there is no sealed credential "nothing"'),
    ],
)
def test_mistakes_change_nothing(tmp_path: Path, change: Callable[[CredentialStore], object], message: str) -> None:
    with stocked(tmp_path) as store:
        with pytest.raises(CredentialMistake, match=message):
            change(store)
        assert (values(store), store.change()) == ({"openai": OPENAI, "azure": AZURE}, 2)


def test_without_its_witness_nothing_happens(tmp_path: Path) -> None:
    told: list[tuple[str, str, int]] = []

    def witness(event: str, one: Credential) -> None:
        told.append((event, one.id, one.version))
        if one.id == "unheard":
            raise RuntimeError

    with CredentialStore.open(tmp_path, witness=witness) as store:
        store.add("openai", OPENAI, "platform", 1, KEK)
        store.rotate("openai", AZURE, 1, KEK)
        with pytest.raises(RuntimeError):
            store.add("unheard", "x", "me", 1, KEK)
        store.rewrap(ring(fresh() + "," + _text(KEK), "the ring"))
        assert store.change() == 3
    assert told == [
        ("credential.add", "openai", 1),
        ("credential.rotate", "openai", 2),
        ("credential.add", "unheard", 1),
        ("credential.rewrap", "openai", 2),
    ]


def test_wrapping_anew_moves_the_data_keys_only(tmp_path: Path) -> None:
    new = fresh()
    with stocked(tmp_path) as store:
        before = store.list()
        sealed = _columns(tmp_path, "nonce, ciphertext")
        both = ring(f"{new},{_text(KEK)}", "the ring")
        assert (outcome := store.rewrap(both)).done == 2
        assert (outcome.already, outcome.troubles) == (0, {})
        alone = ring(new, "the ring")
        assert values(store, alone) == {"openai": OPENAI, "azure": AZURE}
        assert _columns(tmp_path, "nonce, ciphertext") == sealed
        assert [(one.id, one.version, one.rotated) for one in store.list()] == [
            (one.id, one.version, one.rotated) for one in before
        ]
        assert {one.kek for one in store.list()} == set(alone.names)
        assert (store.rewrap(alone).done, store.rewrap(alone).already) == (0, 2)
        with pytest.raises(
            KekTrouble, match="the manifest of the sealed credentials cannot be opened: it was sealed under"
        ):
            store.reveal(["openai"], KEK)


# ---- what somebody else does to the file ----------------------------------------------------------------------------


def tampered(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "yett.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_rows_cannot_be_swapped(tmp_path: Path) -> None:
    with stocked(tmp_path) as store:
        columns = "kek, wrapped, nonce, ciphertext"
        tampered(
            tmp_path,
            f"UPDATE credentials SET ({columns}) = (SELECT {columns} FROM credentials WHERE id = 'azure') WHERE id = 'openai'",
        )
        found = values(store)
    assert found["azure"] == AZURE
    assert found["openai"].endswith("it was changed since it was sealed, or is another one's")


@pytest.mark.parametrize("column", ["owner = 'mallory'", "version = 7", "ciphertext = zeroblob(40)", "rotated = 9"])
def test_a_row_cannot_be_changed(tmp_path: Path, column: str) -> None:
    with stocked(tmp_path) as store:
        tampered(tmp_path, f"UPDATE credentials SET {column} WHERE id = 'openai'")
        found = values(store)
        assert found["azure"] == AZURE
        assert 'the sealed credential "openai" cannot be opened' in found["openai"]
        store.rotate("openai", "sk-put-right", 500, KEK)  # which a new value mends
        assert values(store) == {"azure": AZURE, "openai": "sk-put-right"}


def test_an_older_copy_of_a_row_is_refused_though_it_opens(tmp_path: Path) -> None:
    with stocked(tmp_path) as store:
        tampered(tmp_path, "CREATE TABLE stolen AS SELECT * FROM credentials")
        store.rotate("openai", "sk-after-the-leak", 300, KEK)
        tampered(
            tmp_path,
            "DELETE FROM credentials WHERE id = 'openai'",
            "INSERT INTO credentials SELECT * FROM stolen WHERE id = 'openai'",
        )
        assert values(store)["openai"].endswith("an older copy was put in its place")
        store.remove("openai", KEK)
        tampered(tmp_path, "INSERT INTO credentials SELECT * FROM stolen WHERE id = 'openai'")
        assert values(store)["openai"].endswith("an older copy was put in its place")


def test_a_manifest_cannot_be_done_without(tmp_path: Path) -> None:
    with stocked(tmp_path) as store:
        tampered(tmp_path, "CREATE TABLE stolen AS SELECT * FROM credential_manifest")
        store.rotate("openai", "sk-after-the-leak", 300, KEK)
        tampered(
            tmp_path,
            "UPDATE credential_manifest SET (kek, wrapped, nonce, ciphertext) ="
            " (SELECT kek, wrapped, nonce, ciphertext FROM stolen)",
        )
        with pytest.raises(IntegrityError, match="was changed by something else"):
            values(store)
        tampered(tmp_path, "DELETE FROM credential_manifest")
        with pytest.raises(IntegrityError, match="their manifest was removed"):
            values(store)


def test_rows_of_another_deployment_do_not_open(tmp_path: Path) -> None:
    with stocked(tmp_path / "here") as store, stocked(tmp_path / "there") as other:
        other.rotate("openai", "sk-of-the-others", 300, KEK)
        tampered(
            tmp_path / "here",
            f"ATTACH '{tmp_path / 'there' / 'yett.db'}' AS there",
            "INSERT OR REPLACE INTO credentials SELECT * FROM there.credentials WHERE id = 'openai'",
        )
        assert "cannot be opened" in values(store)["openai"]


def test_writers_at_the_same_time_all_get_their_way(tmp_path: Path) -> None:
    CredentialStore.open(tmp_path).close()
    failures: list[YettError] = []

    def write(name: str) -> None:
        try:
            with CredentialStore.open(tmp_path) as store:
                store.add(name, f"sk-{name}", "me", 1, KEK)
        except YettError as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(f"name-{number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    with CredentialStore.open(tmp_path) as store:
        opened = store.reveal([f"name-{number}" for number in range(4)], KEK)
        assert {name: value.reveal() for name, value in opened.values.items()} == {
            f"name-{number}": f"sk-name-{number}" for number in range(4)
        }
        assert opened.values["name-0"] == Secret("sk-name-0")
        assert "sk-name" not in repr(opened)


def _text(kek: KeyRing) -> str:
    return ",".join(base64.b64encode(key).decode() for key in kek._keys.values())


def _columns(folder: Path, columns: str) -> list[tuple[bytes, ...]]:
    connection = sqlite3.connect(folder / "yett.db")
    found = connection.execute(f"SELECT {columns} FROM credentials ORDER BY id").fetchall()
    connection.close()
    return found
