"""Topics are found by their words, and by sentences like the examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yett.detectors.topics import MATCHES, OTHER, SENTENCES, Topic, Topics, trouble
from yett.model.segment import Segment

TOPICS = Topics(
    [
        Topic("weapons", patterns=(r"\bAK-?47\b",), keywords=("hand grenade", "Gewehr", "爆弾", "c++")),
        Topic("medical", examples=("Which medicine should I take for a headache?", "What dose of ibuprofen is safe?")),
        Topic("legal", examples=("Can I sue my landlord over the deposit?",), likeness=0.6),
    ]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("an AK47 there", "AK47"),
        ("the Hand\n Grenade.", " Hand\n Grenade."),
        ("das GEWEHR", " GEWEHR"),
        ("é c++ é", " c++ "),
        ("これは 爆弾 です", " 爆弾 "),
    ],
)
def test_words_are_found(text: str, words: str) -> None:
    (mention,) = TOPICS.mentions(text)
    assert (mention.kind, text[mention.start : mention.end], mention.score) == ("topic.weapons", words, 1.0)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a hand gren\u200bade", " hand gren\u200bade"),
        ("hand gr\u0435nade", "hand gr\u0435nade"),
        ("\uff21\uff2b47", "\uff21\uff2b47"),
    ],
    ids=["zero-width", "lookalike", "fullwidth"],
)
def test_words_are_found_without_their_disguise(text: str, word: str) -> None:
    (mention,) = TOPICS.mentions(text)
    assert (mention.kind, text[mention.start : mention.end]) == ("topic.weapons", word)


def test_what_is_found_with_and_without_disguises_is_found_once() -> None:
    assert [mention.kind for mention in TOPICS.mentions("an AK47\u200b there, and \u0410K47")] == ["topic.weapons"] * 2


@pytest.mark.parametrize("text", ["", "Gewehre", "hand and grenade", "the weather is fine today", "AK471"])
def test_other_words_are_not(text: str) -> None:
    assert TOPICS.mentions(text) == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hello. Which medicines should one take against headaches? Thanks", "topic.medical"),
        ("is a dose of 400mg ibuprofen safe", "topic.medical"),
        ("Could I sue the landlord about my deposit?", "topic.legal"),
    ],
)
def test_sentences_like_an_example_are_found(text: str, kind: str) -> None:
    (mention,) = TOPICS.mentions(text)
    assert mention.kind == kind
    assert 0.4 <= mention.score <= 1.0


def test_what_users_say_about_nothing_that_is_allowed_is_a_finding() -> None:
    topics = Topics(
        [
            Topic("billing", keywords=("invoice",), examples=("Why was I charged twice?",), allowed=True),
            Topic("legal", keywords=("sue",)),
        ]
    )

    def kinds(text: str, role: str = "user") -> list[str]:
        return [finding.kind for finding in topics.findings(Segment(text, role, 0), 3)]

    assert kinds("Where is the invoice for my summer plan?") == ["topic.billing"]
    assert kinds("Write me a poem about the stormy sea.") == [OTHER]
    assert kinds("I want to sue somebody over the stormy sea.") == ["topic.legal", OTHER]
    assert kinds("写一首关于暴风雨中的大海和灯塔的长诗并且要押韵好吗") == [OTHER]
    for text in ("Thanks, please go on!", "ok", "c29tZXRoaW5nIGluIGJhc2U2NCB0aGF0IGlzIGxvbmc"):
        assert kinds(text) == []
    assert kinds("Write me a poem about the stormy sea.", "tool") == []
    (finding,) = topics.findings(Segment("Write me a poem about the stormy sea.", "user", 0), 3)
    assert (finding.segment, finding.start, finding.end) == (3, 0, 37)


def test_sentences_about_something_else_are_not() -> None:
    for text in (
        "What is the capital of France?",
        "Write a poem about the sea, please.",
        "Can I take the bus to my hotel?",
    ):
        assert TOPICS.mentions(text) == ()
        assert max(TOPICS.scores(text).values()) < 0.5


def test_scores_are_of_topics_with_examples() -> None:
    scores = TOPICS.scores("What dose of ibuprofen is safe?")
    assert scores.keys() == {"medical", "legal"}
    assert scores["medical"] == pytest.approx(1.0)
    assert TOPICS.scores("") == {"medical": 0.0, "legal": 0.0}
    assert Topics([Topic("a", keywords=("b",))]).scores("b") == {}


def test_a_pattern_may_match_nothing() -> None:
    assert Topics([Topic("a", patterns=("x*",))]).mentions("yyxx") == ()[:0] + Topics(
        [Topic("a", patterns=("x+",))]
    ).mentions("yyxx")


def test_a_pattern_that_is_none_is_told() -> None:
    assert trouble(r"\bgüns?\b") == ""
    assert trouble("(").startswith("is not a pattern of RE2: missing")


def test_mentions_are_findings_of_their_segment() -> None:
    (finding,) = TOPICS.findings(Segment("an AK47", "user", 0), 3)
    assert (finding.kind, finding.segment, finding.start, finding.end) == ("topic.weapons", 3, 3, 7)


def test_what_is_found_of_one_topic_is_bounded() -> None:
    assert len(TOPICS.mentions("AK47 " * 1000)) == MATCHES
    many = "What dose of ibuprofen is safe? " * (SENTENCES + 50)
    assert len(TOPICS.mentions(many)) == SENTENCES


@given(st.text(max_size=200))
def test_mentions_lie_in_the_text(text: str) -> None:
    for mention in TOPICS.mentions(text):
        assert 0 <= mention.start < mention.end <= len(text)
        assert 0.0 < mention.score <= 1.0
