"""What policy wants: the strictest way wins, and secrets go one way."""

from __future__ import annotations

import pytest

from yett.redaction.ways import Ways


@pytest.mark.parametrize(
    ("ways", "kind", "way"),
    [
        (Ways(), "pii.email", ""),
        (Ways(redact=("pii",)), "pii.email", "redact"),
        (Ways(tokenize=("pii",)), "pii.email", "tokenize"),
        (Ways(surrogate=("pii.email",)), "pii.email", "surrogate"),
        (Ways(surrogate=("pii.email",)), "pii.card", ""),
        (Ways(redact=("pii.email",), tokenize=("pii",)), "pii.email", "redact"),
        (Ways(redact=("pii.email",), tokenize=("pii",)), "pii.card", "tokenize"),
        (Ways(tokenize=("pii",), surrogate=("pii",)), "pii.card", "tokenize"),
        (Ways(tokenize=("pii",), surrogate=("pii.card",)), "pii.card", "surrogate"),
        (Ways(tokenize=("pii.card",), surrogate=("pii",)), "pii.card", "tokenize"),
        (Ways(tokenize=("pii.card",), surrogate=("pii",)), "pii.email", "surrogate"),
        (Ways(tokenize=("*",)), "secret.key", "redact"),
        (Ways(surrogate=("*",)), "secret.key", "redact"),
        (Ways(tokenize=("pii",)), "secret.key", ""),
    ],
)
def test_the_strictest_way_wins(ways: Ways, kind: str, way: str) -> None:
    assert ways.of(kind) == way


def test_only_some_ways_lead_back() -> None:
    assert [w.reversible for w in (Ways(), Ways(redact=("pii",)), Ways(tokenize=("pii",)), Ways(surrogate=("pii",)))] == [
        False, False, True, True
    ]  # fmt: skip
