"""Rate limit headers, as OpenAI writes them."""

from __future__ import annotations

import pytest

from yett.ports import Standing
from yett.stages.standing import duration, standing_headers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-3.0, "0s"),
        (0.0001, "1ms"),
        (0.12, "120ms"),
        (0.999, "999ms"),
        (0.9991, "1s"),
        (1, "1s"),
        (1.1, "1.1s"),
        (8.64, "8.64s"),
        (59.9999, "1m0s"),
        (73.5, "1m13.5s"),
        (360, "6m0s"),
        (3600, "1h0m0s"),
        (90_061.5, "25h1m1.5s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_only_limits_that_exist_are_told() -> None:
    assert standing_headers(Standing()) == ()
    assert dict(standing_headers(Standing(60, 59, 1.0))) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
    }
    assert [name for name, _ in standing_headers(Standing(None, None, 0.0, 1000, 0, 60.0))] == [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ]
