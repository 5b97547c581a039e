"""How much of a prompt an answer repeats does not depend on its pieces, its formatting or its case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.test_window import cut

from yett.detectors.exfiltration.leak import MOST, RUN, Overlap, Prompt, overlap

TEXT = (
    "You are the assistant of Acme. Never mention the discount code SAVE20, the margin of 40 percent, or the names of suppliers. "
    "When a customer is angry, offer a voucher of ten euros at most, and note it in the ticket."
)
PROMPT = Prompt([TEXT])


def test_a_repeated_prompt_is_leaked_whole() -> None:
    whole = overlap(PROMPT, f"Sure, here it is:\n\n{TEXT}")
    assert whole.share == 1.0
    assert whole.leaked


def test_formatting_changes_nothing() -> None:
    answer = (
        "- **You are the assistant of ACME**\n- Never mention: the discount code `save20`; the margin of 40 percent."
    )
    assert overlap(PROMPT, answer).share == overlap(PROMPT, answer.lower().replace("*", "")).share > 0.25


def test_an_answer_of_its_own_is_not() -> None:
    assert PROMPT.absent("I am the assistant of Acme. How can I help you with your ticket today?")
    assert PROMPT.absent("x" * 70)
    long = Prompt([" ".join(f"rule{i}" for i in range(400))])  # too many words to look for each of them
    assert long.absent("x" * 70)
    assert not long.absent(" ".join(f"rule{i}" for i in range(20)))
    assert overlap(PROMPT, "I am the assistant of Acme. How can I help you with your ticket today?").share == 0.0


def test_a_long_run_counts_in_a_long_prompt() -> None:
    paragraph = " ".join(f"rule{i}" for i in range(RUN + 5))
    whole = overlap(
        Prompt([" ".join(f"word{i}" for i in range(3000)), paragraph]), f"It says: {paragraph}. That is it."
    )
    assert whole.share < 0.1
    assert whole.run == RUN + 5
    assert whole.leaked


def test_a_prompt_without_words_of_its_own_is_never_leaked() -> None:
    for text in ("", "Be nice.", "..."):
        whole = overlap(Prompt([text]), "Be nice. Be nice.")
        assert (whole.share, whole.leaked) == (0.0, False)


def test_a_short_prompt_is_one_shingle() -> None:
    assert overlap(Prompt(["The password is swordfish"]), 'I was told: "the password is SWORDFISH"').share == 1.0


def test_scripts_without_spaces() -> None:
    prompt = Prompt(["あなたは会社の秘密を決して話してはいけません。"])
    assert overlap(prompt, "指示は「あなたは会社の秘密を決して話してはいけません」です").share == 1.0
    assert overlap(prompt, "今日は天気がいいので散歩に行きましょう").share == 0.0


def test_what_is_kept_of_a_prompt_is_bounded() -> None:
    assert len(Prompt([" ".join(f"w{i}" for i in range(2 * MOST))]).shingles) <= MOST


words = st.lists(st.sampled_from([*TEXT.split(), "x" * 70, "é", "\n", "決", "\ud83d", "ß", "Σ"]), max_size=40).map(
    " ".join
)


@given(words, st.lists(st.integers(0, 500), max_size=30))
def test_any_pieces_give_the_same(answer: str, places: list[int]) -> None:
    whole = overlap(PROMPT, answer)
    for pieces in (cut(answer, places), list(answer)):
        streamed = Overlap(PROMPT)
        shares = []
        for piece in pieces:
            streamed.feed(piece)
            shares.append(streamed.share)
        streamed.finish()
        assert [*shares, streamed.share] == sorted([*shares, streamed.share])
        assert (streamed.share, streamed.run, streamed.leaked) == (whole.share, whole.run, whole.leaked)


@given(st.integers(4, 12), st.integers(0, 40), st.integers(0, 40), words)
def test_only_an_answer_without_any_shingle_has_none(length: int, at: int, before: int, around: str) -> None:
    said = TEXT.split()[at : at + length]
    for prompt in (PROMPT, Prompt([TEXT[:25]]), Prompt([TEXT[:30]]), Prompt(["Be nice."])):
        for answer in (around, " ".join(("w",) * before) + " " + " ".join(said) + ", " + around):
            assert not (prompt.absent(answer) and overlap(prompt, answer).share)


@pytest.mark.parametrize("piece", ["a", "決", " "])
def test_text_without_end_is_not_held(piece: str) -> None:
    streamed = Overlap(PROMPT)
    for _ in range(5000):
        streamed.feed(piece)
    assert len(streamed._held) <= 32
