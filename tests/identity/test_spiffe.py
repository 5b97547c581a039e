"""SPIFFE IDs are compared as text, so there is one way to write each."""

from __future__ import annotations

import pytest

from yett.identity import spiffe


@pytest.mark.parametrize(
    ("id", "parts"),
    [
        ("spiffe://example.org", ("example.org", "")),
        ("spiffe://example.org/ns/prod/sa/agent", ("example.org", "/ns/prod/sa/agent")),
        ("spiffe://a_b-c.1/A.b_c-D", ("a_b-c.1", "/A.b_c-D")),
        ("spiffe://example.org/...", ("example.org", "/...")),
    ],
)
def test_ids(id: str, parts: tuple[str, str]) -> None:
    assert spiffe.parse(id) == parts


@pytest.mark.parametrize(
    "id",
    [
        "", "spiffe://", "spiffe:///a", "SPIFFE://example.org/a", "http://example.org/a", "spiffe://Example.org/a", "spiffe://example.org:443/a",
        "spiffe://user@example.org/a", "spiffe://example.org/", "spiffe://example.org/a/", "spiffe://example.org//a", "spiffe://example.org/./a",
        "spiffe://example.org/a/..", "spiffe://example.org/a%2fb", "spiffe://example.org/a?b", "spiffe://example.org/a#b", "spiffe://example.org/ä",
        "spiffe://ex%61mple.org/a", "spiffe://example.org/a b", "spiffe://" + "a" * 256, "spiffe://example.org/" + "a" * 2048, "spiffe://example.org/a\n",
    ],
)  # fmt: skip
def test_what_is_none(id: str) -> None:
    with pytest.raises(ValueError, match=r"SPIFFE|trust domain"):
        spiffe.parse(id)
