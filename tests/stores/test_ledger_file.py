"""The file under the ledger: what is refused, what is undone, what reaches the disk."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from yett.errors import IntegrityError
from yett.stores.ledger_file import BLOCK, NO_HOLD, SCOPES, UNDO_WORD, LedgerFile, size_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger"


def made(path: Path) -> bytes:
    LedgerFile(path, 8, 8).close()
    return path.read_bytes()


def test_it_is_made_whole_private_and_of_full_size(path: Path) -> None:
    raw = made(path)
    assert len(raw) == size_of(8, 8)
    status = path.stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_blocks * 512 >= len(raw)  # a full disk is met now, not at some later write
    assert [file.name for file in path.parent.iterdir()] == ["ledger"]


def test_the_capacity_of_an_existing_file_stays(path: Path) -> None:
    made(path)
    file = LedgerFile(path, 9999, 9999)
    assert (file.scopes, file.holds) == (8, 8)
    file.close()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda raw: b"", "not a ledger"),
        (lambda raw: b"SQLite format 3\0" + raw[16:], "not a ledger"),
        (lambda raw: raw[:20], "not a ledger"),
        (lambda raw: raw[:8] + b"\x02" + raw[9:], "header is damaged"),
        (lambda raw: raw[:17] + b"\xff" + raw[18:], "header is damaged"),
        (lambda raw: raw[:-4096], "cut or grown"),
        (lambda raw: raw + bytes(4096), "cut or grown"),
        (lambda raw: raw[:4096], "cut or grown"),
    ],
)
def test_a_foreign_or_torn_file_is_refused_and_left_alone(path: Path, damage: object, message: str) -> None:
    changed = damage(made(path))  # type: ignore[operator]
    path.write_bytes(changed)
    with pytest.raises(IntegrityError, match=message) as caught:
        LedgerFile(path, 8, 8)
    assert str(path) in str(caught.value)
    assert "move the file away" in str(caught.value)
    assert path.read_bytes() == changed


def test_another_version_is_named(path: Path) -> None:
    import struct
    import zlib

    raw = made(path)
    head = raw[:8] + struct.pack("q", 7) + raw[16:40]
    path.write_bytes(head + struct.pack("Q", zlib.crc32(head)) + raw[48:])
    with pytest.raises(IntegrityError, match="version 7"):
        LedgerFile(path, 8, 8)


def test_a_symbolic_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    made(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(OSError, match=r"symbolic|loop|Too many levels"):
        LedgerFile(link, 8, 8)


def test_without_room_or_right_nothing_is_left_behind(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        LedgerFile(folder / "ledger", 8, 8)


def commit_two(file: LedgerFile) -> tuple[list[int], list[bytes], list[bytes]]:
    offsets = [SCOPES, SCOPES + BLOCK]
    places = [slice(offset, offset + BLOCK) for offset in offsets]
    old = [file.memory[place] for place in places]
    new = [bytes([1]) * BLOCK, bytes([2]) * BLOCK]
    file.commit(offsets, places, old, new, NO_HOLD, 0, 2)
    return offsets, old, new


def test_what_is_marked_is_undone_by_the_next_holder_of_the_lock(path: Path) -> None:
    file = LedgerFile(path, 8, 8)
    offsets, old, new = commit_two(file)
    assert [file.memory[offset : offset + BLOCK] for offset in offsets] == new
    assert file.words[NO_HOLD] == 2
    file.words[UNDO_WORD] = 3  # as if it had died just before clearing the mark
    file.close()
    file = LedgerFile(path, 8, 8)
    file.lock()
    assert [file.memory[offset : offset + BLOCK] for offset in offsets] == old
    assert file.words[NO_HOLD] == 0
    file.unlock()
    file.close()


@pytest.mark.parametrize(("word", "value"), [(0, 99), (0, -1), (1, 10**6), (1, 3), (2, 9), (3, 17), (3, 10**9), (4, 0)])
def test_a_damaged_undo_log_is_not_obeyed(path: Path, word: int, value: int) -> None:
    file = LedgerFile(path, 8, 8)
    commit_two(file)
    file.words[UNDO_WORD] = 3
    file.words[UNDO_WORD + word] = value
    before = file.memory[SCOPES:]
    with pytest.raises(IntegrityError, match="undo log"):
        file.lock()
    assert file.memory[SCOPES:] == before
    file.close()


def test_a_file_that_goes_while_in_use_is_noticed(path: Path) -> None:
    file = LedgerFile(path, 8, 8)
    file.check_place()
    assert file.broken == ""
    away = path.rename(path.with_name("away"))
    file.check_place()
    assert "gone" in file.broken
    file.broken = ""
    away.rename(path)
    with path.open("ab") as more:
        more.write(b"x")
    file.check_place()
    assert "size" in file.broken
    file.close()


def test_the_sync_thread_brings_changes_to_the_disk(path: Path) -> None:
    file = LedgerFile(path, 8, 8, sync_seconds=0.01)
    commit_two(file)
    for _ in range(500):
        if not file.changed:
            break
        threading.Event().wait(0.01)
    assert not file.changed
    file.close()
    assert file.descriptor == -1


def test_a_disk_that_fails_closes_the_ledger(path: Path) -> None:
    file = LedgerFile(path, 8, 8, sync_seconds=0.01)
    closed, file.descriptor = file.descriptor, 10**6
    file.changed = True
    for _ in range(500):
        if file.broken:
            break
        threading.Event().wait(0.01)
    assert "Bad file descriptor" in file.broken
    file.descriptor = closed
    file.close()


def test_the_lock_is_not_held_by_the_mapping(path: Path) -> None:
    """mmap keeps a duplicate of its descriptor; the lock must not live as long as that."""
    file = LedgerFile(path, 8, 8)
    file.lock()
    os.close(file.descriptor)
    other = LedgerFile(path, 8, 8)
    other.lock()  # would wait for ever
    other.unlock()
    other.close()
    file.descriptor = os.open(path, os.O_RDWR)
    file.close()
