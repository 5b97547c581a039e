"""Confidence is what the provider says; groundedness knows a claim in any notation, and does not depend on pieces."""

from __future__ import annotations

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.test_window import cut

from yett.detectors.quality import LINE, Confidence, Groundedness, Sources, groundedness

SOURCES = Sources(
    [
        "Acme Ltd. was founded on 5 March 1998 by Ada Lovelace in London.\nRevenue in 2023: 1,250,000 EUR (up 12.5 %), 1 300 staff.",
        'The report says: "growth will slow down next year". See https://www.acme.example/reports/2023?x=1.',
    ]
)


@pytest.mark.parametrize(
    "claim",
    [
        "Revenue was 1250000.",
        "Revenue was 1.250.000 euros, or 1.25 million.",
        "It rose by 12,5 percent, with 1'300 people.",
        "In 2023 all was well.",
        "There are 1,300 people, or 1.3k.",
        "It was 12.5 1300 2023 in a table.",
        "Founded on 1998-03-05.",
        "Founded on March 5th, 1998.",
        "Founded on 05.03.1998 and 3/5/1998.",
        "It was founded by Ada Lovelace.",
        "There was Lovelace's firm in London.",
        "It says “Growth will slow down next year”.",
        "See www.acme.example/reports/2023?x=1 for more.",
    ],
)
def test_what_stands_in_the_sources_is_grounded(claim: str) -> None:
    assert groundedness(claim, SOURCES) == 1.0


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Revenue was 1,350,000.", "number"),
        ("It grew by 125 percent.", "number"),
        ("There are 1.3 million people.", "number"),
        ("Founded on 6 March 1998.", "date"),
        ("Founded on 1998-05-06.", "date"),
        ("It was founded by Charles Babbage.", "name"),
        ("They moved to Paris.", "name"),
        ('It says "growth will speed up next year".', "quotation"),
        ("See https://acme.example/reports/2024.", "address"),
    ],
)
def test_what_does_not_is_missing(claim: str, kind: str) -> None:
    answer = Groundedness(SOURCES)
    answer.feed(claim)
    assert answer.finish() == 0.0
    assert answer.missing == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It seems to be a good company, and nothing speaks against it.",
        "However, there are 3 ways.\n1. Wait\n12) Sell\n> 13. Ask",
        "I think so. On Monday, in March.",
        'She said "yes" and "certainly not".',
        "On 99.99.1998, maybe",
    ],
)
def test_what_claims_nothing_has_no_score(text: str) -> None:
    assert groundedness(text, Sources([])) is None


@pytest.mark.parametrize(
    "shown", ["[REDACTED:pii.badge]", "EMAIL_CDFGHJ23", "[REDACTED:secret.aws-access-key], MEDICAL_NUMBER_BCDFG346"]
)
def test_what_stands_in_for_a_value_is_no_claim(shown: str) -> None:
    assert groundedness(f"so it is {shown}", Sources([])) is None
    assert groundedness(f"so it is {shown} in Paris", Sources([])) == 0.0
    assert groundedness("so it is ERROR_CODE_OF_PARIS", Sources([])) == 0.0


def test_the_share_counts_all_claims() -> None:
    answer = "Acme was founded by Charles Babbage in London on 5 March 1998 with 999 people."
    assert groundedness(answer, SOURCES) == pytest.approx(0.5)


lines = st.lists(
    st.sampled_from(
        [
            "1,250,000 ",
            "in London",
            "\n",
            "5 March 1998",
            ". ",
            "Charles Babbage ",
            '"growth will slow down"',
            "é",
            "x" * 900,
            "\ud83d",
            " 7.5",
        ]
    ),
    max_size=25,
).map("".join)


@given(lines, st.lists(st.integers(0, 5000), max_size=20))
def test_any_pieces_give_the_same(text: str, places: list[int]) -> None:
    whole = Groundedness(SOURCES)
    whole.feed(text)
    whole.finish()
    pieces = Groundedness(SOURCES)
    for piece in cut(text, places):
        pieces.feed(piece)
        assert len(pieces._held) <= LINE
    assert pieces.finish() == whole.score
    assert (pieces.claims, pieces.missing) == (whole.claims, whole.missing)


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    score = groundedness(text, Sources([text[::2]]))
    assert score is None or 0.0 <= score <= 1.0


def test_a_long_line_is_looked_at_in_parts() -> None:
    assert groundedness("word " * 1000 + "in London", SOURCES) == 1.0
    assert groundedness("x" * (2 * LINE) + " in Paris", Sources(["y" * (LINE + 5) + "\n"])) == 0.0


def test_confidence_is_the_mean_and_the_least() -> None:
    confidence = Confidence()
    confidence.add({"content": [{"token": "a", "logprob": log(0.5)}, {"token": "b", "logprob": 0.0}]})
    confidence.add({"content": [{"logprob": log(0.5)}], "refusal": None})
    assert confidence.tokens == 3
    assert confidence.mean == pytest.approx(0.25 ** (1 / 3))
    assert confidence.least == pytest.approx(0.5)
    confidence.add({"content": [{"logprob": -9999.0}]})
    assert confidence.least == exp(-9999.0) == 0.0


@pytest.mark.parametrize(
    "shape",
    [
        None,
        [],
        {},
        {"content": None},
        {"content": [None, {}, {"logprob": "x"}, {"logprob": True}, {"logprob": float("nan")}]},
    ],
)
def test_confidence_passes_by_what_it_does_not_know(shape: object) -> None:
    confidence = Confidence()
    confidence.add(shape)
    assert confidence.mean is None
    assert confidence.least == 1.0
