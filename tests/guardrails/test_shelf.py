"""Every kind on the shelf: complete, consistent, and not to be thrown by any answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.guardrails.conftest import Talk

from yett.guardrails.categories import KINDS as FINDINGS
from yett.guardrails.kind import Asked, Piece, UnreadableError, Verdict
from yett.guardrails.shelf import KINDS
from yett.model.guardrail import Guardrail
from yett.model.route import Provider, Secret, Timeouts

# The words that the services' answers are made of: random JSON of these is often nearly right.
NAMES = """results flagged categories category_scores hate action assessments contentPolicy filters type confidence detected
topicPolicy topics name wordPolicy customWords match sensitiveInformationPolicy piiEntities guardrailCoverage textCharacters
guarded total categoriesAnalysis category severity blocklistsMatch userPromptAnalysis attackDetected documentsAnalysis
sanitizationResult filterMatchState invocationResult filterResults rai raiFilterResult raiFilterTypeResults matchState sdp
sdpFilterResult inspectResult findings location codepointRange start end breakdown detector_type payload text kind score
scores""".split()
WORDS = ["MATCH_FOUND", "SUCCESS", "HIGH", "NONE", "PII/email", "prompt_attack", "moderation.hate", "toxicity", "a", ""]
LEAVES = st.none() | st.booleans() | st.integers(-5, 50) | st.floats(allow_nan=False) | st.sampled_from(WORDS)
ANSWERS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=30,
)
SHAPES: dict[str, Any] = {
    "openai_moderation": {
        "results": [{"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": 0.5}}]
    },
    "bedrock_guardrails": {
        "action": "GUARDRAIL_INTERVENED",
        "assessments": [
            {
                "contentPolicy": {"filters": [{"type": "HATE", "confidence": "HIGH", "detected": True}]},
                "sensitiveInformationPolicy": {"piiEntities": [{"match": "a", "type": "NAME", "action": "BLOCKED"}]},
            }
        ],
    },
    "azure_content_safety": {"categoriesAnalysis": [{"category": "Hate", "severity": 4}], "blocklistsMatch": []},
    "model_armor": {
        "sanitizationResult": {
            "filterMatchState": "MATCH_FOUND",
            "invocationResult": "SUCCESS",
            "filterResults": {"sdp": {"sdpFilterResult": {"inspectResult": {"matchState": "MATCH_FOUND"}}}},
        }
    },
    "lakera": {"flagged": True, "breakdown": [{"detector_type": "pii/name", "detected": True}]},
    "webhook": {"findings": [{"kind": "moderation.hate", "text": 0, "start": 0, "end": 1}], "scores": []},
}


def guardrail(kind: str) -> Guardrail:
    provider = Provider("guardrail/g", kind, "https://guard.example", (), (Secret("key-1"),), Timeouts())
    return Guardrail(id="g", kind=kind, provider=provider, resource="r", region="eu")


def mutated(draw: Any, value: Any) -> Any:
    """`value` with one place in it replaced by anything."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: mutated(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        return [mutated(draw, value[0]), *value[1:]]
    return draw(ANSWERS)


def check(kind: str, body: bytes) -> None:
    """Whatever comes back is a verdict about what was asked, or unreadable."""
    asked = KINDS[kind].ask(guardrail(kind), "request", [Piece("a b a", "user")], 0.0)[0]
    try:
        verdict = KINDS[kind].read(guardrail(kind), asked, body)
    except UnreadableError as error:
        assert len(str(error)) < 100
        return
    assert isinstance(verdict, Verdict)
    for signal in verdict.signals:
        assert signal.piece == 0
        assert 0 <= signal.start <= signal.end <= 5
        assert 0.0 <= signal.score <= 1.0
        assert signal.kind in FINDINGS or signal.kind.startswith("score.")


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_answer_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    check(kind, json.dumps(data.draw(ANSWERS)).encode())
    check(kind, json.dumps(mutated(data.draw, SHAPES[kind])).encode())
    check(kind, data.draw(st.binary(max_size=50)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_null_is_not_there(kind: str) -> None:
    def nulled(value: Any) -> Any:
        if isinstance(value, dict):
            return {"of_tomorrow": None, **{name: nulled(inner) for name, inner in value.items()}}
        return [nulled(inner) for inner in value] if isinstance(value, list) else value

    asked: Asked = Talk(guardrail(kind)).ask("a b a")[0]
    plain, with_null = (
        KINDS[kind].read(guardrail(kind), asked, json.dumps(answer).encode())
        for answer in (SHAPES[kind], nulled(SHAPES[kind]))
    )
    assert plain == with_null
    assert plain.signals


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_complete(kind: str) -> None:
    item = KINDS[kind]
    assert item.name == kind
    assert item.batch >= 1
    assert item.longest >= 1000
    assert set(item.reports) <= set(FINDINGS)
    assert "key" in item.needs
    assert bool(item.base_url) != ("base_url" in item.needs)
    assert all(hasattr(guardrail(kind), need) for need in item.needs if need not in {"key", "base_url"})
