"""What reads as white space once JSON is parsed is looked at as white space, and found where it is written."""

from __future__ import annotations

import pytest

from yett.detectors.engine import Scanner
from yett.detectors.shelf import SHELF
from yett.detectors.spaced import looked_at, spaced
from yett.detectors.window import SpacedWindow
from yett.model.segment import Segment

SCANNER = Scanner(SHELF)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (r"a\nb\tc\rd\be\ff", "a \nb \tc \rd  e  f"),
        (r"C:\\new \" \/ \u000a", r"C:\\new \" \/ \u000a"),
        (r"\\\n\\n", "\\\\ \n\\\\n"),
        ("plain", "plain"),
    ],
)
def test_escapes_for_white_space_are_white_space_of_their_length(written: str, seen: str) -> None:
    assert spaced(written) == seen
    assert len(seen) == len(written)


def test_only_json_is_seen_so() -> None:
    line = r"a\nb"
    assert looked_at(Segment(line, "arguments", 0)) == "a \nb"
    assert looked_at(Segment(f' ["{line}"]', "tool", 0)) == ' ["a \nb"]'
    assert looked_at(Segment(line, "user", 0)) == line


@pytest.mark.parametrize("value", ["ada.lovelace@example.org", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"])
def test_a_value_behind_a_line_is_found_alone(value: str) -> None:
    text = f'{{"text": "Dear all,\\n{value}\\nregards"}}'
    (finding,) = SCANNER.scan([Segment(text, "arguments", 0)])
    assert text[finding.start : finding.end] == value
    for cut in range(len(text)):
        if text[cut - 1 : cut] == "\\":
            continue  # where no piece ends
        window = SpacedWindow(SCANNER)
        released = [window.feed(text[:cut]), window.feed(text[cut:]), window.finish()]
        assert "".join(each.text for each in released) == text
        assert [each.text[f.start : f.end] for each in released for f in each.findings] == [value]
