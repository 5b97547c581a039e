"""Lakera Guard on paper."""

from __future__ import annotations

import pytest
from tests.guardrails.conftest import Make, Talk, said, sent

from yett.guardrails.kind import UnreadableError


def test_each_text_is_a_message_of_its_own(make: Make) -> None:
    one, _ = Talk(make("lakera", resource="project-7")).ask("one", "two")
    assert (one.path, one.bearer) == ("/v2/guard", True)
    message = {"role": "user", "content": "one"}
    assert sent(one) == {"messages": [message], "project_id": "project-7", "breakdown": True, "payload": True}
    (reply,) = Talk(make("lakera")).ask("one", side="reply")
    assert sent(reply) == {
        "messages": [{"role": "assistant", "content": "one"}],
        "breakdown": True,
        "payload": True,
    }


def test_detectors(make: Make) -> None:
    verdict = Talk(make("lakera", kinds={"unknown-links": "topic.links"})).read(
        {
            "flagged": True,
            "breakdown": [
                {"detector_type": "prompt_attack", "detected": True, "message_id": 0},
                {"detector_type": "moderated_content/hate", "detected": False, "result": "l4_less_likely"},
                {"detector_type": "moderated_content/crime", "detected": True, "result": "l2_very_likely"},
                {"detector_type": "unknown_links", "detected": True},
                {"detector_type": "custom/Gambling", "detected": False},
            ],
        }
    )
    assert said(verdict) == [
        ("injection.remote", 1.0, True),
        ("moderation.hate", 0.5, False),
        ("moderation.illicit", 0.95, True),
        ("topic.links", 1.0, True),
        ("moderation.other", 0.0, False),
    ]


def test_a_threshold_reads_the_levels(make: Make) -> None:
    low = {"detector_type": "prompt_attack", "detected": False, "result": "l3_likely"}
    answer = {"flagged": False, "breakdown": [low]}
    assert said(Talk(make("lakera")).read(answer)) == [("injection.remote", 0.8, False)]
    assert said(Talk(make("lakera", threshold=0.8)).read(answer)) == [("injection.remote", 0.8, True)]


def test_personal_data_is_found_where_it_stands(make: Make) -> None:
    text = "I am jo@example.org"
    found = {"detector_type": "pii/email", "text": "jo@example.org", "start": 5, "end": 19, "message_id": 0}
    answer = {"flagged": True, "breakdown": [{"detector_type": "pii/email", "detected": True}], "payload": [found]}
    (signal,) = Talk(make("lakera")).read(answer, text).signals
    assert (signal.kind, signal.label, text[signal.start : signal.end]) == ("pii.remote", "email", "jo@example.org")


@pytest.mark.parametrize(
    ("found", "place"),
    [
        ({"text": "jo", "start": 0, "end": 2}, (5, 7)),  # offsets that do not fit what it quotes
        ({"text": "", "start": 5, "end": 7}, (5, 7)),
        ({"text": "nobody", "start": 5, "end": 7}, (0, 0)),
        ({"text": "", "start": -1, "end": 7}, (0, 0)),
        ({"text": "", "start": 5, "end": 99}, (0, 0)),
    ],
)
def test_offsets_are_checked(make: Make, found: dict[str, object], place: tuple[int, int]) -> None:
    answer = {"flagged": True, "payload": [{"detector_type": "pii/name", **found}]}
    (signal,) = Talk(make("lakera")).read(answer, "I am jo").signals
    assert (signal.start, signal.end) == place


def test_flagged_without_a_detector_is_a_finding(make: Make) -> None:
    assert said(Talk(make("lakera")).read({"flagged": True})) == [("moderation.other", 1.0, True)]
    assert said(Talk(make("lakera")).read({"flagged": False, "payload": None})) == []


@pytest.mark.parametrize("body", [b"{}", b'{"flagged":null}', b'{"detail":"unauthorized"}'])
def test_an_error_is_no_answer(make: Make, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        Talk(make("lakera")).read(body)
