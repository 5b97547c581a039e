"""Google Model Armor on paper."""

from __future__ import annotations

from typing import Any

import pytest
from tests.guardrails.conftest import Make, Talk, said, sent

from yett.guardrails.kind import UnreadableError
from yett.model.guardrail import Guardrail

TEMPLATE = "projects/p/locations/europe-west4/templates/t"


@pytest.fixture
def armor(make: Make) -> Guardrail:
    return make("model_armor", resource=TEMPLATE, kinds={"badge": "pii.badge"})


def answer(results: dict[str, Any], state: str = "MATCH_FOUND", invocation: str = "SUCCESS") -> dict[str, Any]:
    return {
        "sanitizationResult": {
            "filterMatchState": state,
            "invocationResult": invocation,
            "filterResults": results,
            "sanitizationMetadata": {},
        }
    }


def test_prompts_and_answers_have_methods_of_their_own(armor: Guardrail) -> None:
    prompt, _ = Talk(armor).ask("hello", "there")
    (reply,) = Talk(armor).ask("hello", side="reply")
    assert prompt.path == f"/v1/{TEMPLATE}:sanitizeUserPrompt"
    assert sent(prompt) == {"userPromptData": {"text": "hello"}}
    assert reply.path == f"/v1/{TEMPLATE}:sanitizeModelResponse"
    assert sent(reply) == {"modelResponseData": {"text": "hello"}}


def test_graded_filters(armor: Guardrail) -> None:
    found = {"executionState": "EXECUTION_SUCCESS", "matchState": "MATCH_FOUND"}
    none = {"executionState": "EXECUTION_SUCCESS", "matchState": "NO_MATCH_FOUND"}
    verdict = Talk(armor).read(
        answer(
            {
                "rai": {
                    "raiFilterResult": {
                        **found,
                        "raiFilterTypeResults": {
                            "hate_speech": {**found, "confidenceLevel": "MEDIUM_AND_ABOVE"},
                            "sexually_explicit": none,
                            "dangerous": {**found, "confidenceLevel": "HIGH"},
                        },
                    }
                },
                "pi_and_jailbreak": {"piAndJailbreakFilterResult": {**found, "confidenceLevel": "LOW_AND_ABOVE"}},
                "csam": {"csamFilterFilterResult": found},
            }
        )
    )
    assert verdict.complete
    assert said(verdict) == [
        ("moderation.hate", 0.7, True),
        ("moderation.sexual", 0.0, False),
        ("moderation.dangerous", 0.95, True),
        ("injection.remote", 0.4, True),
        ("moderation.sexual-minors", 1.0, True),
    ]


def test_links_and_personal_data_are_found_where_they_stand(armor: Guardrail) -> None:
    text = "é http://bad.example/x jo@example.org"
    start = text.index("jo@")
    verdict = Talk(armor).read(
        answer(
            {
                "malicious_uris": {
                    "maliciousUriFilterResult": {
                        "matchState": "MATCH_FOUND",
                        "maliciousUriMatchedItems": [
                            {"uri": "http://bad.example/x", "locations": [{"start": "2", "end": "22"}]},
                            {"uri": "http://not.there/"},
                        ],
                    }
                },
                "sdp": {
                    "sdpFilterResult": {
                        "inspectResult": {
                            "matchState": "MATCH_FOUND",
                            "findings": [
                                {
                                    "infoType": "EMAIL_ADDRESS",
                                    "likelihood": "LIKELY",
                                    "location": {"codepointRange": {"start": str(start), "end": str(len(text))}},
                                },
                                {"infoType": "BADGE", "location": {"codepointRange": {"start": "5", "end": "999"}}},
                                {"infoType": "AGE"},
                            ],
                        }
                    }
                },
            }
        ),
        text,
    )
    assert [(s.kind, s.label, text[s.start : s.end]) for s in verdict.signals] == [
        ("exfiltration.remote-link", "malicious-uri", "http://bad.example/x"),
        ("exfiltration.remote-link", "malicious-uri", ""),
        ("pii.remote", "email-address", "jo@example.org"),
        ("pii.badge", "badge", ""),
        ("pii.remote", "age", ""),
    ]


def test_matches_without_particulars_are_findings(armor: Guardrail) -> None:
    found = {"matchState": "MATCH_FOUND"}
    verdict = Talk(armor).read(
        answer(
            {
                "malicious_uris": {"maliciousUriFilterResult": found},
                "sdp": {"sdpFilterResult": {"inspectResult": found, "deidentifyResult": found}},
            }
        )
    )
    assert said(verdict) == [("exfiltration.remote-link", 1.0, True), *[("pii.remote", 1.0, True)] * 2]
    named = {"sdp": {"sdpFilterResult": {"deidentifyResult": {**found, "infoTypes": ["BADGE"]}}}}
    assert said(Talk(armor).read(answer(named))) == [("pii.badge", 1.0, True)]
    assert said(Talk(armor).read(answer({}))) == [("moderation.other", 1.0, True)]


def test_filters_that_found_nothing_say_nothing(armor: Guardrail) -> None:
    none = {"matchState": "NO_MATCH_FOUND"}
    results = {
        "malicious_uris": {"maliciousUriFilterResult": none},
        "sdp": {"sdpFilterResult": {"inspectResult": none, "deidentifyResult": none}},
        "of_tomorrow": {},
    }
    verdict = Talk(armor).read(answer(results, "NO_MATCH_FOUND"))
    assert (verdict.signals, verdict.complete) == ((), True)


@pytest.mark.parametrize("invocation", ["PARTIAL", "FAILURE", ""])
def test_skipped_filters_make_it_incomplete(armor: Guardrail, invocation: str) -> None:
    assert not Talk(armor).read(answer({}, "NO_MATCH_FOUND", invocation)).complete


@pytest.mark.parametrize("body", [b"{}", b'{"error":{"code":403}}', b'{"sanitizationResult":{}}'])
def test_an_error_is_no_answer(armor: Guardrail, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        Talk(armor).read(body)
