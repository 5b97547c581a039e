"""One marker, whatever overlaps, and the names by which policies ask for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detectors.examples import FOUND

from yett.detectors.engine import Scanner
from yett.detectors.mask import mask, matches, select
from yett.model.finding import Finding


def finding(kind: str, start: int, end: int) -> Finding:
    return Finding(kind=kind, segment=0, start=start, end=end, detector="test")


@pytest.mark.parametrize(
    ("kind", "selector", "expected"),
    [
        ("pii.email", "pii", True),
        ("pii.email", "pii.email", True),
        ("pii.email", "*", True),
        ("pii.email", "pii.phone", False),
        ("pii.email", "pi", False),
        ("pii.email", "pii.emai", False),
        ("pii.email", "secret", False),
        ("pii.email", "", False),
        ("secret.aws-access-key", "secret.aws", False),
    ],
)
def test_a_selector_is_a_kind_a_family_or_everything(kind: str, selector: str, expected: bool) -> None:
    assert matches(kind, selector) is expected


def test_select_keeps_what_any_selector_means() -> None:
    findings = (finding("pii.email", 0, 1), finding("pii.card", 1, 2), finding("secret.jwt", 2, 3))
    assert select(findings, ["pii.card", "secret"]) == findings[1:]
    assert select(findings, []) == ()


def test_mask_replaces_spans() -> None:
    findings = (finding("pii.card", 6, 8), finding("pii.email", 2, 4))
    assert mask("abcdefghij", findings) == "ab[REDACTED:pii.email]ef[REDACTED:pii.card]ij"
    assert mask("abc", ()) == "abc"


def test_overlapping_spans_become_one() -> None:
    assert (
        mask("abcdefghij", (finding("secret.password", 2, 6), finding("pii.email", 4, 8)))
        == "ab[REDACTED:secret.password]ij"
    )
    assert mask("abcdef", (finding("pii.email", 1, 3), finding("secret.jwt", 1, 5))) == "a[REDACTED:secret.jwt]f"


def test_spans_that_touch_are_one_only_within_a_kind() -> None:
    same = (finding("secret.jwt", 0, 3), finding("secret.jwt", 3, 6))
    assert mask("abcdef", same) == "[REDACTED:secret.jwt]"
    other = (finding("secret.jwt", 0, 3), finding("pii.email", 3, 6))
    assert mask("abcdef", other) == "[REDACTED:secret.jwt][REDACTED:pii.email]"


@given(
    st.text(min_size=1, max_size=40),
    st.lists(
        st.tuples(st.sampled_from(["pii.email", "secret.jwt"]), st.integers(0, 39), st.integers(1, 10)), max_size=6
    ),
)
def test_no_masked_character_survives(text: str, spans: list[tuple[str, int, int]]) -> None:
    findings = [finding(kind, start, min(start + size, len(text))) for kind, start, size in spans if start < len(text)]
    covered = {place for f in findings for place in range(f.start, f.end)}
    masked = mask(text, findings)
    for kind in ("pii.email", "secret.jwt"):
        masked = masked.replace(f"[REDACTED:{kind}]", "")
    assert masked == "".join(character for place, character in enumerate(text) if place not in covered)


def test_masked_examples_are_clean(scanner: Scanner) -> None:
    for text, kind, span in FOUND:
        masked = mask(text, scanner.scan_text(text))
        assert span not in masked or kind.startswith("label.")
        assert kind not in [found.kind for found in scanner.scan_text(masked)]


def test_what_stands_nowhere_is_not_masked() -> None:
    about_the_call = finding("guardrail.failed-open", 0, 0)
    assert select((about_the_call, finding("pii.email", 0, 3)), ("*",)) == (finding("pii.email", 0, 3),)
