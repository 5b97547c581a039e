"""The lexicon: however a word is looked up, its row is the sum of the vectors of its buckets; what it remembers is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.injection import lexicon
from yett.detectors.injection.features import BITS, bucket, places, seen, spoken, words
from yett.detectors.injection.lexicon import FEW, MOST, REACH, Lexicon

WIDTH = 3
VECTORS = np.random.default_rng(5).integers(-127, 128, (1 << BITS, WIDTH), np.int8)
ascii_texts = st.text("aZ09 _-.\n\x00'" + "bcdefghijk", max_size=80)


def read(text: str, book: Lexicon | None = None) -> list[list[float]]:
    return (book or Lexicon(VECTORS)).read(spoken(text)).tolist()


@given(ascii_texts)
def test_words_of_ascii_are_those_that_arrays_find(text: str) -> None:
    whole, said = seen(text), spoken(text)
    assert [list(bucket(word)) for word in said] == whole.words.tolist()
    assert places(text).first.tolist() == whole.first.tolist()
    assert places(text).codes.tolist() == whole.codes.tolist()


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 23, 24, 25, 26, 400])
def test_words_of_any_length(length: int) -> None:
    word = ("Keyboards0" * 40)[:length]
    assert [list(bucket(said)) for said in spoken(word)] == words(word).tolist()


@pytest.mark.parametrize("count", [1, FEW, FEW + 1, 200])
def test_a_row_is_the_same_whether_it_is_new_or_known(count: int) -> None:
    text = " ".join(f"{chr(97 + at % 26)}{chr(97 + at // 26)}x" for at in range(count)) + " again and again"
    book = Lexicon(VECTORS)
    expected = book.of(words(text)).tolist()
    assert read(text, book) == read(text, book) == expected
    assert read(f"once more: {text}", book)[REACH + 2 :] == expected[REACH:]


def test_around_the_words_there_is_nothing_but_the_one_for_the_floor() -> None:
    rows = read("word")
    assert len(rows) == 1 + 2 * REACH
    assert rows[:REACH] == rows[-REACH:] == [[0.0] * WIDTH + [1.0]] * REACH
    assert rows[REACH][-1] == 1.0


def test_what_is_remembered_is_bounded_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MOST", 20)
    book = Lexicon(VECTORS)
    for at in range(50):
        text = f"hunter {chr(97 + at % 26)}a{chr(97 + at // 26)} of a kind"
        assert read(text, book) == book.of(words(text)).tolist()
        assert len(book._rows) <= 20
    assert MOST > 20
    assert all(isinstance(name, int) for name in book._rows)
