"""The scanner finds what it should, nothing in clean text, and places it right; both automata agree."""

from __future__ import annotations

import re
from random import Random
from time import process_time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.examples import AWS, CLEAN, FOUND, RANDOM
from tests.detectors.pii.examples import NATIONAL, OTHERS

from yett.detectors.detector import Detector
from yett.detectors.engine import SHORT, Hyperscan, Portable, Scanner
from yett.detectors.expression import compiled
from yett.detectors.shelf import SHELF
from yett.model.segment import Segment


@pytest.mark.parametrize(("text", "kind", "span"), FOUND)
def test_finds(scanner: Scanner, text: str, kind: str, span: str) -> None:
    assert (kind, span) in [(found.kind, text[found.start : found.end]) for found in scanner.scan_text(text)]


@pytest.mark.parametrize(("text", "kind", "span"), [row for row in FOUND if not row[1].startswith("label.")])
def test_finds_it_between_other_characters(scanner: Scanner, text: str, kind: str, span: str) -> None:
    for around in ("\n", "\n🙂\n", "\né ", '\n"', "\n日本"):
        padded = around + text + around[::-1]
        assert (kind, span) in [(found.kind, padded[found.start : found.end]) for found in scanner.scan_text(padded)]


@pytest.mark.parametrize("text", CLEAN)
def test_finds_nothing_in(scanner: Scanner, text: str) -> None:
    assert scanner.scan_text(text) == ()


@given(st.lists(st.sampled_from([text for text, _, _ in FOUND] + list(CLEAN)) | st.text(max_size=30), max_size=6))
@settings(deadline=None)
def test_both_automata_agree(scanner: Scanner, portable: Scanner, texts: list[str]) -> None:
    segments = [Segment(text, "user", index) for index, text in enumerate(texts)]
    assert scanner.scan(segments) == portable.scan(segments)


@given(st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
@settings(deadline=None)
def test_both_automata_agree_on_noise(scanner: Scanner, portable: Scanner, text: str) -> None:
    assert scanner.scan_text(text) == portable.scan_text(text)


def test_places_are_characters_of_their_segment(scanner: Scanner) -> None:
    texts = ("", "🙂 clean é", f"e\u0301🙂 {AWS} and 日本 ada@mail.example.org", "\ud83d", f"\udc00{AWS}")
    segments = [Segment(text, "tool", index * 3) for index, text in enumerate(texts)]
    found = scanner.scan(segments)
    assert [(f.segment, f.kind, texts[f.segment][f.start : f.end]) for f in found] == [
        (2, "secret.aws-access-key", AWS),
        (2, "pii.email", "ada@mail.example.org"),
        (4, "secret.aws-access-key", AWS),
    ]


def test_nothing_matches_across_segments(scanner: Scanner) -> None:
    halves = [Segment(AWS[:10], "user", 0), Segment(AWS[10:], "user", 1)]
    assert scanner.scan(halves) == ()
    assert scanner.scan([Segment("password: ", "user", 0), Segment("hunter22", "user", 1)]) == ()
    assert scanner.scan([Segment("4111 1111 1111", "user", 0), Segment(" 1111", "user", 1)]) == ()


def test_a_segment_is_scanned_as_if_alone(scanner: Scanner) -> None:
    rows = [text for text, _, _ in FOUND]
    together = scanner.scan([Segment(text, "user", index) for index, text in enumerate(rows)])
    alone = [(index, f.kind, f.start, f.end) for index, text in enumerate(rows) for f in scanner.scan_text(text)]
    assert [(f.segment, f.kind, f.start, f.end) for f in together] == alone


def test_text_is_clean_when_the_pattern_itself_does_not_occur() -> None:
    badge = Detector("badge", "pii.badge", r"badge ([0-9]{4})", anchor="badge")
    scanner = Scanner([badge])
    assert scanner.clean(b"\0\nno badge\0\n1234\0\n")
    assert not scanner.clean(b"\0\na badge 1234\0\n")
    assert not scanner.clean(b"\0\nno badge\0\n" + b" " * SHORT)  # too long to be sure of


def test_whatever_is_found_is_not_clean(scanner: Scanner) -> None:
    for text, _, _ in FOUND:
        assert not scanner.clean(f"\0\nname\0\n: \0\n{text}\0\n".encode())


def test_no_segments_and_no_detectors() -> None:
    empty = Scanner(())
    assert empty.scan([]) == ()
    assert empty.scan_text(f"x {AWS}") == ()


def test_no_text(scanner: Scanner) -> None:
    assert scanner.scan([]) == ()
    assert scanner.scan_text("") == ()


def test_the_specific_kind_wins_over_the_named_one(scanner: Scanner) -> None:
    token = "ghp_" + RANDOM[:36]
    found = scanner.scan_text(f'github_token = "{token}"')
    assert [(f.kind, f.detector) for f in found] == [("secret.github-token", "github-token")]


def test_families_do_not_hide_each_other(scanner: Scanner) -> None:
    kinds = [f.kind for f in scanner.scan_text('password: "5425233430109903" ')]
    assert sorted(kinds) == ["pii.card", "secret.password"]


def test_a_number_after_a_phone_number_does_not_hide_it(scanner: Scanner) -> None:
    text = "+44 20 7946 0958 24 12"
    assert [text[f.start : f.end] for f in scanner.scan_text(text)] == ["+44 20 7946 0958"]


@pytest.mark.parametrize("pattern", ["(", "no group", "(two)(groups)", "(?=look)(ahead)"])
def test_a_bad_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="detector bad"):
        Scanner([Detector(id="bad", kind="secret.bad", pattern=pattern)])


@pytest.mark.parametrize("pattern", ["(a*)", "((?U)ab*)"])
def test_a_pattern_that_only_the_automaton_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="automaton refuses"):
        Scanner([Detector(id="odd", kind="secret.odd", pattern=pattern)])


@pytest.mark.parametrize(
    "detector", [each for each in SHELF if each.anchor and not each.besides], ids=lambda each: str(each.id)
)
@given(st.data())
@settings(deadline=None)
def test_an_anchor_matches_wherever_the_pattern_does(detector: Detector, data: st.DataObject) -> None:
    found = data.draw(st.from_regex(re.compile(detector.pattern.encode()), fullmatch=True))
    assert compiled(detector.anchor).search(found)


def test_what_occurs_besides_is_where_anything_is_found(scanner: Scanner) -> None:
    """Without it, and so with every word and shape looked for in every text, the same is found."""
    plain = Scanner([msgspec.structs.replace(detector, besides="", group="") for detector in SHELF])
    rows = [f"{word}: {number} {bare}" for _, word, number, bare, _ in NATIONAL]
    for text in (*rows, *(before + span + after for before, _, span, after in OTHERS)):
        assert scanner.scan_text(text) == plain.scan_text(text)
    for gap in (" ", ", ", "\n", "; "):  # one number after another, in a text that is not short any more
        for text in (gap.join(bare for _, _, _, bare, _ in NATIONAL), gap.join(rows * 2)):
            assert scanner.scan_text(text) == plain.scan_text(text)


def test_anchors_change_what_is_found_in_nothing() -> None:
    standing = [detector for detector in SHELF if not detector.besides]
    scanner = Scanner(standing)
    # The automaton refuses an e-mail address without its anchor: it may begin in too many places.
    plain = Scanner(
        [msgspec.structs.replace(each, anchor=each.anchor if each.id == "email" else "") for each in standing]
    )
    for text in [
        *(text for text, _, _ in FOUND),
        *CLEAN,
        "a@b",
        "@b.cd",
        "x@-b.cd ",
        "git@host.org/x ",
        "é@b.cd a@é.de",
    ]:
        assert scanner.scan_text(text) == plain.scan_text(text)


HOSTILE = {
    "digits": "0123456789",
    "digit groups": "4111 1111 1111 1112 ",
    "addresses": "a@b.cd ",
    "addresses in one word": "a@b.cd",
    "key ids": "AKIA" + "ABCDEFGHIJKLMNOP ",
    "base64": RANDOM,
    "one letter": "a",
    "dots": ".",
    "ats": "@",
    "hosts that go on": "a@b.c-",
    "phones": "+1 415 555 2671 ",
    "ibans": "DE89 3704 0044 0532 0130 00 ",
    "headers": "-----BEGIN RSA PRIVATE KEY-----\n",
    "keys": "-----BEGIN RSA PRIVATE KEY-----\n" + RANDOM[:40] + "\n",
    "jwts": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0 ",
    "names": "password = secret: token=",
    "urls": "x://u:p",
    "spaces": " ",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_is_linear_in_hostile_text(scanner: Scanner, unit: str) -> None:
    """Ten times the text may take ten times as long; a quadratic scan would take a hundred times."""

    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = 10.0
        for _ in range(3):
            begin = process_time()
            scanner.scan_text(text)
            best = min(best, process_time() - begin)
        return best

    assert seconds(40_000) < 40 * max(seconds(4_000), 50e-6)


def _seconds(scanner: Scanner, text: str) -> float:
    times = []
    for _ in range(3):
        begin = process_time()
        scanner.scan_text(text)
        times.append(process_time() - begin)
    return min(times)


@pytest.mark.parametrize("separators", [" -./()+,", " -", " -("])
def test_numbers_with_mixed_separators_cost_what_others_do(scanner: Scanner, separators: str) -> None:
    draw = Random(5)
    groups = ["".join(draw.choices("0123456789", k=draw.randrange(1, 6))) for _ in range(3000)]
    mixed = "".join(group + draw.choice(separators) for group in groups)
    assert _seconds(scanner, mixed) < 60 * _seconds(scanner, ",".join(groups))


def test_what_is_compiled_is_kept_for_the_next_scanner() -> None:
    begin = process_time()
    Scanner(SHELF)
    Scanner(SHELF)
    first = process_time() - begin
    begin = process_time()
    Scanner(SHELF)
    assert process_time() - begin <= first


def test_the_portable_automaton_answers_alike_for_every_example(scanner: Scanner, portable: Scanner) -> None:
    for text in [*(row[0] for row in FOUND), *CLEAN]:
        assert scanner.scan_text(text) == portable.scan_text(text)
    assert isinstance(portable._places._first.automaton, Portable)


def test_twins_say_the_same_and_outlive_each_other() -> None:
    first = Hyperscan((b"a[0-9]", b"b"))
    twin = first.twin()
    assert first(b"a1 b") == twin(b"a1 b") == [0, 1]
    del first
    assert twin(b"b") == [1]


def test_what_could_not_be_compiled_when_it_is_heard_of_is_refused_at_once() -> None:
    large = "|".join(f"[^a]{{{number}}}" for number in range(970, 1000))
    with pytest.raises(ValueError, match=r"detector large: .*pattern too large"):
        Scanner([Detector(id="large", kind="pii.large", pattern=f"({large})", anchor="large")], Portable)
