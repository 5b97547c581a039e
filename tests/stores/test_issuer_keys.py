"""Keys of issuers that outlive a process: found by their address, and only when nobody else can have put them there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from yett.stores.issuer_keys import IssuerKeys

URL = "https://idp.example/jwks"


@pytest.fixture
def kept(tmp_path: Path) -> IssuerKeys:
    made = IssuerKeys(tmp_path / "keys")
    made.keep(URL, 100.5, b'{"keys":["\xc3\xa9"]}')
    return made


def file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "keys").iterdir()
    return found


def test_what_was_kept_is_found(kept: IssuerKeys, tmp_path: Path) -> None:
    found = kept.find(URL)
    assert found is not None
    assert (found.fetched, found.document) == (100.5, '{"keys":["é"]}')
    assert kept.find(URL + "/") is None
    assert file(tmp_path).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    kept.keep(URL, 200.0, b"{}")
    found = IssuerKeys(tmp_path / "keys").find(URL)
    assert found is not None
    assert (found.fetched, found.document) == (200.0, "{}")


def test_what_others_may_have_written_is_not_believed(kept: IssuerKeys, tmp_path: Path) -> None:
    path = file(tmp_path)
    path.chmod(0o660)
    assert kept.find(URL) is None
    path.chmod(0o644)  # they are public
    assert kept.find(URL) is not None
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)
    assert kept.find(URL) is None
    path.unlink()
    os.mkfifo(path, 0o600)
    assert kept.find(URL) is None
    path.unlink()
    path.mkdir()
    assert kept.find(URL) is None


def test_what_is_of_another_address_or_nonsense_is_not_believed(kept: IssuerKeys, tmp_path: Path) -> None:
    path = file(tmp_path)
    good = path.read_bytes()
    for content in (b"", b"nonsense", b"[]", good[:-5], good.replace(b"idp.", b"evil."), good + b" " * 600_000):
        path.write_bytes(content)
        assert kept.find(URL) is None
    with pytest.raises(ValueError, match="utf-8"):
        kept.keep(URL, 1.0, b"\xff")


def test_a_folder_that_cannot_be_written(kept: IssuerKeys, tmp_path: Path) -> None:
    file(tmp_path).unlink()
    (tmp_path / "keys").rmdir()
    (tmp_path / "keys").write_text("in the way")
    assert kept.find(URL) is None
    with pytest.raises(OSError, match="exists"):
        kept.keep(URL, 1.0, b"{}")
