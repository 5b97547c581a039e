"""What was issued, found again: exactly, in any case, alone, and in time that grows with the text only."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.redaction.conftest import noise

from yett.model.route import Secret
from yett.model.substitute import Substitute
from yett.redaction.known import Known, Literals, is_token, token_shapes

TOKEN = "EMAIL_7Q2MKDB3"
SURROGATE = "u23@redacted.example"


def entry(shown: str, kind: str = "pii.email") -> Substitute:
    return Substitute(kind, shown, Secret(f"value of {shown}"))


def known(*shown: str) -> Known:
    return Known(entry(each) for each in shown)


def places(text: str, *shown: str) -> list[tuple[int, int, str]]:
    return [(match.start, match.end, match.entry.shown) for match in known(*shown).find(text)]


@pytest.mark.parametrize("written", [TOKEN, TOKEN.lower(), "Email_7q2MkdB3", r"EMAIL\_7Q2MKDB3", r"EMAIL\\_7Q2MKDB3"])
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("x", "s"), ("**", "**"), ("'", "'s"), ("_", "_"), ("3", "7"), ("EMAIL", "_")]
)
def test_a_token_is_found_whatever_is_around_it(written: str, before: str, after: str) -> None:
    assert places(before + written + after, TOKEN) == [(len(before), len(before + written), TOKEN)]


@pytest.mark.parametrize(
    "written",
    [
        "EMAIL_7Q2MKDB",
        "MAIL_7Q2MKDB3",
        "EMAIL 7Q2MKDB3",
        "CARD_7Q2MKDB3",
        "EMAIL_7Q2MKDB2",
        r"EMAIL\\\_7Q2MKDB3",
        "EMAIL__7Q2MKDB3",
    ],
)
def test_what_is_nearly_a_token_is_none(written: str) -> None:
    assert places(written, TOKEN, "CARD_22222222") == []


def test_types_that_end_alike_are_told_apart() -> None:
    both = ("CARD_7Q2MKDB3", "IDENTITYCARD_7Q2MKDB4")
    assert places("IDENTITYCARD_7Q2MKDB4 IDENTITYCARD_7Q2MKDB3", *both) == [(0, 21, both[1]), (30, 43, both[0])]


def test_half_a_token_hides_no_other() -> None:
    assert places("EMAIL_BCDFGHPHONE_22222222", "PHONE_22222222", TOKEN) == [(12, 26, "PHONE_22222222")]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [("", "", True), ("(", ")", True), ("x", "", False), ("", "s", False), ("é", "", False), ("", "'s", True)],
)
def test_a_surrogate_stands_by_itself(before: str, after: str, found: bool) -> None:
    assert bool(places(before + SURROGATE.upper() + after, SURROGATE)) is found


def test_of_two_that_overlap_the_first_counts() -> None:
    assert places("a@b.c_22222222", "a@b.c", "C_22222222") == [(0, 5, "a@b.c")]


def test_one_thing_stands_for_one_value() -> None:
    made = known(TOKEN, SURROGATE)
    assert not made.add(entry(TOKEN))
    assert not made.add(entry("PHONE_7Q2MKDB3"))  # the same characters with another type
    assert not made.add(entry(SURROGATE.upper()))
    assert not made.add(entry("+-"))  # nothing that could be found again
    assert len(made) == 2
    assert made.get(TOKEN.lower()) is made.get(TOKEN) is not None
    assert made.get("PHONE_7Q2MKDB3") is None


def test_whether_it_is_worth_looking() -> None:
    made = known(TOKEN, SURROGATE)
    assert made.occur(f"x{TOKEN.lower()}")
    assert made.occur(f"x{SURROGATE.upper()}x")
    assert not made.occur("EMAIL_22222222 redacted.example")
    assert not known(TOKEN).occur(SURROGATE)
    assert not known(SURROGATE).occur(TOKEN)


def test_some_of_them() -> None:
    made = known(TOKEN, SURROGATE)
    assert made.only(lambda _: True) is made
    assert [each.shown for each in made.only(lambda each: each.shown == TOKEN)] == [TOKEN]


@pytest.mark.parametrize("shown", [TOKEN, SURROGATE])
def test_every_beginning_is_waited_for(shown: str) -> None:
    made = known(shown)
    for cut in range(1, len(shown)):
        text = f"so {shown[:cut]}"
        assert made.pending(text, 0) == 3
        assert made.pending(text.upper(), 0) == 3
    assert made.pending(f"so {shown}.", 0) == len(shown) + 4


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("so EMAIL\\", 3), ("so EMAIL\\\\", 3), ("so EMAIL\\\\\\", 11), ("so EMAI\\", 8), ("so \\", 4), ("EMAIL_7Q2_", 10), ("EMAIL_7Q3", 9),
        ("EMAIL_7Q2MKDEM", 12), ("_", 1), ("", 0), ("so é", 4), ("ſEMAı", 5),
    ],
)  # fmt: skip
def test_nothing_else_is_waited_for(text: str, place: int) -> None:
    assert known(TOKEN).pending(text, 0) == place


def test_nothing_is_waited_for_when_nothing_is_known() -> None:
    assert Known().pending("EMAIL_7Q2", 0) == 9
    assert Known().find(f"{TOKEN} {SURROGATE}") == []


def test_what_is_settled_is_not_looked_at_again() -> None:
    assert known(TOKEN).pending("EMAIL_7Q2", 3) == 9
    assert known(TOKEN).find(TOKEN, 3) == []


def test_the_shape_of_tokens() -> None:
    assert is_token(TOKEN)
    assert not any(
        map(
            is_token, [SURROGATE, TOKEN.lower(), f"{TOKEN}s", f"1{TOKEN}", "_22222222", "EMAIL_AAAAAAA2", "+1_22222222"]
        )
    )
    assert list(token_shapes(rf"a {TOKEN.lower()}s CARD\_22222222 _33333333 9_44444444")) == [TOKEN, "CARD_22222222"]


# ---- literals -------------------------------------------------------------------------------------------------------------------

words = st.text(st.sampled_from("ab1 .+é\u0130"), min_size=1, max_size=6)


@settings(max_examples=500, deadline=None)
@given(st.lists(words, max_size=5), st.lists(words | noise, max_size=8).map("".join), st.booleans(), st.booleans())
def test_few_strings_are_found_as_many_are(given_texts: list[str], text: str, fold: bool, final: bool) -> None:
    literals = Literals(fold)
    for each in given_texts:
        literals.add(each)

    class Many(Literals):
        def _few(self, text: str, start: int) -> list[tuple[int, int]]:
            return list(self._many(text, start))

    many = Many(fold)
    for each in given_texts:
        many.add(each)
    found = list(literals.find(text, final=final))
    assert found == list(many.find(text, final=final))
    assert literals.occur(text) or not found
    for start, end, literal in found:
        assert text[start:end].lower() == literal.lower()
        assert fold or text[start:end] == literal


def test_more_shapes_than_are_looked_for_are_not_taken() -> None:
    literals = Literals()
    for length in range(40):
        literals.add("a" + " " * length + "+")
    assert len(literals) == 16
    assert "a" + " " * 39 + "+" not in literals


def test_many_strings() -> None:
    literals = Literals(fold=True)
    for number in range(100):
        literals.add(f"u{number}@Example.org")
    text = "U7@example.org, u7@example.orgs xu7@example.org u700@example.org u99@EXAMPLE.org " + "y" * 1000
    assert [given for _, _, given in literals.find(text)] == ["u7@Example.org", "u99@Example.org"]
    assert literals.occur(text)
    assert not literals.occur("u100@example.org")
