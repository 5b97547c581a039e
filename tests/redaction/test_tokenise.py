"""Texts as they leave: what is exchanged, where, and that a caller cannot make a token mean anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.redaction.conftest import (
    BORN,
    CARD,
    KEY,
    KINDS,
    MAIL,
    NAME,
    OTHER_MAIL,
    SURROGATES,
    TOKENS,
    exchanged,
    found,
    noise,
    restorer,
    tokeniser,
    values,
)

from yett.errors import Refusal
from yett.model.finding import Finding
from yett.model.route import Secret
from yett.model.segment import Segment
from yett.model.substitute import Substitute
from yett.redaction import tokenise
from yett.redaction.mint import Mint, task_key
from yett.redaction.ways import Ways

TOKEN = Mint(KEY).token("pii.email", MAIL)


def turn(*said: tuple[str, str]) -> list[Segment]:
    return [Segment(text, role, index) for index, (role, text) in enumerate(said)]


def test_values_become_tokens_of_their_kind() -> None:
    text, made = exchanged(f"Write to {MAIL}, {MAIL} and {OTHER_MAIL}; card {CARD}.")
    tokens = re.findall(r"[A-Z]+_[A-Z2-7]{8}", text)
    assert [token[:-9] for token in tokens] == ["EMAIL", "EMAIL", "EMAIL", "CARD"]
    assert tokens[0] == tokens[1] != tokens[2]
    assert not any(value in text for value in KINDS)
    assert len(made.known) == 3


def test_the_map_cannot_be_printed() -> None:
    _, made = exchanged(MAIL)
    assert MAIL not in repr(list(made.known))


def test_a_turn_later_the_tokens_are_the_same() -> None:
    first = turn(("user", f"I am {MAIL}"))
    later = turn(("user", f"I am {MAIL}"), ("assistant", f"Hello {MAIL}"), ("user", f"and {OTHER_MAIL}"))
    before, after = (tokeniser().texts(said, found(said)) for said in (first, later))
    assert after[0] == before[0] == f"I am {TOKEN}"
    assert after[1] == f"Hello {TOKEN}"


def test_a_value_is_exchanged_where_no_detector_sees_it() -> None:
    said = turn(
        ("user", f"My phone: {MAIL}"),
        ("assistant", f"Did you say {MAIL}, or x{MAIL}? ({MAIL})"),
        ("user", "ada@example.orgs"),
    )
    texts = tokeniser().texts(said, found(said[:1]))
    assert texts == {0: f"My phone: {TOKEN}", 1: f"Did you say {TOKEN}, or x{MAIL}? ({TOKEN})"}


def test_what_is_short_is_exchanged_only_where_it_was_found() -> None:
    said = turn(("user", "Ada is here"), ("user", "Ada was there"))
    finding = Finding("pii.name", 0, 0, 3, "test")
    assert tokeniser().texts(said, [finding]).keys() == {0}


def test_names_are_not_looked_at_for_values() -> None:
    said = [Segment(MAIL, "user", 0), Segment(MAIL, "user", -1), Segment(TOKEN, "tool", -1), Segment(TOKEN, "user", -1)]
    assert tokeniser().texts(said, found(said[:1])) == {0: TOKEN}


# ---- one way ------------------------------------------------------------------------------------------------------------


def test_secrets_go_one_way_and_other_findings_stay() -> None:
    ways = Ways(redact=("secret",), tokenize=("pii.email",))
    text, made = exchanged(f"{MAIL} sk-12345 {CARD}", ways)
    assert text == f"{TOKEN} [REDACTED:secret.key] {CARD}"
    assert [entry.kind for entry in made.known] == ["pii.email"]


@pytest.mark.parametrize(
    ("spans", "out"),
    [
        ([("pii.a", 0, 6), ("secret.b", 4, 9)], "[REDACTED:secret.b]j"),
        ([("secret.b", 0, 6), ("pii.a", 4, 9)], "[REDACTED:secret.b]j"),
        ([("pii.a", 0, 6), ("pii.a", 2, 4), ("pii.b", 6, 8)], None),
        ([("secret.b", 0, 3), ("secret.b", 3, 6), ("secret.c", 6, 8)], "[REDACTED:secret.b][REDACTED:secret.c]ij"),
    ],
)
def test_findings_that_overlap_go_the_stricter_way(spans: list[tuple[str, int, int]], out: str | None) -> None:
    findings = [Finding(kind, 0, start, end, "test") for kind, start, end in spans]
    made = tokeniser(Ways(redact=("secret",), tokenize=("pii",)))
    text = made.texts(turn(("user", "abcdefghij")), findings)[0]
    assert text == out if out else re.fullmatch(r"A_\w{8}B_\w{8}ij", text)


def test_what_is_too_long_or_one_too_many_goes_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * (tokenise.LONGEST_VALUE + 1)
    made = tokeniser()
    assert made.texts(turn(("user", long)), [Finding("pii.name", 0, 0, len(long), "test")]) == {
        0: "[REDACTED:pii.name]"
    }
    monkeypatch.setattr(tokenise, "MOST_VALUES", 1)
    text, _ = exchanged(f"{MAIL} {OTHER_MAIL} {MAIL}")
    assert text == f"{TOKEN} [REDACTED:pii.email] {TOKEN}"


class Stuck(Mint):
    """Has one token for everything."""

    def token(self, kind: str, value: str, attempt: int = 0) -> str:
        return super().token(kind, "", 0)


def test_a_value_whose_tokens_are_all_taken_goes_for_good() -> None:
    said = turn(("user", f"{MAIL} {OTHER_MAIL}"))
    made = tokenise.Tokeniser(Stuck(KEY), TOKENS, lambda _: ())
    assert re.fullmatch(r"EMAIL_\w{8} \[REDACTED:pii\.email\]", made.texts(said, found(said))[0])


def test_two_values_never_share_a_token() -> None:
    class Crowded(Mint):
        def token(self, kind: str, value: str, attempt: int = 0) -> str:
            return super().token(kind, "", attempt)

    said = turn(("user", f"{MAIL} {OTHER_MAIL}"))
    made = tokenise.Tokeniser(Crowded(KEY), TOKENS, lambda _: ())
    text = made.texts(said, found(said))[0]
    assert len(set(text.split())) == 2
    assert restorer(made).whole(text) == said[0].text


# ---- literals ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["user", "system", "developer", "other", "definition", "document"])
@pytest.mark.parametrize("written", [TOKEN, TOKEN.lower(), TOKEN.replace("_", "\\_"), f"x{TOKEN}s"])
def test_a_token_that_a_caller_writes_comes_back_as_written(role: str, written: str) -> None:
    said = turn((role, f"{written} is not {MAIL}"))
    made = tokeniser()
    text = made.texts(said, found(said))[0]
    assert re.fullmatch(rf"x?TEXT_\w{{8}}s? is not {TOKEN}", text)
    assert restorer(made).whole(text) == said[0].text


def test_a_token_of_another_call_stays_as_it_is_and_means_nothing() -> None:
    text, made = exchanged(f"EMAIL_2222BBB2 {MAIL}")
    assert text == f"EMAIL_2222BBB2 {TOKEN}"
    assert restorer(made).whole("EMAIL_2222BBB2") == "EMAIL_2222BBB2"


def test_a_surrogate_that_a_caller_writes_comes_back_as_written() -> None:
    surrogate = exchanged(MAIL, SURROGATES)[0]
    said = turn(("user", f"{MAIL} {surrogate.upper()}"))
    made = tokeniser(SURROGATES)
    text = made.texts(said, found(said))[0]
    assert re.fullmatch(rf"{surrogate} TEXT_\w{{8}}", text)
    assert restorer(made).whole(text) == said[0].text


def test_tokens_of_tokens_of_tokens() -> None:
    """What stands for a literal may itself be written by a caller who has seen it; not without end."""
    mint = Mint(KEY)
    chain = [TOKEN]
    while len(chain) < 12:
        chain.append(mint.token("literal.text", chain[-1]))
    for length in (2, 7):
        text, made = exchanged(" ".join([MAIL, *chain[:length]]))
        assert text == " ".join([TOKEN, *chain[1 : length + 1]])
        assert restorer(made).whole(text) == " ".join([MAIL, *chain[:length]])
    with pytest.raises(Refusal) as caught:
        exchanged(" ".join([MAIL, *chain]))
    assert caught.value.code == "content_blocked"


def test_a_literal_for_which_nothing_is_left_is_cut_out() -> None:
    class OneEach(Mint):
        def token(self, kind: str, value: str, attempt: int = 0) -> str:
            return TOKEN if kind == "pii.email" else super().token(kind, "")

    said = turn(("user", f"{TOKEN} {TOKEN.lower()} {MAIL}"))
    made = tokenise.Tokeniser(OneEach(KEY), TOKENS, lambda _: ())
    text = made.texts(said, found(said))[0]
    assert re.fullmatch(rf"TEXT_\w{{8}} \[REDACTED:literal\.text\] {TOKEN}", text)


# ---- the model's own words --------------------------------------------------------------------------------------------------


class Vault:
    """Recalls what it was given, and notes what it was asked for."""

    def __init__(self, *entries: Substitute) -> None:
        self.entries = {entry.shown.lower(): entry for entry in entries}
        self.asked: list[str] = []

    def recall(self, shown: Sequence[str]) -> Iterable[Substitute]:
        self.asked += shown
        return [self.entries[each.lower()] for each in shown if each.lower() in self.entries]


@pytest.mark.parametrize("role", ["assistant", "tool", "arguments", "function"])
def test_tokens_in_the_model_s_words_stay_and_are_recalled(role: str) -> None:
    vault = Vault(Substitute("pii.email", TOKEN, Secret(MAIL)))
    said = turn(("user", "and now?"), (role, f'{{"to":"{TOKEN.lower()}","cc":"EMAIL_2222BBB2"}}'))
    made = tokeniser(recall=vault.recall)
    assert made.texts(said, found(said)) == {}
    assert sorted(vault.asked) == sorted([TOKEN, "EMAIL_2222BBB2"])
    assert restorer(made).whole(f"To {TOKEN} and EMAIL_2222BBB2") == f"To {MAIL} and EMAIL_2222BBB2"


def test_what_is_known_from_this_call_is_not_asked_for() -> None:
    vault = Vault()
    said = turn(("user", MAIL), ("arguments", TOKEN))
    assert tokeniser(recall=vault.recall).texts(said, found(said)) == {0: TOKEN}
    assert vault.asked == []


def test_a_recalled_token_in_a_caller_s_words_is_a_literal() -> None:
    vault = Vault(Substitute("pii.email", TOKEN, Secret(MAIL)))
    said = turn(("assistant", TOKEN), ("user", TOKEN))
    made = tokeniser(recall=vault.recall)
    text = made.texts(said, found(said))[1]
    assert text.startswith("TEXT_")
    assert restorer(made).whole(text) == TOKEN


def test_surrogates_in_the_model_s_words_are_no_new_values() -> None:
    """A made-up address is found by the detectors like any other."""
    surrogate = exchanged(MAIL, SURROGATES)[0]
    said = turn(("user", MAIL), ("arguments", f"to {surrogate}"))
    findings = [*found(said), Finding("pii.email", 1, 3, 3 + len(surrogate), "test")]
    assert tokeniser(SURROGATES).texts(said, findings) == {0: surrogate}
    recalled = tokeniser(SURROGATES, recall=Vault(Substitute("pii.email", surrogate, Secret(MAIL))).recall)
    assert recalled.texts(said[1:], [Finding("pii.email", 0, 3, 3 + len(surrogate), "test")]) == {}
    unknown = tokeniser(SURROGATES).texts(said[1:], [Finding("pii.email", 0, 3, 3 + len(surrogate), "test")])
    assert unknown.keys() == {1}


# ---- surrogates -------------------------------------------------------------------------------------------------------------


def test_a_surrogate_that_would_touch_something_is_a_token() -> None:
    assert re.fullmatch(r"xEMAIL_\w{8} u\w+@redacted\.example", exchanged(f"x{MAIL} {MAIL}", SURROGATES)[0])
    assert re.fullmatch(r"EMAIL_\w{8}x", exchanged(f"{MAIL}x", SURROGATES)[0])
    assert re.fullmatch(r"EMAIL_\w{8}CARD_\w{8}", exchanged(f"{MAIL}{CARD}", SURROGATES)[0])
    assert re.fullmatch(r"EMAIL_\w{8}PHONE_\w{8}", exchanged(f"{MAIL}+44 20 7946 0018", SURROGATES)[0])


def test_a_surrogate_with_a_literal_beside_it_is_a_token() -> None:
    """Both begin with a sign, so that neither was part of a word; what stands for the second one begins with a letter."""
    value = "+44 20 7946 0018"
    surrogate = exchanged(value, SURROGATES)[0]
    text, made = exchanged(f"{value}{surrogate}", SURROGATES)
    assert re.fullmatch(r"PHONE_\w{8}TEXT_\w{8}", text)
    assert restorer(made).whole(text) == f"{value}{surrogate}"


def test_what_has_no_surrogate_has_a_token() -> None:
    assert re.fullmatch(r"NAME_\w{8}", exchanged(NAME, SURROGATES)[0])


def test_when_all_surrogates_are_taken_tokens_follow() -> None:
    days = [f"{year}-01-02" for year in range(1000, 9999)]
    said = turn(("user", " ".join(days)))
    findings = [Finding("pii.date-of-birth", 0, 11 * n, 11 * n + 10, "test") for n in range(len(days))]
    made = tokeniser(SURROGATES)
    text = made.texts(said, findings)[0]
    assert text.count("DATEOFBIRTH_") > 4000
    assert len(set(text.split())) == len(days)
    assert restorer(made).whole(text) == said[0].text


def test_a_value_is_never_its_own_surrogate() -> None:
    surrogate = exchanged(BORN, SURROGATES)[0]

    class Fixed(Mint):
        def draw(self, kind: str, value: str, attempt: int = 0) -> int:
            return Mint(KEY).draw(kind, BORN, attempt)

    made = tokenise.Tokeniser(Fixed(KEY), SURROGATES, lambda _: ())
    text = made.texts(turn(("user", surrogate)), [Finding("pii.date-of-birth", 0, 0, len(surrogate), "test")])[0]
    assert text != surrogate
    assert restorer(made).whole(text) == surrogate


# ---- all texts ---------------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["user", "system", "other"]),
            st.lists(noise | values | st.just(TOKEN), max_size=6).map("".join),
        ),
        max_size=4,
    )
)
@pytest.mark.parametrize("ways", [TOKENS, SURROGATES])
def test_whatever_was_written_comes_back(ways: Ways, said: list[tuple[str, str]]) -> None:
    segments = turn(*said)
    findings = found(segments)
    made = tokeniser(ways)
    texts = made.texts(segments, findings)
    for segment in segments:
        assert restorer(made).whole(texts.get(segment.index, segment.text)) == segment.text
    assert {f.segment for f in findings} <= texts.keys()


def test_other_tasks_do_not_know_the_tokens() -> None:
    ours, _ = exchanged(MAIL)
    said = turn(("user", MAIL))
    theirs = tokeniser(key=task_key(b"pepper", "other", "key_ada", ""))
    assert theirs.texts(said, found(said))[0] != ours
    assert restorer(theirs).whole(ours) == ours


@pytest.mark.parametrize("ways", [TOKENS, SURROGATES], ids=["tokens", "surrogates"])
def test_a_number_in_arguments_becomes_a_string_or_another_number(ways: Ways) -> None:
    digits = CARD.replace(" ", "")
    said = [Segment(f'{{"card": {digits}, "again": "{digits}"}}', "arguments", 0)]
    at = said[0].text.index(digits)
    shown = json.loads(tokeniser(ways).texts(said, [Finding("pii.card", 0, at, at + len(digits), "test")])[0])
    assert str(shown["card"]) == shown["again"] != digits
    assert isinstance(shown["card"], int) == (ways is SURROGATES)
