"""One vocabulary for a dozen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guardrails.conftest import Make

from yett.guardrails.categories import KINDS, MODERATION, kind_of, scores_of, slug
from yett.policy.schema import CATEGORIES


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("harassment/threatening", "moderation.harassment-threatening"),
        ("HATE", "moderation.hate"),
        ("SelfHarm", "moderation.self-harm"),
        ("sexually_explicit", "moderation.sexual"),
        ("PROMPT_ATTACK", "injection.remote"),
        ("pi_and_jailbreak", "injection.remote"),
        ("something new", "moderation.other"),
    ],
)
def test_names_that_services_use(make: Make, name: str, kind: str) -> None:
    assert kind_of(make("lakera"), slug(name)) == kind


def test_the_operators_names_come_first(make: Make) -> None:
    guardrail = make("lakera", kinds={"hate": "topic.hate"})
    assert kind_of(guardrail, "hate") == "topic.hate"
    assert kind_of(guardrail, "unheard-of", "pii.remote") == "pii.remote"


def test_every_kind_counts_for_one_score_at_most_and_that_of_its_category() -> None:
    assert {kind: scores[0] for kind in KINDS if (scores := scores_of(kind))} == {
        **{
            kind: "toxicity"
            for kind in KINDS
            if kind.startswith(("moderation.ha", "moderation.prof", "moderation.viol"))
        },
        "moderation.sexual": "toxicity",
        **{kind: "harm" for kind in KINDS if kind.startswith(("moderation.self-harm", "moderation.illicit"))},
        **dict.fromkeys(("moderation.dangerous", "moderation.weapons", "moderation.sexual-minors"), "harm"),
        "injection.remote": "injection",
    }
    assert {kind: scores[1] for kind in KINDS if len(scores := scores_of(kind)) > 1} == {k: k for k in MODERATION}
    assert (scores_of("score.toxicity"), scores_of("injection.transformer")) == (("toxicity",), ("injection",))


def test_policies_know_every_category() -> None:
    assert [f"moderation.{name.replace('_', '-')}" for name in CATEGORIES] == list(MODERATION)


@given(st.text(max_size=300))
def test_a_slug_is_safe_wherever_it_goes(name: str) -> None:
    made = slug(name)
    assert 0 < len(made) <= 48
    assert made.isascii()
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(made.strip("-")) == made.strip("-")
