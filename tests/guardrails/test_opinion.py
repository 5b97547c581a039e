"""Several opinions make one advice; nothing is decided on the way."""

from __future__ import annotations

from tests.guardrails.conftest import Make

from yett.guardrails.kind import Signal
from yett.guardrails.opinion import Judged, Opinion, advice_of
from yett.model.finding import Finding
from yett.model.guardrail import FAILED_OPEN, NO_ADVICE


def test_nobody_asked_nothing_said(make: Make) -> None:
    assert advice_of([Opinion(make("lakera"))]) is NO_ADVICE


def test_findings_and_scores_of_all(make: Make) -> None:
    guardrail = make("lakera")
    hate = Signal("moderation.hate", "hate", 0, 0.9, True, 0, 5)
    maybe = Signal("moderation.violence", "violence", 0, 0.95, False, 0, 5)
    attack = Signal("injection.remote", "prompt-attack", 0, 0.3, False, 0, 5)
    topic = Signal("topic.remote", "politics", 0, 1.0, True, 2, 3)
    advice = advice_of(
        [
            Opinion(guardrail, (Judged(4, (hate, maybe)), Judged(1, (attack,))), said="model abc"),
            Opinion(guardrail, (Judged(1, (topic,)),), remembered=1, withheld=2),
        ]
    )
    assert advice.findings == (
        Finding("topic.remote", 1, 2, 3, "g:politics", 1.0),
        Finding("moderation.hate", 4, 0, 5, "g:hate", 0.9),
    )
    assert advice.scores == {"toxicity": 0.95, "moderation.hate": 0.9, "moderation.violence": 0.95, "injection": 0.3}
    assert advice.notes == ("g: judged 2, model abc", "g: judged 1, remembered 1, withheld 2")
    assert advice.unavailable == ()


def test_failing_open_is_a_finding_and_on_the_record(make: Make) -> None:
    advice = advice_of([Opinion(make("lakera", fail_open=True), failure="timeout", said="model abc")])
    assert advice.findings == (Finding(FAILED_OPEN, 0, 0, 0, "g"),)
    assert (advice.notes, advice.unavailable) == (("g: failed open: timeout",), ())


def test_failing_closed_names_who_is_missing(make: Make) -> None:
    advice = advice_of([Opinion(make("lakera"), failure="status 500")])
    assert (advice.findings, advice.unavailable) == ((), ("g",))
    assert advice.notes == ("g: failed closed: status 500",)
