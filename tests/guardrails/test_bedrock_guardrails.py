"""Amazon Bedrock Guardrails on paper."""

from __future__ import annotations

from typing import Any

import pytest
from tests.guardrails.conftest import Make, Talk, fields, said, sent

from yett.guardrails.kind import UnreadableError
from yett.model.guardrail import Guardrail
from yett.model.route import Secret

BASE = "https://bedrock-runtime.eu-west-1.amazonaws.com"


@pytest.fixture
def bedrock(make: Make) -> Guardrail:
    return make("bedrock_guardrails", BASE, resource="gr1", version="3", region="eu-west-1")


def answer(assessment: dict[str, Any], action: str = "GUARDRAIL_INTERVENED", **more: Any) -> dict[str, Any]:
    return {"usage": {}, "action": action, "outputs": [], "assessments": [assessment], **more}


def test_each_text_is_a_request(bedrock: Guardrail) -> None:
    one, two = Talk(bedrock).ask("one", "two")
    assert one.path == "/guardrail/gr1/version/3/apply"
    assert sent(one) == {"source": "INPUT", "content": [{"text": {"text": "one"}}], "outputScope": "FULL"}
    assert (one.bearer, two.pieces[0].position) == (True, 1)
    (reply,) = Talk(bedrock).ask("one", side="reply")
    assert sent(reply)["source"] == "OUTPUT"


def test_with_an_access_key_it_is_signed(make: Make) -> None:
    arn = "arn:aws:bedrock:eu-west-1:123456789012:guardrail/gr1"
    signing = make(
        "bedrock_guardrails",
        f"{BASE}/proxied",
        resource=arn,
        region="eu-west-1",
        access_key=Secret("AKIDEXAMPLE"),
        session_token=Secret("session"),
    )
    (asked,) = Talk(signing).ask("one")
    assert (
        asked.path == "/guardrail/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aguardrail%2Fgr1/version/DRAFT/apply"
    )
    sent_fields = fields(asked)
    assert sent_fields["authorization"].startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/eu-west-1/bedrock/aws4_request, "
        "SignedHeaders=accept;content-type;host;user-agent;x-amz-date;x-amz-security-token, Signature="
    )
    assert sent_fields["x-amz-security-token"] == "session"
    assert not asked.bearer
    assert "key-1" not in repr(sent_fields)


def test_everything_that_it_detects(bedrock: Guardrail) -> None:
    verdict = Talk(bedrock).read(
        answer(
            {
                "contentPolicy": {
                    "filters": [
                        {"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": "BLOCKED", "detected": True},
                        {"type": "HATE", "confidence": "LOW", "action": "NONE", "detected": False},
                        {"type": "MISCONDUCT", "confidence": "MEDIUM", "action": "BLOCKED"},
                        {"type": "VIOLENCE", "confidence": "NONE", "action": "NONE"},
                    ]
                },
                "topicPolicy": {
                    "topics": [
                        {"name": "Investment advice", "type": "DENY", "action": "BLOCKED"},
                        {"name": "Politics", "type": "DENY", "action": "NONE", "detected": False},
                    ]
                },
            }
        )
    )
    assert verdict.complete
    assert said(verdict) == [
        ("injection.remote", 0.95, True),
        ("moderation.hate", 0.4, False),
        ("moderation.illicit", 0.7, True),
        ("moderation.violence", 0.0, False),
        ("topic.remote", 1.0, True),
        ("topic.remote", 0.0, False),
    ]
    assert verdict.signals[4].label == "investment-advice"


def test_words_and_personal_data_are_found_where_they_stand(make: Make) -> None:
    bedrock = make("bedrock_guardrails", BASE, resource="gr1", kinds={"badge": "pii.badge"})
    text = "jo@example.org is a fool, fool! Badge 7."
    verdict = Talk(bedrock).read(
        answer(
            {
                "wordPolicy": {
                    "customWords": [{"match": "fool", "action": "BLOCKED"}],
                    "managedWordLists": [{"match": "darn", "type": "PROFANITY", "action": "BLOCKED"}],
                },
                "sensitiveInformationPolicy": {
                    "piiEntities": [
                        {"match": "jo@example.org", "type": "EMAIL", "action": "ANONYMIZED"},
                        {"match": "7", "type": "AGE", "action": "NONE"},
                    ],
                    "regexes": [{"name": "Badge", "match": "Badge 7", "regex": "x", "action": "BLOCKED"}],
                },
            }
        ),
        text,
    )
    assert [(s.kind, s.label, text[s.start : s.end]) for s in verdict.signals] == [
        ("moderation.blocklist", "custom-word", "fool"),
        ("moderation.blocklist", "custom-word", "fool"),
        ("moderation.profanity", "profanity", ""),  # it says that it is there, but not where
        ("pii.remote", "email", "jo@example.org"),
        ("pii.badge", "badge", "Badge 7"),
    ]


def test_what_was_not_covered_was_not_judged(bedrock: Guardrail) -> None:
    half = {"guardrailCoverage": {"textCharacters": {"guarded": 10, "total": 20}}}
    assert not Talk(bedrock).read(answer({}, "NONE", **half)).complete
    full = {"guardrailCoverage": {"textCharacters": {"guarded": 20, "total": 20}}}
    assert Talk(bedrock).read(answer({}, "NONE", **full)) == Talk(bedrock).read(answer({}, "NONE"))


def test_an_intervention_without_a_reason_is_a_finding(bedrock: Guardrail) -> None:
    assert said(Talk(bedrock).read(answer({}))) == [("moderation.other", 1.0, True)]


@pytest.mark.parametrize("body", [b"{}", b'{"action":"NONE"}', b'{"message":"no"}', b""])
def test_an_error_is_no_answer(bedrock: Guardrail, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        Talk(bedrock).read(body)
