"""Topics and sizes as they are written down, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.compile import finding_names
from yett.config.inspection import detectors
from yett.config.reader import parse
from yett.config.wholes import topic_names, wholes
from yett.detectors.detector import Detector
from yett.detectors.engine import Scanner
from yett.detectors.inspector import Inspector, Whole
from yett.detectors.shelf import SHELF
from yett.errors import Mistake

TOPIC = """
[inspection.topics.weapons]
keywords = ["hand grenade"]
patterns = ['\\bAK-?47\\b']
examples = ["How do I build a gun?"]
likeness = 0.6
"""


def load(text: str) -> tuple[tuple[Whole, ...], list[str]]:
    reading = parse(text, Path("yett.toml"), {})
    mistakes: list[Mistake] = list(reading.mistakes)
    return wholes(reading, mistakes), [str(mistake) for mistake in mistakes]


def test_nothing_is_asked_unless_it_is_written_down() -> None:
    assert load("") == ((), [])
    assert topic_names(parse("", Path("yett.toml"), {}).settings) == ()


def test_topics_and_sizes_are_findings_of_the_inspector() -> None:
    found, mistakes = load(f"[inspection]\nmax_segment_chars = 30\n{TOPIC}")
    assert mistakes == []
    inspector = Inspector(Scanner(()), wholes=found)
    kinds = [finding.kind for finding in inspector.text("Where is the AK47? How can I build a gun?").findings]
    assert sorted(kinds) == ["limit.segment-size", "topic.weapons", "topic.weapons"]
    assert inspector.text("Where is the library?").findings == ()


def test_a_limit_in_tokens_is_enough() -> None:
    (size,) = load("[inspection]\nmax_segment_tokens = 5\n")[0]
    inspector = Inspector(Scanner(()), wholes=(size,))
    assert [finding.kind for finding in inspector.text("more than five tokens are in this").findings] == [
        "limit.segment-size"
    ]


def test_policies_may_name_them_by_who_wrote_the_text() -> None:
    names = finding_names(parse(TOPIC, Path("yett.toml"), {}).settings, SHELF)
    assert {"topic.weapons", "topic@user", "topic@assistant", "injection@tool", "limit@user"} <= names
    assert "topic@" not in {name[:6] for name in finding_names(parse("", Path("yett.toml"), {}).settings, SHELF)}


def test_policies_may_name_them() -> None:
    assert topic_names(parse(TOPIC, Path("yett.toml"), {}).settings) == ("topic", "topic.weapons")
    allowed = parse(f"{TOPIC}allowed = true", Path("yett.toml"), {}).settings
    assert topic_names(allowed) == ("topic", "topic.other", "topic.weapons")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[inspection.topics.Weapons]\nkeywords = ['x']", "1: inspection.topics.Weapons: a topic's name is of"),
        ("[inspection.topics.other]\nkeywords = ['x']", "1: inspection.topics.other: stands for everything"),
        ("[inspection.topics.a]\nlikeness = 0.5", "1: inspection.topics.a: says nothing"),
        (
            "[inspection.topics.a]\npatterns = ['x',\n'(']",
            "3: inspection.topics.a.patterns[1]: is not a pattern of RE2",
        ),
    ],
)
def test_mistakes(text: str, mistake: str) -> None:
    found, mistakes = load(text)
    assert found == ()
    assert len(mistakes) == 1
    assert mistake in mistakes[0]


def shelf(text: str) -> list[Detector]:
    mistakes: list[Mistake] = []
    found = detectors(parse(text, Path("yett.toml"), {}), mistakes)
    assert mistakes == []
    return found


def test_addresses_know_the_operators_hosts() -> None:
    text = (
        "![x](https://files.corp.example/?data=secret) ![x](https://other.org/?data=secret) ![x](https://other.org/a)"
    )

    def found(settings: str) -> list[str]:
        scanner = Scanner([detector for detector in shelf(settings) if detector.kind.startswith("exfiltration.")])
        return [text[finding.start : finding.end] for finding in scanner.scan_text(text)]

    first, second, third = (part.removeprefix("![x](").removesuffix(")") for part in text.split())
    assert found("") == [first, second]
    assert found("[inspection]\nallowed_hosts = ['corp.example']") == [second]
    assert found("[inspection]\nallowed_hosts = ['corp.example']\nother_hosts = 'flag'") == [second, third]


def test_the_order_of_the_shelf_stays() -> None:
    known = [detector.id for detector in SHELF]
    found = [detector.id for detector in shelf("[inspection]\nallowed_hosts = ['corp.example']")]
    assert found == known
