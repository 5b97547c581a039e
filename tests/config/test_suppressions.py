"""Suppressions as they are written down: when they end, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.reader import parse
from yett.config.suppressions import ends, fingerprint, suppressions
from yett.detectors.suppress import Suppression
from yett.errors import Mistake

TABLE = """
[teams.research]
[inspection.suppressions.demo-card]
findings = ["pii.card"]
until = "2026-12-31"
reason = "the test card of our manual"
"""


def load(text: str) -> tuple[tuple[Suppression, ...], list[str]]:
    reading = parse(text, Path("yett.toml"), {})
    mistakes: list[Mistake] = list(reading.mistakes)
    found = suppressions(reading, mistakes)
    return found, [str(mistake) for mistake in mistakes]


def test_one_that_is_written_down() -> None:
    found, mistakes = load(TABLE + 'teams = ["research"]\non = ["request"]\nroles = ["document"]\nvalues = ["ab"]\n')
    assert mistakes == []
    assert found == (
        Suppression(
            "demo-card", ("pii.card",), 1_798_761_600.0, ("research",), ("request",), ("document",), frozenset({"ab"})
        ),
    )


def test_the_last_day_counts_to_its_end_in_utc() -> None:
    assert ends("1970-01-01") == 86_400.0
    assert ends("9999-12-31") is None
    assert ends("tomorrow") is None


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        (
            'teams = ["reserch"]',
            '7: inspection.suppressions.demo-card.teams[0]: there is no "reserch"; did you mean "res',
        ),
        (
            'roles = ["tool", "tol"]',
            '7: inspection.suppressions.demo-card.roles[1]: there is no "tol"; did you mean "tool',
        ),
        ('on = ["answer"]', "7: inspection.suppressions.demo-card.on[0]: expected"),
    ],
)
def test_mistakes(line: str, mistake: str) -> None:
    _, mistakes = load(f"{TABLE}{line}\n")
    assert [each.startswith(f"yett.toml:{mistake}") for each in mistakes] == [True], mistakes


def test_what_it_is_about_and_when_it_ends_have_to_be_said() -> None:
    _, mistakes = load('[inspection.suppressions.x]\nfindings = []\nuntil = "soon"\nreason = "r"\n')
    assert mistakes == [
        'yett.toml:3: inspection.suppressions.x.until: "soon" is not a date like 2026-12-31',
        'yett.toml:2: inspection.suppressions.x.findings: is empty; write what it is about, as in ["pii.email"]',
    ]
    assert len(load("[inspection.suppressions.x]\n")[1]) >= 3


def test_fingerprints_are_keyed() -> None:
    one = fingerprint(b"a" * 32, "acme", "x")
    assert one == fingerprint(b"a" * 32, "acme", "x")
    assert one not in (fingerprint(b"b" * 32, "acme", "x"), fingerprint(b"a" * 32, "other", "x"))
    assert len(fingerprint(b"a" * 32, "acme", "\ud800")) == 32
