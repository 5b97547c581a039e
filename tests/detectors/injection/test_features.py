"""The words of a text: what counts as the same, and that pieces fit together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.injection.features import BITS, BLOCK, COLUMNS, OVERLAP, blocks, seen, words

ITSELF, BEGINNING, END = range(COLUMNS)


def column(text: str, which: int = ITSELF) -> list[int]:
    return words(text)[:, which].tolist()


def test_every_word_has_a_bucket_for_itself_its_beginning_and_its_end() -> None:
    found = words("Please read this: 3 words and 日本語 then 😀!")
    assert found.shape == (11, COLUMNS)
    assert 0 <= found.min() <= found.max() < 1 << BITS


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" ", 0), ("\n\t ", 0), ("!", 0), ("a", 1), ("日", 1), ("a b", 2)]
)
def test_short_texts(text: str, count: int) -> None:
    assert words(text).shape == (count, COLUMNS)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ignore This", "ignore this"),
        ("a\n\n  b", "a b"),
        ("in 1984", "in 2077"),
        ("a\u00a0b", "a b"),
        ("٣ x", "3 x"),
        ("one, two!", "one two"),
        ("one\ud800two", "one two"),
    ],
)
def test_what_counts_as_the_same(one: str, other: str) -> None:
    assert words(one).tolist() == words(other).tolist()


def test_a_word_is_the_same_wherever_it_stands() -> None:
    [word] = words("instructions").tolist()
    assert words("x " * 1500 + "(instructions)").tolist()[-1] == word
    assert word not in words("instruction s").tolist()


def test_a_word_shares_its_beginning_and_its_end_with_its_relatives() -> None:
    assert column("ignore", BEGINNING) == column("ignoring", BEGINNING)
    assert column("ignoring", END) == column("obeying", END)
    assert column("ignore") != column("ignoring")
    assert column("the") != column("the", BEGINNING) != column("the", END)


def test_scripts_without_spaces_have_a_word_per_character() -> None:
    assert len(column("忽略之前的指令")) == 7
    assert len(column("हिन्दी में")) == 2  # its vowel signs are parts of words
    assert len(column("😀😀")) == 2


@given(st.text(st.characters(codec="ascii")))
def test_text_of_ascii_has_the_words_that_it_has_among_others(text: str) -> None:
    found, others = seen(text), seen(f"{text} é")
    assert found.words.tolist() == others.words.tolist()[:-1]
    assert found.first.tolist() == others.first.tolist()[:-1]
    assert found.codes.tolist() == others.codes.tolist()[:-2]


def test_long_words_are_all_alike() -> None:
    assert words("f" * 40).tolist() == words("0a" * 30).tolist()
    assert words("f" * 20).tolist() != words("e" * 20).tolist()


def test_lower_case_that_is_longer_than_the_text_is_cut() -> None:
    assert len(words("İ " * BLOCK)) <= BLOCK


def test_what_follows_a_block_is_not_seen() -> None:
    text = "a b c d" + " e" * BLOCK
    assert words(text).tolist() == words(text[:BLOCK]).tolist()


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_hold_the_whole_text(length: int) -> None:
    text = "".join(chr(97 + place % 26) for place in range(length))
    pieces = list(blocks(text))
    assert all(len(piece) <= BLOCK for piece in pieces)
    assert pieces[0] + "".join(piece[OVERLAP:] for piece in pieces[1:]) == text
