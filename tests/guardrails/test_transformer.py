"""What a classifier's numbers mean."""

from __future__ import annotations

import json
import math

import pytest
from tests.guardrails.conftest import Make

from yett.guardrails.transformer import BINARY, Labels, labels, signals


def config(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_labels_come_from_the_configuration() -> None:
    assert labels(config(id2label={"1": "JAILBREAK", "0": "BENIGN"}, model_type="deberta-v2")) == Labels(
        ("benign", "jailbreak")
    )
    toxic = config(id2label={"0": "toxic", "1": "threat"}, problem_type="multi_label_classification")
    assert labels(toxic) == Labels(("toxic", "threat"), True)
    assert labels(config()) == BINARY
    assert labels(config(max_position_embeddings=128)).window == 128
    assert labels(config(max_position_embeddings=8192)).window == 512


@pytest.mark.parametrize(
    "broken",
    [b"", b"[]", config(id2label={"1": "a", "2": "b"}), config(id2label={"x": "a"}), config(max_position_embeddings=0)],
)
def test_a_configuration_without_sense_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"config\.json"):
        labels(broken)


def test_one_of_several_classes(make: Make) -> None:
    found = signals(make("transformer"), BINARY, 2, [(0, 9), (5, 20)], [[2.0, -2.0], [-1.0, 3.0]])
    share = 1 / (1 + math.exp(-4.0))
    assert [(s.kind, s.label, s.piece, s.start, s.end, s.flagged) for s in found] == [
        ("injection.transformer", "injection", 2, 0, 9, False),
        ("injection.transformer", "injection", 2, 5, 20, True),
    ]
    assert [s.score for s in found] == pytest.approx([1 - share, share])


def test_several_labels_at_once(make: Make) -> None:
    known = Labels(("toxicity", "violence", "made-up"), several=True)
    found = signals(make("transformer", kinds={"made-up": "topic.ours"}), known, 0, [(0, 1)], [[800.0, -800.0, 0.0]])
    assert [(s.kind, s.score, s.flagged) for s in found] == [
        ("moderation.harassment", 1.0, True),
        ("moderation.violence", 0.0, False),
        ("topic.ours", 0.5, True),
    ]


def test_a_single_output_is_a_probability_of_its_own(make: Make) -> None:
    (found,) = signals(make("transformer", threshold=0.9), Labels(("attack",)), 0, [(0, 1)], [[0.0]])
    assert (found.kind, found.score, found.flagged) == ("injection.transformer", 0.5, False)
