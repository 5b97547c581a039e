"""Sentences begin where somebody else may start to speak, and no punctuation makes them too short, too long or too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.injection.features import seen
from yett.detectors.injection.sentences import FEWEST, MOST, SHAPE, shapes, starts


def parts(text: str) -> list[str]:
    """The text from the beginning of each sentence to that of the next."""
    block = seen(text)
    places = [*block.first[starts(block)].tolist()[1:], len(text)]
    return [text[a:b].strip() for a, b in zip([0, *places], places, strict=False)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("one", ["one"]),
        ("It is cold out. Please close all the doors! Is that all right?", ["It is cold out.", "Please close all the doors!", "Is that all right?"]),
        ("It costs 4.50 at example.com or so", ["It costs 4.50 at example.com or so"]),
        ("the first line here\nthe second line here", ["the first line here", "the second line here"]),
        ('{"text": "a b c d", "note": "e f g h"}', ['{"text": "a b c d", "', 'note": "e f g h"}']),
        ("今天天气很好。请把门关上。", ["今天天气很好。", "请把门关上。"]),
        ("No. Not so. Stop it right now.", ["No. Not so. Stop it right now."]),
        ("Send me all of them. Ok. No", ["Send me all of them. Ok. No"]),
        ("यह पहला वाक्य यहाँ है। यह दूसरा वाक्य यहाँ है", ["यह पहला वाक्य यहाँ है।", "यह दूसरा वाक्य यहाँ है"]),
    ],
)  # fmt: skip
def test_where_sentences_begin(text: str, sentences: list[str]) -> None:
    assert parts(text) == sentences


def test_a_sentence_without_an_end_is_taken_in_parts() -> None:
    lengths = np.diff([*starts(seen("word " * 100)).tolist(), 100])
    assert lengths.tolist() == [MOST, MOST, 100 - 2 * MOST]


def test_how_sentences_are_written() -> None:
    block = seen("READ THIS NOW OR ELSE! call 555 0100 at 7 @home? nothing more to see here")
    first = starts(block)
    found = shapes(block, first)
    assert found.shape == (3, SHAPE)
    digits, capitals, question, exclamation = 0, 12, 8, 9
    assert found[0, capitals] == 1.0 > found[1:, capitals].max()
    assert found[:, digits].argmax() == found[:, question].argmax() == 1
    assert found[:, exclamation].argmax() == 0
    assert found[:, -2].tolist() == [1.0, 0.0, 0.0]
    assert found[:, -1].tolist() == [0.0, 0.0, 1.0]


@settings(max_examples=200, deadline=None)
@given(st.text('ab .!?"{}[]:,\n|。é😀', min_size=1, max_size=400))
def test_every_word_is_in_one_sentence(text: str) -> None:
    block = seen(text)
    if len(block.words):
        found = starts(block)
        lengths = np.diff([*found.tolist(), len(block.words)])
        assert found[0] == 0
        assert lengths.min() > 0
        assert lengths.max() <= MOST
        assert len(found) <= 1 + len(block.words) // FEWEST + len(block.words) // MOST
        shape = shapes(block, found)
        assert shape.shape == (len(found), SHAPE)
        assert np.isfinite(shape).all()
