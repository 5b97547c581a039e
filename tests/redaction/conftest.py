"""Texts of one call for the tests of redaction: who said what, and what a detector would have found in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

from yett.model.finding import Finding
from yett.model.segment import Segment
from yett.model.substitute import Substitute
from yett.redaction.mint import Mint, task_key
from yett.redaction.restore import Allowance, Restorer
from yett.redaction.tokenise import Tokeniser
from yett.redaction.ways import Ways

KEY = task_key(b"pepper", "default", "key_ada", "")
MAIL, OTHER_MAIL, CARD, IBAN = "ada@example.org", "Bo@example.net", "4111 1111 1111 1111", "DE89370400440532013000"
PHONE, ADDRESS, BORN, NAME = "+44 20 7946 0018", "10.1.2.3", "1815-12-10", 'Ada "The\\Countess"\nLovelace 🙂'
TOKENS, SURROGATES = Ways(tokenize=("pii",)), Ways(surrogate=("pii",))
KINDS = {
    MAIL: "pii.email", OTHER_MAIL: "pii.email", CARD: "pii.card", IBAN: "pii.iban", PHONE: "pii.phone",
    ADDRESS: "pii.ip-address", BORN: "pii.date-of-birth", NAME: "pii.name", "sk-12345": "secret.key",
}  # fmt: skip
_VALUES = re.compile("|".join(map(re.escape, KINDS)))


def found(segments: Sequence[Segment]) -> list[Finding]:
    """A detector for the values above, wherever they stand."""
    return [
        Finding(KINDS[match[0]], position, match.start(), match.end(), "test")
        for position, segment in enumerate(segments)
        for match in _VALUES.finditer(segment.text)
    ]


def nothing(_: Sequence[str]) -> Iterable[Substitute]:
    return ()


def tokeniser(
    ways: Ways = TOKENS, key: bytes = KEY, recall: Callable[[Sequence[str]], Iterable[Substitute]] = nothing
) -> Tokeniser:
    return Tokeniser(Mint(key), ways, recall)


def exchanged(text: str, ways: Ways = TOKENS, role: str = "user") -> tuple[str, Tokeniser]:
    """One text as it leaves, and what it was worked on with."""
    made = tokeniser(ways)
    segments = [Segment(text, role, 0)]
    return made.texts(segments, found(segments)).get(0, text), made


def restorer(made: Tokeniser, *, json: bool = False, characters: int = 1 << 20) -> Restorer:
    return Restorer(made.known, Allowance(characters), json=json)


def restored(pieces: Iterable[str], reader: Restorer) -> str:
    """What becomes of a text that arrives in pieces."""
    out = [piece.text for text in pieces for piece in reader.feed(text)]
    return "".join((*out, *[piece.text for piece in reader.finish()]))


values = st.sampled_from([value for value in KINDS if not value.startswith("sk-")])
# What tokens and surrogates are made of, so that what surrounds them is as confusing as can be.
noise = st.text(
    st.sampled_from("EMAILPHONCRD_\\2347BFKqu@.+- 'sé\n\"{\u017f\u0130\u212a")
    | st.characters(exclude_categories=["Cs"]),
    max_size=12,
)
