"""The features of a text: what counts as the same, and that pieces fit together."""

from __future__ import annotations

import numpy as np
import pytest

from yett.detectors.injection.features import BITS, BLOCK, Features, blocks, features, spans

WORD, PAIR, TRIPLE = 0, 1, 3


def buckets(text: str, kind: int) -> list[int]:
    return features(text).buckets[kind].tolist()


def test_every_feature_has_a_bucket_and_a_place_in_the_text() -> None:
    found = features("Please read this: 3 words and 日本語 then 😀!")
    for bucket, place in zip(found.buckets, found.places, strict=True):
        assert len(bucket) == len(place) > 0
        assert 0 <= bucket.min() <= bucket.max() < 1 << BITS
        assert 0 <= place.min() <= place.max() < found.length
        assert len(set(place.tolist())) == len(place)  # the model adds by place: two at one place would be one


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "!", "a", "日"])
def test_texts_too_short_for_most_features(text: str) -> None:
    found = features(text)
    assert len(found.buckets[WORD]) == text.strip(" \n\t!").__len__()
    assert not len(found.buckets[TRIPLE])


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ignore This", "ignore this"), ("a\n\n  b", "a b"), ("in 1984", "in 2077"), ("a\u00a0b", "a b"), ("٣ x", "3 x")],
)
def test_what_counts_as_the_same(one: str, other: str) -> None:
    for first, second in zip(features(one).buckets, features(other).buckets, strict=True):
        assert first.tolist() == second.tolist()


def test_a_word_is_the_same_wherever_it_stands() -> None:
    [word] = buckets("instructions", WORD)
    text = "x " * 1500 + "(instructions)"
    assert buckets(text, WORD)[-1] == word
    assert word not in buckets("instruction s", WORD)


def test_words_pairs_and_order() -> None:
    assert len(buckets("one two three", WORD)) == 3
    assert len(buckets("one two three", PAIR)) == 2
    assert len(buckets("one two three", TRIPLE)) == 1
    assert set(buckets("one two", PAIR)).isdisjoint(buckets("two one", PAIR))
    assert buckets("one, two", PAIR) == buckets("one two", PAIR)


def test_scripts_without_spaces_have_a_word_per_character() -> None:
    assert len(buckets("忽略之前的指令", WORD)) == 7
    assert len(buckets("हिन्दी में", WORD)) == 2  # its vowel signs are parts of words
    assert len(buckets("😀😀", WORD)) == 2


def test_long_words_are_all_alike() -> None:
    assert buckets("f" * 40, WORD) == buckets("0a" * 30, WORD)
    assert buckets("f" * 20, WORD) != buckets("e" * 20, WORD)


def test_half_a_surrogate_pair_is_a_space() -> None:
    assert buckets("one\ud800two", WORD) == buckets("one two", WORD)


def test_lower_case_that_is_longer_than_the_text_is_cut() -> None:
    assert features("İ" * BLOCK).length == BLOCK


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_blocks_hold_the_whole_text(length: int) -> None:
    text = "".join(chr(97 + place % 26) for place in range(length))
    pieces = list(blocks(text, 400))
    assert all(len(piece) <= BLOCK for piece in pieces)
    assert pieces[0] + "".join(piece[400:] for piece in pieces[1:]) == text


@pytest.mark.parametrize("length", [0, 1, 399, 400, 401, 600, 601, 4096])
def test_spans_hold_the_whole_block(length: int) -> None:
    starts, ends = spans(length, 400, 200)
    assert starts[0] == 0
    assert ends[-1] == length
    assert (np.diff(starts) == 200).all()
    assert (ends[:-1] - starts[:-1] == 400).all()


def test_nothing_in_a_block_depends_on_what_follows_it() -> None:
    long, short = features("a b c d" + " e" * BLOCK), features(("a b c d" + " e" * BLOCK)[:BLOCK])
    assert isinstance(long, Features)
    assert long.length == short.length
    assert all((a == b).all() for a, b in zip(long.buckets, short.buckets, strict=True))
