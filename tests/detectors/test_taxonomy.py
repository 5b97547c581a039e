"""Kinds of findings in the words of OWASP and MITRE."""

from __future__ import annotations

from pathlib import Path

import pytest

from yett.config.inspection import INJECTION_KINDS, OTHER_KINDS
from yett.detectors.detector import Detector
from yett.detectors.shelf import SHELF
from yett.detectors.taxonomy import LISTS, TABLE, references


@pytest.mark.parametrize("detector", SHELF, ids=lambda detector: detector.id)
def test_everything_that_ships_has_its_place_in_the_lists(detector: Detector) -> None:
    assert {each.list for each in references(detector.kind)} >= {"owasp-llm-2026", "owasp-llm-2025", "owasp-llm-1.1"}


@pytest.mark.parametrize("kind", [*OTHER_KINDS, *INJECTION_KINDS])
def test_so_has_what_is_found_without_a_pattern(kind: str) -> None:
    assert kind == "attachment.unread" or references(kind)


def test_every_entry_of_the_table_is_in_its_list() -> None:
    for row in TABLE.values():
        for listed, ids in zip(LISTS, row, strict=True):
            assert set(ids) <= set(LISTS[listed])


def test_a_list_has_ten_entries() -> None:
    assert {name: len(entries) for name, entries in LISTS.items() if name.startswith("owasp")} == dict.fromkeys(
        ("owasp-llm-2026", "owasp-llm-2025", "owasp-llm-1.1", "owasp-agentic-2026"), 10
    )


def test_the_numbers_differ_from_list_to_list() -> None:
    found = [(each.list, each.id, each.title) for each in references("secret.github-token")]
    assert found == [
        ("owasp-llm-2026", "LLM02", "Sensitive Information Disclosure"),
        ("owasp-llm-2025", "LLM02", "Sensitive Information Disclosure"),
        ("owasp-llm-1.1", "LLM06", "Sensitive Information Disclosure"),
        ("owasp-agentic-2026", "ASI03", "Identity and Privilege Abuse"),
        ("mitre-atlas", "AML.T0055", "Unsecured Credentials"),
        ("mitre-atlas", "AML.T0057", "LLM Data Leakage"),
    ]


def test_the_most_exact_name_decides() -> None:
    assert "AML.T0056" in {each.id for each in references("exfiltration.system-prompt")}
    assert "AML.T0056" not in {each.id for each in references("exfiltration.url")}


@pytest.mark.parametrize(
    ("role", "ids"),
    [
        ("", ["AML.T0051"]),
        ("user", ["AML.T0051.000"]),
        ("tool", ["AML.T0051.001"]),
        ("definition", ["AML.T0051.001", "AML.T0110"]),
    ],
)
def test_who_wrote_it_tells_direct_from_indirect(role: str, ids: list[str]) -> None:
    assert [each.id for each in references("injection.override", role) if each.list == "mitre-atlas"] == ids


def test_an_operators_own_family_has_no_place() -> None:
    assert references("custom.x") == ()
    assert references("acme.x") == ()


def test_the_manual_has_the_whole_table() -> None:
    page = (Path(__file__).parents[2] / "docs/detection.md").read_text()
    for name, row in TABLE.items():
        assert f"| `{name}` | {' | '.join(' '.join(ids) or '–' for ids in row)} |" in page
