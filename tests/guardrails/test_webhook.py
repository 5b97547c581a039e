"""A service of one's own on paper: the documented JSON, and a signature that the receiver can check."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from tests.guardrails.conftest import Make, Talk, fields, said, sent

from yett.guardrails.kind import UnreadableError

SECRET = base64.b64encode(b"of 24 bytes, as it should").decode()


def test_the_documented_request(make: Make) -> None:
    (asked,) = Talk(make("webhook")).ask("one", "two", role="tool")
    assert (asked.path, asked.bearer) == ("", False)
    texts = [{"text": "one", "role": "tool"}, {"text": "two", "role": "tool"}]
    assert sent(asked) == {"version": 1, "guardrail": "g", "side": "request", "texts": texts}


@pytest.mark.parametrize(
    ("key", "raw"),
    [("plain", b"plain"), (f"whsec_{SECRET}", base64.b64decode(SECRET)), ("whsec_not base64", b"whsec_not base64")],
)
def test_the_receiver_can_check_who_asks(make: Make, key: str, raw: bytes) -> None:
    (asked,) = Talk(make("webhook", key=key)).ask("one", now=1_700_000_000.9)
    got = fields(asked)
    signed = f"{got['webhook-id']}.{got['webhook-timestamp']}.".encode() + asked.body
    expected = base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
    assert got["webhook-signature"] == f"v1,{expected}"
    assert got["webhook-timestamp"] == "1700000000"


def test_requests_have_ids_of_their_own(make: Make) -> None:
    talk = Talk(make("webhook"))
    asked = [talk.ask("one"), talk.ask("two"), talk.ask("one", now=5.0)]
    assert len({fields(one)["webhook-id"] for (one,) in asked}) == 3


def test_findings_and_scores(make: Make) -> None:
    talk = Talk(make("webhook", kinds={"gambling": "topic.gambling"}))
    verdict = talk.read(
        {
            "findings": [
                {"kind": "moderation.hate", "score": 0.9, "text": 1, "start": 0, "end": 3},
                {"kind": "Gambling", "end": 99},
                {"kind": "secret.something"},
            ],
            "scores": [{"name": "toxicity", "score": 7, "text": 1}],
        },
        "one",
        "two",
    )
    assert [(s.kind, s.piece, s.start, s.end, s.flagged) for s in verdict.signals] == [
        ("moderation.hate", 1, 0, 3, True),
        ("topic.gambling", 0, 0, 0, True),
        ("moderation.other", 0, 0, 0, True),  # a kind that nobody expects from it
        ("score.toxicity", 1, 0, 0, False),
    ]
    assert verdict.signals[3].score == 1.0


def test_a_threshold_holds_for_it_too(make: Make) -> None:
    verdict = Talk(make("webhook", threshold=0.5)).read({"findings": [{"kind": "moderation.hate", "score": 0.4}]})
    assert said(verdict) == [("moderation.hate", 0.4, False)]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"findings": [{"kind": "moderation.hate", "text": 1}]},
        {"findings": [{"kind": "moderation.hate", "text": -1}]},
        {"findings": [], "scores": [{"name": "made up", "score": 1}]},
        {"findings": [], "scores": [{"name": "toxicity", "score": 1, "text": 3}]},
        {"findings": [{"kind": "moderation.hate"}] * 1001},
    ],
)
def test_an_answer_out_of_shape_is_none(make: Make, answer: object) -> None:
    with pytest.raises(UnreadableError):
        Talk(make("webhook")).read(answer)
