"""Key-encryption keys of one's own: rings, their files, and changing from one key to the next."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from yett.errors import ConfigurationError
from yett.stores.envelope import Wrapped
from yett.stores.kek import Either, KekTrouble, fresh, keep_newest, own_file, put_in_front, ring

DATA_KEY = bytes(range(32))


def test_a_ring_wraps_with_its_first_key_and_unwraps_with_all() -> None:
    old, new = fresh(), fresh()
    (wrapped,) = ring(old, "the ring").wrap([DATA_KEY])
    both = ring(f"{new}, {old}", "the ring")
    assert both.unwrap([wrapped]) == [DATA_KEY]
    assert both.newest([wrapped, both.wrap([DATA_KEY])[0]]) == [False, True]
    assert len(both.names) == 2
    (trouble,) = ring(new, "the ring").unwrap([wrapped])
    assert isinstance(trouble, str)
    assert re.fullmatch(
        r"it was sealed under the key-encryption key local:[0-9a-f]{16}, which is not in the ring", trouble
    )


def test_a_data_key_that_was_changed_does_not_come_out() -> None:
    keys = ring(fresh(), "the ring")
    (wrapped,) = keys.wrap([DATA_KEY])
    assert keys.unwrap([Wrapped(wrapped.kek, wrapped.key[:-1] + b"?")]) == [
        "its data key was changed since it was sealed"
    ]


def test_while_one_replaces_another_both_open() -> None:
    old, new = ring(fresh(), "the old one"), ring(fresh(), "the new one")
    under = [*old.wrap([DATA_KEY]), *new.wrap([DATA_KEY])]
    either = Either(new, old)
    assert either.unwrap(under) == [DATA_KEY, DATA_KEY]
    assert either.newest([*under, *either.wrap([DATA_KEY])]) == [False, True, True]


@pytest.mark.parametrize("text", ["", "short", "é" * 32, base64.b64encode(b"x" * 31).decode(), fresh() + ",", "AAAA,,"])
def test_what_is_no_key_is_told_without_repeating_it(text: str) -> None:
    with pytest.raises(KekTrouble) as caught:
        ring(text, "env:KEK")
    assert str(caught.value).startswith("env:KEK is not a key-encryption key")
    assert not text or text not in str(caught.value)


def test_the_file_is_made_once_and_only_when_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "state/kek"
    with pytest.raises(KekTrouble, match="is missing, and sealed credentials cannot be opened without it"):
        own_file(path, make=False)
    first = own_file(path, make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert own_file(path, make=True).names == own_file(path, make=False).names == first.names
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="readable by others"):
        own_file(path, make=False)
    with pytest.raises(ConfigurationError, match="readable by others"):
        keep_newest(path)


def test_a_new_key_goes_in_front_and_the_old_one_out(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    (before,) = own_file(path, make=True).names
    assert ring(put_in_front(path, fresh()), "it").names[1:] == (before,)
    assert path.stat().st_mode & 0o777 == 0o600
    names = own_file(path, make=False).names
    keep_newest(path)
    assert own_file(path, make=False).names == names[:1]
    assert [one.name for one in tmp_path.iterdir()] == ["kek"]
    path.write_text("nonsense")
    with pytest.raises(KekTrouble):
        put_in_front(path, fresh())


def test_a_ring_does_not_show_its_keys() -> None:
    key = fresh()
    assert key not in repr(ring(key, "it"))
