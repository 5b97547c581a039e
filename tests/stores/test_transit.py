"""The key-encryption key in a real OpenBao: wrapping, its versions, and all the ways in which it may not be had."""

from __future__ import annotations

import socket
import urllib.error
from pathlib import Path

import pytest
from tests.stores.conftest import Bao

from yett.model.route import Secret
from yett.stores.credentials import CredentialStore
from yett.stores.envelope import Wrapped
from yett.stores.kek import Either, KekTrouble, fresh, ring
from yett.stores.transit import Transit

KEYS = [bytes(range(32)), bytes(32)]


def transit(bao: Bao, key: str, token: str = "") -> Transit:
    return Transit(bao.address, key, Secret(token or bao.token), ca_file=bao.ca_file)


def test_it_wraps_and_unwraps_in_one_request_each(bao: Bao) -> None:
    kek = transit(bao, bao.key("batch"))
    wrapped = kek.wrap(KEYS)
    assert [one.kek for one in wrapped] == ["transit:transit/batch:v1"] * 2
    assert all(one.key.startswith(b"vault:v1:") for one in wrapped)
    assert kek.unwrap(wrapped) == KEYS
    assert (kek.wrap([]), kek.unwrap([])) == ([], [])


def test_a_new_version_wraps_and_the_old_one_still_unwraps(bao: Bao) -> None:
    kek = transit(bao, bao.key("versions"))
    (old,) = kek.wrap(KEYS[:1])
    kek.rotate()
    (new,) = kek.wrap(KEYS[:1])
    assert new.kek == "transit:transit/versions:v2"
    assert kek.unwrap([old, new]) == [KEYS[0], KEYS[0]]
    assert kek.newest([old, new]) == [False, True]
    bao.ask("POST", "transit/keys/versions/config", {"min_decryption_version": 2})
    one, other = kek.unwrap([old, new])
    assert isinstance(one, str)
    assert "cannot unwrap its data key" in one
    assert other == KEYS[0]


def test_a_data_key_of_another_kek_or_a_changed_one_is_told_by_itself(bao: Bao) -> None:
    kek = transit(bao, bao.key("mine"))
    (good,) = kek.wrap(KEYS[:1])
    changed = Wrapped(good.kek, good.key[:-6] + b"AAAAAA")
    (strange,) = ring(fresh(), "it").wrap(KEYS[:1])
    found = kek.unwrap([strange, good, changed])
    assert found[1] == KEYS[0]
    assert isinstance(found[0], str)
    assert "not by the transit key mine" in found[0]
    assert isinstance(found[2], str)
    assert "cannot unwrap its data key" in found[2]


def test_a_token_needs_no_more_than_to_encrypt_decrypt_and_read_the_key(bao: Bao) -> None:
    key = bao.key("least")
    kek = transit(bao, key, bao.token_for("least", key))
    assert kek.unwrap(kek.wrap(KEYS)) == KEYS
    assert kek.latest() == 1
    with pytest.raises(KekTrouble, match="does not accept the token") as caught:
        kek.rotate()
    assert not caught.value.lasting


def test_what_keeps_it_from_answering_is_told_without_the_token(bao: Bao) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        nobody = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        silent = Transit(nobody, "k", Secret("s3cr3t-token"), timeout=0.1)
        with pytest.raises(KekTrouble, match="cannot be reached: timed out") as slow:
            silent.wrap(KEYS)
    with pytest.raises(KekTrouble, match="cannot be reached: Connection refused") as refused:
        silent.wrap(KEYS)
    with pytest.raises(KekTrouble, match="does not accept the token") as forbidden:
        transit(bao, bao.key("closed"), "s3cr3t-token").wrap(KEYS)
    with pytest.raises(KekTrouble, match=r"cannot be reached: .*certificate verify failed") as stranger:
        Transit(bao.address, "closed", Secret("s3cr3t-token")).wrap(KEYS)
    with pytest.raises(KekTrouble, match=r"answered otherwise|cannot be reached") as plain:
        Transit(bao.address.replace("https:", "http:"), "closed", Secret("s3cr3t-token")).wrap(KEYS)
    assert "s3cr3t-token" not in str(plain.value)
    with pytest.raises(KekTrouble, match="cannot be reached") as no_certificates:
        Transit("https://127.0.0.1:1", "closed", Secret("s3cr3t-token"), ca_file="/nowhere").wrap(KEYS)
    for caught in (slow, refused, forbidden, stranger, no_certificates):
        assert not caught.value.lasting  # asked again after a while
        assert "s3cr3t-token" not in f"{caught.value!r}{caught.value.__cause__!r}"
    with pytest.raises(KekTrouble, match="answered otherwise"):  # it makes no key by itself when told not to
        transit(bao, "no-such-key").unwrap([Wrapped("transit:transit/no-such-key:v1", b"x:y:z")])


def test_credentials_move_from_a_file_to_the_service(bao: Bao, tmp_path: Path) -> None:
    old, new = ring(fresh(), "the file"), transit(bao, bao.key("moving"))
    with CredentialStore.open(tmp_path) as store:
        store.add("openai", "sk-of-openai", "platform", 1, old)
        with pytest.raises(KekTrouble, match="the manifest of the sealed credentials cannot be opened"):
            store.reveal(["openai"], new)
        assert store.rewrap(Either(new, old)).done == 1
        assert store.reveal(["openai"], new).values == {"openai": Secret("sk-of-openai")}
        with pytest.raises(KekTrouble):
            store.reveal(["openai"], old)
        new.rotate()
        assert store.rewrap(new).done == 1
        assert store.list()[0].kek == "transit:transit/moving:v2"
    with pytest.raises(urllib.error.HTTPError):
        bao.ask("GET", "transit/keys/nothing-else-was-made")
