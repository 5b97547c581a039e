"""What people said of findings is kept, once for each finding, on SQLite and on PostgreSQL, and by nobody else's eyes."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.contracts.conftest import Open

from yett.errors import IntegrityError
from yett.stores.reviews import Review, ReviewStore
from yett.stores.sqlite import StoreUnavailable

ONE = Review(
    "call_1", "request", "pii.email", "ab", verdict=False, detector="email", role="user", score=0.62, team="t", ts=5
)
OTHER = replace(ONE, call="call_2", verdict=True, note="é", reviewer="ada", ts=4)


def test_what_was_said_is_kept(open_database: Open) -> None:
    ReviewStore(open_database()).put(ONE)
    ReviewStore(open_database()).put(OTHER)
    assert ReviewStore(open_database()).all() == [OTHER, ONE]


def test_a_finding_is_judged_once(open_database: Open) -> None:
    store = ReviewStore(open_database())
    store.put(ONE)
    store.put(replace(ONE, verdict=True, ts=9, note="on second thoughts"))
    store.put(replace(ONE, value="cd"))
    assert [(each.value, each.verdict) for each in store.all()] == [("cd", False), ("ab", True)]


def test_two_people_at_once(open_database: Open) -> None:
    ada, bob = ReviewStore(open_database()), ReviewStore(open_database())
    ada.put(ONE)
    bob.put(OTHER)
    assert ada.all() == bob.all() == [OTHER, ONE]


def test_what_a_machine_had_by_itself_is_taken_over(open_database: Open, tmp_path: Path) -> None:
    """Once, and without a word against what is said by all since."""
    own = tmp_path / "machine"
    many = [replace(ONE, call=f"call_{number}") for number in range(1200)]
    with ReviewStore.open(own) as store:
        store.adopt(many)
    assert (own / "reviews.db").stat().st_mode & 0o77 == 0
    shared = ReviewStore(open_database())
    shared.put(replace(ONE, verdict=True))
    for _ in range(2):
        found = ReviewStore.open(own, open_database()).all()
        assert len(found) == 1200
        assert {each.call for each in found if each.verdict} == {"call_1"}, "which was there before"
    with ReviewStore.open(own) as store:
        assert len(store.all()) == 1200, "an older version may go on with it"


def test_what_is_no_database(open_database: Open, tmp_path: Path) -> None:
    own = tmp_path / "machine"
    own.mkdir()
    (own / "reviews.db").write_text("x" * 5000)
    with pytest.raises(IntegrityError, match="damaged"):
        ReviewStore.open(own)
    with pytest.raises(IntegrityError, match="damaged"):
        ReviewStore.open(own, open_database())
    with pytest.raises(StoreUnavailable):
        ReviewStore.open(own / "reviews.db/no-folder")
