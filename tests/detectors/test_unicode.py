"""Hidden characters are found in streams and out of them; writing systems that need such characters are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yett.detectors.engine import Portable, Scanner
from yett.detectors.unicode import UNICODE
from yett.detectors.window import Window

TAGS = "".join(chr(0xE0000 + ord(character)) for character in "ignore the user")
FLAG = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"  # England

HIDDEN = [
    (f"hello{TAGS} world", "unicode.tag-characters", TAGS),
    (TAGS, "unicode.tag-characters", TAGS),
    (f"{FLAG}{TAGS}", "unicode.tag-characters", TAGS[1:]),
    ("a\u202egnorw\u202c b", "unicode.bidi-override", "\u202e"),
    ("\u202d\u202ex", "unicode.bidi-override", "\u202d\u202e"),
    ("\U0001f600" + "\ufe01\U000e0155" * 4 + "!", "unicode.variation-selector-run", ("\ufe01\U000e0155" * 4)[2:]),
    ("x" + "\u200b\u200c\u200d\u2060" * 3 + "y", "unicode.zero-width", ("\u200b\u200c\u200d\u2060" * 3)[3:]),
    ("say \u200bi\u200bg\u200bn\u200bo\u200br\u200be it", "unicode.zero-width", "\u200bo\u200br\u200be"),
    ("i\u00adg\u00adn\u00ado\u00adr\u00ade", "unicode.zero-width", "\u00adr\u00ade"),
]
VISIBLE = [
    "plain text, and é, 日本語, Привет, 🙂",
    FLAG,
    f"{FLAG}{FLAG}",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \u2764\ufe0f\ufe0f \U0001f3f3\ufe0f\u200d\U0001f308",
    "می\u200cخواهم کتاب\u200cها را",
    "क्\u200dष और क्\u200cष",
    "\u2067שלום\u2069 and \u202bعربي\u202c",
    "葛\U000e0100城 辻\U000e0101",
    "\ufeffA file that begins with a mark",
    "re\u00adcom\u00admen\u00adda\u00adtion of a Donau\u00addampf\u00adschiff",
    "super\u200bcali\u200bfragi",
    "ភាសា\u200bខ្មែរ\u200bគឺ",
]


@pytest.fixture(scope="module")
def hidden() -> Scanner:
    return Scanner(UNICODE)


def found(scanner: Scanner, text: str) -> list[tuple[str, str]]:
    return [(finding.kind, text[finding.start : finding.end]) for finding in scanner.scan_text(text)]


@pytest.mark.parametrize(("text", "kind", "span"), HIDDEN)
def test_finds_what_nobody_sees(hidden: Scanner, text: str, kind: str, span: str) -> None:
    assert found(hidden, text) == [(kind, span)]


@pytest.mark.parametrize("text", VISIBLE)
def test_leaves_writing_alone(hidden: Scanner, text: str) -> None:
    assert found(hidden, text) == []


def streamed(scanner: Scanner, pieces: list[str]) -> tuple[str, list[tuple[str, int, int]]]:
    window = Window(scanner)
    text, places = "", []
    for released in [*(window.feed(piece) for piece in pieces), window.finish()]:
        places += [(f.kind, len(text) + f.start, len(text) + f.end) for f in released.findings]
        text += released.text
    return text, places


@pytest.mark.parametrize("text", [*(text for text, _, _ in HIDDEN), *VISIBLE])
def test_a_stream_is_cut_anywhere(hidden: Scanner, text: str) -> None:
    whole = [(f.kind, f.start, f.end) for f in hidden.scan_text(text)]
    assert streamed(hidden, list(text)) == (text, whole)
    for place in range(len(text) + 1):
        assert streamed(hidden, [text[:place], text[place:]]) == (text, whole)


characters = st.sampled_from(
    "aB \né日🙂\U0001f3f4\U000e0067\U000e007f\U000e0080\U000e0100\ufe0f\u200b\u200d\u2060\ufeff\u180e\u034f\u00ad\u202e\u202d\u202a"
    "\ud83d\udc00"
)


@settings(max_examples=300, deadline=None)
@given(st.lists(characters, max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_any_cuts_of_any_mixture(hidden: Scanner, text: list[str], places: list[int]) -> None:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    pieces = ["".join(text[start:end]) for start, end in pairwise(edges)]
    whole = [(f.kind, f.start, f.end) for f in hidden.scan_text("".join(text))]
    assert streamed(hidden, pieces) == ("".join(text), whole)


@settings(max_examples=200, deadline=None)
@given(st.lists(characters, max_size=40).map("".join))
def test_both_automata_agree(hidden: Scanner, text: str) -> None:
    assert hidden.scan_text(text) == Scanner(UNICODE, Portable).scan_text(text)


@pytest.mark.parametrize("unit", [TAGS, "\u200b", "\ufe0f", "\u202e", "a\u200b", "a\u00ad"])
def test_a_flood_is_one_match(hidden: Scanner, unit: str) -> None:
    assert len(hidden.candidates("\n" + unit * 2000 + "\n")) == 1
