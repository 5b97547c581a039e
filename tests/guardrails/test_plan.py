"""Long texts in parts, and the answers put together again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yett.guardrails.kind import Signal, Verdict
from yett.guardrails.plan import OVERLAP, Answer, Part, heard, planned


def signal(
    kind: str = "k.x", piece: int = 0, score: float = 1.0, flagged: bool = True, start: int = 0, end: int = 0
) -> Signal:
    return Signal(kind, "x", piece, score, flagged, start, end)


def answers(parts: tuple[Part, ...], *said: Signal) -> list[Answer]:
    return [Answer(tuple(part.piece for part in parts), Verdict(said))]


@given(st.text(min_size=1, max_size=3000), st.integers(1, 1500))
def test_parts_cover_the_text_and_overlap(text: str, longest: int) -> None:
    parts = planned({7: (text, "user")}, longest)
    assert all(part.text == 7 and part.piece.role == "user" for part in parts)
    assert [part.piece.position for part in parts] == list(range(len(parts)))
    assert all(0 < len(part.piece.text) <= longest for part in parts)
    assert all(text.startswith(part.piece.text, part.begins) for part in parts)
    end = 0
    for part in parts:
        assert part.begins <= end
        end = part.begins + len(part.piece.text)
    assert end == len(text)
    assert len(parts) <= len(text) // max(1, longest - min(OVERLAP, longest // 4)) + 1


def test_signals_are_moved_to_where_their_part_stands() -> None:
    parts = planned({3: ("a" * 1000, "user")}, 800)
    assert [part.begins for part in parts] == [0, 600]
    one = heard(parts, answers(parts, signal(piece=1, start=10, end=20), signal("k.whole", piece=1)))[3]
    assert one.whole
    assert [(s.kind, s.start, s.end) for s in one.signals] == [("k.x", 610, 620), ("k.whole", 600, 1000)]


def test_what_two_parts_share_is_found_once() -> None:
    parts = planned({0: ("a" * 1000, "user")}, 800)
    one = heard(parts, answers(parts, signal(start=700, end=710), signal(piece=1, start=100, end=110)))[0]
    assert [(s.start, s.end) for s in one.signals] == [(700, 710)]


def test_of_scores_the_strongest_is_kept() -> None:
    parts = planned({0: ("a" * 1000, "user")}, 800)
    said = [
        signal(score=score, flagged=False, piece=piece) for piece, score in ((0, 0.1), (1, 0.4), (0, 0.2), (1, 0.0))
    ]
    one = heard(parts, answers(parts, *said, signal("k.never", score=0.0, flagged=False)))[0]
    assert [s.score for s in one.signals] == [0.4]


def test_a_text_is_whole_when_every_request_about_it_was_answered() -> None:
    parts = planned({0: ("one", "user"), 1: ("two", "user"), 2: ("three", "user")}, 100)
    first, second, _ = (part.piece for part in parts)
    both = [
        Answer((first, second), Verdict((signal(piece=1),))),
        Answer((first,), Verdict(())),
        Answer((second,), None, "timeout"),
    ]
    together = heard(parts, both)
    assert [together[number].whole for number in (0, 1, 2)] == [True, False, False]
    assert [len(together[number].signals) for number in (0, 1, 2)] == [0, 1, 0]


def test_what_an_incomplete_verdict_found_is_found() -> None:
    parts = planned({0: ("one", "user")}, 100)
    (piece,) = (part.piece for part in parts)
    one = heard(parts, [Answer((piece,), Verdict((signal(),), complete=False), "not everything was judged")])[0]
    assert (one.whole, len(one.signals)) == (False, 1)
