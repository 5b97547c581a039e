"""A text comes back as it was, however it arrives, and nothing but tokens is waited for."""

from __future__ import annotations

import json
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.redaction.conftest import (
    CARD,
    MAIL,
    NAME,
    OTHER_MAIL,
    SURROGATES,
    TOKENS,
    exchanged,
    noise,
    restored,
    restorer,
    tokeniser,
    values,
)

from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.redaction.restore import Allowance, Restorer
from yett.redaction.ways import Ways

BOTH = pytest.mark.parametrize("ways", [TOKENS, SURROGATES])


@BOTH
def test_split_anywhere(ways: Ways) -> None:
    text = f"x{MAIL}'s, {CARD} and {NAME}; EMAIL_ {OTHER_MAIL}"
    shown, made = exchanged(text, ways)
    for first, second in combinations(range(len(shown) + 1), 2):
        assert restored([shown[:first], shown[first:second], shown[second:]], restorer(made)) == text
    assert restored(shown, restorer(made)) == text


@BOTH
@settings(max_examples=400, deadline=None)
@given(parts=st.lists(noise | values, max_size=7), sizes=st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_any_text_in_any_pieces(ways: Ways, parts: list[str], sizes: list[int]) -> None:
    text = "".join(parts)
    shown, made = exchanged(text, ways)
    pieces, at = [], 0
    while at < len(shown):
        pieces.append(shown[at : at + sizes[len(pieces) % len(sizes)]])
        at += len(pieces[-1])
    assert restored(pieces, restorer(made)) == restored([shown], restorer(made)) == restorer(made).whole(shown) == text


@BOTH
@settings(max_examples=200, deadline=None)
@given(
    said=st.lists(noise | values, max_size=5).map("".join),
    answer=st.lists(noise | st.integers(0, 9), max_size=9),
    size=st.integers(1, 9),
)
def test_an_answer_of_any_words_does_not_depend_on_its_pieces(
    ways: Ways, said: str, answer: list[str | int], size: int
) -> None:
    """What the model writes holds tokens in any surroundings, halves of them and what is nearly one."""
    _, made = exchanged(f"{said} {MAIL}", ways)
    issued = [entry.shown for entry in made.known]
    shown = "".join(
        part if isinstance(part, str) else issued[part % len(issued)][: None if part < 7 else part] for part in answer
    )
    for mode in (False, True):
        whole = restorer(made, json=mode).whole(shown)
        assert (
            restored([shown[at : at + size] for at in range(0, len(shown), size)], restorer(made, json=mode)) == whole
        )
        assert restored(shown, restorer(made, json=mode)) == whole


def test_lengths_add_up_and_only_values_are_marked() -> None:
    shown, made = exchanged(f"a {MAIL} b {CARD}")
    reader = restorer(made)
    pieces = [piece for character in shown for piece in reader.feed(character)] + reader.finish()
    assert sum(piece.length for piece in pieces) == len(shown)
    assert [piece.text for piece in pieces if piece.restored] == [MAIL, CARD]


def test_what_the_model_changes_is_understood() -> None:
    shown, made = exchanged(MAIL)
    for written in (
        shown.lower(),
        shown.replace("_", r"\_"),
        f"**{shown}**",
        f"{shown}s",
        f"{shown}'s",
        f"mailto:{shown}?x",
    ):
        assert MAIL in restorer(made).whole(written)


def test_no_more_than_one_token_is_held() -> None:
    shown, made = exchanged(MAIL)
    reader = restorer(made)
    text = "The E and the EM, an EMAIL and EMAIL_ and " + shown[:-1]
    out = "".join(piece.text for character in text for piece in reader.feed(character))
    assert len(text) - len(out) <= len(shown) + 2
    assert out + "".join(piece.text for piece in reader.finish()) == text


def test_words_are_not_held() -> None:
    _, made = exchanged(MAIL)
    assert [piece.text for piece in restorer(made).feed("Some words. ")] == ["Some words. "]
    assert restorer(made).feed("") == restorer(made).finish() == []


def test_a_reply_made_of_tokens_does_not_grow_without_end() -> None:
    value = "v" * 500
    made = tokeniser()
    shown = made.texts([Segment(value, "user", 0)], [Finding("pii.name", 0, 0, 500, "test")])[0]
    allowance = Allowance(1700)
    out = Restorer(made.known, allowance).whole(f"{shown} " * 1000)
    assert out.count(value) == 3
    assert out.count(shown) == 997
    assert allowance.restored == {"pii.name": 3}


def test_literals_do_not_count_as_values() -> None:
    token = exchanged(MAIL)[0]
    shown, made = exchanged(f"{token} {MAIL}")
    allowance = Allowance(1000)
    assert Restorer(made.known, allowance).whole(shown) == f"{token} {MAIL}"
    assert allowance.restored == {"pii.email": 1}


# ---- JSON -----------------------------------------------------------------------------------------------------------------------

HARD = ['"', "\\", "\n", "\t", "\x00", "🙂", "é", "\u2028", "\ud83d", "</", "'", "\\u00e9", '\\"']


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*HARD, "word", " "]), min_size=1, max_size=8).map("".join),
    st.integers(1, 5),
    st.booleans(),
)
def test_json_stays_json_whatever_the_value_is(value: str, size: int, ascii_only: bool) -> None:
    made = tokeniser()
    shown = made.texts([Segment(value, "user", 0)], [Finding("pii.name", 0, 0, len(value), "test")])[0]
    document = {"to": shown, shown: [f'say "{shown}" \\', shown.lower()], "n": 1}
    text = json.dumps(document, ensure_ascii=ascii_only)
    out = restored([text[at : at + size] for at in range(0, len(text), size)], restorer(made, json=True))
    assert json.loads(out) == {"to": value, value: [f'say "{value}" \\', value], "n": 1}


@pytest.mark.parametrize("value", [NAME, 'a "quoted" \\ one', "half \ud83d a pair"])
def test_arguments_are_json_in_a_json_string(value: str) -> None:
    """Two levels of escapes: the arguments' own, and those of the reply that they are a string in."""
    made = tokeniser()
    shown = made.texts([Segment(value, "user", 0)], [Finding("pii.name", 0, 0, len(value), "test")])[0]
    arguments = json.dumps({"name": shown})
    for first, second in combinations(range(len(arguments) + 1), 2):
        out = restored([arguments[:first], arguments[first:second], arguments[second:]], restorer(made, json=True))
        reply = json.loads(json.dumps({"arguments": out}))
        assert json.loads(reply["arguments"]) == {"name": value}


def test_outside_of_a_string_a_token_stays() -> None:
    shown, made = exchanged(NAME)
    assert restorer(made, json=True).whole(f'{{"a":{shown},"b":"{shown}","c":{shown}}}').count(shown) == 2


@pytest.mark.parametrize(("value", "escape"), [(NAME, "\\n"), (MAIL, "\\u00ee"), (MAIL, "\\ud83d\\ude0e")])
def test_the_end_of_an_escape_is_no_part_of_a_token(value: str, escape: str) -> None:
    """A token whose first letter the model has left out, behind an escape that ends in it."""
    shown, made = exchanged(value)
    text = f'{{"a":"{escape}{shown[1:]} {shown}"}}'
    for size in (1, 2, 3, 5, 100):
        out = restored([text[at : at + size] for at in range(0, len(text), size)], restorer(made, json=True))
        assert json.loads(out) == {"a": f"{json.loads(text)['a'].partition(' ')[0]} {value}"}


def test_an_underscore_that_markdown_has_escaped_in_json() -> None:
    shown, made = exchanged(MAIL)
    text = json.dumps({"text": f"\\n {shown.replace('_', chr(92) + '_')}"})
    assert json.loads(restored(text, restorer(made, json=True))) == {"text": f"\\n {MAIL}"}


# ---- cost ------------------------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "EMAIL_" * 3000,
        "_" * 20_000,
        "EMAIL" + "\\" * 20_000,
        "E" * 20_000,
        "u" * 20_000,
        "EMAIL_7Q2MKDB2" * 2000,
        "@redacted.example u" * 1000,
    ],
)
def test_hostile_words_are_passed_on(ways: Ways, text: str) -> None:
    _, made = exchanged(f"{MAIL} {OTHER_MAIL} {CARD}", ways)
    assert restored(text, restorer(made)) == text
