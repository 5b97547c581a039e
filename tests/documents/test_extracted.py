"""Text up to a limit."""

from __future__ import annotations

from yett.documents.extracted import Writer


def test_what_is_beyond_the_limit_is_cut() -> None:
    writer = Writer(5)
    writer.add("abc")
    assert (writer.text, writer.full) == ("abc", False)
    writer.add("defg")
    writer.add("h")
    assert (writer.text, writer.full) == ("abcde", True)
