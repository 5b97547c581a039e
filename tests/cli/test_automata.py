"""Automata that are kept: the same answers, in no time, from nowhere that others can write to, and never in the way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.detectors.examples import AWS

from yett.cli.automata import MOST, Builder, Kept, builder, cache_folder
from yett.detectors.engine import Hyperscan

PATTERNS = (rb"A[K]IA[A-Z0-9]{16}", rb"nothing")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_compiled_is_found_again(tmp_path: Path) -> None:
    build = Builder(tmp_path)
    text = f" {AWS} ".encode()
    assert list(build(PATTERNS)(text)) == [0]
    (path,) = tmp_path.iterdir()
    before = path.stat().st_ino
    assert list(Builder(tmp_path)(PATTERNS)(text)) == [0]
    assert path.stat().st_ino == before
    build((*PATTERNS, b"more"))
    assert len(names(tmp_path)) == 2
    with pytest.raises(ValueError, match="refuses"):
        build((b"(unclosed",))


def test_what_is_in_use_is_shared(tmp_path: Path) -> None:
    build = Builder(tmp_path)
    first, text = build(PATTERNS), f" {AWS} ".encode()
    (path,) = tmp_path.iterdir()
    path.unlink()
    second = build(PATTERNS)
    assert names(tmp_path) == set()
    assert list(first(text)) == list(second(text)) == [0]
    del first, second
    build(PATTERNS)
    assert names(tmp_path) == {path.name}  # nobody used it any more


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\0" * 4096])
def test_a_file_that_cannot_be_loaded_is_compiled_again(tmp_path: Path, damage: bytes) -> None:
    Kept(PATTERNS, tmp_path)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    for broken in (damage, whole[: len(whole) // 2]):
        path.write_bytes(broken)
        assert list(Kept(PATTERNS, tmp_path)(f" {AWS} ".encode())) == [0]
        assert path.read_bytes() == whole


def test_a_folder_that_is_gone_or_full_is_not_missed(tmp_path: Path) -> None:
    assert list(Kept(PATTERNS, tmp_path / "gone")(b"nothing")) == [1]


def test_the_oldest_go(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        old = tmp_path / f"{number}.hs"
        old.touch()
        os.utime(old, (number, number))
    Kept(PATTERNS, tmp_path)
    assert len(names(tmp_path)) == MOST
    assert "0.hs" not in names(tmp_path)


def test_where_they_lie(tmp_path: Path) -> None:
    assert cache_folder({}) is None
    assert cache_folder({"HOME": str(tmp_path)}) == tmp_path / ".cache/yett"
    found = cache_folder({"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "c")})
    assert found == tmp_path / "c/yett"
    assert found.stat().st_mode & 0o077 == 0


def test_nothing_is_loaded_from_where_others_can_write(tmp_path: Path) -> None:
    (tmp_path / "yett").mkdir()
    (tmp_path / "yett").chmod(0o770)
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) is None
    (tmp_path / "file").touch()
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path / "file")}) is None
    assert type(Builder(None)(PATTERNS)) is Hyperscan
    found = builder({"XDG_CACHE_HOME": str(tmp_path / "mine")})
    assert found is not None
    assert found.folder == tmp_path / "mine/yett"
