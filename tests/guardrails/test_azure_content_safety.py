"""Azure AI Content Safety on paper."""

from __future__ import annotations

import pytest
from tests.guardrails.conftest import Make, Talk, fields, said, sent

from yett.guardrails.kind import UnreadableError

MODERATION = {"checks": frozenset(("moderation",))}
INJECTION = {"checks": frozenset(("injection",))}


def test_a_prompt_is_asked_about_twice(make: Make) -> None:
    analyze, shield = Talk(make("azure_content_safety")).ask("hello")
    assert analyze.path == "/contentsafety/text:analyze?api-version=2024-09-01"
    assert sent(analyze) == {"text": "hello", "outputType": "FourSeverityLevels"}
    assert shield.path == "/contentsafety/text:shieldPrompt?api-version=2024-09-01"
    assert sent(shield) == {"userPrompt": "hello", "documents": []}
    assert fields(shield)["ocp-apim-subscription-key"] == "key-1"
    assert not shield.bearer


def test_what_a_user_did_not_write_is_a_document(make: Make) -> None:
    (shield,) = Talk(make("azure_content_safety", **INJECTION)).ask("hello", role="tool")
    assert sent(shield) == {"userPrompt": "", "documents": ["hello"]}


def test_a_reply_is_not_shielded(make: Make) -> None:
    talk = Talk(make("azure_content_safety", version="2025-01-01"))
    (asked,) = talk.ask("hello", side="reply", role="assistant")
    assert asked.path == "/contentsafety/text:analyze?api-version=2025-01-01"
    assert Talk(make("azure_content_safety", **INJECTION)).ask("hello", side="reply") == []


def test_severities_become_scores(make: Make) -> None:
    answer = {
        "blocklistsMatch": [{"blocklistName": "Our words", "blocklistItemId": "1", "blocklistItemText": "x"}],
        "categoriesAnalysis": [
            {"category": "Hate", "severity": 4},
            {"category": "SelfHarm", "severity": 2},
            {"category": "Violence", "severity": 6},
            {"category": "Sexual"},
        ],
    }
    assert said(Talk(make("azure_content_safety", **MODERATION)).read(answer)) == [
        ("moderation.hate", 4 / 6, True),
        ("moderation.self-harm", 2 / 6, False),
        ("moderation.violence", 1.0, True),
        ("moderation.sexual", 0.0, False),
        ("moderation.blocklist", 1.0, True),
    ]
    lax = Talk(make("azure_content_safety", threshold=0.9, kinds={"our-words": "topic.ours"}, **MODERATION))
    assert [kind for kind, _, flagged in said(lax.read(answer)) if flagged] == ["moderation.violence", "topic.ours"]


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ({"userPromptAnalysis": {"attackDetected": True}, "documentsAnalysis": []}, 1.0),
        ({"userPromptAnalysis": {"attackDetected": False}, "documentsAnalysis": [{"attackDetected": True}]}, 1.0),
        ({"documentsAnalysis": [{"attackDetected": False}]}, 0.0),
    ],
)
def test_attacks(make: Make, answer: object, score: float) -> None:
    verdict = Talk(make("azure_content_safety", **INJECTION)).read(answer)
    assert said(verdict) == [("injection.remote", score, score > 0)]


@pytest.mark.parametrize("answer", [{}, {"documentsAnalysis": []}, {"userPromptAnalysis": {}}, []])
def test_a_shield_that_says_nothing_has_not_answered(make: Make, answer: object) -> None:
    with pytest.raises(UnreadableError):
        Talk(make("azure_content_safety", **INJECTION)).read(answer)


def test_an_analysis_that_says_nothing_has_not_answered(make: Make) -> None:
    with pytest.raises(UnreadableError):
        Talk(make("azure_content_safety", **MODERATION)).read({})
