"""What is found in a view is reported where it stands in the text that was given, however many views lie between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.view import KEEP, Piece, Rewriting, View

ROOT = View("one TWO three FOUR five")


def rewritten(source: View, *changes: tuple[str, str, str]) -> View:
    rewriting = Rewriting(source)
    for old, new, how in changes:
        start = source.text.index(old)
        rewriting.put(start, start + len(old), new, how)
    view = rewriting.view()
    assert view
    return view


def origin(view: View, text: str) -> tuple[str, tuple[str, ...]]:
    root = view
    while root.source:
        root = root.source
    start, end, how = view.origin(view.text.index(text), view.text.index(text) + len(text))
    return root.text[start:end], how


def test_a_given_text_is_its_own_origin() -> None:
    assert ROOT.origin(4, 7) == (4, 7, ())


def test_copies_stand_where_they_stood_and_changes_where_their_source_did() -> None:
    view = rewritten(ROOT, ("TWO", "2", "digit"), ("FOUR", "vier", "german"))
    assert view.text == "one 2 three vier five"
    assert origin(view, "2") == ("TWO", ("digit",))
    assert origin(view, "three") == ("three", ())
    assert origin(view, "ie") == ("OU", ("german",))  # as long as its source: character by character
    assert origin(view, "e 2 t") == ("e TWO t", ("digit",))
    assert origin(view, "five") == ("five", ())


def test_views_of_views() -> None:
    inner = rewritten(rewritten(ROOT, ("TWO", "2", "digit")), ("2 three", "23", "joined"))
    assert inner.text == "one 23 FOUR five"
    assert origin(inner, "FOUR") == ("FOUR", ())
    assert origin(inner, "23") == ("TWO three", ("digit", "joined"))


def test_nothing_put_is_no_view() -> None:
    assert Rewriting(ROOT).view() is None


def test_what_became_nothing_is_a_change() -> None:
    view = rewritten(ROOT, ("TWO ", "", "gone"))
    assert view.text == "one three FOUR five"
    assert origin(view, "e t") == ("e TWO t", ("gone",))
    assert view.how == "gone"


def test_what_is_far_from_any_change_is_left_out() -> None:
    source = View("a" * 1000 + "X" + "b" * 1000 + "Y" + "c" * 1000)
    view = rewritten(source, ("X", "xx", "one"), ("Y", "yy", "two"))
    assert view.text == "a" * KEEP + "xx" + "b" * 2 * KEEP + "yy" + "c" * KEEP
    assert view.origin(len(view.text) - 1, len(view.text))[0] == 2002 + KEEP - 1
    assert origin(view, "yy") == ("Y", ("two",))
    assert view.origin(KEEP + 2, KEEP + 3)[:2] == (1001, 1002)
    assert view.origin(2 * KEEP + 2, 2 * KEEP + 3)[:2] == (2001 - KEEP, 2002 - KEEP)


def test_pieces_are_made_when_they_are_asked_for() -> None:
    made: list[int] = []

    def pieces() -> list[Piece]:
        made.append(1)
        return [Piece(0, 0, 3, "all")]

    view = View("abc", ROOT, "all", pieces)
    assert made == []
    assert view.origin(1, 2) == (1, 2, ("all",))
    assert view.origin(0, 3) == (0, 3, ("all",))
    assert made == [1]


@given(st.text(min_size=1, max_size=60), st.lists(st.tuples(st.integers(0, 60), st.text(max_size=5)), max_size=6))
def test_any_change_has_a_place(text: str, changes: list[tuple[int, str]]) -> None:
    rewriting = Rewriting(View(text))
    done = 0
    for start, new in sorted(changes):
        if done <= start < len(text):
            done = min(len(text), start + 2)
            rewriting.put(start, done, new, "new")
    view = rewriting.view()
    for start in range(len(view.text) if view else 0):
        assert view
        first, last, how = view.origin(start, start + 1)
        assert 0 <= first < last <= len(text)
        assert how in {("new",), ()}
