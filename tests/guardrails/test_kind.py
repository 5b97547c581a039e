"""What the kinds share: finding a quotation, bounding a score."""

from __future__ import annotations

import pytest

from yett.guardrails.kind import Piece, bounded, located


def test_a_quotation_is_found_wherever_it_stands() -> None:
    piece = Piece("aXaXa", "user")
    assert located(piece, "a") == ((0, 1), (2, 3), (4, 5))
    assert located(piece, "aXa") == ((0, 3),)
    assert located(piece, "b") == located(piece, "") == ()


def test_a_flood_of_quotations_is_bounded() -> None:
    assert len(located(Piece("a" * 10_000, "user"), "a")) == 100


@pytest.mark.parametrize(("given", "score"), [(-1.0, 0.0), (0.3, 0.3), (9.0, 1.0), (float("inf"), 1.0)])
def test_scores_are_between_zero_and_one(given: float, score: float) -> None:
    assert bounded(given) == score
