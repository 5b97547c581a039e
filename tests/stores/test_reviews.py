"""What people said of findings is kept, once for each finding, and by nobody else's eyes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from yett.errors import IntegrityError
from yett.stores.reviews import Review, ReviewStore
from yett.stores.sqlite import StoreUnavailable

ONE = Review(
    "call_1", "request", "pii.email", "ab", verdict=False, detector="email", role="user", score=0.5, team="t", ts=5
)


def test_what_was_said_is_kept(tmp_path: Path) -> None:
    other = replace(ONE, call="call_2", verdict=True, note="é", reviewer="ada", ts=4)
    with ReviewStore(tmp_path / "reviews.db") as store:
        store.put(ONE)
        store.put(other)
    with ReviewStore(tmp_path / "reviews.db") as store:
        assert store.all() == [other, ONE]
    assert (tmp_path / "reviews.db").stat().st_mode & 0o77 == 0


def test_a_finding_is_judged_once(tmp_path: Path) -> None:
    with ReviewStore(tmp_path / "reviews.db") as store:
        store.put(ONE)
        store.put(replace(ONE, verdict=True, ts=9, note="on second thoughts"))
        store.put(replace(ONE, value="cd"))
        assert [(each.value, each.verdict) for each in store.all()] == [("cd", False), ("ab", True)]


def test_two_people_at_once(tmp_path: Path) -> None:
    with ReviewStore(tmp_path / "reviews.db") as ada, ReviewStore(tmp_path / "reviews.db") as bob:
        ada.put(ONE)
        bob.put(replace(ONE, call="call_2"))
        assert len(ada.all()) == len(bob.all()) == 2


def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "reviews.db").write_text("x" * 5000)
    with pytest.raises(IntegrityError, match="damaged"):
        ReviewStore(tmp_path / "reviews.db")
    with pytest.raises(StoreUnavailable):
        ReviewStore(tmp_path / "nowhere/reviews.db")
