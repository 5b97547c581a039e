"""Guardrails as nouns: whose threshold counts, and which side of a call a panel is about."""

from __future__ import annotations

import pytest

from yett.model.guardrail import Guardrail, Panel
from yett.model.route import Provider, Timeouts

PROVIDER = Provider("guardrail/g", "lakera", "", (), (), Timeouts())


@pytest.mark.parametrize(
    ("settings", "score", "flagged", "expected"),
    [
        ({}, 0.9, False, False),
        ({}, 0.0, True, True),
        ({"threshold": 0.5}, 0.5, False, True),
        ({"threshold": 0.5}, 0.4, True, False),
        ({"threshold": 0.5, "thresholds": {"moderation.hate": 0.3}}, 0.4, False, True),
        ({"thresholds": {"moderation.violence": 0.3}}, 0.4, False, False),
    ],
)
def test_the_operators_threshold_comes_first(
    settings: dict[str, object], score: float, flagged: bool, expected: bool
) -> None:
    guardrail = Guardrail(id="g", kind="lakera", provider=PROVIDER, **settings)  # type: ignore[arg-type]
    assert guardrail.flags("moderation.hate", score, flagged) is expected


def test_a_panel_is_about_the_sides_of_its_guardrails() -> None:
    panel = Panel((Guardrail(id="g", kind="lakera", provider=PROVIDER, on=frozenset(("reply",))),), 1.0)
    assert (panel.on("request"), panel.on("reply")) == (False, True)
