"""OpenAI's moderation endpoint on paper."""

from __future__ import annotations

import pytest
from tests.guardrails.conftest import Make, Talk, said, sent

from yett.guardrails.kind import UnreadableError

HATE = {
    "flagged": True,
    "categories": {"hate": True, "hate/threatening": False, "illicit": None},
    "category_scores": {"hate": 0.91, "hate/threatening": 0.2, "illicit": None},
}
FINE = {"flagged": False, "categories": {"hate": False}, "category_scores": {"hate": 0.001}}


def test_many_texts_go_in_one_request(make: Make) -> None:
    (asked,) = Talk(make("openai_moderation")).ask("one", "two")
    assert (asked.path, asked.bearer) == ("/moderations", True)
    assert sent(asked) == {"model": "omni-moderation-latest", "input": ["one", "two"]}
    assert len(asked.pieces) == 2


def test_the_model_is_configured(make: Make) -> None:
    (asked,) = Talk(make("openai_moderation", model="text-moderation-stable")).ask("one")
    assert sent(asked)["model"] == "text-moderation-stable"


def test_results_belong_to_texts_in_their_order(make: Make) -> None:
    verdict = Talk(make("openai_moderation")).read({"results": [FINE, HATE]}, "one", "two")
    assert verdict.complete
    assert [(s.kind, s.piece, s.score, s.flagged) for s in verdict.signals] == [
        ("moderation.hate", 0, 0.001, False),
        ("moderation.hate", 1, 0.91, True),
        ("moderation.hate-threatening", 1, 0.2, False),
    ]


def test_thresholds_of_ones_own(make: Make) -> None:
    strict = Talk(make("openai_moderation", threshold=0.99, thresholds={"moderation.hate-threatening": 0.1}))
    assert said(strict.read({"results": [HATE]}))[:2] == [
        ("moderation.hate", 0.91, False),
        ("moderation.hate-threatening", 0.2, True),
    ]


def test_a_category_of_tomorrow_is_still_a_finding(make: Make) -> None:
    result = {"flagged": True, "categories": {"Time travel!": True}, "category_scores": {"Time travel!": 2}}
    talk = Talk(make("openai_moderation"))
    assert said(talk.read({"results": [result]})) == [("moderation.other", 1.0, True)]
    mapped = Talk(make("openai_moderation", kinds={"time-travel": "topic.physics"}))
    assert said(mapped.read({"results": [result]})) == [("topic.physics", 1.0, True)]


def test_flagged_without_a_category_is_a_finding(make: Make) -> None:
    verdict = Talk(make("openai_moderation")).read({"results": [{**FINE, "flagged": True}]})
    assert said(verdict)[-1] == ("moderation.other", 1.0, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"results":[]}',
        b'{"results":[{"flagged":1}]}',
        b"\xff",
        b"[" * 5000,
        b'{"results":',
    ],
)
def test_what_is_no_answer_is_told_apart_from_a_good_one(make: Make, answer: bytes) -> None:
    with pytest.raises(UnreadableError):
        Talk(make("openai_moderation")).read(answer)
