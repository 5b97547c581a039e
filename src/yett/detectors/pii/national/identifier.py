"""Identifier: one number by which a state, an insurance or a tax office knows a person, and the detectors that look for it."""

from __future__ import annotations

from msgspec import Struct

from yett.detectors.detector import Detector
from yett.detectors.pii.checks import Valid, apart
from yett.detectors.pii.words import LEFT_OF_NUMBER, LONG_NUMBER, NUMBERS, OF_A_THING, RIGHT_OF_NUMBER, named

_PLUS = r"\+\z"  # no such number is written with one: it is a telephone number


class Identifier(Struct, frozen=True):
    """`id` begins with the country (ISO 3166-1). `valid` sees letters and digits alone, in capitals.

    After one of `words` the number is looked for in its `shape`. In the shape `alone`, if it has one, it is looked for
    anywhere: a shape so much its own that, valid besides, it can hardly be something else. Where an operator names the
    country as its own, `shape` is looked for without a word, too. `besides` is what the automaton looks for besides the words.
    Not `checked` are numbers of which hardly more than the length can be told: these never go without a word.
    """

    id: str
    words: str
    shape: str
    valid: Valid
    alone: str = ""
    besides: str = LONG_NUMBER
    checked: bool = True

    @property
    def country(self) -> str:
        return self.id[:2]

    @property
    def kind(self) -> str:
        return f"pii.{self.id}"

    def named(self) -> Detector:
        return named(
            f"{self.id}-named", self.kind, self.words, self.shape, apart(self.valid), besides=self.besides, unless=_PLUS
        )

    def bare(self) -> Detector:
        """In its own shape, unless a word before it says that it is something else."""
        return self._bare(self.id, self.alone)

    def local(self) -> Detector:
        """In any shape."""
        return self._bare(f"{self.id}-local", self.shape)

    def _bare(self, id: str, shape: str) -> Detector:
        return Detector(
            id=id,
            kind=self.kind,
            pattern=rf"{LEFT_OF_NUMBER}({shape}){RIGHT_OF_NUMBER}",
            accept=apart(self.valid),
            besides=self.besides,
            group=NUMBERS,
            unless=OF_A_THING,
        )
