"""Keys that sign: the same for every process, published before they sign and after they have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scene import Clock

from yett.errors import ConfigurationError, IntegrityError, Refusal
from yett.identity import jws
from yett.stores.signing import AHEAD, OVERLAP, FileSeeds, SigningKeys

DAY = 86_400.0


def verified(token: bytes, keys: SigningKeys) -> bool:
    signed = jws.take_apart(token)
    try:
        jws.verify(signed, "Ed25519", keys.public)
    except Refusal:
        return False
    return True


def test_a_key_turns_without_a_gap(tmp_path: Path) -> None:
    clock = Clock()
    clock.time = 100 * DAY + 1000.0
    one, two = SigningKeys(FileSeeds(tmp_path), clock, DAY), SigningKeys(FileSeeds(tmp_path), clock, DAY)
    with pytest.raises(Refusal):
        one.sign({}, "x")
    one.turn()
    two.turn()
    first = one.sign({"sub": "a"}, "yett-task+jwt")
    assert verified(first, two)
    assert len(json.loads(two.document)["keys"]) == 1
    public = two.public
    two.turn()
    assert two.public is public
    clock.time = 101 * DAY - AHEAD + 1
    one.turn()
    assert len(one.public) == 2  # the next one is known before it signs
    two.turn()
    clock.time = 101 * DAY + 1
    second = two.sign({"sub": "a"}, "yett-task+jwt")
    assert jws.take_apart(second).header.kid != jws.take_apart(first).header.kid
    assert verified(second, one)
    assert verified(first, one)
    clock.time = 101 * DAY + OVERLAP + 1
    one.turn()
    assert not verified(first, one)
    assert [path.stem for path in (tmp_path / "task-signing").iterdir()] == ["101"]


def test_a_start_after_a_long_time_has_one_key(tmp_path: Path) -> None:
    clock = Clock()
    clock.time = 100 * DAY + 10
    keys = SigningKeys(FileSeeds(tmp_path), clock, DAY)
    keys.turn()
    assert len(keys.public) == 1  # none is made for a period that is over
    assert (tmp_path / "task-signing" / "100.key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_key(tmp_path: Path) -> None:
    folder = tmp_path / "task-signing"
    folder.mkdir()
    path = folder / f"{int(Clock().time // DAY)}.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(IntegrityError, match="no signing key"):
        SigningKeys(FileSeeds(tmp_path), Clock(), DAY).turn()
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="readable by others"):
        SigningKeys(FileSeeds(tmp_path), Clock(), DAY).turn()
