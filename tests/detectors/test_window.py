"""Whatever the pieces, a stream is released whole and its findings are those of the whole text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.detectors.examples import CLEAN, FOUND, JWT, PEM, RANDOM

from yett.detectors import window
from yett.detectors.detector import Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.resolve import CHAIN_CAP, SPAN_CAP
from yett.detectors.shelf import SHELF
from yett.detectors.window import Window

Found = list[tuple[str, int, int]]

EVERY = 10  # of the patterns that are alike
EXAMPLES = 4  # of each pattern


def stream(scanner: Scanner, pieces: Iterable[str]) -> tuple[list[str], Found]:
    """Feed the pieces; the released texts, and the findings at their absolute positions."""
    window = Window(scanner)
    released = [window.feed(piece) for piece in pieces]
    released.append(window.finish())
    found: Found = []
    at = 0
    for part in released:
        for finding in part.findings:
            assert 0 <= finding.start < finding.end <= len(part.text)
            found.append((finding.kind, at + finding.start, at + finding.end))
        at += len(part.text)
    assert window.held == 0
    return [part.text for part in released], found


def whole(scanner: Scanner, text: str) -> Found:
    return [(finding.kind, finding.start, finding.end) for finding in scanner.scan_text(text)]


def agree(scanner: Scanner, text: str, pieces: Sequence[str]) -> None:
    assert "".join(pieces) == text
    released, found = stream(scanner, pieces)
    assert "".join(released) == text
    assert found == whole(scanner, text), pieces


def cut(text: str, places: Iterable[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


TEXTS = [*(before for before, _, _ in FOUND), *CLEAN]


@pytest.mark.parametrize("text", TEXTS)
def test_one_cut_anywhere(scanner: Scanner, text: str) -> None:
    for place in range(len(text) + 1):
        agree(scanner, text, [text[:place], text[place:]])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 16, 64])
def test_pieces_of_one_size(scanner: Scanner, size: int) -> None:
    for text in TEXTS:
        agree(scanner, text, [text[i : i + size] for i in range(0, len(text), size)])


@pytest.mark.parametrize(
    "text", ["to a@b.io.", "x 4111 1111 1111 1111 9", "pwd=hunt3r2x ok", "ssn 123-45-6789 1", "a TLP:RED b"]
)
def test_two_cuts_anywhere(scanner: Scanner, text: str) -> None:
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            agree(scanner, text, [text[:first], text[first:second], text[second:]])


fragments = st.sampled_from(
    [
        *(text for text, _, _ in FOUND),
        *(span for _, _, span in FOUND),
        *(text[:60] for text in CLEAN),
        *" \n\t.,:;=-_@/+()'\"\\\0{}[]0147",
        *(
            "4111 ",
            "1111",
            "DE89 ",
            "3704 ",
            "AKIA",
            "eyJ",
            "sk-",
            "password",
            "secret",
            ": ",
            " is ",
            "-----",
            "BEGIN ",
        ),
        *("-----END RSA PRIVATE KEY-----", "+1 ", "é", "日本", "🙂", "\u00a0", "\u2011", "\u202f", "\ud83d", "e\u0301"),
        *("a@b.cd", "://u:", "@h", "x" * 70, "A1b2" * 40, "9" * 30, "@" * 5, "IBAN ", "RESTRICTED", "tlp:red"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(fragments, max_size=12).map("".join), st.lists(st.integers(0, 5000), max_size=40))
def test_any_cuts_of_any_mixture(scanner: Scanner, text: str, places: list[int]) -> None:
    agree(scanner, text, cut(text, places))


@settings(max_examples=150, deadline=None)
@given(st.lists(fragments, max_size=6).map("".join))
def test_character_by_character(scanner: Scanner, text: str) -> None:
    agree(scanner, text, list(text))


# ---- every pattern on the shelf keeps the rules that make a stream decidable -----------------------------------------


def bare(detector: Detector) -> Scanner:
    """The detector alone and without validators: every match of its pattern counts."""
    return Scanner([msgspec.structs.replace(detector, accept=None, judge=None, besides="", group="")], Portable)


def matching(detector: Detector) -> st.SearchStrategy[str]:
    """Text that a pattern (and its tail) matches, with bytes above ASCII made whole characters."""
    body = st.from_regex(re.compile(detector.pattern.encode()), fullmatch=True)
    tail = st.from_regex(re.compile(detector.tail.encode()), fullmatch=True) if detector.tail else st.just(b"")
    return st.tuples(body, tail).map(lambda parts: b"".join(parts).decode("utf-8", "replace"))


# Most of the shelf is alike: a prefix and the rest of a token, or a word and a number. Of those, every few, evenly.
ALIKE = [
    detector
    for detector in SHELF
    if detector.besides
    or (detector.kind.startswith("secret.") and not detector.judge and detector.id != "pem-private-key")
]
OTHERS = [detector for detector in SHELF if detector not in ALIKE]
SAMPLE = [*OTHERS, *ALIKE[::EVERY]]


@pytest.mark.parametrize("detector", SAMPLE, ids=lambda detector: detector.id)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_pattern_on_the_shelf_can_be_cut_anywhere(detector: Detector, data: st.DataObject) -> None:
    scanner = bare(detector)
    text = data.draw(fragments) + data.draw(matching(detector)) + data.draw(fragments)
    agree(scanner, text, cut(text, data.draw(st.lists(st.integers(0, 2000), max_size=20))))
    agree(scanner, text, list(text))


# ---- what is held, and what is not -------------------------------------------------------------------------------------


def test_prose_is_held_to_its_last_word(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed("The quick ").text == "The quick "
    assert window.held == 0
    assert window.feed("brown").text == ""
    assert window.feed(" fox").text == "brown "
    assert window.feed(".\n").text == "fox.\n"
    assert window.held == 0


def test_text_without_spaces_is_not_held(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed("日本語のテキスト").text == "日本語のテキスト"
    assert window.feed("には空白がありません").text == "には空白がありません"


def test_quotes_and_brackets_end_a_word(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed('{"city":"Oslo","unit":"c"}').text == '{"city":"Oslo","unit":"c"}'


@pytest.mark.parametrize(
    "token", ["Sure", ",", " here", " are", " 3", " of", " the", " U", ".S", ".", " plans", ":\n", "1", ". "]
)
def test_a_token_is_held_for_one_token_at_most(scanner: Scanner, token: str) -> None:
    window = Window(scanner)
    window.feed(token)
    window.feed(" next")
    assert window.held <= len(" next") + 1 + 2


def test_a_match_is_released_in_one_piece_with_its_finding(scanner: Scanner) -> None:
    for text, kind, span in FOUND:
        window = Window(scanner)
        parts = [window.feed(character) for character in text] + [window.finish()]
        whole_ones = [part for part in parts if span in part.text and kind in [found.kind for found in part.findings]]
        assert len(whole_ones) == 1, (text, kind)


def test_left_context_that_is_already_released_counts(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed("your password: ").text == "your password: "
    assert window.feed("hunt").text == ""
    assert window.feed("er22").text == ""
    released = window.feed("\nok ")
    assert released.text == "hunter22\nok "
    assert [(found.kind, found.start, found.end) for found in released.findings] == [("secret.password", 0, 8)]


@pytest.mark.parametrize(
    ("piece", "held"), [("born on May ", "May "), ("call (+ ", "(+ "), ("call (+ .", "(+ ."), ("made in DE ", "DE ")]
)
def test_what_may_begin_a_match_without_a_digit_yet_is_held(scanner: Scanner, piece: str, held: str) -> None:
    window = Window(scanner)
    assert window.feed(piece).text + held == piece


def test_a_space_behind_an_opened_number_may_be_cut_anywhere() -> None:
    detector = next(detector for detector in SHELF if detector.id == "phone-named")
    text = "電話\x01(+ 00000\0 tel (+ 49 30) 901820"
    agree(bare(detector), text, list(text))


def test_half_a_match_is_plain_text_at_the_end(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed("AKIA" + "ABCD").text == ""
    assert window.finish().text == "AKIAABCD"
    assert window.feed("ready ").text == "ready "


def test_a_window_begins_anew_after_the_end(scanner: Scanner) -> None:
    window = Window(scanner)
    window.feed("password: ")
    window.finish()
    window.feed("hunter22")
    assert window.finish().findings == ()


def test_nothing_fed_is_nothing_released(scanner: Scanner) -> None:
    window = Window(scanner)
    assert window.feed("").text == ""
    assert window.finish().text == ""


LONG = [
    pytest.param(PEM.replace("\n-----END", "\n" + (RANDOM + "\n") * 400 + "-----END"), id="pem"),
    pytest.param(PEM[: PEM.index("-----END")] + (RANDOM + "\n") * 400, id="pem without an end"),
    pytest.param(JWT + RANDOM * 400, id="jwt"),
    pytest.param("password=" + RANDOM * 300, id="password"),
    pytest.param("token: " + JWT + "A" * 9000 + " password=" + RANDOM * 10, id="jwt that is a named token"),
]


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_a_match_without_end_is_bounded_and_never_plain(scanner: Scanner, text: str, size: int) -> None:
    text = "before " + text + ". After it 4111 1111 1111 1111 is found."
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    agree(scanner, text, pieces)
    window = Window(scanner)
    most = 0
    for piece in pieces:
        window.feed(piece)
        most = max(most, window.held)
    assert most <= SPAN_CAP + CHAIN_CAP + size


HOSTILE = [
    pytest.param("0123456789" * 200, id="digits"),
    pytest.param("4111-1111-" * 200, id="digit groups"),
    pytest.param("a@b.cd" * 300, id="addresses in one word"),
    pytest.param("a@b.cd,4111 1111 1111 1111@c.de " * 40, id="overlapping families"),
    pytest.param(("AKIA" + "ABCDEFGHIJ234567") * 60, id="key ids in one word"),
    pytest.param("-----BEGIN RSA PRIVATE KEY-----" * 40, id="headers"),
    pytest.param("-----BEGIN A PRIVATE KEY-----\nAb-c: d\n" * 40, id="headers with headers"),
    pytest.param("password=secret=token=" * 60, id="names"),
    pytest.param("eyJhbGciOiJIUzI1NiJ9.eyJ" * 60, id="half tokens"),
    pytest.param("DE89 3704 0044 " * 80, id="half ibans"),
    pytest.param("+1 4 1 5 5 5 5 2 6 7 1 " * 60, id="spaced digits"),
    pytest.param("x://u:p@" * 150, id="urls"),
    pytest.param("\u00a0" * 500 + "1\u202f" * 300, id="wide spaces"),
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("size", [1, 13, 300])
def test_hostile_text_in_pieces(scanner: Scanner, text: str, size: int) -> None:
    agree(scanner, text, [text[i : i + size] for i in range(0, len(text), size)])
    window = Window(scanner)
    for i in range(0, len(text), size):
        window.feed(text[i : i + size])
        assert window.held <= SPAN_CAP + CHAIN_CAP


@given(st.text("aZ9 -+(.@\n\u00a0\u2013", min_size=1, max_size=40))
def test_a_space_after_a_word_settles_it_and_nothing_else(text: str) -> None:
    """What is decided by the last two characters is what the whole rule says, where no date and no word behind digits goes on."""
    assume(not window._DATED.search(text) and not re.search(r"[0-9][ (-]*[aZ]+\Z", text))
    groups = min(
        window._groups(text, window._DIGITS, window._DIGITS_BEGIN),
        window._groups(text, window._PRINTED, window._PRINTED_BEGIN),
    )
    assert window._settled(text) == min(len(text.rstrip(window._WORD)), groups)
