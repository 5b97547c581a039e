"""Which texts leave for a guardrail, and what of them does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guardrails.conftest import Make

from yett.guardrails.select import BLANK, selected
from yett.model.finding import Finding
from yett.model.guardrail import Guardrail, Question
from yett.model.route import Provider, Timeouts
from yett.model.segment import Segment

ROLES = ("system", "developer", "user", "assistant", "tool", "function", "arguments", "document", "definition", "other")


def question(*roles: str, text: str = "text of {role}", **more: Any) -> Question:
    segments = tuple(Segment(text.format(role=role), role, index) for index, role in enumerate(roles))
    return Question(**{"side": "request", "tenant": "t", "segments": segments, **more})


def shown(make: Make, asked: Question, **settings: Any) -> list[str]:
    return [text.role for text in selected(make("lakera", **settings), asked).texts]


def test_what_the_operator_wrote_stays_here(make: Make) -> None:
    assert shown(make, question(*ROLES)) == ["user", "tool", "function", "arguments", "document", "definition"]
    assert shown(make, question(*ROLES, side="reply")) == ["assistant", "arguments"]
    assert shown(make, question(*ROLES), roles=frozenset(("system", "tool"))) == ["system", "tool"]


def test_texts_without_anything_in_them_are_not_shown(make: Make) -> None:
    assert shown(make, question("user", text="")) == shown(make, question("user", text=" \n\t")) == []


@pytest.mark.parametrize(
    ("score", "roles"), [(0.0, ["tool"]), (0.2, ["user", "tool"]), (0.8, ["user", "tool"]), (0.9, ["tool"])]
)
def test_only_in_the_uncertain_band_or_always(make: Make, score: float, roles: list[str]) -> None:
    asked = question("user", "tool", scores={"injection": score})
    assert shown(make, asked, above=0.2, below=0.8, always=frozenset(("tool",))) == roles


def test_another_score_may_be_the_one_that_counts(make: Make) -> None:
    asked = question("user", scores={"injection": 1.0, "toxicity": 0.1})
    assert shown(make, asked, score="toxicity", above=0.5) == []
    assert shown(make, asked, score="toxicity", above=0.1) == ["user"]


def test_findings_are_blanked_and_offsets_stay(make: Make) -> None:
    asked = question(
        "user",
        "tool",
        text="key AKIA and jo@x",
        findings=(
            Finding("secret.aws", 0, 4, 8, "d"),
            Finding("pii.email", 0, 13, 17, "d"),
            Finding("secret.aws", 1, 0, 3, "d"),
        ),
    )
    chosen = selected(make("lakera", redact=frozenset(("secret",))), asked)
    assert [text.text for text in chosen.texts] == ["key **** and jo@x", "*** AKIA and jo@x"]
    chosen = selected(make("lakera", redact=frozenset(("secret.other", "pii.email"))), asked)
    assert [text.text for text in chosen.texts] == ["key AKIA and ****", "key AKIA and jo@x"]


def test_a_finding_within_another_is_blanked_once(make: Make) -> None:
    found = (Finding("secret.url", 0, 4, 12, "d"), Finding("secret.aws", 0, 6, 10, "d"))
    (text,) = selected(
        make("lakera", redact=frozenset(("secret",))), question("user", text="key aAKIAb!! it", findings=found)
    ).texts
    assert text.text == "key ******** it"


def test_a_text_that_must_not_leave_does_not(make: Make) -> None:
    asked = question("user", "tool", "system", findings=(Finding("label.restricted", 1, 0, 4, "d"),))
    chosen = selected(make("lakera", withhold=frozenset(("label.restricted",))), asked)
    assert ([text.role for text in chosen.texts], chosen.withheld) == (["user"], 1)


def test_a_label_of_the_call_withholds_all_of_it(make: Make) -> None:
    asked = question("user", "tool", labels=("eu", "restricted"))
    chosen = selected(make("lakera", withhold=frozenset(("label.restricted",))), asked)
    assert (chosen.texts, chosen.withheld) == ((), 2)
    assert len(selected(make("lakera", withhold=frozenset(("label.secret",))), asked).texts) == 2


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_exactly_the_spans_are_blanked(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(start, end) for start, end in spans if start < end <= len(text)]
    findings = tuple(Finding("secret.x", 0, start, end, "d") for start, end in inside)
    provider = Provider("guardrail/g", "lakera", "", (), (), Timeouts())
    guardrail = Guardrail(id="g", kind="lakera", provider=provider, redact=frozenset(("secret",)))
    chosen = selected(guardrail, Question("request", "t", (Segment(f"{text}.", "user", 0),), findings))
    expected = list(f"{text}.")
    for start, end in inside:
        expected[start:end] = BLANK * (end - start)
    assert [one.text for one in chosen.texts] == ["".join(expected)]
